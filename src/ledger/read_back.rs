//! Reading sessions back: the lines of their payloads, each piece checked against the digest that a signed record names.

use std::collections::HashMap;

use crate::agent::Kind;
use crate::git::repo::Repo;
use crate::id::CallId;
use crate::ledger::edits::ShellEdits;
use crate::ledger::payload::{NoText, Payloads};
use crate::ledger::query::Segment;
use crate::record::body::{Encryption, Payload, PayloadClass};
use crate::session::entry::Line;
use crate::session::event::AgentEvent;
use crate::session::turns::{
    Asked, ENCRYPTED, FileDiff, Piece as Shows, Shown, Step, Turn, Turns, shortened, shortened_to,
};
use crate::time::Time;

/// A line of a payload that is longer is passed over.
const MAX_LINE: usize = 64 << 20;
/// Diffs of shells that are held at once, in bytes.
const MAX_DIFFS: usize = 64 << 20;

/// What a payload has next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Line(Vec<u8>),
    /// Why something is missing here.
    Missing(String),
}

/// A piece to come.
struct Next<'r> {
    piece: &'r crate::record::body::Piece,
    /// Which payload it is of.
    payload: usize,
    /// Whether its payload begins with it.
    begins: bool,
    encryption: Option<Encryption>,
}

/// The lines of payloads, one payload after the other. Memory holds a line and a piece.
pub struct Lines<'r> {
    repo: &'r Repo,
    payloads: &'r Payloads,
    /// Pieces to come, the next one last.
    pieces: Vec<Next<'r>>,
    /// Which payload is being read.
    payload: usize,
    /// It was said already that the payload is encrypted to others.
    told: bool,
    buffer: Vec<u8>,
    /// How much of the buffer was given out, and how much was searched for the end of a line.
    given: usize,
    searched: usize,
    /// The rest of the line is of no use: its beginning is missing.
    skip: bool,
}

impl<'r> Lines<'r> {
    pub fn new(repo: &'r Repo, store: &'r Payloads, payloads: impl Iterator<Item = &'r Payload>) -> Self {
        let next = |(payload, its): (usize, &'r Payload)| {
            let encryption = its.encryption;
            let pieces = its.pieces.iter().enumerate();
            pieces.map(move |(at, piece)| Next { piece, payload, begins: at == 0, encryption })
        };
        let mut pieces: Vec<_> = payloads.enumerate().flat_map(next).collect();
        pieces.reverse();
        let (payload, told, buffer, skip) = (0, false, Vec::new(), false);
        Lines { repo, payloads: store, pieces, payload, told, buffer, given: 0, searched: 0, skip }
    }

    /// The next whole line of the buffer.
    fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            let end = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
            let Some(end) = end.map(|at| self.searched + at) else {
                self.searched = self.buffer.len();
                return None;
            };
            let line = self.buffer[self.given..end].to_vec();
            (self.given, self.searched) = (end + 1, end + 1);
            if !std::mem::take(&mut self.skip) {
                return Some(line);
            }
        }
    }

    /// Takes in the next piece, or says why it cannot be had.
    fn piece(&mut self) -> Result<bool, NoText> {
        let Some(Next { piece, payload, begins, encryption }) = self.pieces.pop() else { return Ok(false) };
        self.payload = payload;
        self.buffer.drain(..self.given);
        self.given = 0;
        if begins {
            (self.skip, self.told) = (false, false);
        }
        if self.buffer.len() > MAX_LINE {
            self.buffer.clear();
            self.skip = true;
        }
        self.searched = self.buffer.len();
        let missing = match self.payloads.text(self.repo, piece, encryption) {
            Ok(text) => {
                self.buffer.extend_from_slice(&text);
                return Ok(true);
            }
            Err(missing) => missing,
        };
        self.buffer.clear();
        self.searched = 0;
        self.skip = true;
        Err(missing)
    }
}

impl Iterator for Lines<'_> {
    type Item = Said;

    fn next(&mut self) -> Option<Said> {
        loop {
            if let Some(line) = self.line() {
                return Some(Said::Line(line));
            }
            // A payload ends with its last line, whether that ends or not.
            let ends = self.pieces.last().is_none_or(|next| next.begins);
            if ends && self.given < self.buffer.len() && !self.skip {
                let line = self.buffer.split_off(self.given);
                self.searched = self.given;
                return Some(Said::Line(line));
            }
            match self.piece() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(NoText::Missing(why)) => return Some(Said::Missing(why)),
                // Once for all pieces of a payload.
                Err(NoText::Encrypted) if std::mem::replace(&mut self.told, true) => {}
                Err(NoText::Encrypted) => return Some(Said::Missing(ENCRYPTED.to_owned())),
            }
        }
    }
}

/// A session, or a subagent of it, that can be read back.
pub struct Source<'r> {
    /// `main`, or the subagent's id.
    pub name: &'r str,
    pub class: PayloadClass,
    kind: Kind,
    payloads: Vec<&'r Payload>,
    /// Which segment each of them is of.
    segments: Vec<usize>,
}

impl<'r> Source<'r> {
    /// The conversations of a session: its own first, then its subagents' by their names.
    pub fn all(segments: &[Segment<'r>]) -> Vec<Source<'r>> {
        let mut sources: Vec<Source<'r>> = Vec::new();
        for (at, segment) in segments.iter().enumerate() {
            let Some(kind) = Kind::from_name(&segment.body.agent.name) else { continue };
            for payload in segment.payloads.iter().filter(|payload| payload.class != PayloadClass::Edits) {
                let (name, class) = (payload.source.as_str(), payload.class);
                match sources.iter_mut().find(|source| (source.name, source.class) == (name, class)) {
                    Some(source) => {
                        source.payloads.push(payload);
                        source.segments.push(at);
                    }
                    None => sources.push(Source { name, class, kind, payloads: vec![payload], segments: vec![at] }),
                }
            }
        }
        sources.sort_by_key(|source| (source.name != "main", source.name, source.class));
        sources
    }

    /// Its lines as they are stored.
    pub fn lines(&self, repo: &'r Repo, store: &'r Payloads) -> Lines<'r> {
        Lines::new(repo, store, self.payloads.clone().into_iter())
    }

    /// What each line says, as it was counted when it was recorded; why not, where something is missing.
    pub fn said(&self, repo: &'r Repo, store: &'r Payloads) -> impl Iterator<Item = Result<Line, String>> + use<'r> {
        let (kind, class) = (self.kind, self.class);
        self.lines(repo, store).map(move |said| match (said, class) {
            (Said::Missing(why), _) => Err(why),
            (Said::Line(line), PayloadClass::Transcript) => Ok(kind.line(&line)),
            (Said::Line(_), _) => Err("the session has no transcript".to_owned()),
        })
    }

    /// The turns, read as they are asked for; the part of each is the number of the segment that it begins in.
    pub fn turns(&self, repo: &'r Repo, store: &'r Payloads) -> Turns<impl Iterator<Item = Shown> + use<'r>> {
        let (kind, class, segments) = (self.kind, self.class, self.segments.clone());
        let mut lines = self.lines(repo, store);
        Turns::new(std::iter::from_fn(move || {
            let shown = match (lines.next()?, class) {
                (Said::Missing(why), _) => Shown { pieces: vec![Shows::Step(Step::Missing(why))], ..Shown::default() },
                (Said::Line(line), PayloadClass::Events) => serde_json::from_slice::<AgentEvent>(&line)
                    .map_or_else(|_| Shown::default(), |e| kind.shown_event(&e)),
                (Said::Line(line), _) => kind.shown(&line),
            };
            Some(Shown { part: segments.get(lines.payload).copied().unwrap_or_default(), ..shown })
        }))
    }
}

/// A call in its conversation.
pub struct Place<'r> {
    /// `main`, or the subagent's id.
    pub source: &'r str,
    /// Which turn of the source it is, counted from 1.
    pub number: usize,
    pub turn: Turn,
    /// Which step of the turn the call is.
    pub step: usize,
    /// What was asked before, the latest last.
    pub before: Vec<Before<'r>>,
}

/// A prompt before a turn.
#[derive(Clone)]
pub struct Before<'r> {
    pub source: &'r str,
    pub number: usize,
    pub time: Option<Time>,
    /// At most [`MAX_BEFORE`] bytes of it.
    pub asked: Asked,
}

/// So many prompts before a turn are told.
const BEFORE: usize = 2;
/// So much of each, in bytes.
const MAX_BEFORE: usize = 500;

/// Finds a call in the conversations of a session, and what is missing of them if it is in none. Memory holds a turn,
/// and the beginning of each prompt.
pub fn find_call<'r>(
    repo: &'r Repo,
    store: &'r Payloads,
    segments: &[Segment<'r>],
    call: &CallId,
) -> (Option<Place<'r>>, Vec<String>) {
    let mut missing = Vec::new();
    // What people asked the session itself: its subagents were asked on their behalf.
    let mut asked: Vec<Before<'r>> = Vec::new();
    for source in Source::all(segments) {
        let mut own: Vec<Before<'r>> = Vec::new();
        for (at, mut turn) in source.turns(repo, store).enumerate() {
            let is_it = |step: &Step| matches!(step, Step::Call(known) if known.id == *call);
            if let Some(step) = turn.steps.iter().position(is_it) {
                let (mut shells, more) = shell_diffs(repo, store, segments, |known| known == call);
                missing.extend(more);
                if let Step::Call(known) = &mut turn.steps[step] {
                    known.diffs.extend(shells.remove(call).unwrap_or_default());
                }
                let time = turn.time();
                let earlier = asked.into_iter().filter(|before| before.time <= time && before.time.is_some());
                let mut before: Vec<_> = earlier.chain(own).collect();
                let before = before.split_off(before.len().saturating_sub(BEFORE));
                return (Some(Place { source: source.name, number: at + 1, turn, step, before }), missing);
            }
            missing.extend(turn.steps.iter().filter_map(|step| match step {
                Step::Missing(why) => Some(why.clone()),
                _ => None,
            }));
            if let Some(Asked { text, human }) = &turn.asked {
                let text = shortened_to(text, MAX_BEFORE);
                let asked = Asked { text, human: *human };
                own.push(Before { source: source.name, number: at + 1, time: turn.time(), asked });
            }
        }
        if source.name == "main" {
            asked.extend(own);
        }
    }
    (None, missing)
}

/// The diffs of shells and MCP tools by those of their calls that are wanted, and what is missing of them.
pub fn shell_diffs(
    repo: &Repo,
    store: &Payloads,
    segments: &[Segment<'_>],
    mut wanted: impl FnMut(&CallId) -> bool,
) -> (HashMap<CallId, Vec<FileDiff>>, Vec<String>) {
    let payloads = segments.iter().flat_map(|segment| segment.payloads);
    let lines = Lines::new(repo, store, payloads.filter(|payload| payload.class == PayloadClass::Edits));
    let mut diffs: HashMap<CallId, Vec<FileDiff>> = HashMap::new();
    let (mut missing, mut held) = (Vec::new(), 0);
    for said in lines {
        match said {
            Said::Line(line) => {
                let Ok(edit) = serde_json::from_slice::<ShellEdits>(&line) else { continue };
                if !wanted(&edit.call) {
                    continue;
                }
                let hunks = shortened(edit.diff.as_deref().unwrap_or_default());
                held += hunks.len();
                if held > MAX_DIFFS {
                    missing.push(format!("only {} MB of diffs are shown", MAX_DIFFS >> 20));
                    break;
                }
                diffs.entry(edit.call).or_default().push(FileDiff { path: edit.path.to_string(), hunks });
            }
            Said::Missing(why) => missing.push(why),
        }
    }
    (diffs, missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing;
    use crate::id::ChainId;
    use crate::ledger::payload::{Form, PieceWriter, extend};
    use crate::signing::{Identity, Reader};

    /// A payload of these bytes, and a store that has all of its pieces but those in `gone`.
    fn stored(repo: &Repo, form: Form<'_>, bytes: &[u8], gone: &[usize]) -> (Payload, Payloads) {
        let mut writer = PieceWriter::new(repo, form);
        writer.write(bytes).unwrap();
        writer.finish().unwrap();
        let kept: Vec<_> = writer
            .blobs
            .iter()
            .enumerate()
            .filter(|(at, _)| !gone.contains(at))
            .map(|(_, blob)| blob.clone())
            .collect();
        let tip = extend(repo, None, &kept, "t", 0).unwrap();
        let mut store = Payloads::default();
        store.add(repo, ChainId::Writer([7; 16]), &tip).unwrap();
        let json = serde_json::json!({"class": "transcript", "source": "main", "month": "2026-01", "lines": 0,
            "pieces": writer.pieces});
        let payload: Payload = serde_json::from_value(json).unwrap();
        (Payload { encryption: form.encryption(), ..payload }, store)
    }

    fn text(said: &Said) -> String {
        match said {
            Said::Line(line) if line.len() > 20 => format!("{} of {}", line.len(), char::from(line[0])),
            Said::Line(line) => String::from_utf8_lossy(line).into_owned(),
            Said::Missing(_) => "missing".into(),
        }
    }

    #[test]
    fn lines_go_on_over_pieces_and_begin_anew_after_missing_ones() {
        let folder = testing::Repo::new();
        let repo = Repo::discover(folder.path()).unwrap();
        // Pieces of 256 KiB: the long lines end in the second and the third.
        let bytes =
            [&b"one\n\n"[..], &vec![b'a'; 300_000], b"\ntwo\n", &vec![b'b'; 300_000], b"\nthree\nfour"].concat();
        for (gone, expected) in [
            (vec![], vec!["one", "", "300000 of a", "two", "300000 of b", "three", "four"]),
            (vec![0], vec!["missing", "two", "300000 of b", "three", "four"]),
            (vec![1], vec!["one", "", "missing", "three", "four"]),
            (vec![2], vec!["one", "", "300000 of a", "two", "missing"]),
            (vec![0, 1, 2], vec!["missing", "missing", "missing"]),
        ] {
            let (payload, store) = stored(&repo, Form::Salted(&|| [7; 32]), &bytes, &gone);
            let said: Vec<String> = Lines::new(&repo, &store, [&payload].into_iter()).map(|said| text(&said)).collect();
            assert_eq!(said, expected, "without {gone:?}");
            // A second payload begins with a whole line, whatever became of the first.
            let said: Vec<String> =
                Lines::new(&repo, &store, [&payload, &payload].into_iter()).map(|said| text(&said)).collect();
            assert_eq!(said, [&expected[..], &expected[..]].concat(), "twice without {gone:?}");
        }
    }

    #[test]
    fn what_is_encrypted_reads_the_same_for_those_who_may_and_says_so_once_to_others() {
        let folder = testing::Repo::new();
        let repo = Repo::discover(folder.path()).unwrap();
        let bytes = [&b"one\n"[..], &vec![b'a'; 600_000], b"\ntwo\n"].concat();
        let ada = Identity::generate();
        let recipients = [ada.recipient().unwrap()];
        let (payload, mut store) = stored(&repo, Form::Encrypted(&recipients), &bytes, &[]);
        assert_eq!(payload.pieces.len(), 3);
        assert!(payload.pieces.iter().all(|piece| piece.size < 10_000), "it is compressed: {:?}", payload.pieces);
        let said =
            |store: &Payloads| -> Vec<Said> { Lines::new(&repo, store, [&payload, &payload].into_iter()).collect() };
        let sealed = Said::Missing(ENCRYPTED.to_owned());
        assert_eq!(said(&store), [sealed.clone(), sealed.clone()]);
        store.read_as(Reader::of(Identity::generate()));
        assert_eq!(said(&store), [sealed.clone(), sealed]);
        store.read_as(Reader::of(ada));
        let once = ["one", "600000 of a", "two"];
        assert_eq!(said(&store).iter().map(text).collect::<Vec<_>>(), [once, once].concat());
        // A record that says of plain pieces that they are encrypted, and one that says nothing of it.
        let (plain, mut store) = stored(&repo, Form::Salted(&|| [7; 32]), b"one\n", &[]);
        store.read_as(Reader::of(Identity::generate()));
        let wrong = Payload { encryption: Some(Encryption::GzipAge), ..plain };
        let said: Vec<Said> = Lines::new(&repo, &store, [&wrong].into_iter()).collect();
        assert!(matches!(&said[..], [Said::Missing(why)] if why.contains("cannot be decrypted")), "{said:?}");
    }
}
