//! A file of the code: what it is, its scopes, and its lines with whose they are.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::attribution::labels::Origin;
use crate::attribution::lines;
use crate::id::RepoPath;
use crate::mirror::{Gutter, LineOf, Place, Stands};
use crate::scope::tally::Tally;
use crate::scope::{Outcome, Scopes};
use crate::web::access::Reader;
use crate::web::code::{Lines, windows};
use crate::web::in_turn::PATIENCE;
use crate::web::page::{Answer, Block, Links, NoPage, Page};
use crate::web::pages::code::{Asked, Spot, begun, shown, url};
use crate::web::pages::{commits, story};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

/// How long git may look for where the lines of a file come from.
const GIT_PATIENCE: Duration = Duration::from_secs(120);
/// So many bytes of a page are for lines.
const ROOM: usize = 34 << 10;
/// Of a file with more lines it is not told whose they are.
const LINES: usize = 100_000;
/// So many scopes are told of on a page; its data have all.
const SCOPES: usize = 30;

pub async fn page(reader: &Reader, spot: &Spot, asked: &Asked, stands: Stands) -> Answer {
    let page = begun(spot, asked);
    let size = |size: u64| ("Size", Cell::text(&format!("{} bytes", show::count(size as i64))));
    match stands {
        Stands::File(bytes) if bytes.is_empty() => Ok(page.facts([size(0)]).note("pass", "This file is empty.")),
        Stands::File(bytes) if lines::is_binary(&bytes) => {
            Ok(page.facts([size(bytes.len() as u64)]).note("pass", "This file is binary: it has no lines."))
        }
        Stands::File(bytes) => text(page, reader, spot, asked, bytes).await,
        Stands::TooLarge(bytes) => {
            Ok(page.facts([size(bytes)]).note("warn", "This file is larger than what is shown: 1 MiB."))
        }
        Stands::Link(target) => {
            let target = show::line(&String::from_utf8_lossy(&target), 500);
            Ok(page.note("pass", format!("This is a symbolic link. It says: {target}")))
        }
        Stands::Submodule(commit) => {
            Ok(page.note("pass", format!("This is a submodule: commit {commit} of another repository.")))
        }
        Stands::Folder(_) => Err(NoPage::Failed("a folder is no file".to_owned())),
    }
}

async fn text(page: Page, reader: &Reader, spot: &Spot, asked: &Asked, bytes: Vec<u8>) -> Answer {
    let text: Vec<&[u8]> = lines::split(&bytes).collect();
    let found = match text.len() {
        0..=LINES => gutter(reader, spot, &bytes).await?,
        _ => Err("This file has more than 100,000 lines: whose they are is not looked for.".to_owned()),
    };
    let (gutter, trouble) = match found {
        Ok(gutter) => (Some(gutter), None),
        Err(why) => (None, Some(why)),
    };
    let lines: Vec<LineOf> = gutter.iter().flat_map(Gutter::lines).collect();
    let mut page = page.facts(facts(spot, bytes.len(), text.len(), gutter.as_ref().map(|_| lines.as_slice())));
    page = trouble.into_iter().fold(page, |page, why| page.note("warn", why));
    if std::str::from_utf8(&bytes).is_err() {
        page = page.note("warn", "Not all of this file is UTF-8: what is not is shown as �.");
    }
    let (scopes, why) = scopes(gutter.as_ref(), text.len());
    page = why.into_iter().fold(page, |page, why| page.note("warn", why));
    let named: Vec<String> =
        scopes.list.iter().map(|scope| format!("{} {}", scope.kind.as_str(), scope.qualified)).collect();
    let of_line = |scope: Option<usize>| scope.and_then(|at| named.get(at)).map(String::as_str);
    let of_lines = match named.is_empty() {
        true => Vec::new(),
        false => scopes.innermost().into_iter().map(of_line).collect(),
    };
    let story = story::url(&spot.repository.name, &spot.path, &asked.rev);
    let told = Lines::new(&spot.repository.name, story, text, lines, of_lines);
    let page = window(page, spot, asked, &told);
    Ok(if gutter.is_some() { tell_scopes(page, asked, &scopes, told.whose()) } else { page })
}

/// The scopes as far as they are known, and what is to be said of them.
fn scopes(gutter: Option<&Gutter>, lines: usize) -> (Scopes, Option<&'static str>) {
    let none = Scopes { lines: u32::try_from(lines).unwrap_or(u32::MAX), ..Scopes::default() };
    match gutter.and_then(Gutter::scopes) {
        Some(Outcome::Found(scopes)) => {
            let why = "Not all of this file could be parsed: scopes may be wrong or missing.";
            (scopes.clone(), scopes.errors.then_some(why))
        }
        Some(Outcome::TooLong | Outcome::TooHard) => {
            (none, Some("This file takes too long to parse: its scopes are not known."))
        }
        None => (none, None),
    }
}

/// Whose the lines are, or why that is not told.
pub async fn gutter(reader: &Reader, spot: &Spot, bytes: &[u8]) -> Result<Result<Gutter, String>, NoPage> {
    let (Some(stamp), Ok(path)) = (&spot.repository.stamp, RepoPath::from_bytes(&spot.path)) else {
        return Ok(Err("The ledger was not verified yet: whose the lines are is not told.".to_owned()));
    };
    let repository = spot.repository.id;
    let known = match spot.is_head {
        true => reader.index().files_at(repository, &[path.to_string()]).await?.into_iter().next(),
        false => None,
    };
    let last = known.and_then(|file| file.last.parse().ok());
    let place = Place { repository, stamp: stamp.clone(), commit: spot.commit.clone(), path, last };
    if let Some(kept) = spot.mirror.kept_gutter(reader.index(), &place).await? {
        return Ok(Ok(kept));
    }
    let (app, mirror, bytes) = (reader.app().clone(), spot.mirror.clone(), bytes.to_vec());
    let handle = Handle::current();
    let lines = reader.app().looking().lines.clone();
    let who = reader.who();
    let look = lines.take(&who, PATIENCE, move || {
        // Who waited behind the same question has its answer now.
        if let Some(kept) = handle.block_on(mirror.kept_gutter(app.database(), &place))? {
            return Ok(kept);
        }
        Ok(mirror.find_gutter(app.database(), &handle, &place, &bytes, GIT_PATIENCE)?)
    });
    Ok(match look.await {
        Ok(Some(gutter)) => Ok(gutter),
        Ok(None) | Err(NoPage::Busy) => {
            Err("To find whose the lines are takes longer than a page waits. It goes on: look again in a while."
                .to_owned())
        }
        Err(NoPage::Failed(why)) => Err(format!("Whose the lines are could not be found: {}", show::line(&why, 300))),
        Err(other) => return Err(other),
    })
}

fn facts(spot: &Spot, bytes: usize, count: usize, lines: Option<&[LineOf<'_>]>) -> Vec<(&'static str, Cell)> {
    let name = &spot.repository.name;
    let mut facts = vec![
        ("Commit", Cell::id(spot.commit.as_str()).to(commits::path(name, spot.commit.as_str()))),
        ("Size", Cell::text(&format!("{} bytes", show::count(bytes as i64)))),
        ("Lines", Cell::count(count as i64)),
    ];
    if let Some(lines) = lines {
        let mut sum = Tally::default();
        lines.iter().for_each(|line| sum.add(&line.whose.origin()));
        let [agent, human, unattributed] = [sum.agent, sum.human, sum.unattributed].map(|count| count as i64);
        let text = format!("{} ({})", show::count(agent), show::percent(agent, sum.lines as i64));
        facts.extend([
            ("By agents", Cell { text, ..Cell::count(agent) }),
            ("By people", Cell::count(human)),
            ("Unattributed", Cell::count(unattributed)),
        ]);
    }
    facts
}

/// The table of scopes: on the page the first of them, as data all.
fn tell_scopes(page: Page, asked: &Asked, scopes: &Scopes, lines: &[LineOf<'_>]) -> Page {
    let columns = [
        words("scope", "Scope"),
        words("kind", "Kind"),
        numbers("first", "From line"),
        numbers("last", "To line"),
        numbers("lines", "Lines"),
        numbers("agent", "By agents"),
        numbers("human", "By people"),
        numbers("unattributed", "Unattributed"),
        numbers("agent_share", "Share of agents"),
    ];
    let origins: Vec<Origin<()>> = lines.iter().map(|line| line.whose.origin()).collect();
    let tallies = scopes.tally(&origins);
    let row = |(name, kind): (&str, &str), (first, last): (u32, u32), tally: &Tally| {
        let link = format!("?{}from={first}#L{first}", rev_field(asked));
        let [count, agent, human, unattributed] =
            [tally.lines, tally.agent, tally.human, tally.unattributed].map(|count| count as i64);
        vec![
            Cell { text: show::line(name, 80), ..Cell::text(name) }.to(link),
            Cell::text(kind),
            Cell::count(i64::from(first)),
            Cell::count(i64::from(last)),
            Cell::count(count),
            Cell::count(agent),
            Cell::count(human),
            Cell::count(unattributed),
            Cell::share(agent, count),
        ]
    };
    let is_data = matches!(asked.form.as_str(), "csv" | "json");
    let most = if is_data { usize::MAX } else { SCOPES };
    let listed = scopes
        .list
        .iter()
        .zip(&tallies.scopes)
        .map(|(scope, tally)| row((&scope.qualified, scope.kind.as_str()), (scope.first, scope.last), tally));
    let outside = (tallies.outside.lines > 0).then(|| row(("-", "-"), (1, scopes.lines.max(1)), &tallies.outside));
    let table = Table::new("Lines of each scope", &columns, "It has no scopes.").rows(listed.chain(outside).take(most));
    let all = scopes.list.len() + usize::from(tallies.outside.lines > 0);
    let page = page.heading("scopes", "Scopes");
    let page = if all > most {
        page.note("pass", format!("These are the first {most} of {}; CSV and JSON have all.", show::count(all as i64)))
    } else {
        page
    };
    page.table(table)
}

fn rev_field(asked: &Asked) -> String {
    match asked.rev.as_str() {
        "" => String::new(),
        rev => format!("rev={}&", crate::web::ask::encoded(rev)),
    }
}

/// The lines that are asked for.
fn window(page: Page, spot: &Spot, asked: &Asked, lines: &Lines<'_>) -> Page {
    let path = url(&spot.repository.name, &spot.path, "");
    // A long path stands in many links.
    let room = ROOM.saturating_sub(6 * path.len()).max(2 << 10);
    let total = lines.len();
    let start = asked.from.saturating_sub(1).min(total.saturating_sub(1));
    let window = start..start + lines.fit(start, room);
    let earlier = lines.fit_before(start, room);
    let label = format!("Lines {} to {} of {}", window.start + 1, window.end, show::line(&shown(&spot.path), 80));
    let block = lines.block(label, window.clone());
    let links = windows(&path, &asked.rev, (earlier, window), total);
    let links = |page: Page, label: &'static str| match links.is_empty() {
        true => page,
        false => page.block(Block::Links(Links { label, links: links.clone() })),
    };
    let page = links(page.heading("lines", "Lines"), "Other lines");
    links(page.block(Block::Code(block)), "Other lines, once more")
}
