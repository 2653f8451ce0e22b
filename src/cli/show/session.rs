//! Showing a session: what it used and changed, then turn by turn what was asked, thought, said and done.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::cli::format::{count, minute, money, one_line, span, usd};
use crate::cli::pager::paged;
use crate::cli::table::{COLUMN, Cell, Column, Table};
use crate::host::output::{self, Out};
use crate::id::{CallId, ChainId, GitId, RecordId, SessionId};
use crate::ledger::Ledger;
use crate::ledger::query::{Book, Segment};
use crate::ledger::read_back::{Source, shell_diffs};
use crate::ledger::summary::Summary;
use crate::session::entry::Outcome;
use crate::session::event::GapKind;
use crate::session::turns::{Asked, Call, FileDiff, Step, Turn};
use crate::time::Time;

/// So many lines of a result are shown.
const RESULT_LINES: usize = 12;

#[derive(Serialize)]
struct Facts<'a> {
    kind: &'static str,
    session: &'a SessionId,
    #[serde(flatten)]
    summary: &'a Summary,
    models: Vec<ModelLine<'a>>,
    cost_usd: Option<Box<RawValue>>,
    segments: Vec<SegmentLine>,
    /// Records of the session that do not hold; nothing of them is in the rest.
    bad_records: Vec<RecordId>,
    commits: Vec<&'a GitId>,
}

#[derive(Serialize)]
struct ModelLine<'a> {
    model: &'a str,
    requests: u64,
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write_5m: u64,
    cache_write_1h: u64,
    cost_usd: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct SegmentLine {
    record: RecordId,
    chain: ChainId,
    seq: u64,
    time: Time,
}

#[derive(Serialize)]
struct TurnLine<'a> {
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

#[derive(Serialize)]
struct DiffLine<'a> {
    path: &'a str,
    hunks: &'a str,
}

/// Diffs whose calls no transcript shows, and what could not be read of them.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum RestLine<'a> {
    Edits { call: &'a CallId, diffs: Vec<DiffLine<'a>> },
    Missing { text: &'a str },
}

impl<'a> DiffLine<'a> {
    fn all(diffs: &'a [FileDiff]) -> Vec<Self> {
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

pub fn show(id: &SessionId, ledger: &Ledger, book: &Book<'_>, json: bool, out: &mut Out) -> anyhow::Result<()> {
    let segments = book.segments(id);
    let bad: Vec<RecordId> = book.bad_segments(id).iter().map(|entry| entry.id).collect();
    let Some(summary) = Summary::of(book, segments) else {
        anyhow::bail!(
            "no record of session {id} holds: {} (git tracevault verify)",
            count(bad.len() as u64, "bad record")
        );
    };
    let facts = facts(id, &summary, segments, bad, book);
    if json {
        out.json(&facts)?;
        return conversation(ledger, book, segments, &mut Json(out));
    }
    paged(ledger, out, |out| {
        print_facts(&facts, out)?;
        conversation(ledger, book, segments, &mut Text(out))
    })
}

fn facts<'a>(
    id: &'a SessionId,
    summary: &'a Summary,
    segments: &[Segment<'_>],
    bad_records: Vec<RecordId>,
    book: &Book<'a>,
) -> Facts<'a> {
    let model = |model: &'a crate::ledger::summary::Model| ModelLine {
        model: &model.name,
        requests: model.requests,
        input: model.input,
        output: model.output,
        cache_read: model.cache_read,
        cache_write_5m: model.cache_write_5m,
        cache_write_1h: model.cache_write_1h,
        cost_usd: usd(model.cost),
    };
    let segment = |Segment { entry, .. }: &Segment<'_>| SegmentLine {
        record: entry.id,
        chain: entry.chain,
        seq: entry.seq,
        time: entry.time,
    };
    Facts {
        kind: "session",
        session: id,
        summary,
        models: summary.models.iter().map(model).collect(),
        cost_usd: usd(summary.cost),
        segments: segments.iter().map(segment).collect(),
        bad_records,
        commits: book.commits_of(id),
    }
}

/// Where a conversation goes as it is read.
trait Reader {
    fn turn(&mut self, source: &str, number: usize, turn: &Turn) -> std::io::Result<()>;
    fn rest(&mut self, rest: &RestLine<'_>) -> std::io::Result<()>;
}

/// Reads the session's conversations; memory holds a turn.
fn conversation(
    ledger: &Ledger,
    book: &Book<'_>,
    segments: &[Segment<'_>],
    reader: &mut impl Reader,
) -> anyhow::Result<()> {
    let store = &book.report.payloads;
    let (mut shells, missing) = shell_diffs(&ledger.repo, store, segments);
    for source in Source::all(segments) {
        for (at, mut turn) in source.turns(&ledger.repo, store).enumerate() {
            add_diffs(&mut turn, &mut shells);
            reader.turn(source.name, at + 1, &turn)?;
        }
    }
    let mut rest: Vec<_> = shells.into_iter().collect();
    rest.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
    for (call, diffs) in &rest {
        reader.rest(&RestLine::Edits { call, diffs: DiffLine::all(diffs) })?;
    }
    for text in &missing {
        reader.rest(&RestLine::Missing { text })?;
    }
    Ok(())
}

/// What a shell changed stands with its call.
fn add_diffs(turn: &mut Turn, shells: &mut HashMap<CallId, Vec<FileDiff>>) {
    for step in &mut turn.steps {
        if let Step::Call(call) = step
            && let Some(diffs) = shells.remove(&call.id)
        {
            call.diffs.extend(diffs);
        }
    }
}

struct Json<'o>(&'o mut Out);

impl Reader for Json<'_> {
    fn turn(&mut self, source: &str, number: usize, turn: &Turn) -> std::io::Result<()> {
        let prompt = turn.asked.as_ref().map(|Asked { text, human }| PromptLine { text, human: *human });
        self.0.json(&TurnLine {
            kind: "turn",
            source,
            number,
            time: time(turn),
            prompt,
            steps: turn.steps.iter().map(StepLine::of).collect(),
            omitted: turn.omitted,
        })
    }

    fn rest(&mut self, rest: &RestLine<'_>) -> std::io::Result<()> {
        self.0.json(rest)
    }
}

fn time(turn: &Turn) -> Option<Time> {
    turn.at.map(|at| Time::from_unix(at.div_euclid(1000)))
}

fn print_facts(facts: &Facts<'_>, out: &mut Out) -> std::io::Result<()> {
    let Summary { agent, version, started, ended, active_seconds, .. } = facts.summary;
    let who = format!("{} {}", one_line(agent), one_line(version));
    out.line(format_args!("session {}  {}", out.paint(output::AGENT, facts.session), who.trim_end()))?;
    let (from, to) = (minute(*started), minute(*ended));
    let to = if from[..10] == to[..10] { &to[11..] } else { &to };
    out.line(format_args!("time    {from} to {to} UTC, {} active", span(*active_seconds)))?;
    let summary = facts.summary;
    let asked = [(summary.prompts, "prompt"), (summary.turns, "turn"), (summary.plans, "plan")];
    let more = [(summary.subagents, "subagent"), (summary.compactions, "compaction")];
    let asked = asked.into_iter().chain(more).filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what));
    line(out, "asked", asked.collect::<Vec<_>>().join(", "))?;
    line(out, "cost", money(summary.cost))?;
    for model in &summary.models {
        let requests = count(model.requests, "request");
        let cached =
            format!("{} read, {} written to cache", model.cache_read, model.cache_write_5m + model.cache_write_1h);
        let tokens = format!("{} in, {} out, {cached}", model.input, model.output);
        line(out, "model", format!("{}  {requests}, {tokens}, {}", one_line(&model.name), money(model.cost)))?;
    }
    let tool = |tool: &crate::record::body::ToolUsage| match tool.failed {
        0 => format!("{} {}", tool.name, tool.calls),
        failed => format!("{} {} ({failed} failed)", tool.name, tool.calls),
    };
    line(out, "tools", one_line(&summary.tools.iter().map(tool).collect::<Vec<_>>().join(", ")))?;
    let programs = summary.programs.iter().map(|program| format!("{} {}", program.name, program.runs));
    line(out, "ran", one_line(&programs.collect::<Vec<_>>().join(", ")))?;
    let names =
        |names: &std::collections::BTreeSet<String>| one_line(&names.iter().cloned().collect::<Vec<_>>().join(", "));
    line(out, "mcp", names(&summary.mcp_servers))?;
    line(out, "skills", names(&summary.skills))?;
    let redacted = summary.redactions.iter().map(|redaction| format!("{} {}", redaction.rule, redaction.count));
    line(out, "hidden", one_line(&redacted.collect::<Vec<_>>().join(", ")))?;
    line(out, "commits", facts.commits.iter().map(|commit| commit.short()).collect::<Vec<_>>().join(" "))?;
    let records = facts.segments.iter().map(|segment| segment.record.short()).collect::<Vec<_>>();
    line(out, "records", records.join(" "))?;
    print_files(summary, out)?;
    for gap in &summary.gaps {
        let known = serde_json::from_value::<GapKind>(gap.kind.clone().into());
        let meaning = known.as_ref().map_or(gap.kind.as_str(), |kind| kind.meaning());
        let text = format!("lost    {} {}", gap.count, one_line(meaning));
        out.line(out.paint(output::WARN, text))?;
    }
    for record in &facts.bad_records {
        let text = format!("bad     record {} does not hold; nothing of it is shown", record.short());
        out.line(out.paint(output::BAD, text))?;
    }
    Ok(())
}

fn line(out: &mut Out, name: &str, text: String) -> std::io::Result<()> {
    if text.is_empty() { Ok(()) } else { out.line(format_args!("{name:<7} {text}")) }
}

fn print_files(summary: &Summary, out: &mut Out) -> std::io::Result<()> {
    let right = Column { right: true, ..COLUMN };
    let mut table = Table::new(&[right, right, right, COLUMN]).indented(2);
    for file in &summary.files {
        table.row(vec![
            Cell::plain(count(file.edits, "edit")),
            Cell::new(format!("+{}", file.added), output::GOOD),
            Cell::new(format!("-{}", file.removed), output::BAD),
            Cell::plain(file.path.to_string()),
        ]);
    }
    if !summary.files.is_empty() {
        out.line("files")?;
    }
    table.print(out)
}

struct Text<'o>(&'o mut Out);

impl Reader for Text<'_> {
    fn turn(&mut self, source: &str, number: usize, turn: &Turn) -> std::io::Result<()> {
        let out = &mut *self.0;
        let who = if source == "main" { String::new() } else { format!("subagent {}  ", one_line(source)) };
        let time = time(turn).map(minute).unwrap_or_default();
        out.line("")?;
        out.line(out.paint(output::HEAD, format!("── {who}turn {number}  {time}").trim_end()))?;
        if let Some(Asked { text, human }) = &turn.asked {
            let style = if *human { output::HUMAN } else { output::DIM };
            block(out, style, "> ", text)?;
        }
        for step in &turn.steps {
            step_text(out, step)?;
        }
        if turn.omitted > 0 {
            out.line(out.paint(output::DIM, format!("… {} more", count(turn.omitted as u64, "step"))))?;
        }
        Ok(())
    }

    fn rest(&mut self, rest: &RestLine<'_>) -> std::io::Result<()> {
        match rest {
            RestLine::Edits { call, diffs } => {
                self.0.line(format_args!("\n* {} changed", one_line(call.as_str())))?;
                diffs.iter().try_for_each(|diff| print_diff(self.0, diff.path, diff.hunks))
            }
            RestLine::Missing { text } => missing(self.0, text),
        }
    }
}

fn step_text(out: &mut Out, step: &Step) -> std::io::Result<()> {
    match step {
        Step::Reasoning(text) => block(out, output::DIM, "~ ", text),
        Step::Plan(text) => block(out, output::HEAD, "plan: ", text),
        Step::Text(text) => block(out, anstyle::Style::new(), "", text),
        Step::Summary(text) => block(out, output::DIM, "summary: ", text),
        Step::Note(text) => block(out, output::WARN, "! ", text),
        Step::Missing(text) => missing(out, text),
        Step::Call(call) => call_text(out, call),
    }
}

fn missing(out: &mut Out, text: &str) -> std::io::Result<()> {
    block(out, output::BAD, "missing: ", &format!("{text} (git tracevault fetch)"))
}

/// A text in a style, its first line marked and the others in line with it.
fn block(out: &mut Out, style: anstyle::Style, mark: &str, text: &str) -> std::io::Result<()> {
    let space = " ".repeat(mark.len());
    for (at, text) in output::visible(text.trim_end()).lines().enumerate() {
        let mark = if at == 0 { mark } else { &space };
        out.line(out.paint(style, format!("{mark}{text}")))?;
    }
    Ok(())
}

fn call_text(out: &mut Out, call: &Call) -> std::io::Result<()> {
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
        print_diff(out, if diff.path == call.input { "" } else { &diff.path }, &diff.hunks)?;
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

fn print_diff(out: &mut Out, path: &str, hunks: &str) -> std::io::Result<()> {
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
