//! The scenes of a session, read back turn by turn; what was said is redacted again by the newest rules.

use std::collections::HashSet;

use crate::git::repo::Repo;
use crate::id::{CallId, SessionId};
use crate::ledger::again;
use crate::ledger::payload::Payloads;
use crate::ledger::query::Segment;
use crate::ledger::read_back::{Source, shell_diffs};
use crate::session::turns::{Step, Turn};
use crate::story::TurnId;
use crate::story::scene::Scene;

/// So many scenes of a session are held; of longer ones the oldest go that wrote nothing of what was asked for.
const MOST: usize = 2000;
/// So many different things are told of what is missing.
const MISSING: usize = 8;

/// The turns of a session as scenes; `wanted` are the calls that the story is about.
pub fn read(
    repo: &Repo,
    store: &Payloads,
    segments: &[Segment<'_>],
    session: &SessionId,
    wanted: &HashSet<CallId>,
    missing: &mut Vec<String>,
) -> Vec<Scene> {
    let mut add = |why: String| {
        if missing.len() < MISSING && !missing.contains(&why) {
            missing.push(why);
        }
    };
    if segments.is_empty() {
        add(format!("the record of session {session} is not here"));
    }
    let (mut shells, more) = shell_diffs(repo, store, segments, |call| wanted.contains(call));
    more.into_iter().for_each(&mut add);
    let mut scenes = Vec::new();
    for source in Source::all(segments) {
        for (at, mut turn) in source.turns(repo, store).enumerate() {
            for step in &mut turn.steps {
                match step {
                    Step::Call(call) => call.diffs.extend(shells.remove(&call.id).unwrap_or_default()),
                    Step::Missing(why) => add(why.clone()),
                    _ => {}
                }
            }
            scenes.push(scene(session, source.name, at + 1, &turn, wanted));
            thin(&mut scenes);
        }
    }
    scenes
}

/// A turn as a scene, redacted once more.
pub fn scene(session: &SessionId, source: &str, number: usize, turn: &Turn, wanted: &HashSet<CallId>) -> Scene {
    let id = TurnId { session: session.clone(), source: source.to_owned(), number };
    let mut scene = Scene::of(id, turn, wanted);
    again::forget();
    for text in scene.texts_mut() {
        again::redact(text);
    }
    scene
}

fn thin(scenes: &mut Vec<Scene>) {
    if scenes.len() < 2 * MOST {
        return;
    }
    let mut spare = scenes.len() - MOST;
    scenes.retain(|scene| {
        let goes = spare > 0 && !scene.wrote();
        spare -= usize::from(goes);
        !goes
    });
}

/// Puts scenes of several sessions and subagents into the order in which they happened; one without a time stays behind the
/// one that it followed.
pub fn order(scenes: &mut [Scene]) {
    let mut last = None;
    for scene in scenes.iter_mut() {
        scene.time = scene.time.or(last);
        last = scene.time;
    }
    scenes.sort_by_key(|scene| scene.time);
}
