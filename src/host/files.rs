//! Files of ours: private (mode 0600), replaced whole or appended under a lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::host::clock::Deadline;
use crate::id::FileId;

/// Makes a folder and those above it; the ones it makes are the user's alone (mode 0700).
pub fn create_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// A folder of the user alone that goes when it is dropped.
pub fn temporary_dir() -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("tracevault-").tempdir()
}

/// Options that make new files the user's alone (mode 0600).
pub fn private_options() -> OpenOptions {
    #[allow(unused_mut)]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Puts `bytes` in place of a file of ours: all of them or, if we are killed, none. Mode 0600.
pub fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, None)
}

/// Puts `bytes` in place of a file that is the user's, keeping its permissions.
pub fn replace_keeping_mode(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let permissions = match fs::metadata(&target) {
        Ok(meta) => Some(meta.permissions()),
        Err(_) => Some(default_permissions()?),
    };
    replace(&target, bytes, permissions)
}

/// Puts `bytes` in place of a program: who may read it may run it.
pub fn replace_program(path: &Path, bytes: &[u8]) -> io::Result<()> {
    #[allow(unused_mut)]
    let mut permissions = default_permissions()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        permissions.set_mode(permissions.mode() | (permissions.mode() & 0o444) >> 2);
    }
    replace(path, bytes, Some(permissions))
}

/// What a new file gets that is not ours alone (0644 less the user's mask).
fn default_permissions() -> io::Result<fs::Permissions> {
    let probe = tempfile::Builder::new().make(|path| OpenOptions::new().write(true).create_new(true).open(path))?;
    Ok(probe.as_file().metadata()?.permissions())
}

fn replace(path: &Path, bytes: &[u8], permissions: Option<fs::Permissions>) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // tempfile makes files 0600 on Unix.
    let mut file = tempfile::Builder::new().prefix(".tracevault-").tempfile_in(dir)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Appends `bytes` in one write under the file's lock, making the file (0600) if need be.
pub fn append_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private_options().append(true).create(true).open(path)?;
    file.lock()?;
    file.write_all(bytes)
}

/// Appends a line to a file that grows no larger than `limit`: what is older goes first, half of it at a time.
pub fn append_bounded(path: &Path, line: &[u8], limit: u64) -> io::Result<()> {
    let old = fs::symlink_metadata(path).map_or(0, |meta| meta.len());
    if old + line.len() as u64 > limit {
        // The newer half stays.
        let bytes = fs::read(path)?;
        let from = bytes.len().saturating_sub(limit as usize / 2);
        let start = bytes[from..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |end| from + end + 1);
        replace_private(path, &bytes[start..])?;
    }
    append_private(path, line)
}

/// Brings the names in a folder to the disk, where the system can: a file that is there is there after a loss of power, too.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// The same with what the files directly in it hold.
pub fn sync_within(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            // To sync what was not opened for writing is no right everywhere.
            OpenOptions::new().read(true).write(true).open(entry.path())?.sync_all()?;
        }
    }
    sync_dir(dir)
}

/// A lock that is held until it is dropped, or the process ends.
pub struct Lock {
    _file: File,
}

/// Waits for the lock at `path`, but not for ever: whoever holds it may be stopped in a terminal.
pub fn lock(path: &Path, patience: Duration) -> io::Result<Lock> {
    let file = private_options().write(true).create(true).truncate(false).open(path)?;
    let deadline = Deadline::after(patience);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if deadline.passed() => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process has held it for too long"));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// How long ago a file was written to, by the system's clock.
pub fn age(path: &Path) -> Option<Duration> {
    fs::symlink_metadata(path).ok()?.modified().ok()?.elapsed().ok()
}

/// A file's permission bits, where the system has such.
#[cfg(unix)]
pub fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|meta| std::os::unix::fs::PermissionsExt::mode(&meta.permissions()))
}

#[cfg(not(unix))]
pub fn mode(_: &Path) -> Option<u32> {
    None
}

/// When a file was made, where the file system knows it; writing into it does not make it anew.
pub fn made_at(path: &Path) -> Option<SystemTime> {
    fs::symlink_metadata(path).ok()?.created().ok()
}

/// What a file is, whatever it is called; `None` where there is none, or the file system does not know when it was made.
pub fn id(path: &Path) -> Option<FileId> {
    let meta = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    let made = meta.created().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&meta);
    // Files that are made in one tick of the clock would be the same.
    #[cfg(not(unix))]
    let inode = None?;
    Some(FileId(inode, u64::try_from(made.as_nanos()).ok()?))
}

/// Reads a file that others may have put there, or `None` if there is none: only a plain file, no link, no device, and
/// no more than `limit` bytes of it.
pub fn read_small(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let refused = |why: &str| Err(io::Error::other(why.to_owned()));
    match fs::symlink_metadata(path) {
        Ok(meta) if !meta.is_file() => refused("it is not a plain file"),
        Ok(meta) if meta.len() > limit => refused("it is too large"),
        Ok(_) => read_if_exists(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a file, or `None` if there is none.
pub fn read_if_exists(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn files_of_ours_are_private_and_those_of_the_user_keep_their_mode() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

        let ours = dir.path().join("deep/er");
        create_private_dir(&ours).unwrap();
        assert_eq!(mode(&ours), 0o700);
        replace_private(&ours.join("a"), b"1").unwrap();
        append_private(&ours.join("b"), b"1\n").unwrap();
        append_private(&ours.join("b"), b"2\n").unwrap();
        assert_eq!((mode(&ours.join("a")), mode(&ours.join("b"))), (0o600, 0o600));
        assert_eq!(fs::read(ours.join("b")).unwrap(), b"1\n2\n");

        let theirs = dir.path().join("hook");
        fs::write(&theirs, "x").unwrap();
        fs::set_permissions(&theirs, fs::Permissions::from_mode(0o755)).unwrap();
        replace_keeping_mode(&theirs, b"y").unwrap();
        assert_eq!((mode(&theirs), fs::read(&theirs).unwrap()), (0o755, b"y".to_vec()));
        replace_keeping_mode(&dir.path().join("new"), b"z").unwrap();
        assert_eq!(mode(&dir.path().join("new")) & 0o600, 0o600);
        replace_program(&dir.path().join("program"), b"").unwrap();
        assert_eq!(
            mode(&dir.path().join("program")),
            mode(&dir.path().join("new")) | mode(&dir.path().join("new")) >> 2 & 0o111
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4, "no temporary file stays");
    }
}
