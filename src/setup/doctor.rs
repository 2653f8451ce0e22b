//! What is missing for a session to be captured, recorded and pushed, and the command that mends it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::agent::claude_code::settings::{self, Presence};
use crate::finding::Verdict;
use crate::git::command::{Git, GitError, find_program};
use crate::host::files;
use crate::id::LedgerId;
use crate::nudge::Settings;
use crate::setup::managers;
use crate::setup::place::{Location, Place};
use crate::setup::{Hook, HookState};

/// The oldest git that does all we ask of it.
const OLDEST_GIT: (u32, u32) = (2, 30);
const INIT: &str = "git tracevault init";

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub ok: Verdict,
    /// What was found, in a sentence.
    pub detail: String,
    /// The command, or what else to do, that makes it right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Check {
    fn pass(name: &'static str, detail: impl Into<String>) -> Self {
        Check { name, ok: Verdict::Pass, detail: detail.into(), mend: None }
    }

    fn fail(name: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Check { name, ok: Verdict::Fail, detail: detail.into(), mend: Some(mend.into()) }
    }

    fn unknown(name: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Check { name, ok: Verdict::Inconclusive, detail: detail.into(), mend: Some(mend.into()) }
    }
}

/// What the machine and the repository say.
#[derive(Debug)]
pub struct Machine {
    /// As git writes it, `git version 2.47.3`.
    pub git_version: String,
    /// Where `git-tracevault` is found on the path.
    pub program: Option<PathBuf>,
    pub reftable: bool,
    pub shallow: bool,
    pub remotes: Vec<String>,
    /// Where git looks for hooks, if that is outside the repository.
    pub shared_hooks: Option<PathBuf>,
    pub hooks: Vec<(Hook, HookState)>,
    /// The agent's settings files that exist.
    pub agents: Vec<AgentSettings>,
}

/// One settings file of an agent.
#[derive(Debug)]
pub struct AgentSettings {
    pub path: PathBuf,
    /// Whether it holds for this user everywhere, or for this folder only.
    pub everywhere: bool,
    /// What there is of ours, or why it cannot be told.
    pub presence: Result<Presence, String>,
}

/// What the ledger's own files say; the ledger's code fills it in.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Whether `init` has marked this clone.
    pub enrolled: bool,
    pub key: Key,
    /// What is decided of the key.
    pub standing: Standing,
    /// The ledger whose genesis is among this clone's refs.
    pub genesis: Option<LedgerId>,
    pub pinned: Pinned,
    /// `tracevault.nudge`.
    pub nudge: Option<String>,
    /// What is wrong with its configuration, without which nothing else can be told.
    pub unreadable: Option<String>,
}

/// Whether what this clone's key signs counts, as the policy chain that is here says.
#[derive(Debug, Default)]
pub enum Standing {
    /// There is no key or no ledger, or it cannot be told.
    #[default]
    Untold,
    Counts,
    /// Nobody has enrolled it: in words, and what to do.
    Pending(&'static str, String),
    /// It was closed: in words, and what to do.
    Closed(&'static str, String),
}

/// This device's signing key.
#[derive(Debug, Default)]
pub enum Key {
    #[default]
    Missing,
    Unreadable {
        path: PathBuf,
        why: String,
    },
    /// Its chain, of this name, was closed: nothing can be written with it any more.
    Closed(String),
    /// With its permission bits, where the system has such.
    Present {
        path: PathBuf,
        mode: Option<u32>,
    },
}

/// The ledger id in `.tracevault/config.toml`.
#[derive(Debug, Default)]
pub enum Pinned {
    /// No file, or no id in it.
    #[default]
    Missing,
    Unreadable(String),
    Id(LedgerId),
}

/// Asks git and the files around `dir`. `user_settings` is where the agent keeps the user's own settings.
pub fn look(dir: &Path, program: &Path, user_settings: Option<&Path>) -> Result<Machine, GitError> {
    let place = Place::find(dir)?;
    let text = |args: &[&str]| Git::in_dir(dir).args(args).answer().map(|answer| answer.text());
    let shared = place.location() == Location::Outside;
    let project = [".claude/settings.json", ".claude/settings.local.json"].map(|file| (place.top.join(file), false));
    let user = user_settings.map(|path| (path.to_owned(), true));
    Ok(Machine {
        git_version: text(&["--version"])?,
        program: find_program("git-tracevault"),
        reftable: text(&["config", "--get", "extensions.refStorage"])? == "reftable",
        shallow: text(&["rev-parse", "--is-shallow-repository"])? == "true",
        remotes: text(&["remote"])?.lines().map(str::to_owned).collect(),
        hooks: Hook::ALL.into_iter().map(|hook| (hook, super::state_at(&place, program, hook))).collect(),
        shared_hooks: shared.then_some(place.hooks),
        agents: project.into_iter().chain(user).filter_map(|(path, everywhere)| agent_at(path, everywhere)).collect(),
    })
}

fn agent_at(path: PathBuf, everywhere: bool) -> Option<AgentSettings> {
    let presence = match files::read_if_exists(&path) {
        Ok(bytes) => String::from_utf8(bytes?)
            .map_err(|_| "it is not UTF-8".to_owned())
            .and_then(|text| settings::inspect(&text).map_err(|error| error.to_string())),
        Err(error) => Err(error.to_string()),
    };
    Some(AgentSettings { path, everywhere, presence })
}

/// Every question, answered, in the order in which a user would mend.
pub fn checks(machine: &Machine, ledger: &Ledger) -> Vec<Check> {
    let mut checks = vec![git(machine), storage(machine), program(machine)];
    match &ledger.unreadable {
        Some(why) => checks.push(configuration(why)),
        None => {
            checks.extend([enrolled(ledger), key(ledger)]);
            checks.extend(standing(ledger));
            checks.extend(pin(ledger));
        }
    }
    checks.extend(hooks(machine));
    checks.extend(agents(machine));
    if ledger.unreadable.is_none() {
        checks.push(nudges(ledger));
    }
    checks.extend(remote(machine));
    checks
}

fn configuration(why: &str) -> Check {
    let detail = format!("{why}: no command works, and agents are stopped by the rules that were known last");
    Check::fail("configuration", detail, "mend the file or the setting that it names")
}

fn git(machine: &Machine) -> Check {
    let name = "git";
    let said = &machine.git_version;
    let mut numbers = said.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok());
    let least = format!("git {}.{} or later", OLDEST_GIT.0, OLDEST_GIT.1);
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST_GIT => Check::pass(name, said),
        (Some(_), Some(_)) => Check::fail(name, format!("{said} is too old"), format!("install {least}")),
        _ => Check::unknown(name, format!("git says {said:?} of its version"), format!("make sure it is {least}")),
    }
}

fn storage(machine: &Machine) -> Check {
    let name = "ref storage";
    if machine.reftable {
        let mend = "git refs migrate --ref-format=files";
        return Check::fail(name, "this repository keeps its refs as reftable, which is not supported yet", mend);
    }
    Check::pass(name, "files")
}

fn program(machine: &Machine) -> Check {
    let name = "program";
    match &machine.program {
        Some(path) => Check::pass(name, path.display().to_string()),
        None => {
            let detail = "git-tracevault is not on the path, so agents' hooks in committed settings call nothing";
            Check::fail(name, detail, "put git-tracevault into a folder of your PATH")
        }
    }
}

fn enrolled(ledger: &Ledger) -> Check {
    let name = "enrolled";
    if ledger.enrolled {
        return Check::pass(name, "this clone is enrolled");
    }
    Check::fail(name, "this clone is not enrolled: every hook does nothing", INIT)
}

fn key(ledger: &Ledger) -> Check {
    let name = "key";
    match &ledger.key {
        Key::Missing => Check::fail(name, "this device has no signing key", INIT),
        Key::Unreadable { path, why } => {
            Check::fail(name, format!("{} cannot be read: {why}", path.display()), format!("mend it, then {INIT}"))
        }
        Key::Closed(chain) => {
            Check::fail(name, format!("its chain {chain} was closed: nothing is recorded"), "git tracevault key rotate")
        }
        Key::Present { path, mode: Some(mode) } if mode & 0o077 != 0 => {
            let path = path.display();
            let detail = format!("{path} may be used by others (mode {:04o})", mode & 0o7777);
            Check::fail(name, detail, format!("chmod 600 '{path}'"))
        }
        Key::Present { path, .. } => Check::pass(name, path.display().to_string()),
    }
}

fn standing(ledger: &Ledger) -> Option<Check> {
    let name = "key's standing";
    match &ledger.standing {
        // What the chain itself says of its end comes first.
        _ if matches!(ledger.key, Key::Closed(_)) => None,
        Standing::Untold => None,
        Standing::Counts => Some(Check::pass(name, "enrolled")),
        Standing::Pending(detail, mend) => Some(Check::unknown(name, *detail, mend)),
        Standing::Closed(detail, mend) => Some(Check::fail(name, *detail, mend)),
    }
}

fn pin(ledger: &Ledger) -> Vec<Check> {
    let found = match ledger.genesis {
        Some(id) => Check::pass("ledger", format!("ledger {}", id.short())),
        None => {
            Check::fail("ledger", "the ledger is not in this clone", "git tracevault fetch, or init in a new project")
        }
    };
    let name = "pinned ledger";
    let file = ".tracevault/config.toml";
    let pinned = match (&ledger.pinned, ledger.genesis) {
        (Pinned::Missing, _) => Check::fail(name, format!("{file} names no ledger"), INIT),
        (Pinned::Unreadable(why), _) => {
            Check::unknown(name, format!("{file} cannot be read: {why}"), format!("mend {file}"))
        }
        (Pinned::Id(id), None) => Check::unknown(
            name,
            format!("{file} names ledger {}, which is not here", id.short()),
            "git tracevault fetch",
        ),
        (Pinned::Id(id), Some(genesis)) if *id == genesis => Check::pass(name, format!("{file} names it")),
        (Pinned::Id(id), Some(genesis)) => Check::fail(
            name,
            format!("{file} names ledger {}, but {} is here (E-LEDGER)", id.short(), genesis.short()),
            "find out who changed which: never run init over it",
        ),
    };
    vec![found, pinned]
}

fn hooks(machine: &Machine) -> Vec<Check> {
    let advice = machine.shared_hooks.as_deref().map(managers::shared_folder_advice);
    let mend = || advice.clone().unwrap_or_else(|| INIT.to_owned());
    let each = |(hook, state): &(Hook, HookState)| match state {
        HookState::Current => Check::pass(hook.name(), "installed"),
        HookState::Outdated => Check::fail(hook.name(), "installed by another version or for another program", mend()),
        HookState::Missing => Check::fail(hook.name(), "not installed: git does not call us", mend()),
    };
    machine.hooks.iter().map(each).collect()
}

fn agents(machine: &Machine) -> Vec<Check> {
    let name = "claude-code";
    let mut checks = Vec::new();
    for agent in &machine.agents {
        let path = agent.path.display();
        match &agent.presence {
            Err(why) => checks.push(Check::unknown(name, format!("{path}: {why}"), format!("mend {path}"))),
            Ok(presence) if presence.disabled => {
                let detail = format!("{path} turns all hooks off");
                checks.push(Check::fail(name, detail, format!("take \"disableAllHooks\" out of {path}")));
            }
            Ok(_) => {}
        }
    }
    let known = || machine.agents.iter().filter_map(|agent| Some((agent, agent.presence.as_ref().ok()?)));
    let complete = known().find(|(_, presence)| presence.missing.is_empty());
    let best = complete.or_else(|| known().min_by_key(|(_, presence)| presence.missing.len()));
    checks.push(match best {
        Some((agent, presence)) if presence.silent => {
            let path = agent.path.display();
            Check::fail(
                name,
                format!("{path} calls us as an earlier version did: no secret in a prompt is stopped"),
                INIT,
            )
        }
        Some((agent, presence)) if presence.missing.is_empty() => {
            let path = agent.path.display();
            let reach = if agent.everywhere { "in every folder" } else { "for sessions begun in the top folder" };
            Check::pass(name, format!("{path} calls us {reach}"))
        }
        Some((agent, presence)) if presence.installed => {
            let path = agent.path.display();
            Check::fail(name, format!("{path} does not call us on {}", presence.missing.join(", ")), INIT)
        }
        _ => Check::fail(name, "Claude Code does not call us", format!("{INIT} (or {INIT} --global)")),
    });
    checks
}

/// What agents are told while they work.
fn nudges(ledger: &Ledger) -> Check {
    match Settings::parse(ledger.nudge.as_deref().unwrap_or_default()) {
        Ok(settings) if settings.is_silent() => Check::pass("nudges", "agents are told nothing (tracevault.nudge)"),
        Ok(settings) => {
            let words = settings.words().collect::<Vec<_>>().join(", ");
            Check::pass("nudges", format!("agents are told of these: {words}"))
        }
        Err(error) => {
            let detail = format!("tracevault.nudge counts for nothing: {error}");
            Check::fail("nudges", detail, "git config tracevault.nudge block")
        }
    }
}

fn remote(machine: &Machine) -> Vec<Check> {
    let remotes = match &machine.remotes[..] {
        [] => Check::unknown("remote", "no remote: records stay in this clone", "git remote add origin URL"),
        names => Check::pass("remote", names.join(", ")),
    };
    let whole = if machine.shallow {
        let detail = "the clone is shallow: commits beyond its edge cannot be told from missing ones";
        Check::unknown("history", detail, "git fetch --unshallow")
    } else {
        Check::pass("history", "whole")
    };
    vec![remotes, whole]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn sound() -> (Machine, Ledger) {
        let id = LedgerId(Digest::of(b"genesis"));
        let presence = || Presence { missing: Vec::new(), disabled: false, installed: true, silent: false };
        let machine = Machine {
            git_version: "git version 2.39.5 (Apple Git-154)".to_owned(),
            program: Some("/bin/git-tracevault".into()),
            reftable: false,
            shallow: false,
            remotes: vec!["origin".to_owned()],
            shared_hooks: None,
            hooks: Hook::ALL.map(|hook| (hook, HookState::Current)).to_vec(),
            agents: vec![AgentSettings { path: "settings.json".into(), everywhere: false, presence: Ok(presence()) }],
        };
        let key = Key::Present { path: "key".into(), mode: Some(0o100600) };
        (
            machine,
            Ledger {
                enrolled: true,
                key,
                standing: Standing::Counts,
                genesis: Some(id),
                pinned: Pinned::Id(id),
                nudge: None,
                unreadable: None,
            },
        )
    }

    /// The names of what is not a pass after `spoil`, each with a `?` where it is not known.
    fn wrong(spoil: impl FnOnce(&mut Machine, &mut Ledger)) -> String {
        let (mut machine, mut ledger) = sound();
        spoil(&mut machine, &mut ledger);
        let wrong = checks(&machine, &ledger).into_iter().filter(|check| check.ok != Verdict::Pass);
        let shown = wrong.map(|check| {
            assert!(check.mend.is_some(), "{} says what to do", check.name);
            format!("{}{}", check.name, if check.ok == Verdict::Inconclusive { "?" } else { "" })
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_thing_that_is_missing_is_told_and_nothing_else() {
        let other = LedgerId(Digest::of(b"other"));
        let other = move || Pinned::Id(other);
        assert_eq!(wrong(|_, _| ()), "");
        assert_eq!(wrong(|_, l| l.unreadable = Some("config.toml: no key".to_owned())), "configuration");
        assert_eq!(wrong(|m, _| m.git_version = "git version 2.29.2".to_owned()), "git");
        assert_eq!(wrong(|m, _| m.git_version = "git version 3.0".to_owned()), "");
        assert_eq!(wrong(|m, _| m.git_version = "nonsense".to_owned()), "git?");
        assert_eq!(wrong(|m, _| m.reftable = true), "ref storage");
        assert_eq!(wrong(|m, _| m.program = None), "program");
        assert_eq!(wrong(|_, l| l.enrolled = false), "enrolled");
        assert_eq!(wrong(|_, l| l.key = Key::Missing), "key");
        assert_eq!(wrong(|_, l| l.key = Key::Unreadable { path: "k".into(), why: "denied".into() }), "key");
        assert_eq!(wrong(|_, l| l.key = Key::Closed("025c6a10".into())), "key");
        assert_eq!(wrong(|_, l| l.key = Key::Present { path: "k".into(), mode: Some(0o640) }), "key");
        assert_eq!(wrong(|_, l| l.key = Key::Present { path: "k".into(), mode: None }), "");
        assert_eq!(wrong(|_, l| l.standing = Standing::Pending("not enrolled", "push".into())), "key's standing?");
        assert_eq!(wrong(|_, l| l.standing = Standing::Closed("closed", "init".into())), "key's standing");
        assert_eq!(wrong(|_, l| l.standing = Standing::Untold), "");
        assert_eq!(wrong(|_, l| l.genesis = None), "ledger pinned ledger?");
        assert_eq!(wrong(|_, l| l.pinned = Pinned::Missing), "pinned ledger");
        assert_eq!(wrong(|_, l| l.pinned = Pinned::Unreadable("line 1".into())), "pinned ledger?");
        assert_eq!(wrong(|_, l| l.pinned = other()), "pinned ledger");
        assert_eq!(wrong(|m, _| m.hooks[3].1 = HookState::Missing), "pre-push");
        assert_eq!(wrong(|m, _| m.hooks[0].1 = HookState::Outdated), "post-commit");
        assert_eq!(wrong(|m, _| m.remotes.clear()), "remote?");
        assert_eq!(wrong(|m, _| m.shallow = true), "history?");
        assert_eq!(wrong(|m, _| m.agents.clear()), "claude-code");
    }

    #[test]
    fn one_complete_settings_file_is_enough_but_a_broken_or_silenced_one_is_told() {
        let add = |presence: Result<Presence, String>| {
            wrong(|m, _| m.agents.push(AgentSettings { path: "other.json".into(), everywhere: true, presence }))
        };
        let presence = |disabled, missing| Presence { missing, disabled, installed: true, silent: false };
        assert_eq!(add(Ok(presence(false, vec!["Stop"]))), "");
        assert_eq!(add(Ok(presence(true, vec![]))), "claude-code");
        assert_eq!(add(Err("not JSON".to_owned())), "claude-code?");
        assert_eq!(wrong(|m, _| m.agents[0].presence = Ok(presence(false, vec!["Stop"]))), "claude-code");
        let silent = Presence { silent: true, ..presence(false, vec![]) };
        assert_eq!(wrong(|m, _| m.agents[0].presence = Ok(silent)), "claude-code");
    }

    #[test]
    fn hooks_in_a_shared_folder_are_mended_by_hand() {
        let (mut machine, ledger) = sound();
        machine.shared_hooks = Some("/etc/hooks".into());
        machine.hooks[0].1 = HookState::Missing;
        let checks = checks(&machine, &ledger);
        let check = checks.iter().find(|check| check.name == "post-commit").unwrap();
        assert!(check.mend.as_ref().unwrap().contains("/etc/hooks"));
    }
}
