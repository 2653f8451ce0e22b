//! Whose each line of a file is, as `git tracevault blame` says it: found once, kept in the index for the next who looks.
//!
//! What git says of a file as of a commit stays; what the ledger says of these lines is asked again when it has more
//! to say.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::attribution::labels::Origin;
use crate::attribution::lines;
use crate::cost::PriceTable;
use crate::git::blame::{self, Blame, Source};
use crate::git::locate::path_from_bytes;
use crate::host::clock::Deadline;
use crate::id::{CallId, GitId, RepoPath, SessionId};
use crate::index::{Database, GutterRow};
use crate::ledger::Ledger;
use crate::ledger::known::Known;
use crate::ledger::origins::Origins;
use crate::ledger::query::Book;
use crate::ledger::traces::Evidence;
use crate::mirror::speaking::speaking;
use crate::mirror::{Found, Mirror, MirrorError, Stands};
use crate::scope::language::Language;
use crate::scope::{Outcome, walk};

/// Where a file is looked at.
#[derive(Debug, Clone)]
pub struct Place {
    pub repository: i64,
    /// The state of the ledger.
    pub stamp: String,
    pub commit: GitId,
    pub path: RepoPath,
    /// At the branch's last commit the one that changed the file last, if that is known: what is found holds until another
    /// does.
    pub last: Option<GitId>,
}

/// What is known of a file's lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Gutter {
    blamed: Blamed,
    told: Told,
}

/// What git says of a file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Blamed {
    /// The commits that lines come from, and when their authors made them.
    commits: Vec<(GitId, i64)>,
    /// The file's names there.
    paths: Vec<RepoPath>,
    /// From the first line on.
    runs: Vec<Run>,
    /// `None` where the language is not known.
    scopes: Option<Outcome>,
}

/// Lines that stood together where they come from: how many, the commit, the path, the first one's number there.
type Run = (u32, u32, u32, u32);

/// What the ledger says of the same lines.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Told {
    whos: Vec<Who>,
    /// So many lines, and whose they are; from the first on.
    runs: Vec<(u32, Whose)>,
}

/// An agent's call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Who {
    pub session: SessionId,
    pub call: CallId,
    pub model: Option<String>,
    /// The program that ran the session; `None` where no record of the session holds.
    pub agent: Option<String>,
}

/// Whose a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whose {
    /// The call by its number, the evidence, and whether only somebody says so whom nobody has enrolled.
    Agent(u32, Evidence, bool),
    Human,
    Unattributed,
    /// No record speaks of it.
    Unknown,
}

/// A line as a page needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineOf<'g> {
    /// Counted from 1.
    pub number: u32,
    pub commit: &'g GitId,
    /// When the commit's author made it.
    pub authored: i64,
    pub whose: Whose,
    pub who: Option<&'g Who>,
}

impl Gutter {
    /// Every line from the first on.
    pub fn lines(&self) -> impl Iterator<Item = LineOf<'_>> {
        let commits = self.blamed.runs.iter().flat_map(|run| (0..run.0).map(|_| run.1));
        let whose = self.told.runs.iter().flat_map(|(lines, whose)| (0..*lines).map(|_| *whose));
        (1..).zip(commits.zip(whose)).filter_map(|(number, (commit, whose))| {
            let (commit, authored) = self.blamed.commits.get(commit as usize)?;
            let who = match whose {
                Whose::Agent(who, ..) => self.told.whos.get(who as usize),
                _ => None,
            };
            Some(LineOf { number, commit, authored: *authored, whose, who })
        })
    }

    /// Where a line comes from; lines are counted from 1.
    pub fn source(&self, line: u32) -> Option<Source> {
        let mut first = 1;
        for (lines, source) in self.blamed.sources() {
            if (first..first + lines).contains(&line) {
                return Some(Source { line: source.line + (line - first), ..source });
            }
            first += lines;
        }
        None
    }

    /// What was found of its scopes; nothing where its language is not known.
    pub fn scopes(&self) -> Option<&Outcome> {
        self.blamed.scopes.as_ref()
    }
}

impl Whose {
    fn of(known: &Known<'_>, who: impl FnOnce() -> u32) -> Self {
        match &known.origin {
            Some(Origin::Agent(_)) => Whose::Agent(who(), known.evidence(), known.pending),
            Some(Origin::Human) => Whose::Human,
            Some(Origin::Unattributed) => Whose::Unattributed,
            None => Whose::Unknown,
        }
    }

    /// As whose it counts.
    pub fn origin(self) -> Origin<()> {
        match self {
            Whose::Agent(..) => Origin::Agent(()),
            Whose::Human => Origin::Human,
            Whose::Unattributed | Whose::Unknown => Origin::Unattributed,
        }
    }
}

impl Mirror {
    /// What is kept of a file's lines, if it still holds.
    pub async fn kept_gutter(&self, database: &Database, place: &Place) -> Result<Option<Gutter>, MirrorError> {
        let kept = database.gutter(place.repository, place.path.as_str(), &place.key()).await?;
        Ok(kept.filter(|kept| kept.stamp == place.stamp).and_then(|kept| read(&kept)))
    }

    /// Finds whose the lines of a file are, and keeps it. Blocks; git may look so long for where they come from.
    pub fn find_gutter(
        &self,
        database: &Database,
        handle: &Handle,
        place: &Place,
        bytes: &[u8],
        within: Duration,
    ) -> Result<Gutter, MirrorError> {
        let ledger = Ledger::of(self.open()?)?;
        let kept = handle.block_on(database.gutter(place.repository, place.path.as_str(), &place.key()))?;
        let blamed = match kept.and_then(|kept| serde_json::from_str(&kept.blamed).ok()) {
            Some(blamed) => blamed,
            None => blamed(&ledger, place, bytes, within)?,
        };
        let told = told(&ledger, database, handle, place.repository, &blamed)?;
        let gutter = Gutter { blamed, told };
        if let Some(row) = row(place, &gutter) {
            handle.block_on(database.keep_gutter(place.repository, &row))?;
        }
        Ok(gutter)
    }
}

/// How long may be spent after each update on files that nobody has asked for yet, how many these may be, and how large.
const AHEAD: Duration = Duration::from_secs(5);
const FILES_AHEAD: i64 = 500;
const LARGEST_AHEAD: usize = 256 << 10;

impl Mirror {
    /// Finds whose the lines are of the files that were changed last, for those who will look.
    pub fn look_ahead(
        &self,
        database: &Database,
        handle: &Handle,
        repository: i64,
        stamp: &str,
    ) -> Result<(), MirrorError> {
        let deadline = Deadline::after(AHEAD);
        let Some(head) = handle.block_on(database.head_of(repository))?.and_then(|head| head.parse::<GitId>().ok())
        else {
            return Ok(());
        };
        for file in handle.block_on(database.files_untold(repository, stamp, FILES_AHEAD))? {
            if deadline.passed() {
                break;
            }
            let Ok(path) = file.path.parse::<RepoPath>() else { continue };
            let Found::Here(Stands::File(bytes)) = self.at(&head, &path.to_bytes())? else { continue };
            if bytes.len() > LARGEST_AHEAD || lines::is_binary(&bytes) {
                continue;
            }
            let (stamp, last) = (stamp.to_owned(), file.last.parse().ok());
            let place = Place { repository, stamp, commit: head.clone(), path, last };
            // What goes wrong is told to who asks for the file.
            drop(self.find_gutter(database, handle, &place, &bytes, AHEAD));
        }
        Ok(())
    }
}

impl Place {
    /// What the file's lines are kept under. The two are told apart: where branches were merged, the branch's last commit may
    /// have the file as that which changed it last does not.
    fn key(&self) -> String {
        match &self.last {
            Some(last) => last.to_string(),
            None => format!("at {}", self.commit),
        }
    }
}

fn read(row: &GutterRow) -> Option<Gutter> {
    let (blamed, told) = (serde_json::from_str(&row.blamed).ok()?, serde_json::from_str(&row.told).ok()?);
    Some(Gutter { blamed, told })
}

fn row(place: &Place, gutter: &Gutter) -> Option<GutterRow> {
    let mut sums = [0i64; 3];
    for (lines, whose) in &gutter.told.runs {
        let at = match whose.origin() {
            Origin::Agent(()) => 0,
            Origin::Human => 1,
            Origin::Unattributed => 2,
        };
        sums[at] += i64::from(*lines);
    }
    Some(GutterRow {
        path: place.path.to_string(),
        sha: place.key(),
        lines: sums.iter().sum(),
        agent: sums[0],
        human: sums[1],
        unattributed: sums[2],
        blamed: serde_json::to_string(&gutter.blamed).ok()?,
        told: serde_json::to_string(&gutter.told).ok()?,
        stamp: place.stamp.clone(),
    })
}

/// What git says of where the lines come from, and the file's scopes.
fn blamed(ledger: &Ledger, place: &Place, bytes: &[u8], within: Duration) -> Result<Blamed, MirrorError> {
    let asked = blame::Asked {
        revisions: vec![place.commit.as_str().into()],
        file: path_from_bytes(&place.path.to_bytes()).unwrap_or_default().into(),
        within: Some(within),
        ..blame::Asked::default()
    };
    let printed = blame::blame(&ledger.repo.home(), asked, false)?;
    let mut blamed = runs(&printed.parse());
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    blamed.scopes = Language::of(place.path.as_str(), first).map(|language| walk::scopes(language, bytes));
    Ok(blamed)
}

/// A file's lines in runs of those that stood together where they come from.
fn runs(blame: &Blame<'_>) -> Blamed {
    let mut blamed = Blamed::default();
    let (mut commits, mut paths): (HashMap<&GitId, u32>, HashMap<&RepoPath, u32>) = Default::default();
    for source in blame.lines.iter().filter_map(|line| line.source.as_ref()) {
        let commit = *commits.entry(&source.commit).or_insert_with(|| {
            let time = blame.commits.get(&source.commit).map_or(0, |commit| commit.time);
            blamed.commits.push((source.commit.clone(), time));
            blamed.commits.len() as u32 - 1
        });
        let path = *paths.entry(&source.path).or_insert_with(|| {
            blamed.paths.push((*source.path).clone());
            blamed.paths.len() as u32 - 1
        });
        match blamed.runs.last_mut() {
            Some((lines, c, p, there)) if (*c, *p, *there + *lines) == (commit, path, source.line) => *lines += 1,
            _ => blamed.runs.push((1, commit, path, source.line)),
        }
    }
    blamed
}

/// What the ledger says of the lines.
fn told(
    ledger: &Ledger,
    database: &Database,
    handle: &Handle,
    repository: i64,
    blamed: &Blamed,
) -> Result<Told, MirrorError> {
    let sources = blamed.sources();
    let wanted: BTreeSet<_> =
        sources.iter().map(|(_, source)| (source.commit.clone(), (*source.path).clone())).collect();
    let report = speaking(ledger, database, handle, repository, &wanted)?;
    let book = Book::new(&report, PriceTable::embedded());
    let mut origins = Origins::new(ledger, &book);
    let mut told = Told::default();
    let mut numbers: HashMap<Who, u32> = HashMap::new();
    let mut agents: HashMap<SessionId, Option<String>> = HashMap::new();
    for (lines, first) in sources {
        for line in first.line..first.line.saturating_add(lines) {
            let source = Source { line, ..first.clone() };
            let known = Known::of(&source, &mut origins, &book);
            if let Some(author) = known.author()
                && !agents.contains_key(&author.session)
            {
                let agent = handle.block_on(database.agent_of(repository, author.session.as_str()))?;
                agents.insert(author.session.clone(), agent);
            }
            let whose = Whose::of(&known, || {
                let Some(author) = known.author() else { return u32::MAX };
                let (session, call) = (author.session.clone(), author.call.clone());
                let agent = agents.get(&session).cloned().flatten();
                let who = Who { session, call, model: known.model().map(str::to_owned), agent };
                *numbers.entry(who).or_insert_with_key(|who| {
                    told.whos.push(who.clone());
                    told.whos.len() as u32 - 1
                })
            });
            match told.runs.last_mut() {
                Some((lines, last)) if *last == whose => *lines += 1,
                _ => told.runs.push((1, whose)),
            }
        }
    }
    Ok(told)
}

impl Blamed {
    /// Each run's number of lines, and where its first line comes from.
    fn sources(&self) -> Vec<(u32, Source)> {
        let paths: Vec<Rc<RepoPath>> = self.paths.iter().cloned().map(Rc::new).collect();
        let source = |(lines, commit, path, line): &Run| {
            let ((commit, _), path) = (self.commits.get(*commit as usize)?, paths.get(*path as usize)?);
            Some((*lines, Source { commit: commit.clone(), path: path.clone(), line: *line }))
        };
        self.runs.iter().filter_map(source).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_tells_every_line_once_and_is_read_back_the_same() {
        let id = |digit: &str| digit.repeat(40).parse::<GitId>().unwrap();
        let (session, call) = (SessionId::from_agent("s"), CallId::from_agent("c"));
        let who = Who { session, call, model: None, agent: Some("claude-code".into()) };
        let blamed = Blamed {
            commits: vec![(id("a"), 5), (id("b"), 6)],
            paths: vec!["x".parse().unwrap()],
            runs: vec![(2, 0, 0, 1), (1, 1, 0, 9), (1, 0, 0, 3)],
            scopes: None,
        };
        let agent = Whose::Agent(0, Evidence::Linked, false);
        let runs = vec![(1, Whose::Unknown), (2, agent), (1, Whose::Human)];
        let gutter = Gutter { blamed, told: Told { whos: vec![who.clone()], runs } };
        let lines: Vec<_> = gutter.lines().map(|line| (line.number, &line.commit.as_str()[..1], line.whose)).collect();
        assert_eq!(lines, [(1, "a", Whose::Unknown), (2, "a", agent), (3, "b", agent), (4, "a", Whose::Human)]);
        assert_eq!(gutter.lines().nth(2).unwrap().who, Some(&who));
        let sources = (0..6).map(|line| gutter.source(line).map(|s| (s.commit == id("b"), s.line)));
        let there = [None, Some((false, 1)), Some((false, 2)), Some((true, 9)), Some((false, 3)), None];
        assert_eq!(sources.collect::<Vec<_>>(), there);
        let place = Place { repository: 1, stamp: "s".into(), commit: id("c"), path: "x".parse().unwrap(), last: None };
        let row = row(&place, &gutter).unwrap();
        assert_eq!(
            (row.lines, row.agent, row.human, row.unattributed, row.sha),
            (4, 2, 1, 1, format!("at {}", id("c")))
        );
        let row = super::row(&Place { last: Some(id("d")), ..place }, &gutter).unwrap();
        assert_eq!((row.sha.as_str(), read(&row)), (id("d").as_str(), Some(gutter)));
    }
}
