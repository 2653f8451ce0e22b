//! What a page was asked for: the filters in its URL.

use serde::Deserialize;

use crate::index::{After, Filter, Repository};
use crate::time::Time;
use crate::web::page::{Field, Fields, NoPage};

/// The query of lists and charts. Empty fields are as good as none.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    pub repository: String,
    pub member: String,
    pub author: String,
    pub agent: String,
    pub model: String,
    /// Days, `2026-01-31`; `until` is within.
    pub since: String,
    pub until: String,
    /// As things were known then: a day, a time, or a record of a policy chain.
    pub asof: String,
    pub framework: String,
    /// Where the rows begin: a time and an id with a dot between.
    pub after: String,
    /// Words to search for.
    pub q: String,
}

/// The beginning of the year 9100, in seconds since 1970.
const FAR: i64 = 225_000_000_000;

/// Rows that a page shows at a time, and that its data have.
pub const ROWS: usize = 50;
pub const ROWS_OF_DATA: usize = 1_000;

impl Ask {
    /// The filter it means, with the repositories there are.
    pub fn filter(&self, repositories: &[Repository]) -> Result<Filter, NoPage> {
        let repository = match some(&self.repository) {
            None => None,
            Some(name) => {
                let found = repositories.iter().find(|repository| repository.name == name);
                Some(found.ok_or_else(|| NoPage::Wrong(format!("there is no repository {name:?}")))?.id)
            }
        };
        let (since, until) = days(&self.since, &self.until)?;
        Ok(Filter {
            repository,
            member: some(&self.member).map(str::to_owned),
            author: some(&self.author).map(str::to_owned),
            agent: some(&self.agent).map(str::to_owned),
            model: some(&self.model).map(str::to_owned),
            since,
            until,
            ..Filter::default()
        })
    }

    pub fn after(&self) -> Result<Option<After>, NoPage> {
        let Some(text) = some(&self.after) else { return Ok(None) };
        let parsed =
            text.split_once('.').and_then(|(time, id)| Some(After { time: time.parse().ok()?, id: id.into() }));
        parsed.map(Some).ok_or_else(|| NoPage::Wrong(format!("{text:?} is no place in a list")))
    }

    /// The same page, beginning elsewhere.
    pub fn next(&self, path: &str, time: i64, id: &str) -> String {
        let after = format!("{time}.{id}");
        let fields = self.fields().into_iter().filter(|(name, _)| *name != "after");
        link(path, fields.chain([("after", after.as_str())]))
    }

    /// The fields that say something.
    pub fn fields(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("q", &self.q),
            ("repository", &self.repository),
            ("member", &self.member),
            ("author", &self.author),
            ("agent", &self.agent),
            ("model", &self.model),
            ("since", &self.since),
            ("until", &self.until),
            ("asof", &self.asof),
            ("framework", &self.framework),
            ("after", &self.after),
        ];
        all.into_iter().map(|(name, value)| (name, value.trim())).filter(|(_, value)| !value.is_empty()).collect()
    }

    /// A form with some of the filters.
    pub fn form(&self, action: &str, names: &[&'static str], repositories: &[Repository]) -> Fields {
        let field = |name: &&'static str| {
            let (label, value, kind) = match *name {
                "repository" => ("Repository", &self.repository, "select"),
                "member" => ("Member", &self.member, "text"),
                "author" => ("Author (e-mail)", &self.author, "text"),
                "agent" => ("Agent", &self.agent, "text"),
                "model" => ("Model", &self.model, "text"),
                "since" => ("From", &self.since, "date"),
                "until" => ("To", &self.until, "date"),
                "asof" => ("As of (day, time, policy record)", &self.asof, "text"),
                _ => ("Search", &self.q, "search"),
            };
            let all = ("".to_owned(), "all".to_owned());
            let names = repositories.iter().map(|repository| (repository.name.clone(), repository.name.clone()));
            let choices = if kind == "select" { std::iter::once(all).chain(names).collect() } else { Vec::new() };
            Field { name, label, value: value.trim().to_owned(), kind, choices }
        };
        Fields { action: action.to_owned(), fields: names.iter().map(field).collect(), button: "Show" }
    }
}

/// The seconds that two days mean: from the first on, and before the end of the second. Empty ones mean nothing.
pub fn days(since: &str, until: &str) -> Result<(Option<i64>, Option<i64>), NoPage> {
    let until = some(until).map(day).transpose()?;
    Ok((some(since).map(day).transpose()?, until.map(|day| day + 86_400)))
}

pub fn some(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

pub fn day(text: &str) -> Result<i64, NoPage> {
    let time = Time::from_rfc3339(&format!("{text}T00:00:00Z"));
    // What is reckoned with a day must be one, too.
    let time = time.filter(|time| time.unix() < FAR);
    time.map(Time::unix).ok_or_else(|| NoPage::Wrong(format!("{text:?} is no day: write 2026-01-31")))
}

/// A path with a query.
pub fn link<'a>(path: &str, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = fields.into_iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// A text as a part of a path or a query (RFC 3986): what is not unreserved is percent-encoded.
pub fn encoded(text: &str) -> String {
    encoded_bytes(text.as_bytes())
}

/// The same of any bytes.
pub fn encoded_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(*byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A path and query as they are meant, whatever of them is percent-encoded.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let mut byte = [0];
        match (first, after.get(..2)) {
            (b'%', Some(digits)) if hex::decode_to_slice(digits, &mut byte).is_ok() => {
                bytes.push(byte[0]);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_say_what_is_asked() {
        let ask =
            Ask { member: " ada ".into(), since: "2026-01-31".into(), until: "2026-01-31".into(), ..Ask::default() };
        let filter = ask.filter(&[]).ok().unwrap();
        assert_eq!((filter.member.as_deref(), filter.until.unwrap() - filter.since.unwrap()), (Some("ada"), 86_400));
        assert_eq!(
            ask.next("/sessions", 7, "a/b"),
            "/sessions?member=ada&since=2026-01-31&until=2026-01-31&after=7.a%2Fb"
        );
        let next = Ask { after: "7.a/b.c".into(), ..Ask::default() };
        assert_eq!(next.after().ok().unwrap(), Some(After { time: 7, id: "a/b.c".into() }));
        for wrong in
            [Ask { since: "yesterday".into(), ..Ask::default() }, Ask { repository: "x".into(), ..Ask::default() }]
        {
            assert!(matches!(wrong.filter(&[]), Err(NoPage::Wrong(_))), "{wrong:?}");
        }
        assert!(Ask { after: "x".into(), ..Ask::default() }.after().is_err());
        let text = "/r/shöp/ä b?q=50%";
        assert_eq!(decoded(&text.replace('s', "%73").replace('ö', "%C3%B6").replace(' ', "%20")), text);
        assert!(days("", "9999-12-30").is_err() && days("", "9000-01-01").is_ok());
    }
}
