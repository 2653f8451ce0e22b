//! The key of the marks in what was redacted: made once, and kept on this machine.

use crate::host::{env, files, random};
use crate::redaction::MarkKey;

/// This machine's key. Where it can be neither read nor kept, one of this process's own: marks then link less, and tell
/// no more.
pub fn mark_key() -> MarkKey {
    let kept = env::state_dir().map(|dir| dir.join("redaction.key"));
    let fresh = random::bytes32();
    let Some(path) = kept else { return MarkKey::new(fresh) };
    if let Ok(Some(bytes)) = files::read_if_exists(&path)
        && let Ok(key) = <[u8; 32]>::try_from(bytes.as_slice())
    {
        return MarkKey::new(key);
    }
    if let Some(dir) = path.parent()
        && files::create_private_dir(dir).is_ok()
    {
        drop(files::replace_private(&path, &fresh));
    }
    MarkKey::new(fresh)
}
