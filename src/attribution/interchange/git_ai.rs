//! Notes of the git-ai tool, `authorship/3.0.0`: which lines of a commit are of which agent's session.
//!
//! Two sections with a line `---` between them: under each file's path the keys of sessions with their lines, then JSON
//! that says which agent, session and model a key stands for. We write what the standard asks for, without any part of a
//! conversation (`messages` stays empty), and a field `tracevault` by which our own notes are told from all others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::attribution::labels::Origin;
use crate::attribution::trace::{Contributor, Trace, TraceFile, TraceRange, from_percent, percent};
use crate::digest::Digest;
use crate::id::{GitId, ParseIdError, RecordId, RepoPath, SessionId};

/// The version that is written; all of its major version are read.
const SCHEMA: &str = "authorship/3.0.0";
const DIVIDER: &str = "---";
/// How a key begins that stands for a person, not for an agent's session.
const HUMAN: &str = "h_";
/// What between a session's key and the rest of it, which says more than its session.
const PART_OF: &str = "::";
const MAX_KEY: usize = 128;
/// What the standard wants said and we do not know.
const UNKNOWN: &str = "unknown";
/// What a digest is written as before it is known.
const NO_DIGEST: Digest = Digest::ZERO;

/// What a note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The commit it was made for, in its own words.
    pub base_commit: Option<String>,
    /// The version of git-ai that wrote it.
    pub version: Option<String>,
    pub files: Vec<NoteFile>,
    /// Agents' sessions by key.
    pub sessions: BTreeMap<String, Session>,
}

/// The lines of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteFile {
    pub path: RepoPath,
    pub entries: Vec<Entry>,
}

/// Lines of one key: first and last, counted from 1, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    pub lines: Vec<(u32, u32)>,
}

/// A session of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// The agent program, as git-ai calls it.
    pub tool: String,
    pub id: String,
    pub model: String,
    /// Lines that the session wrote and removed, and those of them that the commit has.
    pub additions: u64,
    pub deletions: u64,
    pub accepted: u64,
    /// Lines that a person has changed since.
    pub overridden: u64,
}

impl Session {
    /// The key that the standard gives it.
    pub fn key(&self) -> String {
        Digest::of(format!("{}:{}", self.tool, self.id).as_bytes()).to_string()[..16].to_owned()
    }
}

/// What records know of a session.
#[derive(Debug, Clone, Default)]
pub struct SessionFacts {
    pub agent: Option<String>,
    pub added: u64,
    pub removed: u64,
}

/// The note that says what a trace of ours says of agents' lines, as far as the form can hold it: a session has one
/// model (that of most of its lines) and no tool calls. Beside it the paths that the form cannot hold.
///
/// `None` where no line that it can hold is an agent's: then the standard wants no note.
pub fn of_trace(
    trace: &Trace,
    commit: &GitId,
    facts: impl Fn(&SessionId) -> SessionFacts,
) -> (Option<Note>, Vec<RepoPath>) {
    let mut sessions: BTreeMap<SessionId, Session> = BTreeMap::new();
    let mut models: BTreeMap<(SessionId, String), u64> = BTreeMap::new();
    let (mut files, mut unheld) = (Vec::new(), Vec::new());
    for file in &trace.files {
        let mut entries: Vec<Entry> = Vec::new();
        for range in &file.ranges {
            let Origin::Agent(author) = range.origin() else { continue };
            if path_line(&file.path).is_none() {
                unheld.push(file.path.clone());
                break;
            }
            let session = sessions.entry(author.session.clone()).or_insert_with(|| session_of(&author.session, &facts));
            let len = u64::from(range.end - range.start) + 1;
            session.accepted += len;
            if let Some(model) = &range.model {
                // Agents name their models without who makes them.
                let bare = model.split_once('/').map_or(model.as_str(), |(_, bare)| bare);
                *models.entry((author.session, bare.to_owned())).or_default() += len;
            }
            add(&mut entries, session.key(), (range.start, range.end));
        }
        if !entries.is_empty() {
            files.push(NoteFile { path: file.path.clone(), entries });
        }
    }
    for (id, session) in &mut sessions {
        let known = models.iter().filter(|((of, _), _)| of == id);
        session.model =
            known.max_by_key(|(_, lines)| **lines).map_or(UNKNOWN.into(), |((_, model), _)| model.to_owned());
        session.additions = session.additions.max(session.accepted);
    }
    let sessions = sessions.into_values().map(|session| (session.key(), session)).collect();
    let note = Note { base_commit: Some(commit.to_string()), version: None, files, sessions };
    (Some(note).filter(|note| !note.files.is_empty()), unheld)
}

fn session_of(id: &SessionId, facts: &impl Fn(&SessionId) -> SessionFacts) -> Session {
    let SessionFacts { agent, added, removed } = facts(id);
    let tool = match agent.as_deref() {
        // The same session has the same key, whoever wrote its note.
        Some("claude-code") => "claude".to_owned(),
        Some(other) => other.to_owned(),
        None => UNKNOWN.to_owned(),
    };
    Session { tool, id: id.to_string(), additions: added, deletions: removed, ..Session::default() }
}

/// Adds lines that come after all that are there to those of their key.
fn add(entries: &mut Vec<Entry>, key: String, (start, end): (u32, u32)) {
    let Some(entry) = entries.iter_mut().find(|entry| entry.key == key) else {
        entries.push(Entry { key, lines: vec![(start, end)] });
        return;
    };
    match entry.lines.last_mut() {
        Some((_, last)) if last.checked_add(1) == Some(start) => *last = end,
        _ => entry.lines.push((start, end)),
    }
}

/// The bytes of a note of ours, made from a record by this version of the program. Files whose paths the form cannot
/// hold are left out.
pub fn write(note: &Note, record: RecordId, version: &str) -> serde_json::Result<Vec<u8>> {
    let mut text = String::new();
    for file in note.files.iter().filter(|file| !file.entries.is_empty()) {
        let Some(path) = path_line(&file.path) else { continue };
        text.push_str(&path);
        text.push('\n');
        for Entry { key, lines } in &file.entries {
            let lines = lines.iter().map(|(start, end)| match start == end {
                true => start.to_string(),
                false => format!("{start}-{end}"),
            });
            text.push_str(&format!("  {key} {}\n", lines.collect::<Vec<_>>().join(",")));
        }
    }
    text.push_str(DIVIDER);
    text.push('\n');
    let metadata = Metadata {
        schema_version: SCHEMA,
        git_ai_version: note.version.as_deref(),
        base_commit_sha: note.base_commit.as_deref(),
        prompts: note.sessions.iter().map(|(key, session)| (key.as_str(), session.into())).collect(),
        tracevault: Mark { record, sha256: NO_DIGEST, version },
    };
    text.push_str(&serde_json::to_string_pretty(&metadata)?);
    text.push('\n');
    let digest = Digest::of(text.as_bytes());
    // The digest stands in the last object: nothing that was said before is taken for it.
    let (before, after) = text.rsplit_once(&NO_DIGEST.to_string()).unwrap_or((&text, ""));
    Ok(format!("{before}{digest}{after}").into_bytes())
}

/// Whether a note was written by [`write`] and nobody has changed a byte of it since.
pub fn is_ours(note: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(note) else { return false };
    let Some((_, metadata)) = sections(text) else { return false };
    let Ok(RawMarked { tracevault: RawMark { sha256 } }) = serde_json::from_str(metadata) else { return false };
    let blank = text.rsplit_once(&sha256.to_string()).map(|(before, after)| format!("{before}{NO_DIGEST}{after}"));
    blank.is_some_and(|blank| Digest::of(blank.as_bytes()) == sha256)
}

/// The line of a path; `None` for one that is not text on a line.
fn path_line(path: &RepoPath) -> Option<String> {
    let path = String::from_utf8(path.to_bytes()).ok()?;
    if path.chars().any(|c| c.is_control() && c != '\t') {
        return None;
    }
    let quoted = path == DIVIDER || path.contains('"') || path.contains(char::is_whitespace);
    Some(if quoted { format!("\"{path}\"") } else { path })
}

/// Why a note cannot be read, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct NoteError {
    /// Counted from 1.
    pub line: usize,
    pub reason: Reason,
}

/// What is wrong with a note.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    #[error("no line \"---\" parts the lines from what is said of them")]
    NoDivider,
    #[error("not UTF-8")]
    NotText,
    #[error("{0}")]
    Json(String),
    #[error("the note is of schema {0:?}; authorship/3 can be read")]
    Schema(String),
    #[error("{0}")]
    Path(ParseIdError),
    #[error("a quoted path that does not end")]
    Quote,
    #[error("lines before any file")]
    NoFile,
    #[error("{0:?} is not a key and its lines")]
    Entry(String),
    #[error("{0:?} are not lines")]
    Lines(String),
    #[error("nothing is said of the session {0:?}")]
    NoSession(String),
}

/// Reads a note of any program. What it says of people and what it holds of conversations is passed over.
pub fn read(bytes: &[u8]) -> Result<Note, NoteError> {
    let at = |line: usize, reason| NoteError { line, reason };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        at(1 + before.iter().filter(|b| **b == b'\n').count(), Reason::NotText)
    })?;
    let (lines, json) = sections(text).ok_or_else(|| at(text.lines().count().max(1), Reason::NoDivider))?;
    let above = lines.matches('\n').count() + 1;
    let metadata: RawMetadata =
        serde_json::from_str(json).map_err(|error| at(above + error.line(), Reason::Json(super::fault(&error))))?;
    if !metadata.schema_version.starts_with("authorship/3.") {
        return Err(at(above + 1, Reason::Schema(cut(&metadata.schema_version))));
    }
    let sessions = metadata.sessions.into_iter().chain(metadata.prompts);
    let sessions: BTreeMap<String, Session> = sessions.map(|(key, session)| (key, session.into())).collect();
    let mut files: Vec<NoteFile> = Vec::new();
    for (number, line) in lines.lines().enumerate() {
        let failed = |reason| at(number + 1, reason);
        if line.trim().is_empty() {
            continue;
        }
        let Some(entry) = line.strip_prefix("  ") else {
            files.push(NoteFile { path: read_path(line).map_err(failed)?, entries: Vec::new() });
            continue;
        };
        let entry = read_entry(entry).map_err(failed)?;
        let session = entry.key.split(PART_OF).next().unwrap_or_default();
        if !entry.key.starts_with(HUMAN) && !sessions.contains_key(session) {
            return Err(failed(Reason::NoSession(entry.key)));
        }
        files.last_mut().ok_or_else(|| failed(Reason::NoFile))?.entries.push(entry);
    }
    Ok(Note { base_commit: metadata.base_commit_sha, version: metadata.git_ai_version, files, sessions })
}

/// What stands before the divider, with its last newline, and what stands after it.
fn sections(text: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_end_matches(['\r', '\n']) == DIVIDER {
            return Some((&text[..at], &text[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

fn read_path(line: &str) -> Result<RepoPath, Reason> {
    let path = match line.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').ok_or(Reason::Quote)?,
        None => line,
    };
    RepoPath::from_bytes(path.as_bytes()).map_err(Reason::Path)
}

fn read_entry(text: &str) -> Result<Entry, Reason> {
    let (key, ranges) = text.trim_end().split_once(' ').ok_or_else(|| Reason::Entry(cut(text)))?;
    if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Reason::Entry(cut(text)));
    }
    let range = |text: &str| {
        let (start, end) = text.split_once('-').unwrap_or((text, text));
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
        let lines = (number(start)?, number(end)?);
        (lines.0 > 0 && lines.0 <= lines.1).then_some(lines)
    };
    let lines = ranges.split(',').map(|text| range(text).ok_or_else(|| Reason::Lines(cut(text))));
    let mut lines = lines.collect::<Result<Vec<_>, _>>()?;
    lines.sort_unstable();
    Ok(Entry { key: key.to_owned(), lines })
}

/// The beginning of text that may be of any length.
fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

impl Note {
    /// The same in the words of a trace: what the note claims of a commit.
    pub fn to_trace(&self, commit: &GitId) -> Trace {
        let mut files: BTreeMap<&RepoPath, Vec<TraceRange>> = BTreeMap::new();
        for file in &self.files {
            let ranges = files.entry(&file.path).or_default();
            for Entry { key, lines } in &file.entries {
                let session = key.split(PART_OF).next().and_then(|key| self.sessions.get(key));
                let human = key.starts_with(HUMAN);
                ranges.extend(lines.iter().map(|(start, end)| {
                    TraceRange {
                        start: *start,
                        end: *end,
                        contributor: if human { Contributor::Human } else { Contributor::Ai },
                        model: session
                            .map(|session| session.model.clone())
                            .filter(|model| !model.is_empty() && model != UNKNOWN),
                        url: session.map(|session| session_uri(&session.tool, &session.id)),
                        content_hash: None,
                    }
                }));
            }
        }
        files.values_mut().for_each(|ranges| ranges.sort_by_key(|range| (range.start, range.end)));
        Trace {
            id: None,
            time: None,
            revision: Some(commit.to_string()),
            tool: Some("git-ai".into()),
            tool_version: self.version.clone(),
            files: files.into_iter().map(|(path, ranges)| TraceFile { path: path.clone(), ranges }).collect(),
        }
    }
}

const SESSION_URI: &str = "git-ai:session/";

/// What names another tool's session in a trace: `git-ai:session/<tool>/<id>`.
pub fn session_uri(tool: &str, id: &str) -> String {
    format!("{SESSION_URI}{}/{}", percent(tool), percent(id))
}

/// The tool and the session that such a name stands for.
pub fn parse_session_uri(uri: &str) -> Option<(String, String)> {
    let (tool, id) = uri.strip_prefix(SESSION_URI)?.split_once('/')?;
    Some((from_percent(tool)?, from_percent(id)?))
}

// The metadata as it is written and as it is read.

#[derive(Serialize)]
struct Metadata<'a> {
    schema_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    git_ai_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_commit_sha: Option<&'a str>,
    prompts: BTreeMap<&'a str, Prompt<'a>>,
    tracevault: Mark<'a>,
}

#[derive(Serialize)]
struct Prompt<'a> {
    agent_id: AgentId<'a>,
    /// No part of a conversation leaves a payload.
    messages: [(); 0],
    total_additions: u64,
    total_deletions: u64,
    accepted_lines: u64,
    /// Spelt as the standard spells it.
    overriden_lines: u64,
}

#[derive(Serialize)]
struct AgentId<'a> {
    tool: &'a str,
    id: &'a str,
    model: &'a str,
}

/// What makes a note ours: the record it was made from, and the digest of the note with zeros in the digest's place.
#[derive(Serialize)]
struct Mark<'a> {
    record: RecordId,
    sha256: Digest,
    version: &'a str,
}

impl<'a> From<&'a Session> for Prompt<'a> {
    fn from(session: &'a Session) -> Self {
        let Session { tool, id, model, .. } = session;
        Prompt {
            agent_id: AgentId { tool, id, model },
            messages: [],
            total_additions: session.additions,
            total_deletions: session.deletions,
            accepted_lines: session.accepted,
            overriden_lines: session.overridden,
        }
    }
}

#[derive(Deserialize)]
struct RawMetadata {
    schema_version: String,
    git_ai_version: Option<String>,
    base_commit_sha: Option<String>,
    #[serde(default)]
    prompts: BTreeMap<String, RawSession>,
    /// Where newer versions of git-ai keep sessions of which they count no lines.
    #[serde(default)]
    sessions: BTreeMap<String, RawSession>,
}

#[derive(Deserialize)]
struct RawSession {
    agent_id: RawAgentId,
    #[serde(default)]
    total_additions: u64,
    #[serde(default)]
    total_deletions: u64,
    #[serde(default)]
    accepted_lines: u64,
    #[serde(default, alias = "overridden_lines")]
    overriden_lines: u64,
}

#[derive(Deserialize)]
struct RawAgentId {
    tool: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    model: String,
}

#[derive(Deserialize)]
struct RawMarked {
    tracevault: RawMark,
}

#[derive(Deserialize)]
struct RawMark {
    sha256: Digest,
}

impl From<RawSession> for Session {
    fn from(raw: RawSession) -> Self {
        let RawAgentId { tool, id, model } = raw.agent_id;
        Session {
            tool,
            id,
            model,
            additions: raw.total_additions,
            deletions: raw.total_deletions,
            accepted: raw.accepted_lines,
            overridden: raw.overriden_lines,
        }
    }
}

#[cfg(test)]
mod tests;
