//! `/alerts` and `/alerts.atom`: what somebody should look at, and since when it is known.

use std::fmt::Write;

use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::index::{AlertRow, Repository};
use crate::time::Time;
use crate::web::access::Reader;
use crate::web::ask::{Ask, link, some};
use crate::web::page::{Answer, Block, Link, Links, NoPage, Page, Section};
use crate::web::pages::integrity;
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

/// So many entries the feed has.
const ENTRIES: i64 = 100;

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let repositories = reader.repositories().await?;
    let alerts =
        reader.index().alerts(&names(&ask, &repositories)?, ask.after()?.as_ref(), reader.rows as i64 + 1).await?;
    let shown = &alerts[..alerts.len().min(reader.rows)];
    let mut table = table(shown);
    let more = alerts.len() > shown.len();
    table.next = shown.last().filter(|_| more).map(|last| ask.next("/alerts", last.updated, &last.id));
    let form = ask.form("/alerts", &["repository"], &repositories);
    let repository = some(&ask.repository).map(|name| ("repository", name));
    let feed = Link { href: link("/alerts.atom", repository), text: "Follow as a feed (Atom)".into(), here: false };
    let links = Links { label: "Feed", links: vec![feed] };
    Ok(Page::new("Alerts", Section::Integrity).block(Block::Fields(form)).block(Block::Links(links)).table(table))
}

fn table(alerts: &[AlertRow]) -> Table {
    let columns = [
        words("since", "Known since"),
        words("severity", "Weight"),
        words("code", "Code"),
        words("message", "What"),
        words("repository", "Repository"),
        words("chain", "Chain"),
        numbers("seq", "Number"),
        words("gone", "Not any more since"),
    ];
    let row = |alert: &AlertRow| {
        let look = match (alert.gone, alert.severity.as_str()) {
            (Some(_), _) => "",
            (None, "error") => "fail",
            _ => "warn",
        };
        let message = Cell { text: show::line(&alert.message, 300), ..Cell::text(&alert.message) };
        vec![
            Cell::time(alert.since),
            Cell::text(&alert.severity).looks(look),
            Cell::text(&alert.code),
            message.to(place(alert)),
            Cell::text(&alert.repository),
            alert.chain.as_deref().map_or_else(Cell::none, Cell::id),
            alert.seq.map_or_else(Cell::none, Cell::count),
            alert.gone.map_or_else(Cell::none, Cell::time),
        ]
    };
    Table::new("Alerts, the latest first", &columns, "Nothing was ever found.").rows(alerts.iter().map(row))
}

/// The page that shows it.
fn place(alert: &AlertRow) -> String {
    match (&alert.record, &alert.chain, alert.kind.as_str()) {
        (Some(record), ..) => format!("/records/{record}"),
        (_, Some(chain), _) if !chain.contains('/') => integrity::path(&alert.repository, chain),
        (_, _, "trouble") => "/".to_owned(),
        _ => link("/integrity", [("repository", alert.repository.as_str())]),
    }
}

/// The repository that is asked for, or all of which they may read.
fn names(ask: &Ask, repositories: &[Repository]) -> Result<Vec<String>, NoPage> {
    let wanted = ask.filter(repositories)?.repository;
    let shown = repositories.iter().filter(|repository| wanted.is_none_or(|wanted| repository.id == wanted));
    Ok(shown.map(|repository| repository.name.clone()).collect())
}

/// The feed (RFC 4287).
pub async fn atom(reader: Reader, Query(ask): Query<Ask>) -> Result<Response, NoPage> {
    let repositories = reader.repositories().await?;
    let alerts = reader.index().alerts(&names(&ask, &repositories)?, None, ENTRIES).await?;
    let id = reader.index().feed_id().await?;
    let kind = [(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")];
    Ok((kind, feed(&id, some(&ask.repository), &alerts)).into_response())
}

fn feed(id: &str, repository: Option<&str>, alerts: &[AlertRow]) -> String {
    let time = |seconds: i64| Time::from_unix(seconds).to_string();
    let updated = time(alerts.iter().map(|alert| alert.updated).max().unwrap_or_default());
    let of = repository.map(|name| format!(" of {name}")).unwrap_or_default();
    // A feed of one repository is another than that of all.
    let id = match repository {
        Some(name) => uuid::Uuid::new_v5(&uuid::Uuid::parse_str(id).unwrap_or_default(), name.as_bytes()).to_string(),
        None => id.to_owned(),
    };
    let path = link("/alerts.atom", repository.map(|name| ("repository", name)));
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>urn:uuid:{id}</id>\n<title>Alerts{}</title>\n<updated>{updated}</updated>\n\
         <author><name>git-tracevault</name></author>\n<link rel=\"self\" href=\"{}\"/>\n<link href=\"/alerts\"/>\n",
        xml(&of),
        xml(&path)
    );
    for alert in alerts {
        let (state, title) = match alert.gone {
            Some(gone) => (format!("Not so any more since {}.", time(gone)), "Over: "),
            None => (format!("Known since {}.", time(alert.since)), ""),
        };
        let _ = write!(
            out,
            "<entry>\n<id>urn:uuid:{}</id>\n<title>{title}{}: {} {}</title>\n<published>{}</published>\n\
             <updated>{}</updated>\n<category term=\"{}\"/>\n<link href=\"{}\"/>\n<summary>{} {state}</summary>\n</entry>\n",
            xml(&alert.id),
            xml(&alert.repository),
            xml(&alert.code),
            xml(&show::line(&alert.message, 120)),
            time(alert.since),
            time(alert.updated),
            xml(&alert.severity),
            xml(&place(alert)),
            xml(&show::visible(&alert.message)),
        );
    }
    out + "</feed>\n"
}

/// A text within XML: what would mean something is escaped, what XML does not know is left out.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_what_rfc_4287_asks_for() {
        let alert = |message: &str, gone| AlertRow {
            id: "11111111-2222-5333-8444-555555555555".into(),
            repository: "shop".into(),
            kind: "finding".into(),
            severity: "error".into(),
            code: "E-FORK".into(),
            chain: Some("policy".into()),
            seq: Some(3),
            record: None,
            message: message.into(),
            since: 0,
            updated: 60,
            gone,
        };
        let alerts = [alert("a <b> & \"c\"\u{1b}\u{ffff}\u{202e}", None), alert("d", Some(60))];
        let text = feed("99999999-2222-4333-8444-555555555555", None, &alerts);
        let tree = roxmltree::Document::parse(&text).unwrap();
        let root = tree.root_element();
        let of = |node: roxmltree::Node<'_, '_>, name: &str| {
            let found = node.children().find(|child| child.has_tag_name(("http://www.w3.org/2005/Atom", name)));
            found.and_then(|child| child.text().map(str::to_owned)).unwrap_or_else(|| panic!("no {name}"))
        };
        assert_eq!(of(root, "updated"), "1970-01-01T00:01:00Z");
        assert_eq!(of(root, "id"), "urn:uuid:99999999-2222-4333-8444-555555555555");
        let entries: Vec<_> = root.children().filter(|child| child.tag_name().name() == "entry").collect();
        assert_eq!(entries.len(), 2);
        for entry in &entries {
            assert!(of(*entry, "id").starts_with("urn:uuid:") && of(*entry, "published") == "1970-01-01T00:00:00Z");
        }
        assert!(of(entries[0], "summary").starts_with("a <b> & \"c\"␛‹U+202E›"), "{}", of(entries[0], "summary"));
        assert!(of(entries[1], "title").starts_with("Over: shop: E-FORK d"));
        let one = feed("99999999-2222-4333-8444-555555555555", Some("shop"), &[]);
        assert!(!one.contains("99999999-2222") && roxmltree::Document::parse(&one).is_ok());
    }
}
