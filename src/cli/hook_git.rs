//! Git's hooks: post-commit, post-merge, post-rewrite and pre-push.
//!
//! The first three never break what git does: what goes wrong is said on one line, and made good by the next push.

use std::io::Read as _;
use std::path::Path;

use crate::agent;
use crate::cli::{Code, check, print_findings, push};
use crate::config::OnFailure;
use crate::finding::Verdict;
use crate::git::{diff, history};
use crate::host::output::{self, Out};
use crate::host::{clock, env, files};
use crate::id::GitId;
use crate::journal::Journal;
use crate::journal::squash::Squash;
use crate::ledger::append::Writer;
use crate::ledger::refs;
use crate::ledger::remote::Remote;
use crate::ledger::rules::InForce;
use crate::ledger::{Ledger, LedgerError};
use crate::policy::{Branches, Policy};
use crate::setup::Hook;

/// No hook is told more than this.
const INPUT_LIMIT: u64 = 64 << 20;

/// Does what a hook is for; the exit code that git is told.
pub fn run(hook: Hook, args: &[String], dir: &Path) -> Code {
    if env::is_pushing() {
        return 0;
    }
    let ledger = match Ledger::open(dir) {
        Ok(ledger) if ledger.is_enrolled() => ledger,
        Ok(_) => return 0,
        Err(error) => {
            trouble(hook, &error.into());
            // Whether the ledger may stay behind cannot be told where the configuration cannot be read.
            return if hook == Hook::PrePush && Ledger::is_enrolled_at(dir) { refuse(OnFailure::Block) } else { 0 };
        }
    };
    let done = match hook {
        Hook::PostCommit => head(&ledger),
        Hook::PostMerge => merged(&ledger, args),
        Hook::PostRewrite => rewritten(&ledger, args),
        Hook::PrePush => return pre_push(&ledger, args),
    };
    done.map_or_else(|error| trouble(hook, &error), |()| 0)
}

fn trouble(hook: Hook, error: &anyhow::Error) -> Code {
    let text = output::visible(&super::told(error));
    output::say(format_args!("tracevault: {}: {text} (git tracevault doctor)", hook.name()));
    0
}

fn head(ledger: &Ledger) -> anyhow::Result<()> {
    // Read in-process: the commit waits for every git that is started here.
    let Some(commit) = ledger.repo.find_ref("HEAD")? else { return Ok(()) };
    let diff = diff::begin(&ledger.repo, &commit);
    take_down_call(ledger);
    Writer::open(ledger)?.record_commit(diff)?;
    Ok(())
}

/// What an agent's call that makes this commit wrote itself is known only now: the call is not over.
fn take_down_call(ledger: &Ledger) {
    let Some(session) = agent::session_around() else { return };
    let place = ledger.repo.work_tree().zip(Journal::open(&ledger.repo.common_dir()));
    let Some((work_tree, journal)) = place else { return };
    let so_far = journal.changes_so_far(&session, &work_tree);
    if let Err(error) = so_far.and_then(|event| event.map_or(Ok(()), |event| journal.append(&event))) {
        output::say(format_args!("tracevault: what session {session} did so far cannot be taken down: {error}"));
    }
}

/// A merge may have made a commit, or only moved to one that somebody else made and records; or it squashed a branch,
/// which somebody will commit.
fn merged(ledger: &Ledger, args: &[String]) -> anyhow::Result<()> {
    let commit = history::resolve(&ledger.repo, "HEAD")?;
    if args.first().is_some_and(|is_squash| is_squash == "1")
        && let Some(tip) = history::squashed_tip(&ledger.repo)
        && let Some(journal) = Journal::open(&ledger.repo.common_dir())
    {
        let noted = journal.note_squash(&Squash { at: clock::now_millis(), head: commit.clone(), tip });
        noted.map_err(|source| LedgerError::File { path: journal.dir().to_owned(), source })?;
    }
    if history::is_unpushed(&ledger.repo, &commit)? {
        Writer::open(ledger)?.record_commit(diff::begin(&ledger.repo, &commit))?;
    }
    Ok(())
}

fn input() -> String {
    let mut text = String::new();
    // What cannot be read is not there: the next push catches up.
    drop(std::io::stdin().take(INPUT_LIMIT).read_to_string(&mut text));
    text
}

/// `<old> <new>` a line: the new commits are recorded, and linked with the old.
fn rewritten(ledger: &Ledger, args: &[String]) -> anyhow::Result<()> {
    let how = args.first().map_or("rewrite", String::as_str);
    let pair = |line: &str| {
        let mut ids = line.split_whitespace();
        Some((ids.next()?.parse::<GitId>().ok()?, ids.next()?.parse::<GitId>().ok()?))
    };
    let pairs: Vec<_> = input().lines().filter_map(pair).collect();
    let mut writer = Writer::open(ledger)?;
    for (old, new) in pairs {
        writer.record_commit(diff::begin(&ledger.repo, &new))?;
        writer.record_link(&old, &new, how)?;
    }
    Ok(())
}

/// One line of what git tells the pre-push hook: `<local ref> <local id> <remote ref> <remote id>`.
struct Update {
    /// The null id where the remote's ref is deleted.
    local: GitId,
    name: String,
    /// The null id where the remote has no such ref.
    theirs: GitId,
}

impl Update {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(' ').skip(1);
        let (local, name, theirs) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Update { local: local.parse().ok()?, name: name.to_owned(), theirs: theirs.parse().ok()? })
    }

    /// Why this must not be done to the ledger, if it must not.
    fn harm(&self, ledger: &Ledger) -> Option<&'static str> {
        let ours = self.name.starts_with(&ledger.prefix.dir());
        match () {
            () if self.name.starts_with(refs::SEEN) => Some("is of this clone alone"),
            () if !ours || self.theirs.is_null() => None,
            () if self.local.is_null() => Some("would be deleted; the ledger is append-only"),
            () if history::is_ancestor(&ledger.repo, &self.theirs, &self.local) => None,
            () => Some("would be rewritten; the ledger is append-only"),
        }
    }

    /// Whether what is pushed are commits of the project, not the ledger's or notes.
    fn is_code(&self, ledger: &Ledger) -> bool {
        let apart = [ledger.prefix.dir(), refs::SEEN.to_owned(), "refs/notes/".to_owned()];
        !apart.iter().any(|prefix| self.name.starts_with(prefix.as_str()))
    }
}

/// Git gives the remote's name and URL, and a line an update.
fn pre_push(ledger: &Ledger, args: &[String]) -> Code {
    let remote = args.first().map_or("origin", String::as_str);
    let updates: Vec<Update> = input().lines().filter_map(Update::parse).collect();
    if let Some((update, why)) = updates.iter().find_map(|update| Some((update, update.harm(ledger)?))) {
        output::say(format_args!("tracevault: the push is stopped: {} {why}.", output::visible(&update.name)));
        output::say("hint: push branches and tags (git push --all, git push --tags); the ledger goes along by itself");
        return 1;
    }
    let updates: Vec<Update> = updates.into_iter().filter(|update| update.is_code(ledger)).collect();
    let (tips, there) = ends(ledger, &updates);
    let commits = match tips.is_empty() {
        true => Ok(Vec::new()),
        false => history::unpushed(&ledger.repo, &tips, remote, &there),
    };
    let caught_up = match &commits {
        Ok(commits) if !tips.is_empty() => catch_up(ledger, commits),
        _ => Ok(0),
    };
    // Whether the ledger may stay behind, a setting of this clone says; whether the rules are kept, it does not.
    if !may_go(ledger, remote, &updates, commits.as_deref().ok()) {
        return 1;
    }
    let caught_up = commits.map_err(Into::into).and(caught_up);
    match caught_up.and_then(|count| push_ledger(ledger, remote, count)) {
        Ok(true) => 0,
        Ok(false) => refuse(ledger.config.on_failure),
        Err(error) => {
            output::say(format_args!("tracevault: {}", output::visible(&super::told(&error))));
            if let Some(hint) = error.downcast_ref::<LedgerError>().and_then(LedgerError::hint) {
                output::say(format_args!("hint: {hint}"));
            }
            refuse(ledger.config.on_failure)
        }
    }
}

/// What is pushed, and what of it the remote has that is here, too.
fn ends<'u>(ledger: &Ledger, updates: impl IntoIterator<Item = &'u Update>) -> (Vec<GitId>, Vec<GitId>) {
    let (mut tips, mut there) = (Vec::new(), Vec::new());
    for update in updates {
        if !update.local.is_null() {
            tips.push(update.local.clone());
        }
        if !update.theirs.is_null() && ledger.repo.contains(&update.theirs) {
            there.push(update.theirs.clone());
        }
    }
    (tips, there)
}

/// The commits that come to branches which the rules are for. What waits at the remote on other branches was not judged.
fn judged(ledger: &Ledger, remote: &str, updates: &[Update], branches: &Branches) -> anyhow::Result<Vec<GitId>> {
    let (tips, mut there) = ends(ledger, updates.iter().filter(|update| branches.have(&update.name)));
    if tips.is_empty() {
        return Ok(Vec::new());
    }
    let tracking = format!("refs/remotes/{remote}/");
    let have =
        |name: &str| name.strip_prefix(&tracking).is_some_and(|name| branches.have(&format!("refs/heads/{name}")));
    there.extend(ledger.repo.refs(&tracking)?.into_iter().filter(|(name, _)| have(name)).map(|(_, id)| id));
    Ok(history::not_in(&ledger.repo, &tips, &there)?)
}

/// Whether the rules in force let these commits go. Where that cannot be told, they do not.
fn may_go(ledger: &Ledger, remote: &str, updates: &[Update], commits: Option<&[GitId]>) -> bool {
    if updates.iter().all(|update| update.local.is_null()) {
        return true;
    }
    let judged = || -> anyhow::Result<bool> {
        let rules = match ledger.rules()? {
            InForce::None => return Ok(true),
            InForce::Untold(why) => anyhow::bail!("which rules are in force cannot be told: {why}"),
            InForce::Rules(rules) => rules,
        };
        let Some(commits) = commits else { anyhow::bail!("the commits that are pushed cannot be listed") };
        let policy = Policy::read(&rules.toml);
        let commits = &match &policy.branches {
            Branches::All => commits.to_vec(),
            some => judged(ledger, remote, updates, some)?,
        };
        if commits.is_empty() {
            return Ok(true);
        }
        let report = ledger.judge(&policy, commits)?;
        let mut out = Out::to(Box::new(std::io::stderr()), output::stderr_is_terminal() && !env::no_color());
        check::tell_findings(&report, &mut out)?;
        let recorded = Writer::open(ledger).and_then(|mut writer| writer.record_check(&report, commits, rules.set));
        if let Err(error) = recorded {
            output::say(format_args!("tracevault: the check is not recorded: {}", output::visible(&error.to_string())));
        }
        Ok(report.verdict == Verdict::Pass)
    };
    match judged() {
        Ok(true) => return true,
        Ok(false) => output::say("tracevault: the push is stopped by the rules in force (git tracevault policy show)."),
        Err(error) => {
            output::say(format_args!("tracevault: {}", output::visible(&super::told(&error))));
            output::say("tracevault: the push is stopped, because it cannot be checked against the rules.");
        }
    }
    false
}

/// Whether all of the ledger is at the remote now.
fn push_ledger(ledger: &Ledger, remote: &str, caught_up: u64) -> anyhow::Result<bool> {
    let pushed = Remote::new(ledger, remote).push()?;
    push::tell_replaced(remote, pushed.replaced);
    if !pushed.findings.is_empty() {
        print_findings(&mut Out::to(Box::new(std::io::stderr()), false), &pushed.findings)?;
        return Ok(false);
    }
    push::tell_unsearched(&pushed);
    if pushed.refs > 0 {
        let records = match pushed.records {
            1 => "1 record".to_owned(),
            n => format!("{n} records"),
        };
        let late = match caught_up {
            0 => String::new(),
            1 => ", 1 commit caught up".to_owned(),
            n => format!(", {n} commits caught up"),
        };
        output::say(format_args!("tracevault: {records} pushed to {}{late}", output::visible(remote)));
    }
    Ok(true)
}

/// Records what is pushed and has no record anywhere, and all that sessions did since they were last sealed.
fn catch_up(ledger: &Ledger, commits: &[GitId]) -> anyhow::Result<u64> {
    let mut writer = Writer::open(ledger)?;
    let count = writer.catch_up(commits)?;
    writer.seal_all()?;
    Ok(count)
}

fn refuse(on_failure: OnFailure) -> Code {
    match on_failure {
        OnFailure::Warn => {
            output::say("tracevault: the ledger did not go along; the code goes alone (pushOnFailure = warn)");
            0
        }
        OnFailure::Block => {
            output::say("tracevault: the push is stopped, because the ledger cannot go along.");
            output::say(
                "hint: git tracevault doctor; to push without it once: git -c tracevault.pushOnFailure=warn push",
            );
            1
        }
    }
}

/// Seals a session that is over; what goes wrong waits for the next commit or push.
pub fn seal_ended(dir: &Path, common_dir: &Path, session: &crate::id::SessionId) {
    let seal = || -> Result<(), LedgerError> {
        let ledger = Ledger::open(dir)?;
        Writer::open(&ledger)?.seal(session).map(drop)
    };
    if let Err(error) = seal() {
        let path = common_dir.join("tracevault").join("hook-errors.log");
        drop(files::append_private(&path, format!("seal {session}: {error}\n").as_bytes()));
    }
}
