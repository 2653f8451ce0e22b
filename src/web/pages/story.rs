//! `/r/REPOSITORY/story/PATH?line=N` and `/r/REPOSITORY/sessions/SESSION/story`: how and why a line, or what a session did, came to be.
//!
//! A story shows what was said: of a session only to those who may read the session.

use axum::extract::{Path, Query};
use axum::http::Uri;
use serde::Deserialize;

use crate::attribution::lines;
use crate::git::blame::Source;
use crate::id::{GitId, SessionId};
use crate::index::Filter;
use crate::ledger::traces::Evidence;
use crate::mirror::{AskedStory, Found, LineOf, Mirror, SESSIONS, Stands, Whose};
use crate::story::About;
use crate::story::material::{Material, Origin, Writer};
use crate::web::access::{Reader, Right};
use crate::web::in_turn::{PATIENCE, blocking};
use crate::web::page::{Answer, Block, Link, Links, NoPage, Page, Section};
use crate::web::pages::code::{self, Spot, shown};
use crate::web::pages::{code_file, sessions};
use crate::web::show;
use crate::web::story::StoryBlock;

/// What is said instead of a story that takes too long.
const LATER: &str = "To put this story together takes longer than a page waits. (git tracevault story)";

/// Which line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// A branch, or the beginning of a commit's id.
    rev: String,
    /// Counted from 1.
    line: u32,
}

pub async fn of_line(reader: Reader, uri: Uri, Query(asked): Query<Asked>) -> Answer {
    let spot = code::spot(&reader, &uri, "story", asked.rev.trim()).await?;
    let (name, id) = (spot.repository.name.clone(), spot.repository.id);
    if !reader.reach_of(Right::Code).has(id, None) {
        return Err(NoPage::Hidden(format!("there is no page {}", uri.path())));
    }
    let (mirror, commit, path) = (spot.mirror.clone(), spot.commit.clone(), spot.path.clone());
    let no_line = || NoPage::NotFound(format!("{name} has no line {} of {}", asked.line, shown(&spot.path)));
    let Found::Here(Stands::File(bytes)) = blocking(move || Ok(mirror.at(&commit, &path)?)).await? else {
        return Err(no_line());
    };
    let at = (asked.line as usize).checked_sub(1).ok_or_else(no_line)?;
    let text = lines::split(&bytes).nth(at).map(|text| String::from_utf8_lossy(text).trim_end().to_owned());
    let text = text.ok_or_else(no_line)?;
    let gutter = code_file::gutter(&reader, &spot, &bytes).await?;
    let page = Page::new(format!("Why {}:{}", shown(&spot.path), asked.line), Section::Other);
    let page = page.block(Block::Links(Links { label: "The line", links: vec![back(&spot, &asked)] }));
    let page = page.block(Block::Text(crate::web::page::Text { label: "The line".into(), text: show::visible(&text) }));
    let gutter = match gutter {
        Ok(gutter) => gutter,
        Err(why) => return Ok(page.note("warn", why)),
    };
    let from = gutter.source(asked.line).map(|Source { commit, path, line }| (commit, (*path).clone(), line));
    let (Some(line), Some(from)) = (gutter.lines().nth(at), from) else {
        return Ok(page.note("warn", "Where this line comes from is not known."));
    };
    let about = About::Line { file: shown(&spot.path), line: asked.line, text };
    let mut material = known(about, &line);
    material.files.push(from.1.to_string());
    if reader.may_read_all(id) {
        let mirror = spot.mirror.clone();
        let Some(known) = reader
            .app()
            .looking()
            .lines
            .take(&reader.who(), PATIENCE, move || Ok(mirror.with_changes(material, from)?))
            .await?
        else {
            return Ok(page.note("warn", LATER));
        };
        material = known;
    }
    let asked = gathered(&reader, id, material, &line).await?;
    told(page, &reader, &spot.mirror, &name, id, asked).await
}

pub async fn of_session(reader: Reader, Path((name, session)): Path<(String, String)>) -> Answer {
    let repository = reader.repository(&name).await?;
    let none = format!("{name} has no record of session {session:?}");
    let row = reader.index().session(repository.id, &session).await?;
    let row = reader.only(row, repository.id, |row| Some(&row.member), none)?;
    let path = sessions::path(&name, &session);
    let title = format!("Story of session {}", show::short(&session));
    let back = Link { href: path, text: "The session, turn by turn".into(), here: false };
    let page =
        Page::new(title, Section::Sessions).block(Block::Links(Links { label: "The session", links: vec![back] }));
    let Some(mirror) = reader.mirror(&name).cloned() else {
        return Ok(page.note("warn", "This server does not mirror the repository: the conversation is not at hand."));
    };
    let drawn = reader.index().commits_of(repository.id, &session).await?;
    let commits = drawn.iter().filter_map(|row| row.sha.parse().ok()).collect();
    let id = SessionId::from_agent(&row.session);
    let spoken = reader.index().spoken(repository.id, &row.session, None).await?;
    let asked = AskedStory {
        material: Material::about(About::Session { session: id.clone() }),
        sessions: vec![(id, spoken)],
        commits,
    };
    told(page, &reader, &mirror, &name, repository.id, asked).await
}

/// The page with the story on it.
async fn told(page: Page, reader: &Reader, mirror: &Mirror, name: &str, repository: i64, asked: AskedStory) -> Answer {
    let (mirror, whole) = (mirror.clone(), reader.may_read_all(repository));
    let Some(story) =
        reader.app().looking().lines.take(&reader.who(), PATIENCE, move || Ok(mirror.story(asked, whole)?)).await?
    else {
        return Ok(page.note("warn", LATER));
    };
    let page = story.missing.iter().fold(page, |page, why| page.note("warn", show::visible(why)));
    Ok(match story.sections.is_empty() {
        true => page.note("warn", "Nothing that is here tells of it."),
        false => page.block(Block::Story(Box::new(StoryBlock::of(&story, name)))),
    })
}

/// The way back to the line.
fn back(spot: &Spot, asked: &Asked) -> Link {
    let url = code::url(&spot.repository.name, &spot.path, asked.rev.trim());
    let sign = if url.contains('?') { '&' } else { '?' };
    let href = format!("{url}{sign}from={0}#L{0}", asked.line);
    Link { href, text: "The line in its file".into(), here: false }
}

/// What is known of a line.
fn known(about: About, line: &LineOf<'_>) -> Material {
    let origin = match line.whose {
        Whose::Agent(..) => Origin::Agent,
        Whose::Human => Origin::Human,
        Whose::Unattributed => Origin::Unattributed,
        Whose::Unknown => Origin::Unknown,
    };
    let writer = line.who.map(|who| Writer {
        session: who.session.clone(),
        call: who.call.clone(),
        agent: who.agent.clone(),
        model: who.model.clone(),
    });
    Material { origin, writers: writer.into_iter().collect(), ..Material::about(about) }
}

/// What is read for a line: the session that wrote it, the one before, and those that its commits draw on, as far as they are theirs to read.
/// Whoever may not read the first reads nothing; who reads their own alone hears only of their own commits.
async fn gathered(
    reader: &Reader,
    repository: i64,
    material: Material,
    line: &LineOf<'_>,
) -> Result<AskedStory, NoPage> {
    let index = reader.index();
    let own = line.who.map(|who| who.session.as_str().to_owned());
    let mut changes: Vec<GitId> = material.commits.iter().map(|commit| commit.id.clone()).collect();
    if changes.is_empty() {
        changes.push(line.commit.clone());
    }
    let names = index.sessions_around(repository, own.as_deref(), &changes).await?;
    let recorder = index.recorder_of(repository, line.commit.as_str()).await?;
    // Of what another commit's record tells, the index does not say whose record that is.
    let exact = recorder.as_ref().filter(|_| matches!(line.whose, Whose::Agent(_, Evidence::Exact, _)));
    let mut sessions = Vec::new();
    for name in names {
        if sessions.len() == SESSIONS {
            break;
        }
        let Some(row) = index.session(repository, &name).await? else { continue };
        if reader.may_read(repository, &row.member) {
            let writer = exact.filter(|_| own.as_ref() == Some(&name));
            sessions.push((SessionId::from_agent(&name), index.spoken(repository, &name, writer).await?));
        } else if own.as_ref() == Some(&name) {
            return Err(NoPage::Hidden("there is no story of this line".to_owned()));
        }
    }
    let mut commits = Vec::new();
    if !reader.may_read_all(repository) {
        let one = Filter { repository: Some(repository), ..reader.everything() };
        let found = index.commits_named(&one, line.commit.as_str(), 1).await?;
        commits.extend(found.iter().filter_map(|commit| commit.sha.parse().ok()));
    }
    Ok(AskedStory { material, sessions, commits })
}

/// Where the story of a file's line is told, up to the line's number.
pub fn url(repository: &str, path: &[u8], rev: &str) -> String {
    let url = code::url_under(repository, "story", path, rev.trim());
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}line=")
}
