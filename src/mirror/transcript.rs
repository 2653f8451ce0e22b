//! A session's conversation, read back from a mirror: only the records and the shelves it needs are opened.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};

use crate::id::{CallId, GitId, SessionId};
use crate::index::{Spoken, Words};
use crate::ledger::access::Purpose;
use crate::ledger::copies::Copies;
use crate::ledger::payload::Payloads;
use crate::ledger::query::Segment;
use crate::ledger::read_back::{Source, find_call, shell_diffs};
use crate::ledger::replaced::Instead;
use crate::ledger::story::scenes::Reading;
use crate::ledger::verify::Entry;
use crate::ledger::{Ledger, again as newest};
use crate::mirror::noted::Noted;
use crate::mirror::window::Plan;
use crate::mirror::{Mirror, MirrorError, again};
use crate::record::body::Shelf;
use crate::session::failures::{Failure, failures};
use crate::session::turns::{Step, Turn, shortened_to};
use crate::signing::Reader;
use crate::story::scene::Scene;

/// So much of a session is read for its words, in bytes; so much of what was said can be searched for, and so much of a prompt
/// is its title.
const MAX_READ: usize = 2 << 20;
const MAX_WORDS: usize = 128 << 10;
const MAX_TITLE: usize = 300;

/// Where in a conversation to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// At a turn, counted from 0.
    Turn(usize),
    /// At the turn that made this call.
    Call(CallId),
}

impl Begin {
    fn is_at(&self, place: usize, turn: &Turn) -> bool {
        match self {
            Begin::Turn(from) => place >= *from,
            Begin::Call(call) => turn.steps.iter().any(|step| matches!(step, Step::Call(known) if known.id == *call)),
        }
    }
}

/// A part of a conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Window {
    pub turns: Vec<Told>,
    /// Whether some of it could be read only with this server's identity.
    pub opened: bool,
    /// How many turns there are in all.
    pub total: usize,
    /// What is missing of it, as the program says.
    pub missing: Vec<String>,
    /// In so many texts the newest rules found what was stored when there were older ones.
    pub redacted_again: usize,
}

/// A turn, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// `main`, or the subagent's id.
    pub source: String,
    /// Counted from 1 within the source.
    pub number: usize,
    /// Counted from 0 within the session.
    pub place: usize,
    pub turn: Turn,
}

/// A call in its conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// Prompts before, and last the turn that made the call.
    pub turns: Vec<Told>,
    /// Which step of that turn it is.
    pub step: usize,
}

/// A mirror that is open for reading.
pub struct Shelves {
    pub(super) ledger: Ledger,
    /// Listed when something is to be opened: of many sessions nothing is stored, and refs are many.
    copies: OnceCell<Copies>,
    reader: Reader,
}

impl Mirror {
    /// Opens what was said, as it is here now.
    ///
    /// What is encrypted stays closed for those who read their own alone: a writer can name another's pieces.
    pub fn closed_shelves(&self) -> Result<Shelves, MirrorError> {
        Ok(Shelves { reader: Reader::default(), ..self.shelves()? })
    }

    /// The same, with what this server's identity opens.
    pub fn shelves(&self) -> Result<Shelves, MirrorError> {
        Shelves::of(Ledger::of(self.open()?)?, self.reader.clone())
    }
}

impl Shelves {
    /// What was said in the sessions of a ledger, as far as a reader may know it.
    pub fn of(ledger: Ledger, reader: Reader) -> Result<Self, MirrorError> {
        Ok(Shelves { ledger, copies: OnceCell::new(), reader })
    }

    fn copies(&self) -> Result<&Copies, MirrorError> {
        match self.copies.get() {
            Some(copies) => Ok(copies),
            None => {
                let copies = Copies::list(&self.ledger)?;
                Ok(self.copies.get_or_init(|| copies))
            }
        }
    }

    /// The turns of a session from where to begin on, as many as are not larger than `bytes` together, and at least one, if it
    /// gets there.
    pub fn turns(&self, spoken: &Spoken, begin: &Begin, bytes: usize) -> Result<Window, MirrorError> {
        let planned = match begin {
            Begin::Turn(from) => Plan::of(spoken).map(|plan| self.planned(&plan, *from, bytes)).transpose()?.flatten(),
            Begin::Call(_) => None,
        };
        let mut window = planned.map_or_else(|| self.whole(spoken, begin, bytes, None), Ok)?;
        again::redact(&mut window);
        Ok(window)
    }

    /// The same from all of the session's records, with what each of them has, for those who note it.
    pub(super) fn whole(
        &self,
        spoken: &Spoken,
        begin: &Begin,
        bytes: usize,
        mut noted: Option<&mut Noted>,
    ) -> Result<Window, MirrorError> {
        let ledger = &self.ledger;
        let (entries, notes) = self.entries(spoken)?;
        let segments = segments(&entries);
        let store = self.payloads(&segments)?;
        if let Some(noted) = &mut noted {
            noted.begin(&ledger.repo, &store, &segments);
        }
        let encrypted = |segment: &Segment| segment.payloads.iter().any(|payload| payload.encryption.is_some());
        let opened = !self.reader.names().is_empty() && segments.iter().any(encrypted);
        let mut window = Window { opened, missing: notes, ..Window::default() };
        let mut room = bytes;
        for source in Source::all(&segments) {
            for (at, turn) in source.turns(&ledger.repo, &store).enumerate() {
                let place = window.total;
                window.total += 1;
                if let Some(noted) = &mut noted {
                    noted.add(&source, &turn);
                }
                let begins = !window.turns.is_empty() || begin.is_at(place, &turn);
                if !begins || (room == 0 && !window.turns.is_empty()) {
                    continue;
                }
                room = room.saturating_sub(size(&turn).max(1));
                window.turns.push(Told { source: source.name.to_owned(), number: at + 1, place, turn });
            }
        }
        add_shell_diffs(ledger, &store, &segments, &mut window);
        Ok(window)
    }

    /// A call of a session, with what led to it; and what is to be known of the session, and is missing where the call was not
    /// found.
    pub fn call(&self, spoken: &Spoken, call: &CallId) -> Result<(Option<Called>, Vec<String>), MirrorError> {
        let ledger = &self.ledger;
        let (entries, notes) = self.entries(spoken)?;
        let segments = segments(&entries);
        let store = self.payloads(&segments)?;
        let (place, missing) = find_call(&ledger.repo, &store, &segments, call);
        let called = place.map(|place| {
            let told = |source: &str, number, turn| Told { source: source.to_owned(), number, place: 0, turn };
            let before = place.before.into_iter().map(|before| {
                let at = before.time.map(|time| time.unix().saturating_mul(1000));
                told(before.source, before.number, Turn { at, asked: Some(before.asked), ..Turn::default() })
            });
            let mut turns: Vec<Told> = before.collect();
            turns.push(told(place.source, place.number, place.turn));
            let mut window = Window { turns, ..Window::default() };
            again::redact(&mut window);
            Called { turns: window.turns, step: place.step }
        });
        Ok((called, notes.into_iter().chain(missing).collect()))
    }

    /// Notes on this clone's chain that a session's encrypted payloads are opened; how many records say so.
    pub fn record_access(&self, spoken: &Spoken, session: &SessionId) -> Result<usize, MirrorError> {
        let (entries, _) = self.entries(spoken)?;
        let segments = segments(&entries);
        let store = self.payloads(&segments)?;
        Ok(self.ledger.record_access(Purpose::Read, session, &segments, &store)?.len())
    }

    /// The turns of a session as scenes of a story; `wanted` are the calls that it is about.
    pub fn scenes(
        &self,
        session: &SessionId,
        spoken: &Spoken,
        wanted: &HashSet<CallId>,
        missing: &mut Vec<String>,
    ) -> Result<Vec<Scene>, MirrorError> {
        if !spoken.records.is_empty() && spoken.has_nothing() {
            return Ok(Vec::new());
        }
        let (entries, notes) = self.entries(spoken)?;
        missing.extend(notes.into_iter().map(|note| format!("session {session}: {note}")));
        let segments = segments(&entries);
        let store = self.payloads(&segments)?;
        let repo = &self.ledger.repo;
        Ok(newest::with(|redactor| {
            Reading { repo, store: &store, redactor, wanted }.session(&segments, session, missing)
        }))
    }

    /// The records that have something to tell, and what is to be said of them and of those that are not here.
    fn entries(&self, spoken: &Spoken) -> Result<(Vec<Entry>, Vec<String>), MirrorError> {
        let (entries, away) = self.read(&spoken.telling())?;
        let why = format!("{away} records of this session have not reached this server yet");
        Ok((entries, spoken.notes().into_iter().chain((away > 0).then_some(why)).collect()))
    }

    /// Those of these records that are here, and how many are not: another machine may have verified what was not fetched here
    /// yet.
    pub(super) fn read(&self, commits: &[&GitId]) -> Result<(Vec<Entry>, usize), MirrorError> {
        let here = commits.iter().filter(|commit| self.ledger.repo.contains(commit));
        let read = |commit: &&GitId| {
            let stored = self.ledger.read("a session record", commit)?;
            Ok(Entry::of((*commit).clone(), stored.record, true))
        };
        let entries = here.map(read).collect::<Result<Vec<Entry>, MirrorError>>()?;
        let away = commits.len() - entries.len();
        Ok((entries, away))
    }

    /// What was said in a session: its first prompt, and all that was asked, answered and called.
    pub fn words(&self, spoken: &Spoken) -> Result<Words, MirrorError> {
        let mut noted = Noted::default();
        let mut window = self.whole(spoken, &Begin::Turn(0), MAX_READ, Some(&mut noted))?;
        again::redact(&mut window);
        let failures = failures_in(&window.turns);
        let read = noted.of(spoken, &window);
        let mut words = Words { title: String::new(), body: String::new(), failures, opened: window.opened, read };
        for Told { turn, .. } in &window.turns {
            if let Some(asked) = &turn.asked {
                if words.title.is_empty() && asked.human {
                    words.title = shortened_to(asked.text.trim(), MAX_TITLE);
                }
                add(&mut words.body, &asked.text);
            }
            for step in &turn.steps {
                match step {
                    Step::Plan(text) | Step::Text(text) | Step::Summary(text) => add(&mut words.body, text),
                    Step::Call(call) => add(&mut words.body, &call.input),
                    Step::Reasoning(_) | Step::Note(_) | Step::Missing(_) => {}
                }
            }
        }
        Ok(words)
    }

    /// The shelves that these segments' pieces stand on, of every copy that is here.
    pub(super) fn payloads(&self, segments: &[Segment<'_>]) -> Result<Payloads, MirrorError> {
        let mut store = Payloads::default();
        store.read_as(self.reader.clone());
        let shelves = segments.iter().flat_map(|segment| {
            let chain = segment.shelves_of;
            let payloads = segment.payloads.iter();
            payloads.map(move |payload| Shelf { chain, class: payload.class, month: payload.month.clone() }.to_string())
        });
        let shelves: BTreeSet<String> = shelves.collect();
        if shelves.is_empty() {
            return Ok(store);
        }
        for (name, chain, tip) in &self.copies()?.payloads {
            if shelves.iter().any(|shelf| name.ends_with(shelf)) {
                // What cannot be read is told where it is missed.
                drop(store.add(&self.ledger.repo, *chain, tip));
            }
        }
        Ok(store)
    }
}

/// The calls that failed, conversation by conversation, each with the place of its turn in the session.
fn failures_in(turns: &[Told]) -> Vec<Failure> {
    let conversations = turns.chunk_by(|one, other| one.source == other.source);
    conversations
        .flat_map(|told| {
            let turns: Vec<&Turn> = told.iter().map(|told| &told.turn).collect();
            failures(&turns).into_iter().map(|failure| Failure { turn: told[failure.turn].place, ..failure })
        })
        .collect()
}

fn add(body: &mut String, text: &str) {
    let room = MAX_WORDS.saturating_sub(body.len());
    body.push_str(&shortened_to(text, room));
    body.push('\n');
}

/// The segments of a session in their order, of its records and their amendments.
pub(super) fn segments(entries: &[Entry]) -> Vec<Segment<'_>> {
    let instead = Instead::of(entries.iter());
    let mut segments: Vec<Segment<'_>> = entries.iter().filter_map(|entry| Segment::of(entry, &instead)).collect();
    segments.sort_by_key(|segment| (segment.entry.time, segment.entry.chain, segment.entry.seq));
    segments
}

/// The calls that are in a window.
pub(super) fn calls_in(window: &Window) -> HashSet<CallId> {
    let steps = window.turns.iter().flat_map(|told| &told.turn.steps);
    let call = |step: &Step| match step {
        Step::Call(call) => Some(call.id.clone()),
        _ => None,
    };
    steps.filter_map(call).collect()
}

pub(super) fn add_shell_diffs(ledger: &Ledger, store: &Payloads, segments: &[Segment<'_>], window: &mut Window) {
    let calls = calls_in(window);
    let (mut diffs, missing) = shell_diffs(&ledger.repo, store, segments, |call| calls.contains(call));
    window.missing.extend(missing);
    for step in window.turns.iter_mut().flat_map(|told| &mut told.turn.steps) {
        if let Step::Call(call) = step {
            call.diffs.extend(diffs.remove(&call.id).unwrap_or_default());
        }
    }
}

/// About how much of a page a turn takes.
pub(super) fn size(turn: &Turn) -> usize {
    let step = |step: &Step| match step {
        Step::Reasoning(text) | Step::Plan(text) | Step::Text(text) | Step::Summary(text) => text.len(),
        Step::Note(text) | Step::Missing(text) => text.len(),
        Step::Call(call) => {
            call.input.len() + call.result.len() + call.diffs.iter().map(|diff| diff.hunks.len()).sum::<usize>()
        }
    };
    turn.asked.as_ref().map_or(0, |asked| asked.text.len()) + turn.steps.iter().map(step).sum::<usize>()
}
