//! From a verification into the index: each record once, in the order of its chain, with how far its chain has come.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{Any, Row, Transaction};
use tokio::runtime::Handle;

use crate::cost::{self, Money, PriceTable};
use crate::id::ChainId;
use crate::index::behind::Behind;
use crate::index::columns::{
    CHAIN, COUNTED, DAILY_TOOL, DAILY_USAGE, DAILY_WORK, HOURLY_COUNT, LINK, RECORD, SAID, SEALED, SEGMENT, SESSION,
    SESSION_FILE, SHELF, TOOL, USAGE,
};
use crate::index::recorded::{Commits, Rank, Recorded};
use crate::index::rows::{Rows, Value};
use crate::index::said::HOUR;
use crate::index::{Database, IndexError};
use crate::ledger::pruned::payloads;
use crate::ledger::query::tells_all_tokens;
use crate::ledger::verify::{Chain, Entry, Reader};
use crate::record::body::{Body, FileLines, ModelUsage, Session};

/// So many records are written in one transaction.
const BATCH: usize = 2_000;

/// A repository's records on their way into the index.
pub struct Ingest<'a> {
    database: &'a Database,
    repository: i64,
    prices: &'a PriceTable,
    /// How far each chain is in the index, who wrote it, and which of its records do not hold.
    known: HashMap<String, Known>,
    rows: Batch,
    writer: Option<Writer>,
    /// The rows before these, while they are written: meanwhile more records are verified.
    behind: Behind,
    /// What the index has is not what was verified now.
    stale: bool,
    failed: Option<IndexError>,
}

#[derive(Default)]
struct Known {
    records: u64,
    member: Option<String>,
    pending: bool,
    bad: HashSet<u64>,
    /// The last of them.
    last: Option<String>,
}

/// A chain's name, and whose it is told and claimed to be, as they stand in all of its rows.
#[derive(Clone)]
struct Writer {
    id: ChainId,
    /// By what it is known whose the chain is; that may be told later than its first record.
    told: (Option<String>, bool),
    chain: Value,
    member: Value,
    claimed: Value,
}

impl Writer {
    fn of(chain: &Chain) -> Self {
        Writer {
            id: chain.id,
            told: (chain.member.clone(), chain.pending),
            chain: chain.id.to_string().into(),
            member: member(chain).into(),
            claimed: chain.member.as_deref().into(),
        }
    }

    fn is_of(&self, chain: &Chain) -> bool {
        (self.id, self.told.1) == (chain.id, chain.pending) && self.told.0 == chain.member
    }
}

/// Rows that are not written yet.
struct Batch {
    records: Rows,
    chains: BTreeMap<ChainId, Vec<Value>>,
    tables: [Rows; 9],
    /// What is said beside the work: statements, seals, shelves, and how many records there are.
    beside: [Rows; 5],
    commits: Commits,
    count: usize,
}

impl Batch {
    fn new() -> Self {
        let tables = [&SESSION, &USAGE, &DAILY_USAGE, &DAILY_WORK, &TOOL, &DAILY_TOOL, &SESSION_FILE, &SEGMENT, &LINK];
        Batch {
            records: Rows::new(&RECORD),
            chains: BTreeMap::new(),
            tables: tables.map(Rows::new),
            beside: [&SAID, &SEALED, &SHELF, &COUNTED, &HOURLY_COUNT].map(Rows::new),
            commits: Commits::default(),
            count: 0,
        }
    }

    async fn write(&mut self, repository: i64, into: &mut Transaction<'static, Any>) -> Result<(), IndexError> {
        self.records.write(into).await?;
        for table in self.tables.iter_mut().chain(&mut self.beside) {
            table.write(into).await?;
        }
        self.commits.write(repository, into).await?;
        let mut chains = Rows::new(&CHAIN);
        std::mem::take(&mut self.chains).into_values().for_each(|row| chains.add(row));
        chains.write(into).await
    }
}

impl<'a> Ingest<'a> {
    /// Must be called, and used, where blocking is allowed; `handle` is of the runtime that the database belongs to.
    pub fn begin(
        database: &'a Database,
        handle: Handle,
        repository: i64,
        prices: &'a PriceTable,
    ) -> Result<Self, IndexError> {
        let known = handle.block_on(known(database, repository))?;
        let (rows, behind) = (Batch::new(), Behind::new(handle));
        Ok(Ingest { database, repository, prices, known, rows, writer: None, behind, stale: false, failed: None })
    }

    /// Writes what is left. Whether the index is what was verified: if not, all of the repository is to be read again.
    pub fn finish(mut self) -> Result<bool, IndexError> {
        self.flush();
        self.failed.map_or(Ok(()), Err)?;
        self.behind.wait()?;
        Ok(!self.stale)
    }

    fn flush(&mut self) {
        if self.failed.is_some() || self.stale {
            return;
        }
        let (database, repository) = (self.database.clone(), self.repository);
        let mut rows = std::mem::replace(&mut self.rows, Batch::new());
        let written = self.behind.write(async move {
            let mut all = database.pool.begin().await?;
            rows.write(repository, &mut all).await?;
            Ok(all.commit().await?)
        });
        self.failed = written.err();
    }

    /// The texts of the chain whose records come now.
    fn writer(&mut self, chain: &Chain) -> Writer {
        match &self.writer {
            Some(writer) if writer.is_of(chain) => writer.clone(),
            _ => self.writer.insert(Writer::of(chain)).clone(),
        }
    }

    /// Notes that a chain has come so far.
    fn pass(&mut self, chain: &Chain, writer: &Writer, entry: &Entry) {
        let time = entry.time.unix();
        let repository = self.repository;
        let row = self.rows.chains.entry(chain.id).or_insert_with(|| {
            let device = match &entry.body {
                Body::Open(open) => Some(open.device.as_str()),
                _ => None,
            };
            let kind = if chain.seals { "seal" } else { "log" };
            let of_it = [writer.claimed.clone(), device.into(), chain.pending.into(), 0i64.into(), 0i64.into()];
            let before = [repository.into(), writer.chain.clone(), kind.into()].into_iter();
            before.chain(of_it).chain([time.into(), time.into()]).collect()
        });
        // The columns that are not as the first of its records had them.
        row[3] = writer.claimed.clone();
        row[5] = chain.pending.into();
        row[6] = (entry.seq + 1).into();
        row[9] = time.into();
    }

    fn record(&mut self, writer: &Writer, entry: &Entry) {
        let about = match &entry.body {
            Body::Session(body) => Some(body.session.as_str()),
            Body::Commit(body) => Some(body.commit.as_str()),
            Body::Link(body) => Some(body.new.as_str()),
            Body::Check(body) => Some(body.range.last.as_str()),
            _ => None,
        };
        self.rows.records.add(vec![
            self.repository.into(),
            writer.chain.clone(),
            entry.seq.into(),
            entry.id.to_string().into(),
            entry.commit.as_str().into(),
            entry.body.kind().into(),
            entry.time.unix().into(),
            entry.good.into(),
            about.into(),
        ]);
    }

    fn session(&mut self, Writer { chain, member, .. }: &Writer, entry: &Entry, body: &Session) {
        let repository = Value::from(self.repository);
        let [session, day, agent] = [body.session.as_str(), &body.ended.day(), &body.agent.name].map(Value::from);
        let [sessions, usages, daily_usage, daily_work, tools, daily_tools, files, segments, _] = &mut self.rows.tables;
        let all = tells_all_tokens(body);
        let prices = |usage: &ModelUsage| Priced::of(self.prices, usage, body, all);
        let priced: Vec<Priced> = body.models.iter().map(prices).collect();
        let sum = |of: &dyn Fn(&ModelUsage) -> u64| body.models.iter().map(of).fold(0, u64::saturating_add);
        let unknown: i64 = priced.iter().map(|priced| priced.unknown).sum();
        // A session whose tokens nobody told has no price either, though no request of it is known.
        let unknown = if all { unknown } else { unknown.max(1) };
        let file_sum = |of: &dyn Fn(&crate::record::body::FileEdits) -> u64| body.files.iter().map(of).sum::<u64>();
        let when = [body.started.unix(), body.ended.unix()].map(Value::from);
        let sums = [
            body.active_seconds.into(),
            body.prompts.into(),
            body.turns.into(),
            body.plans.into(),
            body.compactions.into(),
            body.subagents.into(),
            sum(&|usage| usage.requests).into(),
            sum(&tokens).into(),
            sum(&|usage| usage.output).into(),
            priced.iter().map(|priced| priced.cost).sum::<i64>().into(),
            unknown.into(),
            body.tools.iter().map(|tool| tool.calls).sum::<u64>().into(),
            body.tools.iter().map(|tool| tool.failed).sum::<u64>().into(),
            file_sum(&|file| file.added).into(),
            file_sum(&|file| file.removed).into(),
            body.redactions.iter().map(|redaction| redaction.count).sum::<u64>().into(),
            body.gaps.iter().map(|gap| gap.count).sum::<u64>().into(),
        ];
        let payloads = Value::from(body.payloads.len() as u64);
        let place = [repository.clone(), chain.clone(), entry.seq.into(), session.clone()];
        let row = place.into_iter().chain([entry.time.unix().into()]).chain(when.clone()).chain(sums.clone());
        segments.add(row.chain([payloads.clone()]).collect());
        let key = [repository.clone(), session.clone(), chain.clone(), member.clone()];
        let about = [agent.clone(), body.agent.version.as_str().into(), Value::NoText];
        let written = [entry.time.unix(), entry.time.unix()].map(Value::from);
        let row = key.into_iter().chain(about).chain(when).chain(sums).chain([1i64.into(), payloads, 0i64.into()]);
        sessions.add(row.chain(written).collect());
        for (usage, priced) in body.models.iter().zip(&priced) {
            let (counts, model) = (priced.counts(usage), Value::from(usage.model.as_str()));
            let key = [repository.clone(), session.clone(), day.clone(), model.clone()];
            usages.add(key.into_iter().chain(counts.clone()).collect());
            let key = [repository.clone(), day.clone(), member.clone(), agent.clone(), model];
            daily_usage.add(key.into_iter().chain(counts).collect());
        }
        let work = [1, body.prompts, body.active_seconds].map(Value::from);
        let key = [repository.clone(), day.clone(), member.clone(), agent.clone()];
        daily_work.add(key.into_iter().chain(work).collect());
        for (kind, name, calls, failed) in used(body) {
            let (counts, [kind, name]) = ([calls.into(), failed.into()], [kind, name].map(Value::from));
            let key = [repository.clone(), session.clone(), kind.clone(), name.clone()];
            tools.add(key.into_iter().chain(counts.clone()).collect());
            let key = [repository.clone(), day.clone(), member.clone(), agent.clone(), kind, name];
            daily_tools.add(key.into_iter().chain(counts).collect());
        }
        for file in &body.files {
            let counts = [file.edits, file.added, file.removed].map(Value::from);
            let key = [repository.clone(), session.clone(), file.path.as_str().into()];
            files.add(key.into_iter().chain(counts).collect());
        }
    }

    /// What a good record says beside the work, and the payloads that it names.
    fn beside(&mut self, chain: &Value, pending: bool, entry: &Entry) {
        let repository = self.repository;
        let [said, seals, shelves, counted, hourly] = &mut self.rows.beside;
        let kind = Value::from(entry.body.kind());
        counted.add(vec![repository.into(), chain.clone(), kind.clone(), 1i64.into()]);
        if !pending {
            hourly.add(vec![repository.into(), (entry.time.unix() / HOUR).into(), kind, 1i64.into()]);
        }
        if let Some(body) = statement(&entry.body) {
            let place = [repository.into(), chain.clone(), entry.seq.into(), entry.id.to_string().into()];
            let corrects = match &entry.body {
                Body::Amend(amend) => Some(amend.record.to_string()),
                _ => None,
            };
            let about = [entry.body.kind().into(), entry.time.unix().into(), corrects.as_deref().into(), body.into()];
            said.add(place.into_iter().chain(about).collect());
        }
        if let Body::Seal(seal) = &entry.body {
            for head in &seal.heads {
                let seal = [repository.into(), chain.clone(), entry.seq.into(), head.chain.to_string().into()];
                let upto = [head.seq.into(), entry.id.to_string().into(), entry.time.unix().into()];
                seals.add(seal.into_iter().chain(upto).collect());
            }
        }
        for payload in payloads(&entry.body) {
            let shelf = [repository.into(), chain.clone(), payload.class.as_str().into()];
            let size: u64 = payload.pieces.iter().map(|piece| piece.size).fold(0, u64::saturating_add);
            let counts = [payload.month.to_string().into(), (payload.pieces.len() as u64).into(), size.into()];
            shelves.add(shelf.into_iter().chain(counts).collect());
        }
    }

    fn take_in(&mut self, chain: &Chain, entry: &Entry) {
        let writer = self.writer(chain);
        self.record(&writer, entry);
        if entry.good {
            self.beside(&writer.chain, chain.pending, entry);
        }
        match &entry.body {
            Body::Session(body) if entry.good => self.session(&writer, entry, body),
            Body::Commit(body) => self.rows.commits.add(
                body.commit.to_string(),
                Recorded {
                    chain: writer.chain.clone(),
                    seq: entry.seq,
                    record: entry.id.to_string().into(),
                    member: writer.member.clone(),
                    time: entry.time.unix(),
                    day: entry.time.day().into(),
                    rank: match (entry.good, chain.pending) {
                        (false, _) => Rank::Bad,
                        (true, true) => Rank::Pending,
                        (true, false) => Rank::Good,
                    },
                    tree: body.tree.as_str().into(),
                    total: [body.total.added, body.total.agent, body.total.human, body.total.unattributed]
                        .map(Into::into),
                    sessions: body.sessions.iter().map(|drawn| drawn.session.as_str().into()).collect(),
                    files: body.files.iter().map(of_file).collect(),
                },
            ),
            Body::Link(body) if entry.good && body.level > 0 => {
                let [.., links] = &mut self.rows.tables;
                let (new, old) = (body.new.to_string(), body.old.to_string());
                links.add(vec![self.repository.into(), new.into(), old.into(), u64::from(body.level).into()]);
            }
            _ => {}
        }
        self.pass(chain, &writer, entry);
        self.rows.count += 1;
        if self.rows.count >= BATCH {
            self.flush();
        }
    }
}

impl Reader for Ingest<'_> {
    fn from(&mut self, chain: &Chain) -> u64 {
        let Some(known) = self.known.get(&chain.id.to_string()) else { return 0 };
        // Who was not enrolled may be now, and the other way round; a claimed name is no enrolment.
        let enrolled = if known.pending { None } else { known.member.as_deref() };
        self.stale |= chain.refused || enrolled != chain.member.as_deref() || chain.records < known.records;
        known.records
    }

    fn take(&mut self, chain: &Chain, entry: &Entry) {
        if self.stale || self.failed.is_some() {
            return;
        }
        match self.known.get(&chain.id.to_string()) {
            Some(known) if entry.seq < known.records => {
                let is_last = entry.seq + 1 == known.records;
                let other = is_last && known.last.as_deref() != Some(&entry.id.to_string());
                self.stale |= other || entry.good == known.bad.contains(&entry.seq);
            }
            _ => self.take_in(chain, entry),
        }
    }
}

fn of_file(file: &FileLines) -> (Value, [Value; 4]) {
    let counts = [file.added, file.agent, file.human, file.unattributed];
    (file.path.as_str().into(), counts.map(Into::into))
}

/// Who a chain is told to be of.
pub fn member(chain: &Chain) -> String {
    match (&chain.member, chain.pending) {
        (Some(member), false) => member.clone(),
        (Some(claimed), true) => format!("{claimed} (not enrolled)"),
        (None, _) => match chain.id {
            ChainId::Policy => "owners".to_owned(),
            writer => format!("{} (unknown)", writer.short()),
        },
    }
}

/// The body of a record that says something beside the work, as JSON.
fn statement(body: &Body) -> Option<String> {
    match body {
        Body::Check(body) => serde_json::to_string(body).ok(),
        Body::Approve(body) => serde_json::to_string(body).ok(),
        Body::Amend(body) => serde_json::to_string(body).ok(),
        _ => None,
    }
}

fn tokens(usage: &ModelUsage) -> u64 {
    [usage.input, usage.output, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h]
        .into_iter()
        .fold(0, u64::saturating_add)
}

/// What a session used besides models: kind, name, calls, failures.
fn used(body: &Session) -> impl Iterator<Item = (&'static str, &str, u64, u64)> {
    let tool = |tool: &crate::record::body::ToolUsage| tool.name.starts_with("mcp__");
    let tools = body.tools.iter().map(move |used| {
        let kind = if tool(used) { "mcp" } else { "tool" };
        (kind, used.name.as_str(), used.calls, used.failed)
    });
    let skills = body.skills.iter().map(|name| ("skill", name.as_str(), 1, 0));
    tools.chain(skills).chain(body.programs.iter().map(|program| ("program", program.name.as_str(), program.runs, 0)))
}

/// What the tokens of one model cost, in billionths of a dollar.
struct Priced {
    cost: i64,
    unknown: i64,
    saved: i64,
}

impl Priced {
    fn of(prices: &PriceTable, usage: &ModelUsage, body: &Session, told: bool) -> Self {
        let nano = |money: Money| i64::try_from(money.nano_dollars()).unwrap_or(i64::MAX);
        let cost = cost::cost(prices, usage, body.started).filter(|_| told);
        Priced {
            cost: cost.map_or(0, nano),
            unknown: if cost.is_none() { i64::try_from(usage.requests.max(1)).unwrap_or(i64::MAX) } else { 0 },
            saved: cost::cache_saved(prices, usage, body.started).map_or(0, nano),
        }
    }

    fn counts(&self, usage: &ModelUsage) -> [Value; 8] {
        [
            usage.requests.into(),
            usage.input.into(),
            usage.output.into(),
            usage.cache_read.into(),
            usage.cache_write_5m.saturating_add(usage.cache_write_1h).into(),
            self.cost.into(),
            self.unknown.into(),
            self.saved.into(),
        ]
    }
}

async fn known(database: &Database, repository: i64) -> Result<HashMap<String, Known>, IndexError> {
    let mut known = HashMap::new();
    let chains = "SELECT c.chain, c.records, c.member, c.pending, r.record FROM chain c LEFT JOIN record r
        ON r.repository = c.repository AND r.chain = c.chain AND r.seq = c.records - 1 WHERE c.repository = $1";
    for row in sqlx::query(chains).bind(repository).fetch_all(&database.pool).await? {
        let records = u64::try_from(row.get::<i64, _>(1)).unwrap_or_default();
        let (member, pending, last) = (row.get(2), row.get::<i64, _>(3) != 0, row.get(4));
        known.insert(row.get::<String, _>(0), Known { records, member, pending, bad: HashSet::new(), last });
    }
    let bad = sqlx::query("SELECT chain, seq FROM record WHERE repository = $1 AND good = 0").bind(repository);
    for row in bad.fetch_all(&database.pool).await? {
        if let Some(chain) = known.get_mut(&row.get::<String, _>(0)) {
            chain.bad.insert(u64::try_from(row.get::<i64, _>(1)).unwrap_or_default());
        }
    }
    Ok(known)
}
