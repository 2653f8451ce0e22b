//! Resources: sessions and commits, each under an address of its own.

use std::sync::Arc;

use rmcp::model::{Resource, ResourceTemplate};
use rmcp::schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::id::{CallId, SessionId};
use crate::index::{After, CommitFileRow, CommitRow, SessionRow};
use crate::mcp::conversation::{self, Place, Quoted, first_step};
use crate::mcp::desk::{Complete, Desk, Need, commit_uri, session_uri};
use crate::mcp::outgoing::{outgoing, text};
use crate::mcp::refusal::Refusal;
use crate::mirror::Begin;
use crate::session::turns::shortened_to;
use crate::time::Time;

/// So many of a list are told at once.
const PAGE: i64 = 50;
/// So much of a conversation is told at once, in bytes, and at least one step.
const WINDOW: usize = 32 << 10;
/// So few characters of an id name nothing.
const LEAST_PREFIX: usize = 4;

/// What kinds of addresses there are.
pub fn templates() -> Vec<ResourceTemplate> {
    let json = "application/json";
    vec![
        ResourceTemplate::new("tracevault://session/{id}{?from,call}", "session")
            .with_title("A session of an agent")
            .with_description(
                "What a session used and changed, and its conversation, some turns at a time: from a turn \
                 (12, counted from 0) or a step of it (12.34), or from the one that made a call.",
            )
            .with_mime_type(json),
        ResourceTemplate::new("tracevault://commit/{sha}", "commit")
            .with_title("A commit and its record")
            .with_description("Whose the lines are that a commit adds, file by file, and the sessions it draws on.")
            .with_mime_type(json),
    ]
}

/// A page of the list and where the next one begins: sessions, the latest first, and behind the last of them the commits.
pub fn list(desk: &Arc<Desk>, cursor: Option<&str>) -> Result<(Vec<Resource>, Option<String>), Refusal> {
    desk.ready(Need::Records)?;
    let (kind, after) = match cursor {
        None => ("session", None),
        Some(cursor) => read_cursor(cursor).ok_or_else(|| {
            Refusal::unknown(format!("{cursor:?} is no cursor of this list"), "begin again without one")
        })?,
    };
    let filter = desk.filter()?;
    if kind == "session" {
        let rows = desk.ask(desk.database().sessions(&filter, after.as_ref(), PAGE))?;
        let next = match rows.last() {
            Some(last) if rows.len() as i64 == PAGE => format!("session {} {}", last.ended, last.session),
            _ => "commit".to_owned(),
        };
        return Ok((rows.iter().map(of_session).collect(), Some(next)));
    }
    let rows = desk.ask(desk.database().commits(&filter, after.as_ref(), PAGE))?;
    let next = rows.last().filter(|_| rows.len() as i64 == PAGE);
    let next = next.map(|last| format!("commit {} {}", last.time, last.sha));
    Ok((rows.iter().map(of_commit).collect(), next))
}

fn read_cursor(cursor: &str) -> Option<(&'static str, Option<After>)> {
    let mut words = cursor.split(' ');
    let kind = match words.next()? {
        "session" => "session",
        "commit" => "commit",
        _ => return None,
    };
    let after = match (words.next(), words.next(), words.next()) {
        (None, ..) if kind == "commit" => None,
        (Some(time), Some(id), None) => Some(After { time: time.parse().ok()?, id: id.to_owned() }),
        _ => return None,
    };
    Some((kind, after))
}

/// A line of the list. No prompt and no subject stands there: clients show it without the notice that answers have.
fn line(said: &str) -> String {
    text(&shortened_to(said, 200))
}

fn of_session(row: &SessionRow) -> Resource {
    let ended = Time::from_unix(row.ended);
    Resource::new(session_uri(&row.session), format!("session {}", row.session))
        .with_title(line(&format!("session of {}, {}", row.member, ended.day())))
        .with_description(line(&format!("{} with {}, ended {ended}", row.member, row.agent)))
        .with_mime_type("application/json")
}

fn of_commit(row: &CommitRow) -> Resource {
    let time = Time::from_unix(row.time);
    Resource::new(commit_uri(&row.sha), format!("commit {}", row.sha))
        .with_title(line(&format!("commit of {}, {}", row.author, time.day())))
        .with_description(line(&format!("{}, {time}, {}", row.author, row.state())))
        .with_mime_type("application/json")
}

/// What stands under an address.
pub fn read(desk: &Arc<Desk>, uri: &str) -> Result<Value, Refusal> {
    let index = desk.ready(Need::Records)?;
    let address = Address::read(uri).ok_or_else(|| {
        let advice = "resources are tracevault://session/ID and tracevault://commit/SHA";
        Refusal::unknown(format!("{uri:?} is no address of a resource here"), advice)
    })?;
    let told = match address {
        Address::Session(name, begin) => outgoing(session(desk, name, &begin, index)?),
        Address::Commit(name) => outgoing(commit(desk, name, index)?),
    };
    told.map_err(|error| Refusal::bare(error.to_string()))
}

/// An address that was taken apart.
#[derive(Debug, PartialEq, Eq)]
enum Address<'a> {
    Session(&'a str, Start),
    Commit(&'a str),
}

/// Where in a conversation to begin: at a turn, and at a step of it.
#[derive(Debug, PartialEq, Eq)]
struct Start {
    turn: Begin,
    step: usize,
}

impl Start {
    /// `12`, or `12.34`.
    fn read(text: &str) -> Option<Self> {
        let (turn, step) = text.split_once('.').unwrap_or((text, "0"));
        Some(Start { turn: Begin::Turn(turn.parse().ok()?), step: step.parse().ok()? })
    }
}

impl<'a> Address<'a> {
    fn read(uri: &'a str) -> Option<Self> {
        let rest = uri.strip_prefix("tracevault://")?;
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let begin = match query.map(|query| query.split_once('=')) {
            None => Start { turn: Begin::Turn(0), step: 0 },
            Some(Some(("from", place))) => Start::read(place)?,
            Some(Some(("call", call))) => Start { turn: Begin::Call(CallId::from_agent(call)), step: 0 },
            Some(_) => return None,
        };
        match rest.split_once('/')? {
            ("session", name) if name.len() >= LEAST_PREFIX => Some(Address::Session(name, begin)),
            ("commit", name) if name.len() >= LEAST_PREFIX && query.is_none() => Some(Address::Commit(name)),
            _ => None,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Session {
    session: String,
    member: String,
    /// Nobody has enrolled who recorded it: it is that writer's word alone.
    pending: bool,
    agent: String,
    started: String,
    ended: String,
    tokens: i64,
    calls: i64,
    failed: i64,
    models: Vec<String>,
    files: Vec<String>,
    /// The commits that draw on it.
    commits: Vec<String>,
    /// How many turns there are, and some of them.
    turns: usize,
    quoted: Vec<Quoted>,
    /// Where those that follow are.
    next: Option<String>,
    missing: Vec<String>,
    index: Complete,
}

/// So many files and commits of a session are told.
const NAMED: usize = 100;

/// A place as addresses have it: `12`, or `12.34` for a step of the turn.
fn written(place: Place) -> String {
    match place.step {
        0 => place.turn.to_string(),
        step => format!("{}.{step}", place.turn),
    }
}

fn session(desk: &Arc<Desk>, name: &str, begin: &Start, index: Complete) -> Result<Session, Refusal> {
    let row = desk.session_named(name)?;
    let number = desk.local.number()?;
    let models = desk.ask(desk.database().usage_of(number, &row.session))?;
    let files = desk.ask(desk.database().files_of(number, &row.session))?;
    let commits = desk.ask(desk.database().commits_of(number, &row.session))?;
    let (spoken, shelves) = desk.open_session(&SessionId::from_agent(&row.session), None)?;
    let window = shelves.turns(&spoken, &begin.turn, WINDOW)?;
    let first = match (&begin.turn, window.turns.first()) {
        (Begin::Call(call), Some(told)) => first_step(&told.turn, call, WINDOW / 2),
        _ => begin.step,
    };
    let (quoted, next) = conversation::window(&window.turns, first, WINDOW);
    let after = window.turns.last().map(|told| told.place + 1).filter(|next| *next < window.total);
    let next = next.or(after.map(|turn| Place { turn, step: 0 }));
    Ok(Session {
        member: row.member,
        pending: spoken.pending,
        agent: format!("{} {}", row.agent, row.version),
        started: Time::from_unix(row.started).to_string(),
        ended: Time::from_unix(row.ended).to_string(),
        tokens: row.tokens,
        calls: row.calls,
        failed: row.failed,
        models: models.into_iter().map(|model| model.model).collect(),
        files: files.into_iter().take(NAMED).map(|file| file.path).collect(),
        commits: commits.into_iter().take(NAMED).map(|drawn| commit_uri(&drawn.sha)).collect(),
        turns: window.total,
        quoted,
        next: next.map(|next| format!("{}?from={}", session_uri(&row.session), written(next))),
        missing: window.missing,
        session: row.session,
        index,
    })
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Commit {
    commit: String,
    author: String,
    time: String,
    subject: String,
    /// sealed, signed, linked, pending, bad or missing.
    state: String,
    /// Who recorded it, and the record.
    member: Option<String>,
    record: Option<String>,
    added: Option<i64>,
    agent: Option<i64>,
    human: Option<i64>,
    unattributed: Option<i64>,
    files: Vec<File>,
    /// The sessions it draws on.
    sessions: Vec<String>,
    index: Complete,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct File {
    path: String,
    added: i64,
    agent: i64,
    human: i64,
    unattributed: i64,
}

fn commit(desk: &Arc<Desk>, name: &str, index: Complete) -> Result<Commit, Refusal> {
    let mut found = desk.ask(desk.database().commits_named(&desk.filter()?, &name.to_ascii_lowercase(), 2))?;
    let row = match (found.pop(), found.pop()) {
        (Some(row), None) => row,
        (None, _) => {
            let why = format!("no commit of the branch that is checked out is named {name}");
            return Err(Refusal::unknown(why, "git tracevault show tells of commits of other branches"));
        }
        _ => return Err(Refusal::unknown(format!("several commits begin with {name}"), "give more of the id")),
    };
    let number = desk.local.number()?;
    let files = desk.ask(desk.database().files_of_commit(number, &row.sha))?;
    let sessions = desk.ask(desk.database().sessions_of_commit(number, &row.sha))?;
    let file = |file: CommitFileRow| File {
        path: file.path,
        added: file.added,
        agent: file.agent,
        human: file.human,
        unattributed: file.unattributed,
    };
    Ok(Commit {
        state: row.state().to_owned(),
        author: row.author,
        time: Time::from_unix(row.time).to_string(),
        subject: row.subject,
        member: row.member,
        record: row.record,
        added: row.added,
        agent: row.agent,
        human: row.human,
        unattributed: row.unattributed,
        files: files.into_iter().map(file).collect(),
        sessions: sessions.iter().map(|session| session_uri(session)).collect(),
        commit: row.sha,
        index,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_sessions_and_commits_and_nothing_else() {
        let call = || Start { turn: Begin::Call(CallId::from_agent("toolu_1")), step: 0 };
        let at = |turn, step| Start { turn: Begin::Turn(turn), step };
        for (uri, expected) in [
            ("tracevault://session/abcd", Address::Session("abcd", at(0, 0))),
            ("tracevault://session/abcd?from=12", Address::Session("abcd", at(12, 0))),
            ("tracevault://session/abcd?from=12.34", Address::Session("abcd", at(12, 34))),
            ("tracevault://session/abcd?call=toolu_1", Address::Session("abcd", call())),
            ("tracevault://commit/0123", Address::Commit("0123")),
        ] {
            assert_eq!(Address::read(uri), Some(expected), "{uri}");
        }
        for wrong in [
            "",
            "file:///etc/passwd",
            "tracevault://session/abc",
            "tracevault://session/abcd?from=-1",
            "tracevault://session/abcd?from=1.",
            "tracevault://session/abcd?x=1",
            "tracevault://commit/0123?from=1",
            "tracevault://record/0123",
        ] {
            assert_eq!(Address::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn cursors_are_read_as_they_were_given() {
        let after = |time, id: &str| Some(After { time, id: id.into() });
        assert_eq!(read_cursor("session 5 abc"), Some(("session", after(5, "abc"))));
        assert_eq!(read_cursor("commit"), Some(("commit", None)));
        assert_eq!(read_cursor("commit 5 abc"), Some(("commit", after(5, "abc"))));
        for wrong in ["", "session", "x 5 a", "commit x a", "commit 5", "commit 5 a b"] {
            assert_eq!(read_cursor(wrong), None, "{wrong}");
        }
    }
}
