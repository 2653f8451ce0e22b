//! What became of commands that were run again: all calls are looked at once, however many of them failed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound::Excluded;

use crate::id::SessionId;
use crate::session::entry::Outcome;
use crate::story::scene::{Deed, Scene};

/// A call, where it was made.
#[derive(Debug, Clone, Copy)]
pub struct Run<'m> {
    pub scene: &'m Scene,
    pub deed: &'m Deed,
    when: When,
}

/// When a call was made: by the clock where the transcript tells it, then by its place.
type When = (Option<i64>, (usize, usize));

/// Calls of which it can be told which came first: those of a session that have a time, else those of one conversation.
type Line<'m> = (&'m SessionId, Option<&'m str>);

/// The calls of some scenes, which stand in order.
#[derive(Debug, Default)]
pub struct Runs<'m> {
    failed: Vec<Run<'m>>,
    /// The last run of each command: of a tool and what it was asked.
    last: HashMap<(Line<'m>, &'m str, &'m str), Run<'m>>,
    wanted: BTreeMap<Line<'m>, BTreeSet<When>>,
}

impl<'m> Run<'m> {
    fn line(&self) -> Line<'m> {
        let turn = &self.scene.turn;
        (&turn.session, self.deed.at.is_none().then_some(turn.source.as_str()))
    }
}

impl<'m> Runs<'m> {
    pub fn of(scenes: &'m [Scene]) -> Self {
        let mut runs = Runs::default();
        for (place, scene) in scenes.iter().enumerate() {
            for (nth, deed) in scene.deeds.iter().enumerate() {
                runs.take_in(Run { scene, deed, when: (deed.at, (place, nth)) });
            }
        }
        runs
    }

    fn take_in(&mut self, run: Run<'m>) {
        if run.deed.failed() {
            self.failed.push(run);
        }
        if run.deed.wanted {
            self.wanted.entry(run.line()).or_default().insert(run.when);
        }
        let last = self.last.entry((run.line(), &run.deed.tool, &run.deed.input)).or_insert(run);
        if last.when < run.when {
            *last = run;
        }
    }

    /// The calls that failed, in order.
    pub fn failed(&self) -> &[Run<'m>] {
        &self.failed
    }

    /// The last run of the same command, if that came later and was fine.
    pub fn passed_later(&self, failed: &Run<'m>) -> Option<Run<'m>> {
        let last = self.last.get(&(failed.line(), &*failed.deed.tool, &*failed.deed.input))?;
        (last.when > failed.when && last.deed.outcome == Some(Outcome::Ok)).then_some(*last)
    }

    /// Whether a call that was asked for was made after a run that failed, and before the same command was fine.
    pub fn mended(&self, failed: &Run<'m>) -> bool {
        let Some(passed) = self.passed_later(failed) else { return false };
        let wanted = self.wanted.get(&failed.line());
        wanted.is_some_and(|all| all.range((Excluded(failed.when), Excluded(passed.when))).next().is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::id::CallId;
    use crate::session::turns::{Call, Step, Turn};
    use crate::story::TurnId;

    /// A turn of a conversation with one call of `make test`, at this time.
    fn scene(source: &str, at: Option<i64>, outcome: Outcome) -> Scene {
        let turn = TurnId { session: SessionId::from_agent("s"), source: source.into(), number: 1 };
        let call = Call {
            id: CallId::from_agent("c"),
            tool: "Bash".into(),
            input: "make test".into(),
            outcome: Some(outcome),
            result: String::new(),
            diffs: Vec::new(),
        };
        let told = Turn { steps: vec![Step::Call(call)], times: vec![at], ..Turn::default() };
        Scene::of(turn, &told, &HashSet::new())
    }

    #[test]
    fn a_check_passed_later_only_if_it_ran_later() {
        use Outcome::{Failed, Ok};
        for (scenes, passed) in [
            // The turns begin in one order, their calls run in another.
            (vec![scene("main", Some(110), Failed), scene("sub", Some(10), Ok)], false),
            (vec![scene("main", Some(110), Failed), scene("sub", Some(210), Ok)], true),
            (vec![scene("sub", Some(210), Ok), scene("main", Some(110), Failed)], true),
            (vec![scene("main", None, Failed), scene("sub", None, Ok)], false),
            (vec![scene("main", None, Failed), scene("main", None, Ok)], true),
            (vec![scene("main", None, Ok), scene("main", None, Failed)], false),
        ] {
            let runs = Runs::of(&scenes);
            assert_eq!(runs.passed_later(&runs.failed()[0]).is_some(), passed, "{scenes:?}");
        }
    }

    #[test]
    fn many_failures_are_one_look() {
        let scenes: Vec<Scene> = (0..40_000).map(|at| scene("main", Some(at), Outcome::Failed)).collect();
        let runs = Runs::of(&scenes);
        assert_eq!(runs.failed().iter().filter(|run| runs.mended(run)).count(), 0);
    }
}
