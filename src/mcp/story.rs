//! `story`: how and why a line, or what a session did, came to be; each sentence with its sources.

use std::sync::Arc;

use rmcp::schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{GitId, SessionId};
use crate::mcp::desk::{Complete, Desk, Need, commit_uri, session_uri};
use crate::mcp::refusal::Refusal;
use crate::mcp::why::blame_line;
use crate::mirror::{AskedStory, SESSIONS, Traced, add_changes};
use crate::story::material::{Material, Origin, Writer};
use crate::story::{About, Place, Source, Story, text};

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The file of a line, as seen from the top of the repository: `src/cart.rs`; with `line`, without `session`
    file: Option<String>,
    /// The line's number, counted from 1
    #[schemars(range(min = 1))]
    line: Option<u32>,
    /// The commit, branch or tag to look at the line in; without it the file as it stands in the work tree
    revision: Option<String>,
    /// A session instead of a line: its id, or 4 characters or more of its beginning
    session: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Told {
    about: String,
    sections: Vec<Section>,
    sources: Vec<Known>,
    /// What could not be read, and why.
    missing: Vec<String>,
    index: Complete,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Section {
    title: String,
    /// What the program says, with words of the sources in it.
    sentences: Vec<Sentence>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Sentence {
    text: String,
    /// Numbers of the sources that it rests on.
    sources: Vec<usize>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Known {
    number: usize,
    place: String,
    time: Option<String>,
    /// What was said there.
    quoted: String,
    /// The resource to read it whole.
    resource: String,
}

pub fn story(desk: &Arc<Desk>, asked: Asked) -> Result<Told, Refusal> {
    let index = desk.ready(Need::Records)?;
    let ledger = desk.ledger()?;
    let wanted = match (&asked.session, &asked.file, asked.line) {
        (Some(session), None, None) => of_session(desk, session)?,
        (None, Some(file), Some(line)) => of_line(desk, file, line, asked.revision.as_deref())?,
        _ => return Err(Refusal::new("it is not clear what the story is of", "give a file and a line, or a session")),
    };
    let story = wanted.told(&ledger.repo, &desk.local.shelves()?)?;
    Ok(told(&story, index))
}

fn of_session(desk: &Desk, name: &str) -> Result<AskedStory, Refusal> {
    let row = desk.session_named(name)?;
    let session = SessionId::from_agent(&row.session);
    let (spoken, _) = desk.open_session(&session, None)?;
    let commits = desk.ask(desk.database().commits_of(desk.local.number()?, &row.session))?;
    Ok(AskedStory {
        material: Material::about(About::Session { session: session.clone() }),
        sessions: vec![(session, spoken)],
        commits: commits.iter().filter_map(|commit| commit.sha.parse().ok()).collect(),
    })
}

fn of_line(desk: &Desk, file: &str, line: u32, revision: Option<&str>) -> Result<AskedStory, Refusal> {
    let ledger = desk.ledger()?;
    let printed = blame_line(&ledger, file, line, revision)?;
    let blame = printed.parse();
    let Some(found) = blame.lines.first() else {
        return Err(Refusal::new("there is no such line", "look at the file for how many lines it has"));
    };
    let Some(source) = &found.source else {
        return Err(Refusal::new("the line is not committed yet", "what is not committed has no story"));
    };
    let traced = desk.local.trace(&ledger, source)?;
    let text = String::from_utf8_lossy(found.text).trim_end().to_owned();
    let number = desk.local.number()?;
    let mut material = Material {
        origin: match traced.origin {
            Some("agent") => Origin::Agent,
            Some("human") => Origin::Human,
            Some(_) => Origin::Unattributed,
            None => Origin::Unknown,
        },
        writers: writer(desk, number, &traced)?.into_iter().collect(),
        files: vec![source.path.to_string()],
        ..Material::about(About::Line { file: file.to_owned(), line, text })
    };
    add_changes(&mut material, &ledger.repo, source);
    let mut changes: Vec<GitId> = material.commits.iter().map(|commit| commit.id.clone()).collect();
    if changes.is_empty() {
        changes.push(source.commit.clone());
    }
    let own = traced.session.as_ref().map(SessionId::as_str);
    let names = desk.ask(desk.database().sessions_around(number, own, &changes))?;
    // Whoever speaks of a line is believed about the session that they name, and nobody else.
    let speaks = desk.writer(traced.record.map(|record| record.to_string()).as_deref())?;
    let mut sessions = Vec::new();
    for name in names.into_iter().take(SESSIONS) {
        let session = SessionId::from_agent(&name);
        let writer = speaks.as_ref().filter(|_| traced.session.as_ref() == Some(&session));
        let (spoken, _) = desk.open_session(&session, writer)?;
        sessions.push((session, spoken));
    }
    Ok(AskedStory { material, sessions, commits: Vec::new() })
}

fn writer(desk: &Desk, repository: i64, traced: &Traced) -> Result<Option<Writer>, Refusal> {
    let (Some(session), Some(call)) = (traced.session.clone(), traced.call.clone()) else { return Ok(None) };
    let row = desk.ask(desk.database().session(repository, session.as_str()))?;
    Ok(Some(Writer { session, call, agent: row.map(|row| row.agent), model: traced.model.clone() }))
}

fn told(story: &Story, index: Complete) -> Told {
    let sections = story.sections.iter().map(|section| Section {
        title: section.kind.title().to_owned(),
        sentences: section
            .sentences
            .iter()
            .map(|told| Sentence {
                text: told.text.clone(),
                sources: told.cites.iter().map(|number| number.get()).collect(),
            })
            .collect(),
    });
    Told {
        about: text::title(&story.about),
        sections: sections.collect(),
        sources: story.sources.iter().map(known).collect(),
        missing: story.missing.clone(),
        index,
    }
}

fn known(source: &Source) -> Known {
    let resource = match &source.place {
        Place::Said { turn, .. } => session_uri(turn.session.as_str()),
        Place::Call { turn, call, .. } => format!("{}?call={call}", session_uri(turn.session.as_str())),
        Place::Commit { commit } => commit_uri(commit.as_str()),
    };
    Known {
        number: source.number.get(),
        place: text::place(source),
        time: source.time.map(|time| time.to_string()),
        quoted: text::excerpt(source),
        resource,
    }
}
