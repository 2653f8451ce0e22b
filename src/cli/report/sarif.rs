//! SARIF 2.1.0, as code scanners' results are shown by hosts and editors.

use serde_json::{Value, json};

use super::{Finding, Report, Rule};
use crate::config::COMMITTED;
use crate::digest::Digest;
use crate::host::output::visible;
use crate::id::RepoPath;
use crate::policy::{Level, Outcome};

/// Where the form is defined.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Under which name, and in which way, findings are told to be the same as before.
const FINGERPRINT: &str = "tracevaultFinding/v1";

/// The report as one SARIF log.
pub fn write(report: &Report) -> String {
    let mut seen = std::collections::HashMap::new();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            // Two findings in the same place differ by their order.
            let nth = seen.entry(identity(finding)).and_modify(|n| *n += 1).or_insert(0_u32);
            result(report, finding, *nth)
        })
        .collect();
    let driver = json!({
        "name": "git-tracevault",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": report.rules.iter().map(rule).collect::<Vec<_>>(),
    });
    let run = json!({
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    format!("{:#}", json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}))
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": visible(&rule.id),
        "shortDescription": {"text": visible(&rule.about)},
        "defaultConfiguration": {"level": level(rule.level)},
    })
}

fn result(report: &Report, finding: &Finding, nth: u32) -> Value {
    let index = report.rules.iter().position(|rule| rule.id == finding.rule);
    let outcome = match finding.outcome {
        Outcome::Violated => "violated",
        Outcome::Inconclusive => "inconclusive",
    };
    let fingerprint = Digest::of(format!("{}\0{nth}", identity(finding)).as_bytes());
    json!({
        "ruleId": visible(&finding.rule),
        "ruleIndex": index,
        "level": level(finding.level),
        "message": {"text": visible(&finding.told())},
        "locations": [location(finding)],
        "partialFingerprints": {FINGERPRINT: fingerprint.to_string()},
        "properties": {"outcome": outcome, "commit": finding.commit, "record": finding.record},
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Block => "error",
        Level::Warn => "warning",
    }
}

/// The file and line. A host shows nothing that is in no file: for what is about a commit or a record the file stands that
/// names the ledger.
fn location(finding: &Finding) -> Value {
    let uri = finding.path.as_ref().map_or_else(|| COMMITTED.to_owned(), uri);
    let mut physical = json!({"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}});
    if let Some(line) = finding.line {
        physical["region"] = json!({"startLine": line});
    }
    let commit = finding.commit.as_ref().map(|commit| json!({"fullyQualifiedName": commit, "kind": "commit"}));
    let record = finding.record.as_ref().map(|place| json!({"fullyQualifiedName": visible(place), "kind": "record"}));
    let logical: Vec<Value> = commit.into_iter().chain(record).collect();
    json!({"physicalLocation": physical, "logicalLocations": logical})
}

/// A path as a relative URI.
fn uri(path: &RepoPath) -> String {
    let encoded = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    path.to_bytes().iter().map(encoded).collect()
}

/// What stays the same while a finding is the same; numbers in its message may change.
fn identity(finding: &Finding) -> String {
    let commit = finding.commit.as_ref().map_or("", |commit| commit.as_str());
    let path = finding.path.as_ref().map_or("", |path| path.as_str());
    [&finding.rule, commit, path, finding.record.as_deref().unwrap_or_default()].join("\0")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    const PUBLISHED: &str = include_str!("../../../tests/fixtures/sarif-2.1.0.schema.json");

    fn assert_valid(text: &str) {
        // One of its patterns is a regular expression to JavaScript alone.
        let schema = serde_json::from_str(&PUBLISHED.replace("{2}]?$", "{2}\\\\]?$")).unwrap();
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let log = serde_json::from_str(text).unwrap();
        let errors: Vec<_> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {text}");
        assert!(!validator.is_valid(&json!({"version": "2.1.0"})), "the schema can say no");
    }

    #[test]
    fn it_is_valid_by_the_published_schema() {
        assert_valid(&write(&samples::report()));
        assert_valid(&write(&Report::clean()));
    }

    #[test]
    fn results_say_where_and_are_told_apart() {
        let report = samples::report();
        let log: Value = serde_json::from_str(&write(&report)).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        let physical = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], "src/a%20b/%FF%2C%3A%7C%25.rs");
        assert_eq!(physical["region"]["startLine"], 3);
        assert_eq!(results[3]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "c".repeat(40));
        assert_eq!(results[4]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "policy #3");
        assert_eq!((&results[0]["level"], &results[2]["level"]), (&json!("error"), &json!("warning")));
        let mut prints: Vec<_> = results.iter().map(|result| &result["partialFingerprints"][FINGERPRINT]).collect();
        prints.sort_by_key(|print| print.to_string());
        prints.dedup();
        assert_eq!(prints.len(), report.findings.len());
        let mut reworded = report.clone();
        reworded.findings[0].message = "other numbers".into();
        let again: Value = serde_json::from_str(&write(&reworded)).unwrap();
        assert_eq!(again["runs"][0]["results"][0]["partialFingerprints"], results[0]["partialFingerprints"]);
    }
}
