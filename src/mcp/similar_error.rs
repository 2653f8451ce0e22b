//! `similar_error`: earlier calls that failed alike, and what made them pass.

use std::sync::Arc;

use rmcp::schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::index::FailureRow;
use crate::mcp::desk::{Complete, Desk, Need, session_uri};
use crate::mcp::refusal::Refusal;
use crate::time::Time;

const USUAL: u32 = 5;
const MOST: u32 = 20;
/// So much of an error is looked at, from its end: that is where most programs say what is wrong.
const MAX_ERROR: usize = 32 << 10;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The error as the tool printed it; a whole output will do
    error: String,
    /// How many to tell, 5 without it and 20 at most
    limit: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Found {
    /// The most alike first.
    failures: Vec<Failure>,
    index: Complete,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Failure {
    /// How much of the two errors is alike, from 0 to 100.
    likeness: u32,
    tool: String,
    /// What the tool was asked.
    input: String,
    error: String,
    time: String,
    member: String,
    session: String,
    call: String,
    /// The same call when it passed later in the session; absent where it never did.
    #[serde(skip_serializing_if = "Option::is_none")]
    passed: Option<Passed>,
    /// The resource to read the turn and what follows.
    resource: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Passed {
    call: String,
    input: String,
    /// The calls between the two that succeeded, a line each.
    between: Vec<String>,
}

pub fn similar_error(desk: &Arc<Desk>, asked: Asked) -> Result<Found, Refusal> {
    if asked.error.trim().is_empty() {
        return Err(Refusal::new("the error is empty", "give what the tool printed"));
    }
    let from = asked.error.ceil_char_boundary(asked.error.len().saturating_sub(MAX_ERROR));
    let index = desk.ready(Need::Words)?;
    let limit = asked.limit.unwrap_or(USUAL).min(MOST) as usize;
    let rows = desk.ask(desk.database().failures_like(&desk.everything(), &asked.error[from..], limit))?;
    Ok(Found { failures: rows.into_iter().map(failure).collect(), index })
}

fn failure(row: FailureRow) -> Failure {
    let told = row.told;
    Failure {
        likeness: row.likeness,
        tool: told.tool,
        input: told.input,
        error: told.error,
        time: Time::from_unix(row.time).to_string(),
        member: row.member,
        resource: format!("{}?from={}", session_uri(&row.session), told.turn),
        session: row.session,
        call: told.call,
        passed: told.passed.map(|passed| Passed { call: passed.call, input: passed.input, between: passed.between }),
    }
}
