//! `git blame`: which commit each line of a file comes from, and where it stood there.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;

use crate::git::command::{Git, GitError};
use crate::id::{GitId, RepoPath};

/// What to blame, in git's own words.
#[derive(Debug)]
pub struct Asked {
    /// The values of `-L`.
    pub ranges: Vec<String>,
    pub revision: Option<OsString>,
    pub file: OsString,
}

/// A file's lines and where each comes from.
#[derive(Debug, Default)]
pub struct Blame {
    pub lines: Vec<Line>,
    /// When each commit was made, by its committer's clock, in seconds since 1970.
    pub times: HashMap<GitId, i64>,
}

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file at hand.
    pub number: u32,
    /// The bytes, without the newline.
    pub text: Vec<u8>,
    /// Where it comes from; `None` if it is not committed yet.
    pub source: Option<Source>,
}

/// Where a line comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub commit: GitId,
    /// The file's name there.
    pub path: Rc<RepoPath>,
    /// The line's number there.
    pub line: u32,
}

/// Blames a file, named as seen from `dir`.
pub fn blame(dir: &Path, asked: &Asked) -> Result<Blame, GitError> {
    // Commits that the user has git pass over, and what filters make of a file, would move lines to where no record
    // speaks of them.
    let git = Git::in_dir(dir).args(["-c", "blame.ignoreRevsFile=", "blame", "--porcelain", "--no-textconv"]);
    let mut git = git.args(asked.ranges.iter().map(|range| format!("-L{range}")));
    if let Some(revision) = &asked.revision {
        git = git.arg(revision);
    }
    Ok(parse(&git.arg("--").arg(&asked.file).relay()?.stdout))
}

fn parse(porcelain: &[u8]) -> Blame {
    let mut blame = Blame::default();
    // A commit's name for the file is told once, unless it has several.
    let mut paths: HashMap<GitId, Rc<RepoPath>> = HashMap::new();
    let mut at: Option<(GitId, u32, u32)> = None;
    for line in porcelain.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if let Some(text) = line.strip_prefix(b"\t") {
            let Some((commit, original, number)) = at.take() else { continue };
            let path = paths.get(&commit).filter(|_| !commit.is_null()).cloned();
            let source = path.map(|path| Source { commit, path, line: original });
            blame.lines.push(Line { number, text: text.to_vec(), source });
            continue;
        }
        let text = String::from_utf8_lossy(line);
        let Some((commit, ..)) = &at else {
            at = header(&text);
            continue;
        };
        if let Some(time) = text.strip_prefix("committer-time ").and_then(|time| time.parse().ok()) {
            blame.times.insert(commit.clone(), time);
        } else if let Some(path) = text.strip_prefix("filename ").and_then(|path| path.parse().ok()) {
            paths.insert(commit.clone(), Rc::new(path));
        }
    }
    blame
}

/// `<commit> <line there> <line here>`, and for the first line of a group how many it has.
fn header(text: &str) -> Option<(GitId, u32, u32)> {
    let mut fields = text.split(' ');
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_know_where_they_stood() {
        let (a, b, none) = ("a".repeat(40), "b".repeat(40), "0".repeat(40));
        let porcelain = format!(
            "{a} 7 1 2\nauthor filename x\ncommitter-time 5\nsummary s\nfilename old name.rs\n\tone\n{a} 8 2\n\t\ttwo\n\
             {b} 1 3 1\ncommitter-time 6\nfilename \"caf\\351\"\n\tcaf\u{e9}\n{none} 4 4 1\ncommitter-time 9\nfilename x\n\tnew\n\
             {a} 9 5 1\nfilename older.rs\n\t\n"
        );
        let blame = parse(porcelain.as_bytes());
        let shown: Vec<_> = blame
            .lines
            .iter()
            .map(|line| {
                let source = line.source.as_ref();
                let source = source.map(|s| format!("{} {} {}", &s.commit.as_str()[..1], s.path, s.line));
                format!("{} {:?} {}", line.number, source, String::from_utf8_lossy(&line.text))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "1 Some(\"a old name.rs 7\") one",
                "2 Some(\"a old name.rs 8\") \ttwo",
                "3 Some(\"b \\\"caf\\\\351\\\" 1\") caf\u{e9}",
                "4 None new",
                "5 Some(\"a older.rs 9\") ",
            ]
        );
        assert_eq!(blame.times[&a.parse::<GitId>().unwrap()], 5);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
            parse(&bytes);
        }
    }
}
