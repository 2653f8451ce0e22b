//! `git blame`: which commit each line of a file comes from, and where it stood there.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::git::command::{Git, GitError};
use crate::git::locate::path_from_bytes;
use crate::host::clock::Deadline;
use crate::id::{GitId, RepoPath};

/// What to blame, in git's own words.
#[derive(Debug, Default, Clone)]
pub struct Asked {
    /// Options that choose lines and commits, and say how far git looks for where a line comes from.
    pub options: Vec<OsString>,
    pub revisions: Vec<OsString>,
    pub file: OsString,
    /// What git reads on its standard input, for `--contents -`.
    pub input: Option<Vec<u8>>,
    /// How long it may take.
    pub within: Option<Duration>,
}

impl Asked {
    /// The same without looking for lines that were moved or copied; `None` where that is not asked anyway.
    pub fn plain(&self) -> Option<Asked> {
        let plain = |option: &&OsString| !matches!(option.as_encoded_bytes(), [b'-', b'M' | b'C', ..]);
        let options: Vec<OsString> = self.options.iter().filter(plain).cloned().collect();
        (options.len() < self.options.len()).then(|| Asked { options, ..self.clone() })
    }
}

/// What git printed, in its porcelain format, and what that says.
pub struct Printed(Vec<u8>);

/// A file's lines and where each comes from.
#[derive(Debug, Default)]
pub struct Blame<'p> {
    pub lines: Vec<Line<'p>>,
    pub commits: HashMap<GitId, Commit>,
}

/// What is told of a commit that lines come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    pub author: String,
    /// The author's address, without brackets.
    pub email: String,
    /// When its author made it, in seconds since 1970.
    pub time: i64,
    pub subject: String,
    /// Git went no further: what it was not asked for, or where there is nothing before.
    pub boundary: bool,
}

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'p> {
    /// Its number in the file at hand.
    pub number: u32,
    /// What stands before the text, as git printed it.
    pub head: &'p [u8],
    /// The bytes, without the newline.
    pub text: &'p [u8],
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

/// Blames a file, named as seen from `dir`. Each line tells of its commit where the commit is met first, or with
/// `every_line` always.
pub fn blame(dir: &Path, asked: Asked, every_line: bool) -> Result<Printed, GitError> {
    let format = if every_line { "--line-porcelain" } else { "--porcelain" };
    // Commits that a configuration has git pass over, and what filters make of a file, would move lines to where no
    // record speaks of them.
    // An empty name makes git forget the files that were named before, here the configured ones.
    let git = Git::in_dir(dir).args(["blame", format, "--no-textconv", "--ignore-revs-file="]);
    let ranges = asked.options.iter().filter(|option| option.as_encoded_bytes().starts_with(b"-L"));
    let ranges = ranges.map(|range| range.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let mut git = git.args(asked.options).args(asked.revisions).arg("--").arg(asked.file);
    if let Some(input) = asked.input {
        git = git.input(input);
    }
    if let Some(span) = asked.within {
        git = git.within(&Deadline::after(span));
    }
    Ok(Printed(git.relay().map_err(|error| odd_range(error, &ranges))?.stdout))
}

/// Of ranges that git does not know for what they are it only says how it is used.
fn odd_range(error: GitError, ranges: &str) -> GitError {
    match error {
        GitError::Refused { said } if said.starts_with("usage:") && !ranges.is_empty() => {
            let said = format!("no such lines: {ranges}; name them as 7, 10,20, 10,+5, /regex/ or :function");
            GitError::Refused { said }
        }
        error => error,
    }
}

impl Printed {
    pub fn parse(&self) -> Blame<'_> {
        let mut blame = Blame::default();
        // A commit's name for the file is told once, unless it has several.
        let mut paths: HashMap<GitId, (&[u8], Rc<RepoPath>)> = HashMap::new();
        let mut at: Option<(GitId, u32, u32)> = None;
        // All else is told once, or always the same.
        let mut is_new = false;
        let (mut head, mut end) = (0, 0);
        for line in self.0.split_inclusive(|byte| *byte == b'\n') {
            let start = end;
            end += line.len();
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if let Some(text) = line.strip_prefix(b"\t") {
                let head = std::mem::replace(&mut head, end);
                let Some((commit, there, number)) = at.take() else { continue };
                let path = paths.get(&commit).filter(|_| !commit.is_null()).map(|(_, path)| path.clone());
                let source = path.map(|path| Source { commit, path, line: there });
                blame.lines.push(Line { number, head: &self.0[head..start], text, source });
                continue;
            }
            let Some((commit, ..)) = &at else {
                at = header(line);
                is_new = at.as_ref().is_some_and(|(commit, ..)| !blame.commits.contains_key(commit));
                if let Some((commit, ..)) = at.as_ref().filter(|_| is_new) {
                    blame.commits.insert(commit.clone(), Commit::default());
                }
                continue;
            };
            if let Some(printed) = line.strip_prefix(b"filename ") {
                if paths.get(commit).is_none_or(|(known, _)| *known != printed) {
                    match RepoPath::from_git(printed) {
                        Ok(path) => drop(paths.insert(commit.clone(), (printed, Rc::new(path)))),
                        Err(_) => drop(paths.remove(commit)),
                    }
                }
            } else if is_new && let Some(known) = blame.commits.get_mut(commit) {
                known.learn(line);
            }
        }
        blame
    }
}

/// `<commit> <line there> <line here>`, and for the first line of a group how many it has.
fn header(line: &[u8]) -> Option<(GitId, u32, u32)> {
    let mut fields = std::str::from_utf8(line).ok()?.split(' ');
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

impl Commit {
    /// Takes in what a line says of the commit.
    fn learn(&mut self, line: &[u8]) {
        let space = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let text = || String::from_utf8_lossy(line.get(space + 1..).unwrap_or_default());
        match &line[..space] {
            b"author" => self.author = text().into_owned(),
            b"author-mail" => self.email = text().trim_matches(['<', '>']).to_owned(),
            b"author-time" => self.time = text().parse().unwrap_or_default(),
            b"summary" => self.subject = text().into_owned(),
            b"boundary" => self.boundary = true,
            _ => {}
        }
    }
}

/// The date of each commit's author in one of git's own formats.
pub fn dates<'a>(
    dir: &Path,
    format: &str,
    commits: impl Iterator<Item = &'a GitId>,
) -> Result<HashMap<GitId, String>, GitError> {
    let input: String = commits.map(|commit| format!("{commit}\n")).collect();
    let git =
        Git::in_dir(dir).args(["log", "--no-walk=unsorted", "--no-color", "--no-show-signature", "-z", "--stdin"]);
    let git = git.args(["--format=%H %ad".to_owned(), format!("--date={format}")]);
    let printed = git.input(input.into_bytes()).relay()?.stdout;
    let date = |one: &[u8]| {
        let text = String::from_utf8_lossy(one);
        let (commit, date) = text.split_once(' ')?;
        Some((commit.parse().ok()?, date.to_owned()))
    };
    Ok(printed.split(|byte| *byte == 0).filter_map(date).collect())
}

/// A commit that changed a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub id: GitId,
    pub commit: Commit,
    /// Who says in the commit's message that they looked at it.
    pub reviewers: Vec<String>,
}

/// At most `most` commits that changed a line, the newest first: the one it comes from, and those that changed what
/// stood there before.
///
/// `within` is how long git may look for them.
pub fn changes(dir: &Path, source: &Source, most: usize, within: Option<Duration>) -> Result<Vec<Change>, GitError> {
    let reviewers = "%(trailers:key=Reviewed-by,key=Acked-by,key=Approved-by,valueonly,unfold,separator=%x1f)";
    let format = format!("--format=%H%x00%at%x00%an%x00%ae%x00%s%x00{reviewers}%x00");
    let git = Git::in_dir(dir).args(["log", "--no-color", "--no-show-signature", "--encoding=UTF-8", "--no-patch"]);
    let mut range = OsString::from(format!("-L{0},{0}:", source.line));
    range.push(path_from_bytes(&source.path.to_bytes()).unwrap_or_default());
    let mut git = git.arg(format!("--max-count={most}")).arg(format).arg(range).arg(source.commit.as_str());
    if let Some(span) = within {
        git = git.within(&Deadline::after(span));
    }
    let text = String::from_utf8_lossy(&git.relay()?.stdout).into_owned();
    let fields: Vec<&str> = text.split('\0').collect();
    let change = |fields: &[&str]| {
        let [id, time, author, email, subject, reviewers] = fields else { return None };
        let commit = Commit {
            author: (*author).to_owned(),
            email: (*email).to_owned(),
            time: time.parse().ok()?,
            subject: (*subject).to_owned(),
            boundary: false,
        };
        let reviewers = reviewers.split('\x1f').map(str::trim).filter(|name| !name.is_empty());
        Some(Change { id: id.trim().parse().ok()?, commit, reviewers: reviewers.map(str::to_owned).collect() })
    };
    Ok(fields.chunks(6).filter_map(change).collect())
}

/// `FILE:LINE`, or `FILE:LINE:COLUMN` as compilers print it; the file's name is whatever bytes it is. `is_file` tells of
/// a name that ends like a line's whether there is such a file.
pub fn named_line(name: &OsStr, is_file: impl Fn(&Path) -> bool) -> Option<(OsString, u32)> {
    let (rest, last) = split_number(name)?;
    let column = split_number(rest).filter(|_| !is_file(Path::new(rest)));
    Some(column.unwrap_or((rest, last))).map(|(file, line)| (file.to_owned(), line))
}

/// What stands before the last colon, if it is anything, and the number after it.
fn split_number(name: &OsStr) -> Option<(&OsStr, u32)> {
    let bytes = name.as_encoded_bytes();
    let colon = bytes.iter().rposition(|byte| *byte == b':').filter(|at| *at > 0)?;
    let line = line_number(std::str::from_utf8(&bytes[colon + 1..]).ok())?;
    Some((before(name, colon)?, line))
}

/// The beginning of a name, so many bytes.
#[cfg(unix)]
fn before(name: &OsStr, end: usize) -> Option<&OsStr> {
    use std::os::unix::ffi::OsStrExt as _;
    name.as_bytes().get(..end).map(OsStr::from_bytes)
}

#[cfg(not(unix))]
fn before(name: &OsStr, end: usize) -> Option<&OsStr> {
    name.to_str()?.get(..end).map(OsStr::new)
}

/// A line's number. No file has more lines than the largest, so that a larger one is as good as that.
pub fn line_number(text: Option<&str>) -> Option<u32> {
    let text = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(text.parse().unwrap_or(u32::MAX)).filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_know_where_they_stood() {
        let (a, b, none) = ("a".repeat(40), "b".repeat(40), "0".repeat(40));
        let porcelain = format!(
            "{a} 7 1 2\nauthor filename x\nauthor-mail <x@example.com>\nauthor-time 5\nboundary\nsummary s\n\
             filename old name.rs\n\tone\n{a} 8 2\n\t\ttwo\n{b} 1 3 1\nauthor-time 6\nfilename \"caf\\351 \\303\\251\"\n\
             \tcaf\u{e9}\n{none} 4 4 1\nauthor-time 9\nfilename x\n\tnew\n{a} 9 5 1\nfilename \"gr\\303\\274n\\t.rs\"\n\t\n"
        );
        let printed = Printed(porcelain.into_bytes());
        let blame = printed.parse();
        let shown = blame.lines.iter().map(|line| {
            let source = line.source.as_ref();
            let source = source.map(|s| format!("{} {} {}", &s.commit.as_str()[..1], s.path, s.line));
            format!("{} {:?} {}", line.number, source, String::from_utf8_lossy(line.text))
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                "1 Some(\"a old name.rs 7\") one",
                "2 Some(\"a old name.rs 8\") \ttwo",
                "3 Some(\"b \\\"caf\\\\351 \\\\303\\\\251\\\" 1\") caf\u{e9}",
                "4 None new",
                "5 Some(\"a \\\"gr\\\\303\\\\274n\\\\011.rs\\\" 9\") ",
            ]
        );
        let known = &blame.commits[&a.parse::<GitId>().unwrap()];
        let (author, email) = ("filename x".to_owned(), "x@example.com".to_owned());
        assert_eq!(*known, Commit { author, email, time: 5, subject: "s".into(), boundary: true });
        assert!(!blame.commits[&b.parse::<GitId>().unwrap()].boundary);
        // What was printed is all there, in its order.
        let parts = blame.lines.iter().map(|line| [line.head, b"\t", line.text, b"\n"].concat());
        assert_eq!(parts.collect::<Vec<_>>().concat(), printed.0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
            Printed(bytes).parse();
        }
    }
}
