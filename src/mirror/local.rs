//! The repository that one works in, taken into an index of its own in git's folder. Nothing is fetched, and nothing is copied
//! but into that index, which may be deleted at any time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::cost::PriceTable;
use crate::digest::Digest;
use crate::git::blame::Source;
use crate::host::{env, files};
use crate::id::{CallId, GitId, RecordId, SessionId};
use crate::index::{Database, Place};
use crate::ledger::Ledger;
use crate::ledger::known::{Known, evidence_word};
use crate::ledger::origins::Origins;
use crate::ledger::query::Book;
use crate::ledger::traces::Evidence;
use crate::ledger::verify::{Options, Report};
use crate::mirror::speaking::{about, speaking};
use crate::mirror::{Intake, MirrorError, Shelves, read_words};
use crate::signing::Reader;

/// What the index calls the repository.
const NAME: &str = "here";
/// How long another process of this program may be at the same index.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// A repository of this machine, and its index.
#[derive(Debug, Clone)]
pub struct Local {
    dir: PathBuf,
    /// The work tree's own folder, wherever in it `dir` is.
    home: PathBuf,
    /// Where the index is.
    folder: PathBuf,
    /// That folder, where it goes with the server.
    _apart: Option<Arc<TempDir>>,
    database: Database,
    handle: Handle,
}

/// How far the index has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Records that are in it, and sessions that were not read yet.
    pub records: i64,
    pub unread: i64,
    /// Whether all that was here once is in it.
    pub whole: bool,
    /// The state of the ledger that it has.
    pub stamp: Option<String>,
}

/// Whose a line is, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// `agent`, `human` or `unattributed`; `None` where no record speaks of the line.
    pub origin: Option<&'static str>,
    pub evidence: String,
    pub record: Option<RecordId>,
    pub session: Option<SessionId>,
    pub call: Option<CallId>,
    pub model: Option<String>,
    /// Nobody has enrolled the writer of the record.
    pub pending: bool,
}

impl Local {
    /// Opens the index of the repository that `dir` is in; what is in it may be old, or nothing. Blocks, as all else here.
    pub fn open(dir: &Path, handle: &Handle) -> Result<Self, MirrorError> {
        let ledger = Ledger::open(dir)?;
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| MirrorError::File { path, source }
        };
        // Where there is no ledger nothing of us stays.
        let apart = match ledger.policy()? {
            Some(_) => None,
            None => Some(Arc::new(files::temporary_dir().map_err(file(&env::temp_dir()))?)),
        };
        let folder = apart.as_ref().map_or_else(|| ledger.dir().join("index"), |apart| apart.path().to_owned());
        files::create_private_dir(&folder).map_err(file(&folder))?;
        // Each work tree of a repository has its own branch.
        let home = ledger.repo.home();
        let name = Digest::of(home.as_os_str().as_encoded_bytes()).to_string();
        let place = Place::File(folder.join(format!("{}.sqlite", &name[..16])));
        let database = handle.block_on(Database::open(&place))?;
        Ok(Local { dir: dir.to_owned(), home, folder, _apart: apart, database, handle: handle.clone() })
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    pub fn ledger(&self) -> Result<Ledger, MirrorError> {
        Ok(Ledger::open(&self.dir)?)
    }

    /// The repository's number in the index.
    pub fn number(&self) -> Result<i64, MirrorError> {
        // Looked up first: whoever only asks does not wait for somebody who writes.
        let known = self.handle.block_on(self.database.repositories())?;
        if let Some(known) = known.iter().find(|repository| repository.name == NAME) {
            return Ok(known.id);
        }
        Ok(self.handle.block_on(self.database.enter(NAME, &self.home.to_string_lossy()))?.id)
    }

    /// A name for all that the index is made from: as long as it stays, there is nothing new.
    pub fn state(&self) -> Result<String, MirrorError> {
        let ledger = self.ledger()?;
        let mut refs = ledger.repo.refs(&ledger.prefix.dir())?;
        refs.extend(ledger.repo.refs("refs/tracevault-local/")?);
        let mut text: String = refs.iter().map(|(name, id)| format!("{name} {id}\n")).collect();
        text.extend(head(&ledger).map(|(name, id)| format!("{name} {id}\n")));
        Ok(Digest::of(text.as_bytes()).to_string())
    }

    /// Verifies what is new and takes it into the index; `settled` is told as soon as all but the words of sessions is there.
    pub fn update(&self, settled: impl FnOnce()) -> Result<(), MirrorError> {
        let lock = self.folder.join("lock");
        let _alone = files::lock(&lock, PATIENCE).map_err(|source| MirrorError::File { path: lock, source })?;
        let ledger = self.ledger()?;
        let intake = Intake {
            ledger: &ledger,
            name: NAME,
            url: &self.home.to_string_lossy(),
            branch: head(&ledger),
            options: Options { pinned: ledger.pinned()?, ..Options::default() },
            found: Vec::new(),
            fetched_at: None,
            database: &self.database,
            handle: &self.handle,
        };
        let (repository, _) = intake.take_in()?;
        settled();
        // What is encrypted is not written down anywhere in plain text, here either.
        let reader = Reader::default();
        let shelves = Shelves::of(self.ledger()?, reader.clone())?;
        read_words(&shelves, &reader, &self.database, &self.handle, repository)
    }

    pub fn progress(&self) -> Result<Progress, MirrorError> {
        let number = self.number()?;
        let (records, unread) = self.handle.block_on(self.database.progress(number))?;
        let all = self.handle.block_on(self.database.repositories())?;
        let here = all.into_iter().find(|repository| repository.id == number);
        let whole = here.as_ref().is_some_and(|here| here.verified.is_some());
        Ok(Progress { records, unread, whole, stamp: here.and_then(|here| here.stamp) })
    }

    /// What was said in sessions, as far as this clone's own key opens it.
    pub fn shelves(&self) -> Result<Shelves, MirrorError> {
        let ledger = self.ledger()?;
        let reader = ledger.reader();
        Shelves::of(ledger, reader)
    }

    /// What the records say of a line that a commit brought.
    pub fn trace(&self, ledger: &Ledger, source: &Source) -> Result<Traced, MirrorError> {
        let wanted = BTreeSet::from([(source.commit.clone(), (*source.path).clone())]);
        let (database, handle, number) = (&self.database, &self.handle, self.number()?);
        // A commit's own record that knows whose the line is needs no other; a file that often changes has many.
        let own = self.told_by(ledger, source, &about(ledger, database, handle, number, &wanted)?);
        if own.evidence == evidence_word(Evidence::Exact) && own.origin != Some("unattributed") {
            return Ok(own);
        }
        Ok(self.told_by(ledger, source, &speaking(ledger, database, handle, number, &wanted)?))
    }

    /// What these records say of a line.
    fn told_by(&self, ledger: &Ledger, source: &Source, report: &Report) -> Traced {
        let book = Book::new(report, PriceTable::embedded());
        let mut origins = Origins::new(ledger, &book);
        let known = Known::of(source, &mut origins, &book);
        let author = known.author();
        Traced {
            origin: known.origin.as_ref().map(|_| known.word()),
            evidence: evidence_word(known.evidence()),
            record: known.found.as_ref().map(|found| found.record),
            session: author.map(|author| author.session.clone()),
            call: author.map(|author| author.call.clone()),
            model: known.model().map(str::to_owned),
            pending: known.pending,
        }
    }
}

/// The commit that is checked out; there is none where nothing was committed yet.
fn head(ledger: &Ledger) -> Option<(String, GitId)> {
    let tip = ledger.repo.find_ref("HEAD").ok().flatten()?;
    Some(("HEAD".to_owned(), tip))
}
