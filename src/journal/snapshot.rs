//! What a call changed that may change any file (a shell, an MCP tool): the work tree before it, compared with the
//! work tree after it.
//!
//! A snapshot holds the files that differ from HEAD; all others are as HEAD has them. What the call committed is its
//! own; what it brought in from elsewhere by moving HEAD (`pull`, `checkout`, `rebase`, …) is not. Files that git
//! ignores, submodules and other repositories are not looked at. A process that the call left running changes files
//! unseen: they come up in a later call's snapshot before, as nobody's. When the call makes a commit, its changes so far are
//! taken down first: the commit may have them. What somebody else changes while the call runs
//! cannot be told from what it changes itself: of two calls at once, both see it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::git::command::GitError;
use crate::git::locate::{Location, path_from_bytes};
use crate::git::work_tree;
use crate::host::clock::{self, Deadline};
use crate::host::files;
use crate::id::{GitId, RepoPath, SessionId};
use crate::journal::Journal;
use crate::journal::renames;
use crate::journal::states::{FILE_LIMIT, States};
use crate::session::event::{AgentEvent, EventKind, FileState, Gap, GapKind, ToolCall};

/// How long looking at the work tree may hold the agent up, each time.
const PATIENCE: Duration = Duration::from_secs(5);
/// At most so many files have their bytes read each time.
const KEPT_LIMIT: usize = 500;
/// With more files than this that differ from HEAD, nothing is compared.
const LISTED_LIMIT: usize = 10_000;
/// A file written to so shortly before it was read may have been written to again within the same tick of its clock.
const CLOCK_TICK: Duration = Duration::from_millis(20);
/// Snapshots of calls that never ended are thrown away after this long.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a call did to files.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The linked work tree they are in; none for the main one.
    pub work_tree: Option<String>,
    /// The states before it, as far as they are known.
    pub before: Vec<FileState>,
    /// The states after it, of every file that it changed.
    pub files: Vec<FileState>,
    /// What it moved: the former name, and the new one.
    pub renames: Vec<(RepoPath, RepoPath)>,
    pub gaps: Vec<Gap>,
}

/// What the journal keeps from the start of a call to its end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Taken(Snapshot),
    /// The work tree could not be looked at.
    Missed(GapKind),
}

/// A work tree at one moment.
#[derive(Debug, Serialize, Deserialize)]
struct Snapshot {
    work_tree: PathBuf,
    linked: Option<String>,
    head: Option<GitId>,
    files: BTreeMap<RepoPath, Seen>,
    /// The event that it was taken for, of a call that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<Box<AgentEvent>>,
}

/// A file that differed from HEAD.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seen {
    /// Its blob in HEAD; none if it is not there.
    in_head: Option<GitId>,
    /// By which it is known to be unchanged; none if that would not be certain.
    stamp: Option<Stamp>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Is(Option<Digest>),
    Missed(GapKind),
}

/// Size, times of change (of content, of inode; nanoseconds since 1970) and inode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp(u64, u64, u64, u64);

impl Stamp {
    /// The stamp of a file as it is now; none if there is no file, or it has just been written to.
    fn of(file: &Path) -> Option<Stamp> {
        let meta = fs::symlink_metadata(file).ok()?;
        let modified = meta.modified().ok()?;
        let settled = clock::file_time().duration_since(modified).is_ok_and(|age| age > CLOCK_TICK);
        let nanos =
            |time: SystemTime| time.duration_since(UNIX_EPOCH).ok().and_then(|t| u64::try_from(t.as_nanos()).ok());
        #[cfg(unix)]
        let (changed, inode) = {
            use std::os::unix::fs::MetadataExt as _;
            let changed = meta.ctime().wrapping_mul(1_000_000_000).wrapping_add(meta.ctime_nsec());
            (changed.cast_unsigned(), meta.ino())
        };
        #[cfg(not(unix))]
        let (changed, inode) = (0, 0);
        settled.then_some(Stamp(meta.len(), nanos(modified)?, changed, inode))
    }
}

impl Journal {
    /// Looks at the work tree before a call, for [`Journal::changes`] after it.
    pub fn snapshot(&self, location: &Location, event: &AgentEvent, call: &ToolCall) -> io::Result<()> {
        let Some(work_tree) = &location.work_tree else { return Ok(()) };
        let deadline = Deadline::after(PATIENCE);
        let last = self.last_snapshot(work_tree);
        let cache = read(&last);
        let cache = match &cache {
            Some(Kept::Taken(snapshot)) => Some(snapshot),
            _ => None,
        };
        let kept = match take(work_tree, location.linked_name(), self.states(), cache, &deadline) {
            Ok(snapshot) => Kept::Taken(Snapshot { event: Some(Box::new(event.without_files())), ..snapshot }),
            Err(kind) => Kept::Missed(kind),
        };
        write(&self.call_snapshot(&event.session, call), &kept)
    }

    /// What a call changed since its snapshot was taken.
    pub fn changes(&self, session: &SessionId, call: &ToolCall) -> io::Result<Changes> {
        let file = self.call_snapshot(session, call);
        let before = match read(&file) {
            Some(Kept::Taken(snapshot)) => snapshot,
            Some(Kept::Missed(kind)) => {
                fs::remove_file(&file)?;
                return Ok(missed(kind));
            }
            None => return Ok(missed(GapKind::SnapshotFailed)),
        };
        let compared = self.since(&before);
        fs::remove_file(&file)?;
        match compared {
            Ok((changes, after)) => {
                let last = self.last_snapshot(&after.work_tree);
                write(&last, &Kept::Taken(after))?;
                Ok(changes)
            }
            Err(kind) => Ok(Changes { work_tree: before.linked, ..missed(kind) }),
        }
    }

    /// What the call that a session began last in a work tree, and that is under way, changed so far: the event to be
    /// taken down. The end of the call brings what it changes from now on.
    pub fn changes_so_far(&self, session: &SessionId, work_tree: &Path) -> io::Result<Option<AgentEvent>> {
        let mut open: Vec<(AgentEvent, Snapshot)> = Vec::new();
        for file in self.all_snapshots()? {
            let Some(Kept::Taken(mut snapshot)) = read(&file.path()) else { continue };
            let Some(event) = snapshot.event.take() else { continue };
            if event.session == *session && snapshot.work_tree == work_tree {
                open.push((*event, snapshot));
            }
        }
        let Some((mut event, before)) = open.into_iter().max_by_key(|(event, _)| event.at) else { return Ok(None) };
        let Some(call) = event.call.clone() else { return Ok(None) };
        // Where the work tree cannot be looked at now, the end of the call may tell.
        let Ok((changes, after)) = self.since(&before) else { return Ok(None) };
        let after = Snapshot { event: Some(Box::new(event.clone())), ..after };
        write(&self.call_snapshot(session, &call), &Kept::Taken(after))?;
        event.at = clock::now_millis();
        event.kind = EventKind::ToolCommitted;
        self.tell(changes, &mut event);
        Ok(Some(event))
    }

    /// Adds to a call's event what it did.
    pub fn tell(&self, changes: Changes, event: &mut AgentEvent) {
        event.work_tree = changes.work_tree;
        event.before = changes.before;
        event.files = changes.files;
        event.gaps.extend(changes.gaps);
        for (from, to) in changes.renames {
            // Just before: of the former name, all but that it went is the new one's past. That it cannot be written
            // down costs some knowledge only.
            drop(self.renamed(&from, &to, event.at - 1));
        }
    }

    /// What changed since a snapshot, and the one that is taken now.
    fn since(&self, before: &Snapshot) -> Result<(Changes, Snapshot), GapKind> {
        let deadline = Deadline::after(PATIENCE);
        let after = take(&before.work_tree, before.linked.clone(), self.states(), Some(before), &deadline)?;
        Ok((compare(before, &after, self.states(), &deadline)?, after))
    }

    /// Throws away the snapshots of a session that ended, and those that are long forgotten.
    pub fn forget_snapshots(&self, ended: &SessionId) -> io::Result<()> {
        for entry in self.all_snapshots()? {
            let age = entry.metadata()?.modified().ok().and_then(|time| clock::file_time().duration_since(time).ok());
            let of_session = entry.file_name().to_string_lossy().starts_with(&format!("{ended}."));
            if of_session || age.is_some_and(|age| age > FORGOTTEN) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn snapshots(&self) -> PathBuf {
        self.dir().join("snapshots")
    }

    fn all_snapshots(&self) -> io::Result<Vec<fs::DirEntry>> {
        match fs::read_dir(self.snapshots()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            other => other?.collect(),
        }
    }

    fn call_snapshot(&self, session: &SessionId, call: &ToolCall) -> PathBuf {
        self.snapshots().join(format!("{session}.{}.json", Digest::of(call.id.as_str().as_bytes()).short()))
    }

    /// The newest snapshot of a work tree, which spares reading what has not changed since.
    fn last_snapshot(&self, work_tree: &Path) -> PathBuf {
        let name = Digest::of(work_tree.as_os_str().as_encoded_bytes()).short();
        self.snapshots().join(format!("+{name}.json"))
    }
}

fn missed(kind: GapKind) -> Changes {
    Changes { gaps: vec![Gap { kind, count: 1 }], ..Changes::default() }
}

fn read(file: &Path) -> Option<Kept> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn write(file: &Path, kept: &Kept) -> io::Result<()> {
    let bytes = serde_json::to_vec(kept)?;
    match files::replace_private(file, &bytes) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            file.parent().map_or(Ok(()), files::create_private_dir)?;
            files::replace_private(file, &bytes)
        }
        other => other,
    }
}

fn git_missed(error: GitError) -> GapKind {
    match error {
        GitError::Timeout { .. } => GapKind::SnapshotTimeout,
        _ => GapKind::SnapshotFailed,
    }
}

/// Keeps files' states, as many as we may.
struct Keeper<'a> {
    states: &'a States,
    work_tree: &'a Path,
    left: usize,
}

impl Keeper<'_> {
    fn file(&self, path: &RepoPath) -> Option<PathBuf> {
        path_in(self.work_tree, path)
    }

    fn keep(&mut self, path: &RepoPath) -> State {
        if self.left == 0 {
            return State::Missed(GapKind::SnapshotLimited);
        }
        self.left -= 1;
        match self.file(path).map(|file| self.states.keep_file(&file)) {
            Some(Ok(state)) => State::Is(state),
            Some(Err(why)) => State::Missed(why.gap()),
            None => State::Missed(GapKind::FileUnreadable),
        }
    }
}

fn path_in(work_tree: &Path, path: &RepoPath) -> Option<PathBuf> {
    path_from_bytes(&path.to_bytes()).map(|path| work_tree.join(path))
}

/// Looks at a work tree; what `cache` has and is unchanged is not read again.
fn take(
    work_tree: &Path,
    linked: Option<String>,
    states: &States,
    cache: Option<&Snapshot>,
    deadline: &Deadline,
) -> Result<Snapshot, GapKind> {
    let status = work_tree::status(work_tree, deadline).map_err(git_missed)?;
    if status.files.len() > LISTED_LIMIT {
        return Err(GapKind::SnapshotLimited);
    }
    let mut keeper = Keeper { states, work_tree, left: KEPT_LIMIT };
    let mut files = BTreeMap::new();
    for file in status.files {
        if deadline.passed() {
            return Err(GapKind::SnapshotTimeout);
        }
        // The stamp is read before the bytes: a change between the two makes it a stale one, which is harmless.
        let stamp = keeper.file(&file.path).and_then(|path| Stamp::of(&path));
        let cached = cache.and_then(|cache| cache.files.get(&file.path));
        let state = match cached {
            Some(seen) if stamp.is_some() && seen.stamp == stamp && matches!(seen.state, State::Is(_)) => seen.state,
            _ => keeper.keep(&file.path),
        };
        files.insert(file.path, Seen { in_head: file.in_head, stamp, state });
    }
    Ok(Snapshot { work_tree: work_tree.to_owned(), linked, head: status.head, files, event: None })
}

/// What HEAD's move did to files.
#[derive(Default)]
struct Moved {
    /// What differs because of others' commits: before the call's own, these files were as HEAD had them.
    foreign: BTreeSet<RepoPath>,
    /// What the call itself committed, with the blobs before.
    own: BTreeMap<RepoPath, Option<GitId>>,
}

fn moved(before: &Snapshot, after: &Snapshot, deadline: &Deadline) -> Result<Moved, GitError> {
    if before.head == after.head {
        return Ok(Moved::default());
    }
    let (old, new) = (before.head.as_ref(), after.head.as_ref());
    // Where git keeps no log, nothing says that the commits are the call's own.
    let mut moves = work_tree::head_moves(&before.work_tree, deadline).unwrap_or_default();
    let since = match old {
        Some(old) => moves.iter().position(|step| step.to == *old),
        None => Some(moves.len()),
    };
    moves.truncate(since.unwrap_or(0));
    let base = match moves.iter().position(|step| !step.own) {
        Some(last_foreign) => Some(&moves[last_foreign].to),
        None if moves.is_empty() => new,
        None => old,
    };
    let foreign = if base == old { Vec::new() } else { work_tree::changed(&before.work_tree, old, base, deadline)? };
    let own = if base == new { Vec::new() } else { work_tree::changed(&before.work_tree, base, new, deadline)? };
    Ok(Moved {
        foreign: foreign.into_iter().map(|file| file.path).collect(),
        own: own.into_iter().map(|file| (file.path, file.old)).collect(),
    })
}

/// Where a file's state before the call is to be had.
enum Origin {
    Snapshot(State),
    Blob(GitId),
    Absent,
}

fn compare(before: &Snapshot, after: &Snapshot, states: &States, deadline: &Deadline) -> Result<Changes, GapKind> {
    let moved = moved(before, after, deadline).map_err(git_missed)?;
    let mut keeper = Keeper { states, work_tree: &before.work_tree, left: KEPT_LIMIT };
    let paths: BTreeSet<&RepoPath> = before.files.keys().chain(after.files.keys()).chain(moved.own.keys()).collect();
    let mut candidates: Vec<(&RepoPath, Origin, State)> = Vec::new();
    for path in paths {
        let (then, now) = (before.files.get(path), after.files.get(path));
        let same_stamp = then.zip(now).is_some_and(|(then, now)| then.stamp.is_some() && then.stamp == now.stamp);
        if same_stamp && !moved.foreign.contains(path) {
            continue;
        }
        let blob = moved.own.get(path).cloned().or_else(|| now.map(|now| now.in_head.clone()));
        let origin = match (then, blob) {
            (Some(then), _) if !moved.foreign.contains(path) => Origin::Snapshot(then.state),
            (_, Some(Some(blob))) => Origin::Blob(blob),
            (_, Some(None)) => Origin::Absent,
            // It is as others' commits left it.
            (_, None) => continue,
        };
        let state = match (now, then) {
            (Some(now), _) => now.state,
            // It is not listed any more, though no commit has it: it is gone, or ignored from now on.
            (None, Some(Seen { in_head: None, .. })) if !moved.own.contains_key(path) => {
                if keeper.file(path).is_some_and(|file| fs::symlink_metadata(file).is_ok()) {
                    continue;
                }
                State::Is(None)
            }
            (None, _) => keeper.keep(path),
        };
        candidates.push((path, origin, state));
    }
    changes(before, candidates, states, deadline)
}

/// What of the candidates did change, with the bytes before kept.
fn changes(
    before: &Snapshot,
    candidates: Vec<(&RepoPath, Origin, State)>,
    states: &States,
    deadline: &Deadline,
) -> Result<Changes, GapKind> {
    let ids: Vec<&GitId> = candidates
        .iter()
        .filter_map(|(_, origin, _)| if let Origin::Blob(id) = origin { Some(id) } else { None })
        .collect();
    let mut blobs = work_tree::blobs(&before.work_tree, &ids, FILE_LIMIT, deadline).map_err(git_missed)?.into_iter();
    let mut changes = Changes { work_tree: before.linked.clone(), ..Changes::default() };
    let mut gaps: BTreeMap<GapKind, u64> = BTreeMap::new();
    for (path, origin, state) in candidates {
        let then = match origin {
            Origin::Snapshot(state) => state,
            Origin::Absent => State::Is(None),
            Origin::Blob(_) => match blobs.next().flatten() {
                Some(blob) => keep_blob(states, blob, state),
                None => State::Missed(GapKind::FileOversize),
            },
        };
        match (then, state) {
            (_, State::Missed(kind)) => *gaps.entry(kind).or_default() += 1,
            (State::Is(then), State::Is(now)) if then == now => {}
            (then, State::Is(now)) => {
                match then {
                    State::Is(then) => changes.before.push(FileState { path: path.clone(), state: then, file: None }),
                    State::Missed(kind) => *gaps.entry(kind).or_default() += 1,
                }
                let file = now.and_then(|_| files::id(&path_in(&before.work_tree, path)?));
                changes.files.push(FileState { path: path.clone(), state: now, file });
            }
        }
    }
    changes.renames = renames::take_in(&mut changes, states);
    changes.gaps = gaps.into_iter().map(|(kind, count)| Gap { kind, count }).collect();
    Ok(changes)
}

/// Keeps a blob as the file would have been that git makes of it: with CRLF, where that is what the file has now and
/// git took it out of the blob.
fn keep_blob(states: &States, mut blob: Vec<u8>, now: State) -> State {
    let now = match now {
        State::Is(Some(now)) => states.load(&now).ok().flatten().unwrap_or_default(),
        _ => Vec::new(),
    };
    let lines = |bytes: &[u8]| bytes.iter().filter(|b| **b == b'\n').count();
    let crlf = now.windows(2).filter(|pair| pair == b"\r\n").count();
    if crlf > 0 && crlf == lines(&now) && !blob.contains(&b'\r') {
        let mut text = Vec::with_capacity(blob.len() + lines(&blob));
        for b in blob {
            if b == b'\n' {
                text.push(b'\r');
            }
            text.push(b);
        }
        blob = text;
    }
    states.keep(&blob).map_or(State::Missed(GapKind::FileUnreadable), |digest| State::Is(Some(digest)))
}

#[cfg(test)]
mod tests;
