//! `/records/ID`: one record, byte for byte, and what is known of it.

use axum::extract::Path;

use crate::id::GitId;
use crate::index::RecordRow;
use crate::web::access::Reader;
use crate::web::page::{Answer, Block, NoPage, Page, Section, Text};
use crate::web::pages::{commits, integrity, sessions};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

pub async fn page(reader: Reader, Path(id): Path<String>) -> Answer {
    let named = id.len() >= 4 && id.chars().all(|c| c.is_ascii_hexdigit());
    let found = if named {
        reader.index().records_named(&reader.everything(), &id.to_lowercase(), 2).await?
    } else {
        Vec::new()
    };
    let record = match found.as_slice() {
        [record] => record,
        // The same record may be in copies of one ledger.
        [record, other] if record.record == other.record => record,
        [] => return Err(NoPage::NotFound(format!("no record begins with {id:?}"))),
        _ => return Err(NoPage::NotFound(format!("several records begin with {id:?}"))),
    };
    let mut page =
        Page::new(format!("Record {}", show::short(&record.record)), Section::Integrity).facts(facts(record));
    if record.good == 0 {
        page = page.note("fail", "This record does not hold: what it says is believed in nothing.");
    }
    if let Some(text) = stored(&reader, record).await? {
        let label = "The record as it is signed".to_owned();
        page = page.heading("raw", label.clone()).block(Block::Text(Text { label, text: show::visible(&text) }));
    }
    Ok(page)
}

/// The record's text, from the mirror.
async fn stored(reader: &Reader, record: &RecordRow) -> Result<Option<String>, NoPage> {
    let (Some(mirror), Ok(held)) = (reader.mirror(&record.repository).cloned(), record.held.parse::<GitId>()) else {
        return Ok(None);
    };
    let read = tokio::task::spawn_blocking(move || mirror.record_text(&held)).await;
    Ok(Some(read.map_err(|error| NoPage::Failed(error.to_string()))??))
}

fn facts(record: &RecordRow) -> Vec<(&'static str, Cell)> {
    let whole = |id: &str| Cell { text: id.to_owned(), ..Cell::id(id) };
    vec![
        ("Record", whole(&record.record)),
        ("Type", Cell::text(&record.kind)),
        ("Written", Cell::time(record.time)),
        ("Member", record.member.as_deref().map_or_else(Cell::none, Cell::text)),
        ("Repository", Cell::text(&record.repository)),
        ("Chain", Cell::id(&record.chain).to(integrity::path(&record.repository, &record.chain))),
        ("Number", Cell::count(record.seq)),
        ("State", state(record)),
        ("Held by git commit", whole(&record.held)),
        ("About", about(record)),
    ]
}

fn state(record: &RecordRow) -> Cell {
    match (record.good, record.sealed) {
        (0, _) => Cell::text("bad").looks("fail"),
        (_, 0) => Cell::text("signed").looks("pass"),
        _ => Cell::text("sealed").looks("pass"),
    }
}

fn about(record: &RecordRow) -> Cell {
    let Some(about) = &record.about else { return Cell::none() };
    let path = if record.kind == "session" { sessions::path } else { commits::path };
    Cell::id(about).to(path(&record.repository, about))
}

/// A table of records.
pub fn table(caption: &str, records: &[RecordRow]) -> Table {
    let columns = [
        numbers("seq", "Number"),
        words("record", "Record"),
        words("type", "Type"),
        words("time", "Written"),
        words("state", "State"),
        words("about", "About"),
    ];
    let row = |record: &RecordRow| {
        vec![
            Cell::count(record.seq),
            Cell::id(&record.record).to(format!("/records/{}", record.record)),
            Cell::text(&record.kind),
            Cell::time(record.time),
            state(record),
            about(record),
        ]
    };
    Table::new(caption, &columns, "No record is here.").rows(records.iter().map(row))
}
