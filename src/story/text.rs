//! A story as Markdown: a part a heading, behind each sentence links to its sources by their numbers, the sources at the end.
//!
//! A citation is a link, which no text of others can make: all of theirs is escaped.

use crate::story::sentences::short;
use crate::story::{About, Number, Place, Said, Source, Story, Teller};
use crate::visible::visible;

/// Characters of a source that are shown in the list.
const SHOWN: usize = 160;

/// What a story is about, in a line.
pub fn title(about: &About) -> String {
    match about {
        About::Line { file, line, .. } => format!("{file}:{line}"),
        About::Symbol { file, name, first, last } => format!("{file}#{name}, lines {first} to {last}"),
        About::Commit { commit, subject } => format!("Commit {}: {subject}", commit.short()),
        About::Session { session } => format!("Session {session}"),
    }
}

/// Where a source stands, in words.
pub fn place(source: &Source) -> String {
    match &source.place {
        Place::Said { what, turn } => {
            let what = match what {
                Said::Prompt => "prompt",
                Said::Reasoning => "reasoning",
                Said::Plan => "plan",
                Said::Answer => "answer",
            };
            format!("{what}, {}", turn_words(&turn.source, turn.number, turn.session.as_str()))
        }
        Place::Call { turn, call, tool } => {
            let tool = if tool.is_empty() { "call" } else { tool };
            format!("{tool} {call}, {}", turn_words(&turn.source, turn.number, turn.session.as_str()))
        }
        Place::Commit { commit } => format!("commit {commit}"),
    }
}

fn turn_words(source: &str, number: usize, session: &str) -> String {
    match source {
        "main" => format!("turn {number} of session {session}"),
        _ => format!("turn {number} of subagent {source} of session {session}"),
    }
}

/// What stands at a source, in a line.
pub fn excerpt(source: &Source) -> String {
    short(&source.text, SHOWN)
}

/// The whole story.
pub fn markdown(story: &Story) -> String {
    let mut out = format!("# {}\n", escaped(&title(&story.about)));
    for section in &story.sections {
        out.push_str(&format!("\n## {}\n\n", section.kind.title()));
        for sentence in &section.sentences {
            let link = |number: Number| format!("[\\[{0}\\]](#source-{0})", number.get());
            let cites: Vec<String> = sentence.cites.iter().map(link).collect();
            out.push_str(&format!("- {} {}\n", escaped(&sentence.text), cites.join(" ")));
        }
    }
    if !story.sources.is_empty() {
        out.push_str("\n## Sources\n\n");
    }
    for source in &story.sources {
        let time = source.time.map(|time| format!(", {time}")).unwrap_or_default();
        let (place, text) = (escaped(&place(source)), escaped(&excerpt(source)));
        out.push_str(&format!("{0}. <a id=\"source-{0}\"></a>{place}{time}: {text}\n", source.number.get()));
    }
    for missing in &story.missing {
        out.push_str(&format!("\nMissing: {}\n", escaped(missing)));
    }
    if let Teller::Model { spent, .. } = &story.teller {
        let model = escaped(&spent.model);
        out.push_str(&format!("\nThese are the words of a model, {model}, from the sources above.\n"));
    }
    out
}

/// Text of others as a line in which Markdown finds nothing: no HTML, link, image, emphasis or code, also no block where the line
/// begins with it, and nothing that hides.
pub fn escaped(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut line = Begins::Line;
    for (at, c) in text.char_indices() {
        let before = &text.as_bytes()[at.saturating_sub(3)..at];
        let marks = match c {
            '<' | '&' | '\\' | '[' | ']' | '*' | '_' | '`' | '~' | '|' | '$' => true,
            // A quotation, a heading, an item, a rule.
            '>' | '#' | '+' | '-' | '=' => line == Begins::Line,
            '.' | ')' if line == Begins::Number => true,
            // What looks like an address becomes a link.
            ':' => text[at + 1..].starts_with("//"),
            '.' => before.eq_ignore_ascii_case(b"www"),
            _ => false,
        };
        line = match (line, c) {
            (Begins::Line, ' ' | '\t' | '\n') => Begins::Line,
            (Begins::Line | Begins::Number, '0'..='9') => Begins::Number,
            _ => Begins::Nothing,
        };
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\t' => out.push(' '),
            _ if marks => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

/// What may begin where a character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Line,
    /// A numbered item, after its number.
    Number,
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{By, Cited, Cites, Kind, Section, Sentence, Sources};

    #[test]
    fn what_others_said_is_no_markdown_of_ours() {
        let mut sources = Sources::up_to(1);
        let place = Place::Commit { commit: "a".repeat(40).parse().unwrap() };
        let number =
            sources.cite(Cited { place, by: By::default(), time: None, text: "<b>x</b>\n# y".into() }).unwrap();
        let sentence = Sentence { text: "Said: “![x](http://a) <script>*”".into(), cites: Cites::one(number) };
        let story = Story {
            about: About::Line { file: "a_b.rs".into(), line: 3, text: "x".into() },
            sections: vec![Section { kind: Kind::Need, sentences: vec![sentence] }],
            sources: sources.finish(),
            missing: vec!["a [piece]".into()],
            teller: Teller::Records { fallback: None, spent: None },
        };
        let expected = format!(
            "# a\\_b.rs:3\n\n## The need\n\n- Said: “!\\[x\\](http\\://a) &lt;script>\\*” [\\[1\\]](#source-1)\n\n\
             ## Sources\n\n1. <a id=\"source-1\"></a>commit {}: &lt;b>x&lt;/b> # y\n\nMissing: a \\[piece\\]\n",
            "a".repeat(40)
        );
        assert_eq!(markdown(&story), expected);
    }

    #[test]
    fn nothing_of_others_begins_a_block_or_becomes_a_link() {
        for (text, expected) in [
            ("# Decisions", "\\# Decisions"),
            ("- item + more - less", "\\- item + more - less"),
            (" 12. item 1.2", " 12\\. item 1.2"),
            ("1) item", "1\\) item"),
            ("--- rule", "\\--- rule"),
            ("``` fence ~~~ x", "\\`\\`\\` fence \\~\\~\\~ x"),
            ("> quote", "\\> quote"),
            ("see https://evil.example, WWW.evil.example", "see https\\://evil.example, WWW\\.evil.example"),
            ("&lt; a_b_c $x$", "&amp;lt; a\\_b\\_c \\$x\\$"),
            ("ok” [7](#source-7)", "ok” \\[7\\](#source-7)"),
            ("a\u{1b}]0;x\u{7}\u{202e}b", "a\u{fffd}\\]0;x\u{fffd}\u{fffd}b"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }
}
