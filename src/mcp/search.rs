//! `search`: sessions in which something was said.

use std::sync::Arc;

use rmcp::schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::index::{Filter, Hit};
use crate::mcp::desk::{Complete, Desk, Need, session_uri};
use crate::mcp::refusal::Refusal;
use crate::time::Time;

/// How many are told without being asked for more, and the most.
const USUAL: u32 = 10;
const MOST: u32 = 50;
/// No question is longer, in bytes.
const MAX_TEXT: usize = 1_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Words that were said, all of which must be there: `retry backoff payment`
    text: String,
    /// Only sessions of this member, by the name in the roster, as `ada@example.com`
    member: Option<String>,
    /// Only sessions of this agent, as `claude-code`
    agent: Option<String>,
    /// Only sessions that ended on this day (`2026-01-31`, in UTC) or later
    since: Option<String>,
    /// Only sessions that ended before this day
    until: Option<String>,
    /// How many to tell, 10 without it and 50 at most
    limit: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Found {
    /// The best first.
    sessions: Vec<Session>,
    index: Complete,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Session {
    session: String,
    member: String,
    /// When it ended.
    ended: String,
    /// Its first prompt, in short.
    title: String,
    /// Where the words stand, between ** and **.
    snippet: String,
    /// The resource to read it whole.
    resource: String,
}

pub fn search(desk: &Arc<Desk>, asked: Asked) -> Result<Found, Refusal> {
    let text = asked.text.trim();
    if text.is_empty() || text.len() > MAX_TEXT {
        return Err(Refusal::new(
            format!("the text to search for has {} bytes", text.len()),
            format!("give some words, at most {MAX_TEXT} bytes of them"),
        ));
    }
    let index = desk.ready(Need::Words)?;
    let filter = Filter {
        member: asked.member,
        agent: asked.agent,
        since: asked.since.as_deref().map(day).transpose()?,
        until: asked.until.as_deref().map(day).transpose()?,
        ..desk.everything()
    };
    let limit = asked.limit.unwrap_or(USUAL).min(MOST);
    let hits = desk.ask(desk.database().search(&filter, text, limit.into()))?;
    Ok(Found { sessions: hits.into_iter().map(session).collect(), index })
}

fn session(hit: Hit) -> Session {
    Session {
        resource: session_uri(&hit.session),
        session: hit.session,
        member: hit.member,
        ended: Time::from_unix(hit.time).to_string(),
        title: hit.title,
        snippet: hit.snippet.replace(['\u{2}', '\u{3}'], "**"),
    }
}

/// When a day begins, in seconds since 1970.
fn day(text: &str) -> Result<i64, Refusal> {
    let begins = Time::from_rfc3339(&format!("{text}T00:00:00Z"));
    let refused = || Refusal::new(format!("{text:?} is no day"), "write days as 2026-01-31");
    begins.map(|time| time.unix()).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days() {
        assert_eq!(day("1970-01-02").unwrap(), 86_400);
        for wrong in ["", "2026-13-01", "yesterday", "2026-01-01T10:00:00Z"] {
            assert!(day(wrong).is_err(), "{wrong}");
        }
    }
}
