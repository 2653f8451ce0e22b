//! `ai-percentage` and `sensitive-paths`.

use super::*;
use Verdict::{Fail, Inconclusive, Pass};

const SHARE: &str = "ai-percentage";
const SENSITIVE: &str = "sensitive-paths";

#[test]
fn a_share_is_weighed_exactly() {
    for per in ["push", "commit", "path"] {
        for max in [0, 1, 33, 50, 66, 80, 99, 100] {
            for agent in 0..=12 {
                for other in 0..=6u64 {
                    let range = Range::new().commit().file("a.rs", agent, other / 2, other - other / 2);
                    let keys = format!("per = \"{per}\"\nmax_percent = {max}");
                    let over = agent * 100 > max * (agent + other);
                    expect(SHARE, &keys, &range, if over { Fail } else { Pass });
                    // With what nobody knows counted as an agent's.
                    let over = (agent + other - other / 2) * 100 > max * (agent + other);
                    let keys = format!("{keys}\nunattributed = \"agent\"");
                    expect(SHARE, &keys, &range, if over { Fail } else { Pass });
                }
            }
        }
    }
}

#[test]
fn the_share_is_of_the_push_each_commit_or_each_path() {
    // Over all 50 %, the second commit 100 %, b.rs 75 %.
    let range = Range::new().commit().file("a.rs", 0, 2, 0).file("b.rs", 1, 1, 0).commit().file("b.rs", 2, 0, 0);
    for (per, max, verdict) in [
        ("push", 50, Pass),
        ("push", 49, Fail),
        ("commit", 99, Fail),
        ("commit", 100, Pass),
        ("path", 75, Pass),
        ("path", 74, Fail),
    ] {
        expect(SHARE, &format!("per = \"{per}\"\nmax_percent = {max}"), &range, verdict);
    }
    expect(SHARE, "max_percent = 49", &range, Fail);
    expect(SHARE, "max_percent = 0\npaths = [\"a.rs\"]", &range, Pass);
    expect(SHARE, "max_percent = 74\npaths = [\"b.rs\"]", &range, Fail);
    expect(SHARE, "max_percent = 0\npaths = [\"**\", \"!b.rs\"]", &range, Pass);
    let report = judge(SHARE, "per = \"path\"\nmax_percent = 10", &range);
    assert_eq!(report.findings.len(), 1);
    assert_eq!(
        report.findings[0].message,
        "b.rs: 3 of 4 added lines are agents' (75 %), and at most 10 % may be (rule r)"
    );
    let report = judge(SHARE, "max_percent = 10", &Range::new().commit().file("a", 1, 2, 0));
    assert!(report.findings[0].message.contains("(33.3 %)"), "{report:#?}");
}

#[test]
fn lines_of_files_that_are_not_named_are_counted_where_they_decide() {
    // 40 of 100 known to be an agent's in src, and 20 lines more somewhere.
    let cut = |agent, other| Range::new().commit().file("src/a.rs", 40, 60, 0).cut(agent, other, 0);
    for (agent, other, max, verdict) in [
        (0, 0, 40, Pass),
        (0, 0, 39, Fail),
        // All the 20 lines may be of src, or none.
        (20, 0, 39, Fail),
        (20, 0, 49, Inconclusive),
        (20, 0, 50, Pass),
        (0, 20, 40, Pass),
        (0, 20, 39, Inconclusive),
        (0, 20, 33, Fail),
    ] {
        for per in ["push", "commit"] {
            let keys = format!("per = \"{per}\"\nmax_percent = {max}\npaths = [\"src/**\"]");
            expect(SHARE, &keys, &cut(agent, other), verdict);
        }
    }
    // Without paths the sum over all files is enough.
    expect(SHARE, "max_percent = 50", &cut(20, 0), Pass);
    expect(SHARE, "max_percent = 49", &cut(20, 0), Fail);
    expect(SHARE, "per = \"path\"\nmax_percent = 50", &cut(20, 0), Inconclusive);
    expect(SHARE, "per = \"path\"\nmax_percent = 50", &cut(0, 0), Pass);
}

#[test]
fn without_a_record_no_share_is_known() {
    for state in unrecorded() {
        for per in ["push", "commit", "path"] {
            let keys = |max: u64| format!("per = \"{per}\"\nmax_percent = {max}");
            let human = Range::new().commit().state(state.clone()).file("a", 0, 9, 0);
            expect(SHARE, &keys(50), &human, Inconclusive);
            expect(SHARE, &keys(100), &human, Pass);
            // Only what the rule is about must be known.
            let about = |paths: &str| format!("{}\npaths = [\"{paths}\"]", keys(50));
            expect(SHARE, &about("b/**"), &human, Pass);
            expect(SHARE, &about("a"), &human, Inconclusive);
            // One line of an agent's is too many, however many others there are.
            let some = human.commit().file("b", 1, 0, 0);
            expect(SHARE, &keys(0), &some, Fail);
        }
    }
    // A link that only says that lines are the same tells none of them.
    let mut linked = Range::new().commit().state(valid(Some(1)));
    linked.last().lines = None;
    linked.last().files = Partly::part(Vec::new());
    for per in ["push", "commit", "path"] {
        expect(SHARE, &format!("per = \"{per}\"\nmax_percent = 50"), &linked, Inconclusive);
    }
}

#[test]
fn agents_leave_sensitive_files_alone() {
    let keys = "paths = [\"src/crypto/\", \"*.pem\", \"!*.md\"]";
    let strict = format!("{keys}\nunattributed = \"agent\"");
    for (name, sensitive) in [
        ("src/crypto/aes.rs", true),
        ("x/src/crypto/aes.rs", false),
        ("src/crypto/README.md", false),
        ("src/other.rs", false),
        ("certs/ca.pem", true),
        ("ca.pem", true),
    ] {
        for (agent, human, nobody) in [(0, 0, 0), (1, 0, 0), (0, 5, 0), (0, 0, 5), (3, 5, 5)] {
            let range = Range::new().commit().file("z", 9, 0, 0).file(name, agent, human, nobody);
            expect(SENSITIVE, keys, &range, if sensitive && agent > 0 { Fail } else { Pass });
            let counted = sensitive && agent + nobody > 0;
            expect(SENSITIVE, &strict, &range, if counted { Fail } else { Pass });
            for state in unrecorded() {
                let range = range.clone().state(state);
                expect(SENSITIVE, keys, &range, if sensitive { Inconclusive } else { Pass });
            }
        }
    }
}

#[test]
fn files_that_are_not_named_may_be_sensitive() {
    let keys = "paths = [\"src/crypto\"]";
    for (agent, other, verdict) in [(0, 0, Pass), (0, 9, Pass), (1, 0, Inconclusive)] {
        expect(SENSITIVE, keys, &Range::new().commit().file("a", 3, 3, 3).cut(agent, other, 0), verdict);
    }
    let nobody = "paths = [\"src/crypto\"]\nunattributed = \"agent\"";
    expect(SENSITIVE, nobody, &Range::new().commit().cut(0, 5, 1), Inconclusive);
    let mut none = Range::new().commit();
    none.last().lines = None;
    expect(SENSITIVE, keys, &none, Pass);
    none.last().files.whole = false;
    expect(SENSITIVE, keys, &none, Inconclusive);
}

#[test]
fn a_reviewer_of_the_role_makes_an_agents_lines_fine() {
    let keys = "paths = [\"src/crypto\"]\nreviewer = \"auditor\"";
    let range = || Range::new().commit().file("src/crypto/a.rs", 3, 0, 0);
    let with = |commit, member, role| range().approved(commit, member, role);
    for (approved, verdict) in [
        (range(), Fail),
        (with(1, "rev@example.org", Role::Auditor), Pass),
        (with(1, "rev@example.org", Role::Admin), Fail),
        (with(2, "rev@example.org", Role::Auditor), Fail),
        // Nobody reviews their own.
        (with(1, DEV, Role::Auditor), Fail),
        (with(1, "DEV@example.org", Role::Auditor), Fail),
        (with(1, DEV, Role::Auditor).approved(1, "rev@example.org", Role::Auditor), Pass),
    ] {
        expect(SENSITIVE, keys, &approved, verdict);
        let mut more = approved.clone();
        more.0.approvals.whole = false;
        expect(SENSITIVE, keys, &more, if verdict == Pass { Pass } else { Inconclusive });
    }
    // Whoever recorded another's commit is no other.
    let mut picked = with(1, DEV, Role::Auditor);
    picked.last().author = "else@example.org".into();
    expect(SENSITIVE, keys, &picked, Fail);
    // Every commit is approved on its own.
    let two = with(1, "rev@example.org", Role::Auditor).commit().file("src/crypto/a.rs", 1, 0, 0);
    expect(SENSITIVE, keys, &two, Fail);
    expect(SENSITIVE, keys, &two.approved(2, "rev@example.org", Role::Auditor), Pass);
    let none = range().state(RecordState::Missing);
    expect(SENSITIVE, keys, &none, Inconclusive);
}
