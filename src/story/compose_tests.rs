//! Composed stories of made-up turns: what is told, what is left out, and that no sentence stands without a source.

use std::collections::HashSet;

use proptest::prelude::*;

use crate::id::{CallId, SessionId};
use crate::session::entry::Outcome;
use crate::session::turns::{Asked, Call, Step, Turn};
use crate::story::compose::compose;
use crate::story::material::{Commit, Material, Origin, Role, Writer};
use crate::story::scene::Scene;
use crate::story::{About, Kind, Place, Story, TurnId};
use crate::time::Time;

const SESSION: &str = "s";

fn call(id: &str, input: &str, outcome: Outcome, result: &str) -> Step {
    Step::Call(Call {
        id: CallId::from_agent(id),
        tool: "Bash".into(),
        input: input.into(),
        outcome: Some(outcome),
        result: result.into(),
        diffs: Vec::new(),
    })
}

/// A conversation of prompts, each with its steps; call `w` wrote the line.
fn material(line: &str, turns: Vec<(&str, Vec<Step>)>) -> Material {
    let session = SessionId::from_agent(SESSION);
    let wanted = HashSet::from([CallId::from_agent("w")]);
    let scene = |(at, (asked, steps)): (usize, (&str, Vec<Step>))| {
        let turn = TurnId { session: session.clone(), source: "main".into(), number: at + 1 };
        let asked = Some(Asked { text: asked.into(), human: true });
        Scene::of(turn, &Turn { at: Some(at as i64 * 1000), asked, steps, omitted: 0 }, &wanted)
    };
    let writer =
        Writer { session: session.clone(), call: CallId::from_agent("w"), agent: Some("agent".into()), model: None };
    Material {
        files: vec!["src/a.rs".into()],
        origin: Origin::Agent,
        writers: vec![writer],
        scenes: turns.into_iter().enumerate().map(scene).collect(),
        ..Material::about(About::Line { file: "src/a.rs".into(), line: 1, text: line.into() })
    }
}

fn told(story: &Story, kind: Kind) -> Vec<&str> {
    let sentences = story.sections.iter().filter(|section| section.kind == kind).flat_map(|section| &section.sentences);
    sentences.map(|sentence| sentence.text.as_str()).collect()
}

#[test]
fn what_has_nothing_to_do_with_a_line_is_left_out() {
    let story = compose(&material(
        "let limit = bucket.limit();",
        vec![
            ("Which colour has the button?", vec![Step::Text("I decided to use blue, because of the brand.".into())]),
            (
                "Clients flood the server with requests.",
                vec![
                    Step::Reasoning(
                        "A bucket with a limit is better here; we could also drop packets in the kernel.".into(),
                    ),
                    call("w", "src/a.rs", Outcome::Ok, ""),
                    call("1", "cargo test", Outcome::Failed, "running\nerror: bucket is empty"),
                    call("2", "cargo test", Outcome::Ok, "ok"),
                ],
            ),
            ("Now the footer.", vec![call("3", "make footer", Outcome::Failed, "no rule")]),
        ],
    ));
    assert_eq!(told(&story, Kind::Need), ["The developer asked: “Clients flood the server with requests.”"]);
    assert_eq!(told(&story, Kind::Failures), ["Bash `cargo test` failed: “error: bucket is empty”; later it passed."]);
    assert_eq!(told(&story, Kind::Decisions).len(), 1);
    assert_eq!(told(&story, Kind::Writing), ["agent wrote it by Bash `src/a.rs`, in turn 2 of session s."]);
    let turns = story.sources.iter().filter_map(|source| match &source.place {
        Place::Said { turn, .. } | Place::Call { turn, .. } => Some(turn.number),
        Place::Commit { .. } => None,
    });
    assert!(turns.into_iter().all(|turn| turn == 2), "{story:?}");
}

#[test]
fn what_the_writing_mended_is_told() {
    let test = |id, outcome| call(id, "cargo test", outcome, "panicked at x");
    let story = compose(&material(
        "y",
        vec![
            ("First things.", vec![test("1", Outcome::Failed)]),
            ("Other things.", vec![call("w", "src/a.rs", Outcome::Ok, ""), test("2", Outcome::Ok)]),
            ("Last things.", vec![test("3", Outcome::Failed)]),
        ],
    ));
    assert_eq!(told(&story, Kind::Failures), [] as [&str; 0], "it last failed");
    let story = compose(&material(
        "y",
        vec![
            ("First things.", vec![test("1", Outcome::Failed)]),
            ("Other things.", vec![call("w", "src/a.rs", Outcome::Ok, ""), test("2", Outcome::Ok)]),
        ],
    ));
    assert_eq!(told(&story, Kind::Failures).len(), 1, "{story:?}");
}

#[test]
fn a_prompt_that_points_back_brings_what_it_points_to() {
    let story = compose(&material(
        "x += 1;",
        vec![
            (
                "Pages are slow.",
                vec![Step::Text("I'd go with an index rather than a cache, since caches go stale.".into())],
            ),
            ("Yes, do that.", vec![call("w", "src/a.rs", Outcome::Ok, "")]),
        ],
    ));
    assert_eq!(told(&story, Kind::Need).len(), 2, "{story:?}");
    assert!(told(&story, Kind::Decisions)[0].contains("an index rather than a cache"), "{story:?}");
}

#[test]
fn a_line_without_an_agent_has_its_commits() {
    let commit = |n: u8, role| Commit {
        id: format!("{n:040x}").parse().unwrap(),
        role,
        time: Time::from_unix(0),
        author: "Ada".into(),
        subject: "Subject".into(),
        reviewers: vec!["Bea".into()],
    };
    for (origin, begins) in [
        (Origin::Human, "A person has said that they wrote it; committed by Ada on 1970-01-01"),
        (Origin::Unattributed, "No agent is known to have written it; committed by Ada"),
        (Origin::Unknown, "Whose it is is not known; committed by Ada"),
    ] {
        let commits = vec![commit(1, Role::Brought), commit(2, Role::Before)];
        let about = About::Line { file: "a".into(), line: 1, text: String::new() };
        let story = compose(&Material { origin, commits, ..Material::about(about) });
        let told = told(&story, Kind::Changes);
        assert!(told[0].starts_with(begins) && told[0].ends_with("“Subject”, reviewed by Bea"), "{told:?}");
        assert!(told[1].starts_with("What stood there before was committed by Ada"), "{told:?}");
        assert_eq!((story.sections.len(), story.sources.len()), (1, 2));
    }
    let nothing = compose(&Material::about(About::Session { session: SessionId::from_agent("s") }));
    assert_eq!((nothing.sections, nothing.sources), (vec![], vec![]));
}

#[test]
fn a_session_tells_what_was_left_failing() {
    let mut material = material("", vec![("Do it.", vec![call("1", "cargo test", Outcome::Failed, "no")])]);
    material.about = About::Session { session: SessionId::from_agent(SESSION) };
    assert_eq!(told(&compose(&material), Kind::Open), ["`cargo test` was last seen failing."]);
}

fn any_step() -> impl Strategy<Value = Step> {
    let text = "[a-z ]{0,30}(I decided to use|because|we could|TODO|instead of)?[ a-z.\n]{0,30}";
    prop_oneof![
        text.prop_map(Step::Text),
        text.prop_map(Step::Reasoning),
        text.prop_map(Step::Plan),
        ("[a-w]", "[a-z]{0,9}", any::<bool>())
            .prop_map(|(id, input, ok)| { call(&id, &input, if ok { Outcome::Ok } else { Outcome::Failed }, "error") }),
    ]
}

proptest! {
    #[test]
    fn every_sentence_has_sources_and_every_source_a_sentence(
        turns in proptest::collection::vec(("[a-z ]{0,40}", proptest::collection::vec(any_step(), 0..6)), 0..8),
        line in "[a-z ]{0,20}",
    ) {
        let material = material(&line, turns.iter().map(|(asked, steps)| (asked.as_str(), steps.clone())).collect());
        let story = compose(&material);
        let cited: HashSet<usize> = story.sections.iter().flat_map(|section| &section.sentences)
            .flat_map(|sentence| sentence.cites.iter().map(|number| number.get())).collect();
        prop_assert_eq!(cited.len(), story.sources.len());
        prop_assert!(cited.iter().all(|number| (1..=story.sources.len()).contains(number)));
        prop_assert!(story.sources.len() <= 12);
        prop_assert_eq!(compose(&material), story);
    }
}
