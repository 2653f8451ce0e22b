//! An organisation's own rules, and what it allows to stand: a file in TOML, refused as a whole where it is wrong.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;
use toml::Spanned;

use super::span::{Rank, Span};
use crate::digest::Digest;

/// Rules and exceptions besides those that are compiled in.
#[derive(Debug, Clone, Default)]
pub struct Custom {
    rules: Vec<(&'static str, Regex)>,
    allow: Vec<Regex>,
    /// Of the file.
    digest: Option<Digest>,
}

/// Why a file of rules is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct CustomError {
    pub line: usize,
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<RuleEntry>,
    #[serde(default)]
    allow: Vec<AllowEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    id: Spanned<String>,
    pattern: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowEntry {
    /// What a value that stays matches as a whole.
    pattern: Spanned<String>,
}

/// A larger pattern would cost more than what it finds is worth.
const MAX_PATTERN: usize = 1 << 20;

impl Custom {
    /// The SHA-256 of the file, where there is one.
    pub(super) fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Reads a file of rules.
    pub fn parse(text: &str) -> Result<Self, CustomError> {
        let refuse = |span: Option<Range<usize>>, reason: String| {
            let before = &text[..span.map_or(0, |span| span.start.min(text.len()))];
            CustomError { line: before.matches('\n').count() + 1, reason }
        };
        let file: File =
            toml::from_str(text).map_err(|error| refuse(error.span(), error.message().trim().to_owned()))?;
        let compile = |pattern: &Spanned<String>, whole: bool| {
            let text = if whole { format!(r"\A(?:{})\z", pattern.get_ref()) } else { pattern.get_ref().clone() };
            let at = Some(pattern.span());
            // The first line of what the engine says quotes the pattern; its last one is the reason.
            let reason = |error: regex::Error| error.to_string().lines().last().unwrap_or_default().trim().to_owned();
            let regex = RegexBuilder::new(&text).size_limit(MAX_PATTERN).build();
            let regex =
                regex.map_err(|error| refuse(at.clone(), format!("the pattern is wrong: {}", reason(error))))?;
            if regex.is_match(b"") {
                return Err(refuse(at, "the pattern matches nothing at all".to_owned()));
            }
            Ok(regex)
        };
        let mut custom = Custom { digest: Some(Digest::of(text.as_bytes())), ..Custom::default() };
        for rule in &file.rule {
            let id = rule.id.get_ref();
            let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if id.is_empty() || id.len() > 40 || !id.bytes().all(named) {
                let reason = "an id has 1 to 40 lower-case letters, digits and hyphens".to_owned();
                return Err(refuse(Some(rule.id.span()), reason));
            }
            // Read once a process; spans are copied by the thousand.
            custom.rules.push((Box::leak(id.clone().into_boxed_str()), compile(&rule.pattern, false)?));
        }
        for allow in &file.allow {
            custom.allow.push(compile(&allow.pattern, true)?);
        }
        Ok(custom)
    }

    pub(super) fn find(&self, text: &[u8], spans: &mut Vec<Span>) {
        for (id, regex) in &self.rules {
            for captures in regex.captures_iter(text) {
                if let Some(secret) = captures.get(1).or(captures.get(0)).filter(|secret| !secret.is_empty()) {
                    spans.push(Span::new(secret.start(), secret.end(), id, Rank::Format));
                }
            }
        }
    }

    /// Whether a value may stand.
    pub(super) fn allows(&self, value: &[u8]) -> bool {
        self.allow.iter().any(|regex| regex.is_match(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_find_and_exceptions_stay() {
        let custom =
            Custom::parse("[[rule]]\nid = \"acme-key\"\npattern = 'acme_(\\w{8})'\n\n[[allow]]\npattern = 'test-.*'\n");
        let custom = custom.unwrap();
        let mut spans = Vec::new();
        custom.find(b"x acme_abcd1234 y", &mut spans);
        assert_eq!(spans.iter().map(|s| (s.start, s.end, s.rule)).collect::<Vec<_>>(), [(7, 15, "acme-key")]);
        assert!(custom.allows(b"test-1") && !custom.allows(b"a test-1"));
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_line() {
        for (text, line, reason) in [
            ("[[rule]]\nid = \"a\"\npattern = '['\n", 3, "the pattern is wrong"),
            ("[[rule]]\nid = \"A b\"\npattern = 'x'\n", 2, "an id has"),
            ("\n[[rule]]\nid = \"a\"\npattern = 'x*'\n", 4, "matches nothing"),
            ("[[rule]]\nid = \"a\"\npattern = 'x'\nextra = 1\n", 4, "unknown field"),
            ("[[allow]]\npattern = '.*'\n", 2, "matches nothing"),
            ("[[rule]]\nid = \n", 2, ""),
        ] {
            let error = Custom::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text} {error}");
            assert!(error.reason.contains(reason), "{text} {error}");
        }
        assert!(Custom::parse("").unwrap().rules.is_empty());
    }
}
