//! The scenes of a session, read back turn by turn; what was said is redacted again before anything is cut from it.

use std::collections::HashSet;

use crate::git::repo::Repo;
use crate::id::{CallId, SessionId};
use crate::ledger::payload::Payloads;
use crate::ledger::query::Segment;
use crate::ledger::read_back::{Source, shell_diffs};
use crate::redaction::Redactor;
use crate::session::turns::{Step, Turn};
use crate::story::TurnId;
use crate::story::scene::Scene;

/// So many different things are told of what is missing of a session.
const MISSING: usize = 8;
/// What is held of a session: turns, calls and sentences. Of longer ones the oldest turns go that wrote nothing of what was asked for.
const TURNS: usize = 2000;
const CALLS: usize = 4000;
const REMARKS: usize = 10_000;

/// What scenes are read from, and for what.
pub struct Reading<'a> {
    pub repo: &'a Repo,
    pub store: &'a Payloads,
    /// Redacts once more what was said.
    pub redactor: &'a Redactor,
    /// The calls that the story is about.
    pub wanted: &'a HashSet<CallId>,
}

impl Reading<'_> {
    /// The turns of a session as scenes; adds what is missing of them.
    pub fn session(&self, segments: &[Segment<'_>], session: &SessionId, missing: &mut Vec<String>) -> Vec<Scene> {
        // What was found in another conversation is no business of this one.
        self.redactor.forget();
        let mut read = self.read(segments, session);
        if read.found {
            // What is known from a later turn may stand in an earlier one, which was read before it.
            read = self.read(segments, session);
        }
        if segments.is_empty() {
            read.miss("its record is not here".to_owned());
        }
        if read.held.dropped > 0 {
            read.miss(format!("its first {} turns that wrote none of it: it is too long", read.held.dropped));
        }
        if read.held.scenes.iter().any(|scene| scene.gap) {
            read.miss("its turns are counted without what is missing".to_owned());
        }
        missing.extend(read.missing.iter().map(|why| format!("session {session}: {why}")));
        read.held.scenes
    }

    fn read(&self, segments: &[Segment<'_>], session: &SessionId) -> Read {
        let mut read = Read::default();
        let (mut shells, more) = match self.wanted.is_empty() {
            true => Default::default(),
            false => shell_diffs(self.repo, self.store, segments, |call| self.wanted.contains(call)),
        };
        more.into_iter().for_each(|why| read.miss(why));
        for source in Source::all(segments) {
            let mut gap = false;
            for (at, mut turn) in source.turns(self.repo, self.store).enumerate() {
                for step in &mut turn.steps {
                    match step {
                        Step::Call(call) => call.diffs.extend(shells.remove(&call.id).unwrap_or_default()),
                        Step::Missing(why) => {
                            gap = true;
                            read.miss(why.clone());
                        }
                        _ => {}
                    }
                }
                read.found |= self.clean(&mut turn);
                let id = TurnId { session: session.clone(), source: source.name.to_owned(), number: at + 1 };
                let mut scene = Scene::of(id, &turn, self.wanted);
                scene.gap = gap;
                read.held.push(scene);
            }
        }
        read
    }

    /// Redacts a whole turn: of half a secret, where a text is cut, nobody could tell what it was.
    fn clean(&self, turn: &mut Turn) -> bool {
        let mut found = false;
        for text in turn.texts_mut() {
            found |= self.redactor.clean(text);
        }
        found
    }
}

/// What came of reading a session.
#[derive(Default)]
struct Read {
    held: Held,
    missing: Vec<String>,
    /// Whether something was redacted.
    found: bool,
}

impl Read {
    fn miss(&mut self, why: String) {
        if self.missing.len() < MISSING && !self.missing.contains(&why) {
            self.missing.push(why);
        }
    }
}

/// The scenes that are held, and how much is in them.
#[derive(Default)]
struct Held {
    scenes: Vec<Scene>,
    calls: usize,
    remarks: usize,
    dropped: usize,
}

impl Held {
    fn push(&mut self, scene: Scene) {
        (self.calls, self.remarks) = (self.calls + scene.deeds.len(), self.remarks + scene.remarks.len());
        self.scenes.push(scene);
        if self.is_over() {
            self.thin(|scene| !scene.wrote());
            // Whoever says of every call that it is the one that was asked for.
            self.thin(|_| true);
        }
    }

    /// Whether it is more than twice what is held: then it goes down to that, which is seldom work.
    fn is_over(&self) -> bool {
        self.scenes.len() > 2 * TURNS || self.calls > 2 * CALLS || self.remarks > 2 * REMARKS
    }

    /// Lets go of the oldest that may go, until what is left is not too much.
    fn thin(&mut self, may_go: impl Fn(&Scene) -> bool) {
        let mut kept = Vec::new();
        let mut rest = std::mem::take(&mut self.scenes).into_iter();
        let mut count = rest.len();
        while count > TURNS || self.calls > CALLS || self.remarks > REMARKS {
            let Some(scene) = rest.next() else { break };
            if may_go(&scene) {
                (self.calls, self.remarks) = (self.calls - scene.deeds.len(), self.remarks - scene.remarks.len());
                (count, self.dropped) = (count - 1, self.dropped + 1);
            } else {
                kept.push(scene);
            }
        }
        kept.extend(rest);
        self.scenes = kept;
    }
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
