//! The server's audit log: a file that only grows, written with the server's own key. The index has a copy to filter by.
//!
//! What is noted is on the disk before whoever waits for it goes on. Who comes while the disk is busy waits for the next time, together
//! with all others that came meanwhile.

mod lines;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use crate::audit_log::{self, Action, Entry, Event, Head, LogError, Reading};
use crate::host::{clock, files};
use crate::index::{Database, IndexError};
use crate::record::signature::PublicKey;
use crate::signing::{Signer, SigningError};
use crate::web::log::lines::{cut_torn_end, last_line, lines_from};

/// How long another server may take to let go of the log.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the log cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LogFailure {
    #[error("cannot use the audit log {}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("another server writes the audit log {}", .0.display())]
    Taken(PathBuf),
    #[error("the audit log {} does not hold", .path.display())]
    Broken { path: PathBuf, source: LogError },
    #[error(transparent)]
    Key(#[from] SigningError),
    #[error("{} has several keys: one of them must be the log's", .0.display())]
    Keys(PathBuf),
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// An open log; cheap to clone.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    path: PathBuf,
    signer: Signer,
    end: Mutex<End>,
    /// How many of the entries that were written are on the disk. Who holds it sees to it that more are.
    disk: Arc<tokio::sync::Mutex<u64>>,
    sync: ToDisk,
    copied: tokio::sync::Mutex<Copied>,
    // No second server writes while this one runs.
    _lock: files::Lock,
}

/// Brings what was written to a file to the disk.
type ToDisk = fn(&File) -> io::Result<()>;

struct End {
    file: Arc<File>,
    head: Option<Head>,
    /// How many entries were written since the log was opened.
    written: u64,
    /// Why nobody can tell any more what the file has.
    lost: Option<String>,
}

/// How much of the log was on the disk when somebody asked.
#[derive(Debug, Clone, Copy)]
pub struct Settled {
    pub head: Option<Head>,
    pub bytes: u64,
}

/// How far the index has the log, and whether it held so far.
struct Copied {
    bytes: u64,
    reading: Reading,
    broken: Option<LogError>,
}

impl Log {
    /// Opens the log in a folder of the server's; makes it, and its key, where there is none.
    pub fn open(folder: &Path) -> Result<Self, LogFailure> {
        Log::open_with(folder, File::sync_data)
    }

    fn open_with(folder: &Path, sync: ToDisk) -> Result<Self, LogFailure> {
        let path = folder.join("audit.log");
        let failed = |source| LogFailure::File { path: path.clone(), source };
        files::create_private_dir(folder).map_err(failed)?;
        let lock = files::lock(&folder.join("lock"), PATIENCE).map_err(|_| LogFailure::Taken(path.clone()))?;
        let signer = signer(folder)?;
        let mut file = files::private_options().create(true).append(true).read(true).open(&path).map_err(failed)?;
        let cut = cut_torn_end(&mut file).map_err(failed)?;
        let head = match last_line(&mut file).map_err(failed)? {
            None => None,
            Some(line) => {
                let read = audit_log::read(&line, 0, &signer.public_key().verifier());
                let (_, head) = read.map_err(|source| LogFailure::Broken { path: path.clone(), source })?;
                Some(head)
            }
        };
        let mut end = End { file: Arc::new(file), head, written: 0, lost: None };
        if cut > 0 {
            let detail = Some(format!("{cut} bytes of a line that was never finished were cut off"));
            end.write(&signer, Event { detail, ..Event::new(Action::Mend) }).map_err(failed)?;
        }
        // Also that there is a log: the last server may have been killed before anything of it was on the disk.
        end.file.sync_all().and_then(|()| files::sync_dir(folder)).map_err(failed)?;
        let disk = Arc::new(tokio::sync::Mutex::new(end.written));
        let copied = Copied { bytes: 0, reading: Reading::new(&signer.public_key()), broken: None }.into();
        Ok(Log(Arc::new(Inner { path, signer, end: end.into(), disk, sync, copied, _lock: lock })))
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.0.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what happened; it is on the disk then.
    pub async fn add(&self, event: Event) -> io::Result<()> {
        self.add_all([event]).await
    }

    /// The same of several things that happened at once.
    pub async fn add_all(&self, events: impl IntoIterator<Item = Event>) -> io::Result<()> {
        let written = {
            let mut end = self.end();
            for event in events {
                end.write(&self.0.signer, event)?;
            }
            end.written
        };
        self.settle(written).await
    }

    /// Waits until so many entries are on the disk.
    async fn settle(&self, written: u64) -> io::Result<()> {
        let disk = self.0.disk.clone().lock_owned().await;
        if *disk >= written {
            return Ok(());
        }
        let log = self.clone();
        let synced = tokio::task::spawn_blocking(move || log.sync(disk)).await;
        synced.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// Brings all that is written so far to the disk.
    fn sync(&self, mut disk: OwnedMutexGuard<u64>) -> io::Result<()> {
        let (file, written) = {
            let end = self.end();
            end.is_known()?;
            (end.file.clone(), end.written)
        };
        match (self.0.sync)(&file) {
            Ok(()) => {
                *disk = written;
                Ok(())
            }
            Err(error) => {
                // The system may have given up what it could not write, and says so once: to ask again proves nothing.
                self.end().lost = Some(error.to_string());
                Err(error)
            }
        }
    }

    /// The name of the log: the chain that its key would write.
    pub fn name(&self) -> String {
        self.0.signer.chain().to_string()
    }

    pub fn key(&self) -> PublicKey {
        self.0.signer.public_key()
    }

    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Where it ends, once all that is written by now is on the disk: what is told of it must not be gone when the power is.
    pub async fn settled(&self) -> io::Result<Settled> {
        let (settled, written) = {
            let end = self.end();
            (Settled { head: end.head, bytes: end.file.metadata()?.len() }, end.written)
        };
        self.settle(written).await?;
        Ok(settled)
    }

    /// Reads on in the file, verifies it, and takes what is new into the index; what does not hold, if something does not.
    pub async fn copy_to(&self, index: &Database) -> Result<Option<LogError>, LogFailure> {
        let (log, index) = (self.clone(), index.clone());
        // Whoever asked may go away: what was begun is done all the same.
        let copied = tokio::spawn(async move { log.copy(&index).await }).await;
        copied.unwrap_or_else(|error| {
            Err(LogFailure::File { path: self.0.path.clone(), source: io::Error::other(error) })
        })
    }

    async fn copy(&self, index: &Database) -> Result<Option<LogError>, LogFailure> {
        let mut copied = self.0.copied.lock().await;
        let failed = |source| LogFailure::File { path: self.0.path.clone(), source };
        let known = index.entries_of(&self.name()).await?;
        // An index that knew more than the disk would take a loss of power for a cut.
        let settled = self.settled().await.map_err(failed)?;
        while copied.broken.is_none() {
            let (path, from) = (self.0.path.clone(), copied.bytes);
            let read = tokio::task::spawn_blocking(move || lines_from(&path, from, settled.bytes)).await;
            let lines = read.map_err(io::Error::other).and_then(|lines| lines).map_err(failed)?;
            let Some(lines) = lines else {
                copied.broken = Some(LogError::Cut(copied.reading.entries()));
                break;
            };
            if lines.is_empty() {
                if copied.reading.entries() < known {
                    copied.broken = Some(LogError::Cut(known));
                }
                break;
            }
            let (mut reading, mut bytes, mut broken) = (copied.reading.clone(), copied.bytes, None);
            let mut entries = Vec::new();
            for line in &lines {
                match reading.line(line) {
                    Ok(entry) if entry.seq >= known => entries.push(entry),
                    Ok(_) => {}
                    Err(error) => {
                        broken = Some(error);
                        break;
                    }
                }
                bytes += line.len() as u64 + 1;
            }
            index.add_entries(&self.name(), &entries).await?;
            *copied = Copied { bytes, reading, broken };
        }
        Ok(copied.broken.clone())
    }
}

impl End {
    /// Whether what the file has is known.
    fn is_known(&self) -> io::Result<()> {
        match &self.lost {
            None => Ok(()),
            Some(why) => Err(io::Error::other(format!(
                "what is on the disk is not known since this: {why}; start the server anew"
            ))),
        }
    }

    fn write(&mut self, signer: &Signer, event: Event) -> io::Result<()> {
        self.is_known()?;
        let entry = Entry::after(self.head, clock::now(), event);
        let text = entry.text();
        let line = audit_log::line(&text, &signer.sign_text(&text));
        let before = self.file.metadata()?.len();
        if let Err(error) = self.file.as_ref().write_all(format!("{line}\n").as_bytes()) {
            // Half a line would make the next one unreadable.
            self.file.set_len(before).inspect_err(|error| self.lost = Some(error.to_string()))?;
            return Err(error);
        }
        self.head = Some(audit_log::head_of(&entry, &text));
        self.written += 1;
        Ok(())
    }
}

/// The one key in the folder, made where there is none.
fn signer(folder: &Path) -> Result<Signer, LogFailure> {
    let failed = |source| LogFailure::File { path: folder.to_owned(), source };
    let mut keys = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|end| end == "key") {
            keys.push(path);
        }
    }
    match keys.as_slice() {
        [] => {
            let signer = Signer::generate()?;
            signer.save(folder)?;
            // A log whose key is lost cannot go on.
            files::sync_within(folder).map_err(failed)?;
            Ok(signer)
        }
        [path] => Ok(Signer::load(path)?),
        _ => Err(LogFailure::Keys(folder.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;
    use crate::index::{Audited, Place};

    fn read(what: &str) -> Event {
        Event { resource: Some(what.to_owned()), ..Event::new(Action::Read) }
    }

    #[tokio::test]
    async fn a_log_goes_on_where_it_ended_and_the_index_follows() {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("index"))).await.unwrap();
        let audit = folder.path().join("audit");
        let log = Log::open(&audit).unwrap();
        log.add(read("/a")).await.unwrap();
        log.add(read("/b")).await.unwrap();
        assert!(matches!(Log::open(&audit), Err(LogFailure::Taken(_))));
        assert_eq!(log.copy_to(&index).await.unwrap(), None);
        let (name, head) = (log.name(), log.settled().await.unwrap().head);
        drop(log);
        // Killed in the middle of a line.
        let path = audit.join("audit.log");
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"v\":1").unwrap();
        let log = Log::open(&audit).unwrap();
        let end = log.settled().await.unwrap();
        assert_eq!((log.name(), end.head.unwrap().seq), (name.clone(), head.unwrap().seq + 1));
        log.add(read("/c")).await.unwrap();
        assert_eq!(log.copy_to(&index).await.unwrap(), None);
        let rows = index.audited(&Audited::default(), None, 10).await.unwrap();
        let told: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(told, ["read", "mend", "read", "read"]);
        assert_eq!(rows[1].detail.as_deref(), Some("6 bytes of a line that was never finished were cut off"));
        // A changed line is told, and its log goes no further into the index.
        drop(log);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"/b\"", "\"/x\"")).unwrap();
        let log = Log::open(&audit).unwrap();
        assert_eq!(log.copy_to(&index).await.unwrap(), Some(LogError::Unsigned(2)));
        drop(log);
        // Of a log that was cut at its end the index knows more.
        let lines: Vec<&str> = text.lines().collect();
        std::fs::write(&path, lines[..2].join("\n") + "\n").unwrap();
        let log = Log::open(&audit).unwrap();
        assert_eq!(log.copy_to(&index).await.unwrap(), Some(LogError::Cut(4)));
        drop(log);
        std::fs::write(&path, "nothing\n").unwrap();
        assert!(matches!(Log::open(&audit), Err(LogFailure::Broken { .. })));
    }

    #[tokio::test]
    async fn those_who_wait_share_one_way_to_the_disk() {
        static READY: AtomicBool = AtomicBool::new(false);
        static SYNCS: AtomicUsize = AtomicUsize::new(0);
        fn counted(file: &File) -> io::Result<()> {
            while !READY.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            SYNCS.fetch_add(1, Ordering::SeqCst);
            file.sync_data()
        }
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open_with(folder.path(), counted).unwrap();
        let mut all = tokio::task::JoinSet::new();
        for n in 0..50 {
            let log = log.clone();
            all.spawn(async move { log.add(read(&format!("/{n}"))).await });
        }
        while log.end().written < 50 {
            tokio::task::yield_now().await;
        }
        assert!(all.try_join_next().is_none(), "nobody goes on before it is on the disk");
        READY.store(true, Ordering::SeqCst);
        for added in all.join_all().await {
            added.unwrap();
        }
        let syncs = SYNCS.load(Ordering::SeqCst);
        assert!((1..=2).contains(&syncs), "one for the first, one for all who came meanwhile: {syncs}");
        assert_eq!(log.settled().await.unwrap().head.unwrap().seq, 49);
        log.add_all([read("/x"), read("/y")]).await.unwrap();
        assert_eq!(SYNCS.load(Ordering::SeqCst), syncs + 1);
    }

    #[tokio::test]
    async fn nothing_is_noted_any_more_where_the_disk_has_failed() {
        static FAILS: AtomicBool = AtomicBool::new(false);
        fn failing(file: &File) -> io::Result<()> {
            match FAILS.swap(false, Ordering::SeqCst) {
                true => Err(io::Error::other("the disk is gone")),
                false => file.sync_data(),
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("index"))).await.unwrap();
        let audit = folder.path().join("audit");
        let log = Log::open_with(&audit, failing).unwrap();
        log.add(read("/a")).await.unwrap();
        FAILS.store(true, Ordering::SeqCst);
        assert!(log.add(read("/b")).await.unwrap_err().to_string().contains("the disk is gone"));
        let len = || std::fs::metadata(audit.join("audit.log")).unwrap().len();
        let before = len();
        // That it works again says nothing of what was lost.
        let error = log.add(read("/c")).await.unwrap_err().to_string();
        assert!(error.contains("the disk is gone; start the server anew"), "{error}");
        assert!(log.copy_to(&index).await.is_err() && log.settled().await.is_err());
        assert_eq!((len(), index.entries_of(&log.name()).await.unwrap()), (before, 0));
        drop(log);
        let log = Log::open(&audit).unwrap();
        log.add(read("/d")).await.unwrap();
        assert_eq!(log.copy_to(&index).await.unwrap(), None);
    }
}
