//! `why`: whose a line is, and what was asked, thought and done when it was written.

use std::sync::Arc;
use std::time::Duration;

use rmcp::schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::git::blame::{self, Blame, Line};
use crate::git::history;
use crate::id::{CallId, SessionId};
use crate::ledger::Ledger;
use crate::mcp::conversation::{Quoted, QuotedCall};
use crate::mcp::desk::{Complete, Desk, Need, commit_uri, session_uri};
use crate::mcp::refusal::Refusal;
use crate::mirror::{Called, Traced};
use crate::session::turns::{Call, Step, focused, led_by};
use crate::time::Time;

/// How long git may look for where a line comes from.
const PATIENCE: Duration = Duration::from_secs(20);
/// So many lines of a diff are told, those around the line.
const DIFF_LINES: usize = 40;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The file, as seen from the top of the repository: `src/cart.rs`
    file: String,
    /// The line's number, counted from 1
    #[schemars(range(min = 1))]
    line: u32,
    /// The commit, branch or tag to look at it in; without it the file as it stands in the work tree
    revision: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Told {
    file: String,
    line: u32,
    text: String,
    /// agent, human (a person has said so), unattributed (no agent is known to have written it) or unknown (no record speaks of it).
    origin: String,
    /// exact, linked, content or none: how that is known.
    evidence: String,
    /// The record that says so.
    record: Option<String>,
    /// Nobody has enrolled the record's writer: it is that writer's word alone.
    pending: bool,
    /// Where the line comes from; absent where it is not committed yet.
    commit: Option<Commit>,
    session: Option<String>,
    call: Option<String>,
    model: Option<String>,
    /// What was asked before, and what led to the call.
    quoted: Option<Place>,
    /// What of the session cannot be read, and why.
    missing: Vec<String>,
    index: Complete,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Commit {
    commit: String,
    author: String,
    time: String,
    subject: String,
    /// The file's name and the line's number there.
    path: String,
    line: u32,
    resource: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Place {
    /// Prompts before the turn, the latest last.
    before: Vec<Quoted>,
    /// The turn, with the steps that led to the call.
    turn: Quoted,
    /// The call that wrote the line, with its diff around the line.
    call: Option<QuotedCall>,
    /// The resource to read the whole session.
    resource: String,
}

pub fn why(desk: &Arc<Desk>, asked: Asked) -> Result<Told, Refusal> {
    let index = desk.ready(Need::Records)?;
    let ledger = desk.ledger()?;
    let printed = blame_line(&ledger, &asked.file, asked.line, asked.revision.as_deref())?;
    let blame = printed.parse();
    let Some(line) = blame.lines.first() else {
        return Err(Refusal::new("there is no such line", "look at the file for how many lines it has"));
    };
    let traced = line.source.as_ref().map(|source| desk.local.trace(&ledger, source)).transpose()?;
    let text = String::from_utf8_lossy(line.text).into_owned();
    let mut told = Told::of(&asked, text, commit(&blame, line), traced, index);
    told.quote(desk)?;
    Ok(told)
}

/// Where a line comes from, as git tells it.
pub fn blame_line(ledger: &Ledger, file: &str, line: u32, revision: Option<&str>) -> Result<blame::Printed, Refusal> {
    let bare = ledger.repo.work_tree().is_none();
    let revision = revision.or(bare.then_some("HEAD"));
    // What comes from outside goes to git as a commit's name or behind `--`, never as an option.
    let revision = revision.map(|name| history::resolve(&ledger.repo, name)).transpose()?;
    let asked = blame::Asked {
        options: vec![format!("-L{line},{line}").into()],
        revisions: revision.iter().map(|commit| commit.as_str().into()).collect(),
        file: file.into(),
        within: Some(PATIENCE),
        ..blame::Asked::default()
    };
    Ok(blame::blame(&ledger.repo.home(), asked, false)?)
}

fn commit(blame: &Blame<'_>, line: &Line<'_>) -> Option<Commit> {
    let source = line.source.as_ref()?;
    let told = blame.commits.get(&source.commit).cloned().unwrap_or_default();
    Some(Commit {
        commit: source.commit.to_string(),
        author: told.author,
        time: Time::from_unix(told.time).to_string(),
        subject: told.subject,
        path: source.path.to_string(),
        line: source.line,
        resource: commit_uri(source.commit.as_str()),
    })
}

impl Told {
    fn of(asked: &Asked, text: String, commit: Option<Commit>, traced: Option<Traced>, index: Complete) -> Self {
        let traced = traced.as_ref();
        Told {
            file: asked.file.clone(),
            line: asked.line,
            text,
            origin: traced.and_then(|traced| traced.origin).unwrap_or("unknown").to_owned(),
            evidence: traced.map_or_else(|| "none".to_owned(), |traced| traced.evidence.clone()),
            record: traced.and_then(|traced| traced.record).map(|record| record.to_string()),
            pending: traced.is_some_and(|traced| traced.pending),
            commit,
            session: traced.and_then(|traced| traced.session.as_ref()).map(ToString::to_string),
            call: traced.and_then(|traced| traced.call.as_ref()).map(ToString::to_string),
            model: traced.and_then(|traced| traced.model.clone()),
            quoted: None,
            missing: Vec::new(),
            index,
        }
    }

    /// Quotes what was said around the call that wrote the line.
    fn quote(&mut self, desk: &Desk) -> Result<(), Refusal> {
        let (Some(session), Some(call)) = (&self.session, &self.call) else { return Ok(()) };
        let (session, call) = (SessionId::from_agent(session), CallId::from_agent(call));
        let writer = desk.writer(self.record.as_deref())?;
        let (spoken, shelves) = desk.open_session(&session, writer.as_ref())?;
        let (called, missing) = shelves.call(&spoken, &call)?;
        self.missing = missing;
        match called {
            Some(called) => self.quoted = place(&called, session.as_str(), &self.text),
            None if self.missing.is_empty() => {
                self.missing.push(format!("the session's transcript does not show the call {call}"));
            }
            None => {}
        }
        Ok(())
    }
}

fn place(called: &Called, session: &str, line: &str) -> Option<Place> {
    let (turn, before) = called.turns.split_last()?;
    let steps = &turn.turn.steps;
    let led = steps.get(led_by(steps, called.step)..called.step).unwrap_or_default();
    let call = steps.get(called.step).and_then(|step| match step {
        Step::Call(call) => {
            Some(QuotedCall::of(&Call { diffs: focused(&call.diffs, line, DIFF_LINES), ..call.clone() }))
        }
        _ => None,
    });
    Some(Place {
        before: before.iter().map(|told| Quoted::of(told, [])).collect(),
        // Calls made at once are others' business.
        turn: Quoted::of(turn, led.iter().filter(|step| !matches!(step, Step::Call(_)))),
        call,
        resource: format!("{}?call={}", session_uri(session), called_id(steps, called.step)?),
    })
}

fn called_id(steps: &[Step], at: usize) -> Option<String> {
    match steps.get(at)? {
        Step::Call(call) => Some(call.id.to_string()),
        _ => None,
    }
}
