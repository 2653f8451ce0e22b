//! Calls that failed, and what was done until the same call passed: what others may learn from an error.

use std::collections::BTreeSet;

use crate::id::CallId;
use crate::session::entry::Outcome;
use crate::session::turns::{Call, Step, Turn, shortened_to};

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub call: CallId,
    pub tool: String,
    /// What it was asked, and what it said; cut.
    pub input: String,
    pub error: String,
    /// The turn, counted from 0 among those given.
    pub turn: usize,
    /// When the turn began, in milliseconds since 1970.
    pub at: Option<i64>,
    pub passed: Option<Passed>,
}

/// The same call later in the conversation, when it passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    pub call: CallId,
    pub input: String,
    /// What succeeded between the two, a line a call: `Edit src/cart.rs`.
    pub between: Vec<String>,
}

/// So much of an error and of what a call was asked is kept, in bytes.
const MAX_ERROR: usize = 2_000;
const MAX_INPUT: usize = 500;
/// The same call is looked for among so many that follow, and so many of those between are told.
const LOOKED_AT: usize = 200;
const TOLD: usize = 8;
/// So many lines of an error are compared, and so many words of them.
const MAX_LINES: usize = 12;
const MAX_WORDS: usize = 60;

/// What lines say that tell of an error, in lower case.
const TELLING: [&str; 16] = [
    "error",
    "fail",
    "panic",
    "exception",
    "traceback",
    "not found",
    "no such",
    "cannot",
    "can't",
    "denied",
    "undefined",
    "unresolved",
    "invalid",
    "expected",
    "refused",
    "mismatch",
];
/// What nearly every error says.
const COMMON: [&str; 14] = [
    "error", "errors", "failed", "failure", "the", "and", "for", "with", "from", "this", "that", "line", "exit", "code",
];

/// The failures of one conversation, in its order.
pub fn failures(turns: &[&Turn]) -> Vec<Failure> {
    let calls: Vec<(usize, &Call)> = turns
        .iter()
        .enumerate()
        .flat_map(|(turn, told)| told.steps.iter().map(move |step| (turn, step)))
        .filter_map(|(turn, step)| match step {
            Step::Call(call) => Some((turn, call)),
            _ => None,
        })
        .collect();
    let failed = calls.iter().enumerate().filter(|(_, (_, call))| call.outcome == Some(Outcome::Failed));
    failed
        .map(|(at, (turn, call))| Failure {
            call: call.id.clone(),
            tool: call.tool.clone(),
            input: shortened_to(&call.input, MAX_INPUT),
            error: telling(&call.result),
            turn: *turn,
            at: turns[*turn].at,
            passed: passed(call, &calls[at + 1..]),
        })
        .collect()
}

/// The first of the calls that follow which is the same one and passes, and what succeeded before it.
fn passed(failed: &Call, following: &[(usize, &Call)]) -> Option<Passed> {
    let mut between = Vec::new();
    for (_, call) in following.iter().take(LOOKED_AT) {
        match (is_same(failed, call), call.outcome) {
            (true, Some(Outcome::Ok)) => {
                let input = shortened_to(&call.input, MAX_INPUT);
                return Some(Passed { call: call.id.clone(), input, between });
            }
            (false, Some(Outcome::Ok)) if between.len() < TOLD => {
                let line = format!("{} {}", call.tool, first_line(&call.input));
                between.push(shortened_to(line.trim(), 200));
            }
            _ => {}
        }
    }
    None
}

/// Whether two calls ask for the same: the same tool with the same file or the same beginning of a command.
fn is_same(one: &Call, other: &Call) -> bool {
    let head = |call: &Call| -> Vec<String> {
        first_line(&call.input).split_whitespace().take(2).map(str::to_owned).collect()
    };
    one.tool == other.tool && (one.input == other.input || head(one) == head(other))
}

fn first_line(text: &str) -> &str {
    text.trim_start().lines().next().unwrap_or_default()
}

/// The lines of an output that tell what is wrong, or its last ones if none does.
fn telling(output: &str) -> String {
    let tells = |line: &&str| {
        let line = line.to_lowercase();
        TELLING.iter().any(|word| line.contains(word))
    };
    let mut lines: Vec<&str> = output.lines().filter(tells).take(MAX_LINES).collect();
    if lines.is_empty() {
        lines = output.lines().filter(|line| !line.trim().is_empty()).collect();
        lines.drain(..lines.len().saturating_sub(MAX_LINES));
    }
    shortened_to(&lines.join("\n"), MAX_ERROR)
}

/// The words by which an error is known again: without numbers, hashes and addresses, which differ from one time to the next.
pub fn gist(error: &str) -> BTreeSet<String> {
    let text = telling(error);
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let mut gist = BTreeSet::new();
    for word in words.map(str::to_lowercase).filter(|word| is_word(word)) {
        if gist.len() == MAX_WORDS {
            break;
        }
        gist.insert(word);
    }
    let telling: BTreeSet<String> = gist.iter().filter(|word| !COMMON.contains(&word.as_str())).cloned().collect();
    if telling.is_empty() { gist } else { telling }
}

fn is_word(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let is_hash = word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_code = letters == 1 && word.len() >= 4 && word[1..].bytes().all(|byte| byte.is_ascii_digit());
    (letters >= 3 || is_code) && word.len() <= 60 && !is_hash
}

/// How much of an error is found in another, from 0 to 100, both as [`gist`] has them.
pub fn likeness(asked: &BTreeSet<String>, known: &BTreeSet<String>) -> u32 {
    let common = asked.intersection(known).count();
    // The longer of the two counts: a word that two long outputs share makes them no kin.
    let all = asked.len().max(known.len().min(2 * asked.len())).max(1);
    u32::try_from(common * 100 / all).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str, tool: &str, input: &str, outcome: Outcome, result: &str) -> Step {
        Step::Call(Call {
            id: CallId::from_agent(id),
            tool: tool.into(),
            input: input.into(),
            outcome: Some(outcome),
            result: result.into(),
            diffs: Vec::new(),
        })
    }

    #[test]
    fn a_failure_leads_to_the_same_call_that_passed_and_to_what_was_done_between() {
        let first = Turn {
            at: Some(5_000),
            steps: vec![
                call("1", "Bash", "cargo test cart", Outcome::Failed, "running\nerror[E0308]: mismatched types\nok"),
                call("2", "Read", "src/cart.rs", Outcome::Ok, "text"),
                call("3", "Edit", "src/cart.rs", Outcome::Failed, "String to replace not found"),
                call("4", "Edit", "src/cart.rs", Outcome::Ok, ""),
            ],
            ..Turn::default()
        };
        let second = Turn {
            at: Some(9_000),
            steps: vec![
                call("5", "Bash", "cargo test", Outcome::Ok, "ok"),
                call("6", "Bash", "cargo build", Outcome::Rejected, "error"),
                call("7", "WebFetch", "https://example.com", Outcome::Failed, ""),
            ],
            ..Turn::default()
        };
        let found = failures(&[&first, &second]);
        let told: Vec<_> = found
            .iter()
            .map(|f| {
                let passed = f.passed.as_ref().map(|p| (p.call.as_str(), p.between.join(", ")));
                (f.call.as_str(), f.turn, f.error.as_str(), passed)
            })
            .collect();
        assert_eq!(
            told,
            [
                (
                    "1",
                    0,
                    "error[E0308]: mismatched types",
                    Some(("5", "Read src/cart.rs, Edit src/cart.rs".to_owned()))
                ),
                ("3", 0, "String to replace not found", Some(("4", String::new()))),
                ("7", 1, "", None),
            ]
        );
    }

    #[test]
    fn an_error_is_known_again_by_its_words_whatever_its_numbers() {
        let one = gist("compiling\nerror[E0308]: mismatched types at src/cart.rs:17, found `Vec<Item>` 0xdeadbeef99");
        let other = gist("error[E0308]: mismatched types at src/shop.rs:903, found `Vec<Item>` 0xcafe1234cafe");
        assert!(one.contains("e0308") && one.contains("mismatched") && !one.contains("17"), "{one:?}");
        assert!(likeness(&one, &other) >= 70, "{}", likeness(&one, &other));
        let third = gist("npm ERR! 404 Not Found - GET https://registry.example.com/left-pad");
        assert!(likeness(&one, &third) < 30, "{}", likeness(&one, &third));
        assert_eq!(gist("error: failed"), ["error".to_owned(), "failed".to_owned()].into());
        assert!(gist("").is_empty());
        assert_eq!(likeness(&gist(""), &one), 0);
        let endless = format!("error {}", (0..10_000).map(|n| format!("w{n}ord ")).collect::<String>());
        assert!(gist(&endless).len() <= MAX_WORDS);
    }
}
