//! `/sessions`: every session, the latest first.

use axum::extract::Query;

use crate::index::SessionRow;
use crate::web::access::Reader;
use crate::web::ask::{Ask, encoded};
use crate::web::page::{Answer, Block, Page, Section};
use crate::web::show;
use crate::web::table::{Cell, Column, Table, numbers, words};

const COLUMNS: [Column; 10] = [
    words("ended", "Ended"),
    words("title", "Asked"),
    words("session", "Session"),
    words("member", "Member"),
    words("repository", "Repository"),
    words("agent", "Agent"),
    numbers("turns", "Turns"),
    numbers("tokens", "Tokens"),
    numbers("cost_usd", "Cost"),
    numbers("added", "Lines written"),
];

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories).await?;
    let sessions = reader.index().sessions(&filter, ask.after()?.as_ref(), reader.rows as i64 + 1).await?;
    let names = ["repository", "member", "agent", "model", "since", "until", "asof"];
    let form = ask.form("/sessions", &names, &repositories);
    let shown = &sessions[..sessions.len().min(reader.rows)];
    let mut table = table("Sessions, the latest first", shown);
    let more = sessions.len() > shown.len();
    table.next = shown.last().filter(|_| more).map(|last| ask.next("/sessions", last.ended, &last.session));
    Ok(Page::new("Sessions", Section::Sessions).block(Block::Fields(form)).dated(filter.asof).table(table))
}

/// A table of sessions.
pub fn table(caption: &str, sessions: &[SessionRow]) -> Table {
    Table::new(caption, &COLUMNS, "No session is recorded that fits.").rows(sessions.iter().map(row))
}

/// Where a session's page is.
pub fn path(repository: &str, session: &str) -> String {
    format!("/r/{}/sessions/{}", encoded(repository), encoded(session))
}

fn row(session: &SessionRow) -> Vec<Cell> {
    let path = path(&session.repository, &session.session);
    let title = session.title.as_deref().map_or_else(Cell::none, |title| {
        let cell = Cell::text(title);
        Cell { text: show::line(title, 80), look: "said", ..cell }
    });
    vec![
        Cell::time(session.ended),
        title.to(path.clone()),
        Cell::id(&session.session).to(path),
        Cell::text(&session.member),
        Cell::text(&session.repository),
        Cell::text(&session.agent),
        Cell::count(session.turns),
        Cell::count(session.tokens),
        Cell::cost(session.cost, session.unknown),
        Cell::count(session.added),
    ]
}
