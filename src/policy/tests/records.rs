//! `trace-completeness` and `model-allowlist`.

use super::*;
use Verdict::{Fail, Inconclusive, Pass};

const COMPLETE: &str = "trace-completeness";
const MODELS: &str = "model-allowlist";

#[test]
fn every_commit_needs_a_valid_record() {
    let states = [valid(None), valid(Some(3)), valid(Some(2)), valid(Some(1)), valid(Some(0))].into_iter();
    let states: Vec<RecordState> = states.chain(unrecorded()).collect();
    // By the level asked for; the default is 2.
    let expected = [
        ("min_link_level = 1", [Pass, Pass, Pass, Pass, Fail, Inconclusive, Fail, Fail]),
        ("min_link_level = 2", [Pass, Pass, Pass, Fail, Fail, Inconclusive, Fail, Fail]),
        ("", [Pass, Pass, Pass, Fail, Fail, Inconclusive, Fail, Fail]),
        ("min_link_level = 3", [Pass, Pass, Fail, Fail, Fail, Inconclusive, Fail, Fail]),
    ];
    for (keys, verdicts) in expected {
        for (state, verdict) in states.iter().zip(verdicts) {
            expect(COMPLETE, keys, &Range::new().commit().state(state.clone()), verdict);
            // One among others that are in order; and the worst of two.
            let among = Range::new().commit().commit().state(state.clone()).commit();
            expect(COMPLETE, keys, &among, verdict);
            for (other, also) in states.iter().zip(verdicts) {
                let two = Range::new().commit().state(state.clone()).commit().state(other.clone());
                expect(COMPLETE, keys, &two, verdict.max(also));
            }
        }
    }
    expect(COMPLETE, "", &Range::new(), Pass);
}

#[test]
fn only_models_that_are_listed_may_work_on_a_commit() {
    let allow = "allow = [\"anthropic/claude-*\", \"*/local-*\"]";
    let cases = [
        ("anthropic/claude-opus-5-5", Pass),
        ("anthropic/other", Fail),
        ("openai/claude-opus-5-5", Fail),
        ("claude-opus-5-5", Inconclusive),
        ("gpt-6", Fail),
        ("local-7b", Pass),
        ("ours/local-7b", Pass),
        ("", Inconclusive),
        ("anthropic/", Inconclusive),
    ];
    for (model, verdict) in cases {
        expect(MODELS, allow, &Range::new().commit().draw("s", model, 1, None), verdict);
        // The model of a line weighs as the models of a session do.
        let mut by_line = Range::new().commit().draw("s", "anthropic/claude-x", 1, None).file("a.rs", 3, 0, 0);
        let author = AgentLines { session: SessionId::from_agent("s"), model: Some(Model::named(model)), lines: 3 };
        by_line.last().files.known[0].agents.push(author);
        expect(MODELS, allow, &by_line, verdict);
        for (other, also) in cases {
            let two = Range::new().commit().draw("s", model, 1, None).commit().draw("t", other, 1, None);
            expect(MODELS, allow, &two, verdict.max(also));
            let one = Range::new().commit().draw("s", model, 1, None).draw("t", other, 1, None);
            expect(MODELS, allow, &one, verdict.max(also));
        }
    }
}

#[test]
fn a_model_that_nobody_names_is_not_allowed() {
    let allow = "allow = [\"anthropic/*\"]";
    let drawn = || Range::new().commit().draw("s", "anthropic/claude-opus-5-5", 1, None).file("a", 2, 0, 0);
    expect(MODELS, allow, &drawn(), Pass);
    expect(MODELS, allow, &Range::new(), Pass);
    expect(MODELS, allow, &Range::new().commit().file("a", 0, 1, 2), Pass);
    for state in unrecorded() {
        expect(MODELS, allow, &drawn().state(state.clone()), Inconclusive);
        expect(MODELS, allow, &Range::new().commit().state(state), Inconclusive);
    }
    let changed = |change: fn(&mut Commit)| {
        let mut range = drawn();
        change(range.last());
        range
    };
    expect(MODELS, allow, &changed(|commit| commit.draws.whole = false), Inconclusive);
    expect(MODELS, allow, &changed(|commit| commit.draws.known[0].models.whole = false), Inconclusive);
    expect(MODELS, allow, &changed(|commit| commit.draws.known.clear()), Inconclusive);
    let author = |session: &str| AgentLines { session: SessionId::from_agent(session), model: None, lines: 2 };
    for (session, verdict) in [("s", Pass), ("other", Inconclusive)] {
        let mut range = drawn();
        range.last().files.known[0].agents.push(author(session));
        expect(MODELS, allow, &range, verdict);
    }
    let mut nobody = Range::new().commit();
    nobody.last().lines = None;
    expect(MODELS, allow, &nobody, Inconclusive);
    // What is known to be wrong outweighs what is unknown.
    let wrong = Range::new().commit().draw("s", "openai/gpt-6", 1, None).commit().state(RecordState::Missing);
    expect(MODELS, allow, &wrong, Fail);
}

#[test]
fn a_model_that_only_a_line_names_is_told_with_its_file() {
    let mut range = Range::new().commit().draw("s", "anthropic/x", 1, None).file("a.rs", 3, 0, 0);
    let author =
        AgentLines { session: SessionId::from_agent("s"), model: Some(Model::named("openai/gpt-6")), lines: 3 };
    range.last().files.known[0].agents.push(author);
    let report = judge(MODELS, "allow = [\"anthropic/*\"]", &range);
    assert_eq!(report.findings[0].path, Some(path("a.rs")));
    assert!(report.findings[0].message.contains("openai/gpt-6"), "{report:#?}");
}
