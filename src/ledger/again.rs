//! What was said is redacted again before it is shown further: what was stored years ago was redacted by the rules of then.

use crate::config;
use crate::redaction::Redactor;

thread_local! {
    /// Patterns are compiled when they are first needed, and then kept.
    static REDACTOR: Redactor = Redactor::new(config::redaction_again());
}

/// Forgets what was found: what comes next is of another conversation.
pub fn forget() {
    REDACTOR.with(Redactor::forget);
}

/// Takes out of a text what the newest rules find; whether they found something.
pub fn redact(text: &mut String) -> bool {
    REDACTOR.with(|redactor| {
        let clean = redactor.again(text).into_inner();
        if clean == *text {
            return false;
        }
        *text = clean.into_owned();
        true
    })
}
