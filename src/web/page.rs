//! A page: blocks under a title. What a page is is said here once; how it is given, `server` decides.

use std::sync::Arc;

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::git::command::GitError;
use crate::host::output;
use crate::index::IndexError;
use crate::mirror::MirrorError;
use crate::web::access::{self, Right};
use crate::web::chart::Chart;
use crate::web::code::CodeBlock;
use crate::web::show;
use crate::web::table::{Cell, Table};

/// Where in the view a page belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Overview,
    Sessions,
    Commits,
    Search,
    Analytics,
    Integrity,
    Policies,
    Compliance,
    Members,
    AuditLog,
    Other,
}

/// The sections as the page's head lists them, each for those who have its right.
pub const SECTIONS: [(Section, &str, &str, Right); 9] = [
    (Section::Overview, "/", "Overview", Right::Traces),
    (Section::Sessions, "/sessions", "Sessions", Right::Traces),
    (Section::Commits, "/commits", "Commits", Right::Traces),
    (Section::Analytics, "/analytics", "Analytics", Right::Traces),
    (Section::Integrity, "/integrity", "Integrity", Right::Integrity),
    (Section::Policies, "/policies", "Policies", Right::Policies),
    (Section::Compliance, "/compliance", "Compliance", Right::Compliance),
    (Section::Members, "/members", "Members", Right::Members),
    (Section::AuditLog, "/audit", "Audit log", Right::AuditLog),
];

/// A part of a page.
#[derive(Debug, Clone)]
pub enum Block {
    Heading(Heading),
    Facts(Facts),
    Table(Table),
    Chart(Chart),
    Note(Note),
    Fields(Fields),
    Links(Links),
    Text(Text),
    Turn(Box<crate::web::turns::TurnBlock>),
    Code(CodeBlock),
    Story(Box<crate::web::story::StoryBlock>),
    SignIn(SignIn),
}

impl Block {
    /// The block as HTML.
    pub fn html(&self) -> askama::Result<String> {
        match self {
            Block::Heading(block) => block.render(),
            Block::Facts(block) => block.render(),
            Block::Table(block) => block.render(),
            Block::Chart(block) => block.render(),
            Block::Note(block) => block.render(),
            Block::Fields(block) => block.render(),
            Block::Links(block) => block.render(),
            Block::Text(block) => block.render(),
            Block::Turn(block) => block.render(),
            Block::Code(block) => block.render(),
            Block::Story(block) => block.render(),
            Block::SignIn(block) => block.render(),
        }
    }
}

/// A heading within a page, to which links may lead.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/heading.html")]
pub struct Heading {
    pub id: &'static str,
    pub text: String,
}

/// A few facts, each with its name.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/facts.html")]
pub struct Facts(pub Vec<(&'static str, Cell)>);

/// Something to be told at once.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/note.html")]
pub struct Note {
    /// `pass`, `warn` or `fail`.
    pub look: &'static str,
    pub text: String,
}

/// A form that narrows what a page shows; its fields are the page's query.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/fields.html")]
pub struct Fields {
    pub action: String,
    pub fields: Vec<Field>,
    pub button: &'static str,
}

/// A field of a form.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub value: String,
    /// `date`, `search`, `text`; `select` where there are choices.
    pub kind: &'static str,
    /// Values and what they are called.
    pub choices: Vec<(String, String)>,
}

/// Ways to go on: one of them is where the reader is.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/links.html")]
pub struct Links {
    pub label: &'static str,
    pub links: Vec<Link>,
}

#[derive(Debug, Clone)]
pub struct Link {
    pub href: String,
    pub text: String,
    pub here: bool,
}

/// Text as it is, in a fixed width.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/text.html")]
pub struct Text {
    pub label: String,
    pub text: String,
}

/// How to sign in with a key: a code, and the command that signs it.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/sign_in.html")]
pub struct SignIn {
    pub origin: String,
    pub code: String,
    /// How long the code is good for.
    pub minutes: i64,
    /// Where to go on once it is signed.
    pub here: String,
}

/// What is shown to somebody who asks for a path.
#[derive(Debug, Clone)]
pub struct Page {
    pub title: String,
    pub section: Section,
    pub blocks: Vec<Block>,
    pub status: StatusCode,
    /// It only asks what is wanted: of what is noted when it is read it tells nothing.
    pub only_asks: bool,
}

impl Page {
    pub fn new(title: impl Into<String>, section: Section) -> Self {
        let (blocks, status) = (Vec::new(), StatusCode::OK);
        Page { title: show::visible(&title.into()), section, blocks, status, only_asks: false }
    }

    pub fn heading(mut self, id: &'static str, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Heading(Heading { id, text: text.into() }));
        self
    }

    pub fn facts(mut self, facts: impl IntoIterator<Item = (&'static str, Cell)>) -> Self {
        self.blocks.push(Block::Facts(Facts(facts.into_iter().collect())));
        self
    }

    pub fn note(mut self, look: &'static str, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Note(Note { look, text: text.into() }));
        self
    }

    pub fn block(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    pub fn table(self, table: Table) -> Self {
        self.block(Block::Table(table))
    }

    /// The tables that are whole, each with the name of the heading that it is under.
    pub fn tables_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Table)> {
        let mut under = "";
        self.blocks.iter_mut().filter_map(move |block| match block {
            Block::Heading(heading) => {
                under = heading.id;
                None
            }
            Block::Table(table) if !table.is_excerpt => Some((under, table)),
            _ => None,
        })
    }

    /// The table that CSV and JSON give: the one with this name, the first without one.
    pub fn into_table(mut self, name: Option<&str>) -> Option<Table> {
        let found = self.tables_mut().find(|(of, _)| name.is_none_or(|name| *of == name));
        found.map(|(_, table)| table.clone())
    }
}

/// Given to `server`, which knows in which form it is wanted, and by whom.
impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// In so many seconds somebody may ask again whose turn it was not.
const AGAIN: &str = "10";

/// Why there is no page.
#[derive(Debug)]
pub enum NoPage {
    /// Nothing has this name.
    NotFound(String),
    /// The same, since it is not theirs to read.
    Hidden(String),
    /// What was asked cannot be meant.
    Wrong(String),
    Failed(String),
    /// Their role has no right to it.
    Forbidden,
    /// The request is for another server.
    Misdirected(String),
    TooMany,
    /// Others have asked for so much that it is not the turn of this.
    Busy,
    /// It could not be noted that it is read.
    Unlogged(String),
}

impl From<IndexError> for NoPage {
    fn from(error: IndexError) -> Self {
        NoPage::Failed(error.to_string())
    }
}

impl From<MirrorError> for NoPage {
    fn from(error: MirrorError) -> Self {
        match error {
            MirrorError::Git(GitError::Timeout { .. }) => NoPage::Busy,
            other => NoPage::Failed(other.to_string()),
        }
    }
}

impl IntoResponse for NoPage {
    fn into_response(self) -> Response {
        let again = matches!(self, NoPage::Busy).then(|| [(header::RETRY_AFTER, AGAIN)]);
        let (status, title, why) = match self {
            NoPage::NotFound(what) => (StatusCode::NOT_FOUND, "Not found", what),
            NoPage::Hidden(what) => {
                let mut response = NoPage::NotFound(what).into_response();
                response.extensions_mut().insert(access::Hidden);
                return response;
            }
            NoPage::Forbidden => {
                (StatusCode::FORBIDDEN, "Not yours to read", "Your role has no right to this page.".to_owned())
            }
            NoPage::Misdirected(host) => {
                let why = format!("{host:?} is not a name of this server; its settings say its url.");
                (StatusCode::MISDIRECTED_REQUEST, "Another server", why)
            }
            NoPage::TooMany => {
                (StatusCode::TOO_MANY_REQUESTS, "Too many requests", "Wait a minute, then try again.".to_owned())
            }
            NoPage::Busy => {
                let why = "The server looks for too much at once, or this takes too long. Try again in a while.";
                (StatusCode::SERVICE_UNAVAILABLE, "Busy", why.to_owned())
            }
            NoPage::Unlogged(what) => {
                output::say(format_args!("the audit log cannot be written: {}", output::visible(&what)));
                let why = "What is read here must be noted, and could not be.".to_owned();
                (StatusCode::SERVICE_UNAVAILABLE, "Not noted", why)
            }
            NoPage::Wrong(what) => (StatusCode::BAD_REQUEST, "Not understood", what),
            NoPage::Failed(what) => {
                // Paths and addresses of this machine are no business of readers.
                output::say(format_args!("a page failed: {}", output::visible(&what)));
                let why = "The server could not make this page; what it says for itself tells why.".to_owned();
                (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", why)
            }
        };
        let page = Page::new(title, Section::Other).note("fail", show::visible(&why));
        (again, Page { status, ..page }).into_response()
    }
}

/// What a handler answers.
pub type Answer = Result<Page, NoPage>;
