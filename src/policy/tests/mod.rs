//! A range of commits, put together step by step, and what policies say of it.

mod budgets;
mod calls;
mod documented;
mod foreseen;
mod lines;
mod properties;
mod records;
mod texts;

use super::*;
use crate::cost::Money;
use crate::finding::Verdict;
use crate::id::{ChainId, GitId, RepoPath, SessionId};
use crate::record::body::{Lines, Role};

/// Evidence; what is added is added to the last commit or session.
#[derive(Debug, Clone)]
pub struct Range(pub Evidence);

pub const DEV: &str = "dev@example.org";

pub fn git(n: usize) -> GitId {
    format!("{n:040x}").parse().unwrap()
}

pub fn path(text: &str) -> RepoPath {
    RepoPath::from_bytes(text.as_bytes()).unwrap()
}

/// Of agents, people and nobody known.
pub fn lines(agent: u64, human: u64, unattributed: u64) -> Lines {
    Lines { added: agent + human + unattributed, agent, human, unattributed }
}

pub fn valid(link: Option<u32>) -> RecordState {
    let roles = vec![Role::Developer];
    RecordState::Valid { chain: ChainId::Writer([1; 16]), member: DEV.into(), roles, link }
}

/// The states that are not valid.
pub fn unrecorded() -> [RecordState; 3] {
    let chain = ChainId::Writer([2; 16]);
    [RecordState::Pending { chain }, RecordState::Missing, RecordState::Invalid { why: "E-SIG".into() }]
}

impl Range {
    /// A range without commits, nothing of it unknown.
    pub fn new() -> Self {
        Range(Evidence { approvals: Partly::whole(Vec::new()), ..Evidence::default() })
    }

    /// A commit that its author recorded.
    pub fn commit(mut self) -> Self {
        self.0.commits.push(Commit {
            id: git(self.0.commits.len() + 1),
            author: DEV.into(),
            record: valid(None),
            lines: Some(Lines::default()),
            files: Partly::whole(Vec::new()),
            draws: Partly::whole(Vec::new()),
        });
        self
    }

    pub fn last(&mut self) -> &mut Commit {
        self.0.commits.last_mut().unwrap()
    }

    pub fn state(mut self, state: RecordState) -> Self {
        self.last().record = state;
        self
    }

    pub fn file(mut self, name: &str, agent: u64, human: u64, unattributed: u64) -> Self {
        let more = lines(agent, human, unattributed);
        let commit = self.last();
        let total = commit.lines.get_or_insert_default();
        total.added += more.added;
        total.agent += agent;
        total.human += human;
        total.unattributed += unattributed;
        commit.files.known.push(File { path: path(name), lines: Some(more), agents: Vec::new() });
        self
    }

    /// Lines of files that are not named.
    pub fn cut(mut self, agent: u64, human: u64, unattributed: u64) -> Self {
        self = self.file("cut", agent, human, unattributed);
        self.last().files.known.pop();
        self.last().files.whole = false;
        self
    }

    /// A session with what the commit is the first to draw on.
    pub fn draw(mut self, session: &str, model: &str, tokens: u64, micro_dollars: Option<u64>) -> Self {
        let id = SessionId::from_agent(session);
        let cost = micro_dollars.map(Money::from_micro_dollars);
        let models = Partly::whole(vec![ModelUse { model: Model::named(model), tokens, cost }]);
        let spent = Spending::of(&models);
        let draw = Draw { session: id.clone(), author: DEV.into(), day: "2026-11-21".into(), models };
        self.last().draws.known.push(draw);
        match self.0.sessions.iter_mut().find(|known| known.id == id) {
            Some(known) => known.spent += spent,
            None => self.0.sessions.push(Session {
                id,
                spent,
                tools: Partly::whole(Vec::new()),
                skills: Partly::whole(Vec::new()),
                mcp_tools: Partly::whole(Vec::new()),
                programs: Partly::whole(Vec::new()),
                last_edit: LastEdit::Never,
            }),
        }
        self
    }

    pub fn session(mut self, change: impl FnOnce(&mut Session)) -> Self {
        change(self.0.sessions.last_mut().unwrap());
        self
    }

    pub fn edited(self, at: i64) -> Self {
        self.session(|session| session.last_edit = LastEdit::At(at))
    }

    /// A program that succeeded at these moments, and failed so often.
    pub fn program(self, name: &str, at: &[i64], failed: u64) -> Self {
        let used = called(name, at, failed);
        self.session(|session| session.programs.known.push(used))
    }

    pub fn approved(mut self, commit: usize, member: &str, role: Role) -> Self {
        let approval = Approval { commit: git(commit), member: member.into(), roles: vec![role] };
        self.0.approvals.known.push(approval);
        self
    }

    pub fn earlier(mut self, spent: Spending) -> Self {
        self.0.earlier.push(Earlier { author: DEV.into(), day: "2026-11-21".into(), spent });
        self
    }
}

pub fn called(name: &str, at: &[i64], failed: u64) -> Use {
    let succeeded = Partly::whole(at.len() as u64);
    Use { name: name.into(), succeeded, failed, succeeded_at: at.to_vec() }
}

/// A policy of one blocking rule.
pub fn policy(condition: &str, keys: &str) -> Policy {
    let text = format!("[[rule]]\nname = \"r\"\ncondition = \"{condition}\"\nlevel = \"block\"\n{keys}\n");
    Policy::parse(&text).unwrap_or_else(|errors| panic!("{text}{errors:#?}"))
}

/// What one blocking rule says.
pub fn judge(condition: &str, keys: &str, range: &Range) -> Report {
    evaluate(&policy(condition, keys), &range.0)
}

#[track_caller]
pub fn expect(condition: &str, keys: &str, range: &Range, verdict: Verdict) {
    let report = judge(condition, keys, range);
    assert_eq!(report.verdict, verdict, "{condition} {keys}\n{:#?}", report.findings);
    assert_eq!(report.verdict == Verdict::Pass, report.findings.is_empty());
    for finding in &report.findings {
        let whole = finding.message.contains("(rule r)")
            && finding.commit.as_ref().is_none_or(|commit| finding.message.contains(commit.short()))
            && finding.path.as_ref().is_none_or(|path| finding.message.contains(path.as_str()))
            && !finding.advice.is_empty();
        assert!(whole, "{finding:#?}");
    }
}

#[test]
fn only_rules_that_block_decide_and_every_rule_is_told() {
    let rules = |first: &str, second: &str| {
        let rule = |name: &str, level: &str, max: u64| {
            format!(
                "[[rule]]\nname = \"{name}\"\ncondition = \"ai-percentage\"\nlevel = \"{level}\"\nmax_percent = {max}\n"
            )
        };
        Policy::parse(&(rule("a", first, 10) + &rule("b", second, 90))).unwrap()
    };
    let half = Range::new().commit().file("a", 5, 0, 5);
    for (first, second, verdict) in [
        ("block", "block", Verdict::Fail),
        ("warn", "block", Verdict::Pass),
        ("block", "warn", Verdict::Fail),
        ("warn", "warn", Verdict::Pass),
    ] {
        let report = evaluate(&rules(first, second), &half.0);
        assert_eq!((report.verdict, report.findings.len()), (verdict, 1), "{first} {second}");
        let outcomes: Vec<Verdict> = report.rules.iter().map(|rule| rule.outcome).collect();
        assert_eq!(outcomes, [Verdict::Fail, Verdict::Pass]);
    }
    let unknown = half.commit().state(RecordState::Missing).file("b", 1, 0, 0);
    assert_eq!(evaluate(&rules("block", "block"), &unknown.0).verdict, Verdict::Inconclusive);
    assert_eq!(evaluate(&rules("warn", "warn"), &unknown.0).verdict, Verdict::Pass);
}

#[test]
fn findings_say_where_what_and_what_to_do() {
    let range = Range::new().commit().file("src/crypto/aes.rs", 12, 0, 0);
    let report = judge("sensitive-paths", "paths = [\"src/crypto\"]", &range);
    let [finding] = &report.findings[..] else { panic!("{report:#?}") };
    assert_eq!(
        finding.message,
        "commit 000000000000, src/crypto/aes.rs: 12 lines of an agent's, in a sensitive file; 0 are allowed (rule r)"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["verdict"], "fail");
    assert_eq!(json["rules"][0]["outcome"], "fail");
    assert_eq!(json["findings"][0]["outcome"], "violated");
    assert_eq!(json["findings"][0]["level"], "block");
    assert_eq!(json["findings"][0]["path"], "src/crypto/aes.rs");

    // A rule's own message says what to do about what is broken, not about what is unknown.
    let own = "paths = [\"src/crypto\"]\nmessage = \"Ask the crypto team.\"";
    assert_eq!(judge("sensitive-paths", own, &range).findings[0].advice, "Ask the crypto team.");
    let unknown = range.state(RecordState::Missing);
    assert_ne!(judge("sensitive-paths", own, &unknown).findings[0].advice, "Ask the crypto team.");
}

#[test]
fn a_large_range_is_judged_in_no_time() {
    let mut range = Range::new();
    for commit in 0..50 {
        range = range.commit().draw(&format!("s{commit}"), "anthropic/claude-opus-5-5", 1000, Some(5));
        for file in 0..200 {
            range = range.file(&format!("src/module{commit}/part{}/file{file}.rs", file % 7), 3, 1, 2);
        }
    }
    let mut text = String::new();
    for n in 0..20 {
        let keys = match n % 4 {
            0 => {
                "condition = \"sensitive-paths\"\npaths = [\"**/secrets/**\", \"*.pem\", \"infra/{a,b}/*.tf\", \"!docs\"]"
            }
            1 => {
                "condition = \"ai-percentage\"\nper = \"path\"\nmax_percent = 90\npaths = [\"src/**/*.rs\", \"!**/gen*/**\"]"
            }
            2 => "condition = \"conditional-tool\"\npaths = [\"db/**\", \"*.sql\"]\nprograms = [\"sqlfluff\"]",
            _ => "condition = \"ai-percentage\"\nper = \"commit\"\nmax_percent = 90\npaths = [\"src/\"]",
        };
        text += &format!("[[rule]]\nname = \"r{n}\"\nlevel = \"block\"\n{keys}\n");
    }
    let policy = Policy::parse(&text).unwrap();
    let mut report = None;
    let took = time(|| report = Some(evaluate(&policy, &range.0)));
    let report = report.unwrap();
    assert_eq!((report.verdict, report.rules.len()), (Verdict::Pass, 20));
    // Without optimisation and beside other tests; an optimised build takes less than a tenth of a second.
    assert!(took.as_millis() < 3000, "{took:?}");
}

/// How long it takes.
#[cfg(test)]
#[allow(clippy::disallowed_methods)]
fn time(work: impl FnOnce()) -> std::time::Duration {
    let begin = std::time::Instant::now();
    work();
    begin.elapsed()
}
