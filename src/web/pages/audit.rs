//! `/audit`: what was done with this server, and the log itself to be verified elsewhere.

use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;

use crate::audit_log::Action;
use crate::index::{AuditRow, Audited, Reach, Repository};
use crate::web::access::Reader;
use crate::web::ask::{self, link};
use crate::web::page::{Answer, Block, Field, Fields, NoPage, Page, Section};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

/// The filters of the log.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    action: String,
    actor: String,
    resource: String,
    since: String,
    until: String,
    /// Where the rows begin: a time, a log and a number, with dots between.
    after: String,
}

pub async fn page(reader: Reader, Query(asked): Query<Asked>) -> Answer {
    let log = reader.app().log();
    let broken = log.copy_to(reader.index()).await.map_err(|error| NoPage::Failed(error.to_string()))?;
    let mut page = Page::new("Audit log", Section::AuditLog).block(Block::Fields(form(&asked)));
    if let Some(error) = broken {
        page = page.note("fail", format!("The log does not hold: {error}. What follows it is not listed."));
    }
    let wanted = Audited { repositories: visible(&reader).await?, ..asked.wanted()? };
    let after = asked.after()?;
    let after = after.as_ref().map(|(time, log, seq)| (*time, log.as_str(), *seq));
    let rows = reader.index().audited(&wanted, after, reader.rows as i64 + 1).await?;
    let shown = &rows[..rows.len().min(reader.rows)];
    let mut table = table(shown);
    table.next = shown.last().filter(|_| rows.len() > shown.len()).map(|last| asked.next(last));
    let key = log.key();
    let mut facts = vec![("Key", Cell { look: "id", ..Cell::text(&key.to_string()) }.to("/audit/key.pub".to_owned()))];
    let settled = log.settled().await.map_err(|error| NoPage::Failed(error.to_string()))?;
    if let Some(head) = settled.head {
        facts.push(("Last entry", Cell::count(i64::try_from(head.seq).unwrap_or(i64::MAX))));
        facts.push(("Its SHA-256", Cell { text: head.id.to_string(), ..Cell::id(&head.id.to_string()) }));
    }
    if wanted.repositories.is_none() {
        facts.push(("All of it", Cell::text("audit.log").to("/audit/log".to_owned())));
    }
    page = page.table(table).heading("log", "The log");
    Ok(page.facts(facts))
}

/// The repositories of which entries are shown: all of them, and what is about none, to those who may read the log of every one.
async fn visible(reader: &Reader) -> Result<Option<Vec<String>>, NoPage> {
    let all = reader.index().repositories().await?;
    let (readable, other): (Vec<Repository>, Vec<Repository>) =
        all.into_iter().partition(|repository| reader.everything().reach.touches(repository.id));
    // What is mirrored and not verified yet is somebody's, too.
    let unknown = reader.app().mirrors().iter().any(|mirror| {
        let is_it = |repository: &&Repository| repository.name == mirror.source.name;
        readable.iter().chain(&other).find(is_it).is_none_or(|repository| repository.verdict.is_none())
    });
    let narrowed = unknown || !other.is_empty();
    Ok(narrowed.then(|| readable.into_iter().map(|repository| repository.name).collect()))
}

impl Asked {
    fn wanted(&self) -> Result<Audited, NoPage> {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let (since, until) = ask::days(&self.since, &self.until)?;
        Ok(Audited {
            repositories: None,
            action: some(&self.action),
            actor: some(&self.actor),
            resource: some(&self.resource),
            since,
            until,
        })
    }

    fn after(&self) -> Result<Option<(i64, String, i64)>, NoPage> {
        let mut parts = self.after.trim().split('.');
        let told = (parts.next(), parts.next(), parts.next(), parts.next());
        match told {
            (Some(""), None, None, None) => Ok(None),
            (Some(time), Some(log), Some(seq), None) => match (time.parse(), seq.parse()) {
                (Ok(time), Ok(seq)) => Ok(Some((time, log.to_owned(), seq))),
                _ => Err(NoPage::Wrong(format!("{:?} is no place in the log", self.after))),
            },
            _ => Err(NoPage::Wrong(format!("{:?} is no place in the log", self.after))),
        }
    }

    fn next(&self, last: &AuditRow) -> String {
        let after = format!("{}.{}.{}", last.time, last.log, last.seq);
        let fields = [
            ("action", &self.action),
            ("actor", &self.actor),
            ("resource", &self.resource),
            ("since", &self.since),
            ("until", &self.until),
            ("after", &after),
        ];
        let said = fields.into_iter().map(|(name, value)| (name, value.trim())).filter(|(_, value)| !value.is_empty());
        link("/audit", said)
    }
}

fn form(asked: &Asked) -> Fields {
    let field = |name, label, value: &String, kind| Field {
        name,
        label,
        value: value.trim().to_owned(),
        kind,
        choices: Vec::new(),
    };
    let all = (String::new(), "all".to_owned());
    let actions = Action::ALL.iter().map(|action| (action.as_str().to_owned(), action.as_str().to_owned()));
    let choices = std::iter::once(all).chain(actions).collect();
    let fields = vec![
        Field { choices, ..field("action", "Action", &asked.action, "select") },
        field("actor", "Actor", &asked.actor, "text"),
        field("resource", "Resource, or its beginning", &asked.resource, "text"),
        field("since", "From", &asked.since, "date"),
        field("until", "To", &asked.until, "date"),
    ];
    Fields { action: "/audit".to_owned(), fields, button: "Show" }
}

fn table(rows: &[AuditRow]) -> Table {
    let columns = [
        words("time", "When"),
        words("action", "Action"),
        words("actor", "Actor"),
        words("proof", "Proven by"),
        words("resource", "Resource"),
        words("repository", "Repository"),
        words("detail", "Detail"),
        words("peer", "From"),
        numbers("seq", "Entry"),
    ];
    let row = |row: &AuditRow| {
        let text = |text: &Option<String>| text.as_deref().map_or_else(Cell::none, Cell::text);
        let action = match row.action.as_str() {
            "refused" | "mend" => Cell::text(&row.action).looks("warn"),
            _ => Cell::text(&row.action),
        };
        let resource = row
            .resource
            .as_deref()
            .map_or_else(Cell::none, |resource| Cell { text: show::line(resource, 120), ..Cell::text(resource) });
        vec![
            Cell::time(row.time),
            action,
            text(&row.actor),
            text(&row.proof),
            resource,
            text(&row.repository),
            text(&row.detail),
            text(&row.peer),
            Cell::count(row.seq),
        ]
    };
    Table::new("What was done, the latest first", &columns, "Nothing was done that fits.").rows(rows.iter().map(row))
}

/// `/audit/log`: the file itself, for those who may read all of it.
pub async fn log(reader: Reader) -> Result<Response, NoPage> {
    if visible(&reader).await?.is_some() {
        return Err(NoPage::Forbidden);
    }
    let (log, failed) = (reader.app().log(), |error: std::io::Error| NoPage::Failed(error.to_string()));
    let settled = log.settled().await.map_err(failed)?;
    let file = tokio::fs::File::open(log.path()).await.map_err(failed)?;
    let body = axum::body::Body::from_stream(tokio_util::io::ReaderStream::new(file.take(settled.bytes)));
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.log\""),
    ];
    Ok((headers, body).into_response())
}

/// `/audit/key.pub`: the key that signs the log, as minisign has it.
pub async fn key(reader: Reader) -> Result<Response, NoPage> {
    if reader.everything().reach == Reach::default() {
        return Err(NoPage::Forbidden);
    }
    let key = reader.app().log().key();
    let text = format!("untrusted comment: minisign public key {}\n{key}\n", key.number());
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
