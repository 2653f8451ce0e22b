//! What was said is redacted again before it is shown further: what was stored years ago was redacted by the rules of then.

use crate::config;
use crate::redaction::Redactor;

thread_local! {
    /// Patterns are compiled when they are first needed, and then kept.
    static REDACTOR: Redactor = Redactor::new(config::redaction_again());
}

/// Does something with the newest rules at hand.
pub fn with<T>(work: impl FnOnce(&Redactor) -> T) -> T {
    REDACTOR.with(work)
}

/// Forgets what was found: what comes next is of another conversation.
pub fn forget() {
    with(Redactor::forget);
}

/// Takes out of a text what the newest rules find; whether they found something.
pub fn redact(text: &mut String) -> bool {
    with(|redactor| redactor.clean(text))
}
