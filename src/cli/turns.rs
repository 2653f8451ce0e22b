//! How turns of a session look, as JSON and for eyes.

use serde::Serialize;

use crate::cli::format::{count, minute, one_line};
use crate::host::output::{self, Out};
use crate::id::CallId;
use crate::session::entry::Outcome;
use crate::session::turns::{Asked, Call, ENCRYPTED, FileDiff, Step, Turn};
use crate::time::Time;

/// So many lines of a result are shown.
const RESULT_LINES: usize = 12;

/// A turn as JSON has it.
#[derive(Serialize)]
pub struct TurnLine<'a> {
    kind: &'static str,
    /// `main`, or the subagent's id.
    source: &'a str,
    number: usize,
    time: Option<Time>,
    prompt: Option<PromptLine<'a>>,
    steps: Vec<StepLine<'a>>,
    /// Steps beyond the most that are shown.
    omitted: usize,
}

#[derive(Serialize)]
struct PromptLine<'a> {
    text: &'a str,
    human: bool,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum StepLine<'a> {
    Reasoning {
        text: &'a str,
    },
    Plan {
        text: &'a str,
    },
    Text {
        text: &'a str,
    },
    Summary {
        text: &'a str,
    },
    Note {
        text: &'a str,
    },
    Missing {
        text: &'a str,
    },
    Call {
        call: &'a CallId,
        tool: &'a str,
        input: &'a str,
        outcome: Option<Outcome>,
        result: &'a str,
        diffs: Vec<DiffLine<'a>>,
    },
}

/// A change of a file as JSON has it.
#[derive(Serialize)]
pub struct DiffLine<'a> {
    pub path: &'a str,
    pub hunks: &'a str,
}

impl<'a> TurnLine<'a> {
    pub fn of(source: &'a str, number: usize, turn: &'a Turn) -> Self {
        TurnLine {
            kind: "turn",
            source,
            number,
            time: turn.time(),
            prompt: turn.asked.as_ref().map(|Asked { text, human }| PromptLine { text, human: *human }),
            steps: turn.steps.iter().map(StepLine::of).collect(),
            omitted: turn.omitted,
        }
    }
}

impl<'a> DiffLine<'a> {
    pub fn all(diffs: &'a [FileDiff]) -> Vec<Self> {
        diffs.iter().map(|diff| DiffLine { path: &diff.path, hunks: &diff.hunks }).collect()
    }
}

impl<'a> StepLine<'a> {
    fn of(step: &'a Step) -> Self {
        match step {
            Step::Reasoning(text) => StepLine::Reasoning { text },
            Step::Plan(text) => StepLine::Plan { text },
            Step::Text(text) => StepLine::Text { text },
            Step::Summary(text) => StepLine::Summary { text },
            Step::Note(text) => StepLine::Note { text },
            Step::Missing(text) => StepLine::Missing { text },
            Step::Call(Call { id, tool, input, outcome, result, diffs }) => {
                StepLine::Call { call: id, tool, input, outcome: *outcome, result, diffs: DiffLine::all(diffs) }
            }
        }
    }
}

/// What a turn begins with: a rule, and what was asked.
pub fn head(out: &mut Out, source: &str, number: usize, turn: &Turn) -> std::io::Result<()> {
    let who = if source == "main" { String::new() } else { format!("subagent {}  ", one_line(source)) };
    let time = turn.time().map(minute).unwrap_or_default();
    out.line("")?;
    out.line(out.paint(output::HEAD, format!("── {who}turn {number}  {time}").trim_end()))?;
    turn.asked.as_ref().map_or(Ok(()), |asked| prompt(out, asked))
}

/// What was asked.
pub fn prompt(out: &mut Out, asked: &Asked) -> std::io::Result<()> {
    block(out, if asked.human { output::HUMAN } else { output::DIM }, "> ", &asked.text)
}

/// How many further steps there are.
pub fn more(out: &mut Out, steps: usize) -> std::io::Result<()> {
    match steps {
        0 => Ok(()),
        _ => out.line(out.paint(output::DIM, format!("… {} more", count(steps as u64, "step")))),
    }
}

/// A step.
pub fn step(out: &mut Out, step: &Step) -> std::io::Result<()> {
    match step {
        Step::Reasoning(text) => block(out, output::DIM, "~ ", text),
        Step::Plan(text) => block(out, output::HEAD, "plan: ", text),
        Step::Text(text) => block(out, anstyle::Style::new(), "", text),
        Step::Summary(text) => block(out, output::DIM, "summary: ", text),
        Step::Note(text) => block(out, output::WARN, "! ", text),
        Step::Missing(text) => missing(out, text),
        Step::Call(known) => call(out, known),
    }
}

/// What cannot be read, and what to type.
pub fn missing(out: &mut Out, text: &str) -> std::io::Result<()> {
    match text {
        // There is nothing that could be fetched.
        ENCRYPTED => block(out, output::WARN, "", text),
        _ => block(out, output::BAD, "missing: ", &format!("{text} (git tracevault fetch)")),
    }
}

/// The same of a story, which says whose it is, and also what no fetching brings.
pub fn lacking(out: &mut Out, text: &str) -> std::io::Result<()> {
    match text.ends_with("is not here") {
        true => missing(out, text),
        false => block(out, output::WARN, "missing: ", text),
    }
}

/// A text in a style, its first line marked and the others in line with it.
pub fn block(out: &mut Out, style: anstyle::Style, mark: &str, text: &str) -> std::io::Result<()> {
    let space = " ".repeat(mark.len());
    for (at, text) in output::visible(text.trim_end()).lines().enumerate() {
        let mark = if at == 0 { mark } else { &space };
        out.line(out.paint(style, format!("{mark}{text}")))?;
    }
    Ok(())
}

fn call(out: &mut Out, call: &Call) -> std::io::Result<()> {
    let (word, style) = match call.outcome {
        Some(Outcome::Ok) => ("ok", output::GOOD),
        Some(Outcome::Failed) => ("failed", output::BAD),
        Some(Outcome::Denied) => ("denied", output::BAD),
        Some(Outcome::Rejected) => ("rejected", output::BAD),
        Some(Outcome::Interrupted) => ("interrupted", output::WARN),
        None => ("no result", output::WARN),
    };
    let tool = if call.tool.is_empty() { call.id.as_str() } else { &call.tool };
    let input = output::visible(&call.input).replace('\n', "\n    ");
    out.line(format_args!("* {} {input}  {}", out.paint(output::AGENT, one_line(tool)), out.paint(style, word)))?;
    for diff in &call.diffs {
        // The call mostly names the file already.
        self::diff(out, if diff.path == call.input { "" } else { &diff.path }, &diff.hunks)?;
    }
    if call.diffs.is_empty() || call.outcome != Some(Outcome::Ok) {
        let result = output::visible(&call.result);
        for text in result.lines().take(RESULT_LINES) {
            out.line(out.paint(output::DIM, format!("    {text}")))?;
        }
        let more = result.lines().count().saturating_sub(RESULT_LINES);
        if more > 0 {
            out.line(out.paint(output::DIM, format!("    … {} more", count(more as u64, "line"))))?;
        }
    }
    Ok(())
}

/// A change of a file; without a path where its call names it.
pub fn diff(out: &mut Out, path: &str, hunks: &str) -> std::io::Result<()> {
    if !path.is_empty() {
        out.line(format_args!("    {}", out.paint(output::HEAD, one_line(path))))?;
    }
    for text in output::visible(hunks).lines() {
        let style = match text.as_bytes().first() {
            Some(b'+') => output::GOOD,
            Some(b'-') => anstyle::AnsiColor::Red.on_default(),
            Some(b'@') => output::DIM,
            _ => anstyle::Style::new(),
        };
        out.line(format_args!("    {}", out.paint(style, text)))?;
    }
    Ok(())
}
