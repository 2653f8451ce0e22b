//! Turns of a conversation as answers quote them.

use rmcp::schemars::JsonSchema;
use serde::Serialize;

use crate::mirror::Told;
use crate::session::entry::Outcome;
use crate::session::turns::{Call, Step};
use crate::time::Time;

/// A prompt and what followed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Quoted {
    /// `main`, or the subagent's id.
    pub source: String,
    /// Which turn of it, counted from 1.
    pub turn: usize,
    pub time: Option<String>,
    /// What was asked, and whether a person asked it.
    pub prompt: Option<String>,
    pub by_person: bool,
    pub steps: Vec<QuotedStep>,
}

/// A step of a turn.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct QuotedStep {
    /// reasoning, plan, text, call, summary, note or missing.
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<QuotedCall>,
}

/// A tool call.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct QuotedCall {
    pub id: String,
    pub tool: String,
    pub input: String,
    /// ok, failed, denied, rejected, interrupted, or unknown.
    pub outcome: &'static str,
    pub result: String,
    /// What it changed, as hunks of unified diffs.
    pub diffs: Vec<QuotedDiff>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct QuotedDiff {
    pub path: String,
    pub hunks: String,
}

impl Quoted {
    /// A turn with some of its steps.
    pub fn of<'s>(told: &Told, steps: impl IntoIterator<Item = &'s Step>) -> Self {
        let asked = told.turn.asked.as_ref();
        Quoted {
            source: told.source.clone(),
            turn: told.number,
            time: told.turn.time().map(|time: Time| time.to_string()),
            prompt: asked.map(|asked| asked.text.clone()),
            by_person: asked.is_some_and(|asked| asked.human),
            steps: steps.into_iter().map(QuotedStep::of).collect(),
        }
    }
}

impl QuotedStep {
    fn of(step: &Step) -> Self {
        let (kind, text) = match step {
            Step::Reasoning(text) => ("reasoning", text),
            Step::Plan(text) => ("plan", text),
            Step::Text(text) => ("text", text),
            Step::Summary(text) => ("summary", text),
            Step::Note(text) => ("note", text),
            Step::Missing(text) => ("missing", text),
            Step::Call(call) => return QuotedStep { kind: "call", text: None, call: Some(QuotedCall::of(call)) },
        };
        QuotedStep { kind, text: Some(text.clone()), call: None }
    }
}

impl QuotedCall {
    pub fn of(call: &Call) -> Self {
        let diff =
            |diff: &crate::session::turns::FileDiff| QuotedDiff { path: diff.path.clone(), hunks: diff.hunks.clone() };
        QuotedCall {
            id: call.id.to_string(),
            tool: call.tool.clone(),
            input: call.input.clone(),
            outcome: match call.outcome {
                Some(Outcome::Ok) => "ok",
                Some(Outcome::Failed) => "failed",
                Some(Outcome::Denied) => "denied",
                Some(Outcome::Rejected) => "rejected",
                Some(Outcome::Interrupted) => "interrupted",
                None => "unknown",
            },
            result: call.result.clone(),
            diffs: call.diffs.iter().map(diff).collect(),
        }
    }
}
