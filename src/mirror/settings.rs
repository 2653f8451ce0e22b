//! `indexer.toml`: which repositories are mirrored, and how the pages are served.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::id::LedgerId;

/// Everything that `serve` is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    /// Where mirrors, index and keys are kept.
    pub data: Option<PathBuf>,
    /// The index: a file, or a `postgres://` URL.
    pub database: Option<String>,
    /// The address and port to listen on, `127.0.0.1:8080`.
    pub listen: Option<String>,
    /// What people type to reach the server, `https://audit.example.com`, where that is not the address it listens on.
    pub url: Option<String>,
    /// A proxy stands before the server: the address that it names last is whose request it is.
    pub proxy: bool,
    /// An identity provider that vouches for e-mail addresses.
    pub oidc: Option<Oidc>,
    /// A file with what a monitor on another machine shows as its bearer token to read `/metrics`.
    pub metrics_token_file: Option<PathBuf>,
    /// Everybody may read everything, without signing in.
    pub public: bool,
    /// How often remotes are looked at, in seconds; 300 without it.
    pub fetch_seconds: Option<u64>,
    /// How often everything is verified anew, in hours; 24 without it.
    pub verify_hours: Option<u64>,
    /// A file with the age identity that encrypted transcripts are read with.
    pub identity: Option<PathBuf>,
    /// A file with the secret that forges sign with when they tell of something new.
    pub webhook_secret_file: Option<PathBuf>,
    #[serde(rename = "repository")]
    pub repositories: Vec<Source>,
}

/// An OpenID Connect provider, and what this server is to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Oidc {
    /// `https://accounts.example.com`.
    pub issuer: String,
    pub client_id: String,
    /// A file with the client's secret; a public client has none.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
}

/// A repository to mirror.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Source {
    /// What pages call it: letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// What git fetches from: a URL, or a folder.
    pub url: String,
    /// The ledger that must be there.
    #[serde(default)]
    pub ledger: Option<LedgerId>,
    /// The branch whose code is shown; the remote's own choice without it.
    #[serde(default)]
    pub branch: Option<String>,
    /// Where the ledger's refs are, if not under `refs/tracevault`.
    #[serde(default)]
    pub prefix: Option<String>,
    /// A file with a secret of its own for `/hooks/update`.
    #[serde(default)]
    pub webhook_secret_file: Option<PathBuf>,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    #[error("repository {0:?}: a name has letters, digits, '.', '_' and '-', and begins with none of these three")]
    Name(String),
    #[error("two repositories are called {0:?}")]
    Twice(String),
    #[error("url = {0:?}: it begins with https:// or http:// and has nothing behind host and port")]
    Url(String),
    #[error("{url:?} does not tell what to call the repository: give it as NAME={url}")]
    NoName { url: String },
}

impl Settings {
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let settings: Settings = toml::from_str(text)?;
        settings.check()?;
        Ok(settings)
    }

    /// Whether names are names, and each is there once.
    pub fn check(&self) -> Result<(), SettingsError> {
        if let Some(url) = self.url.as_deref().filter(|url| !is_origin(url)) {
            return Err(SettingsError::Url(url.to_owned()));
        }
        let mut names = HashSet::new();
        for source in &self.repositories {
            if !is_name(&source.name) {
                return Err(SettingsError::Name(source.name.clone()));
            }
            if !names.insert(source.name.to_lowercase()) {
                return Err(SettingsError::Twice(source.name.clone()));
            }
        }
        Ok(())
    }

    /// What of them the audit log keeps: no secret, and no password of a URL.
    pub fn told(&self) -> String {
        let repositories: Vec<String> =
            self.repositories.iter().map(|r| format!("{}={}", r.name, bare(&r.url))).collect();
        let database = self
            .database
            .as_deref()
            .map_or("a file", |place| if place.contains("://") { "a server" } else { "a file" });
        let told = [
            ("public", self.public.to_string()),
            ("url", self.url.clone().unwrap_or_default()),
            ("proxy", self.proxy.to_string()),
            ("listen", self.listen.clone().unwrap_or_default()),
            ("identity", self.identity.is_some().to_string()),
            ("metrics-token", self.metrics_token_file.is_some().to_string()),
            ("webhooks", self.webhook_secret_file.is_some().to_string()),
            ("oidc", self.oidc.as_ref().map(|oidc| oidc.issuer.clone()).unwrap_or_default()),
            ("database", database.to_owned()),
            ("repositories", repositories.join(" ")),
        ];
        told.map(|(name, value)| format!("{name}={value}")).join("; ")
    }

    pub fn fetch_every(&self) -> Duration {
        Duration::from_secs(self.fetch_seconds.unwrap_or(300).max(1))
    }

    pub fn verify_every(&self) -> Duration {
        Duration::from_secs(self.verify_hours.unwrap_or(24).max(1) * 3600)
    }
}

impl Source {
    /// `URL` or `NAME=URL`; a folder as `base` sees it. Without a name it is called as the end of its URL is.
    pub fn from_argument(text: &str, base: &Path) -> Result<Self, SettingsError> {
        let (name, url) = match text.split_once('=').filter(|(name, _)| is_name(name)) {
            Some((name, url)) => (Some(name.to_owned()), url),
            None => (None, text),
        };
        let is_folder = !url.contains("://") && base.join(url).exists();
        let url = if is_folder { base.join(url).canonicalize().unwrap_or_else(|_| base.join(url)) } else { url.into() };
        let url = url.to_string_lossy().into_owned();
        let end = url.trim_end_matches('/').trim_end_matches("/.git").rsplit(['/', ':']).next().unwrap_or_default();
        let end = end.strip_suffix(".git").unwrap_or(end).to_owned();
        let name = name.unwrap_or(end);
        if !is_name(&name) {
            return Err(SettingsError::NoName { url });
        }
        Ok(Source { name, url, ledger: None, branch: None, prefix: None, webhook_secret_file: None })
    }
}

/// A URL without the user and password that it may have.
pub fn bare(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    }
}

fn is_origin(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest))
        .is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']))
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.len() <= 100 && name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_urls() {
        let here = Path::new("/nowhere");
        for (text, name, url) in [
            ("https://host/team/payments.git", "payments", "https://host/team/payments.git"),
            ("git@host:team/payments", "payments", "git@host:team/payments"),
            ("pay=ssh://host/x.git", "pay", "ssh://host/x.git"),
            ("https://host/x?a=b/c", "c", "https://host/x?a=b/c"),
        ] {
            let source = Source::from_argument(text, here).unwrap();
            assert_eq!((source.name.as_str(), source.url.as_str()), (name, url), "{text}");
        }
        assert!(Source::from_argument("https://host/", here).is_ok_and(|source| source.name == "host"));
        assert!(Source::from_argument("https://host/..", here).is_err());
        assert!(Source::from_argument("/", here).is_err());
    }

    #[test]
    fn no_password_is_told() {
        let text = "database = \"postgres://a:secret@b/c\"\n[[repository]]\nname = \"a\"\nurl = \"https://me:secret@host/a\"\n";
        let told = Settings::parse(text).unwrap().told();
        assert!(
            told.ends_with("database=a server; repositories=a=https://host/a") && !told.contains("secret"),
            "{told}"
        );
    }

    #[test]
    fn settings_say_what_is_wrong() {
        let repository = |name: &str| format!("[[repository]]\nname = {name:?}\nurl = \"x\"\n");
        let two = repository("a") + &repository("B.c-d_e");
        let settings = Settings::parse(&format!("public = true\nfetch-seconds = 60\n{two}")).unwrap();
        assert_eq!((settings.repositories.len(), settings.public), (2, true));
        assert_eq!(settings.fetch_every(), Duration::from_secs(60));
        for (text, said) in [
            (repository("../x"), "begins with"),
            (repository(".x"), "begins with"),
            (repository("a") + &repository("A"), "two repositories"),
            ("pubilc = true".to_owned(), "unknown field"),
            ("url = \"audit.example.com\"".to_owned(), "begins with https://"),
            ("url = \"https://a/b\"".to_owned(), "nothing behind host"),
            ("[oidc]\nissuer = \"https://a\"".to_owned(), "client-id"),
        ] {
            assert!(Settings::parse(&text).unwrap_err().to_string().contains(said), "{text}");
        }
    }
}
