//! Where the turns of a session stand, as the index has it: a page of a long conversation reads the records that have its turns,
//! and no others.

use std::collections::{HashMap, HashSet};

use crate::id::{CallId, GitId};
use crate::index::{Held, Spoken};
use crate::ledger::query::Segment;
use crate::ledger::read_back::Source;
use crate::mirror::MirrorError;
use crate::mirror::transcript::{Shelves, Told, Window, add_shell_diffs, calls_in, segments, size};
use crate::record::body::PayloadClass;
use crate::session::turns::{Step, Turn};

/// A conversation of a session.
type Name<'s> = (&'s str, PayloadClass);

/// What one record has of one conversation.
struct Block<'s> {
    name: Name<'s>,
    record: &'s Held,
    /// The place of the first turn that begins here, and of the conversation's first one.
    first: usize,
    origin: usize,
    turns: usize,
    bytes: usize,
}

/// The conversations of a session, one after the other.
pub(super) struct Plan<'s> {
    spoken: &'s Spoken,
    blocks: Vec<Block<'s>>,
    /// How many turns there are.
    total: usize,
}

impl<'s> Plan<'s> {
    /// `None` where a record has to be read to know what is in it.
    pub(super) fn of(spoken: &'s Spoken) -> Option<Self> {
        if !spoken.amendments.is_empty() {
            return None;
        }
        let mut blocks = Vec::new();
        for record in &spoken.records {
            let block = |part: &'s crate::index::Part| Block {
                name: (part.source.as_str(), part.class),
                record,
                first: 0,
                origin: 0,
                turns: part.turns,
                bytes: part.bytes,
            };
            blocks.extend(record.outline.as_ref()?.parts.iter().map(block));
        }
        // The sort is stable: a conversation's blocks stay in the order of their records.
        blocks.sort_by_key(|block| (block.name.0 != "main", block.name));
        let mut total = 0;
        for conversation in blocks.chunk_by_mut(|one, other| one.name == other.name) {
            let origin = total;
            for block in conversation {
                (block.first, block.origin) = (total, origin);
                total += block.turns;
            }
        }
        Some(Plan { spoken, blocks, total })
    }

    /// The blocks that have all of the turns from this one on that are not larger than `bytes` together.
    fn around(&self, from: usize, bytes: usize) -> &[Block<'s>] {
        let Some(start) = self.blocks.iter().position(|block| block.first + block.turns > from) else { return &[] };
        let (mut end, mut room) = (start + 1, bytes);
        // Which of the first block's turns come before cannot be told: that they fill the window is not counted on. The last
        // turn ends where the next one begins.
        while let Some(block) = self.blocks.get(end) {
            end += 1;
            if room == 0 && block.turns > 0 {
                break;
            }
            room = room.saturating_sub(block.bytes);
        }
        &self.blocks[start..end]
    }

    /// Whether a conversation goes on behind this block.
    fn goes_on(&self, block: &Block<'_>) -> bool {
        self.blocks.iter().rev().find(|other| other.name == block.name).is_some_and(|last| last.record != block.record)
    }

    /// The records that tell of changes that these calls made.
    fn with_edits(&self, calls: &HashSet<CallId>) -> Vec<&GitId> {
        let tells =
            |record: &&Held| record.outline.iter().any(|outline| outline.edits.iter().any(|call| calls.contains(call)));
        self.spoken.records.iter().filter(tells).map(|record| &record.commit).collect()
    }
}

impl Shelves {
    /// The turns from this one on, as [`Shelves::turns`] has them; `None` where something is not here any more, or not for this
    /// reader: then all of it is to be read, as nobody knows how many turns that were.
    pub(super) fn planned(&self, plan: &Plan<'_>, from: usize, bytes: usize) -> Result<Option<Window>, MirrorError> {
        let mut window = Window { total: plan.total, missing: plan.spoken.notes(), ..Window::default() };
        let blocks = plan.around(from, bytes);
        let mut commits: Vec<&GitId> = blocks.iter().map(|block| &block.record.commit).collect();
        commits.sort_unstable();
        commits.dedup();
        let (entries, away) = self.read(&commits)?;
        let had = segments(&entries);
        let store = self.payloads(&had)?;
        let mut room = bytes;
        for conversation in blocks.chunk_by(|one, other| one.name == other.name) {
            let own = of(conversation, &had);
            let mut reading = Reading::new(conversation, &own);
            let source = Source::all(&own).into_iter().find(|source| (source.name, source.class) == reading.name);
            let mut turns = source.iter().flat_map(|source| source.turns(&self.ledger.repo, &store)).peekable();
            let is_cut = conversation.last().is_some_and(|last| plan.goes_on(last));
            while let Some(turn) = turns.next() {
                // What follows of it was not read.
                if is_cut && turns.peek().is_none() {
                    break;
                }
                if turn.steps.iter().any(|step| matches!(step, Step::Missing(_))) {
                    return Ok(None);
                }
                let Some(told) = reading.told(turn) else { continue };
                if told.place < from || (room == 0 && !window.turns.is_empty()) {
                    continue;
                }
                room = room.saturating_sub(size(&told.turn).max(1));
                window.turns.push(told);
            }
        }
        let (edits, more) = self.read(&plan.with_edits(&calls_in(&window)))?;
        if away + more > 0 {
            return Ok(None);
        }
        let had = segments(&edits);
        add_shell_diffs(&self.ledger, &self.payloads(&had)?, &had, &mut window);
        Ok(Some(window))
    }
}

/// The segments that these blocks are of.
fn of<'r>(blocks: &[Block<'_>], segments: &[Segment<'r>]) -> Vec<Segment<'r>> {
    let records: HashSet<&GitId> = blocks.iter().map(|block| &block.record.commit).collect();
    segments.iter().filter(|segment| records.contains(&segment.entry.commit)).copied().collect()
}

/// A conversation that is read from its middle.
struct Reading<'s> {
    name: Name<'s>,
    /// Of each segment the place of the next turn that begins in it.
    places: Vec<usize>,
    origin: usize,
    /// Whether what comes first may belong to a turn that began before.
    is_led: bool,
}

impl<'s> Reading<'s> {
    fn new(blocks: &[Block<'s>], segments: &[Segment<'_>]) -> Self {
        let first: HashMap<&GitId, usize> = blocks.iter().map(|block| (&block.record.commit, block.first)).collect();
        let place = |segment: &Segment<'_>| first.get(&segment.entry.commit).copied().unwrap_or_default();
        let Block { name, origin, first, .. } = blocks[0];
        Reading { name, places: segments.iter().map(place).collect(), origin, is_led: first > origin }
    }

    /// Where a turn stands; nothing, where it is the rest of one that began before.
    fn told(&mut self, turn: Turn) -> Option<Told> {
        let is_rest = std::mem::take(&mut self.is_led) && turn.asked.is_none();
        if is_rest {
            return None;
        }
        let next = &mut self.places[turn.part];
        let place = *next;
        *next += 1;
        Some(Told { source: self.name.0.to_owned(), number: place - self.origin + 1, place, turn })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;
    use crate::ledger::payload::Form;
    use crate::ledger::testing::Fixture;
    use crate::mirror::noted::Noted;
    use crate::mirror::transcript::Begin;
    use crate::signing::Reader;

    fn prompt(text: &str) -> String {
        format!("{{\"type\":\"user\",\"uuid\":\"{text}\",\"message\":{{\"content\":\"{text}\"}}}}\n")
    }

    fn answer(text: &str) -> String {
        let block = format!("{{\"type\":\"text\",\"text\":\"{text}\"}}");
        format!("{{\"type\":\"assistant\",\"message\":{{\"model\":\"m\",\"content\":[{block}]}}}}\n")
    }

    fn call(id: &str) -> String {
        let block =
            format!("{{\"type\":\"tool_use\",\"id\":\"{id}\",\"name\":\"Bash\",\"input\":{{\"command\":\"ls\"}}}}");
        format!("{{\"type\":\"assistant\",\"message\":{{\"model\":\"m\",\"content\":[{block}]}}}}\n")
    }

    fn edit(call: &str) -> String {
        format!(
            "{{\"call\":\"{call}\",\"tool\":\"Bash\",\"path\":\"a\",\"added\":1,\"removed\":0,\"diff\":\"+{call}\"}}\n"
        )
    }

    /// A session of several records: turns that go on from one to the next, a subagent, changes that are told later.
    fn session(fixture: &Fixture) -> (Shelves, Spoken) {
        let key = fixture.people.developer.clone();
        let (main, edits) = (PayloadClass::Transcript, PayloadClass::Edits);
        let told = [
            vec![(main, answer("before") + &prompt("one") + &call("c1"))],
            vec![(main, answer("still one")), (main, prompt("of a subagent") + &answer("yes"))],
            vec![(
                main,
                answer("and one") + &prompt("two") + &call("c2") + &prompt("three") + &answer(&"x".repeat(300)),
            )],
            vec![(main, String::new()), (edits, edit("c2") + &edit("c1"))],
            vec![(main, prompt("four") + &answer("4")), (main, answer("more of it") + &prompt("again"))],
            vec![(main, answer("4 at last"))],
        ];
        let held = |(at, texts): (usize, &Vec<_>)| {
            let commit = fixture.session_of(Form::Salted(&|| [7; 32]), &key, at as u64 + 10, texts);
            Held { commit, chain: key.chain().to_string(), seq: at as i64 + 100, outline: None }
        };
        let records = told.iter().enumerate().map(held).collect();
        let shelves = Shelves::of(Ledger::of(fixture.ledger.repo.for_thread()).unwrap(), Reader::default()).unwrap();
        (shelves, Spoken { records, ..Spoken::default() })
    }

    fn noted(shelves: &Shelves, spoken: &Spoken) -> Spoken {
        let records = shelves.words(spoken).unwrap().read;
        assert!(records.iter().all(|held| held.outline.is_some()), "{records:?}");
        Spoken { records, ..spoken.clone() }
    }

    /// Of which part of what was read a turn is says nothing to whoever sees it.
    fn shown(mut window: Window) -> Window {
        window.turns.iter_mut().for_each(|told| told.turn.part = 0);
        window
    }

    #[test]
    fn a_part_that_is_read_from_its_records_alone_is_the_same_part() {
        let fixture = Fixture::of_each_type();
        let (shelves, spoken) = session(&fixture);
        let known = noted(&shelves, &spoken);
        let plan = Plan::of(&known).unwrap();
        assert!(Plan::of(&spoken).is_none());
        assert_eq!(plan.total, 7);
        let mut fewer = 0;
        for from in 0..9 {
            for bytes in [1, 5, 20, 100, 400, 100_000] {
                let whole = shelves.whole(&spoken, &Begin::Turn(from), bytes, None).unwrap();
                let planned = shelves.planned(&plan, from, bytes).unwrap().unwrap();
                assert_eq!(shown(planned), shown(whole), "{bytes} bytes from {from}");
                fewer += usize::from(plan.around(from, bytes).len() < plan.blocks.len());
            }
        }
        assert!(fewer > 30, "{fewer}: most parts are of few records");
        let all = shelves.planned(&plan, 0, 100_000).unwrap().unwrap();
        let changes = all.turns.iter().flat_map(|told| &told.turn.steps);
        let changes = changes.filter(|step| matches!(step, Step::Call(call) if !call.diffs.is_empty()));
        assert_eq!(changes.count(), 2);
    }

    #[test]
    fn what_went_missing_is_told_as_before() {
        let fixture = Fixture::of_each_type();
        let (shelves, spoken) = session(&fixture);
        let known = noted(&shelves, &spoken);
        let chain = fixture.people.developer.chain();
        let shelf = fixture.ledger.prefix.payload(PayloadClass::Transcript, &"2026-01".parse().unwrap(), chain);
        assert!(fixture.ledger.repo.find_ref(&shelf).unwrap().is_some());
        fixture.set_ref(&shelf, None);
        let shelves = Shelves::of(Ledger::of(fixture.ledger.repo.for_thread()).unwrap(), Reader::default()).unwrap();
        assert_eq!(shelves.planned(&Plan::of(&known).unwrap(), 0, 1000).unwrap(), None);
        let window = shelves.turns(&known, &Begin::Turn(0), 1000).unwrap();
        assert_eq!(window, shelves.turns(&spoken, &Begin::Turn(0), 1000).unwrap());
        assert!(window.turns[0].turn.steps.iter().all(|step| matches!(step, Step::Missing(_))), "{window:?}");
        // And nothing of it is noted.
        assert!(shelves.words(&spoken).unwrap().read.iter().any(|held| held.outline.is_none()));
        let unread = |_| Noted::default().of(&spoken, &Window::default());
        assert!(unread(()).iter().all(|held| held.outline.is_none()));
    }
}
