//! Configuration: the committed file, git config, the user's file and the environment; later wins.

mod known;
mod marks;
mod story;

pub use known::{known_ledger, remember_ledger};
pub use story::{StoryModel, story_model};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::git::repo::Repo;
use crate::host::{env, files};
use crate::id::LedgerId;
use crate::redaction::{Custom, Privacy, Settings};

/// The committed file, from the top of the work tree.
pub const COMMITTED: &str = ".tracevault/config.toml";

/// A configuration file is never larger.
const MAX_BYTES: u64 = 64 << 10;

/// Why configuration cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write {}", .path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{}: {message}", .path.display())]
    Malformed { path: PathBuf, message: String },
    #[error("{name} is {value:?}; it can be {expected}")]
    Value { name: String, value: String, expected: &'static str },
}

/// `.tracevault/config.toml`: what a repository asks of all its clones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// The id of the ledger's genesis record.
    pub ledger: LedgerId,
    /// The agents whose sessions are captured.
    #[serde(default = "default_agents")]
    pub agents: Vec<String>,
    #[serde(default, skip_serializing_if = "Push::is_default")]
    pub push: Push,
}

fn default_agents() -> Vec<String> {
    vec!["claude-code".into()]
}

/// What happens to a push whose ledger cannot go along.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    #[serde(default)]
    pub on_failure: OnFailure,
}

impl Push {
    fn is_default(&self) -> bool {
        *self == Push::default()
    }
}

/// Stop the push, or warn and let the code go alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    #[default]
    Block,
    Warn,
}

impl OnFailure {
    fn parse(name: &str, value: &str) -> Result<Self, ConfigError> {
        match value {
            "block" => Ok(OnFailure::Block),
            "warn" => Ok(OnFailure::Warn),
            _ => Err(ConfigError::Value { name: name.into(), value: value.into(), expected: "block or warn" }),
        }
    }
}

/// The user's own `config.toml` in the configuration folder.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserFile {
    push: Option<Push>,
    device: Option<String>,
    prices: Option<PathBuf>,
}

/// Everything that was configured, taken together.
#[derive(Debug, Clone)]
pub struct Config {
    pub committed: Option<Committed>,
    /// `tracevault.ledger`: the ledger that this clone trusts.
    pub pinned: Option<LedgerId>,
    /// `tracevault.key`: this clone's secret key.
    pub key: Option<PathBuf>,
    /// `tracevault.witnessKey`: the secret key that this clone seals with.
    pub witness_key: Option<PathBuf>,
    /// `tracevault.timestamp`: where seals get time stamps, a URL or a command.
    pub timestamp: Option<String>,
    /// `tracevault.prefix`: where the ledger's refs are.
    pub prefix: Option<String>,
    /// `tracevault.pushOnFailure`, `TRACEVAULT_PUSH_ON_FAILURE`.
    pub on_failure: OnFailure,
    /// What this device calls itself.
    pub device: Option<String>,
    /// The organisation's own price table.
    pub prices: Option<PathBuf>,
    /// `tracevault.logAccess`: whether it is recorded when encrypted payloads are read.
    pub log_access: bool,
    /// `tracevault.pci`: whether card numbers are redacted.
    pub pci: bool,
    /// `tracevault.private`: whether the home directory and the host's name are.
    pub private: bool,
    /// `tracevault.emails`: whether e-mail addresses are.
    pub emails: bool,
    /// `tracevault.nudge`: what agents are told while they work, in the words of [`crate::nudge::Settings`].
    pub nudge: Option<String>,
}

/// Keys of git's configuration.
pub const KEY: &str = "tracevault.key";
pub const WITNESS_KEY: &str = "tracevault.witnessKey";
pub const LEDGER: &str = "tracevault.ledger";
const TIMESTAMP: &str = "tracevault.timestamp";
const PREFIX: &str = "tracevault.prefix";
const ON_FAILURE: &str = "tracevault.pushOnFailure";
const DEVICE: &str = "tracevault.device";
const PRICES: &str = "tracevault.prices";
const LOG_ACCESS: &str = "tracevault.logAccess";
const PCI: &str = "tracevault.pci";
const PRIVATE: &str = "tracevault.private";
const EMAILS: &str = "tracevault.emails";
const NUDGE: &str = "tracevault.nudge";

impl Config {
    /// Reads all of it for a repository.
    pub fn load(repo: &Repo) -> Result<Self, ConfigError> {
        let committed = match repo.work_tree() {
            Some(dir) => Committed::load(&dir)?,
            None => None,
        };
        let user = UserFile::load()?;
        let given = given_to_git(repo);
        let value = |key: &str| given.get(&key.to_ascii_lowercase()).cloned().or_else(|| repo.config(key));
        let mut on_failure = committed.as_ref().map(|file| file.push.on_failure).unwrap_or_default();
        if let Some(value) = value(ON_FAILURE) {
            on_failure = OnFailure::parse(ON_FAILURE, &value)?;
        }
        if let Some(push) = user.push {
            on_failure = push.on_failure;
        }
        if let Some(value) = env::push_on_failure() {
            on_failure = OnFailure::parse("TRACEVAULT_PUSH_ON_FAILURE", &value)?;
        }
        let pinned = match value(LEDGER) {
            Some(text) => Some(text.parse().map_err(|_| ConfigError::Value {
                name: LEDGER.into(),
                value: text,
                expected: "a ledger id of 64 hex digits",
            })?),
            None => None,
        };
        let truth = |key: &str| value(key).map_or(Ok(false), |value| truth(key, value));
        Ok(Config {
            committed,
            pinned,
            key: value(KEY).map(PathBuf::from),
            witness_key: value(WITNESS_KEY).map(PathBuf::from),
            timestamp: value(TIMESTAMP),
            prefix: value(PREFIX),
            on_failure,
            device: user.device.or_else(|| value(DEVICE)),
            prices: user.prices.or_else(|| value(PRICES).map(PathBuf::from)),
            log_access: truth(LOG_ACCESS)?,
            pci: truth(PCI)?,
            private: truth(PRIVATE)?,
            emails: truth(EMAILS)?,
            nudge: value(NUDGE),
        })
    }

    /// How what this clone records is redacted. Only who redacts is stopped where the user's own rules are wrong.
    pub fn redaction(&self) -> Result<Settings, ConfigError> {
        redaction(self.pci, self.private, self.emails)
    }
}

/// What git's configuration alone says of nudges, whatever is wrong with the rest: their words, and whether card numbers are
/// secrets, which they are where that is not clear.
pub fn nudges(repo: &Repo) -> (Option<String>, bool) {
    let cards = repo.config(PCI).is_some_and(|value| truth(PCI, value).unwrap_or(true));
    (repo.config(NUDGE), cards)
}

/// What is looked for besides secrets: card numbers, this machine's names, e-mail addresses, what the user's own rules say.
pub fn redaction(cards: bool, private: bool, emails: bool) -> Result<Settings, ConfigError> {
    let home = env::home().and_then(|home| home.into_os_string().into_string().ok());
    let privacy = Privacy { home: home.filter(|_| private), host: env::host_name().filter(|_| private), emails };
    Ok(Settings { key: marks::mark_key(), cards, privacy, custom: custom_rules()? })
}

/// Secrets alone, and card numbers: what a model should not see. The user's own exceptions count; where their rules are wrong
/// those that come along do.
pub fn secrets(cards: bool) -> Settings {
    Settings { cards, custom: custom_rules().unwrap_or_default(), ..redaction_again() }
}

/// Secrets by the rules that come along, for what was redacted before.
pub fn redaction_again() -> Settings {
    Settings { key: marks::mark_key(), cards: false, privacy: Privacy::default(), custom: Custom::default() }
}

/// The user's own rules. Only theirs: a committed file could allow what should not be seen.
fn custom_rules() -> Result<Custom, ConfigError> {
    let Some(path) = env::config_dir().map(|dir| dir.join("redaction.toml")) else { return Ok(Custom::default()) };
    let read = |source| ConfigError::Read { path: path.clone(), source };
    let Some(bytes) = files::read_small(&path, MAX_BYTES).map_err(read)? else { return Ok(Custom::default()) };
    let malformed = |message: String| ConfigError::Malformed { path: path.clone(), message };
    let text = String::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
    Custom::parse(&text).map_err(|error| malformed(error.to_string()))
}

/// Yes or no, in the words that git has for it.
fn truth(name: &str, value: String) -> Result<bool, ConfigError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" | "" => Ok(false),
        _ => Err(ConfigError::Value { name: name.into(), value, expected: "true or false" }),
    }
}

/// What was given to git for one command (`git -c key=value`) of ours, which only git itself reads; by name in lower case.
fn given_to_git(repo: &Repo) -> BTreeMap<String, String> {
    if !env::git_has_parameters() {
        return BTreeMap::new();
    }
    let args = ["config", "--show-scope", "-z", "--get-regexp", r"^tracevault\."];
    let Ok(answer) = repo.git().args(args).answer() else { return BTreeMap::new() };
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let mut fields = text.split('\0');
    let mut given = BTreeMap::new();
    while let (Some(scope), Some(entry)) = (fields.next(), fields.next()) {
        if let ("command", Some((key, value))) = (scope, entry.split_once('\n')) {
            given.insert(key.to_owned(), value.to_owned());
        }
    }
    given
}

impl Committed {
    /// Reads the committed file of a work tree, if it is there.
    pub fn load(work_tree: &Path) -> Result<Option<Self>, ConfigError> {
        read_toml(&work_tree.join(COMMITTED))
    }

    /// Writes the committed file where there is none.
    pub fn save_new(&self, work_tree: &Path) -> Result<(), ConfigError> {
        let path = work_tree.join(COMMITTED);
        let failed = |source| ConfigError::Write { path: path.clone(), source };
        let text = self.text(&path)?;
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(failed)?;
        }
        files::replace_keeping_mode(&path, text.as_bytes()).map_err(failed)
    }

    /// Removes the file and its folder, if it is as [`Committed::save_new`] wrote it; whether it was.
    pub fn remove(&self, work_tree: &Path) -> Result<bool, ConfigError> {
        let path = work_tree.join(COMMITTED);
        let failed = |source| ConfigError::Write { path: path.clone(), source };
        let text = self.text(&path)?;
        if files::read_if_exists(&path).map_err(failed)? != Some(text.into_bytes()) {
            return Ok(false);
        }
        std::fs::remove_file(&path).map_err(failed)?;
        // What else is in the folder is not ours.
        drop(path.parent().map(std::fs::remove_dir));
        Ok(true)
    }

    fn text(&self, path: &Path) -> Result<String, ConfigError> {
        let body = toml::to_string(self)
            .map_err(|error| ConfigError::Malformed { path: path.to_owned(), message: error.to_string() })?;
        Ok(format!("# git-tracevault: which ledger this repository's records belong to. Commit this file.\n{body}"))
    }
}

impl UserFile {
    fn load() -> Result<Self, ConfigError> {
        match env::config_dir() {
            Some(dir) => Ok(read_toml(&dir.join("config.toml"))?.unwrap_or_default()),
            None => Ok(UserFile::default()),
        }
    }
}

fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, ConfigError> {
    let read = |source| ConfigError::Read { path: path.to_owned(), source };
    let Some(bytes) = files::read_small(path, MAX_BYTES).map_err(read)? else { return Ok(None) };
    let malformed = |message: String| ConfigError::Malformed { path: path.to_owned(), message };
    let text = String::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
    toml::from_str(&text).map(Some).map_err(|error| malformed(error.to_string().trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn the_committed_file_reads_back_and_says_where_it_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Committed::load(dir.path()).unwrap(), None);
        let file = Committed { ledger: LedgerId(Digest::of(b"x")), agents: default_agents(), push: Push::default() };
        file.save_new(dir.path()).unwrap();
        assert_eq!(Committed::load(dir.path()).unwrap(), Some(file));
        std::fs::write(dir.path().join(COMMITTED), "ledger = \"abc\"\nlegder = 1\n").unwrap();
        let error = Committed::load(dir.path()).unwrap_err().to_string();
        assert!(error.contains("config.toml") && error.contains("line 1"), "{error}");
    }
}
