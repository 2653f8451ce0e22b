//! A turn condensed: what was asked, the sentences that tell of choices, failures and plans, and the calls that matter.

use std::collections::{BTreeSet, HashSet};

use crate::id::CallId;
use crate::session::entry::Outcome;
use crate::session::turns::{Asked, Call, FileDiff, Step, Turn, shortened_to};
use crate::story::sentences::{Mark, marks, name, sentences};
use crate::story::words::words;
use crate::story::{Said, TurnId};
use crate::time::Time;

/// What is kept of a turn at most: bytes of the prompt and of a result, sentences, calls.
const MAX_PROMPT: usize = 4 << 10;
const MAX_RESULT: usize = 1 << 10;
const MAX_REMARKS: usize = 200;
const MAX_DEEDS: usize = 400;
/// So many sentences before a call are what led to it, whatever they tell of.
const LEADING: usize = 3;

/// A turn, as far as a story can be told from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    pub turn: TurnId,
    /// By what the turn is known, whatever stands before it and is missing one day.
    pub key: Option<String>,
    pub time: Option<Time>,
    /// Something is missing in it, or before it in the same conversation.
    pub gap: bool,
    pub asked: Option<Asked>,
    pub remarks: Vec<Remark>,
    pub deeds: Vec<Deed>,
    /// The words of all that was said in it.
    pub(super) words: BTreeSet<String>,
}

/// A sentence that somebody said.
#[derive(Debug, Clone, PartialEq)]
pub struct Remark {
    pub said: Said,
    /// Which step of the turn it is from; the prompt is before the first.
    pub step: usize,
    pub text: String,
    pub marks: Vec<Mark>,
    /// It stands directly before a call that was asked for.
    pub leads: bool,
}

/// A call that changed something, was asked for, or says whether something works.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    pub call: CallId,
    pub tool: String,
    pub step: usize,
    /// When it was made, in milliseconds since 1970.
    pub at: Option<i64>,
    pub input: String,
    pub outcome: Option<Outcome>,
    pub result: String,
    /// What it changed, as far as the transcript tells.
    pub diffs: Vec<FileDiff>,
    /// It is one of those that were asked for.
    pub wanted: bool,
}

impl Deed {
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Failed | Outcome::Denied | Outcome::Rejected))
    }

    /// Whether it has to do with a file, named as git does.
    pub fn touches(&self, file: &str) -> bool {
        let ends = |path: &str| path == file || path.strip_suffix(file).is_some_and(|head| head.ends_with(['/', '\\']));
        self.diffs.iter().any(|diff| ends(&diff.path)) || self.input.split_whitespace().any(ends)
    }
}

impl Scene {
    /// What a turn has to tell; `wanted` are the calls that the story is about.
    pub fn of(turn: TurnId, told: &Turn, wanted: &HashSet<CallId>) -> Scene {
        let asked = told.asked.as_ref().map(|asked| Asked { text: shortened_to(&asked.text, MAX_PROMPT), ..*asked });
        let key = told.id.clone().or_else(|| told.at.map(|at| format!("at-{at}")));
        let (remarks, deeds, words) = Default::default();
        let mut scene = Scene { turn, key, time: told.time(), gap: false, asked, remarks, deeds, words };
        let prompt = scene.asked.as_ref().map(|asked| asked.text.clone()).unwrap_or_default();
        scene.hear(Said::Prompt, 0, &prompt, false);
        for (step, what) in told.steps.iter().enumerate() {
            match what {
                Step::Reasoning(text) => scene.hear(Said::Reasoning, step, text, leads(&told.steps, step, wanted)),
                Step::Text(text) => scene.hear(Said::Answer, step, text, leads(&told.steps, step, wanted)),
                Step::Plan(text) => scene.hear(Said::Plan, step, text, false),
                Step::Call(call) => {
                    scene.see(step, told.times.get(step).copied().flatten(), call, wanted.contains(&call.id));
                }
                // A summary repeats what is told where it was said; notes are the program's.
                Step::Summary(_) | Step::Note(_) | Step::Missing(_) => {}
            }
        }
        scene
    }

    /// Whether one of the calls that were asked for was made here.
    pub fn wrote(&self) -> bool {
        self.deeds.iter().any(|deed| deed.wanted)
    }

    fn hear(&mut self, said: Said, step: usize, text: &str, leads: bool) {
        self.words.extend(words(text));
        let sentences = sentences(text);
        let from = if leads { sentences.len().saturating_sub(LEADING) } else { sentences.len() };
        for (at, text) in sentences.into_iter().enumerate() {
            let (marks, leads) = (marks(&text), at >= from);
            let tells = !marks.is_empty() || leads || said == Said::Plan;
            if tells && self.remarks.len() < MAX_REMARKS {
                self.remarks.push(Remark { said, step, text, marks, leads });
            }
        }
    }

    fn see(&mut self, step: usize, at: Option<i64>, call: &Call, wanted: bool) {
        self.words.extend(words(&call.input));
        let deed = Deed {
            call: call.id.clone(),
            tool: name(&call.tool),
            step,
            at,
            input: shortened_to(&call.input, MAX_RESULT),
            outcome: call.outcome,
            result: shortened_to(&call.result, MAX_RESULT),
            diffs: call
                .diffs
                .iter()
                .map(|diff| FileDiff { hunks: shortened_to(&diff.hunks, MAX_RESULT), ..diff.clone() })
                .collect(),
            wanted,
        };
        let tells = wanted || deed.failed() || !deed.diffs.is_empty() || is_check(&deed.input);
        if tells && (wanted || self.deeds.len() < MAX_DEEDS) {
            self.deeds.push(deed);
        }
    }
}

/// Whether a command looks whether something works.
pub fn is_check(input: &str) -> bool {
    let checks =
        ["test", "check", "clippy", "lint", "build", "pytest", "jest", "vitest", "tsc", "mypy", "verify", "make"];
    input.split(|c: char| !c.is_alphanumeric()).any(|word| checks.contains(&word))
}

/// Whether the calls after this step, before anything else is said or done, have one that was asked for.
fn leads(steps: &[Step], step: usize, wanted: &HashSet<CallId>) -> bool {
    let mut calls = false;
    for next in &steps[step + 1..] {
        match next {
            Step::Call(call) if wanted.contains(&call.id) => return true,
            Step::Call(_) => calls = true,
            // What is thought and said before a call stands together.
            _ if calls => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;

    fn call(id: &str, input: &str, outcome: Outcome) -> Step {
        Step::Call(Call {
            id: CallId::from_agent(id),
            tool: "Bash".into(),
            input: input.into(),
            outcome: Some(outcome),
            result: "no".into(),
            diffs: Vec::new(),
        })
    }

    #[test]
    fn a_turn_is_condensed_to_what_tells() {
        let steps = vec![
            Step::Reasoning("It is late. We could poll instead of waiting.".into()),
            call("1", "ls", Outcome::Ok),
            Step::Text("Now the file.".into()),
            call("2", "cargo test", Outcome::Failed),
            call("3", "write /w/src/a.rs", Outcome::Ok),
            Step::Plan("1. First\n2. Second".into()),
            Step::Text("Done.".into()),
        ];
        let told = Turn {
            at: Some(1_000),
            asked: Some(Asked { text: "Do it.".into(), human: true }),
            steps,
            ..Turn::default()
        };
        let turn = TurnId { session: SessionId::from_agent("s"), source: "main".into(), number: 1 };
        let scene = Scene::of(turn, &told, &HashSet::from([CallId::from_agent("3")]));
        let remarks: Vec<_> = scene.remarks.iter().map(|remark| (remark.said, &*remark.text, remark.leads)).collect();
        assert_eq!(
            remarks,
            [
                (Said::Reasoning, "We could poll instead of waiting.", false),
                (Said::Answer, "Now the file.", true),
                (Said::Plan, "First", false),
                (Said::Plan, "Second", false),
            ]
        );
        let deeds: Vec<_> = scene.deeds.iter().map(|deed| (deed.call.as_str(), deed.failed(), deed.wanted)).collect();
        assert_eq!(deeds, [("2", true, false), ("3", false, true)]);
        assert!(scene.wrote() && scene.deeds[1].touches("src/a.rs") && !scene.deeds[1].touches("c/a.rs"));
    }
}
