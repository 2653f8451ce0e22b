//! "Why is this line so?": thirty questions of a repository with a past, and whether the story cites the turn that answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::server::Server;
use crate::support::World;

/// `tests/fixtures/questions.toml`.
#[derive(Deserialize)]
struct Table {
    scene: Vec<Scene>,
    question: Vec<Question>,
}

/// What happens: in a session, or by people and git.
#[derive(Deserialize)]
struct Scene {
    session: Option<String>,
    steps: Vec<Vec<String>>,
}

/// A line of a file, and the session and turn where the answer stands.
#[derive(Deserialize)]
struct Question {
    ask: (String, String),
    right: (String, u64),
}

/// So many of thirty must be answered, with so many sources at most, and so many on average.
const ENOUGH: usize = 28;
const MOST_SOURCES: usize = 12;
const USUAL_SOURCES: usize = 8;

impl Table {
    fn read() -> Table {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/questions.toml");
        let table: Table = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(table.question.len(), 30);
        table
    }

    /// Plays all of it in a new repository.
    fn play(&self) -> Team {
        let team = Team::new();
        {
            let (ada, work) = (&team.ada, team.work.as_path());
            let mut agents: BTreeMap<&str, Agent<'_>> = BTreeMap::new();
            for scene in &self.scene {
                ada.pass(3_600);
                let session = scene.session.as_deref();
                let agent = session.map(|name| &*agents.entry(name).or_insert_with(|| Agent::start(ada, work, name)));
                for step in &scene.steps {
                    let words: Vec<&str> = step.iter().map(String::as_str).collect();
                    match agent {
                        Some(agent) => done_by(agent, ada, work, &words),
                        None => done(ada, work, &words),
                    }
                }
                if let Some(agent) = agent {
                    agent.event("Stop", json!({}));
                }
            }
        }
        team
    }
}

/// A step of a session.
fn done_by(agent: &Agent<'_>, world: &World, work: &Path, step: &[&str]) {
    match step {
        ["prompt", text] => drop(agent.prompt(text)),
        ["think", text] => drop(agent.think(text)),
        ["say", text] => drop(agent.say(text)),
        ["plan", text] => drop(agent.plan(text)),
        ["write", file, text] => drop(agent.write(file, text)),
        ["edit", file, old, new] => drop(agent.edit(file, old, new)),
        ["ran", command, printed] => drop(agent.shell(command, printed, false)),
        ["failed", command, printed] => drop(agent.shell(command, printed, true)),
        other => done(world, work, other),
    }
}

/// A step of people's and git's.
fn done(world: &World, work: &Path, step: &[&str]) {
    match step {
        ["edit", file, old, new] => {
            let text = fs::read_to_string(work.join(file)).unwrap();
            assert!(text.contains(old), "{old:?} is not in {file}");
            fs::write(work.join(file), text.replacen(old, new, 1)).unwrap();
        }
        ["commit", subject] => drop(world.commit(work, subject)),
        ["git", args @ ..] => drop(world.git(work, args).ok()),
        other => panic!("no step: {other:?}"),
    }
}

/// The story of a line that is found by its text.
fn story(team: &Team, (file, text): &(String, String)) -> Value {
    let lines = fs::read_to_string(team.work.join(file)).unwrap();
    let found: Vec<usize> = lines.lines().enumerate().filter(|(_, line)| line == text).map(|(at, _)| at + 1).collect();
    let [line] = found[..] else { panic!("{text:?} is in {file} {} times:\n{lines}", found.len()) };
    team.ada.run(&team.work, ["story", "--json", &format!("{file}:{line}")]).json()
}

/// The sessions and turns that a story's sentences cite.
fn cited(story: &Value) -> BTreeSet<(String, u64)> {
    let turn = |source: &Value| Some((source["session"].as_str()?.to_owned(), source["turn"].as_u64()?));
    story["sources"].as_array().unwrap().iter().filter_map(turn).collect()
}

#[test]
fn the_right_turn_is_among_the_cited_sources() {
    let table = Table::read();
    let team = table.play();
    let (mut wrong, mut sources, mut turns) = (Vec::new(), 0, 0);
    for question in &table.question {
        let story = story(&team, &question.ask);
        let count = story["sources"].as_array().unwrap().len();
        assert!((1..=MOST_SOURCES).contains(&count), "{story:#}");
        every_sentence_has_its_sources(&story, count);
        let cited = cited(&story);
        (sources, turns) = (sources + count, turns + cited.len());
        if !cited.contains(&question.right) {
            wrong.push(format!("{:?} should cite {:?}: {cited:?}", question.ask.1, question.right));
        }
    }
    let asked = table.question.len();
    assert!(
        sources <= asked * USUAL_SOURCES,
        "{sources} sources of {asked} stories: the right one is no find among all"
    );
    assert!(turns <= asked * 4, "{turns} turns are cited by {asked} stories");
    let right = asked - wrong.len();
    eprintln!("{right} of {asked} right; {sources} sources, {turns} turns are cited");
    wrong.iter().for_each(|wrong| eprintln!("{wrong}"));
    assert!(right >= ENOUGH, "{right} of {asked}:\n{}", wrong.join("\n"));
}

#[test]
fn pages_find_the_same_turns() {
    let table = Table::read();
    let team = table.play();
    team.ada.git(&team.work, ["push", "--quiet", "--force", "origin", "HEAD:main"]).ok();
    let server = Server::start(&team.ada, &team.work, &["--repo", &format!("shop={}", team.remote.display())]);
    server.settle();
    for question in table.question.iter().step_by(5) {
        let (file, text) = &question.ask;
        let lines = fs::read_to_string(team.work.join(file)).unwrap();
        let line = lines.lines().position(|line| line == text).unwrap() + 1;
        let page = server.page(&format!("/r/shop/story/{file}?line={line}"));
        let turns = cited(&story(&team, &question.ask)).into_iter();
        for turn in turns.map(|(session, turn)| format!("turn {turn} of session {session}")) {
            assert!(page.contains(&turn), "{text}: {turn}\n{page}");
        }
    }
}

/// No sentence without a source, and no source that no sentence cites.
fn every_sentence_has_its_sources(story: &Value, count: usize) {
    let mut seen = BTreeSet::new();
    for section in story["sections"].as_array().unwrap() {
        for sentence in section["sentences"].as_array().unwrap() {
            let cites: Vec<u64> = sentence["cites"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
            assert!(!cites.is_empty() && cites.iter().all(|n| (1..=count as u64).contains(n)), "{sentence}");
            seen.extend(cites);
        }
    }
    assert_eq!(seen.len(), count, "{story:#}");
}
