//! A session as the sum of its recorded segments.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cost::Money;
use crate::ledger::query::{Book, Segment, sum};
use crate::record::body::{Cut, FileEdits, GapCount, Program, Redaction, ToolUsage};
use crate::time::Time;

/// What the segments of a session say together.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    pub agent: String,
    pub version: String,
    pub started: Time,
    pub ended: Time,
    pub active_seconds: u64,
    pub prompts: u64,
    pub turns: u64,
    pub plans: u64,
    pub compactions: u64,
    pub subagents: u64,
    pub tools: Vec<ToolUsage>,
    pub files: Vec<FileEdits>,
    pub mcp_servers: BTreeSet<String>,
    pub skills: BTreeSet<String>,
    pub programs: Vec<Program>,
    pub redactions: Vec<Redaction>,
    pub gaps: Vec<GapCount>,
    /// Entries of lists that did not fit into records.
    pub cut: Vec<Cut>,
    #[serde(skip)]
    pub models: Vec<Model>,
    #[serde(skip)]
    pub cost: Option<Money>,
}

/// One model's tokens.
#[derive(Debug, Default)]
pub struct Model {
    pub name: String,
    pub requests: u64,
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    pub cost: Option<Money>,
}

impl Summary {
    /// The sum; `None` of no segments.
    pub fn of(book: &Book<'_>, segments: &[Segment<'_>]) -> Option<Self> {
        let newest = segments.last()?.body;
        let bodies = || segments.iter().map(|segment| segment.body);
        let mut summary = Summary {
            agent: newest.agent.name.clone(),
            version: newest.agent.version.clone(),
            started: bodies().map(|body| body.started).min()?,
            ended: bodies().map(|body| body.ended).max()?,
            models: models(book, segments),
            cost: sum(bodies().map(|body| book.cost(body))),
            ..Summary::default()
        };
        let mut tools: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        let mut files: BTreeMap<_, (u64, u64, u64)> = BTreeMap::new();
        for body in bodies() {
            summary.active_seconds += body.active_seconds;
            summary.prompts += body.prompts;
            summary.turns += body.turns;
            summary.plans += body.plans;
            summary.compactions += body.compactions;
            summary.subagents += body.subagents;
            summary.mcp_servers.extend(body.mcp_servers.iter().cloned());
            summary.skills.extend(body.skills.iter().cloned());
            for tool in &body.tools {
                let known = tools.entry(&tool.name).or_default();
                *known = (known.0 + tool.calls, known.1 + tool.failed);
            }
            for file in &body.files {
                let known = files.entry(&file.path).or_default();
                *known = (known.0 + file.edits, known.1 + file.added, known.2 + file.removed);
            }
        }
        let tool = |(name, (calls, failed)): (&str, _)| ToolUsage { name: name.to_owned(), calls, failed };
        summary.tools = tools.into_iter().map(tool).collect();
        let files = files.into_iter();
        summary.files = files
            .map(|(path, (edits, added, removed))| FileEdits { path: path.clone(), edits, added, removed })
            .collect();
        let counts = |of: fn(&crate::record::body::Session) -> Vec<(&str, u64)>| {
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            bodies().flat_map(of).for_each(|(name, count)| *counts.entry(name).or_default() += count);
            counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect::<Vec<_>>()
        };
        let programs = counts(|body| body.programs.iter().map(|program| (&*program.name, program.runs)).collect());
        summary.programs = programs.into_iter().map(|(name, runs)| Program { name, runs }).collect();
        let redactions = counts(|body| body.redactions.iter().map(|rule| (&*rule.rule, rule.count)).collect());
        summary.redactions = redactions.into_iter().map(|(rule, count)| Redaction { rule, count }).collect();
        let gaps = counts(|body| body.gaps.iter().map(|gap| (&*gap.kind, gap.count)).collect());
        summary.gaps = gaps.into_iter().map(|(kind, count)| GapCount { kind, count }).collect();
        let cut = counts(|body| body.cut.iter().map(|cut| (&*cut.list, cut.count)).collect());
        summary.cut = cut.into_iter().map(|(list, count)| Cut { list, count }).collect();
        Some(summary)
    }
}

fn models(book: &Book<'_>, segments: &[Segment<'_>]) -> Vec<Model> {
    let mut models: BTreeMap<&str, Model> = BTreeMap::new();
    for body in segments.iter().map(|segment| segment.body) {
        for usage in &body.models {
            let model = models.entry(&usage.model).or_insert_with(|| Model {
                name: usage.model.clone(),
                cost: Some(Money::default()),
                ..Model::default()
            });
            model.requests += usage.requests;
            model.input += usage.input;
            model.output += usage.output;
            model.cache_read += usage.cache_read;
            model.cache_write_5m += usage.cache_write_5m;
            model.cache_write_1h += usage.cache_write_1h;
            model.cost = sum([model.cost, book.model_cost(body, usage)].into_iter());
        }
    }
    models.into_values().collect()
}
