//! A story as Markdown: a part a heading, the sources' numbers in brackets behind each sentence, the sources at the end.

use crate::story::sentences::short;
use crate::story::{About, Place, Said, Source, Story};

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
            let cites: Vec<String> = sentence.cites.iter().map(|number| number.get().to_string()).collect();
            out.push_str(&format!("- {} [{}]\n", escaped(&sentence.text), cites.join(", ")));
        }
    }
    if !story.sources.is_empty() {
        out.push_str("\n## Sources\n\n");
    }
    for source in &story.sources {
        let time = source.time.map(|time| format!(", {time}")).unwrap_or_default();
        out.push_str(&format!("{}. {}{time}: {}\n", source.number.get(), place(source), escaped(&excerpt(source))));
    }
    for missing in &story.missing {
        out.push_str(&format!("\nMissing: {missing}\n"));
    }
    out
}

/// Text of others that Markdown must not take for its own: no raw HTML, no link, no image, no heading.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '\\' | '[' | ']' | '*' | '|' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Cites, Kind, Section, Sentence, Sources, Teller};

    #[test]
    fn what_others_said_is_no_markdown_of_ours() {
        let mut sources = Sources::up_to(1);
        let place = Place::Commit { commit: "a".repeat(40).parse().unwrap() };
        let number = sources.cite(place, None, "<b>x</b>\n# y").unwrap();
        let sentence = Sentence { text: "Said: “![x](http://a) <script>*”".into(), cites: Cites::one(number) };
        let story = Story {
            about: About::Line { file: "a_b.rs".into(), line: 3, text: "x".into() },
            sections: vec![Section { kind: Kind::Need, sentences: vec![sentence] }],
            sources: sources.finish(),
            missing: vec!["a piece".into()],
            teller: Teller::Records { fallback: None },
        };
        let expected = format!(
            "# a_b.rs:3\n\n## The need\n\n- Said: “!\\[x\\](http://a) &lt;script>\\*” [1]\n\n## Sources\n\n\
             1. commit {}: &lt;b>x&lt;/b> # y\n\nMissing: a piece\n",
            "a".repeat(40)
        );
        assert_eq!(markdown(&story), expected);
    }
}
