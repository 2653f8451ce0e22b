//! Links: what stands between a name and its value, in code, configuration, tables, commands and sentences.

use super::prefix::prefix;
use super::speech::{below, evident, prompt, prose, quoted_behind, whose};
use super::value;

/// What stands between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// `=`, and whether nothing else stands between.
    Equals {
        tight: bool,
    },
    Colon,
    /// The next cell of a table.
    Cell,
    /// The end of an opening tag.
    Tag,
    /// White space after `--name`.
    Flag,
    /// What only a quoted value may follow: a comma, a bracket, a sibling called `value`.
    Quote,
    /// The next field of a line of CSV that the name begins.
    Field,
    /// Nothing but white space, in a line with nothing else; a cell's border.
    Word,
    /// `is`, and its like; or nothing, where somebody is asked to use what follows or it can be nothing else.
    Prose,
}

/// What follows a name, and where the value would begin.
pub(super) fn link(text: &[u8], start: usize, end: usize) -> Option<(Link, usize)> {
    const SAID: &[&[u8]] = &[b"'s ", b", it's ", b", it is ", b", namely "];
    let says = matches!(text.get(end), Some(b'\'' | b','));
    if says && let Some(said) = SAID.iter().find(|said| text[end..].starts_with(said)) {
        return Some((Link::Prose, end + said.len()));
    }
    // `char password[32] = …`
    let array = text[end..].iter().take(6).take_while(|b| b.is_ascii_digit() || matches!(b, b'[' | b']')).count();
    let end = if text[end..].starts_with(b"[") && text[..end + array].ends_with(b"]") { end + array } else { end };
    let before = start.checked_sub(1).map_or(b'\n', |j| text[j]);
    let (mut i, mut quoted) = (end, false);
    while let Some(b) = text.get(i).filter(|_| i < end + 12) {
        match b {
            b'"' | b'\'' | b'`' => quoted = true,
            b'\\' if matches!(text.get(i + 1), Some(b'"' | b'\'' | b'\\')) => {}
            b']' | b'*' | b'?' | b')' => {}
            // `$ENV{NAME}`
            b'}' if before == b'{' && text[skip_blanks(text, i + 1)..].starts_with(b"=") => {}
            _ => break,
        }
        i += 1;
    }
    let at = skip_blanks(text, i);
    let rest = &text[at..];
    let (link, len) = match rest {
        [b'=', b'>', ..] => (Link::Equals { tight: false }, 2),
        [b'=', b'~', ..] => return None,
        [b'=', ..] => {
            let signs = rest.iter().take(3).take_while(|b| **b == b'=').count();
            (Link::Equals { tight: at == i && signs == 1 && !quoted }, signs)
        }
        [b'?', b'=', ..] => (Link::Equals { tight: true }, 2),
        [b'|', b'|', b'=', ..] | [b'?', b'?', b'=', ..] | [b'/', b'/', b'=', ..] => (Link::Equals { tight: false }, 3),
        [b':', b'=', ..] | [b'+', b'=', ..] | [b'<', b'-', ..] => (Link::Equals { tight: false }, 2),
        [b'!', b'=', ..] => (Link::Quote, 2 + usize::from(rest.get(2) == Some(&b'='))),
        [b':', b':', ..] => return None,
        [b':', b'-', ..] if before == b'{' => (Link::Equals { tight: true }, 2),
        // `arn:aws:…:secret:name`
        [b':', next, ..] if !quoted && matches!(before, b':' | b'/') && *next != b' ' => return None,
        [b':', ..] => {
            // A map that tells more of the value than what it is.
            let line_end = 1 + rest[1..].iter().take(8).take_while(|b| matches!(b, b' ' | b'{' | b'\r')).count();
            let map = rest.get(line_end) == Some(&b'\n');
            if let Some(at) = map.then(|| later_value(text, at + line_end)).flatten() {
                return Some((Link::Colon, at));
            }
            (Link::Colon, 1 + decoration(&rest[1..]))
        }
        // A value for where there is none.
        [b'|', b'|', b' ', ..] | [b'?', b'?' | b':', b' ', ..] | [b'o', b'r', b' ', ..] => (Link::Quote, 2),
        [b'|', b'|', ..] => return None,
        [b'|', ..] if quoted || in_table(text, start) => (Link::Cell, 1),
        [b'|', b' ', ..] => (Link::Word, 1),
        [b'{', ..] if quoted && literal_follows(&rest[1..]) => (Link::Quote, 1),
        [b'{', ..] if quoted => {
            let line = at + rest.iter().take(80).position(|b| *b == b'\n')?;
            return later_value(text, line).map(|at| (Link::Equals { tight: false }, at));
        }
        [0xE2, 0x94, 0x82, ..] => (Link::Cell, 3),
        [0xEF, 0xBC, 0x9A, ..] => (Link::Colon, 3),
        [b'>', ..] if at == end && matches!(before, b'<' | b':') => (Link::Tag, 1 + data(&rest[1..])),
        [b'>', ..] if quoted => (Link::Tag, 1 + data(&rest[1..])),
        [b'<', b'/', ..] => (Link::Tag, next_tag(rest)?),
        [b',', ..] if quoted => (Link::Quote, 1 + skip_sibling_name(&rest[1..])),
        // `key, err := …`
        [b',', b' ', ..] if !quoted && second_result(rest) > 0 => (Link::Equals { tight: false }, second_result(rest)),
        [b',' | b';', next, ..] if at == end && !matches!(next, b' ' | b'\n') && begins_line(text, start) => {
            (Link::Field, 1)
        }
        [b',', ..] if matches!(before, b'{' | b':') && literal_follows(&rest[1..]) => {
            (Link::Equals { tight: false }, 1)
        }
        [b'.', ..] if quoted && method(rest) > 0 => (Link::Quote, method(rest)),
        [b'.', ..] if i > end && compared(rest) > 0 => (Link::Quote, compared(rest)),
        // `getByLabelText(/password/i), '…'`
        [b'/', ..] if sought(rest) > 0 => (Link::Quote, sought(rest)),
        [b'.', b'.', b'.', ..] => (Link::Colon, rest.iter().take(60).take_while(|b| **b == b'.').count()),
        // `define(NAME, "…")`
        [b',', ..] if before == b'(' && literal_follows(&rest[1..]) => (Link::Quote, 1),
        [b'(' | b' ', ..] if returned(rest) > 0 => (Link::Quote, returned(rest)),
        [b'R', b'E', b'G', b'_', ..] => (Link::Flag, rest.iter().take(40).take_while(|b| **b != b' ').count()),
        [b'(', ..] if at == end => (Link::Quote, 1),
        // A form's field: its head, an empty line, its value.
        [b'\n', b'\n', ..] if quoted && text[..start].ends_with(b"name=\"") => {
            return Some((Link::Equals { tight: false }, at + 2));
        }
        [b'\r', b'\n', b'\r', b'\n', ..] if quoted && text[..start].ends_with(b"name=\"") => {
            return Some((Link::Equals { tight: false }, at + 4));
        }
        [b'\n' | b'\r', ..] | [] => {
            if let Some(at) = later_value(text, at) {
                return Some((Link::Equals { tight: false }, at));
            }
            return printed(text, start, at).or_else(|| defined(text, start, at)).map(|at| (Link::Prose, at));
        }
        [b'1'..=b'9', b':', b' ', ..] => (Link::Colon, 2),
        _ if prompt(rest) > 0 => (Link::Colon, prompt(rest)),
        // Of a language that writes no spaces, or other letters.
        _ if text[start] >= 0x80 || text[end - 1] >= 0x80 => {
            (Link::Prose, prose(rest).or_else(|| whose(rest)).unwrap_or(0))
        }
        _ if at == i => return None,
        _ if quoted && attribute(rest) > 0 => (Link::Quote, attribute(rest)),
        [mark @ (b'"' | b'\''), ..] if before == b'-' && is_one_word(&rest[1..], *mark) => (Link::Flag, 0),
        [b'"' | b'\'', ..] => (Link::Quote, 0),
        [b'`', ..] if !quoted => (Link::Quote, 0),
        _ if !quoted && let Some(words) = quoted_behind(rest) => (Link::Word, words),
        _ if typed(rest) > 0 => (Link::Equals { tight: false }, typed(rest)),
        _ if !quoted && asks(text, start) => (Link::Prose, prose(rest).unwrap_or(0)),
        _ if !quoted && (text[i] == b'\t' || set(text, start)) => (Link::Flag, 0),
        _ if !quoted && alone(text, start, at) && follows_user(text, start) => (Link::Flag, 0),
        _ if !quoted && alone(text, start, at) => (Link::Word, 0),
        _ if before == b'-' && !quoted && rest[0] != b'-' => (Link::Flag, 0),
        _ if below(rest).is_some() => (Link::Colon, below(rest)?),
        _ if !quoted && sets(text, start, at) => (Link::Word, 0),
        _ => match prose(rest) {
            Some(words) => (Link::Prose, words),
            // `the token …`: what can be nothing else.
            None => (Link::Prose, evident(rest).then_some(0)?),
        },
    };
    Some((link, skip_blanks(text, at + len)))
}

pub(super) fn skip_blanks(text: &[u8], i: usize) -> usize {
    i + text[i..].iter().take(64).take_while(|b| matches!(b, b' ' | b'\t')).count()
}

fn in_table(text: &[u8], at: usize) -> bool {
    let line = text[..at].iter().rev().take(200).take_while(|b| **b != b'\n').last();
    line == Some(&b'|')
}

/// `, err := `: another result of the call that makes the value.
fn second_result(rest: &[u8]) -> usize {
    const OTHERS: &[&[u8]] = &[b", _ := ", b", _ = ", b", err := ", b", err = ", b", ok := ", b", e := "];
    OTHERS.iter().find(|other| rest.starts_with(other)).map_or(0, |other| other.len())
}

/// Whether nothing but what a tool puts there stands before a name in its line.
fn begins_line(text: &[u8], start: usize) -> bool {
    let from = memchr::memrchr(b'\n', &text[start.saturating_sub(120)..start]);
    let line = from.map_or(start.saturating_sub(120), |n| start.saturating_sub(120) + n + 1);
    let before = &text[line..start];
    before.iter().all(|b| *b == b' ') || prefix(&text[line..]) == before.len()
}

/// Whether the string has no blank in it: the value of a flag, and not what is said of it.
fn is_one_word(inside: &[u8], mark: u8) -> bool {
    let len = inside.iter().take(256).take_while(|b| **b != mark && !b.is_ascii_whitespace()).count();
    inside.get(len) == Some(&mark)
}

/// The value in a line of its own below the name in one: a list of definitions.
fn defined(text: &[u8], start: usize, at: usize) -> Option<usize> {
    let from = memchr::memrchr(b'\n', &text[start.saturating_sub(60)..start]);
    let line = from.map_or(start.saturating_sub(60), |n| start.saturating_sub(60) + n + 1);
    let sign = |b: &u8| matches!(b, b' ' | b'`' | b'*' | b'+' | b'-' | b'_' | b'"');
    let below = at + 1 + usize::from(text.get(at) == Some(&b'\r'));
    let indent = below + prefix(text.get(below..)?);
    let inside = indent + text[indent..].iter().take(12).take_while(|b| matches!(b, b' ' | b'\t' | b':')).count();
    let word = text[inside..].iter().take(512).take_while(|b| b.is_ascii_graphic()).count();
    let alone = matches!(text.get(inside + word), None | Some(b'\n' | b'\r'));
    let own = text[line..start].iter().all(sign) || prefix(&text[line..]) == start - line;
    // A statement under `pass`.
    let code = matches!(text.get(inside + word - word.min(1)), Some(b')' | b':' | b',' | b';' | b'{' | b'(' | b'['));
    (own && inside >= below + 2 && alone && word >= 8 && !code).then_some(inside)
}

/// The stars, quotes and braces that stand between a colon and a value: `**Password:** …`, `"key": {"value": …`.
fn decoration(rest: &[u8]) -> usize {
    let blanks = rest.iter().take(2).take_while(|b| **b == b' ').count();
    if rest[blanks..].starts_with(b"return ") {
        // `case "password": return "…"`
        return blanks + 7;
    }
    match &rest[blanks..] {
        [b'*', b'*', ..] => blanks + 2,
        [b'{', inner @ ..] if inner.starts_with(b"\"value\":") => blanks + 9,
        _ => 0,
    }
}

/// Whether a quoted value comes.
fn literal_follows(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"<<").unwrap_or(rest);
    matches!(rest.first(), Some(b'"' | b'\''))
}

/// A call that is made with the value, up to its argument: `.fill('…')`, `.unwrap_or_else(|_| "…"`.
fn method(rest: &[u8]) -> usize {
    let name = 1 + rest[1..].iter().take(32).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    if rest.get(name) != Some(&b'(') {
        return 0;
    }
    let closure = if rest[name + 1..].starts_with(b"|_| ") { 4 } else { 0 };
    name + 1 + closure
}

/// `).toBe(`: what a test says that a value is.
fn compared(rest: &[u8]) -> usize {
    #[rustfmt::skip]
    const CALLS: &[&[u8]] = &[
        b".toBe(", b".toEqual(", b".toStrictEqual(", b".to.equal(", b".to.eq(", b".to.eql(", b".equals(", b".isEqualTo(", b".toContain(",
        b".to eq(", b".to eq ", b".thenReturn(", b".mockReturnValue(", b".and_return(", b".willReturn(", b".returns(",
    ];
    CALLS.iter().find(|call| rest.starts_with(call)).map_or(0, |call| call.len())
}

/// `/i), `: the end of a pattern that a field is sought by.
fn sought(rest: &[u8]) -> usize {
    [&b"/i), "[..], b"/), ", b"/i }), ", b"/i), { target: { value: "]
        .iter()
        .rev()
        .find(|end| rest.starts_with(end))
        .map_or(0, |end| end.len())
}

/// `() { return "`: how far the value is that a method of a secret's name returns at once.
fn returned(rest: &[u8]) -> usize {
    let line = &rest[..rest.iter().take(80).take_while(|b| **b != b'\n').count()];
    let body = memchr::memmem::find(line, b"return ").map(|at| at + 7);
    let body = body.or_else(|| memchr::memmem::find(line, b"{ \"").map(|at| at + 2));
    let close = memchr::memchr(b')', line).is_some_and(|close| body.is_some_and(|body| close < body));
    body.filter(|at| close && matches!(line.get(*at), Some(b'"' | b'\''))).unwrap_or(0)
}

/// Whether a line begins with `set` and ends with the one word that follows the name, as the shells of network gear have it.
fn sets(text: &[u8], start: usize, at: usize) -> bool {
    let from = start.saturating_sub(120);
    let line = memchr::memrchr(b'\n', &text[from..start]).map_or(from, |n| from + n + 1);
    let begin = (line + prefix(&text[line..])).min(start);
    let words = text[begin..start].trim_ascii_start();
    let word = text[at..].iter().take(128).take_while(|b| b.is_ascii_graphic()).count();
    let alone = matches!(text.get(at + word), None | Some(b'\n' | b'\r'));
    alone && word >= 6 && [&b"set "[..], b"ip ", b"config "].iter().any(|set| words.starts_with(set))
}

/// `string =`, `As String =`: the type of a value that follows in quotes.
fn typed(rest: &[u8]) -> usize {
    // A property's accessors, a field's picture.
    for sign in [&b"{ get; set; } = "[..], b"{ get; } = ", b"{ get; init; } = "] {
        if rest.starts_with(sign) {
            return sign.len();
        }
    }
    if rest.starts_with(b"PIC ") {
        let value = memchr::memmem::find(&rest[..rest.len().min(40)], b" VALUE ");
        return value.map_or(0, |at| at + 7);
    }
    let name = |b: &u8| b.is_ascii_alphanumeric() || b"_.*[]() <>".contains(b);
    let len = rest.iter().take(32).take_while(|b| name(b)).count();
    let sign = len + usize::from(rest.get(len) == Some(&b':'));
    if len == 0 || rest.get(sign) != Some(&b'=') || rest[..len].split(|b| *b == b' ').count() > 4 {
        return 0;
    }
    let at = sign + 1 + usize::from(rest.get(sign + 1) == Some(&b' '));
    let at = at + usize::from(matches!(rest.get(at), Some(b'N' | b'@')));
    if matches!(rest.get(at), Some(b'"' | b'\'' | b'`')) { at } else { 0 }
}

/// Whether the line before names a user, as a mail program's configuration does.
fn follows_user(text: &[u8], start: usize) -> bool {
    let from = start.saturating_sub(160);
    let mut lines = text[from..start].rsplit(|b| *b == b'\n');
    let before = lines.nth(1).map(|line| line[prefix(line)..].trim_ascii());
    const USERS: &[&str] = &["user ", "username ", "login ", "account ", "from ", "auth "];
    before.is_some_and(|line| USERS.iter().any(|user| line.starts_with(user.as_bytes())))
}

/// `<![CDATA[` and white space before an element's text.
fn data(rest: &[u8]) -> usize {
    const CDATA: &[u8] = b"<![CDATA[";
    // Windows' answer files: `<Password><Value>…`.
    const VALUE: &[u8] = b"<Value>";
    let blanks = rest.iter().take(40).take_while(|b| b.is_ascii_whitespace()).count();
    if rest[blanks..].starts_with(VALUE) {
        return blanks + VALUE.len();
    }
    if rest[blanks..].starts_with(CDATA) { blanks + CDATA.len() } else { blanks }
}

/// The end of the tag that opens behind a closing one: `<key>name</key><string>`.
fn next_tag(rest: &[u8]) -> Option<usize> {
    let rest = &rest[..rest.len().min(200)];
    let close = rest.iter().position(|b| *b == b'>')? + 1;
    let blanks = |from: usize| from + rest[from..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    // What a tool puts before the next line may stand between.
    let line = close + rest[close..].iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
    let open = blanks(if line > close { line + prefix(&rest[line..]) } else { close });
    if rest.get(open) != Some(&b'<') || rest.get(open + 1) == Some(&b'/') {
        return None;
    }
    Some(open + rest[open..].iter().position(|b| *b == b'>')? + 1)
}

/// Whether the words before a name set it: `set -gx NAME value`.
fn set(text: &[u8], start: usize) -> bool {
    const WORDS: &[&str] = &[
        "set -gx",
        "set -Ux",
        "set -x",
        "set -g",
        "setenv",
        "setx",
        "#define",
        "configure set",
        "ENV",
        "config set",
        "proxy_set_header",
        "fastcgi_param",
        "uwsgi_param",
        "add_header",
        "RequestHeader set",
        "Header set",
        "SetEnv",
    ];
    // What is set may be a part of a longer name: `config set //host/:_authToken`.
    let head = text[..start].iter().rev().take(80).take_while(|b| b.is_ascii_graphic()).count();
    let line = text[..start - head].iter().rev().take(80).take_while(|b| **b != b'\n').count();
    let line = &text[start - head - line..start - head];
    if line.ends_with(b" ") && memchr::memmem::find(line, b" config ").is_some() {
        return true;
    }
    let before = text[..start].trim_ascii_end();
    start > before.len() && WORDS.iter().any(|w| before.ends_with(w.as_bytes()))
}

/// Whether somebody is asked to use what follows: `use password …`.
fn asks(text: &[u8], start: usize) -> bool {
    const WORDS: &[&str] =
        &["use", "Use", "using", "with", "enter", "try", "and", "mit", "avec", "con", "con la", "/", "(", ","];
    let before = text[start.saturating_sub(10)..start].trim_ascii_end();
    let whole = |rest: &[u8], word: &str| word.len() == 1 || !rest.last().is_some_and(u8::is_ascii_alphabetic);
    WORDS.iter().any(|word| before.strip_suffix(word.as_bytes()).is_some_and(|rest| whole(rest, word)))
}

/// Whether a name begins its line and one word follows, as in a server's configuration.
fn alone(text: &[u8], start: usize, at: usize) -> bool {
    let line = memchr::memrchr(b'\n', &text[start.saturating_sub(40)..start])
        .map_or(start.saturating_sub(40), |n| start.saturating_sub(40) + n + 1);
    let begins = text[line + prefix(&text[line..]).min(start - line)..start].iter().all(|b| *b == b' ');
    let word = text[at..].iter().take(512).take_while(|b| b.is_ascii_graphic()).count();
    begins && word >= 8 && matches!(text.get(at + word), None | Some(b'\n' | b'\r'))
}

/// The next line, if this one has a command print the name's value: `$ printenv NAME`.
fn printed(text: &[u8], start: usize, at: usize) -> Option<usize> {
    const COMMANDS: &[&str] =
        &["printenv", "echo", "print", "printf %s", "cat", "get", "read", "show", "access", "pass"];
    let from = start.saturating_sub(120);
    let before = &text[from..start];
    let line = &before[memchr::memrchr(b'\n', before).map_or(0, |n| n + 1)..];
    let line = line[prefix(line)..].trim_ascii();
    // A key of etcd, Consul and their like is printed above its value.
    let path = line.first() == Some(&b'/') && !line.contains(&b' ');
    let asked = path
        || matches!(line.first(), Some(b'$' | b'#' | b'>' | b'%'))
            && COMMANDS.iter().any(|c| memchr::memmem::find(line, c.as_bytes()).is_some());
    let next = at + text[at..].iter().take(2).take_while(|b| matches!(b, b'\n' | b'\r')).count();
    let next = next + prefix(&text[next..]);
    let word = text[next..].iter().take(4096).take_while(|b| b.is_ascii_graphic()).count();
    let value = &text[next..next + word];
    if path && (value.iter().any(|b| matches!(b, b'.' | b'/')) || value::wordy(value) || value::names_something(value))
    {
        return None;
    }
    (asked && word >= 8 && matches!(text.get(next + word), None | Some(b'\n' | b'\r'))).then_some(next)
}

/// `value=` of an attribute beside the one that names it.
fn attribute(rest: &[u8]) -> usize {
    const NAMES: &[&[u8]] = &[b"value=", b"content=", b"val=", b"envDefault:", b"default:", b"default="];
    // The last of several attributes: `<input type="password" name="pw" value="…">`.
    let tag = &rest[..rest.iter().take(120).take_while(|b| !matches!(b, b'>' | b'\n')).count()];
    if let Some(at) = memchr::memmem::find(tag, b" value=\"") {
        return at + 7;
    }
    NAMES.iter().find(|n| rest.len() > n.len() && rest[..n.len()].eq_ignore_ascii_case(n)).map_or(0, |n| n.len())
}

/// `"value":` after the comma behind `"name": "DB_PASSWORD"`.
fn skip_sibling_name(rest: &[u8]) -> usize {
    let text = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\\' | b'"' | b'\'')).count();
    if !rest[text..].get(..5).is_some_and(|w| w.eq_ignore_ascii_case(b"value")) {
        return default(rest);
    }
    let after = text + 5;
    let sign = after + rest[after..].iter().take(8).take_while(|b| matches!(b, b'\\' | b'"' | b'\'' | b' ')).count();
    if rest.get(sign) == Some(&b':') { sign + 1 } else { 0 }
}

/// `default=` among the arguments of a flag's declaration: `add_argument("--token", help="…", default="…")`.
fn default(rest: &[u8]) -> usize {
    let line = &rest[..rest.iter().take(200).take_while(|b| **b != b'\n').count()];
    let word = memchr::memmem::find(line, b"default");
    let with = rest.starts_with(b" with: ").then_some(6);
    let sign = word.map(|at| {
        at + 7
            + line[at + 7..]
                .iter()
                .take(8)
                .take_while(|b| matches!(b, b'V' | b'a' | b'l' | b'u' | b'e' | b'_' | b' ' | b'"'))
                .count()
    });
    let default = sign.filter(|sign| matches!(line.get(*sign), Some(b'=' | b':'))).map(|sign| sign + 1);
    with.or(default).unwrap_or(0)
}

/// The value in one of the next lines: `name = "token"` / `value = "…"`.
fn later_value(text: &[u8], mut line: usize) -> Option<usize> {
    for _ in 0..3 {
        line += 1 + text[line..].iter().take(160).position(|b| *b == b'\n')?;
        let mut i = line + prefix(&text[line..]);
        i += text[i..].iter().take(40).take_while(|b| matches!(b, b' ' | b'\t' | b'"' | b'\'')).count();
        let word = [&b"value"[..], b"default", b"ParameterValue", b"secret_string", b"\"Value"].into_iter();
        let word =
            word.filter(|w| text[i..].get(..w.len()).is_some_and(|t| t.eq_ignore_ascii_case(w))).map(<[u8]>::len).max();
        if let Some(word) = word {
            i += word + text[i + word..].iter().take(20).take_while(|b| matches!(b, b' ' | b'"' | b'\'')).count();
            return matches!(text.get(i), Some(b':' | b'=')).then(|| skip_blanks(text, i + 1));
        }
    }
    None
}
