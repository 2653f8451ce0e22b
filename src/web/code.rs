//! A file's lines on a page, each with whose it is in the margin: by letters and a pattern, never by colour alone. A page has as
//! many of them as it has room for; the windows follow each other without a gap.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use askama::Template;

use crate::ledger::traces::Evidence;
use crate::mirror::{LineOf, Who, Whose};
use crate::web::ask::{encoded, link};
use crate::web::page::Link;
use crate::web::show;

/// Of one line so much is shown, in bytes.
const LONGEST: usize = 2000;
/// What a line takes of a page besides its text and its links, in bytes.
const ROW: usize = 150;
/// What a link to its story takes besides where that is.
const STORY: usize = 50;

/// Lines under the columns of the margin.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/code.html")]
pub struct CodeBlock {
    /// What it is of, for those who hear the page.
    pub label: String,
    /// Whether whose the lines are is known.
    pub told: bool,
    /// Whether any scope of the file is known.
    pub scoped: bool,
    pub rows: Vec<CodeRow>,
}

/// A line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CodeRow {
    pub number: usize,
    pub mark: Mark,
    /// Who wrote it, where that is another than of the line above.
    pub who: Option<String>,
    /// The turn that wrote it.
    pub turn: Option<String>,
    /// Its story, where whose it is is known.
    pub story: Option<String>,
    /// The commit it comes from, where that is another than of the line above: its id, its page, the day.
    pub commit: Option<(String, String, String)>,
    /// The function, method, class or module that begins with it, or in whose midst the window does.
    pub scope: Option<String>,
    pub text: String,
    /// How many characters are not shown.
    pub more: usize,
}

/// How a line is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    pub letters: &'static str,
    /// The pattern's class.
    pub look: &'static str,
    /// What it means.
    pub means: &'static str,
}

/// Every mark there is, as the legend has them.
pub const MARKS: [Mark; 7] = [
    Mark { letters: "A", look: "wa", means: "agent, by a record of this very commit (exact)" },
    Mark {
        letters: "Al",
        look: "wl",
        means: "agent, by the record of the commit that this one was rewritten from (linked)",
    },
    Mark { letters: "Ac", look: "wc", means: "agent, by the record of another commit with the same lines (content)" },
    Mark { letters: "Ap", look: "wp", means: "agent, as somebody says whom nobody has enrolled (pending)" },
    Mark { letters: "H", look: "wh", means: "human: a person has said so" },
    Mark { letters: "–", look: "wn", means: "unattributed: nobody is known to have written it" },
    Mark { letters: "?", look: "wu", means: "no record speaks of it" },
];

impl Mark {
    pub fn of(whose: Whose) -> Mark {
        MARKS[match whose {
            Whose::Agent(_, _, true) => 3,
            Whose::Agent(_, Evidence::Linked, _) => 1,
            Whose::Agent(_, Evidence::Content, _) => 2,
            Whose::Agent(..) => 0,
            Whose::Human => 4,
            Whose::Unattributed => 5,
            Whose::Unknown => 6,
        }]
    }
}

/// What is shown of a file, before it is known which of its lines.
pub struct Lines<'f> {
    repository: &'f str,
    /// Where the story of a line is, up to its number.
    story: String,
    text: Vec<&'f [u8]>,
    whose: Vec<LineOf<'f>>,
    scopes: Vec<Option<&'f str>>,
    /// Where the turns are that made the calls, by the calls' numbers.
    turns: HashMap<u32, String>,
}

impl<'f> Lines<'f> {
    /// A file's lines, and where their stories are, up to the line's number; whose each is and what its innermost scope is called, empty where that is not known.
    pub fn new(
        repository: &'f str,
        story: String,
        text: Vec<&'f [u8]>,
        whose: Vec<LineOf<'f>>,
        scopes: Vec<Option<&'f str>>,
    ) -> Self {
        let mut turns = HashMap::new();
        for line in &whose {
            if let (Whose::Agent(call, ..), Some(who)) = (line.whose, line.who)
                && let Entry::Vacant(new) = turns.entry(call)
                && let Some(turn) = turn(repository, who)
            {
                new.insert(turn);
            }
        }
        Lines { repository, story, text, whose, scopes, turns }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    pub fn whose(&self) -> &[LineOf<'f>] {
        &self.whose
    }

    /// A window of them, as a page shows it.
    pub fn block(&self, label: String, window: Range<usize>) -> CodeBlock {
        let (told, scoped) = (!self.whose.is_empty(), !self.scopes.is_empty());
        CodeBlock { label, told, scoped, rows: self.rows(window) }
    }

    /// How many bytes of a page a line takes at most.
    fn size(&self, at: usize) -> usize {
        let text = self.text.get(at).map_or(0, |text| escaped(&shown(text).0));
        let turn = self.turn(at).map_or(0, String::len);
        let story = if self.whose.is_empty() { 0 } else { STORY + self.story.len() };
        // What is told where it changes.
        let changes = |is: bool, size: usize| if is { size } else { 0 };
        let commit = |at: usize| self.whose.get(at).map(|line| line.commit);
        let who = |at: usize| self.whose.get(at).map(|line| line.who);
        let before = at.wrapping_sub(1);
        let scope = self.scope(at, at == 0).map_or(0, |scope| escaped(&scope) + 40);
        let commit = changes(commit(at) != commit(before), 110 + self.repository.len());
        let who = changes(who(at) != who(before), 160);
        ROW + text + turn + story + commit + who + scope
    }

    /// How many lines from `from` on, counted from 0, have room in so many bytes; at least one, if there is one.
    pub fn fit(&self, from: usize, room: usize) -> usize {
        let sizes = (from..self.text.len()).map(|at| self.size(at));
        room_for(sizes, room).min(self.text.len().saturating_sub(from))
    }

    /// The same of the lines before `end`.
    pub fn fit_before(&self, end: usize, room: usize) -> usize {
        room_for((0..end.min(self.text.len())).rev().map(|at| self.size(at)), room).min(end)
    }

    fn rows(&self, window: Range<usize>) -> Vec<CodeRow> {
        window.clone().map(|at| self.row(at, at == window.start)).collect()
    }

    fn row(&self, at: usize, is_first: bool) -> CodeRow {
        let (text, more) = shown(self.text.get(at).copied().unwrap_or_default());
        let line = self.whose.get(at);
        let before = if is_first { None } else { self.whose.get(at.wrapping_sub(1)) };
        let commit = line.filter(|line| before.is_none_or(|before| before.commit != line.commit)).map(|line| {
            let short = show::short(line.commit.as_str()).to_owned();
            let path = format!("/r/{}/commits/{short}", encoded(self.repository));
            (short, path, show::time(line.authored)[..10].to_owned())
        });
        let who = line.and_then(|line| line.who);
        CodeRow {
            number: at + 1,
            mark: line.map(|line| Mark::of(line.whose)).unwrap_or_default(),
            who: who.filter(|_| before.is_none_or(|before| before.who != who)).map(told),
            turn: self.turn(at).cloned(),
            story: line.map(|_| format!("{}{}", self.story, at + 1)),
            commit,
            scope: self.scope(at, is_first),
            text,
            more,
        }
    }

    fn scope(&self, at: usize, is_first: bool) -> Option<String> {
        let scope = self.scopes.get(at).copied().flatten()?;
        let before = if is_first { None } else { self.scopes.get(at.wrapping_sub(1)).copied().flatten() };
        (before != Some(scope)).then(|| show::line(scope, 80))
    }

    /// Where the turn is that wrote a line.
    fn turn(&self, at: usize) -> Option<&String> {
        match self.whose.get(at)?.whose {
            Whose::Agent(call, ..) => self.turns.get(&call),
            _ => None,
        }
    }
}

/// Where the turn is that made a call; nowhere where the index does not know the session.
fn turn(repository: &str, who: &Who) -> Option<String> {
    who.agent.as_ref()?;
    let path = format!("/r/{}/sessions/{}", encoded(repository), encoded(who.session.as_str()));
    Some(format!("{}#here", link(&path, [("call", who.call.as_str())])))
}

/// An agent and its model.
fn told(who: &Who) -> String {
    let model = who.model.as_deref().map(|model| model.rsplit('/').next().unwrap_or(model));
    let both = [who.agent.as_deref(), model].into_iter().flatten().collect::<Vec<_>>().join(", ");
    show::line(&both, 80)
}

/// So many of these have room in so many bytes, one at least.
fn room_for(sizes: impl Iterator<Item = usize>, room: usize) -> usize {
    let mut used = 0usize;
    let fits = sizes.take_while(|size| {
        used = used.saturating_add(*size);
        used <= room
    });
    fits.count().max(1)
}

/// How long a text is in HTML.
fn escaped(text: &str) -> usize {
    text.bytes().map(|byte| if matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'') { 5 } else { 1 }).sum()
}

/// A line as it is shown, and how many of its characters are not.
fn shown(line: &[u8]) -> (String, usize) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let text = String::from_utf8_lossy(&line[..line.len().min(LONGEST)]);
    let rest = line.get(LONGEST..).map_or(0, |rest| String::from_utf8_lossy(rest).chars().count());
    (show::visible(&text), rest)
}

/// The windows before and after the one at hand, where there are any. `total` is the number of lines.
pub fn windows(path: &str, rev: &str, (earlier, window): (usize, Range<usize>), total: usize) -> Vec<Link> {
    let to = |text: String, from: usize| {
        let from = (from + 1).to_string();
        let fields = [("rev", rev), ("from", from.as_str())].into_iter().filter(|(_, value)| !value.is_empty());
        Link { href: link(path, fields), text, here: false }
    };
    let mut links = Vec::new();
    if window.start > 0 {
        let first = window.start - earlier;
        links.push(to(
            format!("Lines {} to {}", show::count(first as i64 + 1), show::count(window.start as i64)),
            first,
        ));
    }
    if window.end < total {
        let text = format!("Lines from {} of {}", show::count(window.end as i64 + 1), show::count(total as i64));
        links.push(to(text, window.end));
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines<'f>(text: &'f [u8]) -> Lines<'f> {
        let text = crate::attribution::lines::split(text).collect();
        Lines::new("shop", "?line=".into(), text, Vec::new(), Vec::new())
    }

    #[test]
    fn windows_have_every_line_once_and_room_for_what_they_have() {
        let text: Vec<u8> = (0..900).flat_map(|n| format!("{}\n", "<".repeat(n * 7 % 3000)).into_bytes()).collect();
        let lines = lines(&text);
        let (mut from, mut seen, mut starts) = (0, Vec::new(), Vec::new());
        while from < lines.text.len() {
            let end = from + lines.fit(from, 30_000);
            let block = lines.block("l".into(), from..end);
            assert!(block.render().unwrap().len() < 32_000);
            seen.extend(block.rows.iter().map(|row| row.number));
            starts.push(from);
            from = end;
        }
        assert_eq!(seen, (1..=900).collect::<Vec<_>>());
        assert!(starts.len() > 100);
        // Back from any line: never over the beginning, and as far as there is room.
        assert_eq!((lines.fit_before(1, 30_000), lines.fit_before(0, 30_000)), (1, 0));
        let back = lines.fit_before(600, 30_000);
        assert!(lines.fit(600 - back, 30_000) >= back);
    }

    #[test]
    fn what_is_long_or_hides_is_told() {
        let text = format!("a\u{202e}b\r\n{}\n\u{1b}[31m\n", "ä".repeat(LONGEST));
        let lines = lines(text.as_bytes());
        let rows = lines.rows(0..3);
        assert_eq!(rows[0].text, "a‹U+202E›b");
        assert_eq!((rows[1].text.chars().count(), rows[1].more), (LONGEST / 2, LONGEST / 2));
        assert_eq!(rows[2].text, "␛[31m");
    }

    #[test]
    fn marks_are_told_apart_without_colours() {
        let mut letters: Vec<&str> = MARKS.iter().map(|mark| mark.letters).collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), MARKS.len());
        assert_eq!(Mark::of(Whose::Agent(0, Evidence::Linked, false)).letters, "Al");
        assert_eq!(Mark::of(Whose::Agent(0, Evidence::Exact, true)).letters, "Ap");
    }
}
