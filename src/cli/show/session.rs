//! Showing a session: what it used and changed, then turn by turn what was asked, thought, said and done.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::cli::format::{count, minute, money, one_line, span, usd};
use crate::cli::pager::paged;
use crate::cli::table::{COLUMN, Cell, Column, Table};
use crate::cli::turns::{self, DiffLine, TurnLine};
use crate::host::output::{self, Out};
use crate::id::{CallId, ChainId, GitId, RecordId, SessionId};
use crate::ledger::Ledger;
use crate::ledger::query::{Book, Segment};
use crate::ledger::read_back::{Source, shell_diffs};
use crate::ledger::summary::Summary;
use crate::record::body::Body;
use crate::session::event::GapKind;
use crate::session::turns::{FileDiff, Step, Turn};
use crate::time::Time;

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
    /// Who had it recorded that they opened what is encrypted of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    opened: Vec<OpenedLine<'a>>,
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
struct OpenedLine<'a> {
    /// `access` or `export`.
    how: &'static str,
    record: RecordId,
    member: Option<&'a str>,
    time: Time,
}

/// Diffs whose calls no transcript shows, and what could not be read of them.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum RestLine<'a> {
    Edits { call: &'a CallId, diffs: Vec<DiffLine<'a>> },
    Missing { text: &'a str },
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

/// What the records say of a session, without what was said in it.
pub fn print_record(id: &SessionId, book: &Book<'_>, out: &mut Out) -> std::io::Result<()> {
    let segments = book.segments(id);
    let bad = book.bad_segments(id).iter().map(|entry| entry.id).collect();
    match Summary::of(book, segments) {
        Some(summary) => print_facts(&facts(id, &summary, segments, bad, book), out),
        None => turns::missing(out, &format!("the record of session {id} is not here")),
    }
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
        opened: opened(id, book),
    }
}

/// What members who are enrolled have recorded of opening the session.
fn opened<'a>(id: &SessionId, book: &Book<'a>) -> Vec<OpenedLine<'a>> {
    let entries = book.report.entries().filter(|entry| entry.good && !book.is_pending(entry));
    let opened = entries.filter(|entry| match &entry.body {
        Body::Access(opened) | Body::Export(opened) => opened.session == *id,
        _ => false,
    });
    let line = |entry: &'a crate::ledger::verify::Entry| OpenedLine {
        how: entry.body.kind(),
        record: entry.id,
        member: book.report.history.member(entry.chain).map(|member| member.id.as_str()),
        time: entry.time,
    };
    let mut lines: Vec<_> = opened.map(line).collect();
    lines.sort_by_key(|line| line.time);
    lines
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
    let (mut shells, missing) = shell_diffs(&ledger.repo, store, segments, |_| true);
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
        self.0.json(&TurnLine::of(source, number, turn))
    }

    fn rest(&mut self, rest: &RestLine<'_>) -> std::io::Result<()> {
        self.0.json(rest)
    }
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
    for OpenedLine { how, record, member, time } in &facts.opened {
        let who = one_line(member.unwrap_or("unknown"));
        line(out, "opened", format!("{} UTC by {who} ({how}, record {})", minute(*time), record.short()))?;
    }
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
        turns::head(out, source, number, turn)?;
        turn.steps.iter().try_for_each(|step| turns::step(out, step))?;
        turns::more(out, turn.omitted)
    }

    fn rest(&mut self, rest: &RestLine<'_>) -> std::io::Result<()> {
        match rest {
            RestLine::Edits { call, diffs } => {
                self.0.line(format_args!("\n* {} changed", one_line(call.as_str())))?;
                diffs.iter().try_for_each(|diff| turns::diff(self.0, diff.path, diff.hunks))
            }
            RestLine::Missing { text } => turns::missing(self.0, text),
        }
    }
}
