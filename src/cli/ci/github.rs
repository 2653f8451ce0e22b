//! What GitHub Actions reads from a step: annotations on its standard output, and its outputs in a file.

use crate::cli::format::one_line;
use crate::cli::report::{Finding, Report};
use crate::host::output::visible;
use crate::policy::Level;

/// GitHub shows ten of each kind from a step.
const MAX_ANNOTATIONS: usize = 10;

/// The findings as workflow commands, what blocks first; beyond the first ones only how many there are.
pub fn annotations(report: &Report) -> Vec<String> {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let mut lines: Vec<String> = findings.iter().take(MAX_ANNOTATIONS).map(|finding| annotation(finding)).collect();
    if findings.len() > MAX_ANNOTATIONS {
        let more = findings.len() - MAX_ANNOTATIONS;
        lines.push(format!("::notice title=git-tracevault::{more} more findings are in the step's summary"));
    }
    lines
}

fn annotation(finding: &Finding) -> String {
    let kind = if finding.level == Level::Block { "error" } else { "warning" };
    let mut properties = Vec::new();
    if let Some(path) = &finding.path {
        properties.push(format!("file={}", property(path.as_str())));
        properties.extend(finding.line.map(|line| format!("line={line}")));
    }
    properties.push(format!("title={}", property(&format!("git-tracevault: {}", finding.rule))));
    format!("::{kind} {}::{}", properties.join(","), message(&finding.told()))
}

/// What went wrong, as an annotation.
pub fn failure(why: &str) -> String {
    format!("::error title=git-tracevault::{}", message(why))
}

/// Commands that text which is printed between them cannot give: GitHub heeds none until it sees the token again.
pub fn silence(token: &str) -> (String, String) {
    (format!("::stop-commands::{token}"), format!("::{token}::"))
}

/// A line for the file of outputs. A value is never more than one line.
pub fn output(name: &str, value: &str) -> String {
    format!("{name}={}\n", one_line(value))
}

/// The escapes of a command's message.
fn message(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The escapes of a command's property.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RepoPath;
    use crate::policy::Outcome;

    fn finding(text: &str) -> Finding {
        let found = Finding::new("a:b,c", Outcome::Violated);
        let path = RepoPath::from_bytes(b"src/a,b:c%.rs").ok();
        Finding { path, line: Some(3), message: text.into(), advice: "x\n::set-output name=a::b".into(), ..found }
    }

    #[test]
    fn annotations_are_escaped_as_github_says() {
        let mut report = Report::clean();
        report.add("", finding("50% of\r\nit"));
        assert_eq!(
            annotations(&report),
            ["::error file=src/a%2Cb%3Ac%25.rs,line=3,title=git-tracevault%3A a%3Ab%2Cc::50%25 of\u{fffd}%0Ait. \
              To do: x%0A::set-output name=a::b"]
        );
        assert_eq!(failure("a\n::b"), "::error title=git-tracevault::a%0A::b");
        assert_eq!(output("range", "a\nverdict=pass"), "range=a verdict=pass\n");
    }

    #[test]
    fn ten_are_shown_and_the_rest_is_counted() {
        let mut report = Report::clean();
        report.add("", Finding { level: Level::Warn, ..finding("w") });
        for _ in 0..14 {
            report.add("", finding("m"));
        }
        let lines = annotations(&report);
        assert_eq!(lines.len(), 11);
        assert!(lines[..10].iter().all(|line| line.starts_with("::error ")), "{lines:?}");
        assert!(lines[10].contains("5 more findings"), "{lines:?}");
    }
}
