//! Random work in git by agents and people, and an oracle that knows whose each line is: every line that is written
//! carries a token of its own. No line of a person may be called an agent's; agents' lines must be found.
//!
//! `TRACEVAULT_SEQUENCES` says how many sequences (a few without it), `TRACEVAULT_SEED` where to begin. A sequence that
//! goes wrong is made as short as it can be, and told as a script.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ledger::Team;

pub mod play;

use play::{Play, Writer};

/// What may be done; the number decides all that is left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    AgentEdit,
    AgentShell,
    HumanEdit,
    Format,
    StageSome,
    Commit,
    CommitAll,
    Amend,
    Branch,
    Switch,
    Merge,
    SquashMerge,
    Rebase,
    RebaseInteractive,
    CherryPick,
    Revert,
    Stash,
    StashPop,
    Reset,
    Rename,
    Worktree,
    /// In a clone without hooks somebody squashes a branch into main and pushes; it is pulled here.
    ServerSquash,
    /// In a clone without hooks somebody commits lines of their own and pushes; they are pulled here.
    OthersCommit,
}

use Kind::*;

/// Kinds and how often they are chosen.
const WEIGHTS: [(Kind, u64); 23] = [
    (AgentEdit, 24),
    (AgentShell, 4),
    (HumanEdit, 14),
    (Format, 4),
    (StageSome, 5),
    (Commit, 6),
    (CommitAll, 16),
    (Amend, 5),
    (Branch, 5),
    (Switch, 6),
    (Merge, 5),
    (SquashMerge, 3),
    (Rebase, 4),
    (RebaseInteractive, 4),
    (CherryPick, 4),
    (Revert, 3),
    (Stash, 3),
    (StashPop, 3),
    (Reset, 4),
    (Rename, 3),
    (Worktree, 2),
    (ServerSquash, 3),
    (OthersCommit, 3),
];

#[derive(Debug, Clone, Copy)]
pub struct Op {
    kind: Kind,
    seed: u64,
}

/// Splitmix64 (Steele, Lea, Flood 2014).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// What the number stands for.
pub fn sequence(seed: u64) -> Vec<Op> {
    let mut rng = Rng(seed);
    let total: u64 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let length = 8 + rng.below(18);
    let op = |rng: &mut Rng| {
        let mut at = rng.next() % total;
        let kind = WEIGHTS.iter().find(|(_, weight)| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        });
        Op { kind: kind.map_or(Commit, |(kind, _)| *kind), seed: rng.next() }
    };
    (0..length).map(|_| op(&mut rng)).collect()
}

#[derive(Debug, Default)]
pub struct Verdict {
    agent: u64,
    found: u64,
    human: u64,
    /// Lines that are not the agent's, or another call's.
    wrong: Vec<String>,
    missed: Vec<String>,
    evidence: BTreeMap<String, u64>,
}

impl Verdict {
    /// What blame says of the lines with one token: it was written once, and whose a copy of it is nobody knows, but no
    /// other's.
    fn see(&mut self, file: &str, token: &str, writer: &Writer, lines: &[&serde_json::Value]) {
        let told = |line: &serde_json::Value| format!("{file} {token}: {writer:?}, blame says {line}");
        let agents = lines.iter().copied().filter(|line| line["origin"] == "agent");
        match writer {
            Writer::Human => {
                self.human += 1;
                self.wrong.extend(agents.map(told));
            }
            Writer::Agent { session, call } => {
                self.agent += 1;
                let (right, wrong): (Vec<_>, Vec<_>) =
                    agents.partition(|line| line["session"] == **session && line["call"] == **call);
                self.wrong.extend(wrong.iter().map(|line| told(line)));
                match right.first() {
                    Some(line) => {
                        self.found += 1;
                        *self.evidence.entry(line["evidence"].as_str().unwrap().to_owned()).or_default() += 1;
                    }
                    None => self.missed.push(told(lines[0])),
                }
            }
        }
    }

    fn is_bad(&self) -> bool {
        !self.wrong.is_empty() || !self.missed.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { agent, found, human, evidence, wrong, missed } = self;
        writeln!(f, "{agent} agents' lines, {found} found {evidence:?}; {human} people's; {} wrong", wrong.len())?;
        wrong.iter().try_for_each(|line| writeln!(f, "WRONG  {line}"))?;
        missed.iter().try_for_each(|line| writeln!(f, "MISSED {line}"))
    }
}

fn run(ops: &[Op]) -> (Verdict, Vec<String>) {
    let team = Team::new();
    let mut play = Play::new(&team);
    for op in ops {
        play.play(*op);
    }
    let verdict = play.judge();
    (verdict, play.script)
}

/// The shortest sequence of these that is wrong as well.
fn shrink(ops: Vec<Op>) -> (Vec<Op>, Verdict, Vec<String>) {
    let (verdict, script) = run(&ops);
    let mut best = (ops, verdict, script);
    let mut size = best.0.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < best.0.len() {
            let mut less = best.0.clone();
            less.drain(at..(at + size).min(less.len()));
            let (verdict, script) = run(&less);
            match verdict.is_bad() {
                true => best = (less, verdict, script),
                false => at += size,
            }
        }
        size /= 2;
    }
    best
}

/// A number from the environment.
pub fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn lines_are_found_whatever_is_done_in_git() {
    let (count, first) = (number("TRACEVAULT_SEQUENCES", 10), number("TRACEVAULT_SEED", 1));
    let next = AtomicU64::new(first);
    let total: Mutex<Verdict> = Mutex::default();
    let bad: Mutex<Vec<u64>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let seed = next.fetch_add(1, Ordering::Relaxed)
                    && seed < first + count
                {
                    let (verdict, _) = run(&sequence(seed));
                    if verdict.is_bad() {
                        bad.lock().unwrap().push(seed);
                    }
                    let mut total = total.lock().unwrap();
                    total.agent += verdict.agent;
                    total.found += verdict.found;
                    total.human += verdict.human;
                    total.wrong.extend(verdict.wrong);
                    total.missed.extend(verdict.missed);
                    for (evidence, lines) in verdict.evidence {
                        *total.evidence.entry(evidence).or_default() += lines;
                    }
                }
            });
        }
    });
    let (total, mut bad) = (total.into_inner().unwrap(), bad.into_inner().unwrap());
    bad.sort_unstable();
    #[allow(clippy::print_stdout)]
    {
        println!("{count} sequences, bad: {bad:?}\n{total}");
    }
    let enough = total.wrong.is_empty() && total.found * 1000 >= total.agent * 999;
    if let (false, Some(seed)) = (enough, bad.first()) {
        let (ops, verdict, script) = shrink(sequence(*seed));
        panic!("sequence {seed}, shortened to {ops:?}:\n{}\n{verdict}", script.join("\n"));
    }
    assert!(total.agent > 0 && total.human > 0, "nothing was written");
}
