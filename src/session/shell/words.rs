//! The words of a shell's script: its simple commands one by one, with where their input comes from and their output goes.

use super::{Flow, Found, MAX_COMMAND, MAX_DEPTH, run};

/// A word of a command, and whether all of it is known without running anything.
#[derive(Debug, Default, Clone)]
pub(super) struct Word {
    pub text: String,
    pub literal: bool,
    /// What runs in it prints lines that git gave.
    pub lines: bool,
}

/// A simple command as it is written.
#[derive(Default)]
pub(super) struct Command {
    pub words: Vec<Word>,
    /// It prints into a file.
    pub into_file: bool,
    /// What it reads stands in the script.
    pub own_text: bool,
    /// Lines that git gave are among its words, or are what it reads.
    pub lines: bool,
}

impl Command {
    /// Whether it is the end of others, `done`, or stands after their `)`: what they print goes where this says.
    fn closes(&self) -> bool {
        self.words.first().is_none_or(|word| ["}", "done", "fi", "esac"].contains(&word.text.as_str()))
    }
}

/// Reads a whole script; whether it prints lines that git gave. `None` where it is not understood.
pub(super) fn read(script: &str, depth: usize, found: &mut Found) -> Option<bool> {
    if depth > MAX_DEPTH || script.len() > MAX_COMMAND {
        return None;
    }
    Reader { rest: script, depth, found, heredocs: Vec::new() }.commands(false)
}

/// What a simple command ends at.
#[derive(Clone, Copy)]
enum End {
    Of(&'static str),
    Script,
}

/// A here-document whose body begins after this line.
struct HereDocument {
    end: String,
    /// Tabs before its lines are dropped.
    tabs: bool,
    /// Nothing runs in it.
    quoted: bool,
}

struct Reader<'a, 'f> {
    rest: &'a str,
    depth: usize,
    found: &'f mut Found,
    heredocs: Vec<HereDocument>,
}

impl<'a> Reader<'a, '_> {
    /// Reads commands to the end of the script, or to the `)` that ends it where it is `nested`; whether they print lines
    /// that git gave.
    fn commands(&mut self, nested: bool) -> Option<bool> {
        let mut open = 0usize;
        let mut lines = false;
        let mut input = Flow::Else;
        loop {
            let (command, end) = self.simple_command()?;
            match end {
                // What was piped here is for the command that follows.
                End::Of("(") if command.words.is_empty() => {
                    open += 1;
                    continue;
                }
                End::Of("\n") if command.words.is_empty() && !command.into_file => continue,
                // `f()` defines a function, and `a=(…)` fills an array.
                End::Of("(" | ";;") => return None,
                _ => {}
            }
            let output = if command.closes() {
                self.found.closed(&command, lines)
            } else {
                run(&command, input, self.depth, self.found)?
            };
            lines |= output == Flow::Lines;
            input = Flow::Else;
            match end {
                End::Of("|" | "|&") => input = output,
                End::Of(")") if nested && open == 0 => return Some(lines),
                End::Of(")") => open = open.checked_sub(1)?,
                End::Of(_) => {}
                End::Script => return (!nested && open == 0).then_some(lines),
            }
        }
    }

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

    /// The command up to the next operator.
    fn simple_command(&mut self) -> Option<(Command, End)> {
        const OPERATORS: [&str; 10] = ["&&", "||", "|&", ";;", "|", "&", ";", "(", ")", "\n"];
        let mut command = Command::default();
        // Within `[[ … ]]` operators mean something else.
        let mut test = false;
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r']);
            if self.rest.is_empty() {
                return Some((command, End::Script));
            }
            if self.eat("\\\n") {
                continue;
            }
            if self.rest.starts_with('#') {
                self.rest = self.rest.find('\n').map_or("", |at| &self.rest[at..]);
                continue;
            }
            if command.words.is_empty() && self.eat("((") {
                let inside = self.until("))")?;
                // It calculates, or is a `(` within another.
                self.found.unread(inside);
                continue;
            }
            if self.redirection(&mut command)? {
                continue;
            }
            match OPERATORS.into_iter().find(|op| self.rest.starts_with(op)) {
                Some(op) => {
                    self.eat(op);
                    if op == "\n" {
                        self.skip_heredocs();
                    }
                    if !test {
                        return Some((command, End::Of(op)));
                    }
                }
                None => {
                    let word = self.word()?;
                    test = if command.words.is_empty() { word.text == "[[" } else { test && word.text != "]]" };
                    command.lines |= word.lines;
                    command.words.push(word);
                }
            }
        }
    }

    /// Reads one redirection with its target, if there is one here.
    fn redirection(&mut self, command: &mut Command) -> Option<bool> {
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
        let written = self.rest;
        let target = self.word()?;
        command.lines |= target.lines;
        match op {
            "<<" | "<<-" => {
                let quoted = written[..written.len() - self.rest.len()].contains(['\'', '"', '\\']);
                command.own_text = true;
                self.heredocs.push(HereDocument { end: target.text, tabs: op == "<<-", quoted });
            }
            "<<<" => command.own_text = target.literal,
            "<" | "<&" => command.own_text = false,
            // `2>&1`, `>&-`.
            ">&" if target.text.chars().all(|c| c.is_ascii_digit() || c == '-') => {}
            _ => command.into_file |= !(target.literal && is_no_file(&target.text)),
        }
        Some(true)
    }

    /// Skips the bodies of here-documents; one that does not end takes the rest.
    fn skip_heredocs(&mut self) {
        for document in std::mem::take(&mut self.heredocs) {
            let body = self.rest;
            while !self.rest.is_empty() {
                let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
                self.rest = rest;
                if if document.tabs { line.trim_start_matches('\t') } else { line } == document.end {
                    break;
                }
            }
            if !document.quoted {
                self.found.expanded(&body[..body.len() - self.rest.len()]);
            }
        }
    }

    /// One word, with its quotes removed; programs that it runs itself (`$(…)`) are read too.
    fn word(&mut self) -> Option<Word> {
        let mut word = Word { literal: true, ..Word::default() };
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
            let inside = self.until("))")?;
            self.found.expanded(inside);
        } else if self.eat("$(") {
            return self.nested(word);
        } else if self.eat("`") {
            let script = self.until("`")?;
            word.lines |= read(script, self.depth + 1, self.found)?;
        } else if self.eat("${") {
            let inside = self.until("}")?;
            self.found.expanded(inside);
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
        word.lines |= inner.commands(true)?;
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

/// Devices that take what is printed, and keep none of it.
fn is_no_file(target: &str) -> bool {
    matches!(target, "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/tty") || target.starts_with("/dev/fd/")
}
