//! Sealing: what a session did since its last record becomes a payload and a `session` record.
//!
//! The transcript is read once, a window of lines at a time: each line is counted, redacted and stored. Memory holds a
//! window and a piece, however long the session is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::agent::Kind;
use crate::digest::Digest;
use crate::git::locate::Location;
use crate::host::random;
use crate::id::{RecordId, SessionId};
use crate::journal::Journal;
use crate::ledger::append::{PayloadAppend, Writer};
use crate::ledger::cursor::{Counted, Cursor};
use crate::ledger::edits::{self, ShellEdits};
use crate::ledger::local::{Changes, Local};
use crate::ledger::payload::{Form, PIECE_BYTES, PieceWriter};
use crate::ledger::{Ledger, LedgerError, names};
use crate::record::body::{Agent, Body, Payload, PayloadClass, Redaction, Session};
use crate::redaction::Redactor;
use crate::session::entry::{Entry, Line};
use crate::session::event::{AgentEvent, EventKind, GapKind};
use crate::session::tally::{Facts, Segment, Tally};
use crate::time::Time;

/// Pieces of all payloads of one record; a longer segment becomes two.
const MAX_PIECES: usize = 320;
/// Those that transcripts may take: the rest is for what no transcript shows.
const TRANSCRIPT_PIECES: usize = 256;
/// A transcript line that is longer is not kept.
const MAX_LINE: u64 = 64 << 20;
/// As many bytes of lines are redacted together.
const WINDOW: usize = 8 << 20;
/// The name of a session's own transcript among its sources.
const MAIN: &str = "main";

impl Writer<'_> {
    /// Records what a session did since its last record; the newest record of the session, if it has one.
    pub fn seal(&mut self, session: &SessionId) -> Result<Option<RecordId>, LedgerError> {
        loop {
            let cursor = Cursor::load(&self.local(), session)?;
            let Some(journal) = Journal::open(&self.ledger.repo.common_dir()) else { return Ok(cursor.record) };
            let heard = Heard::since(&journal, session, &cursor)?;
            let form = self.recipients()?.map_or(Form::Salted(&random::bytes32), Form::Encrypted);
            let Some(news) = Reading::new(self.ledger, &journal, cursor, heard, form)?.read()? else {
                return Ok(Cursor::load(&self.local(), session)?.record);
            };
            let more = news.more;
            let record = self.record_segment(session, news)?;
            if !more {
                return Ok(Some(record));
            }
        }
    }

    /// Records what all sessions of this clone did since their last records. One that cannot be recorded keeps none of
    /// the others from it; the first such error comes after all were tried.
    pub fn seal_all(&mut self) -> Result<u64, LedgerError> {
        let Some(journal) = Journal::open(&self.ledger.repo.common_dir()) else { return Ok(0) };
        let failed = |source| LedgerError::File { path: journal.dir().to_owned(), source };
        let before = self.head().map(|head| head.seq);
        let mut tried = Ok(());
        for file in journal.sessions().map_err(failed)? {
            let sealed = self.seal(&file.session).map(drop);
            tried = tried.and(sealed);
        }
        tried?;
        let after = self.head().map(|head| head.seq);
        Ok(after.unwrap_or_default() - before.unwrap_or_default())
    }

    fn record_segment(&mut self, session: &SessionId, news: News) -> Result<RecordId, LedgerError> {
        let News { mut cursor, facts, span, payloads, appends, redactions, rules, ids, .. } = news;
        let body = Session {
            session: session.clone(),
            segment: cursor.segment,
            agent: Agent { name: cursor.agent.clone(), version: facts.version },
            started: span.0,
            ended: span.1,
            active_seconds: facts.active_seconds,
            prompts: facts.prompts,
            turns: facts.turns,
            plans: facts.plans,
            compactions: facts.compactions,
            subagents: facts.subagents,
            models: facts.models,
            tools: facts.tools,
            mcp_servers: facts.mcp_servers,
            skills: facts.skills,
            programs: facts.programs,
            files: facts.files,
            redactions,
            rules: Some(rules),
            gaps: facts.gaps,
            payloads,
            cut: facts.cut,
        };
        let body = crate::ledger::fit::session(body);
        cursor.segment += 1;
        // The cursor names the record that it goes with only by standing beside it: the id is known after signing.
        let local = Local::new(self.ledger.dir());
        self.append(Body::Session(Box::new(body)), None, &appends, |record| {
            let mut changes = Changes::default();
            let cursor = Cursor { record: Some(record), ..cursor.clone() };
            cursor.save(&local, session, &ids, &mut changes)?;
            Ok(changes)
        })
    }
}

/// What the journal says since the last record.
struct Heard {
    events: Vec<AgentEvent>,
    offset: u64,
    damaged: u64,
}

impl Heard {
    fn since(journal: &Journal, session: &SessionId, cursor: &Cursor) -> Result<Self, LedgerError> {
        let failed = |source| LedgerError::File { path: journal.dir().join("journal"), source };
        let mut heard = Heard { events: Vec::new(), offset: cursor.journal, damaged: 0 };
        for (offset, event) in journal.read(session, cursor.journal).map_err(failed)? {
            heard.offset = offset;
            match event {
                Ok(event) => heard.events.push(event),
                Err(_) => heard.damaged += 1,
            }
        }
        Ok(heard)
    }
}

/// A segment that was read and stored, ready to be recorded.
struct News {
    cursor: Cursor,
    facts: Facts,
    span: (Time, Time),
    payloads: Vec<Payload>,
    appends: Vec<PayloadAppend>,
    redactions: Vec<Redaction>,
    /// By which rules.
    rules: Digest,
    ids: Vec<u64>,
    /// Whether there is more to read than one record holds.
    more: bool,
}

/// The reading of one segment.
struct Reading<'a> {
    ledger: &'a Ledger,
    journal: &'a Journal,
    cursor: Cursor,
    heard: Heard,
    kind: Kind,
    redactor: Redactor,
    rules: Digest,
    form: Form<'a>,
    payloads: Vec<Payload>,
    appends: BTreeMap<(PayloadClass, crate::time::Month), Vec<(Digest, crate::id::GitId)>>,
    lines: u64,
    more: bool,
}

impl<'a> Reading<'a> {
    fn new(
        ledger: &'a Ledger,
        journal: &'a Journal,
        mut cursor: Cursor,
        heard: Heard,
        form: Form<'a>,
    ) -> Result<Self, LedgerError> {
        for event in &heard.events {
            let path = event.transcript.as_ref().map(PathBuf::from).filter(|path| path.is_absolute());
            if event.subagent.is_none() && path.is_some() {
                cursor.transcript = path;
            }
            cursor.agent.clone_from(&event.agent);
            match event.kind {
                EventKind::End => cursor.ended = true,
                EventKind::Other => {}
                _ => cursor.ended = false,
            }
        }
        let settings = ledger.config.redaction()?;
        let kind = Kind::from_name(&cursor.agent).unwrap_or(Kind::ClaudeCode);
        Ok(Reading {
            ledger,
            journal,
            cursor,
            heard,
            kind,
            rules: settings.digest(),
            redactor: Redactor::new(settings),
            form,
            payloads: Vec::new(),
            appends: BTreeMap::new(),
            lines: 0,
            more: false,
        })
    }

    /// Reads all there is; `None` if there is nothing new.
    fn read(mut self) -> Result<Option<News>, LedgerError> {
        let roots = self.roots();
        let local = Local::new(self.ledger.dir());
        let counted = Counted::new(&local);
        let known = |id: u64| counted.contains(id);
        let mut tally = Tally::new(std::mem::take(&mut self.cursor.tally), &roots, &known);

        let sources = self.sources();
        let there = sources.iter().any(|(_, path)| path.is_file());
        for (name, path) in &sources {
            self.transcript(name, path, &mut tally)?;
        }
        if self.heard.events.is_empty() && self.lines == 0 {
            return Ok(None);
        }
        for event in &self.heard.events {
            event.gaps.iter().for_each(|gap| tally.gap(gap.kind, gap.count));
        }
        tally.gap(GapKind::JournalDamaged, self.heard.damaged);
        let ended = self.cursor.ended && !self.more;
        if !there {
            if !ended && !self.heard.events.iter().any(|event| event.call.is_some()) {
                // A transcript appears only when the first answer is on its way: nothing is lost by waiting.
                return Ok(None);
            }
            self.events(&mut tally)?;
            tally.gap(GapKind::TranscriptMissing, 1);
        }
        let shell = self.shell_payload(&mut tally)?;

        let Segment { mut facts, state, ids } = tally.finish(ended);
        if !there {
            edits::facts_of_events(&mut facts, &self.heard.events);
        }
        edits::add_shell_edits(&mut facts, &shell);
        let span = self.span(&facts);
        self.cursor.tally = state;
        self.cursor.journal = self.heard.offset;
        let redactions = self.redactor.counts().iter();
        let redactions =
            redactions.map(|(rule, count)| Redaction { rule: (*rule).to_owned(), count: *count }).collect();
        // After the counts: what is in a name was counted where it stands in the transcript.
        names::redact(&mut facts, &mut self.redactor);
        let appends = std::mem::take(&mut self.appends).into_iter();
        Ok(Some(News {
            facts,
            span,
            redactions,
            rules: self.rules,
            ids,
            more: self.more,
            payloads: self.payloads,
            appends: appends.map(|((class, month), blobs)| PayloadAppend { class, month, blobs }).collect(),
            cursor: self.cursor,
        }))
    }

    /// The work trees' absolute paths, as git and as the agent write them.
    fn roots(&self) -> Vec<String> {
        let mut roots: Vec<PathBuf> = self.ledger.repo.work_tree().into_iter().collect();
        let mut folders: Vec<&str> = self.heard.events.iter().filter_map(|event| event.cwd.as_deref()).collect();
        folders.sort_unstable();
        folders.dedup();
        let located = folders.iter().filter_map(|cwd| Location::of(Path::new(cwd)));
        roots.extend(located.filter(|at| at.common_dir == self.ledger.repo.common_dir()).filter_map(|at| at.work_tree));
        let text = |root: PathBuf| root.into_os_string().into_string().ok();
        let mut roots: Vec<String> = roots.into_iter().filter_map(text).collect();
        roots.sort_unstable();
        roots.dedup();
        roots
    }

    /// The session's transcripts: its own, then its subagents'.
    fn sources(&self) -> Vec<(String, PathBuf)> {
        let Some(main) = &self.cursor.transcript else { return Vec::new() };
        let mut sources = vec![(MAIN.to_owned(), main.clone())];
        let subagents = self.kind.subagent_files(main).unwrap_or_default();
        sources.extend(subagents.into_iter().map(|file| (file.id, file.transcript)));
        sources
    }

    /// Reads a transcript from where it was left, counts and stores its lines.
    fn transcript(&mut self, name: &str, path: &Path, tally: &mut Tally) -> Result<(), LedgerError> {
        // Opening what is no file (a pipe) may wait for ever.
        if !path.is_file() {
            return Ok(());
        }
        let mut offset = self.cursor.offset(name);
        let open = || {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            let mut reader = BufReader::with_capacity(256 << 10, file);
            reader.seek(SeekFrom::Start(if size < offset { 0 } else { offset }))?;
            Ok::<_, io::Error>((reader, size))
        };
        // A transcript that cannot be read must not keep the rest from being recorded. It is tried again the next time.
        let Ok((mut reader, size)) = open() else {
            tally.gap(GapKind::TranscriptMissing, 1);
            return Ok(());
        };
        if size < offset {
            // Whoever cut it: what is there now is read whole, and what was counted is not counted again.
            tally.gap(GapKind::TranscriptTruncated, 1);
            offset = 0;
        }
        let repo = &self.ledger.repo;
        let mut pieces = PieceWriter::new(repo, self.form);
        let room = self.room(TRANSCRIPT_PIECES);
        let mut lines = 0;
        while pieces.pieces.len() < room {
            let window = self.window(&mut reader, tally);
            if window.is_empty() {
                break;
            }
            let texts: Vec<&[u8]> = window.iter().map(|line| &*line.text).collect();
            for (line, redacted) in window.iter().zip(self.redactor.session(&texts)) {
                if pieces.pieces.len() >= room {
                    break;
                }
                offset += line.read;
                if line.oversize {
                    tally.gap(GapKind::LineOversize, line.read);
                    continue;
                }
                let said = self.kind.line(&line.text);
                self.note_models(&said);
                tally.add(&said);
                pieces.write(redacted.as_ref().as_ref())?;
                pieces.write(b"\n")?;
                lines += 1;
            }
        }
        self.more |= pieces.pieces.len() >= room;
        pieces.finish()?;
        self.cursor.set_offset(name, offset);
        self.lines += lines;
        let (listed, blobs) = (std::mem::take(&mut pieces.pieces), std::mem::take(&mut pieces.blobs));
        self.add_payload(PayloadClass::Transcript, name, lines, listed, blobs);
        Ok(())
    }

    /// Reads the next lines, as many as are redacted together: what one of them holds as a secret goes from all.
    fn window(&self, reader: &mut impl BufRead, tally: &mut Tally) -> Vec<Read> {
        let (mut window, mut size) = (Vec::new(), 0);
        while size < WINDOW {
            let mut text = Vec::new();
            let Ok(read) = reader.by_ref_take(MAX_LINE, &mut text) else {
                tally.gap(GapKind::TranscriptMissing, 1);
                break;
            };
            if read == 0 {
                break;
            }
            let mut line = Read { text, read: read as u64, oversize: false };
            if line.text.last() == Some(&b'\n') {
                line.text.pop();
            } else if line.read < MAX_LINE {
                // Still being written, unless the session is over and nobody will go on.
                if !self.cursor.ended || serde_json::from_slice::<serde::de::IgnoredAny>(&line.text).is_err() {
                    break;
                }
            } else {
                line = Read {
                    text: Vec::new(),
                    read: line.read + reader.skip_until(b'\n').unwrap_or(0) as u64,
                    oversize: true,
                };
            }
            size += line.text.len();
            window.push(line);
        }
        window
    }

    /// A message's model made the calls on its lines.
    fn note_models(&mut self, line: &Line) {
        let Some(model) = line.entries.iter().find_map(|entry| match entry {
            Entry::Message(message) => Some(message.model.clone()),
            _ => None,
        }) else {
            return;
        };
        for entry in &line.entries {
            if let Entry::ToolUse(tool) = entry {
                self.cursor.note_model(&tool.call, &model);
            }
        }
    }

    fn add_payload(
        &mut self,
        class: PayloadClass,
        source: &str,
        lines: u64,
        pieces: Vec<crate::record::body::Piece>,
        blobs: Vec<(Digest, crate::id::GitId)>,
    ) {
        if pieces.is_empty() {
            return;
        }
        let month = crate::host::clock::now().month();
        self.appends.entry((class, month.clone())).or_default().extend(blobs);
        self.payloads.push(Payload {
            class,
            source: source.to_owned(),
            month,
            lines,
            pieces,
            encryption: self.form.encryption(),
        });
    }

    /// How many pieces there may still be, of so many.
    fn room(&self, most: usize) -> usize {
        most.saturating_sub(self.payloads.iter().map(|payload| payload.pieces.len()).sum())
    }

    /// Where there is no transcript, the redacted events themselves are kept.
    fn events(&mut self, tally: &mut Tally) -> Result<(), LedgerError> {
        let mut lines = Lines::new(self.ledger, self.form, self.room(TRANSCRIPT_PIECES));
        for event in &self.heard.events {
            if !lines.keep(&mut self.redactor, event)? {
                tally.gap(GapKind::EventsLimited, 1);
            }
        }
        self.lines_payload(PayloadClass::Events, lines)
    }

    /// Diffs of what shells and MCP tools changed: no transcript shows them. One that does not fit is left out, then
    /// the edit itself; what they say of files is counted all the same.
    fn shell_payload(&mut self, tally: &mut Tally) -> Result<Vec<ShellEdits>, LedgerError> {
        let mut lines = Lines::new(self.ledger, self.form, self.room(MAX_PIECES));
        let mut counted = Vec::new();
        for edit in edits::shell_edits(&self.heard.events) {
            let (edit, large) = edits::describe(self.journal, edit);
            let whole = lines.keep(&mut self.redactor, &edit)?;
            let bare = ShellEdits { diff: None, ..edit };
            if !whole {
                lines.keep(&mut self.redactor, &bare)?;
            }
            tally.gap(GapKind::EditsLimited, u64::from(large || !whole));
            counted.push(bare);
        }
        self.lines_payload(PayloadClass::Edits, lines)?;
        Ok(counted)
    }

    fn lines_payload(&mut self, class: PayloadClass, lines: Lines) -> Result<(), LedgerError> {
        let Lines { mut pieces, lines, .. } = lines;
        pieces.finish()?;
        let (listed, blobs) = (std::mem::take(&mut pieces.pieces), std::mem::take(&mut pieces.blobs));
        self.add_payload(class, MAIN, lines, listed, blobs);
        Ok(())
    }

    /// When the segment was: by the transcript, else by the events.
    fn span(&self, facts: &Facts) -> (Time, Time) {
        let at = |event: &AgentEvent| Time::from_unix(event.at.div_euclid(1000));
        let events = self.heard.events.first().map(at).zip(self.heard.events.last().map(at));
        facts.span.or(events).unwrap_or_else(|| (crate::host::clock::now(), crate::host::clock::now()))
    }
}

/// A line of a transcript, how many bytes were read for it, and whether it was too long to be kept.
struct Read {
    text: Vec<u8>,
    read: u64,
    oversize: bool,
}

/// Lines of JSON on their way into pieces, as many as there is room for.
struct Lines<'r> {
    pieces: PieceWriter<'r>,
    /// Bytes that there is room for.
    left: usize,
    lines: u64,
}

impl<'r> Lines<'r> {
    fn new(ledger: &'r Ledger, form: Form<'r>, room: usize) -> Self {
        Lines { pieces: PieceWriter::new(&ledger.repo, form), left: room * PIECE_BYTES, lines: 0 }
    }

    /// Keeps a line, redacted; `false` if it does not fit.
    fn keep(&mut self, redactor: &mut Redactor, line: &impl serde::Serialize) -> Result<bool, LedgerError> {
        let Ok(line) = serde_json::to_vec(line) else { return Ok(false) };
        let redacted = redactor.line(&line);
        let bytes: &[u8] = redacted.as_ref().as_ref();
        let Some(left) = self.left.checked_sub(bytes.len() + 1) else { return Ok(false) };
        self.pieces.write(bytes)?;
        self.pieces.write(b"\n")?;
        (self.left, self.lines) = (left, self.lines + 1);
        Ok(true)
    }
}

/// Reading a line up to a limit.
trait TakeLine {
    fn by_ref_take(&mut self, limit: u64, line: &mut Vec<u8>) -> io::Result<usize>;
}

impl<R: BufRead> TakeLine for R {
    fn by_ref_take(&mut self, limit: u64, line: &mut Vec<u8>) -> io::Result<usize> {
        io::Read::take(self, limit).read_until(b'\n', line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_as_long_as_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        gix::init(dir.path()).unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let mut redactor = Redactor::default();
        let mut lines = Lines::new(&ledger, Form::Salted(&random::bytes32), 2);
        // With its quotes and its newline, a line of 100 000 bytes.
        let line = "some words ".repeat(9091)[..99_997].to_owned();
        let kept: Vec<bool> = (0..6).map(|_| lines.keep(&mut redactor, &line).unwrap()).collect();
        assert_eq!(kept, [true, true, true, true, true, false]);
        assert!(lines.keep(&mut redactor, &"short").unwrap(), "what is shorter may still fit");
        lines.pieces.finish().unwrap();
        assert_eq!((lines.lines, lines.pieces.pieces.len()), (6, 2));
        assert!(!Lines::new(&ledger, Form::Salted(&random::bytes32), 0).keep(&mut redactor, &"").unwrap());
    }
}
