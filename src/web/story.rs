//! A story on a page: its parts, each sentence with links to its sources, and the sources with links to where they stand.

use askama::Template;

use crate::story::{Number, Place, Sentence, Source, Story, TurnId, text};
use crate::web::ask::{encoded, link};
use crate::web::show;

/// A story as the page has it.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/story.html")]
pub struct StoryBlock {
    pub parts: Vec<Part>,
    pub sources: Vec<SourceView>,
}

/// A part of it under its heading.
#[derive(Debug, Clone)]
pub struct Part {
    pub title: &'static str,
    /// Each sentence, and the numbers of its sources.
    pub sentences: Vec<(String, Vec<usize>)>,
}

#[derive(Debug, Clone)]
pub struct SourceView {
    pub number: usize,
    pub href: String,
    pub place: String,
    pub time: String,
    pub text: String,
}

impl StoryBlock {
    /// A story of this repository.
    pub fn of(story: &Story, repository: &str) -> Self {
        let sentence = |told: &Sentence| (show::visible(&told.text), told.cites.iter().map(Number::get).collect());
        let parts = story.sections.iter().map(|section| Part {
            title: section.kind.title(),
            sentences: section.sentences.iter().map(sentence).collect(),
        });
        let sources = story.sources.iter().map(|source| SourceView::of(source, repository)).collect();
        StoryBlock { parts: parts.collect(), sources }
    }
}

impl SourceView {
    fn of(source: &Source, repository: &str) -> Self {
        SourceView {
            number: source.number.get(),
            href: href(&source.place, repository),
            place: show::line(&text::place(source), 200),
            time: source.time.map(|time| show::time(time.unix())).unwrap_or_default(),
            text: show::visible(&text::excerpt(source)),
        }
    }
}

/// Where a source stands.
fn href(place: &Place, repository: &str) -> String {
    let session = |turn: &TurnId| format!("/r/{}/sessions/{}", encoded(repository), encoded(turn.session.as_str()));
    match place {
        Place::Commit { commit } => format!("/r/{}/commits/{commit}", encoded(repository)),
        Place::Call { turn, call, .. } => format!("{}#here", link(&session(turn), [("call", call.as_str())])),
        Place::Said { turn, .. } if turn.source == "main" => {
            // A session's own turns come first, so that they stand where they are counted.
            let at = turn.number.saturating_sub(1).to_string();
            format!("{}#t{at}", link(&session(turn), [("from", at.as_str())]))
        }
        Place::Said { turn, .. } => format!("{}#conversation", session(turn)),
    }
}
