//! Which lines each of many commits changes, from one call of `git diff-tree`, read while git works.

use std::collections::HashMap;
use std::io::{self, Read};

use crate::attribution::ancestry::{Change, Hunk, Now, Source};
use crate::attribution::lines;
use crate::git::command::Stream;
use crate::git::diff::DiffError;
use crate::git::repo::{Kind, Repo};
use crate::git::tree_diff;
use crate::id::{GitId, RepoPath};

/// What `git blame` goes by (Myers, no context, renames), and merges with all of their parents at once. Of a file that
/// is deleted only that is told.
const OPTIONS: [&str; 17] = [
    "diff-tree",
    "--stdin",
    "--root",
    "-r",
    "-c",
    "--combined-all-paths",
    "-M",
    "-D",
    "-p",
    "-U0",
    "--inter-hunk-context=0",
    "--raw",
    "-z",
    "--full-index",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
];

/// A file that git takes for binary and that is larger has no lines.
const MAX_TEXT: usize = 16 << 20;

/// A commit, and its parents.
pub struct Parents {
    pub commit: GitId,
    pub parents: Vec<GitId>,
}

/// Gives `each` what every one of the commits changes, in their order.
pub fn read(repo: &Repo, commits: &[Parents], mut each: impl FnMut(&Parents, Vec<Change>)) -> Result<(), DiffError> {
    let input: String = commits.iter().map(|parents| format!("{}\n", parents.commit)).collect();
    let git = repo
        .git()
        .args(["-c", "diff.algorithm=myers", "-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false"])
        .args(OPTIONS)
        .input(input.into_bytes());
    let mut stream = git.stream()?;
    let mut reader = Reader::new(stream.output());
    let mut next = reader.commit()?;
    for parents in commits {
        // Git says nothing of a commit that changes nothing.
        let entries = match next.take_if(|(commit, _)| *commit == parents.commit) {
            Some((_, entries)) => {
                next = reader.commit()?;
                entries
            }
            None => Vec::new(),
        };
        let changes = match parents.parents.len() {
            0 | 1 => entries.into_iter().flat_map(|entry| changes(repo, entry)).collect(),
            _ => merged(repo, parents, entries)?,
        };
        each(parents, changes);
    }
    if let Some((commit, _)) = next {
        return Err(DiffError::Unexpected(commit.to_string()));
    }
    finish(stream)
}

fn finish(stream: Stream) -> Result<(), DiffError> {
    Ok(stream.finish()?)
}

/// A file that a commit changes against all of its parents.
#[derive(Debug, Default)]
struct Entry {
    /// `None` for a name that no record can hold.
    path: Option<RepoPath>,
    mode: String,
    blob: Option<GitId>,
    status: String,
    /// The file in each parent.
    before: Vec<Before>,
    binary: bool,
}

#[derive(Debug, Default)]
struct Before {
    path: Option<RepoPath>,
    mode: String,
    blob: Option<GitId>,
    hunks: Vec<Hunk>,
}

fn is_file(mode: &str) -> bool {
    mode.starts_with("100")
}

impl Entry {
    /// What the file is now, by those of its parents' files that it comes from.
    fn now(&self, repo: &Repo) -> Now {
        if self.blob.is_none() {
            return Now::Gone;
        }
        if !is_file(&self.mode) {
            return Now::NoLines;
        }
        if self.binary {
            return by_bytes(repo, self.blob.as_ref());
        }
        let is_text = |before: &&(usize, &Before)| before.1.blob.is_some() && is_file(&before.1.mode);
        let of: Vec<(usize, &Before)> = self.before.iter().enumerate().filter(|before| is_text(&before)).collect();
        let source = |(parent, before): (usize, &Before)| Source {
            parent,
            path: before.path.clone().filter(|path| self.path.as_ref() != Some(path)),
            hunks: before.hunks.clone(),
        };
        // The same bytes under another name are its own, all of them.
        if let Some(same) = of.iter().find(|(_, before)| before.blob == self.blob) {
            return Now::From(vec![source(*same)]);
        }
        match of.is_empty() {
            true => Now::New(self.before.first().map_or(0, |before| before.hunks.iter().map(|hunk| hunk.added).sum())),
            false => Now::From(of.into_iter().map(source).collect()),
        }
    }
}

/// What a file is that git takes for binary: that may be said of what it was before.
fn by_bytes(repo: &Repo, blob: Option<&GitId>) -> Now {
    match blob.map(|blob| repo.read_at_most(blob, Kind::Blob, MAX_TEXT)) {
        Some(Ok(bytes)) if !lines::is_binary(&bytes) => Now::New(lines::count(&bytes) as u32),
        _ => Now::NoLines,
    }
}

/// What a file of a commit with one parent, or none, becomes.
fn changes(repo: &Repo, entry: Entry) -> Vec<Change> {
    let now = entry.now(repo);
    let from = entry.before.into_iter().next().and_then(|before| before.path);
    let gone = from.filter(|from| entry.status.starts_with('R') && entry.path.as_ref() != Some(from));
    let gone = gone.map(|path| Change { path, now: Now::Gone });
    gone.into_iter().chain(entry.path.map(|path| Change { path, now })).collect()
}

/// What a merge changes against its first parent: `entries` are the files that are as in none of its parents.
fn merged(repo: &Repo, merge: &Parents, entries: Vec<Entry>) -> Result<Vec<Change>, DiffError> {
    let own: HashMap<&RepoPath, &Entry> =
        entries.iter().filter_map(|entry| entry.path.as_ref().map(|path| (path, entry))).collect();
    let mut against = Vec::new();
    for parent in &merge.parents {
        against.push(tree_diff::files(repo, parent, &merge.commit)?);
    }
    let Some((first, others)) = against.split_first() else { return Ok(Vec::new()) };
    let mut changes = Vec::new();
    for (path, after) in first {
        let now = match (after, own.get(path), others.iter().position(|other| !other.contains_key(path))) {
            (None, ..) => Now::Gone,
            (_, _, Some(at)) => Now::As(at + 1),
            (_, Some(entry), _) => entry.now(repo),
            (Some(file), None, None) if file.is_regular() => by_bytes(repo, Some(&file.id)),
            _ => Now::NoLines,
        };
        changes.push(Change { path: path.clone(), now });
    }
    Ok(changes)
}

/// Reads what git prints, a commit at a time.
struct Reader<R> {
    source: Option<R>,
    buffer: Vec<u8>,
    /// How much of the buffer was read.
    at: usize,
}

/// So much is read at a time.
const CHUNK: usize = 1 << 16;
/// No line of a header is longer, nor a field.
const MAX_FIELD: usize = 1 << 16;

impl<R: Read> Reader<R> {
    fn new(source: Option<R>) -> Self {
        Reader { source, buffer: Vec::new(), at: 0 }
    }

    /// Reads more; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let len = self.buffer.len();
        self.buffer.resize(len + CHUNK, 0);
        let read = match &mut self.source {
            Some(source) => source.read(&mut self.buffer[len..]),
            None => Ok(0),
        };
        self.buffer.truncate(len + read.as_ref().copied().unwrap_or_default());
        Ok(read? > 0)
    }

    /// What comes next, at most `len` bytes of it.
    fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.at < len && self.fill()? {}
        let end = self.buffer.len().min(self.at + len);
        Ok(&self.buffer[self.at..end])
    }

    /// All up to a byte, which is passed over; only the first [`MAX_FIELD`] bytes of it are kept.
    fn until(&mut self, byte: u8) -> io::Result<Vec<u8>> {
        let mut field = Vec::new();
        loop {
            let rest = &self.buffer[self.at..];
            let end = memchr::memchr(byte, rest);
            let part = &rest[..end.unwrap_or(rest.len())];
            field.extend_from_slice(&part[..part.len().min(MAX_FIELD - field.len())]);
            self.at += part.len() + usize::from(end.is_some());
            if end.is_some() || !self.fill()? {
                return Ok(field);
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let rest = &self.buffer[self.at..];
            let end = memchr::memchr(b'\n', rest);
            self.at += end.map_or(rest.len(), |end| end + 1);
            if end.is_some() || !self.fill()? {
                return Ok(());
            }
        }
    }

    /// The next commit and its files.
    fn commit(&mut self) -> Result<Option<(GitId, Vec<Entry>)>, DiffError> {
        let failed = |error: io::Error| DiffError::Unexpected(error.to_string());
        let unexpected =
            |bytes: &[u8]| DiffError::Unexpected(String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into());
        if self.peek(1).map_err(failed)?.is_empty() {
            return Ok(None);
        }
        let head = self.until(0).map_err(failed)?;
        let commit = std::str::from_utf8(&head).ok().and_then(|text| text.parse::<GitId>().ok());
        let commit = commit.ok_or_else(|| unexpected(&head))?;
        let mut entries = Vec::new();
        while self.peek(1).map_err(failed)? == b":" {
            let head = self.until(0).map_err(failed)?;
            entries.push(self.entry(&head).map_err(failed)?.ok_or_else(|| unexpected(&head))?);
        }
        if self.peek(1).map_err(failed)? == b"\0" {
            self.at += 1;
            self.patch(commit.as_str().len(), &mut entries).map_err(failed)?;
        }
        Ok(Some((commit, entries)))
    }

    /// `:<mode> <mode> <id> <id> <status>`, with a `:`, a mode and an id more for each further parent; then the paths.
    fn entry(&mut self, head: &[u8]) -> io::Result<Option<Entry>> {
        let Ok(head) = std::str::from_utf8(head) else { return Ok(None) };
        let bare = head.trim_start_matches(':');
        let parents = head.len() - bare.len();
        let fields: Vec<&str> = bare.split(' ').collect();
        if fields.len() != 2 * (parents + 1) + 1 {
            return Ok(None);
        }
        let status = fields[fields.len() - 1].to_owned();
        let blob = |at: usize| fields[parents + 1 + at].parse::<GitId>().ok().filter(|id| !id.is_null());
        let names = match parents {
            1 => 1 + usize::from(status.starts_with(['R', 'C'])),
            more => more + 1,
        };
        let mut paths = Vec::with_capacity(names);
        for _ in 0..names {
            paths.push(RepoPath::from_bytes(&self.until(0)?).ok());
        }
        let path = paths.last().cloned().flatten();
        let before = |at: usize| Before {
            path: paths.get(at).cloned().flatten(),
            mode: fields[at].to_owned(),
            blob: blob(at),
            hunks: Vec::new(),
        };
        let before = (0..parents).map(before).collect();
        Ok(Some(Entry { path, mode: fields[parents].to_owned(), blob: blob(parents), status, before, binary: false }))
    }

    /// Reads a patch, up to where the next commit begins.
    fn patch(&mut self, id_len: usize, entries: &mut [Entry]) -> io::Result<()> {
        let mut current: Option<usize> = None;
        let mut parts_left = 0;
        loop {
            let next = self.peek(id_len + 1)?;
            let is_commit =
                next.len() > id_len && next[id_len] == 0 && next[..id_len].iter().all(u8::is_ascii_hexdigit);
            if next.is_empty() || is_commit {
                return Ok(());
            }
            let line = self.until(b'\n')?;
            if let Some(name) = line.strip_prefix(b"diff --combined ".as_slice()) {
                let path = RepoPath::from_git(name).ok();
                current = path.and_then(|path| entries.iter().position(|entry| entry.path.as_ref() == Some(&path)));
            } else if line.starts_with(b"diff ") {
                // A file that becomes a link, or the other way round, has two parts.
                if parts_left == 0 {
                    current = Some(current.map_or(0, |at| at + 1));
                    let changes_type = current.and_then(|at| entries.get(at)).is_some_and(|entry| entry.status == "T");
                    parts_left = if changes_type { 2 } else { 1 };
                }
                parts_left -= 1;
            } else if line.starts_with(b"Binary files ") || line.starts_with(b"GIT binary patch") {
                if let Some(entry) = current.and_then(|at| entries.get_mut(at)) {
                    entry.binary = true;
                }
            } else if let Some(ranges) = hunk_header(&line) {
                let mut ignored = Entry::default();
                let entry = current.and_then(|at| entries.get_mut(at)).unwrap_or(&mut ignored);
                match ranges.as_slice() {
                    [before, after] => self.hunk(entry, *before, *after)?,
                    [before @ .., after] => self.combined_hunk(entry, before, after.1)?,
                    [] => {}
                }
            }
        }
    }

    /// Takes in a hunk without context, whose lines say no more than its head.
    fn hunk(&mut self, entry: &mut Entry, before: (u32, u32), after: (u32, u32)) -> io::Result<()> {
        if let Some(first) = entry.before.first_mut() {
            // Of no lines git names the one before them.
            let at = if before.1 == 0 { before.0 } else { before.0.saturating_sub(1) };
            first.hunks.push(Hunk { at, removed: before.1, added: after.1 });
        }
        let mut left = u64::from(before.1) + u64::from(after.1);
        while left > 0 && !self.peek(1)?.is_empty() {
            left -= u64::from(self.peek(1)? != b"\\");
            self.skip_line()?;
        }
        Ok(())
    }

    /// Takes in a hunk of a merge: each line begins with a column for each parent.
    fn combined_hunk(&mut self, entry: &mut Entry, before: &[(u32, u32)], mut after: u32) -> io::Result<()> {
        let mut at: Vec<u32> = before.iter().map(|(start, _)| start.saturating_sub(1)).collect();
        let mut left: Vec<u32> = before.iter().map(|(_, count)| *count).collect();
        while after > 0 || left.iter().any(|left| *left > 0) {
            let columns = self.peek(before.len())?.to_vec();
            if columns.len() < before.len() {
                break;
            }
            self.skip_line()?;
            if columns[0] == b'\\' {
                continue;
            }
            let is_lost = columns.contains(&b'-');
            for (parent, column) in columns.iter().enumerate() {
                let (removed, added) = match (is_lost, column) {
                    (true, b'-') => (1, 0),
                    (true, _) => continue,
                    (false, b'+') => (0, 1),
                    (false, _) => (0, 0),
                };
                if let (Some(before), true) = (entry.before.get_mut(parent), removed + added > 0) {
                    change_line(&mut before.hunks, at[parent], removed, added);
                }
                if *column != b'+' {
                    at[parent] += 1;
                    left[parent] = left[parent].saturating_sub(1);
                }
            }
            after = after.saturating_sub(u32::from(!is_lost));
        }
        Ok(())
    }
}

/// Adds a line that goes or comes at a place, to the last hunk where it touches.
fn change_line(hunks: &mut Vec<Hunk>, at: u32, removed: u32, added: u32) {
    match hunks.last_mut() {
        Some(last) if last.at + last.removed == at => {
            last.removed += removed;
            last.added += added;
        }
        _ => hunks.push(Hunk { at, removed, added }),
    }
}

/// The ranges of `@@ -1,2 +3,4 @@`, or `@@@ -1,2 -1,3 +1,4 @@@`: where each begins, and how many lines it has.
fn hunk_header(line: &[u8]) -> Option<Vec<(u32, u32)>> {
    let signs = line.iter().take_while(|byte| **byte == b'@').count();
    let text = String::from_utf8_lossy(line.get(signs..)?.strip_prefix(b" ")?).into_owned();
    let range = |field: &str| {
        let (start, count) = field.get(1..)?.split_once(',').unwrap_or((field.get(1..)?, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let ranges: Option<Vec<_>> = text.split(' ').take(signs).map(range).collect();
    ranges.filter(|ranges| signs >= 2 && ranges.len() == signs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(bytes: &[u8]) -> Result<Vec<(GitId, Vec<Entry>)>, DiffError> {
        let mut reader = Reader::new(Some(bytes));
        let mut commits = Vec::new();
        while let Some(commit) = reader.commit()? {
            commits.push(commit);
        }
        Ok(commits)
    }

    #[test]
    fn headers_of_hunks_are_read_as_git_writes_them() {
        assert_eq!(hunk_header(b"@@ -1,3 +2,4 @@ fn x()"), Some(vec![(1, 3), (2, 4)]));
        assert_eq!(hunk_header(b"@@ -0,0 +1 @@"), Some(vec![(0, 0), (1, 1)]));
        assert_eq!(hunk_header(b"@@@ -5,1 -6,0 +5,2 @@@"), Some(vec![(5, 1), (6, 0), (5, 2)]));
        for other in [&b"@ -1 +1 @"[..], b"+@@ -1 +1 @@", b"@@ -1 @@", b"index 1..2"] {
            assert_eq!(hunk_header(other), None, "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn commits_end_where_the_next_begins_and_merges_have_columns() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let printed = format!(
            "{a}\0:100644 100644 {b} {c} M\0f\0\0diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n\
             @@ -2,0 +3 @@\n+{b}\0:x\n\\ No newline at end of file\n@@ -9,2 +10 @@\n-diff --git a/x b/x\n-y\n+z\n\
             {b}\0::100644 100644 100644 {a} {b} {c} MM\0f\0g\0g\0\0diff --combined g\nindex 1,2..3\n--- a/f\n\
             --- a/g\n+++ b/g\n@@@ -3,2 -4,1 +4,3 @@@ x\n- one\n -two\n++both\n +second\n  same\n"
        );
        let found = read_all(printed.as_bytes()).unwrap();
        let hunks = |entry: &Entry| {
            entry
                .before
                .iter()
                .map(|b| b.hunks.iter().map(|h| (h.at, h.removed, h.added)).collect())
                .collect::<Vec<Vec<_>>>()
        };
        assert_eq!(found.len(), 2);
        assert_eq!(hunks(&found[0].1[0]), [vec![(2, 0, 1), (8, 2, 1)]]);
        let merge = &found[1].1[0];
        assert_eq!(hunks(merge)[0], [(2, 1, 1)]);
        assert_eq!(hunks(merge)[1], [(3, 1, 2)]);
        assert_eq!(merge.before[0].path.as_ref().map(RepoPath::as_str), Some("f"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes: Vec<u8>, tail in "[@:a-f0-9 ,+\\-\\n\\x00]{0,200}") {
            drop(read_all(&bytes));
            let id = "a".repeat(40);
            drop(read_all(format!("{id}\0:100644 100644 {id} {id} M\0f\0\0{tail}").as_bytes()));
        }
    }
}
