//! Which programs a shell command runs: `cd x && FOO=1 cargo test | tee log` runs `cargo` and `tee`.
//!
//! This reads the words of POSIX shell and bash well enough to name programs, and runs nothing. What it does not
//! understand (`case`, functions, an open quote) yields nothing rather than a guess.

mod git;

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
        Some(()) => found.programs,
        None => Vec::new(),
    }
}

/// Whether `command` runs git in a way that may put lines into files that stood elsewhere before: in a stash, on another
/// branch, in an older commit. What is not understood does so where its words say it might.
pub fn brings(command: &str) -> bool {
    let mut found = Found::default();
    match read(command, 0, &mut found) {
        Some(()) => found.brings,
        None => {
            let apart = |c: char| c.is_whitespace() || ";&|()`{}<>$\"'".contains(c);
            let words: Vec<&str> = command.split(apart).filter(|word| !word.is_empty()).collect();
            let is_git = |word: &str| word.rsplit('/').next() == Some("git");
            words.iter().any(|word| is_git(word)) && words.iter().any(|word| git::BRINGING.contains(word))
        }
    }
}

/// What a command was found to do.
#[derive(Default)]
struct Found {
    programs: Vec<String>,
    brings: bool,
}

/// A word of a command, and whether all of it is known without running anything.
#[derive(Debug, Default, Clone)]
struct Word {
    text: String,
    literal: bool,
}

/// Reads a whole script; `None` where it is not understood.
fn read(script: &str, depth: usize, found: &mut Found) -> Option<()> {
    if depth > MAX_DEPTH || script.len() > MAX_COMMAND {
        return None;
    }
    let mut reader = Reader { rest: script, depth, found, heredocs: Vec::new() };
    let mut open = 0usize;
    loop {
        let (words, end) = reader.simple_command()?;
        run(&words, depth, reader.found)?;
        match end {
            End::Of("(") if words.is_empty() => open += 1,
            // `f()` defines a function, and `a=(…)` fills an array.
            End::Of("(") => return None,
            End::Of(")") => open = open.checked_sub(1)?,
            End::Of(";;") => return None,
            End::Of(_) => {}
            End::Script => return if open == 0 { Some(()) } else { None },
        }
    }
}

/// What a simple command ends at.
enum End {
    Of(&'static str),
    Script,
}

struct Reader<'a, 'f> {
    rest: &'a str,
    depth: usize,
    found: &'f mut Found,
    /// Ends of the here-documents that begin after this line, and whether tabs before them are dropped.
    heredocs: Vec<(String, bool)>,
}

impl<'a> Reader<'a, '_> {
    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// The words up to the next operator, without redirections.
    fn simple_command(&mut self) -> Option<(Vec<Word>, End)> {
        const OPERATORS: [&str; 10] = ["&&", "||", "|&", ";;", "|", "&", ";", "(", ")", "\n"];
        let mut words: Vec<Word> = Vec::new();
        // Within `[[ … ]]` operators mean something else.
        let mut test = false;
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r']);
            if self.rest.is_empty() {
                return Some((words, End::Script));
            }
            if self.eat("\\\n") {
                continue;
            }
            if self.rest.starts_with('#') {
                self.rest = self.rest.find('\n').map_or("", |at| &self.rest[at..]);
                continue;
            }
            if words.is_empty() && self.eat("((") {
                self.until("))")?;
                continue;
            }
            if self.redirection()? {
                continue;
            }
            match OPERATORS.into_iter().find(|op| self.rest.starts_with(op)) {
                Some(op) => {
                    self.eat(op);
                    if op == "\n" {
                        self.skip_heredocs();
                    }
                    if !test {
                        return Some((words, End::Of(op)));
                    }
                }
                None => {
                    let word = self.word()?;
                    test = if words.is_empty() { word.text == "[[" } else { test && word.text != "]]" };
                    words.push(word);
                }
            }
        }
    }

    /// Reads one redirection with its target, if there is one here.
    fn redirection(&mut self) -> Option<bool> {
        let digits = self.rest.len() - self.rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = &self.rest[digits..];
        if after.starts_with("<(") || after.starts_with(">(") {
            return Some(false);
        }
        const REDIRECTIONS: [&str; 13] =
            ["&>>", "<<<", "<<-", "&>", ">>", "<<", "<>", ">&", "<&", ">|", ">", "<", "&>"];
        let Some(op) = REDIRECTIONS.into_iter().find(|op| after.starts_with(op)) else { return Some(false) };
        if digits > 0 && op.starts_with('&') {
            return Some(false);
        }
        self.rest = after[op.len()..].trim_start_matches([' ', '\t']);
        let target = self.word()?;
        if op == "<<" || op == "<<-" {
            self.heredocs.push((target.text, op == "<<-"));
        }
        Some(true)
    }

    /// Skips the bodies of here-documents; one that does not end takes the rest.
    fn skip_heredocs(&mut self) {
        for (end, tabs) in std::mem::take(&mut self.heredocs) {
            while !self.rest.is_empty() {
                let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
                self.rest = rest;
                if if tabs { line.trim_start_matches('\t') } else { line } == end {
                    break;
                }
            }
        }
    }

    /// One word, with its quotes removed; programs that it runs itself (`$(…)`) are read too.
    fn word(&mut self) -> Option<Word> {
        let mut word = Word { text: String::new(), literal: true };
        while let Some(c) = self.rest.chars().next() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '|' | '&' => break,
                '<' | '>' => {
                    // `<(…)` is a word that runs programs.
                    if !word.text.is_empty() || !self.rest[1..].starts_with('(') {
                        break;
                    }
                    self.next();
                    self.next();
                    self.nested(&mut word)?;
                }
                '(' if word.text.ends_with(['?', '*', '+', '@', '!', '=']) => return None,
                '(' | ')' => break,
                '\\' => {
                    self.next();
                    word.text.extend(self.next().filter(|c| *c != '\n'));
                }
                '\'' => {
                    self.next();
                    word.text.push_str(self.until("'")?);
                }
                '"' => {
                    self.next();
                    self.double_quoted(&mut word)?;
                }
                '$' | '`' => self.expansion(&mut word)?,
                _ => {
                    self.next();
                    word.text.push(c);
                }
            }
        }
        Some(word)
    }

    fn double_quoted(&mut self, word: &mut Word) -> Option<()> {
        loop {
            match self.rest.chars().next()? {
                '"' => {
                    self.next();
                    return Some(());
                }
                '\\' => {
                    self.next();
                    word.text.extend(self.next().filter(|c| *c != '\n'));
                }
                '$' | '`' => self.expansion(word)?,
                c => {
                    self.next();
                    word.text.push(c);
                }
            }
        }
    }

    /// `$x`, `${x}`, `$(…)`, `$((…))`, `` `…` ``, `$'…'`.
    fn expansion(&mut self, word: &mut Word) -> Option<()> {
        if self.eat("$((") {
            self.until("))")?;
        } else if self.eat("$(") {
            return self.nested(word);
        } else if self.eat("`") {
            let script = self.until("`")?;
            read(script, self.depth + 1, self.found)?;
        } else if self.eat("${") {
            self.until("}")?;
        } else if self.eat("$'") {
            self.until("'")?;
        } else if self.eat("$") && !self.rest.starts_with(|c: char| c.is_alphanumeric() || "_@*#?$!-\"".contains(c)) {
            word.text.push('$');
            return Some(());
        }
        word.literal = false;
        word.text.push('$');
        Some(())
    }

    /// Reads `…)` as a script of its own.
    fn nested(&mut self, word: &mut Word) -> Option<()> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        let mut inner = Reader {
            rest: self.rest,
            depth: self.depth + 1,
            found: self.found,
            heredocs: std::mem::take(&mut self.heredocs),
        };
        let mut open = 0usize;
        loop {
            let (words, end) = inner.simple_command()?;
            run(&words, inner.depth, inner.found)?;
            match end {
                End::Of("(") if words.is_empty() => open += 1,
                End::Of(")") if open == 0 => break,
                End::Of(")") => open -= 1,
                End::Of("(" | ";;") | End::Script => return None,
                End::Of(_) => {}
            }
        }
        let (rest, heredocs) = (inner.rest, inner.heredocs);
        self.rest = rest;
        self.heredocs = heredocs;
        word.literal = false;
        word.text.push('$');
        Some(())
    }

    /// What stands before `end`, which is taken too.
    fn until(&mut self, end: &str) -> Option<&'a str> {
        let (inside, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(inside)
    }
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

/// Adds the programs that one simple command runs.
fn run(mut words: &[Word], depth: usize, found: &mut Found) -> Option<()> {
    loop {
        words = after_prefixes(words)?;
        let Some((first, arguments)) = words.split_first() else { return Some(()) };
        let name = first.text.rsplit('/').next().unwrap_or_default();
        let known = first.literal && !name.is_empty() && name.len() <= 200 && !name.chars().any(char::is_control);
        if !known || NO_PROGRAMS.contains(&name) {
            return Some(());
        }
        if found.programs.len() < MAX_PROGRAMS {
            found.programs.push(name.to_owned());
        }
        if name == "git" {
            found.brings |= git::brings(arguments.iter().map(|word| word.text.as_str()));
        }
        if matches!(name, "sh" | "bash" | "zsh" | "dash") {
            let mut after =
                arguments.iter().skip_while(|word| !(word.text.starts_with('-') && word.text.ends_with('c')));
            return match after.nth(1).filter(|script| script.literal) {
                Some(script) => read(&script.text, depth + 1, found),
                None => Some(()),
            };
        }
        match RUNNERS.iter().find(|(runner, _)| *runner == name) {
            Some((_, with_word)) => words = after_options(name, arguments, with_word),
            None => return Some(()),
        }
    }
}

/// The words from a command's name on; none where nothing is run, `None` where it is not understood.
fn after_prefixes(mut words: &[Word]) -> Option<&[Word]> {
    while let Some((first, rest)) = words.split_first() {
        match first.text.as_str() {
            "case" | "function" => return None,
            "for" | "select" | "in" | "coproc" => return Some(&[]),
            // `command -v x` asks whether there is an x.
            "command" if rest.first().is_some_and(|word| word.text.starts_with('-')) => return Some(&[]),
            "time" | "exec" => {
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_brings_lines_from_elsewhere_is_told_from_what_does_not() {
        let bringing = [
            "git stash pop",
            "git -C sub -c a.b=c merge --squash topic",
            "cd x && git checkout main -- f || true",
            "if true; then /usr/bin/git cherry-pick -n x; fi",
            "sh -c 'git reset --soft HEAD~1'",
            "echo $(git restore f)",
            "xargs git apply",
            "git $command",
            "git co x",
            // Not understood, and it says so.
            "case x in x) git stash pop;; esac",
        ];
        for command in bringing {
            assert!(brings(command), "{command}");
        }
        let harmless = [
            "git add -A && git commit -m 'git stash pop' && git push",
            "git checkout -b topic",
            "git checkout -qb topic",
            "git switch topic",
            "git --version; git -C x status",
            "git",
            "cat > notes <<'EOF'\ngit stash pop\nEOF",
            "echo git merge",
            "case x in x) git status;; esac",
            "legit stash",
        ];
        for command in harmless {
            assert!(!brings(command), "{command}");
        }
    }

    #[test]
    fn programs_are_named() {
        for (command, expected) in [
            ("cargo test", "cargo"),
            ("cd x && FOO=1 BAR='a b' ./bin/cargo test --all | tee log; git status &", "cargo tee git"),
            ("sudo -u root -E apt-get install jq", "sudo apt-get"),
            ("env -i A=1 timeout -k 5 10s python3 x.py", "env timeout python3"),
            ("(cd a; make) && (ls)", "make ls"),
            ("echo \"$(git rev-parse HEAD) `date`\"", "git date"),
            ("diff <(sort a) <(sort -u b) 2>&1 >/dev/null", "sort sort diff"),
            ("cat <<'EOF' > run.sh\nrm -rf /\nEOF\nchmod +x run.sh", "cat chmod"),
            ("cat <<-EOF\n\trm x\n\tEOF\nls", "cat ls"),
            ("git commit -m \"$(cat <<'EOF'\na message; rm x\nEOF\n)\" && git push", "cat git git"),
            ("for f in *.rs; do rustfmt \"$f\"; done", "rustfmt"),
            ("if grep -q x y; then sed -i s/x/y/ y; else true; fi", "grep sed"),
            ("while read -r l; do printf '%s' \"$l\"; done < <(find . -name '*.c')", "find"),
            ("[[ -f a && ! -d b ]] || touch a", "touch"),
            ("x=$((1 + 2)); ((x++)); jq . f", "jq"),
            ("bash -lc 'npm ci && npm test'", "bash npm npm"),
            ("find . -print0 | xargs -0 -n 1 wc -l", "find xargs wc"),
            ("command -v node || exec node -e 'process.exit(1)'", "node"),
            ("time -p make -j2 # then; rm x", "make"),
            ("$EDITOR file; \"$HOME/bin/x\" y", ""),
            ("echo a \\\n  b; ls\\ x", "ls x"),
            ("2>err ls 2>/dev/null >>log 3<&1", "ls"),
            ("a|b|&c||d", "a b c d"),
            ("echo hi", ""),
            ("", ""),
        ] {
            assert_eq!(programs(command).join(" "), expected, "{command}");
        }
    }

    #[test]
    fn what_is_not_understood_yields_nothing() {
        for command in [
            "echo 'open; rm x",
            "ls \"$(rm x",
            "case $1 in a) rm x;; esac",
            "f() { rm x; }; f",
            "function f { rm x; }",
            "(ls",
            "ls)",
            "a=(rm x)",
            "ls `rm",
        ] {
            assert!(programs(command).is_empty(), "{command}");
        }
        assert!(programs(&format!("{}ls{}", "(".repeat(9_000), ")".repeat(9_000))).len() <= 1);
        assert!(programs(&"$(".repeat(9_000)).is_empty());
        assert_eq!(programs(&"sudo ".repeat(9_000)).len(), MAX_PROGRAMS);
        assert!(programs(&"ls;".repeat(100_000)).is_empty());
        assert_eq!(programs(&"ls;".repeat(1_000)).len(), MAX_PROGRAMS);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(command in "\\PC*") {
            programs(&command);
        }

        #[test]
        fn any_mix_of_shell_is_read_without_harm(
            parts in proptest::collection::vec(
                prop_oneof![
                    "[a-z ]{0,4}", "[-$(){}<>|&;`'\"\\\\#\n=\\[\\]]", Just("<<E\n".to_owned()), Just("$(".to_owned()),
                    Just("sudo ".to_owned()), Just("bash -c '".to_owned()), Just("timeout ".to_owned())
                ],
                0..40,
            ),
        ) {
            for name in programs(&parts.concat()) {
                prop_assert!(!name.is_empty() && !name.contains('/'));
            }
        }
    }
}
