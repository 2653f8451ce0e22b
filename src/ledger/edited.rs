//! The known edits of the files that a commit changes, and of files that vanished before they were committed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::attribution::doubt::{Doubt, FIRM_RUN};
use crate::attribution::labels::Authors;
use crate::attribution::lines;
use crate::attribution::timeline::{Before, Step, Timeline};
use crate::digest::Digest;
use crate::git::diff::FileChange;
use crate::git::history;
use crate::git::locate::{Location, path_from_bytes};
use crate::git::repo::{Kind, Repo};
use crate::git::resolved::{self, Sides};
use crate::host::{clock, files};
use crate::id::{FileId, GitId, RepoPath, SessionId};
use crate::journal::Journal;
use crate::journal::states::FILE_LIMIT;
use crate::ledger::LedgerError;
use crate::ledger::attribute::before_bytes;
use crate::record::body::LineAuthor;
use crate::session::edit::{Edit, Known};

/// How many files that vanished are looked at, and how large each may be.
const MAX_VANISHED: usize = 50;
const MAX_VANISHED_BYTES: u64 = 256 << 10;
/// How many commits before one are asked for a file.
const MAX_BEFORE: usize = 100;

/// The known edits of the files that a commit changes.
pub struct Edited {
    journal: Option<Journal>,
    /// The files that were asked for.
    read: HashSet<RepoPath>,
    by_path: BTreeMap<RepoPath, Vec<Edit>>,
    recent: OnceLock<Vec<(RepoPath, Vec<Edit>)>>,
    /// Which of these the commit before has as what blob.
    committed: OnceLock<HashMap<GitId, usize>>,
    /// How many lines files had before the commit.
    counts: Mutex<HashMap<GitId, usize>>,
    /// When the commit before was made, in milliseconds since 1970.
    since: OnceLock<i64>,
    vanished: OnceLock<Vec<Vanished>>,
    replaced: OnceLock<Vec<Vanished>>,
    /// Whether the commit repeats or takes back others, which may have lines that its parent knows nothing of.
    repeats: OnceLock<bool>,
    /// When HEAD last went elsewhere in this work tree, in milliseconds since 1970.
    left: OnceLock<Option<i64>>,
    /// The work tree that the commit is made in; none for the main one.
    here: Option<String>,
    /// The folder that it is.
    work_tree: Option<PathBuf>,
    /// The commit that it amends.
    amended: OnceLock<Option<GitId>>,
    /// What lay on the other side of conflicts that were resolved in it.
    resolved: OnceLock<BTreeMap<RepoPath, Sides>>,
    /// The branch that it squashes: where it began, and its last commit.
    squashed: OnceLock<Option<(Option<GitId>, GitId)>>,
}

/// What git brought to a file: the file on the other side, and where both sides come from.
pub struct Brought {
    pub base: Option<Vec<u8>>,
    pub theirs: Vec<u8>,
    /// How doubtful it is that it is in the commit.
    pub doubt: Doubt,
}

impl Edited {
    /// Those of no file, yet.
    pub fn new(repo: &Repo) -> Self {
        let work_tree = repo.work_tree();
        Edited {
            journal: Journal::open(&repo.common_dir()),
            read: HashSet::new(),
            by_path: BTreeMap::new(),
            recent: OnceLock::new(),
            committed: OnceLock::new(),
            counts: Mutex::default(),
            since: OnceLock::new(),
            vanished: OnceLock::new(),
            replaced: OnceLock::new(),
            repeats: OnceLock::new(),
            left: OnceLock::new(),
            amended: OnceLock::new(),
            resolved: OnceLock::new(),
            squashed: OnceLock::new(),
            here: work_tree.as_deref().and_then(Location::of).and_then(|at| at.linked_name()),
            work_tree,
        }
    }

    /// Reads what is known of the files with these names, unless it has been read.
    pub fn read<'p>(&mut self, paths: impl Iterator<Item = &'p RepoPath>) -> Result<(), LedgerError> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let failed = |source| LedgerError::File { path: journal.dir().to_owned(), source };
        for path in paths {
            if self.read.insert(path.clone()) {
                let edits = journal.edits(path).map_err(failed)?;
                if !edits.is_empty() {
                    self.by_path.insert(path.clone(), edits);
                }
            }
        }
        Ok(())
    }

    /// The edits of a file under its name and the one it had before, and more, oldest first, by work tree; the one at
    /// hand first.
    pub fn of<'e>(&'e self, file: &'e FileChange, more: impl IntoIterator<Item = &'e Edit>) -> Vec<Vec<&'e Edit>> {
        self.by_tree(self.all_of(file).chain(more))
    }

    pub fn by_tree<'e>(&self, edits: impl Iterator<Item = &'e Edit>) -> Vec<Vec<&'e Edit>> {
        let mut edits: Vec<&Edit> = edits.collect();
        edits.sort_by_key(|edit| edit.at);
        let mut trees: Vec<Option<&str>> = edits.iter().map(|edit| edit.work_tree.as_deref()).collect();
        trees.sort_unstable();
        trees.dedup();
        trees.sort_by_key(|tree| *tree != self.here.as_deref());
        let of_tree =
            |tree: Option<&str>| edits.iter().copied().filter(|edit| edit.work_tree.as_deref() == tree).collect();
        trees.into_iter().map(of_tree).collect()
    }

    /// The first edit of a file under its own name.
    pub fn first(&self, path: &RepoPath) -> Option<&Edit> {
        self.by_path.get(path)?.first()
    }

    /// The edits of a file under its own name.
    pub fn under(&self, path: &RepoPath) -> Option<&[Edit]> {
        self.by_path.get(path).map(Vec::as_slice)
    }

    /// The edits of a file until it was gone, where another was then made under its name in this work tree, since `then`
    /// (milliseconds since 1970).
    pub fn before_anew(&self, path: &RepoPath, then: i64) -> Option<&[Edit]> {
        let edits = self.under(path)?;
        let here = |edit: &Edit| edit.work_tree.as_deref() == self.here.as_deref();
        let is_anew =
            |edit: &Edit| here(edit) && edit.at >= then && edit.path == *path && edit.before == Known::Is(None);
        let (before, _) = edits.split_at(edits.iter().rposition(is_anew)?);
        before.iter().any(|edit| here(edit) && edit.after.is_some()).then_some(before)
    }

    /// Whether an edit left a file of one of these names with these bytes.
    pub fn left_so<'p>(&self, names: impl IntoIterator<Item = &'p RepoPath>, bytes: Known) -> bool {
        let Known::Is(Some(_)) = bytes else { return false };
        let mut edits = names.into_iter().filter_map(|path| self.by_path.get(path)).flatten();
        edits.any(|edit| Known::Is(edit.after) == bytes)
    }

    /// The files that were edited lately and that the commit has not: what is there still was copied, not renamed.
    pub fn vanished(&self, repo: &Repo, commit: &GitId) -> &[Vanished] {
        self.vanished.get_or_init(|| {
            let gone = self
                .recent()
                .iter()
                .filter(|(path, _)| history::blob_at(repo, commit, path).is_ok_and(|at| at.is_none()));
            let mut vanished: Vec<Vanished> = gone.filter_map(|(path, all)| Vanished::read(self, path, all)).collect();
            // The oldest first: a file may have had several names before it was committed.
            vanished.sort_by_key(|file| file.edits.first().map(|edit| edit.at));
            for later in 1..vanished.len() {
                let (earlier, rest) = vanished.split_at_mut(later);
                if let Some(file) = rest.first_mut() {
                    self.add_former(file, earlier);
                }
            }
            vanished.sort_by_key(|file| Reverse(file.edits.last().map(|edit| edit.at)));
            vanished
        })
    }

    /// The files that were edited lately and in whose places others lie now: git puts a former one back where it is told to.
    pub fn replaced(&self) -> &[Vanished] {
        self.replaced.get_or_init(|| {
            let there =
                self.recent().iter().filter(|(path, _)| self.on_disk(path).is_some_and(|there| there.is_file()));
            let replaced = there.filter(|(path, all)| !self.is_it(self.file_id(path), all));
            replaced.filter_map(|(path, all)| Vanished::read(self, path, all)).collect()
        })
    }

    /// The file that was edited lately and that an edit left with these very bytes, or the commit before has with them: its
    /// name, and its edits until then.
    pub fn left_as(&self, repo: &Repo, commit: &GitId, blob: &GitId, bytes: &[u8]) -> Option<(&RepoPath, &[Edit])> {
        let bytes = Some(Digest::of(bytes));
        let recent = self.recent();
        let left = |all: &[Edit]| all.iter().rposition(|edit| edit.after == bytes);
        if let Some(until) = recent.iter().find_map(|(path, all)| Some((path, &all[..=left(all)?]))) {
            return Some(until);
        }
        let committed = self.committed.get_or_init(|| {
            let parent = history::first_parent(repo, commit);
            let blob = |path: &RepoPath| history::blob_at(repo, parent.as_ref()?, path).ok()?;
            recent.iter().enumerate().filter_map(|(at, (path, _))| Some((blob(path)?, at))).collect()
        });
        let (path, all) = recent.get(*committed.get(blob)?)?;
        Some((path, all))
    }

    /// Whether half of what a file had is gone from it with the commit.
    pub fn is_rewritten(&self, repo: &Repo, file: &FileChange) -> bool {
        let Some(blob) = &file.blob_before else { return true };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let had = counts.entry(blob.clone()).or_insert_with(|| lines::count(&before_bytes(repo, file)));
        file.removed as usize * 2 >= *had
    }

    /// When the commit before this one was made, in milliseconds since 1970; 0 where there is none.
    pub fn since(&self, repo: &Repo, commit: &GitId) -> i64 {
        *self.since.get_or_init(|| {
            let parent = history::first_parent(repo, commit).and_then(|parent| history::committed_at(repo, &parent));
            parent.map_or(0, |time| time.unix() * 1000)
        })
    }

    /// The files that were edited lately, with their edits.
    fn recent(&self) -> &[(RepoPath, Vec<Edit>)] {
        self.recent.get_or_init(|| {
            // What cannot be read is not known; the commit is recorded all the same.
            let Some(journal) = &self.journal else { return Vec::new() };
            let paths = journal.recent_files(MAX_VANISHED).unwrap_or_default();
            let read = |path: RepoPath| journal.edits(&path).ok().map(|all| (path, all));
            paths.into_iter().filter_map(read).collect()
        })
    }

    /// Puts before a file's edits those of the one that was renamed to it: the last whose bytes it had when it was first
    /// edited under its name, and that was the very file. The bytes alone could be those of a person's own file.
    fn add_former(&self, file: &mut Vanished, earlier: &[Vanished]) {
        let Some(first) = file.edits.first() else { return };
        let (Known::Is(Some(had)), Some(id), at) = (first.before, first.file, first.at) else { return };
        let left = |edit: &Edit| edit.at <= at && edit.after == Some(had) && edit.file == Some(id);
        let was = earlier.iter().rev().find(|was| was.path != file.path && was.edits.iter().any(left));
        if let Some(was) = was {
            self.note_name(&was.path, &file.path, Some(at));
            let until = was.edits.iter().filter(|edit| edit.at <= at).cloned();
            file.edits.splice(..0, until);
        }
    }

    /// Whether a file of the commit may have become another one since it was edited, unseen: HEAD went elsewhere
    /// meanwhile, it was committed and is no more, or it was edited in another work tree.
    pub fn is_apart(&self, repo: &Repo, commit: &GitId, file: &FileChange, edits: &[&Edit]) -> bool {
        let Some(last) = edits.last() else { return false };
        last.work_tree.as_deref() != self.here.as_deref()
            || (self.was_left_since(repo, last.at) && !self.is_the_same(&file.path, last))
            || (file.blob_before.is_none() && was_committed(repo, commit, &file.path, edits))
    }

    /// Whether the file is the very one that the edit left, whatever was written into it since: git makes files anew.
    fn is_the_same(&self, path: &RepoPath, last: &Edit) -> bool {
        let kept = || self.journal.as_ref()?.states().kept_at(&last.after?);
        let made = || files::made_at(&self.on_disk(path)?);
        made().zip(kept()).is_some_and(|(made, kept)| made <= kept)
    }

    /// The file that has this name in the work tree, apart from its name.
    pub fn file_id(&self, path: &RepoPath) -> Option<FileId> {
        files::id(&self.on_disk(path)?)
    }

    /// Whether a file is the very one that the last of these edits in this work tree left, under whatever name.
    pub fn is_it<'e>(
        &self,
        file: Option<FileId>,
        edits: impl IntoIterator<Item = &'e Edit, IntoIter: DoubleEndedIterator>,
    ) -> bool {
        let last = edits.into_iter().rfind(|edit| edit.work_tree.as_deref() == self.here.as_deref());
        file.is_some() && file == last.and_then(|last| last.file)
    }

    /// Edits until the last one that left this very file, if one did.
    pub fn until_it<'e>(&self, file: Option<FileId>, edits: &'e [Edit]) -> Option<&'e [Edit]> {
        let left = |edit: &Edit| edit.work_tree.as_deref() == self.here.as_deref() && edit.file == file;
        file.and_then(|_| Some(&edits[..=edits.iter().rposition(left)?]))
    }

    /// Whether the file lies there as the last of these edits left it.
    pub fn lies_there(&self, path: &RepoPath, edits: &[&Edit]) -> bool {
        let Some((file, last)) = self.on_disk(path).zip(edits.last()) else { return false };
        let Some(bytes) = files::read_small(&file, FILE_LIMIT).ok().flatten() else { return false };
        last.work_tree.as_deref() == self.here.as_deref() && last.after == Some(Digest::of(&bytes))
    }

    /// What git brought to a file, if the commit resolves a conflict in it or is a squashed branch.
    pub fn brought(&self, repo: &Repo, commit: &GitId, file: &FileChange) -> Option<Brought> {
        let amended =
            || history::made_at(repo, commit).and_then(|from| history::blob_at(repo, &from, &file.path).ok()?);
        // What cannot be read is not known.
        let resolved = self.resolved.get_or_init(|| resolved::conflicts(repo).unwrap_or_default());
        let sides = resolved.get(&file.path).filter(|sides| sides.ours == file.blob_before || sides.ours == amended());
        let (base, theirs, doubt) = match sides {
            Some(sides) => (sides.base.clone(), sides.theirs.clone(), Doubt::None),
            None => {
                let (base, tip) = self.squashed(repo, commit)?;
                let of = |commit| history::blob_at(repo, commit, &file.path).ok()?;
                // Only git's index would know whether it was taken out again.
                (base.as_ref().and_then(of), of(tip), Doubt::Much)
            }
        };
        let theirs = theirs.filter(|theirs| base.as_ref() != Some(theirs))?;
        let bytes = |blob: GitId| repo.read(&blob).ok().filter(|(kind, _)| *kind == Kind::Blob).map(|(_, bytes)| bytes);
        Some(Brought { theirs: bytes(theirs)?, base: base.and_then(bytes), doubt })
    }

    /// The branch that the commit squashes: where it began, and its last commit.
    fn squashed(&self, repo: &Repo, commit: &GitId) -> Option<&(Option<GitId>, GitId)> {
        let find = || {
            let squash = self.journal.as_ref()?.squash()?;
            let is_on = |head: Option<GitId>| head.as_ref() == Some(&squash.head);
            let on_it = is_on(history::first_parent(repo, commit)) || is_on(history::made_at(repo, commit));
            // A reset throws it away. Git's log knows seconds.
            let is_left = self.left_at(repo).is_some_and(|left| left.div_euclid(1000) > squash.at.div_euclid(1000));
            (on_it && !is_left).then(|| (history::merge_base(repo, &squash.head, &squash.tip), squash.tip))
        };
        self.squashed.get_or_init(find).as_ref()
    }

    /// The file as the commit has it that this one amends.
    pub fn amended(&self, repo: &Repo, commit: &GitId, path: &RepoPath) -> Option<Digest> {
        let find = || {
            let at = history::made_at(repo, commit);
            at.filter(|at| history::first_parent(repo, commit).as_ref() != Some(at))
        };
        let amended = self.amended.get_or_init(find).as_ref()?;
        history::file_at(repo, amended, path).ok()?.map(|bytes| Digest::of(&bytes))
    }

    /// Whether HEAD went elsewhere, or was reset, since then (milliseconds since 1970).
    pub fn was_left_since(&self, repo: &Repo, then: i64) -> bool {
        self.left_at(repo).is_some_and(|left| left >= then)
    }

    /// Where a file is in the work tree.
    fn on_disk(&self, path: &RepoPath) -> Option<PathBuf> {
        Some(self.work_tree.as_ref()?.join(path_from_bytes(&path.to_bytes())?))
    }

    fn left_at(&self, repo: &Repo) -> Option<i64> {
        *self.left.get_or_init(|| history::left_at(repo))
    }

    pub fn repeats(&self, repo: &Repo, commit: &GitId) -> bool {
        *self.repeats.get_or_init(|| history::repeats_another(repo, commit))
    }

    /// The sessions that edited any of the files since then (milliseconds since 1970).
    pub fn sessions_since(&self, then: i64) -> BTreeSet<SessionId> {
        let recent = self.by_path.values().flatten().filter(|edit| edit.at >= then);
        recent.map(|edit| edit.session.clone()).collect()
    }

    /// All edits of a file under its name and the one it had before.
    pub fn all_of<'e>(&'e self, file: &'e FileChange) -> impl Iterator<Item = &'e Edit> {
        file.names().filter_map(|path| self.by_path.get(path)).flatten()
    }

    /// Remembers that a file had another name, until then (milliseconds since 1970) or until now. That it cannot be
    /// written down costs later commits some knowledge only.
    pub fn note_name(&self, from: &RepoPath, to: &RepoPath, until: Option<i64>) {
        if let Some(journal) = &self.journal {
            drop(journal.renamed(from, to, until.unwrap_or_else(clock::now_millis)));
        }
    }

    pub fn load(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.journal.as_ref()?.states().load(digest).ok().flatten()
    }

    /// A file's timeline in one work tree.
    pub fn timeline(&self, edits: &[&Edit], authors: &mut Authors) -> Timeline {
        let mut timeline = Timeline::default();
        let mut last = i64::MIN;
        for edit in edits {
            // It was looked at before another call's change that came since.
            let stale = edit.began.is_some_and(|began| began < last);
            let before = match edit.before {
                Known::Is(Some(digest)) if !stale => self.load(&digest),
                _ => None,
            };
            let after = edit.after.map(|digest| self.load(&digest));
            if matches!(after, Some(None)) {
                // The bytes are gone: what the file became by this edit cannot be told, and is nobody's.
                continue;
            }
            let after = after.flatten();
            last = last.max(edit.at);
            let author = authors.add(LineAuthor { session: edit.session.clone(), call: edit.call.clone() });
            timeline.step(&Step {
                before: match (&edit.before, &before) {
                    _ if stale => Before::Unknown,
                    (Known::Is(None), _) => Before::NoFile,
                    (Known::Is(Some(_)), Some(bytes)) => Before::Bytes(bytes),
                    _ => Before::Unknown,
                },
                after: after.as_deref(),
                author,
                reach: edit.reach,
            });
        }
        timeline
    }
}

/// Whether a commit before this one has a file of this name, of those made since the first of these edits.
fn was_committed(repo: &Repo, commit: &GitId, path: &RepoPath, edits: &[&Edit]) -> bool {
    let first = edits.first().map_or(i64::MAX, |edit| edit.at.div_euclid(1000));
    let before = std::iter::successors(history::first_parent(repo, commit), |id| history::first_parent(repo, id));
    before
        .take(MAX_BEFORE)
        .take_while(|id| history::committed_at(repo, id).is_some_and(|time| time.unix() >= first))
        .any(|id| history::blob_at(repo, &id, path).is_ok_and(|blob| blob.is_some()))
}

/// A file that was edited lately and that the commit has not.
pub struct Vanished {
    pub path: RepoPath,
    pub edits: Vec<Edit>,
    /// How it was last.
    last: Vec<u8>,
    /// Its lines with words, below those that any file may begin with.
    words: HashSet<Vec<u8>>,
}

impl Vanished {
    fn read(edits: &Edited, path: &RepoPath, all: &[Edit]) -> Option<Self> {
        let last = all.iter().filter_map(|edit| edit.after).next_back()?;
        let last = edits.load(&last).filter(|bytes| bytes.len() as u64 <= MAX_VANISHED_BYTES)?;
        let head = lines::head(lines::split(&last));
        let words = lines::split(&last).skip(head).filter(|line| lines::has_word(line)).map(lines::trimmed).collect();
        Some(Vanished { path: path.clone(), edits: all.to_vec(), last, words })
    }

    /// How it was last, if these bytes have so much of it, but for white space, as nobody writes twice by chance: a long line,
    /// three that tell, or all of it, if that says anything.
    pub fn like(&self, bytes: &[u8]) -> Option<&[u8]> {
        let common = || lines::split(bytes).filter(|line| self.words.contains(&lines::trimmed(line)));
        let kept = || {
            let kept: HashSet<Vec<u8>> = common().map(lines::trimmed).collect();
            kept.len() == self.words.len() && kept.iter().any(|line| lines::says_something(line))
        };
        let enough = common().any(lines::is_long)
            || common().filter(|line| lines::is_telling(line)).take(FIRM_RUN).count() == FIRM_RUN
            || kept();
        enough.then_some(&self.last)
    }
}
