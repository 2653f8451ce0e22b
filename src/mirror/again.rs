//! A window of a conversation is redacted again before anybody sees it.

use crate::ledger::again;
use crate::mirror::transcript::Window;

/// Takes out what the newest rules find, and counts the texts in which they found something.
pub fn redact(window: &mut Window) {
    // What was found in another conversation is no business of this one.
    again::forget();
    for told in &mut window.turns {
        window.redacted_again += told.turn.texts_mut().map(again::redact).filter(|found| *found).count();
    }
}

/// A text without what the newest rules find in it.
pub fn text(text: &str) -> String {
    let mut text = text.to_owned();
    again::forget();
    again::redact(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CallId;
    use crate::mirror::Told;
    use crate::session::turns::{Asked, Call, FileDiff, Step, Turn};

    #[test]
    fn what_newer_rules_know_is_taken_out_wherever_it_stands() {
        // Put together here, so that no scanner takes it for one that was lost.
        let secret = format!("{}{}", "ghp_", "a8F3kQ9zL1mX7cV5bN2jH6gD4sP0wRtYuIeO");
        let with = |text: &str| format!("{text} {secret}\n");
        let diff = FileDiff { path: "a.rs".into(), hunks: with("+let token =") };
        let call = Call {
            id: CallId::from_agent("c1"),
            tool: "Bash".into(),
            input: with("git push"),
            outcome: None,
            result: with("pushed with"),
            diffs: vec![diff],
        };
        let steps = vec![Step::Text(with("I used")), Step::Reasoning("nothing".into()), Step::Call(call)];
        let turn = Turn { asked: Some(Asked { text: with("Use"), human: true }), steps, ..Turn::default() };
        let told = Told { source: "main".into(), number: 1, place: 0, turn };
        let mut window = Window { turns: vec![told], total: 1, ..Window::default() };
        redact(&mut window);
        assert_eq!(window.redacted_again, 5);
        assert!(!format!("{window:?}").contains(&secret[4..20]), "{window:?}");
        assert!(format!("{window:?}").contains("I used"), "the rest stays");
        let clean = window.clone();
        redact(&mut window);
        assert_eq!(window, clean, "what is clean stays so");
    }
}
