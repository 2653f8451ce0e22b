//! Ledgers that this user has seen, by remote URL, as ssh keeps hosts in `known_hosts`.

use std::path::PathBuf;

use crate::config::ConfigError;
use crate::host::{env, files};
use crate::id::LedgerId;

fn path() -> Option<PathBuf> {
    env::state_dir().map(|dir| dir.join("known_ledgers"))
}

/// The ledger that was seen at this URL before.
pub fn known_ledger(url: &str) -> Result<Option<LedgerId>, ConfigError> {
    let Some(path) = path() else { return Ok(None) };
    let bytes = files::read_if_exists(&path).map_err(|source| ConfigError::Read { path, source })?;
    Ok(find(&String::from_utf8_lossy(&bytes.unwrap_or_default()), url))
}

fn find(text: &str, url: &str) -> Option<LedgerId> {
    text.lines().find_map(|line| {
        let (id, known) = line.split_once(' ')?;
        if known == url { id.parse().ok() } else { None }
    })
}

/// Remembers the ledger at this URL; what is known already stays.
pub fn remember_ledger(url: &str, ledger: LedgerId) -> Result<(), ConfigError> {
    // A URL with a line break could smuggle in another's line.
    if known_ledger(url)?.is_some() || url.contains(['\n', '\r']) {
        return Ok(());
    }
    let Some(path) = path() else { return Ok(()) };
    let failed = |source| ConfigError::Write { path: path.clone(), source };
    if let Some(dir) = path.parent() {
        files::create_private_dir(dir).map_err(failed)?;
    }
    files::append_private(&path, format!("{ledger} {url}\n").as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn a_ledger_is_found_by_its_whole_url() {
        let (a, b) = (LedgerId(Digest::of(b"a")), LedgerId(Digest::of(b"b")));
        let text = format!("{a} https://x.example/r.git\nnonsense\n{b} /tmp/with space.git\n");
        assert_eq!(find(&text, "https://x.example/r.git"), Some(a));
        assert_eq!(find(&text, "/tmp/with space.git"), Some(b));
        assert_eq!(find(&text, "https://x.example/r"), None);
    }
}
