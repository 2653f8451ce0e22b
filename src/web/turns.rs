//! A turn on a page: what was asked, and each step after it; what is long is folded, never left out in silence.

use askama::Template;

use crate::id::CallId;
use crate::mirror::Told;
use crate::session::entry::Outcome;
use crate::session::turns::{FileDiff, Step};
use crate::web::show::{self, visible};

/// Of one text so much is shown, in bytes: a page stays small.
const MOST: usize = 6 << 10;

/// A turn as the page has it.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/turn.html")]
pub struct TurnBlock {
    pub id: String,
    pub title: String,
    pub time: Option<String>,
    pub asked: Option<String>,
    /// Who asked: a person, or another agent.
    pub by: &'static str,
    pub steps: Vec<StepView>,
    pub omitted: usize,
}

/// A step of it.
#[derive(Debug, Clone, Default)]
pub struct StepView {
    /// `reasoning`, `plan`, `text`, `call`, `summary`, `note`, `missing`.
    pub kind: &'static str,
    pub label: String,
    pub text: String,
    /// How a call ended, if that is known.
    pub outcome: &'static str,
    pub anchor: Option<String>,
    /// Whether it is the call that was asked for.
    pub here: bool,
    pub result: String,
    pub diffs: Vec<DiffView>,
}

/// A file's diff, line by line.
#[derive(Debug, Clone)]
pub struct DiffView {
    pub path: String,
    /// `add`, `del`, `at` or nothing, and the line.
    pub lines: Vec<(&'static str, String)>,
}

impl TurnBlock {
    /// The turn, and in it the call that was asked for, if one was.
    pub fn of(told: &Told, call: Option<&CallId>) -> Self {
        let Told { source, number, turn, .. } = told;
        let whose = if source == "main" { String::new() } else { format!("Subagent {}, ", visible(source)) };
        TurnBlock {
            id: format!("t{}", told.place),
            title: format!("{whose}turn {number}"),
            time: turn.time().map(|time| show::time(time.unix())),
            asked: turn.asked.as_ref().map(|asked| cut(&asked.text)),
            by: match &turn.asked {
                Some(asked) if !asked.human => "another agent asked",
                _ => "asked",
            },
            steps: turn.steps.iter().map(|step| StepView::of(step, call)).collect(),
            omitted: turn.omitted,
        }
    }
}

impl StepView {
    fn of(step: &Step, asked: Option<&CallId>) -> Self {
        let plain = |kind, label: &str, text: &str| StepView {
            kind,
            label: label.to_owned(),
            text: cut(text),
            ..StepView::default()
        };
        match step {
            Step::Reasoning(text) => plain("reasoning", "Reasoning", text),
            Step::Plan(text) => plain("plan", "Plan", text),
            Step::Text(text) => plain("text", "Answer", text),
            Step::Summary(text) => plain("summary", "Summary in place of what was said before", text),
            Step::Note(text) => plain("note", "Note", text),
            Step::Missing(text) => plain("missing", "Missing", text),
            Step::Call(call) => StepView {
                kind: "call",
                label: if call.tool.is_empty() { "Result of a call".to_owned() } else { visible(&call.tool) },
                text: cut(&call.input),
                outcome: match call.outcome {
                    Some(Outcome::Ok) => "succeeded",
                    Some(Outcome::Failed) => "failed",
                    Some(Outcome::Denied) => "denied",
                    Some(Outcome::Rejected) => "rejected",
                    Some(Outcome::Interrupted) => "interrupted",
                    None => "",
                },
                anchor: Some(anchor(call.id.as_str())),
                here: asked == Some(&call.id),
                result: cut(&call.result),
                diffs: call.diffs.iter().map(DiffView::of).collect(),
            },
        }
    }
}

impl DiffView {
    fn of(diff: &FileDiff) -> Self {
        let look = |line: &str| match line.as_bytes().first() {
            Some(b'+') => "add",
            Some(b'-') => "del",
            Some(b'@') => "at",
            _ => "",
        };
        let lines = cut(&diff.hunks).lines().map(|line| (look(line), line.to_owned())).collect();
        DiffView { path: visible(&diff.path), lines }
    }
}

/// The name that links lead to for a call.
pub fn anchor(call: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("c-{}", call.chars().map(plain).collect::<String>())
}

fn cut(text: &str) -> String {
    if text.len() <= MOST {
        return visible(text);
    }
    let end = text.floor_char_boundary(MOST);
    format!("{}\n… {} more characters", visible(&text[..end]), show::count(text[end..].chars().count() as i64))
}
