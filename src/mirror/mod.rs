//! Mirror: repositories of others, fetched and kept, verified, and taken into the index. Nothing is ever written to them.

mod again;
mod code;
mod gutter;
mod listing;
mod local;
mod noted;
mod records;
mod settings;
mod speaking;
mod story;
mod transcript;
mod window;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::cost::PriceTable;
use crate::digest::Digest;
use crate::git::command::{Git, GitError};
use crate::git::history::{self, Asked};
use crate::git::repo::{Repo, RepoError, SharedRepo};
use crate::host::clock::{self, Deadline};
use crate::host::files;
use crate::id::{ChainId, RecordId};
use crate::index::{Behind, Database, Decision, Done, IndexError, Ingest, OUTLINES, Repository, Spoken};
use crate::ledger::copies::line_of;
use crate::ledger::remote::Remote;
use crate::ledger::verify::{Chain, Options, Report};
use crate::ledger::{Ledger, LedgerError};
use crate::redaction;
use crate::roster::History;
use crate::signing::Reader;

pub use again::text as redacted_again;
pub use code::{Found, Stands, kind_of};
pub use gutter::{Gutter, LineOf, Place, Who, Whose};
pub use local::{Local, Progress, Traced};
pub use records::Sealed;
pub use settings::{Settings, Source, bare};
pub use story::{AskedStory, SESSIONS, add_changes};
pub use transcript::{Begin, Called, Shelves, Told};

/// How long a remote may take to give what it has new.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// So many sessions are read for their words before it is asked which are left, and so many bytes of them are written at
/// once.
const WORDS_AT_ONCE: i64 = 2000;
const WRITTEN_AT_ONCE: usize = 1 << 20;

const ORIGIN: &str = "origin";

/// Where a clone keeps what it has seen at its remotes, and where that is kept here.
const SEEN_THERE: &str = "refs/tracevault-local/*:refs/tracevault-local/seen-*";

/// What can go wrong with a mirror.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error("cannot use {}", .path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Repo(#[from] RepoError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// A repository that is mirrored into a folder of ours.
#[derive(Debug, Clone)]
pub struct Mirror {
    pub source: Source,
    folder: PathBuf,
    /// What is encrypted is read with it, if somebody encrypted it to this server.
    reader: Reader,
    /// The repository for those who only read: opening one reads its configuration and the indices of its packs.
    shared: Arc<OnceLock<SharedRepo>>,
}

impl Mirror {
    /// The mirror of a repository beneath the folder where all of them are; nothing is done yet.
    pub fn of(source: &Source, mirrors: &Path, reader: Reader) -> Self {
        let folder = mirrors.join(format!("{}.git", source.name));
        Mirror { source: source.clone(), folder, reader, shared: Arc::default() }
    }

    /// The mirror's repository, made if there is none.
    pub fn repo(&self) -> Result<Repo, MirrorError> {
        if !self.folder.join("HEAD").is_file() {
            self.make()?;
        }
        let set = |key: &str, value: &str| Git::in_dir(&self.folder).args(["config", key, value]).run();
        let repo = Repo::open_apart(&self.folder)?;
        if repo.config("remote.origin.url").as_deref() != Some(&self.source.url) {
            set("remote.origin.url", &self.source.url)?;
        }
        let prefix = repo.config("tracevault.prefix");
        match &self.source.prefix {
            wanted if *wanted == prefix => return Ok(repo),
            Some(wanted) => set("tracevault.prefix", wanted)?,
            None => Git::in_dir(&self.folder).args(["config", "--unset-all", "tracevault.prefix"]).run()?,
        };
        Ok(Repo::open_apart(&self.folder)?)
    }

    /// The same for a page: opened once.
    fn open(&self) -> Result<Repo, MirrorError> {
        if let Some(shared) = self.shared.get() {
            return Ok(shared.here());
        }
        let shared = self.repo()?.share()?;
        Ok(self.shared.get_or_init(|| shared).here())
    }

    fn make(&self) -> Result<(), MirrorError> {
        files::create_private_dir(&self.folder)
            .map_err(|source| MirrorError::File { path: self.folder.clone(), source })?;
        let git = |args: &[&str]| Git::in_dir(&self.folder).args(args).run();
        git(&["init", "--quiet", "--bare", "--template=", "."])?;
        // What was here once stays: a branch may be rewritten, and its old commits are evidence.
        for (key, value) in [
            ("core.logAllRefUpdates", "always"),
            ("gc.reflogExpire", "never"),
            ("gc.reflogExpireUnreachable", "never"),
            ("gc.pruneExpire", "never"),
            ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
        ] {
            git(&["config", key, value])?;
        }
        Ok(())
    }

    /// Brings what the remote has new: its branches, and its ledger, which is never forced.
    fn fetch(&self, ledger: &Ledger) -> Result<Vec<crate::finding::Finding>, MirrorError> {
        let deadline = Deadline::after(PATIENCE);
        let git = || {
            let git = ledger.repo.git().env("GIT_TERMINAL_PROMPT", "0").env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
            git.within(&deadline)
        };
        let fetch = ["fetch", "--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head", "--no-recurse-submodules"];
        git().args(fetch).args(["--no-auto-maintenance", ORIGIN]).run()?;
        // Which branch is shown; a remote may have none yet.
        if self.source.branch.is_none() {
            git().args(["remote", "set-head", ORIGIN, "--auto"]).answer()?;
        }
        if Path::new(&self.source.url).is_dir() {
            // A clone on this machine: what it has seen at its remotes is part of the ledger as it knows it.
            git().args(fetch).args(["--no-auto-maintenance", ORIGIN, SEEN_THERE]).run()?;
        }
        Ok(Remote::new(ledger, ORIGIN).fetch()?.findings)
    }

    /// The branch that is shown and its last commit.
    fn branch(&self, repo: &Repo) -> Result<Option<(String, crate::id::GitId)>, MirrorError> {
        let name = match &self.source.branch {
            Some(branch) => branch.clone(),
            None => {
                let answer = repo.git().args(["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"]).answer()?;
                let target = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
                match target.strip_prefix("refs/remotes/origin/") {
                    Some(branch) => branch.to_owned(),
                    None => return Ok(None),
                }
            }
        };
        let tip = repo.find_ref(&format!("refs/remotes/origin/{name}"))?;
        Ok(tip.map(|tip| (name, tip)))
    }

    /// Fetches only: what another machine verifies and indexes is to be read here, too. Blocks.
    pub fn follow(&self) -> Result<(), MirrorError> {
        self.fetch(&Ledger::of(self.repo()?)?).map(drop)
    }

    /// Fetches, verifies and indexes. Blocks: not for a thread that serves.
    ///
    /// `full` verifies everything anew.
    pub fn update(&self, database: &Database, handle: &Handle, full: bool) -> Result<Report, MirrorError> {
        let ledger = Ledger::of(self.repo()?)?;
        let fetched = self.fetch(&ledger)?;
        let fetched_at = clock::now().unix();
        let pinned = self.source.ledger.map_or_else(|| ledger.pinned(), |ledger| Ok(Some(ledger)))?;
        let intake = Intake {
            ledger: &ledger,
            name: &self.source.name,
            url: &self.source.url,
            branch: self.branch(&ledger.repo)?,
            options: Options { pinned, full, notes: true, ..Options::default() },
            found: fetched,
            fetched_at: Some(fetched_at),
            database,
            handle,
        };
        let (repository, report) = intake.take_in()?;
        handle.block_on(database.forget_gutters(repository))?;
        read_words(&self.shelves()?, &self.reader, database, handle, repository)?;
        self.look_ahead(database, handle, repository, &stamp(&ledger.repo, &report)?)?;
        Ok(report)
    }
}

/// A ledger, and the code beside it, on their way into the index.
struct Intake<'a> {
    ledger: &'a Ledger,
    /// What the index calls the repository, and where it is.
    name: &'a str,
    url: &'a str,
    /// The branch that is shown, and its last commit.
    branch: Option<(String, crate::id::GitId)>,
    options: Options,
    /// What was found before, when it was fetched.
    found: Vec<crate::finding::Finding>,
    fetched_at: Option<i64>,
    database: &'a Database,
    handle: &'a Handle,
}

impl Intake<'_> {
    /// Verifies everything and takes it into the index, but what was said; the repository's number there.
    fn take_in(self) -> Result<(i64, Report), MirrorError> {
        let Intake { ledger, database, handle, .. } = self;
        let prices = ledger.prices()?;
        let enter = || handle.block_on(database.enter(self.name, self.url));
        let repository = enter()?.id;
        handle.block_on(database.reckon_by(repository, &prices.digest().to_string()))?;
        let mut report = read(ledger, &self.options, &prices, database, handle, repository)?;
        // Reading may have forgotten all that was there.
        self.add_code(&enter()?)?;
        let known = |finding: &crate::finding::Finding| {
            report.findings.iter().any(|old| (old.code, &old.chain) == (finding.code, &finding.chain))
        };
        let new: Vec<_> = self.found.into_iter().filter(|finding| !known(finding)).collect();
        report.findings.extend(new);
        let done = Done { fetched: self.fetched_at, verified: clock::now().unix(), full: self.options.full };
        let decisions = decisions(ledger, &report.history)?;
        handle.block_on(database.settle(repository, &report, &decisions, done))?;
        handle.block_on(database.cover(repository))?;
        handle.block_on(database.stamp(repository, &stamp(&ledger.repo, &report)?))?;
        Ok((repository, report))
    }

    fn add_code(&self, entry: &Repository) -> Result<(), MirrorError> {
        let (repo, database, handle) = (&self.ledger.repo, self.database, self.handle);
        let Some((branch, tip)) = &self.branch else { return Ok(()) };
        let before = entry.head.as_deref().and_then(|head| head.parse::<crate::id::GitId>().ok());
        let goes_on = before.as_ref().is_some_and(|before| history::is_ancestor(repo, before, tip));
        if before.as_ref() == Some(tip) && entry.branch.as_ref() == Some(branch) {
            return Ok(());
        }
        let mut names = vec![tip.as_str().into()];
        if let (true, Some(before)) = (goes_on, &before) {
            names.push(format!("^{before}").into());
        }
        let commits = history::log(&repo.home(), &Asked { names, ..Asked::default() })?;
        listing::add_files(repo, database, handle, entry.id, (before.filter(|_| goes_on).as_ref(), tip))?;
        Ok(handle.block_on(database.add_code(entry.id, &commits, (branch, tip.as_str()), !goes_on))?)
    }
}

/// Reads what was said in sessions that are new, for those who search; all of it, where it was read by other rules or by another
/// reader before.
fn read_words(
    shelves: &Shelves,
    reader: &Reader,
    database: &Database,
    handle: &Handle,
    repository: i64,
) -> Result<(), MirrorError> {
    // What an amendment replaced must not be found any more: it is rare enough to read all again.
    let replaced = handle.block_on(database.replacements(repository))?;
    let pending = handle.block_on(database.pending(repository))?;
    let by = [&*redaction::version().to_string(), OUTLINES, &*reader.names(), &replaced, &pending];
    let read_by = Digest::of(by.join("\n").as_bytes());
    handle.block_on(database.read_by(repository, &read_by.to_string()))?;
    let mut behind = Behind::new(handle.clone());
    loop {
        let unread = handle.block_on(database.unread(repository, WORDS_AT_ONCE))?;
        if unread.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = unread.iter().map(|session| session.session.as_str()).collect();
        let spoken = handle.block_on(database.spoken_in(repository, &ids, None))?;
        let (mut read, mut size) = (Vec::new(), 0);
        let mut write = |read: &mut Vec<_>| {
            let (database, read) = (database.clone(), std::mem::take(read));
            behind.write(async move { database.add_words(repository, &read).await })
        };
        for session in unread {
            let words = shelves.words(spoken.get(&session.session).unwrap_or(&Spoken::default()))?;
            // What stands around them counts, too.
            size += words.body.len() + 1000;
            read.push((session, words));
            if size >= WRITTEN_AT_ONCE {
                write(&mut read)?;
                size = 0;
            }
        }
        write(&mut read)?;
        behind.wait()?;
    }
}

/// Verifies, and takes what is verified into the index.
fn read(
    ledger: &Ledger,
    options: &Options,
    prices: &PriceTable,
    database: &Database,
    handle: &Handle,
    repository: i64,
) -> Result<Report, MirrorError> {
    // What is verified now may not be what was indexed: then all of the repository is read again, once.
    for _ in 0..2 {
        handle.block_on(database.put_off())?;
        let taken_in = || {
            let mut ingest = Ingest::begin(database, handle.clone(), repository, prices)?;
            let report = ledger.verify_for(options, Some(&mut ingest))?;
            Ok::<_, MirrorError>(ingest.finish()?.then_some(report))
        };
        let taken_in = taken_in();
        // Whatever came of it: the pages of other ledgers need the indexes.
        handle.block_on(database.catch_up())?;
        if let Some(report) = taken_in? {
            return Ok(report);
        }
        handle.block_on(database.clear(repository))?;
    }
    Err(LedgerError::Refused("its records change while they are read".to_owned()).into())
}

/// A name for the state of a ledger, and of what is here of the code: as long as it stays, so does whose the lines are.
fn stamp(repo: &Repo, report: &Report) -> Result<String, MirrorError> {
    let chain = |chain: &Chain| format!("{} {} {} {}\n", chain.id, chain.records, chain.pending, chain.refused);
    let mut parts: Vec<String> = report.chains.iter().map(chain).collect();
    parts.extend(repo.refs(&format!("refs/remotes/{ORIGIN}/"))?.into_iter().map(|(name, id)| format!("{name} {id}\n")));
    parts.sort_unstable();
    Ok(Digest::of(parts.concat().as_bytes()).to_string())
}

/// The policy chain's records, first to last, as far as they were found to be sound.
fn decisions(ledger: &Ledger, history: &History) -> Result<Vec<Decision>, MirrorError> {
    let name = ledger.prefix.chain(ChainId::Policy);
    let Some(tip) = ledger.repo.find_ref(&name)? else { return Ok(Vec::new()) };
    let decision = |(held, id): (crate::id::GitId, RecordId)| {
        let record = ledger.read(&name, &held)?.record;
        let envelope = record.envelope();
        let (seq, kind, time) = (envelope.seq, record.body().kind(), envelope.time);
        let text = String::from_utf8_lossy(record.bytes()).into_owned();
        Ok(Decision { seq, id, held, kind, time, text, signers: history.signers(seq).to_vec() })
    };
    // What stands after a break was judged by nobody.
    line_of(&ledger.repo, &tip)?.into_iter().zip(history.ids()).map(decision).collect()
}
