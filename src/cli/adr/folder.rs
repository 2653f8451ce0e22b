//! A folder of decision records: which files are ours, which are people's, and what number comes next.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::adr::Doing;
use crate::host::files;
use crate::story::madr::{self, Document, Known};

/// Where decision records mostly are.
const FOLDERS: [&str; 5] = ["docs/decisions", "docs/adr", "docs/adrs", "doc/adr", "docs/architecture/decisions"];
/// A record is never longer, in bytes.
const LONGEST: u64 = 1 << 20;
/// The digits of the highest number; longer ones are dates and the like.
const DIGITS: usize = 5;

/// The folder that has decision records, or would. It is in the repository, whatever links lead to: nobody named it.
pub fn usual(top: &Path) -> anyhow::Result<PathBuf> {
    let found = FOLDERS.iter().map(|name| top.join(name)).find(|folder| folder.is_dir());
    let folder = found.unwrap_or_else(|| top.join(FOLDERS[0]));
    let there = folder.ancestors().find(|path| path.symlink_metadata().is_ok());
    let inside = there.and_then(|path| path.canonicalize().ok()).is_some_and(|path| path.starts_with(top));
    anyhow::ensure!(inside, "{} leads out of the repository; if that is meant, name it with --dir", folder.display());
    Ok(folder)
}

/// The records of a folder.
#[derive(Default)]
pub struct Folder {
    /// By decision: the file, its text, and what is known of it.
    known: BTreeMap<String, (PathBuf, String, Known)>,
    /// Files that do not say what they are about, by the words of their names.
    others: BTreeMap<String, PathBuf>,
    /// The highest number of any record.
    last: u32,
}

impl Folder {
    /// Reads the records that are there; none where there is no such folder.
    pub fn read(path: &Path) -> anyhow::Result<Folder> {
        let mut folder = Folder::default();
        let failed = || format!("cannot read {}", path.display());
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(folder),
            Err(error) => return Err(error).with_context(failed),
        };
        for entry in entries {
            let entry = entry.with_context(failed)?;
            let Some((number, words)) = named(&entry.file_name()) else { continue };
            folder.last = folder.last.max(number);
            // Links, folders and what is no record of anybody's are not ours to read.
            let plain = entry.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= LONGEST);
            if plain {
                folder.take_in(entry.path(), words)?;
            }
        }
        Ok(folder)
    }

    fn take_in(&mut self, file: PathBuf, words: String) -> anyhow::Result<()> {
        let read = files::read_small(&file, LONGEST).with_context(|| format!("cannot read {}", file.display()))?;
        let Some(bytes) = read else { return Ok(()) };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match madr::read(&text) {
            Some(known) => drop(self.known.insert(known.id.clone(), (file, text, known))),
            None => drop(self.others.insert(words, file)),
        }
        Ok(())
    }

    /// The file of a decision, and what is to be done about it. A new one takes the next number.
    pub fn place(&mut self, path: &Path, document: &Document) -> anyhow::Result<(PathBuf, Doing)> {
        if let Some((file, text, known)) = self.known.get(&document.id) {
            let doing = match known.edited {
                true => Doing::Kept,
                false if text.replace("\r\n", "\n") == document.file() => Doing::Same,
                false => Doing::Update,
            };
            return Ok((file.clone(), doing));
        }
        if let Some(alike) = self.others.remove(&document.slug) {
            return Ok((alike, Doing::Alike));
        }
        self.last += 1;
        let number = format!("{:04}", self.last);
        anyhow::ensure!(number.len() <= DIGITS, "{}: no number is left for a record", path.display());
        Ok((path.join(format!("{number}-{}.md", document.slug)), Doing::New))
    }
}

/// The number that a record's name begins with, and the words behind it: `0007-use-toml.md`.
fn named(name: &OsStr) -> Option<(u32, String)> {
    let (number, words) = name.to_str()?.strip_suffix(".md")?.split_once('-')?;
    let digits = (1..=DIGITS).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    Some((digits.then(|| number.parse().ok())??, words.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_number_or_none() {
        let number = |name: &str| named(OsStr::new(name)).map(|(number, _)| number);
        assert_eq!(number("0007-use-toml.md"), Some(7));
        assert_eq!(number("99999-x.md"), Some(99_999));
        for name in ["4294967295-x.md", "20240131-x.md", "-x.md", "7.md", "seven-x.md", "0007-x.txt"] {
            assert_eq!(number(name), None, "{name}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_that_nobody_named_is_in_the_repository() {
        let (top, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let top = top.path().canonicalize().unwrap();
        assert_eq!(usual(&top).unwrap(), top.join("docs/decisions"));
        std::os::unix::fs::symlink(other.path(), top.join("docs")).unwrap();
        assert!(usual(&top).unwrap_err().to_string().contains("leads out"), "it would be made outside");
        std::fs::create_dir(other.path().join("adr")).unwrap();
        assert!(usual(&top).unwrap_err().to_string().contains("leads out"), "it is outside");
    }
}
