//! What a shell command is: which programs it runs (`cd x && FOO=1 cargo test | tee log` runs `cargo` and `tee`), and how it
//! reaches files.
//!
//! This reads the words of POSIX shell and bash well enough to name programs, and runs nothing. What it does not
//! understand (`case`, functions, an open quote) yields nothing rather than a guess.

mod git;
mod readers;
mod words;

use crate::session::event::Reach;
use words::{Command, Word, read};

/// Longer commands are scripts; they yield nothing.
const MAX_COMMAND: usize = 64 << 10;

/// The most programs that one command yields.
const MAX_PROGRAMS: usize = 64;

/// How deep shells within shells are read.
const MAX_DEPTH: usize = 8;

/// The base names of the programs that `command` runs, in order, each as often as it stands there.
pub fn programs(command: &str) -> Vec<String> {
    let mut found = Found::default();
    match read(command, 0, &mut found) {
        Some(_) => found.programs,
        None => Vec::new(),
    }
}

/// How `command` reaches files.
///
/// One that only reads owns nothing, whatever becomes of files while it runs: that is somebody else's, as it is between
/// calls. One that runs git in a way that may put lines into files that stood elsewhere before (in a stash, on another
/// branch, in an older commit) owns nothing new. All others own what changes, programs that are not known too.
pub fn reach(command: &str) -> Reach {
    let mut found = Found::default();
    match read(command, 0, &mut found) {
        None if might_bring(command) => Reach::Brings,
        None => Reach::Any,
        Some(_) if !found.writes => Reach::None,
        Some(_) if found.brings => Reach::Brings,
        Some(_) => Reach::Any,
    }
}

/// Whether words that are not understood say that git may bring lines.
fn might_bring(script: &str) -> bool {
    let apart = |c: char| c.is_whitespace() || ";&|()`{}<>$\"'".contains(c);
    let words = || script.split(apart).filter(|word| !word.is_empty());
    // `2>&1` and `>/dev/null` go into no file.
    let no_file = |to: &str| to.starts_with('&') || to.starts_with("/dev/");
    let into_file = || script.split('>').skip(1).any(|to| !no_file(to.trim_start()));
    let patches = || words().any(|word| matches!(word, "patch" | "tar" | "tee"));
    words().any(|word| word.rsplit('/').next() == Some("git"))
        && words().any(|word| {
            let (brings, prints) = git::may(word);
            brings || prints && (patches() || into_file())
        })
}

/// What a command was found to do.
#[derive(Default)]
struct Found {
    programs: Vec<String>,
    /// It may write files.
    writes: bool,
    /// Lines that git gave may come into files.
    brings: bool,
}

impl Found {
    /// A part of a script is not read.
    fn unread(&mut self, text: &str) {
        self.writes = true;
        self.brings |= might_bring(text);
    }

    /// Text that runs what stands in `$(…)`, if there is any, is not read.
    fn expanded(&mut self, text: &str) {
        if text.contains("$(") || text.contains('`') {
            self.unread(text);
        }
    }

    /// The end of commands of which some printed `lines` that git gave, or none.
    fn closed(&mut self, command: &Command, lines: bool) -> Flow {
        self.writes |= command.into_file;
        self.brings |= command.lines || lines && command.into_file;
        if lines { Flow::Lines } else { Flow::Else }
    }
}

/// What goes from one command to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// Text that stands in the script.
    OwnText,
    /// Lines that git gave.
    Lines,
    Else,
}

/// What a program does, as far as files and their lines are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// It changes no file.
    Reads,
    /// No more than to print text that stands in the script.
    Says,
    /// No more than to print lines of files, commits or stashes.
    Prints,
    /// It may write files.
    Writes,
    /// It may put lines into files that stood elsewhere before.
    Brings,
}

/// Words after which a command begins, as at the start of a line.
const PREFIXES: [&str; 10] = ["if", "then", "elif", "else", "while", "until", "do", "{", "!", "command"];

/// What shells do themselves, and words that end what others began.
const NO_PROGRAMS: &[&str] = &[
    ".", ":", "[", "[[", "alias", "bg", "break", "builtin", "cd", "continue", "declare", "dirs", "disown", "done",
    "echo", "esac", "eval", "exit", "export", "false", "fg", "fi", "getopts", "hash", "jobs", "kill", "let", "local",
    "popd", "printf", "pushd", "pwd", "read", "readonly", "return", "set", "shift", "shopt", "source", "test", "times",
    "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait", "}",
];

/// Programs that run another one, with the options of theirs that take a word more.
const RUNNERS: [(&str, &[&str]); 11] = [
    ("sudo", &["-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "-U", "-r", "-t", "--user", "--group", "--chdir"]),
    ("doas", &["-u", "-C"]),
    ("env", &["-u", "-C", "-S", "--unset", "--chdir"]),
    ("nohup", &[]),
    ("setsid", &[]),
    ("nice", &["-n"]),
    ("ionice", &["-c", "-n", "-p"]),
    ("stdbuf", &["-i", "-o", "-e"]),
    ("timeout", &["-k", "-s", "--signal", "--kill-after"]),
    ("xargs", &["-I", "-n", "-P", "-L", "-s", "-d", "-a", "-E"]),
    ("caffeinate", &["-t", "-w"]),
];

/// Where system programs stand: what has their name elsewhere may be another.
const SYSTEM: [&str; 5] = ["", "/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/"];

/// Adds what one simple command does; what it prints.
fn run(command: &Command, input: Flow, depth: usize, found: &mut Found) -> Option<Flow> {
    let lines = command.lines || input == Flow::Lines;
    let own_text = command.own_text || input == Flow::OwnText;
    let does = what_runs(&command.words, lines, own_text, depth, found)?;
    let prints = match does {
        Does::Prints => Flow::Lines,
        Does::Reads | Does::Says if lines => Flow::Lines,
        Does::Says => Flow::OwnText,
        _ => Flow::Else,
    };
    found.writes |= command.into_file || matches!(does, Does::Writes | Does::Brings);
    found.brings |= match does {
        Does::Brings => true,
        Does::Writes => lines,
        _ => command.into_file && prints == Flow::Lines,
    };
    Some(prints)
}

/// Adds the programs that one simple command runs; what the last of them does. `lines` that git gave may be among its words
/// or what it reads, or the latter is the script's `own_text`.
fn what_runs(mut words: &[Word], lines: bool, mut own_text: bool, depth: usize, found: &mut Found) -> Option<Does> {
    // The files that `xargs` tells of may have names like options.
    let mut told_files = false;
    loop {
        words = after_prefixes(words)?;
        let Some((first, arguments)) = words.split_first() else {
            // A variable takes them, and goes anywhere.
            found.brings |= lines;
            return Some(Does::Reads);
        };
        let name = first.text.rsplit('/').next().unwrap_or_default();
        let known = first.literal && !name.is_empty() && name.len() <= 200 && !name.chars().any(char::is_control);
        if !known {
            return Some(Does::Writes);
        }
        if !NO_PROGRAMS.contains(&name) && found.programs.len() < MAX_PROGRAMS {
            found.programs.push(name.to_owned());
        }
        let texts: Vec<&str> = arguments.iter().map(|word| word.text.as_str()).collect();
        if matches!(name, "sh" | "bash" | "zsh" | "dash") {
            let does = shell(arguments, depth, found)?;
            return Some(if lines { Does::Brings } else { does });
        }
        let Some((_, with_word)) = RUNNERS.iter().find(|(runner, _)| *runner == name) else {
            found.brings |= lines && name == "read";
            let literal = arguments.iter().all(|word| word.literal);
            return Some(match name {
                "git" => git::does(&texts, own_text),
                "echo" | "printf" if literal => Does::Says,
                "cat" if own_text && texts.iter().all(|file| *file == "-") => Does::Says,
                _ if !SYSTEM.contains(&&first.text[..first.text.len() - name.len()]) => Does::Writes,
                _ if told_files && !readers::always(name) => Does::Writes,
                _ if readers::only_reads(name, &texts) => Does::Reads,
                _ => Does::Writes,
            });
        };
        words = after_options(name, arguments, with_word);
        if words.is_empty() {
            // `env` alone prints; what `env -S` runs is not read.
            return Some(if name == "env" && arguments.is_empty() { Does::Reads } else { Does::Writes });
        }
        told_files |= name == "xargs";
        own_text &= name != "xargs";
    }
}

/// Reads the script that a shell is told to run.
fn shell(arguments: &[Word], depth: usize, found: &mut Found) -> Option<Does> {
    let mut after = arguments.iter().skip_while(|word| !(word.text.starts_with('-') && word.text.ends_with('c')));
    Some(match after.nth(1).filter(|script| script.literal) {
        Some(script) if read(&script.text, depth + 1, found)? => Does::Prints,
        Some(_) => Does::Reads,
        None => Does::Writes,
    })
}

/// The words from a command's name on; none where nothing is run, `None` where it is not understood.
fn after_prefixes(mut words: &[Word]) -> Option<&[Word]> {
    while let Some((first, rest)) = words.split_first() {
        match first.text.as_str() {
            "case" | "function" => return None,
            "for" | "select" | "in" => return Some(&[]),
            // `command -v x` asks whether there is an x.
            "command" if rest.first().is_some_and(|word| matches!(word.text.as_str(), "-v" | "-V")) => return Some(&[]),
            "command" if rest.first().is_some_and(|word| word.text == "-p") => words = &rest[1..],
            "time" | "exec" | "coproc" => {
                words = &rest[rest.iter().take_while(|word| word.text.starts_with('-')).count()..];
            }
            name if is_assignment(name) || PREFIXES.contains(&name) => words = rest,
            _ => break,
        }
    }
    Some(words)
}

/// The words after a runner's own options, its variables and, for `timeout`, the duration.
fn after_options<'w>(runner: &str, mut words: &'w [Word], with_word: &[&str]) -> &'w [Word] {
    while let Some((first, rest)) = words.split_first() {
        if !first.text.starts_with('-') && !is_assignment(&first.text) {
            break;
        }
        let skip = usize::from(with_word.contains(&first.text.as_str()));
        words = rest.get(skip..).unwrap_or_default();
    }
    let skip = usize::from(runner == "timeout");
    words.get(skip..).unwrap_or_default()
}

/// `NAME=…`, `NAME+=…`.
fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let name = name.strip_suffix('+').unwrap_or(name);
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
