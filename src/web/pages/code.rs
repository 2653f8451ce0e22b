//! `/r/REPOSITORY/code/PATH`: the code of the branch that is shown, or of a commit: folders, files, whose their lines are.

use axum::extract::Query;
use axum::http::{StatusCode, Uri};
use serde::Deserialize;

use crate::git::repo::TreeEntry;
use crate::id::{GitId, RepoPath};
use crate::index::{FileAt, Filter, Reach, Repository};
use crate::mirror::{Found, Mirror, Stands, kind_of};
use crate::web::access::Reader;
use crate::web::ask::{encoded, encoded_bytes, link};
use crate::web::in_turn::{PATIENCE, blocking};
use crate::web::page::{Answer, Block, Link, Links, NoPage, Page, Section};
use crate::web::pages::{code_file, commits};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

/// So many entries of a folder are on a page, and so many bytes of it may their paths take.
const ENTRIES: usize = 100;
const ROOM: usize = 30 << 10;
/// So much of a page may the way up take, in bytes.
const WAY_UP: usize = 4 << 10;

/// No revision's name is longer, in bytes.
const LONGEST_REV: usize = 255;

/// What of the code is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// A branch, or the beginning of a commit's id.
    pub rev: String,
    /// The line, or the entry of a folder, that the page begins with, counted from 1.
    pub from: usize,
    /// `csv` or `json`: the page's table as data.
    pub form: String,
}

/// Where in the code a page is.
pub struct Spot {
    pub repository: Repository,
    pub mirror: Mirror,
    pub commit: GitId,
    /// Whether it is the branch's last commit that is shown without asking.
    pub is_head: bool,
    /// Git's bytes.
    pub path: Vec<u8>,
}

pub async fn page(reader: Reader, uri: Uri, Query(asked): Query<Asked>) -> Answer {
    let spot = spot(&reader, &uri, "code", asked.rev.trim()).await?;
    let (mirror, commit, path) = (spot.mirror.clone(), spot.commit.clone(), spot.path.clone());
    let found = blocking(move || Ok(mirror.at(&commit, &path)?)).await?;
    match found {
        Found::Nothing(nearest) => Ok(nothing(&spot, &asked, &nearest)),
        Found::Here(Stands::Folder(entries)) => folder(&reader, &spot, &asked, &entries).await,
        Found::Here(stands) => code_file::page(&reader, &spot, &asked, stands).await,
    }
}

/// Where a URL leads, under the word that comes behind the repository's name.
pub async fn spot(reader: &Reader, uri: &Uri, under: &str, rev: &str) -> Result<Spot, NoPage> {
    let none = || NoPage::NotFound(format!("there is no page {}", uri.path()));
    let (name, path) = read(uri.path(), under).ok_or_else(none)?;
    let repository = reader.repository(&name).await?;
    let Some(mirror) = reader.mirror(&name).cloned() else {
        return Err(NoPage::NotFound(format!("this server does not mirror {name}: its code is not at hand")));
    };
    let commit = revision(reader, &repository, &mirror, rev).await?;
    let is_head = repository.head.as_deref() == Some(commit.as_str());
    Ok(Spot { repository, mirror, commit, is_head, path })
}

/// The repository and the path that a URL names: the path's bytes are what it says percent-encoded.
fn read(url: &str, under: &str) -> Option<(String, Vec<u8>)> {
    let (name, rest) = url.strip_prefix("/r/")?.split_once('/')?;
    let path = decoded(rest.strip_prefix(under).filter(|path| path.is_empty() || path.starts_with('/'))?)?;
    let path = path.strip_prefix(b"/").unwrap_or(&path);
    let path = path.strip_suffix(b"/").unwrap_or(path);
    Some((String::from_utf8(decoded(name)?).ok()?, path.to_vec()))
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    Some(out)
}

/// The commit that is asked for; the branch's last without asking.
async fn revision(reader: &Reader, repository: &Repository, mirror: &Mirror, rev: &str) -> Result<GitId, NoPage> {
    let name = &repository.name;
    let none = || {
        let rev = show::line(rev, 80);
        NoPage::NotFound(format!("{name} has no branch and no commit of a branch that is called {rev:?}"))
    };
    if !may_be_revision(rev) {
        return Err(none());
    }
    if rev.is_empty() {
        let head = repository.head.as_deref().and_then(|head| head.parse().ok());
        return head
            .ok_or_else(|| NoPage::NotFound(format!("{name} has no branch that is shown, or was not read yet")));
    }
    // Most who ask for a commit ask for one of that branch; the index knows these.
    if rev.len() >= 4 && rev.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let here = Filter { repository: Some(repository.id), reach: Reach::All, ..Filter::default() };
        let found = reader.index().commits_named(&here, &rev.to_lowercase(), 2).await?;
        if let [commit] = found.as_slice()
            && let Ok(commit) = commit.sha.parse()
        {
            return Ok(commit);
        }
    }
    let (mirror, wanted) = (mirror.clone(), rev.to_owned());
    // Which branches have a commit git finds by walking them: anybody could ask for that on and on.
    let look = move || Ok(mirror.revision(&wanted, PATIENCE)?);
    let found = reader.app().looking().names.take(&reader.who(), PATIENCE, look).await?;
    found.ok_or(NoPage::Busy)?.ok_or_else(none)
}

/// Whether git could have a branch with this name, or a commit whose id begins so (git-check-ref-format(1)).
fn may_be_revision(rev: &str) -> bool {
    let is_never = |byte: u8| byte <= b' ' || byte == 0x7f || b"~^:?*[\\".contains(&byte);
    rev.len() <= LONGEST_REV && !rev.bytes().any(is_never) && !rev.contains("..") && !rev.contains("@{")
}

/// Where a path's page is, for a path as records spell it; `rev` where it is to be looked at in a commit.
pub fn path(repository: &str, path: &str, rev: Option<&str>) -> Option<String> {
    let path: RepoPath = path.parse().ok()?;
    Some(url(repository, &path.to_bytes(), rev.unwrap_or_default()))
}

/// The same of git's bytes.
pub fn url(repository: &str, path: &[u8], rev: &str) -> String {
    url_under(repository, "code", path, rev)
}

/// A path's page under another word than `code`.
pub fn url_under(repository: &str, under: &str, path: &[u8], rev: &str) -> String {
    let parts: Vec<String> = path.split(|byte| *byte == b'/').map(encoded_bytes).collect();
    let base = format!("/r/{}/{under}/{}", encoded(repository), parts.join("/"));
    link(&base, [("rev", rev)].into_iter().filter(|(_, rev)| !rev.is_empty()))
}

/// A cell with a file's path, which leads to the file.
pub fn cell(repository: &str, path: &str, rev: Option<&str>) -> Cell {
    let cell = Cell::text(path);
    match self::path(repository, path, rev) {
        Some(to) => cell.to(to),
        None => cell,
    }
}

/// A table of files of the branches that are shown.
pub fn table(caption: &str, files: &[FileAt]) -> Table {
    let columns = [
        words("path", "File"),
        words("repository", "Repository"),
        words("changed", "Last changed"),
        words("commit", "By commit"),
        numbers("lines", "Lines"),
        numbers("agent_share", "Share of agents"),
    ];
    let row = |file: &FileAt| {
        let mut cells = vec![cell(&file.repository, &file.path, None), Cell::text(&file.repository)];
        cells.extend(known(Some(file)));
        cells
    };
    Table::new(caption, &columns, "No file is called so.").rows(files.iter().map(row))
}

/// What is known of a file besides its name: when and by which commit it changed last, lines, the agents' share.
fn known(file: Option<&FileAt>) -> [Cell; 4] {
    let Some(file) = file else { return [(); 4].map(|()| Cell::none()) };
    let commit = if file.last.is_empty() {
        Cell::none()
    } else {
        let subject = file.subject.as_deref().map_or_else(|| show::short(&file.last).to_owned(), |s| show::line(s, 60));
        Cell { text: subject, ..Cell::id(&file.last) }.looks("").to(commits::path(&file.repository, &file.last))
    };
    [
        file.time.map_or_else(Cell::none, Cell::time),
        commit,
        file.lines.map_or_else(Cell::none, Cell::count),
        file.lines.zip(file.agent).map_or_else(Cell::none, |(lines, agent)| Cell::share(agent, lines)),
    ]
}

/// Git's bytes of a path, as pages show them.
pub fn shown(path: &[u8]) -> String {
    RepoPath::from_bytes(path)
        .map_or_else(|_| show::visible(&String::from_utf8_lossy(path)), |p| show::visible(p.as_str()))
}

/// A page's title, the way up, and at which commit it is.
pub fn begun(spot: &Spot, asked: &Asked) -> Page {
    let name = &spot.repository.name;
    let title = if spot.path.is_empty() { name.clone() } else { show::line(&shown(&spot.path), 200) };
    let mut page = Page::new(title, Section::Other).block(Block::Links(way_up(spot, asked)));
    if !spot.is_head {
        let commit = show::short(spot.commit.as_str());
        page = page.note("warn", format!("This is how it was in commit {commit}, not how the branch has it now."));
    }
    page
}

/// Links to the folders above, as many as there is room for, from the top.
fn way_up(spot: &Spot, asked: &Asked) -> Links {
    let name = &spot.repository.name;
    let parts: Vec<&[u8]> = spot.path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
    let mut links = vec![Link { href: url(name, b"", &asked.rev), text: name.clone(), here: parts.is_empty() }];
    let mut room = WAY_UP;
    for (depth, part) in parts.iter().enumerate() {
        let href = url(name, &parts[..=depth].join(&b'/'), &asked.rev);
        let text = show::line(&shown(part), 80);
        room = room.saturating_sub(href.len() + text.len());
        if room == 0 {
            break;
        }
        links.push(Link { href, text, here: depth + 1 == parts.len() });
    }
    Links { label: "Folders", links }
}

fn nothing(spot: &Spot, asked: &Asked, nearest: &[u8]) -> Page {
    let name = &spot.repository.name;
    let what = show::line(&shown(&spot.path), 200);
    let text = if nearest.is_empty() { name.clone() } else { show::line(&shown(nearest), 200) };
    let links =
        vec![Link { href: url(name, nearest, &asked.rev), text: format!("{text}, the nearest folder"), here: false }];
    let why = format!("{name} has no {what} in commit {}.", show::short(spot.commit.as_str()));
    let page = Page::new("Not found", Section::Other).note("fail", why);
    Page { status: StatusCode::NOT_FOUND, ..page.block(Block::Links(Links { label: "Folders", links })) }
}

async fn folder(reader: &Reader, spot: &Spot, asked: &Asked, entries: &[TreeEntry]) -> Answer {
    let name = &spot.repository.name;
    let mut sorted: Vec<&TreeEntry> = entries.iter().collect();
    sorted.sort_by_key(|entry| (kind_of(entry) != "folder", &entry.name));
    let path_of = |entry: &TreeEntry| match spot.path.is_empty() {
        true => entry.name.clone(),
        false => [&spot.path, &b"/"[..], &entry.name].concat(),
    };
    let from = asked.from.saturating_sub(1).min(sorted.len());
    let mut room = ROOM;
    let fits = |entry: &&&TreeEntry| {
        // Each byte may become three in a link, and five as text.
        room = room.saturating_sub(300 + 3 * path_of(entry).len() + 5 * entry.name.len());
        room > 0
    };
    let count = sorted[from..].iter().take(ENTRIES).take_while(fits).count().max(1).min(sorted.len() - from);
    let here = &sorted[from..from + count];
    let files = match spot.is_head {
        true => {
            let paths = here.iter().filter_map(|entry| RepoPath::from_bytes(&path_of(entry)).ok());
            reader.index().files_at(spot.repository.id, &paths.map(|path| path.to_string()).collect::<Vec<_>>()).await?
        }
        false => Vec::new(),
    };
    let columns = [
        words("name", "Name"),
        words("kind", "Kind"),
        words("changed", "Last changed"),
        words("commit", "By commit"),
        numbers("lines", "Lines"),
        numbers("agent_share", "Share of agents"),
    ];
    let row = |entry: &&TreeEntry| {
        let (path, kind) = (path_of(entry), kind_of(entry));
        let file =
            RepoPath::from_bytes(&path).ok().and_then(|path| files.iter().find(|file| file.path == path.as_str()));
        let name_cell = Cell::text(&shown(&entry.name)).to(url(name, &path, &asked.rev));
        let mut cells = vec![name_cell, Cell::text(kind)];
        cells.extend(known(file));
        cells
    };
    let mut table = Table::new("Files and folders", &columns, "This folder is empty.").rows(here.iter().map(row));
    if from + count < sorted.len() {
        let next = (from + count + 1).to_string();
        let base = url(name, &spot.path, "");
        let fields = [("rev", asked.rev.as_str()), ("from", next.as_str())];
        table.next = Some(link(&base, fields.into_iter().filter(|(_, value)| !value.is_empty())));
    }
    let mut page = begun(spot, asked);
    if from > 0 {
        let told = format!("Entries {} to {} of {}.", from + 1, from + count, show::count(sorted.len() as i64));
        page = page.note("pass", told);
    }
    let commit = Cell::id(spot.commit.as_str()).to(commits::path(name, spot.commit.as_str()));
    let branch = spot.repository.branch.as_deref().filter(|_| spot.is_head).map_or_else(Cell::none, Cell::text);
    let facts = [("Branch", branch), ("Commit", commit), ("Entries", Cell::count(sorted.len() as i64))];
    Ok(page.facts(facts).table(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_revision_is_not_looked_for() {
        for rev in ["", "main", "topic/ä.1", "v1.0-rc_1+x", "@", "0f3a", "ab@cd", "-x", &"a".repeat(255)] {
            assert!(may_be_revision(rev), "{rev}");
        }
        for rev in ["main~3", "a^", "a:b", "a b", "a..b", "@{-1}", "a*", "a?", "a[", "a\\b", "a\nb", "\u{7f}"] {
            assert!(!may_be_revision(rev), "{rev}");
        }
        assert!(!may_be_revision(&"a".repeat(256)));
    }

    #[test]
    fn urls_are_paths_as_git_has_them() {
        for (path, text) in [
            (&b"src/a b.rs"[..], "/r/shop/code/src/a%20b.rs"),
            (b"", "/r/shop/code/"),
            (b"caf\xe9/\xc3\xa9", "/r/shop/code/caf%E9/%C3%A9"),
            (b"a?b#c%d&<>\"'.csv", "/r/shop/code/a%3Fb%23c%25d%26%3C%3E%22%27.csv"),
            (b"\n\t", "/r/shop/code/%0A%09"),
        ] {
            assert_eq!(url("shop", path, ""), text);
            assert_eq!(read(text, "code"), Some(("shop".to_owned(), path.to_vec())));
        }
        assert_eq!(url("shop", b"a", "v1/x"), "/r/shop/code/a?rev=v1%2Fx");
        assert_eq!(read("/r/shop/code/src/", "code"), Some(("shop".to_owned(), b"src".to_vec())));
        for wrong in ["/r/shop", "/r/shop/codes", "/r/shop/code/%", "/r/shop/code/%zz", "/r/%ff/code/x"] {
            assert_eq!(read(wrong, "code"), None, "{wrong}");
        }
        assert_eq!(path("shop", "\"caf\\351\"", Some("abc")).as_deref(), Some("/r/shop/code/caf%E9?rev=abc"));
        assert_eq!(path("shop", "../x", None), None);
    }
}
