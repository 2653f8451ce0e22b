//! A decision as a Markdown file in the MADR format (adr.github.io/madr, version 4), and what is read of such files again.
//!
//! The last line is a comment for this program: what the file is about, and the digest of the text above it. Where the text is
//! no longer the one that was written, a person has edited it, and it is theirs.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::story::decisions::{Decision, Quoted};
use crate::story::text::escaped;
use crate::story::{Place, Said};
use crate::visible::visible;

/// What begins the last line.
const MARK: &str = "<!-- git-tracevault adr ";
const END: &str = " -->";
/// So much of a title is in a file's name, in bytes.
const SLUG: usize = 60;

/// A decision as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is known by.
    pub id: String,
    /// The words of its file's name, behind the number.
    pub slug: String,
    text: String,
    sources: Vec<String>,
}

/// What the comment of a file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Comment {
    id: String,
    sources: Vec<String>,
    sha256: String,
}

/// A file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub id: String,
    /// Whether a person has changed its text.
    pub edited: bool,
}

/// The id of a decision: session, source, and what the turn is known by there.
pub fn id(decision: &Decision) -> String {
    format!("{}/{}/{}", decision.turn.session, decision.turn.source, decision.key)
}

impl Document {
    /// `member` is whose session it was.
    pub fn of(decision: &Decision, member: Option<&str>) -> Document {
        let mut sources: Vec<(&Place, String)> = Vec::new();
        let mut out = front_matter(decision, member);
        out.push_str(&format!("\n# {}\n", escaped(&decision.title)));
        out.push_str("\n## Context and Problem Statement\n\n");
        match &decision.need {
            Some(need) => out.push_str(&format!("> {} {}\n", escaped(&need.text), cite(need, &mut sources))),
            None => out.push_str("Nobody asked: it was decided on the way.\n"),
        }
        out.push_str("\n## Considered Options\n\n");
        let options = decision.chosen.iter().take(1).chain(&decision.alternatives);
        items(&mut out, options, &mut sources);
        out.push_str("\n## Decision Outcome\n\n");
        out.push_str(&format!("Chosen option: “{}”.\n\n", escaped(&decision.title)));
        items(&mut out, decision.chosen.iter().chain(&decision.reasons), &mut sources);
        if !decision.open.is_empty() {
            out.push_str("\n### Consequences\n\n");
            items(&mut out, decision.open.iter(), &mut sources);
        }
        out.push_str(
            "\n## More Information\n\nThis record was found by `git tracevault adr` in what was said; its sources:\n\n",
        );
        for (at, (place, words)) in sources.iter().enumerate() {
            out.push_str(&format!("[^{}]: {} (`git tracevault show {}`)\n", at + 1, escaped(words), session(place)));
        }
        let sources = sources.into_iter().map(|(_, words)| words).collect();
        Document { id: id(decision), slug: slug(&decision.title), text: out, sources }
    }

    /// The whole file.
    pub fn file(&self) -> String {
        let (id, sources) = (self.id.clone(), self.sources.clone());
        let comment = Comment { id, sources, sha256: Digest::of(self.text.as_bytes()).to_string() };
        // No `-->` can be in it: what ends a comment is escaped.
        let json = serde_json::to_string(&comment).unwrap_or_default().replace('>', "\\u003e");
        format!("{}\n{MARK}{json}{END}\n", self.text)
    }
}

/// What a file of the folder is, if this program wrote it.
pub fn read(file: &str) -> Option<Known> {
    let file = file.replace("\r\n", "\n");
    let at = file.rfind(MARK)?;
    let json = file[at + MARK.len()..].split(END).next()?;
    let comment: Comment = serde_json::from_str(json).ok()?;
    let text = file[..at].strip_suffix('\n').unwrap_or(&file[..at]);
    let behind = file[at..].split_once(END).map_or("", |(_, rest)| rest).trim();
    let same = Digest::of(text.as_bytes()).to_string() == comment.sha256 && behind.is_empty();
    Some(Known { id: comment.id, edited: !same })
}

fn front_matter(decision: &Decision, member: Option<&str>) -> String {
    let date = decision.time.map(|time| format!("date: {}\n", time.day())).unwrap_or_default();
    // A string of JSON is one of YAML.
    let member = member.and_then(|member| serde_json::to_string(&visible(member)).ok());
    let makers = member.map(|member| format!("decision-makers: [{member}]\n")).unwrap_or_default();
    format!("---\nstatus: accepted\n{date}{makers}---\n")
}

fn items<'q>(out: &mut String, all: impl Iterator<Item = &'q Quoted>, sources: &mut Vec<(&'q Place, String)>) {
    for quoted in all {
        let cite = cite(quoted, sources);
        out.push_str(&format!("* {} {cite}\n", escaped(&quoted.text)));
    }
}

/// The footnote of a sentence's source, which no text of others can make.
fn cite<'q>(quoted: &'q Quoted, sources: &mut Vec<(&'q Place, String)>) -> String {
    let at = sources.iter().position(|(place, _)| **place == quoted.place).unwrap_or_else(|| {
        sources.push((&quoted.place, visible(&words(&quoted.place))));
        sources.len() - 1
    });
    format!("[^{}]", at + 1)
}

fn words(place: &Place) -> String {
    match place {
        Place::Said { what, turn } => {
            let what = match what {
                Said::Prompt => "prompt",
                Said::Reasoning => "reasoning",
                Said::Plan => "plan",
                Said::Answer => "answer",
            };
            let who = if turn.source == "main" { String::new() } else { format!(" of subagent {}", turn.source) };
            format!("{what}, turn {}{who} of session {}", turn.number, turn.session)
        }
        Place::Call { turn, call, .. } => format!("call {call}, turn {} of session {}", turn.number, turn.session),
        Place::Commit { commit } => format!("commit {commit}"),
    }
}

fn session(place: &Place) -> String {
    match place {
        Place::Said { turn, .. } | Place::Call { turn, .. } => turn.session.to_string(),
        Place::Commit { commit } => commit.to_string(),
    }
}

/// A title as a part of a file's name.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
        if slug.len() >= SLUG {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "decision".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::story::TurnId;
    use crate::time::Time;

    fn decision(need: &str) -> Decision {
        let turn = TurnId { session: SessionId::from_agent("s-1"), source: "main".into(), number: 3 };
        let quoted = |what, text: &str| Quoted { text: text.into(), place: Place::Said { what, turn: turn.clone() } };
        Decision {
            need: Some(quoted(Said::Prompt, need)),
            chosen: vec![quoted(Said::Answer, "Go with [TOML].")],
            alternatives: vec![quoted(Said::Reasoning, "We could use YAML.")],
            reasons: vec![quoted(Said::Answer, "Because of comments.")],
            open: Vec::new(),
            time: Some(Time::from_unix(0)),
            title: "Go with <TOML>".into(),
            turn,
            key: "u-7".into(),
            gap: false,
        }
    }

    fn document(need: &str) -> Document {
        Document::of(&decision(need), Some("ada@example.com"))
    }

    #[test]
    fn a_decision_is_written_and_known_again() {
        let document = document("Which format --> --- <script>?");
        let file = document.file();
        assert!(file.starts_with("---\nstatus: accepted\ndate: 1970-01-01\ndecision-makers: [\"ada@example.com\"]\n---\n\n# Go with &lt;TOML>\n"), "{file}");
        assert!(file.contains("> Which format --> --- &lt;script>? [^1]\n"), "{file}");
        assert!(file.contains("* Go with \\[TOML\\]. [^2]\n* We could use YAML. [^3]\n"), "{file}");
        assert!(file.contains("[^1]: prompt, turn 3 of session s-1 (`git tracevault show s-1`)\n"), "{file}");
        assert_eq!(document.slug, "go-with-toml");
        assert_eq!(read(&file), Some(Known { id: "s-1/main/u-7".into(), edited: false }));
        // Git may check it out with other line ends.
        assert_eq!(read(&file.replace('\n', "\r\n")), Some(Known { id: "s-1/main/u-7".into(), edited: false }));
    }

    #[test]
    fn what_a_person_changed_is_theirs() {
        let file = document("Why?").file();
        for edited in [
            file.replace("status: accepted", "status: rejected"),
            format!("{file}\nWe know better now.\n"),
            file.replacen("Why?", "Why not?", 1),
        ] {
            assert_eq!(read(&edited), Some(Known { id: "s-1/main/u-7".into(), edited: true }), "{edited}");
        }
        assert_eq!(read("# A record of our own\n"), None);
        assert_eq!(read("<!-- git-tracevault adr {} -->"), None);
    }

    #[test]
    fn titles_make_names_of_files() {
        assert_eq!(slug("Use `Größe` / ../../etc!"), "use-gr-e-etc");
        assert_eq!(slug("日本"), "decision");
        assert!(slug(&"long words ".repeat(20)).len() <= SLUG);
    }
}
