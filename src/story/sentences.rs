//! Sentences out of what was said, and what each tells of: a choice, what was not chosen, what failed, what stays open.
//!
//! The rules are lists of phrases, so that anybody can tell why a sentence was taken. They are of English; of what was said in
//! other languages a story has the prompts, the calls and the commits.

use serde::Serialize;

/// The longest sentence that is kept whole, in characters.
const LONGEST: usize = 320;
/// A name is no longer than so many characters.
const NAME: usize = 80;
/// So many sentences of one text are looked at.
const MOST: usize = 400;

/// What a sentence tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Something is left for later.
    Open,
    /// Something did not work.
    Failure,
    /// Something was chosen.
    Decision,
    /// Something was thought of and not done, or might have been.
    Alternative,
    /// A reason is given.
    Reason,
}

const MARKS: &[(Mark, &[&str])] = &[
    (
        Mark::Open,
        &[
            "todo",
            "fixme",
            "for now",
            "follow up",
            "follow-up",
            "later on",
            "do that later",
            "not yet",
            "left out",
            "still need",
            "out of scope",
            "not handled",
            "known limitation",
            "revisit",
            "remains open",
            "remains to",
            "open question",
            "in the future",
            "temporary",
            "temporarily",
        ],
    ),
    (
        Mark::Failure,
        &[
            "does not work",
            "doesn't work",
            "did not work",
            "didn't work",
            "not working",
            "still fails",
            "still failing",
            "fails because",
            "failed because",
            "it fails",
            "test fails",
            "tests fail",
            "test failed",
            "tests failed",
            "that failed",
            "broke ",
            "that was wrong",
            "was a mistake",
            "turned out",
            "back out",
            "backing out",
            "reverting",
            "reverted",
            "deadlock",
            "times out",
            "timed out",
            "that panics",
            "regression",
        ],
    ),
    (
        Mark::Decision,
        &[
            "decided",
            "i suggest",
            "i recommend",
            "i propose",
            "decision",
            "i'll use",
            "i will use",
            "we'll use",
            "we will use",
            "let's use",
            "let us use",
            "i'll go with",
            "let's go with",
            "go with",
            "going with",
            "went with",
            "chose",
            "choose",
            "chosen",
            "opt for",
            "opted for",
            "settle on",
            "settled on",
            "settle for",
            "i prefer",
            "we prefer",
            "i'll keep",
            "i will keep",
            "i'll take",
            "picked",
            "i'll pick",
            "the trade-off",
            "the tradeoff",
            "trade-off is",
            "stick with",
            "sticking with",
            "the right approach",
            "best approach",
            "the simplest",
            "is the better",
            "is better here",
            "preferable",
        ],
    ),
    (
        Mark::Alternative,
        &[
            "instead of",
            "rather than",
            "alternative",
            "another option",
            "one option",
            "other option",
            "option a",
            "option b",
            "option 1",
            "option 2",
            "we could",
            "i could",
            "could also",
            "considered",
            "ruled out",
            "rule out",
            "rejected",
            "versus",
            " vs ",
            " vs. ",
            "the downside",
            "drawback",
            "but that would",
            "but it would",
            "overkill",
            "too slow",
            "too heavy",
            "too complex",
            "not worth",
        ],
    ),
    (
        Mark::Reason,
        &[
            "because",
            "so that",
            "the reason",
            "otherwise",
            "to avoid",
            "to prevent",
            "in order to",
            "must not",
            "must never",
            "this way",
            "guarantees",
            "requires",
            "to keep",
            "which means",
        ],
    ),
];

/// What a sentence tells of, the most telling first.
pub fn marks(sentence: &str) -> Vec<Mark> {
    let text = format!(" {} ", sentence.to_lowercase().replace('\u{2019}', "'"));
    let has = |phrase: &str| text.match_indices(phrase).any(|(at, _)| begins_a_word(&text, at, phrase));
    MARKS.iter().filter(|(_, phrases)| phrases.iter().any(|phrase| has(phrase))).map(|(mark, _)| *mark).collect()
}

/// Whether what is found at a place is no end of a longer word.
fn begins_a_word(text: &str, at: usize, phrase: &str) -> bool {
    phrase.starts_with(' ') || text[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric())
}

/// The sentences of a text, one line each: lists by their items, headings and blocks of code left out.
pub fn sentences(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for paragraph in paragraphs(text) {
        for sentence in split(&paragraph) {
            if out.len() == MOST {
                return out;
            }
            out.push(short(sentence, LONGEST));
        }
    }
    out
}

/// Lines that belong together, joined.
fn paragraphs(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let (mut fenced, mut goes_on) = (false, false);
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            (fenced, goes_on) = (!fenced, false);
            continue;
        }
        let item = bare(line);
        if fenced || line.is_empty() || line.starts_with('#') || item.is_empty() {
            goes_on = false;
            continue;
        }
        match all.last_mut().filter(|_| goes_on && item.len() == line.len()) {
            Some(open) => {
                open.push(' ');
                open.push_str(item);
            }
            None => all.push(item.to_owned()),
        }
        goes_on = true;
    }
    all
}

/// A line without the mark that makes it an item of a list or a quotation.
fn bare(line: &str) -> &str {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = match line.as_bytes() {
        [b'-' | b'*' | b'+' | b'>', b' ', ..] => &line[2..],
        bytes if (1..=3).contains(&digits) && matches!(bytes.get(digits..digits + 2), Some(b". " | b") ")) => {
            &line[digits + 2..]
        }
        _ => line,
    };
    rest.trim_start_matches("[ ] ").trim_start_matches("[x] ").trim()
}

/// A paragraph at the ends of its sentences.
fn split(paragraph: &str) -> Vec<&str> {
    let (mut out, mut from) = (Vec::new(), 0);
    for (at, c) in paragraph.char_indices() {
        let end = at + c.len_utf8();
        if matches!(c, '.' | '!' | '?') && ends_here(&paragraph[from..end], &paragraph[end..]) {
            out.push(paragraph[from..end].trim());
            from = end;
        }
    }
    out.push(paragraph[from..].trim());
    out.retain(|sentence| sentence.chars().filter(|c| c.is_alphanumeric()).count() > 1);
    out
}

/// Whether a sentence ends between two texts, the first of which ends with its sign.
fn ends_here(before: &str, after: &str) -> bool {
    let short = ["e.g.", "i.e.", "etc.", "vs.", "cf.", "approx.", "no."];
    let lower = before.to_lowercase();
    let mut rest = after.chars();
    let space = rest.next().is_none_or(char::is_whitespace);
    let begins = rest.next().is_none_or(|c| !c.is_lowercase());
    space && begins && !short.iter().any(|word| lower.ends_with(word))
}

/// A text as one line of at most so many characters, cut between words.
pub fn short(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = line.char_indices().nth(most) else { return line };
    let cut = &line[..end];
    let cut = cut.rsplit_once(' ').map_or(cut, |(head, _)| if head.len() * 2 > cut.len() { head } else { cut });
    format!("{}…", cut.trim_end_matches([',', ';', ':', ' ']))
}

/// A name that others chose, for the middle of a line: short, and without the brackets that only citations have.
pub fn name(text: &str) -> String {
    let bare = |c| match c {
        '[' => '(',
        ']' => ')',
        other => other,
    };
    short(text, NAME).chars().map(bare).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_taken_apart() {
        let text = "# Plan\nWe retry, e.g. twice. Then v1.2 of the\nclient gives up!\n\n- Use a queue\n- [ ] 2. Add tests\n1. Say so\n```rust\nlet x = 1. ;\n```\nDone?";
        assert_eq!(
            sentences(text),
            [
                "We retry, e.g. twice.",
                "Then v1.2 of the client gives up!",
                "Use a queue",
                "Add tests",
                "Say so",
                "Done?"
            ]
        );
        assert_eq!(sentences("...\n\n—"), Vec::<String>::new());
    }

    #[test]
    fn sentences_are_marked_by_what_they_tell() {
        for (text, expected) in [
            (
                "I\u{2019}ll use SQLite rather than files because it locks.",
                vec![Mark::Decision, Mark::Alternative, Mark::Reason],
            ),
            ("We could poll, but that would be too slow.", vec![Mark::Alternative]),
            ("The test fails because the clock is not injected.", vec![Mark::Failure, Mark::Reason]),
            ("TODO: page the results.", vec![Mark::Open]),
            ("It prints the total.", vec![]),
            ("The undecided voters.", vec![]),
        ] {
            assert_eq!(marks(text), expected, "{text}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_words() {
        assert_eq!(short("one  two\nthree", 20), "one two three");
        assert_eq!(short("one two three", 9), "one two…");
        assert_eq!(short("abcdefghij", 4), "abcd…");
    }

    #[test]
    fn names_are_one_short_line_without_citations() {
        assert_eq!(name("x\n\n## Decisions [1]"), "x ## Decisions (1)");
        assert!(name(&"long ".repeat(99)).chars().count() <= NAME + 1);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart_without_harm(text: String) {
            for sentence in sentences(&text) {
                prop_assert!(!sentence.contains('\n'));
                marks(&sentence);
            }
        }
    }
}
