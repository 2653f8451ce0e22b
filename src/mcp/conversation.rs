//! Turns of a conversation as answers quote them.

use rmcp::schemars::JsonSchema;
use serde::Serialize;

use crate::id::CallId;
use crate::mcp::outgoing::MAX_TEXT;
use crate::mirror::Told;
use crate::session::entry::Outcome;
use crate::session::turns::{Call, Step, Turn};
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
    /// Which of its steps comes first here, counted from 0.
    pub first_step: usize,
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
            first_step: 0,
            steps: steps.into_iter().map(QuotedStep::of).collect(),
        }
    }
}

/// Where in a session something stands: the turn and its step, both counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub turn: usize,
    pub step: usize,
}

/// Turns as far as there is room for their steps, beginning with a step of the first, and where what is left out begins. One step is
/// quoted in any case.
pub fn window(turns: &[Told], first_step: usize, room: usize) -> (Vec<Quoted>, Option<Place>) {
    let (mut quoted, mut used, mut from) = (Vec::new(), 0, first_step);
    for told in turns {
        let steps = told.turn.steps.get(from..).unwrap_or_default();
        used += told.turn.asked.as_ref().map_or(0, |asked| shown(&asked.text));
        let fits = |step: &&Step| {
            used += size(step);
            used <= room
        };
        let least = usize::from(quoted.is_empty());
        let count = steps.iter().take_while(fits).count().max(least).min(steps.len());
        if count == 0 && !steps.is_empty() {
            return (quoted, Some(Place { turn: told.place, step: from }));
        }
        quoted.push(Quoted { first_step: from, ..Quoted::of(told, &steps[..count]) });
        if count < steps.len() {
            return (quoted, Some(Place { turn: told.place, step: from + count }));
        }
        from = 0;
    }
    (quoted, None)
}

/// How much of a text is shown, about.
fn shown(text: &str) -> usize {
    text.len().min(MAX_TEXT)
}

/// How much room a step takes, about: with what stands around it.
fn size(step: &Step) -> usize {
    const AROUND: usize = 100;
    AROUND
        + match step {
            Step::Reasoning(text) | Step::Plan(text) | Step::Text(text) => shown(text),
            Step::Summary(text) | Step::Note(text) | Step::Missing(text) => shown(text),
            Step::Call(call) => {
                let diffs = call.diffs.iter().map(|diff| AROUND + shown(&diff.hunks));
                AROUND + shown(&call.input) + shown(&call.result) + diffs.sum::<usize>()
            }
        }
}

/// The step of a turn to begin with, so that a call is seen and what led to it.
pub fn first_step(turn: &Turn, call: &CallId, room: usize) -> usize {
    let is_it = |step: &Step| matches!(step, Step::Call(known) if known.id == *call);
    let Some(at) = turn.steps.iter().position(is_it) else { return 0 };
    let mut used = 0;
    let before = turn.steps[..=at].iter().rev().take_while(|step| {
        used += size(step);
        used <= room
    });
    at - before.count().saturating_sub(1)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(place: usize, steps: usize, long: usize) -> Told {
        let steps = (0..steps).map(|n| Step::Text(format!("{n} {}", "x".repeat(long)))).collect();
        Told { source: "main".into(), number: place + 1, place, turn: Turn { steps, ..Turn::default() } }
    }

    fn at(turn: usize, step: usize) -> Option<Place> {
        Some(Place { turn, step })
    }

    #[test]
    fn a_long_turn_is_told_in_pieces_and_nothing_is_left_out_between_them() {
        let turns = [told(0, 3, 10), told(1, 50, 1_000), told(2, 0, 0), told(3, 1, 10)];
        let (mut steps, mut from, mut rounds) = (0, Place { turn: 0, step: 0 }, 0);
        loop {
            let (quoted, next) = window(&turns[from.turn..], from.step, 5_000);
            assert!(quoted[0].first_step == from.step && !quoted.is_empty());
            steps += quoted.iter().map(|turn| turn.steps.len()).sum::<usize>();
            rounds += 1;
            match next {
                Some(next) => from = next,
                None => break,
            }
        }
        assert_eq!((steps, rounds), (54, 13));
        assert_eq!(window(&turns[1..2], 0, 0).1, at(1, 1), "one step in any case");
        assert_eq!(window(&turns[3..], 9, 5_000).1, None);
    }

    #[test]
    fn a_call_is_seen_however_long_its_turn_is() {
        let mut turn = told(0, 50, 1_000).turn;
        let (id, text) = (CallId::from_agent("c"), String::new);
        let call = Call { id, tool: text(), input: text(), outcome: None, result: text(), diffs: Vec::new() };
        turn.steps.push(Step::Call(call.clone()));
        assert_eq!(first_step(&turn, &call.id, 100_000), 0);
        assert_eq!(first_step(&turn, &call.id, 5_000), 46, "four steps before it");
        assert_eq!(first_step(&turn, &call.id, 0), 50);
        assert_eq!(first_step(&turn, &CallId::from_agent("d"), 5_000), 0);
    }
}
