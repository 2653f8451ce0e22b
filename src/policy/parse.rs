//! Policy text in, rules or errors out: every error at once, each with its place and what is allowed there.

mod keys;

use std::collections::HashSet;
use std::ops::Range;

pub use keys::{Keys, MAX_INTEGER};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::conditions::{Budget, Calls, Completeness, Models, Percentage, Sensitive};
use super::rule::{Branches, Condition, Encrypt, Level, Policy, Rule};

/// A policy's text is never longer.
pub const MAX_BYTES: usize = 64 << 10;
/// A policy never has more rules.
pub const MAX_RULES: usize = 256;
/// So many errors are told.
const MAX_ERRORS: usize = 100;
/// A rule's name is never longer.
const MAX_NAME: usize = 64;
/// Nor a rule's message.
const MAX_MESSAGE: usize = 1000;
/// The table that says what becomes of payloads.
const PAYLOADS: &str = "payloads";
/// The table that says which branches the rules are for.
const BRANCHES: &str = "branches";
/// What may stand at the top.
const TABLES: &str = "[[rule]] tables, [branches] and [payloads]";

/// The conditions there are.
const CONDITIONS: &[&str] = &[
    "trace-completeness",
    "ai-percentage",
    "model-allowlist",
    "sensitive-paths",
    "required-tool",
    "conditional-tool",
    "token-budget",
];

/// What is wrong with a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}; allowed: {allowed}")]
pub struct PolicyError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    pub message: String,
    pub allowed: String,
}

impl Policy {
    /// Reads a policy that is about to be signed: nothing in it may be unknown.
    pub fn parse(text: &str) -> Result<Policy, Vec<PolicyError>> {
        let (policy, errors) = read(text);
        if errors.0.is_empty() { Ok(policy) } else { Err(errors.placed(text)) }
    }

    /// Reads a policy that was signed, perhaps with a newer program: a rule that is not understood stands, and is
    /// inconclusive. So is what is no rule.
    pub fn read(text: &str) -> Policy {
        read(text).0
    }
}

/// What is wrong, by its place in the text in bytes.
#[derive(Debug, Default)]
pub struct Errors(Vec<(usize, String, String)>);

impl Errors {
    pub fn add(&mut self, at: usize, message: impl Into<String>, allowed: impl Into<String>) {
        self.0.push((at, message.into(), allowed.into()));
    }

    fn placed(mut self, text: &str) -> Vec<PolicyError> {
        self.0.sort();
        self.0.truncate(MAX_ERRORS);
        // One walk over the text for all of them.
        let (mut before, mut line, mut begins) = (0, 1, 0);
        let place = |(at, message, allowed): (usize, String, String)| {
            let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            for (newline, _) in text[before..at].match_indices('\n') {
                line += 1;
                begins = before + newline + 1;
            }
            before = at;
            PolicyError { line, column: text[begins..at].chars().count() + 1, message, allowed }
        };
        self.0.into_iter().map(place).collect()
    }

    /// The first since there were `since`, as a reader is told it.
    fn first_since(&self, since: usize, text: &str) -> Option<String> {
        let (at, message, allowed) = self.0.get(since)?;
        let one = Errors(vec![(*at, message.clone(), allowed.clone())]);
        one.placed(text).first().map(|e| format!("line {}, column {}: {}", e.line, e.column, e.message))
    }
}

fn read(text: &str) -> (Policy, Errors) {
    let (mut errors, mut rules) = (Errors::default(), Vec::new());
    let (mut encrypt, mut protected) = (Encrypt::No, Branches::All);
    if text.len() > MAX_BYTES {
        encrypt = Encrypt::Unknown("the policy is too long".to_owned());
        errors.add(0, format!("the policy has {} bytes", text.len()), format!("at most {MAX_BYTES} bytes"));
    } else {
        match DeTable::parse_recoverable(text) {
            (table, broken) if broken.is_empty() => {
                let find = |name: &str| table.get_ref().iter().find(|(key, _)| key.get_ref() == name);
                if let Some((_, table)) = find(PAYLOADS) {
                    encrypt = payloads(table, text, &mut errors);
                }
                if let Some((_, table)) = find(BRANCHES) {
                    protected = branches(table, &mut errors);
                }
                document(table.get_ref(), text, &mut rules, &mut errors);
            }
            (_, broken) => {
                encrypt = Encrypt::Unknown("the policy is no TOML document".to_owned());
                for error in broken {
                    let message = error.message().trim().replace('\n', ", ");
                    errors.add(error.span().map_or(0, |span| span.start), message, "a TOML document");
                }
            }
        }
    }
    if rules.iter().all(|rule| !matches!(rule.condition, Condition::Unknown { .. }))
        && let Some(why) = errors.first_since(0, text)
    {
        // Nothing above made a rule of it: it is not passed over.
        rules.push(unknown("policy".to_owned(), Level::Block, String::new(), why));
    }
    (Policy { rules, encrypt, branches: protected }, errors)
}

/// What is to become of payloads. What is wrong with it leaves it open, and is told as a rule that is not understood.
fn payloads(value: &Spanned<DeValue<'_>>, text: &str, errors: &mut Errors) -> Encrypt {
    let since = errors.0.len();
    let at = value.span().start;
    let transcripts = match value.get_ref() {
        DeValue::Table(table) => {
            let mut keys = Keys::new(table, at, errors);
            let classes = keys.choices("encrypt", &[("transcript", ())]);
            keys.no_others("[payloads]");
            classes.is_some()
        }
        other => {
            errors.add(at, format!("`{PAYLOADS}` is a {}", other.type_str()), "a table: [payloads]");
            false
        }
    };
    match (errors.first_since(since, text), transcripts) {
        (Some(why), _) => Encrypt::Unknown(why),
        (None, true) => Encrypt::Transcripts,
        (None, false) => Encrypt::No,
    }
}

/// Which branches the rules are for: all, where what is said of it is wrong.
fn branches(value: &Spanned<DeValue<'_>>, errors: &mut Errors) -> Branches {
    let at = value.span().start;
    let DeValue::Table(table) = value.get_ref() else {
        errors.add(at, format!("`{BRANCHES}` is a {}", value.get_ref().type_str()), "a table: [branches]");
        return Branches::All;
    };
    let mut keys = Keys::new(table, at, errors);
    let protected = keys.refs("protect");
    keys.no_others("[branches]");
    protected.map_or(Branches::All, Branches::Named)
}

fn unknown(name: String, level: Level, condition: String, why: String) -> Rule {
    Rule { name, level, message: None, condition: Condition::Unknown { condition, why } }
}

fn document(table: &DeTable<'_>, text: &str, rules: &mut Vec<Rule>, errors: &mut Errors) {
    for (key, value) in table {
        let at = key.span().start;
        if key.get_ref() == PAYLOADS || key.get_ref() == BRANCHES {
            continue;
        }
        if key.get_ref() != "rule" {
            errors.add(at, format!("unknown key `{}`", shown(key.get_ref())), TABLES);
            rules.push(unknown(
                "policy".to_owned(),
                Level::Block,
                String::new(),
                format!("key `{}`", shown(key.get_ref())),
            ));
            continue;
        }
        let Some(list) = value.get_ref().as_array() else {
            errors.add(at, format!("`rule` is a {}", value.get_ref().type_str()), "[[rule]] tables, with two brackets");
            continue;
        };
        let mut names = HashSet::new();
        for (number, entry) in list.iter().enumerate() {
            let at = entry.span();
            if number == MAX_RULES {
                errors.add(at.start, format!("{} rules", list.len()), format!("at most {MAX_RULES} rules"));
                let why = format!("it has {} rules, at most {MAX_RULES} are read", list.len());
                rules.push(unknown("policy".to_owned(), Level::Block, String::new(), why));
                break;
            }
            match entry.get_ref() {
                DeValue::Table(table) => rules.push(rule(table, at, number, text, &mut names, errors)),
                other => {
                    errors.add(at.start, format!("a rule is a {}", other.type_str()), "[[rule]] tables");
                    let why = "a rule is no table".to_owned();
                    rules.push(unknown(format!("rule-{}", number + 1), Level::Block, String::new(), why));
                }
            }
        }
    }
}

/// One rule. What is wrong with it makes it unknown, at the level it has, or else blocking.
fn rule(
    table: &DeTable<'_>,
    at: Range<usize>,
    number: usize,
    text: &str,
    names: &mut HashSet<String>,
    errors: &mut Errors,
) -> Rule {
    let since = errors.0.len();
    let mut keys = Keys::new(table, at.start, errors);
    let name = name(&mut keys, names);
    let levels = [("block", Level::Block), ("warn", Level::Warn)];
    let level = keys.required("level", "\"block\" or \"warn\"", |keys, key| keys.choice(key, &levels));
    let message = keys.line("message", MAX_MESSAGE);
    let condition = keys.required("condition", &quoted(CONDITIONS), Keys::text);
    let read = condition.and_then(|(kind, at)| {
        let read = match kind {
            "trace-completeness" => Completeness::read(&mut keys).map(Condition::TraceCompleteness),
            "ai-percentage" => Percentage::read(&mut keys).map(Condition::AiPercentage),
            "model-allowlist" => Models::read(&mut keys).map(Condition::ModelAllowlist),
            "sensitive-paths" => Sensitive::read(&mut keys).map(Condition::SensitivePaths),
            "required-tool" => Calls::read_required(&mut keys).map(Condition::RequiredTool),
            "conditional-tool" => Calls::read_conditional(&mut keys).map(Condition::ConditionalTool),
            "token-budget" => Budget::read(&mut keys).map(Condition::TokenBudget),
            _ => {
                keys.error(at, format!("unknown condition \"{}\"", shown(kind)), quoted(CONDITIONS));
                return None;
            }
        };
        keys.no_others(kind);
        read
    });
    let name = name.unwrap_or_else(|| format!("rule-{}", number + 1));
    let level = level.unwrap_or(Level::Block);
    let kind = condition.map_or(String::new(), |(kind, _)| shown(kind));
    match (read, errors.first_since(since, text)) {
        (Some(condition), None) => Rule { name, level, message, condition },
        (_, why) => unknown(name, level, kind, why.unwrap_or_default()),
    }
}

fn name(keys: &mut Keys<'_, '_>, names: &mut HashSet<String>) -> Option<String> {
    let allowed = format!("a name of its own of 1 to {MAX_NAME} letters a-z, digits and -");
    let (name, at) = keys.required("name", &allowed, Keys::text)?;
    let formed = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !formed || !(1..=MAX_NAME).contains(&name.len()) {
        keys.error(at, format!("\"{}\" is no name", shown(name)), allowed);
        return None;
    }
    if !names.insert(name.to_owned()) {
        keys.error(at, format!("another rule is called \"{name}\""), allowed);
    }
    Some(name.to_owned())
}

/// What others wrote, short and on one line.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(60).collect()
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}
