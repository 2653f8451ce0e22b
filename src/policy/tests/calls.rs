//! `required-tool` and `conditional-tool`.

use super::*;
use Verdict::{Fail, Inconclusive, Pass};

const REQUIRED: &str = "required-tool";
const CONDITIONAL: &str = "conditional-tool";
const CARGO: &str = "programs = [\"cargo\"]";

fn drawn() -> Range {
    Range::new().commit().file("a.rs", 3, 0, 0).draw("s", "anthropic/x", 1, None).edited(1000)
}

#[test]
fn a_call_counts_after_the_last_edit() {
    for (at, failed, verdict) in [
        (&[][..], 0, Fail),
        (&[], 3, Fail),
        (&[999], 0, Fail),
        (&[1], 0, Fail),
        (&[1001], 0, Pass),
        (&[1001], 9, Pass),
        (&[1, 2000], 0, Pass),
        // In the same millisecond: before or after.
        (&[1000], 0, Inconclusive),
    ] {
        let range = drawn().program("cargo", at, failed);
        expect(REQUIRED, CARGO, &range, verdict);
        expect(CONDITIONAL, &format!("{CARGO}\npaths = [\"*.rs\"]"), &range, verdict);
        expect(CONDITIONAL, &format!("{CARGO}\npaths = [\"*.py\"]"), &range, Pass);
        // Whenever it was: any call will do.
        let whenever = format!("{CARGO}\nafter_last_edit = false");
        expect(REQUIRED, &whenever, &range, if at.is_empty() { Fail } else { Pass });
    }
    expect(REQUIRED, CARGO, &drawn(), Fail);
    expect(REQUIRED, CARGO, &drawn().program("cargo-nextest", &[2000], 0), Fail);
}

#[test]
fn every_kind_of_thing_is_looked_for_in_its_own_list() {
    type Uses = fn(&mut Session) -> &mut Partly<Vec<Use>>;
    let kinds: [(&str, Uses); 4] = [
        ("tools", |session| &mut session.tools),
        ("skills", |session| &mut session.skills),
        ("mcp_tools", |session| &mut session.mcp_tools),
        ("programs", |session| &mut session.programs),
    ];
    for (key, _) in kinds {
        for (other, list) in kinds {
            let range = drawn().session(|session| list(session).known.push(called("x", &[2000], 0)));
            expect(REQUIRED, &format!("{key} = [\"x\"]"), &range, if key == other { Pass } else { Fail });
            let both =
                format!("{key} = [\"x\"]\n{}", if key == "tools" { "skills = [\"y\"]" } else { "tools = [\"y\"]" });
            expect(REQUIRED, &both, &range, Fail);
            // A list that was cut may have held it.
            let cut = drawn().session(|session| list(session).whole = false);
            expect(REQUIRED, &format!("{key} = [\"x\"]"), &cut, if key == other { Inconclusive } else { Fail });
        }
    }
}

#[test]
fn what_is_not_known_does_not_count() {
    let changed = |change: fn(&mut Session)| drawn().program("cargo", &[2000], 1).session(change);
    for (range, verdict) in [
        (changed(|_| ()), Pass),
        (changed(|session| session.last_edit = LastEdit::Unknown), Inconclusive),
        (changed(|session| session.last_edit = LastEdit::Never), Pass),
        // Records that count calls and tell no times.
        (changed(|session| session.programs.known[0].succeeded_at.clear()), Inconclusive),
        // Records that count runs and tell no outcome.
        (
            changed(|session| {
                session.programs.known[0] = Use { succeeded: Partly::part(0), ..called("cargo", &[], 0) }
            }),
            Inconclusive,
        ),
        (changed(|session| session.programs.known[0].succeeded.whole = false), Pass),
        (changed(|session| session.programs.known[0] = called("cargo", &[], 4)), Fail),
    ] {
        expect(REQUIRED, CARGO, &range, verdict);
    }
    let gone = |mut range: Range| {
        range.0.sessions.clear();
        range
    };
    expect(REQUIRED, CARGO, &gone(drawn()), Inconclusive);
    for state in unrecorded() {
        // Another commit, of which nobody knows whether it was edited after the call.
        let range = drawn().program("cargo", &[2000], 0).commit().state(state.clone());
        expect(REQUIRED, CARGO, &range, Inconclusive);
        expect(REQUIRED, &format!("{CARGO}\nafter_last_edit = false"), &range, Pass);
        expect(REQUIRED, CARGO, &Range::new().commit().state(state), Inconclusive);
    }
    let mut range = drawn().program("cargo", &[2000], 0);
    range.last().draws.whole = false;
    expect(REQUIRED, CARGO, &range, Inconclusive);
}

#[test]
fn any_session_may_call_after_the_last_edit_of_all() {
    let two = |edited: i64, called: i64| {
        drawn().commit().draw("t", "anthropic/x", 1, None).edited(edited).program("cargo", &[called], 0)
    };
    expect(REQUIRED, CARGO, &two(500, 1500), Pass);
    expect(REQUIRED, CARGO, &two(2000, 1500), Fail);
    expect(REQUIRED, CARGO, &two(2000, 2500), Pass);
    expect(REQUIRED, CARGO, &two(500, 700), Fail);
    // The session that ran it need not be drawn on.
    let mut reviewed = two(9999, 1500);
    reviewed.last().draws.known.clear();
    expect(REQUIRED, CARGO, &reviewed, Pass);
}

#[test]
fn required_is_asked_of_agents_and_conditional_of_everybody() {
    let human = || Range::new().commit().file("db/1.sql", 0, 3, 2);
    expect(REQUIRED, CARGO, &Range::new(), Pass);
    expect(REQUIRED, CARGO, &human(), Pass);
    expect(REQUIRED, CARGO, &Range::new().commit().file("a", 1, 0, 0), Fail);
    let sql = "programs = [\"sqlfluff\"]\npaths = [\"db/**\"]";
    expect(CONDITIONAL, sql, &human(), Fail);
    expect(CONDITIONAL, sql, &Range::new().commit().file("src/a", 9, 0, 0), Pass);
    // A file that was only shortened has changed.
    expect(CONDITIONAL, sql, &Range::new().commit().file("db/1.sql", 0, 0, 0), Fail);
    expect(CONDITIONAL, sql, &Range::new().commit().cut(0, 0, 0), Inconclusive);
    expect(CONDITIONAL, sql, &human().commit().state(RecordState::Missing), Inconclusive);
    let mut other = Range::new().commit().file("src/a", 0, 0, 0).state(RecordState::Missing);
    expect(CONDITIONAL, sql, &other, Pass);
    other.last().files.whole = false;
    expect(CONDITIONAL, sql, &other, Inconclusive);
}

#[test]
fn so_many_calls_are_asked_for() {
    for min in 1..=4u64 {
        for before in 0..=3usize {
            for after in 0..=5usize {
                let times: Vec<i64> = vec![1; before].into_iter().chain(vec![2000; after]).collect();
                let range = drawn().program("cargo", &times, 2);
                let keys = format!("{CARGO}\npaths = [\"*.rs\"]\nmin_calls = {min}");
                expect(CONDITIONAL, &keys, &range, if after as u64 >= min { Pass } else { Fail });
                let keys = format!("{keys}\nafter_last_edit = false");
                expect(CONDITIONAL, &keys, &range, if (before + after) as u64 >= min { Pass } else { Fail });
            }
        }
    }
    let report = judge(
        CONDITIONAL,
        &format!("{CARGO}\npaths = [\"*.rs\"]\nmin_calls = 3"),
        &drawn().program("cargo", &[2000], 2),
    );
    assert_eq!(
        report.findings[0].message,
        "commit 000000000000, a.rs: program cargo must have succeeded 3 times after the last edit: 1 such call found \
         (1 succeeded in all, 2 failed) (rule r)"
    );
}
