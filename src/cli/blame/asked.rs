//! What `blame` is asked: git blame's own flags, and which of them make no sense where lines have origins.

use std::ffi::{OsStr, OsString};
use std::io::Read as _;

use clap::{Arg, ArgAction};

use crate::git::blame;

/// Lines, commits, and how far git looks.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Lines and commits", args(negations(NEGATED)), args(unheard()))]
pub struct Asked {
    /// The file, after revisions to look at it there
    #[arg(value_name = "FILE", num_args = 1.., required_unless_present = "last", help_heading = "Arguments")]
    names: Vec<OsString>,
    /// The file, after --
    #[arg(last = true, value_name = "FILE", id = "last", hide = true)]
    last: Option<OsString>,
    /// Only these lines, as git blame takes them: 10,20 or 10,+5 or :function; again for more
    #[arg(short = 'L', value_name = "RANGE", allow_hyphen_values = true)]
    ranges: Vec<OsString>,
    /// Pass over changes of white space
    #[arg(short = 'w')]
    white_space: bool,
    /// Find lines that were moved within the file; -M40 for moves of 40 letters and digits or more
    #[arg(short = 'M', value_name = "SCORE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    moves: Option<OsString>,
    /// Find lines that came from other files of the same commit; -C40 as with -M; twice and thrice to look further
    #[arg(short = 'C', value_name = "SCORE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    copies: Vec<OsString>,
    /// Go no further back than this date
    #[arg(long, value_name = "DATE", alias = "after")]
    since: Option<OsString>,
    /// Follow only the first parent of a merge
    #[arg(long)]
    first_parent: bool,
    /// Pass over what this commit changed; lines that are others than before have no origin then
    #[arg(long, value_name = "COMMIT")]
    ignore_rev: Vec<OsString>,
    /// Pass over what the commits listed in this file changed
    #[arg(long, value_name = "FILE")]
    ignore_revs_file: Vec<OsString>,
    /// Take these contents for the file's, - for standard input
    #[arg(long, value_name = "FILE")]
    contents: Option<OsString>,
    /// Look longer for the smallest differences
    #[arg(long)]
    minimal: bool,
    /// Compare files in this way: myers, minimal, patience or histogram
    #[arg(long, value_name = "ALGORITHM")]
    diff_algorithm: Option<OsString>,
    /// Take history for what this file says: a commit a line, and its parents after it
    #[arg(short = 'S', value_name = "FILE")]
    history: Option<OsString>,
    /// Do not take first commits for boundaries
    #[arg(long)]
    root: bool,
    #[arg(long, hide = true)]
    reverse: bool,
    #[arg(long, hide = true)]
    incremental: bool,
    #[arg(long, hide = true, alias = "before")]
    until: Option<OsString>,
}

impl Asked {
    /// The same for git; what only seems to be answered is refused.
    pub fn to_git(&self) -> anyhow::Result<blame::Asked> {
        if self.reverse {
            anyhow::bail!("--reverse tells how long a line stood, not who wrote it; ask git blame for that");
        }
        if self.incremental {
            anyhow::bail!("--incremental is not supported; --porcelain has the same lines");
        }
        if self.until.is_some() {
            anyhow::bail!("git blame passes over --until; name the revision to look at instead");
        }
        let (revisions, file) = self.names()?;
        let input = match &self.contents {
            Some(name) if name == "-" => {
                let mut bytes = Vec::new();
                std::io::stdin().read_to_end(&mut bytes)?;
                Some(bytes)
            }
            _ => None,
        };
        let (options, revisions) = (self.options(), revisions.to_vec());
        Ok(blame::Asked { options, revisions, file: file.clone(), input, within: None })
    }

    /// Refuses what asks for some lines only.
    pub fn whole_file(&self) -> anyhow::Result<()> {
        if self.ranges.is_empty() { Ok(()) } else { anyhow::bail!("--by scope is of a whole file, without -L") }
    }

    pub fn file(&self) -> anyhow::Result<&OsStr> {
        Ok(self.names()?.1)
    }

    /// Whether git may say that a line comes from where another stood.
    pub fn passes_over_commits(&self) -> bool {
        !self.ignore_rev.is_empty() || !self.ignore_revs_file.is_empty()
    }

    fn names(&self) -> anyhow::Result<(&[OsString], &OsString)> {
        match (self.names.split_last(), &self.last) {
            (_, Some(file)) => Ok((&self.names, file)),
            (Some((file, revisions)), None) => Ok((revisions, file)),
            (None, None) => anyhow::bail!("blame takes a file"),
        }
    }

    fn options(&self) -> Vec<OsString> {
        let with = |name: &str, value: &OsString| {
            let mut option = OsString::from(name);
            option.push(value);
            option
        };
        let flags = [
            (self.white_space, "-w"),
            (self.first_parent, "--first-parent"),
            (self.minimal, "--minimal"),
            (self.root, "--root"),
        ];
        let values = [
            ("-L", &self.ranges),
            ("-C", &self.copies),
            ("--ignore-rev=", &self.ignore_rev),
            ("--ignore-revs-file=", &self.ignore_revs_file),
        ];
        let value = [
            ("-M", &self.moves),
            ("-S", &self.history),
            ("--since=", &self.since),
            ("--contents=", &self.contents),
            ("--diff-algorithm=", &self.diff_algorithm),
        ];
        let flags = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.into());
        let values = values.into_iter().flat_map(|(name, values)| values.iter().map(move |value| with(name, value)));
        let value = value.into_iter().filter_map(|(name, value)| Some(with(name, value.as_ref()?)));
        flags.chain(values).chain(value).collect()
    }
}

/// What git's `--no-…` takes back, by the names of the fields here.
const NEGATED: &[(&str, &str)] = &[
    ("no-incremental", "incremental"),
    ("no-root", "root"),
    ("no-minimal", "minimal"),
    ("no-contents", "contents"),
    ("no-ignore-rev", "ignore_rev"),
    ("no-ignore-revs-file", "ignore_revs_file"),
];

/// Flags that take back what was said of others before them.
pub fn negations(of: &[(&'static str, &'static str)]) -> impl Iterator<Item = Arg> {
    of.iter().map(|(name, negated)| flag(name).overrides_with(*negated))
}

/// What git's blame takes and what changes nothing here: how its progress, its work and its own view's colours show.
fn unheard() -> impl Iterator<Item = Arg> {
    let names = ["progress", "show-stats", "score-debug", "color-lines", "color-by-age"];
    let negated = ["no-progress", "no-show-stats", "no-score-debug", "no-color-lines", "no-color-by-age"];
    names.into_iter().chain(negated).map(flag)
}

/// A hidden flag, which may stand there several times.
fn flag(name: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::Count).hide(true)
}

/// Arguments in which `-C40` and `-M40` are spelled as clap reads them: `-C=40`, `-M=40`.
pub fn spelled(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut ended = false;
    let spell = |arg: OsString| {
        ended |= arg == "--";
        match arg.to_str().and_then(score_at) {
            Some((flags, score)) if !ended => format!("{flags}={score}").into(),
            _ => arg,
        }
    };
    args.map(spell).collect()
}

/// The score at the end of a word of flags, the last of which takes one.
fn score_at(word: &str) -> Option<(&str, &str)> {
    let flags = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let letters = flags.strip_prefix('-')?;
    let takes = letters.ends_with(['C', 'M']) && letters.chars().all(|c| "wCMselnfbtpc".contains(c));
    let score = &word[flags.len()..];
    (takes && !score.is_empty()).then_some((flags, score))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Line {
        #[command(flatten)]
        asked: Asked,
    }

    /// What git is asked.
    fn git(line: &str) -> Result<String, String> {
        let args = ["blame"].into_iter().chain(line.split_whitespace()).map(OsString::from);
        let line = Line::try_parse_from(spelled(args)).map_err(|error| error.to_string())?;
        let asked = line.asked.to_git().map_err(|error| error.to_string())?;
        let words = asked.options.iter().chain(&asked.revisions).map(|word| word.to_string_lossy());
        Ok(words.chain(["--".into(), asked.file.to_string_lossy()]).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn git_is_asked_what_was_asked() {
        for (line, expected) in [
            ("f", "-- f"),
            ("-L 1,2 -L :main -L3 f", "-L1,2 -L:main -L3 -- f"),
            ("-w -M -C f", "-w -C -M -- f"),
            ("-C -C -C9 f", "-C -C -C9 -- f"),
            ("-wCCC20 -M30 v1 f", "-w -C -C -C20 -M30 v1 -- f"),
            ("-C v1 -- f", "-C v1 -- f"),
            ("v1..v2 f", "v1..v2 -- f"),
            ("v1.. -- f", "v1.. -- f"),
            ("v2 v1 f", "v2 v1 -- f"),
            ("--since=3.weeks f", "--since=3.weeks -- f"),
            ("--after yesterday f", "--since=yesterday -- f"),
            (
                "--ignore-rev a --ignore-rev b --ignore-revs-file c f",
                "--ignore-rev=a --ignore-rev=b --ignore-revs-file=c -- f",
            ),
            ("--first-parent --minimal --root f", "--first-parent --minimal --root -- f"),
            ("--contents new f", "--contents=new -- f"),
            ("-S revs --diff-algorithm=patience f", "-Srevs --diff-algorithm=patience -- f"),
            ("-Srevs f", "-Srevs -- f"),
            ("--progress --no-progress --progress --show-stats --score-debug --color-lines --color-by-age f", "-- f"),
            ("--root --no-root --incremental --no-incremental --ignore-rev a --no-ignore-rev f", "-- f"),
            ("--no-root --root --contents x --no-contents --no-minimal f", "--root -- f"),
            ("-- -C40", "-- -C40"),
            ("-L :fC40 f", "-L:fC40 -- f"),
        ] {
            assert_eq!(git(line).as_deref(), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        for (line, expected) in [
            ("--reverse v1..v2 f", "how long a line stood"),
            ("--incremental f", "--porcelain has the same"),
            ("--until=2026-01-01 f", "git blame passes over --until"),
            ("--before x f", "git blame passes over --until"),
            ("--nothing f", "unexpected argument '--nothing'"),
            ("-Cx f", "unexpected argument '-x'"),
            ("", "required"),
            ("v1 -- f g", "cannot be used multiple times"),
        ] {
            let error = git(line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
