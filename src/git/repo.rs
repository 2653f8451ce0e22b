//! A repository: its objects and refs, read and written in-process.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gix::objs::{Find as _, Write as _};
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};

use crate::git::command::Git;
use crate::host::clock;
use crate::host::files;
use crate::id::GitId;

/// What went wrong with a repository.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    #[error("{} is not in a git repository", .0.display())]
    NotFound(PathBuf),
    #[error("{} keeps its refs in the reftable format, which is not supported", .0.display())]
    Reftable(PathBuf),
    #[error("no object {0} in this repository")]
    Missing(GitId),
    #[error("object {id} has {size} bytes")]
    TooLarge { id: GitId, size: u64 },
    #[error("object {id}: {reason}")]
    Object { id: String, reason: String },
    #[error("{name} is not at the expected commit: somebody else has moved it")]
    RefMoved { name: String },
    #[error("ref {name}: {reason}")]
    Ref { name: String, reason: String },
}

/// The kinds of git objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Blob,
    Tree,
    Commit,
    Tag,
}

impl From<gix::objs::Kind> for Kind {
    fn from(kind: gix::objs::Kind) -> Self {
        match kind {
            gix::objs::Kind::Blob => Kind::Blob,
            gix::objs::Kind::Tree => Kind::Tree,
            gix::objs::Kind::Commit => Kind::Commit,
            gix::objs::Kind::Tag => Kind::Tag,
        }
    }
}

impl From<Kind> for gix::objs::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Blob => gix::objs::Kind::Blob,
            Kind::Tree => gix::objs::Kind::Tree,
            Kind::Commit => gix::objs::Kind::Commit,
            Kind::Tag => gix::objs::Kind::Tag,
        }
    }
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// The mode as git writes it, `100644`.
    pub mode: u32,
    pub name: Vec<u8>,
    pub id: GitId,
}

/// An open repository.
pub struct Repo {
    inner: gix::Repository,
    /// Whether no object larger than [`SHARED_MAX_BYTES`] can be read from it.
    capped: bool,
    /// Whether it is another repository than the one that git runs us for.
    apart: bool,
}

/// A repository for several threads that read many small objects: none that is larger than [`SHARED_MAX_BYTES`] can be
/// read from it.
#[derive(Clone, Debug)]
pub struct SharedRepo {
    inner: gix::ThreadSafeRepository,
    apart: bool,
}

/// The largest object that can be read from a [`SharedRepo`].
pub const SHARED_MAX_BYTES: usize = 64 << 20;

impl SharedRepo {
    pub fn here(&self) -> Repo {
        Repo { capped: true, apart: self.apart, ..Repo::of(self.inner.to_thread_local()) }
    }
}

impl Repo {
    /// The repository that `dir` is in; `GIT_DIR` is respected, as in a hook.
    pub fn discover(dir: &Path) -> Result<Self, RepoError> {
        let dir = std::path::absolute(dir).map_err(|_| RepoError::NotFound(dir.to_owned()))?;
        let shared = gix::ThreadSafeRepository::discover_with_environment_overrides(&dir)
            .map_err(|_| RepoError::NotFound(dir.clone()))?;
        Self::checked(shared.to_thread_local(), dir)
    }

    /// The repository whose git folder this is, whatever a hook's environment says of another.
    pub fn open_apart(dir: &Path) -> Result<Self, RepoError> {
        let options = gix::open::Options::default().open_path_as_is(true);
        let shared = gix::ThreadSafeRepository::open_opts(dir, options);
        let shared = shared.map_err(|_| RepoError::NotFound(dir.to_owned()))?;
        Ok(Repo { apart: true, ..Self::checked(shared.to_thread_local(), dir.to_owned())? })
    }

    fn checked(inner: gix::Repository, path: PathBuf) -> Result<Self, RepoError> {
        let storage = inner.config_snapshot().string("extensions.refStorage").map(|value| value.to_string());
        match storage.as_deref() {
            Some("reftable") => Err(RepoError::Reftable(path)),
            _ => Ok(Repo::of(inner)),
        }
    }

    /// Objects are what their ids say, whatever `git replace` shows in their place.
    fn of(mut inner: gix::Repository) -> Self {
        inner.objects.ignore_replacements = true;
        Repo { inner, capped: false, apart: false }
    }

    /// The same repository for one thread more.
    pub fn for_thread(&self) -> Repo {
        Repo { capped: self.capped, apart: self.apart, ..Repo::of(self.inner.clone()) }
    }

    /// The same repository for several threads.
    pub fn share(&self) -> Result<SharedRepo, RepoError> {
        let cap = format!("gitoxide.objects.allocLimit={SHARED_MAX_BYTES}");
        let options = self.inner.open_options().clone().config_overrides([cap]);
        match gix::ThreadSafeRepository::open_opts(self.inner.git_dir(), options) {
            Ok(inner) => Ok(SharedRepo { inner, apart: self.apart }),
            Err(_) => Err(RepoError::NotFound(self.inner.git_dir().to_owned())),
        }
    }

    /// Whether history is cut off here (`git clone --depth`).
    pub fn is_shallow(&self) -> bool {
        // Where it cannot be told, it may be.
        self.inner.is_shallow().unwrap_or(true)
    }

    /// The commits whose parents are not here, in a shallow clone.
    pub fn cut(&self) -> HashSet<String> {
        // Read anew each time: git changes it with every fetch.
        let text = files::read_if_exists(&self.common_dir().join("shallow")).ok().flatten().unwrap_or_default();
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }

    /// The git folder that all worktrees share.
    pub fn common_dir(&self) -> PathBuf {
        let dir = self.inner.common_dir();
        std::fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned())
    }

    /// The folder with the files; `None` in a bare repository.
    pub fn work_tree(&self) -> Option<PathBuf> {
        self.inner.workdir().map(|dir| std::fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned()))
    }

    /// Where to run git: the work tree, or the git folder of a bare repository.
    pub fn home(&self) -> PathBuf {
        self.work_tree().unwrap_or_else(|| self.common_dir())
    }

    /// Git in this repository.
    pub fn git(&self) -> Git {
        let git = Git::in_dir(&self.home());
        if self.apart { git.without_hook_env() } else { git }
    }

    /// The format of its object ids, as `extensions.objectFormat` names it.
    pub fn object_format(&self) -> String {
        self.inner.object_hash().to_string()
    }

    /// A value of git's configuration, files and command line taken together.
    pub fn config(&self, key: &str) -> Option<String> {
        self.inner.config_snapshot().string(key).map(|value| value.to_string())
    }

    /// The files that its configuration was read from, those that others include among them.
    pub fn config_files(&self) -> Vec<PathBuf> {
        let snapshot = self.inner.config_snapshot();
        let mut files: Vec<PathBuf> =
            snapshot.plumbing().sections().filter_map(|section| section.meta().path.clone()).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// The id that these bytes have as an object of this kind in this repository.
    pub fn id_of(&self, kind: Kind, bytes: &[u8]) -> Result<GitId, RepoError> {
        gix::objs::compute_hash(self.inner.object_hash(), kind.into(), bytes)
            .map_err(|error| RepoError::Object { id: "new".into(), reason: error.to_string() })
            .and_then(|id| git_id(&id))
    }

    /// An object's bytes. They are what is stored under the id, not what the id promises: see [`Repo::read_checked`].
    pub fn read(&self, id: &GitId) -> Result<(Kind, Vec<u8>), RepoError> {
        let mut buffer = Vec::new();
        let found = self.inner.objects.try_find(&object_id(id)?, &mut buffer);
        let kind = match found {
            Ok(Some(data)) => Kind::from(data.kind),
            Ok(None) => return Err(RepoError::Missing(id.clone())),
            Err(error) => return Err(RepoError::Object { id: id.to_string(), reason: error.to_string() }),
        };
        Ok((kind, buffer))
    }

    /// The same, with its id computed anew, for an object that must not be larger than `limit`: a larger one is not read.
    pub fn read_at_most(&self, id: &GitId, expected: Kind, limit: usize) -> Result<Vec<u8>, RepoError> {
        // To ask for the size of a small object costs as much as to read it. Where none can be large, it need not be.
        if self.capped
            && let Ok(bytes) = self.read_checked(id, expected)
            && bytes.len() <= limit
        {
            return Ok(bytes);
        }
        let size = match gix::objs::FindHeader::try_header(&self.inner.objects, &object_id(id)?) {
            Ok(Some(header)) => header.size,
            Ok(None) => return Err(RepoError::Missing(id.clone())),
            Err(error) => return Err(RepoError::Object { id: id.to_string(), reason: error.to_string() }),
        };
        if size > limit as u64 {
            return Err(RepoError::TooLarge { id: id.clone(), size });
        }
        self.read_checked(id, expected)
    }

    /// An object's bytes, of the expected kind, with the id computed anew: neither git nor gix does it on reading.
    pub fn read_checked(&self, id: &GitId, expected: Kind) -> Result<Vec<u8>, RepoError> {
        let (kind, bytes) = self.read(id)?;
        let reason = if kind != expected {
            format!("a {kind:?} where a {expected:?} should be").to_lowercase()
        } else if self.id_of(kind, &bytes)? != *id {
            "its bytes are not those of its id".to_owned()
        } else {
            return Ok(bytes);
        };
        Err(RepoError::Object { id: id.to_string(), reason })
    }

    pub fn contains(&self, id: &GitId) -> bool {
        object_id(id).is_ok_and(|id| self.inner.has_object(id))
    }

    /// The same without looking for packs that appeared meanwhile: for many objects of which many are not here.
    pub fn contains_now(&self, id: &GitId) -> bool {
        object_id(id).is_ok_and(|id| self.inner.objects.exists_without_refresh(&id))
    }

    /// Stores an object.
    pub fn write(&self, kind: Kind, bytes: &[u8]) -> Result<GitId, RepoError> {
        let failed = |reason: String| RepoError::Object { id: "new".into(), reason };
        let id = gix::objs::compute_hash(self.inner.object_hash(), kind.into(), bytes)
            .map_err(|error| failed(error.to_string()))?;
        // Looking again for packs that appeared meanwhile would cost more than writing an object twice.
        if !self.inner.objects.exists_without_refresh(&id) {
            self.inner
                .objects
                .write_buf_with_known_id(kind.into(), bytes, id)
                .map_err(|error| failed(error.to_string()))?;
        }
        git_id(&id)
    }

    /// A tree's entries, from its raw bytes.
    pub fn tree_entries(&self, bytes: &[u8]) -> Result<Vec<TreeEntry>, RepoError> {
        let malformed = |reason: String| RepoError::Object { id: "tree".into(), reason };
        gix::objs::TreeRefIter::from_bytes(bytes, self.inner.object_hash())
            .map(|entry| {
                let entry = entry.map_err(|error| malformed(error.to_string()))?;
                Ok(TreeEntry {
                    mode: u32::from(entry.mode.value()),
                    name: entry.filename.to_vec(),
                    id: git_id(entry.oid)?,
                })
            })
            .collect()
    }

    /// The object that a ref names, if there is such a ref.
    pub fn find_ref(&self, name: &str) -> Result<Option<GitId>, RepoError> {
        let failed =
            |error: &dyn std::fmt::Display| RepoError::Ref { name: name.to_owned(), reason: error.to_string() };
        match self.inner.try_find_reference(name).map_err(|error| failed(&error))? {
            Some(mut found) => {
                let id = found.peel_to_id().map_err(|error| failed(&error))?;
                git_id(&id.detach()).map(Some)
            }
            None => Ok(None),
        }
    }

    /// All refs whose names begin with `prefix`, which ends in a slash, sorted by name; without symbolic ones.
    pub fn refs(&self, prefix: &str) -> Result<Vec<(String, GitId)>, RepoError> {
        let all = self.refs_and_links(prefix)?;
        Ok(all.into_iter().filter_map(|(name, id)| Some((name, id?))).collect())
    }

    /// The same with symbolic refs, which name no object of their own.
    pub fn refs_and_links(&self, prefix: &str) -> Result<Vec<(String, Option<GitId>)>, RepoError> {
        let failed =
            |error: &dyn std::fmt::Display| RepoError::Ref { name: prefix.to_owned(), reason: error.to_string() };
        let platform = self.inner.references().map_err(|error| failed(&error))?;
        let mut found = Vec::new();
        for reference in platform.prefixed(prefix).map_err(|error| failed(&error))? {
            let reference = reference.map_err(|error| failed(&error))?;
            let id = reference.try_id().map(|id| git_id(&id.detach())).transpose()?;
            found.push((reference.name().as_bstr().to_string(), id));
        }
        found.sort();
        Ok(found)
    }

    /// Moves refs together, each only from where it is expected (`None`: it must not exist); all of them or none.
    pub fn update_refs(&self, updates: &[RefUpdate]) -> Result<(), RepoError> {
        if updates.is_empty() {
            return Ok(());
        }
        let edits = updates.iter().map(RefUpdate::edit).collect::<Result<Vec<_>, _>>()?;
        // gix lets "must not exist" pass where the ref exists with the very same value: nothing is lost by that.
        // For reflogs, where there are any. gix would ask the machine for its time zone to make one up.
        let time = format!("{} +0000", clock::now().unix());
        let who = || Some(gix::actor::SignatureRef { name: "tracevault".into(), email: "".into(), time: &time });
        let mut done = self.inner.edit_references_as(edits.clone(), who());
        if done.is_err() && updates.iter().filter(|update| self.remove_stale_lock(&update.name)).count() > 0 {
            done = self.inner.edit_references_as(edits, who());
        }
        done.map(drop).map_err(|error| {
            let moved = updates.iter().find(|update| self.find_ref(&update.name).ok() != Some(update.expected.clone()));
            match moved {
                Some(update) => RepoError::RefMoved { name: update.name.clone() },
                None => RepoError::Ref {
                    name: updates.iter().map(|u| u.name.as_str()).collect::<Vec<_>>().join(", "),
                    reason: error.to_string(),
                },
            }
        })
    }

    /// Removes the lock that a killed process left on a ref of ours; whether there was one. Nobody holds such a lock for
    /// longer than it takes to write a line.
    pub fn remove_stale_lock(&self, name: &str) -> bool {
        let lock = self.inner.common_dir().join(format!("{name}.lock"));
        files::age(&lock).is_some_and(|age| age > STALE_LOCK) && std::fs::remove_file(lock).is_ok()
    }

    /// The repository as gix has it, for the other files of this module.
    pub(super) fn gix(&self) -> &gix::Repository {
        &self.inner
    }
}

/// A ref's lock that is older was left by a process that was killed.
const STALE_LOCK: Duration = Duration::from_secs(10);

/// One move of a ref.
#[derive(Debug, Clone)]
pub struct RefUpdate {
    pub name: String,
    pub new: Option<GitId>,
    pub expected: Option<GitId>,
}

impl RefUpdate {
    fn edit(&self) -> Result<RefEdit, RepoError> {
        let failed = |reason: String| RepoError::Ref { name: self.name.clone(), reason };
        let name = gix::refs::FullName::try_from(self.name.as_str()).map_err(|error| failed(error.to_string()))?;
        let expected = match &self.expected {
            Some(id) => PreviousValue::MustExistAndMatch(object_id(id)?.into()),
            None => PreviousValue::MustNotExist,
        };
        let change = match &self.new {
            Some(id) => Change::Update {
                log: LogChange { mode: RefLog::AndReference, force_create_reflog: false, message: "tracevault".into() },
                expected,
                new: object_id(id)?.into(),
            },
            None => Change::Delete { expected, log: RefLog::AndReference },
        };
        Ok(RefEdit { change, name, deref: false })
    }
}

pub(super) fn object_id(id: &GitId) -> Result<gix::ObjectId, RepoError> {
    gix::ObjectId::from_hex(id.as_str().as_bytes())
        .map_err(|error| RepoError::Object { id: id.to_string(), reason: error.to_string() })
}

pub(super) fn git_id(id: &gix::oid) -> Result<GitId, RepoError> {
    let mut digits = gix::hash::Kind::hex_buf();
    let text = id.hex_to_buf(&mut digits);
    text.parse().map_err(|_| RepoError::Object { id: text.to_owned(), reason: "not an object id".into() })
}
