//! A ledger and a remote: what is fetched is never forced, what is pushed carries an exact lease.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crate::config;
use crate::digest::Digest;
use crate::finding::{Code, Finding};
use crate::git::command::{Git, GitError};
use crate::git::history;
use crate::git::repo::RefUpdate;
use crate::host::{clock, env, files};
use crate::id::{ChainId, GitId, LedgerId};
use crate::ledger::refs::{Holds, Prefix};
use crate::ledger::second_net::{SecondNet, Unsearched};
use crate::ledger::shelves::{Goes, Shelves};
use crate::ledger::verify::PolicyChain;
use crate::ledger::{Ledger, LedgerError, copies, payload, replaced};
use crate::record::body::Shelf;

/// How long another exchange of this clone with a remote may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// A remote by the name or URL that git knows it by.
pub struct Remote<'l> {
    ledger: &'l Ledger,
    name: String,
    /// Without the user and password it may name.
    url: String,
    /// Where its refs are seen here.
    seen: Prefix,
}

/// What a fetch brought.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Refs that moved or are new.
    pub refs: usize,
    pub findings: Vec<Finding>,
    /// Pieces with a secret that were found there, and that this clone has replaced.
    pub replaced: usize,
}

/// What a push took along.
#[derive(Debug, Default)]
pub struct Pushed {
    pub refs: usize,
    /// Records that the remote did not have, of whatever chain.
    pub records: u64,
    pub findings: Vec<Finding>,
    /// What went without having been searched by today's rules.
    pub unsearched: Vec<Unsearched>,
    /// Pieces with a secret that were found there, and that this clone has replaced: a push that was cut off took them along.
    pub replaced: usize,
}

impl<'l> Remote<'l> {
    pub fn new(ledger: &'l Ledger, name: &str) -> Self {
        let git = ledger.repo.git();
        let url = git.args(["remote", "get-url", name]).run().map_or_else(|_| name.to_owned(), |answer| answer.text());
        let url = without_user(&url);
        let seen = Prefix::seen(&known_as(ledger, &without_user(name), &url));
        Remote { ledger, name: name.to_owned(), url, seen }
    }

    /// The remote's URL, as pinned ledgers are remembered by.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its refs are seen here.
    pub fn seen(&self) -> &Prefix {
        &self.seen
    }

    /// The remote for people.
    fn shown(&self) -> String {
        without_user(&self.name)
    }

    /// Git in this repository, without what a hook's caller left in the environment.
    fn git(&self) -> Git {
        self.ledger.repo.git().env(env::PUSHING, "1").without_env("GIT_QUARANTINE_PATH")
    }

    /// The ledger's refs at the remote now.
    fn list(&self) -> Result<BTreeMap<String, GitId>, LedgerError> {
        let pattern = format!("{}*", self.ledger.prefix.dir());
        let answer = self.git().args(["ls-remote", "--refs", &self.name, &pattern]).run()?;
        let text = answer.text();
        let line = |line: &str| line.split_once('\t').and_then(|(id, name)| Some((name.to_owned(), id.parse().ok()?)));
        // A pattern also fits the end of other refs' names.
        let dir = self.ledger.prefix.dir();
        Ok(text.lines().filter_map(line).filter(|(name, _)| name.starts_with(&dir)).collect())
    }

    fn seen_name(&self, name: &str) -> String {
        format!("{}{}", self.seen.dir(), &name[self.ledger.prefix.dir().len()..])
    }

    /// What was seen of a ref of the ledger at this remote.
    fn last_seen(&self, name: &str) -> Result<Option<GitId>, LedgerError> {
        Ok(self.ledger.repo.find_ref(&self.seen_name(name))?)
    }

    /// Brings the remote's refs here. What it had and has no longer, or has otherwise now, stays and is reported.
    pub fn fetch(&self) -> Result<Fetched, LedgerError> {
        let _alone = self.ledger.alone()?;
        self.fetch_alone()
    }

    fn fetch_alone(&self) -> Result<Fetched, LedgerError> {
        let there = self.list()?;
        let mut fetched = Fetched { findings: self.gone(&there)?, ..Fetched::default() };
        let (mut wanted, mut came) = (Vec::new(), Vec::new());
        for (name, id) in &there {
            let seen = self.last_seen(name)?;
            if seen.as_ref() != Some(id) {
                wanted.push(name.clone());
                came.push((name, seen));
            }
        }
        fetched.refs = wanted.len();
        if !wanted.is_empty() {
            for name in &wanted {
                self.ledger.repo.remove_stale_lock(&self.seen_name(name));
            }
            let specs = wanted.iter().map(|name| format!("{name}:{}", self.seen_name(name)));
            let answer = self
                .git()
                .args([
                    "fetch",
                    "--quiet",
                    "--no-tags",
                    "--no-prune",
                    "--no-write-fetch-head",
                    // A partial clone would leave the records' bytes at the remote.
                    "--no-filter",
                    "--no-recurse-submodules",
                ])
                .args(["--no-auto-maintenance", &self.name])
                .args(specs)
                .answer()?;
            let before = fetched.findings.len();
            for name in &wanted {
                let seen = self.last_seen(name)?;
                if seen.as_ref() != there.get(name) {
                    fetched.findings.push(self.moved(name, seen.as_ref(), there.get(name)));
                }
            }
            if answer.code != Some(0) && fetched.findings.len() == before {
                return Err(failed("fetch", answer.code, answer.stderr));
            }
            fetched.replaced = self.replaced_among(&came)?;
        }
        fetched.findings.extend(self.accept_policy()?);
        if self.ledger.policy()?.is_some() && self.lacks_payloads(&there)? {
            self.ledger.forget_expired()?;
        }
        Ok(fetched)
    }

    /// How many pieces with a secret came with own payload refs (name, what was seen there before) that were replaced here: a
    /// push was cut off before it noted what it had sent, so that they were taken for pieces that no remote has.
    fn replaced_among(&self, came: &[(&String, Option<GitId>)]) -> Result<usize, LedgerError> {
        let mut pieces = HashSet::new();
        for (name, before) in came {
            let is_own = match self.ledger.prefix.read(name) {
                Some(Holds::Payload(_, _, chain)) => self.ledger.own_chain() == Some(chain),
                _ => false,
            };
            if let (true, Some(now)) = (is_own, self.last_seen(name)?) {
                // What is wrong with the ref is told by whoever verifies it.
                let added = payload::added(&self.ledger.repo, before.as_ref(), &now).unwrap_or_default();
                let ours = self.ledger.repo.find_ref(name)?;
                let ours = ours.and_then(|ours| payload::shelf(&self.ledger.repo, &ours).ok()).unwrap_or_default();
                pieces.extend(added.into_keys().filter(|piece| !ours.contains_key(piece)));
            }
        }
        if pieces.is_empty() {
            return Ok(0);
        }
        let replaced = replaced::pieces(&self.ledger.read_all()?);
        Ok(pieces.intersection(&replaced).count())
    }

    /// Whether payloads are here, or were seen there, that the remote has not.
    fn lacks_payloads(&self, there: &BTreeMap<String, GitId>) -> Result<bool, LedgerError> {
        let prefix = &self.ledger.prefix;
        let ours = self.ledger.repo.refs(&prefix.dir())?.into_iter().map(|(name, _)| name);
        let seen = self.ledger.repo.refs(&self.seen.dir())?;
        let seen = seen.into_iter().map(|(name, _)| format!("{}{}", prefix.dir(), &name[self.seen.dir().len()..]));
        let expires = |name: &String| matches!(prefix.read(name), Some(Holds::Payload(..) | Holds::Hold(_)));
        Ok(ours.chain(seen).any(|name| expires(&name) && !there.contains_key(&name)))
    }

    /// Deletes at the remote the payloads that the policy chain says were pruned, and what a released case held; how many
    /// refs. Each from where it is now, or not at all.
    pub fn delete_expired(&self) -> Result<usize, LedgerError> {
        let _alone = self.ledger.alone()?;
        let (there, keeping) = (self.list()?, self.ledger.decided()?.keeping);
        let has_expired = |name: &str| match self.ledger.prefix.read(name) {
            Some(Holds::Payload(class, month, chain)) => {
                keeping.lets_go(&Shelf { chain, class, month }, clock::now()).is_some()
            }
            Some(Holds::Hold(case)) => !keeping.holds().contains_key(&case),
            _ => false,
        };
        // What was seen there and no more: somebody may have put more on the shelf meanwhile.
        let mut gone = Vec::new();
        for (name, id) in there.iter().filter(|(name, _)| has_expired(name)) {
            match self.last_seen(name)? {
                Some(seen) if seen == *id => gone.push((name, id)),
                // What a hold keeps is copies.
                _ if matches!(self.ledger.prefix.read(name), Some(Holds::Hold(_))) => gone.push((name, id)),
                _ => {
                    let what = format!("{name} at {} is another than was pruned: fetch, and prune again", self.shown());
                    return Err(LedgerError::Refused(what));
                }
            }
        }
        if gone.is_empty() {
            return Ok(0);
        }
        let leases = gone.iter().map(|(name, id)| format!("--force-with-lease={name}:{id}"));
        let git = self.git().args(["push", "--porcelain", "--atomic", "--no-verify"]).args(leases).arg(&self.name);
        let answer = git.args(gone.iter().map(|(name, _)| format!(":{name}"))).answer()?;
        if answer.code != Some(0) {
            let text = String::from_utf8_lossy(&answer.stdout).into_owned();
            let error = self.not_taken(&text, &answer.stderr, answer.code);
            let hint = "the remote keeps them until it lets its administrator delete these refs; then prune again";
            return Err(LedgerError::Refused(format!("{error}\n  {hint}")));
        }
        for (name, _) in &gone {
            let expected = self.last_seen(name)?;
            if expected.is_some() {
                self.ledger.repo.update_refs(&[RefUpdate { name: self.seen_name(name), new: None, expected }])?;
            }
        }
        Ok(gone.len())
    }

    /// Chains that this remote had when it was last seen.
    fn gone(&self, there: &BTreeMap<String, GitId>) -> Result<Vec<Finding>, LedgerError> {
        let mut findings = Vec::new();
        for (seen, id) in self.ledger.repo.refs(&self.seen.dir())? {
            let name = format!("{}{}", self.ledger.prefix.dir(), &seen[self.seen.dir().len()..]);
            if let (false, Some(Holds::Chain(chain) | Holds::Seals(chain))) =
                (there.contains_key(&name), self.ledger.prefix.read(&name))
            {
                let message = format!("{} had {name} at {} and has it no longer", self.shown(), id.short());
                findings.push(Finding::new(Code::Rollback, message).chain(chain));
            }
        }
        Ok(findings)
    }

    /// Why git did not take a ref: it was rewound, or rewritten.
    fn moved(&self, name: &str, seen: Option<&GitId>, there: Option<&GitId>) -> Finding {
        let (seen_text, there_text) = (seen.map_or("nothing", GitId::short), there.map_or("nothing", GitId::short));
        let chain = match self.ledger.prefix.read(name) {
            Some(Holds::Chain(chain) | Holds::Seals(chain) | Holds::Payload(_, _, chain)) => chain.to_string(),
            Some(Holds::Hold(_)) | None => name.to_owned(),
        };
        let rewound = match (seen, there) {
            (Some(seen), Some(there)) => self.is_ancestor(there, seen),
            _ => false,
        };
        let (code, what) = if rewound {
            (Code::Rollback, "was rewound")
        } else {
            (Code::Fork, "was rewritten; what was seen is kept")
        };
        Finding::new(code, format!("{name} at {} {what}: seen at {seen_text}, now at {there_text}", self.shown()))
            .chain(chain)
    }

    fn is_ancestor(&self, old: &GitId, new: &GitId) -> bool {
        history::is_ancestor(&self.ledger.repo, old, new)
    }

    /// Takes over the remote's policy chain, if it is sound, goes on from ours and belongs to the pinned ledger;
    /// pins it where nothing is pinned yet, as ssh does with a host it meets for the first time.
    fn accept_policy(&self) -> Result<Vec<Finding>, LedgerError> {
        let name = self.ledger.prefix.chain(ChainId::Policy);
        let Some(theirs) = self.last_seen(&name)? else { return Ok(Vec::new()) };
        let ours = self.ledger.repo.find_ref(&name)?;
        if ours.as_ref() == Some(&theirs) {
            return Ok(Vec::new());
        }
        let tips = [(self.seen_name(&name), theirs.clone())];
        let walk = copies::walk(&self.ledger.repo, ChainId::Policy, &tips, None);
        if !walk.findings.is_empty() {
            return Ok(walk.findings);
        }
        let chain = PolicyChain::verify(&self.ledger.repo, &walk.commits().collect::<Vec<_>>());
        if !chain.findings.is_empty() {
            return Ok(chain.findings);
        }
        let Some(found) = chain.ledger else { return Ok(Vec::new()) };
        if let Some(finding) = self.contradiction(found)? {
            return Ok(vec![finding]);
        }
        match &ours {
            Some(ours) if self.is_ancestor(&theirs, ours) => return Ok(Vec::new()),
            Some(ours) if walk.position(ours).is_none() => {
                let message = format!("{name} at {} does not go on from ours", self.shown());
                return Ok(vec![Finding::new(Code::Fork, message).chain(ChainId::Policy)]);
            }
            _ => {}
        }
        self.ledger.repo.update_refs(&[RefUpdate { name, new: Some(theirs), expected: ours }])?;
        self.pin(found)?;
        Ok(Vec::new())
    }

    /// Whether something that is trusted names another ledger.
    fn contradiction(&self, found: LedgerId) -> Result<Option<Finding>, LedgerError> {
        let config = &self.ledger.config;
        let sources = [
            ("this clone", config.pinned),
            ("this user", config::known_ledger(self.url())?),
            (config::COMMITTED, config.committed.as_ref().map(|file| file.ledger)),
        ];
        let other = sources.into_iter().find_map(|(who, pinned)| pinned.filter(|id| *id != found).map(|id| (who, id)));
        Ok(other.map(|(who, pinned)| {
            let message = format!("{} has ledger {found}; {who} trusts {pinned}", self.shown());
            Finding::new(Code::Ledger, message).chain(ChainId::Policy)
        }))
    }

    /// Remembers the ledger for this clone and for the remote's URL.
    pub fn pin(&self, ledger: LedgerId) -> Result<(), LedgerError> {
        self.ledger.pin(ledger)?;
        Ok(config::remember_ledger(self.url(), ledger)?)
    }

    /// Pushes what the remote does not have of this clone's refs, all or nothing, each from where it was last seen.
    pub fn push(&self) -> Result<Pushed, LedgerError> {
        let _alone = self.ledger.alone()?;
        self.ledger.finish_taking_off()?;
        // What it had is looked at first: a remote that was rewound gets nothing, though nothing of ours moves there.
        let there = self.list()?;
        let gone = self.gone(&there)?;
        if !gone.is_empty() {
            return Ok(Pushed { findings: gone, ..Pushed::default() });
        }
        let first = if self.as_seen(&there)? { self.push_once()? } else { Attempt::Stale };
        match first {
            Attempt::Done(pushed) => Ok(pushed),
            Attempt::Stale => {
                // Somebody moved our refs, or our own last push was cut off before we noted it: look, then once more.
                let Fetched { findings, replaced, .. } = self.fetch_alone()?;
                if !findings.is_empty() {
                    return Ok(Pushed { findings, replaced, ..Pushed::default() });
                }
                match self.push_once()? {
                    Attempt::Done(pushed) => Ok(Pushed { replaced, ..pushed }),
                    Attempt::Stale => {
                        Err(LedgerError::Refused(format!("{} keeps moving this clone's refs", self.shown())))
                    }
                }
            }
        }
    }

    /// Whether the remote has of this clone's refs what it was last seen to have.
    fn as_seen(&self, there: &BTreeMap<String, GitId>) -> Result<bool, LedgerError> {
        for (name, _) in self.own_refs()? {
            if self.last_seen(&name)?.as_ref() != there.get(&name) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// This clone's refs: its chain, its payloads, and the policy chain where it is ahead.
    fn own_refs(&self) -> Result<Vec<(String, GitId)>, LedgerError> {
        let (own, witness) = (self.ledger.own_chain(), self.ledger.witness_chain());
        let mut refs = self.ledger.repo.refs(&self.ledger.prefix.dir())?;
        refs.retain(|(name, _)| match self.ledger.prefix.read(name) {
            Some(Holds::Chain(ChainId::Policy) | Holds::Hold(_)) => true,
            // What was written with the key before this one, too: its end is pushed when the new one is in use.
            Some(Holds::Chain(chain) | Holds::Payload(_, _, chain)) => {
                Some(chain) == own || self.ledger.has_key_of(chain)
            }
            Some(Holds::Seals(chain)) => Some(chain) == witness,
            None => false,
        });
        Ok(refs)
    }

    /// What the remote does not have of this clone's refs: name, what it is to have there, what was seen there. And what it
    /// has in another form than ours.
    fn moves(&self) -> Result<(Vec<Move>, Vec<Finding>), LedgerError> {
        let _writing = self.ledger.writing()?;
        let mut shelves = Shelves::new(self.ledger);
        let (mut moves, mut findings) = (Vec::new(), Vec::new());
        for (name, ours) in self.own_refs()? {
            let seen = self.last_seen(&name)?;
            // A policy chain that the remote has more of than we is not ours to push.
            if seen.as_ref().is_some_and(|seen| *seen == ours || self.is_ancestor(&ours, seen)) {
                continue;
            }
            let goes = match self.ledger.prefix.read(&name) {
                Some(Holds::Payload(class, month, chain)) => {
                    shelves.goes(&name, &Shelf { chain, class, month }, ours.clone(), seen.as_ref())?
                }
                // A lease would let it be forced.
                _ if seen.as_ref().is_some_and(|seen| !self.is_ancestor(seen, &ours)) => Goes::Apart,
                _ => Goes::To(ours.clone()),
            };
            match goes {
                Goes::To(new) => moves.push((name, new, seen)),
                Goes::Nothing => {}
                Goes::Apart => findings.push(self.moved(&name, Some(&ours), seen.as_ref())),
            }
        }
        Ok((moves, findings))
    }

    fn push_once(&self) -> Result<Attempt, LedgerError> {
        let (moves, findings) = self.moves()?;
        if moves.is_empty() || !findings.is_empty() {
            return Ok(Attempt::Done(Pushed { findings, ..Pushed::default() }));
        }
        let unsearched = self.search(&moves)?;
        let mut git = self.git().args(["push", "--porcelain", "--atomic", "--no-verify", "--no-follow-tags"]);
        for (name, _, seen) in &moves {
            let lease = seen.as_ref().map(GitId::to_string).unwrap_or_default();
            git = git.arg(format!("--force-with-lease={name}:{lease}"));
        }
        let specs = moves.iter().map(|(name, ours, _)| format!("{ours}:{name}"));
        let answer = git.arg(&self.name).args(specs).answer()?;
        if answer.code != Some(0) {
            let text = String::from_utf8_lossy(&answer.stdout).into_owned();
            let stale = ["[rejected] (stale info)", "(fetch first)", "(non-fast-forward)"];
            // Another owner's push of the policy came first, between git's look at the remote and its push.
            let overtaken = text.contains("cannot lock ref") || answer.stderr.contains("cannot lock ref");
            if overtaken || stale.iter().any(|word| text.contains(word)) {
                return Ok(Attempt::Stale);
            }
            return Err(self.not_taken(&text, &answer.stderr, answer.code));
        }
        let mut pushed = Pushed { refs: moves.len(), unsearched, ..Pushed::default() };
        for (name, ours, seen) in moves {
            if matches!(self.ledger.prefix.read(&name), Some(Holds::Chain(_) | Holds::Seals(_))) {
                pushed.records += self.count(seen.as_ref(), &ours)?;
            }
            let update = RefUpdate { name: self.seen_name(&name), new: Some(ours), expected: seen };
            self.ledger.repo.update_refs(&[update])?;
        }
        Ok(Attempt::Done(pushed))
    }

    /// Searches what writers' chains are about to take along; an error where there is a secret in it.
    fn search(&self, moves: &[Move]) -> Result<Vec<Unsearched>, LedgerError> {
        let mut net = SecondNet::new(self.ledger);
        for (name, ours, seen) in moves {
            if let Some(Holds::Chain(ChainId::Writer(_))) = self.ledger.prefix.read(name) {
                net.take_in(name, ours, seen.as_ref())?;
            }
        }
        net.search()
    }

    /// What git says of a push that failed: the refs that were not taken, else what it could not do.
    fn not_taken(&self, porcelain: &str, stderr: &str, code: Option<i32>) -> LedgerError {
        let line = |line: &str| {
            let mut fields = line.strip_prefix("!\t")?.splitn(2, '\t');
            let (name, why) = (fields.next()?.rsplit(':').next()?, fields.next()?);
            Some(format!("{name} {why}"))
        };
        let refs: Vec<String> = porcelain.lines().filter_map(line).collect();
        if refs.is_empty() {
            return failed("push", code, stderr.to_owned());
        }
        let said = stderr.lines().filter(|line| line.starts_with("remote:")).map(str::trim_end);
        let text = refs.into_iter().chain(said.map(str::to_owned)).collect::<Vec<_>>().join("\n  ");
        LedgerError::Refused(format!("{} did not take the ledger:\n  {text}", self.shown()))
    }

    fn count(&self, from: Option<&GitId>, to: &GitId) -> Result<u64, LedgerError> {
        let range = from.map_or_else(|| to.to_string(), |from| format!("{from}..{to}"));
        let answer = self.git().args(["rev-list", "--count", &range]).run()?;
        Ok(answer.text().parse().unwrap_or_default())
    }
}

/// A ref's name, what a remote is to have there, and what it was seen to have.
type Move = (String, GitId, Option<GitId>);

enum Attempt {
    Done(Pushed),
    Stale,
}

fn failed(command: &str, code: Option<i32>, stderr: String) -> LedgerError {
    let status = code.map_or_else(|| "killed".to_owned(), |code| format!("exit {code}"));
    GitError::Failed { command: command.to_owned(), status, code, stderr }.into()
}

/// A URL without user and password: they are nobody's business, and change while the remote stays the same.
pub fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let host = rest[..end].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[host..])
        }
        None => url.to_owned(),
    }
}

/// Remotes and the SHA-256 of the URL that each had when it was first met, a line each.
const REMOTES: &str = "remotes";

/// What a remote is called in the refs that say what was seen of it. One that was given another URL is another remote:
/// what the old one had says nothing of it, and is kept.
fn known_as(ledger: &Ledger, name: &str, url: &str) -> String {
    let digest = Digest::of(url.as_bytes());
    let path = ledger.dir().join(REMOTES);
    let text = files::read_if_exists(&path).ok().flatten().unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let known = text.lines().filter_map(|line| line.split_once(' ')).find(|(_, known)| *known == name);
    match known.and_then(|(digest, _)| digest.parse::<Digest>().ok()) {
        Some(met) if met != digest => format!("{name}@{digest}"),
        Some(_) => name.to_owned(),
        None => {
            // Where it cannot be noted, nothing can be seen of it either.
            let line = format!("{digest} {name}\n");
            drop(files::create_private_dir(ledger.dir()).and_then(|()| files::append_private(&path, line.as_bytes())));
            name.to_owned()
        }
    }
}

impl Ledger {
    /// One exchange with remotes at a time: two pushes of one clone move the same refs.
    pub(super) fn alone(&self) -> Result<files::Lock, LedgerError> {
        let path = self.dir().join("exchange.lock");
        files::create_private_dir(self.dir())
            .and_then(|()| files::lock(&path, PATIENCE))
            .map_err(|source| LedgerError::File { path, source })
    }

    /// Trusts a ledger in this clone from now on.
    pub fn pin(&self, ledger: LedgerId) -> Result<(), LedgerError> {
        if self.config.pinned != Some(ledger) {
            let id = ledger.to_string();
            self.repo.git().args(["config", "--local", config::LEDGER, &id]).run()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_no_part_of_a_remote() {
        for (url, shown) in [
            ("https://user:ghs_x@host/x.git", "https://host/x.git"),
            ("https://host/a@b.git", "https://host/a@b.git"),
            ("https://host", "https://host"),
            ("git@host:x.git", "git@host:x.git"),
            ("/srv/x@y.git", "/srv/x@y.git"),
            ("origin", "origin"),
        ] {
            assert_eq!(without_user(url), shown);
        }
    }
}
