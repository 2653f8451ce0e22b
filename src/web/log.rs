//! The server's audit log: a file that only grows, written with the server's own key. The index has a copy to filter by.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::audit_log::{self, Action, Entry, Event, Head, LogError, Reading};
use crate::host::{clock, files};
use crate::index::{Database, IndexError};
use crate::record::signature::PublicKey;
use crate::signing::{Signer, SigningError};

/// How long another server may take to let go of the log.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many entries are taken into the index at once.
const BATCH: usize = 1_000;

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
    copied: tokio::sync::Mutex<Copied>,
    // No second server writes while this one runs.
    _lock: files::Lock,
}

struct End {
    file: File,
    head: Option<Head>,
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
        let copied = Copied { bytes: 0, reading: Reading::new(&signer.public_key()), broken: None };
        let end = Mutex::new(End { file, head });
        let log = Log(Arc::new(Inner { path, signer, end, copied: copied.into(), _lock: lock }));
        if cut > 0 {
            let detail = Some(format!("{cut} bytes of a line that was never finished were cut off"));
            log.add(Event { detail, ..Event::new(Action::Mend) })
                .map_err(|source| LogFailure::File { path: log.0.path.clone(), source })?;
        }
        Ok(log)
    }

    /// Writes what happened.
    pub fn add(&self, event: Event) -> io::Result<()> {
        let mut end = self.0.end.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry::after(end.head, clock::now(), event);
        let text = entry.text();
        let line = audit_log::line(&text, &self.0.signer.sign_text(&text));
        let before = end.file.metadata()?.len();
        if let Err(error) = end.file.write_all(format!("{line}\n").as_bytes()) {
            // Half a line would make the next one unreadable.
            end.file.set_len(before)?;
            return Err(error);
        }
        end.head = Some(audit_log::head_of(&entry, &text));
        Ok(())
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

    /// Where it ends.
    pub fn head(&self) -> Option<Head> {
        self.0.end.lock().unwrap_or_else(PoisonError::into_inner).head
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
        let known = index.entries_of(&self.name()).await?;
        while copied.broken.is_none() {
            let (path, from) = (self.0.path.clone(), copied.bytes);
            let read = tokio::task::spawn_blocking(move || lines_from(&path, from)).await;
            let lines = read.map_err(io::Error::other).and_then(|lines| lines);
            let lines = lines.map_err(|source| LogFailure::File { path: self.0.path.clone(), source })?;
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
            Ok(signer)
        }
        [path] => Ok(Signer::load(path)?),
        _ => Err(LogFailure::Keys(folder.to_owned())),
    }
}

/// Cuts off a line without an end, which was never answered for; how many bytes that were.
fn cut_torn_end(file: &mut File) -> io::Result<u64> {
    let whole = file.metadata()?.len();
    let tail = tail(file, whole)?;
    let torn = match tail.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => tail.len() - at - 1,
        None => tail.len(),
    } as u64;
    if torn > 0 {
        file.set_len(whole - torn)?;
    }
    Ok(torn)
}

/// The last bytes of a file, more than any line has.
fn tail(file: &mut File, whole: u64) -> io::Result<Vec<u8>> {
    let begin = whole.saturating_sub(2 * audit_log::LONGEST as u64);
    file.seek(SeekFrom::Start(begin))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail)
}

fn last_line(file: &mut File) -> io::Result<Option<String>> {
    let whole = file.metadata()?.len();
    let tail = tail(file, whole)?;
    let Some(text) = tail.strip_suffix(b"\n") else { return Ok(None) };
    let line = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Some(String::from_utf8_lossy(line).into_owned()))
}

/// The next whole lines of a file, from a place in it on; `None` where it does not reach so far any more.
fn lines_from(path: &Path, from: u64) -> io::Result<Option<Vec<String>>> {
    let mut file = OpenOptions::new().read(true).open(path)?;
    if file.metadata()?.len() < from {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(from))?;
    let mut file = BufReader::new(file);
    let mut lines = Vec::new();
    while lines.len() < BATCH {
        let mut line = Vec::new();
        // A line longer than any of ours is read no further, and does not hold.
        let read = (&mut file).take(2 * audit_log::LONGEST as u64).read_until(b'\n', &mut line)?;
        match line.strip_suffix(b"\n") {
            Some(line) => lines.push(String::from_utf8_lossy(line).into_owned()),
            None if read > audit_log::LONGEST => lines.push(String::from_utf8_lossy(&line).into_owned()),
            None => break,
        }
    }
    Ok(Some(lines))
}

#[cfg(test)]
mod tests {
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
        log.add(read("/a")).unwrap();
        log.add(read("/b")).unwrap();
        assert!(matches!(Log::open(&audit), Err(LogFailure::Taken(_))));
        assert_eq!(log.copy_to(&index).await.unwrap(), None);
        let (name, head) = (log.name(), log.head());
        drop(log);
        // Killed in the middle of a line.
        let path = audit.join("audit.log");
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"v\":1").unwrap();
        let log = Log::open(&audit).unwrap();
        assert_eq!((log.name(), log.head().unwrap().seq), (name.clone(), head.unwrap().seq + 1));
        log.add(read("/c")).unwrap();
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
}
