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
        Scene::of(turn, &Turn { at: Some(at as i64 * 1000), asked, steps, ..Turn::default() }, &wanted)
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
        assert!(
            told[0].starts_with(begins) && told[0].ends_with("“Subject”; its message names Bea as reviewer"),
            "{told:?}"
        );
        assert!(told[1].starts_with("What stood there before was committed by Ada"), "{told:?}");
        assert_eq!((story.sections.len(), story.sources.len()), (1, 2));
    }
    let nothing = compose(&Material::about(About::Session { session: SessionId::from_agent("s") }));
    assert_eq!((nothing.sections, nothing.sources), (vec![], vec![]));
}

#[test]
fn a_session_is_no_line_whose_origin_is_told() {
    let about = About::Session { session: SessionId::from_agent("s") };
    let (id, time) = ("a".repeat(40).parse().unwrap(), Time::from_unix(0));
    let commit =
        |role| Commit {
            id, role, time, author: "Ada [7]".into(), subject: "ok” [7] “".into(), reviewers: Vec::new()
        };
    let material = Material { commits: vec![commit(Role::Brought)], ..Material::about(about) };
    let story = compose(&material);
    assert_eq!(told(&story, Kind::Changes), ["Committed by Ada (7) on 1970-01-01 as aaaaaaaaaaaa: “ok\" [7] \"”"]);
    let begins = Commit { role: Role::Begins, ..material.commits[0].clone() };
    let story = compose(&Material { commits: vec![begins], ..material });
    assert!(told(&story, Kind::Changes)[0].starts_with("What came before is not here"), "{story:?}");
}

#[test]
fn what_an_agent_was_told_is_not_what_the_developer_wrote() {
    let turns = || {
        vec![(
            "Make it fast. We go with lists rather than maps, because lists are short.",
            vec![call("w", "a", Outcome::Ok, "")],
        )]
    };
    for (human, who) in [(true, "The developer wrote"), (false, "The agent was told")] {
        let mut material = material("let lists = maps;", turns());
        material.scenes[0].asked.as_mut().unwrap().human = human;
        let story = compose(&material);
        assert!(told(&story, Kind::Decisions)[0].starts_with(who), "{story:?}");
    }
}

#[test]
fn a_long_session_tells_some_of_all_and_how_much_it_leaves_out() {
    let turn = |name: &'static str| {
        let steps = vec![
            Step::Reasoning(format!("We could use a queue for {name}.")),
            Step::Text(format!("I decided to use a {name} table, because {name} is small.")),
        ];
        (name, steps)
    };
    let names = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "theta", "iota", "kappa", "lambda", "my", "ny"];
    let mut turns: Vec<_> = names.into_iter().map(turn).collect();
    turns[5].1.push(call("1", "make test", Outcome::Failed, "error: zeta broke"));
    turns[5].1.push(Step::Text("Paging is left out for now.".into()));
    turns[5].1.push(Step::Plan("1. Do the zeta thing\n".into()));
    let mut material = material("", turns);
    material.about = About::Session { session: SessionId::from_agent(SESSION) };
    let commit = |n: u8| Commit {
        id: format!("{n:040x}").parse().unwrap(),
        role: Role::Brought,
        time: Time::from_unix(0),
        author: "Ada".into(),
        subject: format!("Build {n}"),
        reviewers: Vec::new(),
    };
    material.commits = (0..10).map(commit).collect();
    let story = compose(&material);
    for kind in [Kind::Need, Kind::Plan, Kind::Alternatives, Kind::Failures, Kind::Decisions, Kind::Changes, Kind::Open]
    {
        assert!(!told(&story, kind).is_empty(), "{kind:?}: {story:?}");
    }
    assert!(story.sources.len() <= 30);
    let left = story.missing.iter().find(|why| why.contains("no room")).unwrap();
    assert!(left.contains("more of “The need”"), "{left}");
}

#[test]
fn a_prompt_that_stands_in_two_sessions_is_told_once() {
    let mut material = material(
        "let totals = carts;",
        vec![
            ("Finance needs totals of carts.", vec![call("w", "a", Outcome::Ok, "")]),
            ("Finance needs totals of carts.", vec![]),
        ],
    );
    material.scenes[1].turn.session = SessionId::from_agent("resumed");
    assert_eq!(told(&compose(&material), Kind::Need).len(), 1);
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
