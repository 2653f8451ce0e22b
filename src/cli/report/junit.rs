//! JUnit's XML, as CI servers read it: a test case for each rule that is kept, and one for each finding.

use std::fmt::Write as _;

use super::{Finding, Report};
use crate::host::output::visible;
use crate::policy::{Level, Outcome};

/// The report as one test suite. What only warns passes, and says so on its output.
pub fn write(report: &Report) -> String {
    let mut cases = String::new();
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    for rule in &report.rules {
        let class = format!("git-tracevault.{}", rule.id);
        let mut kept = true;
        for finding in report.about(rule) {
            kept = false;
            tests += 1;
            match (finding.level, finding.outcome) {
                (Level::Block, Outcome::Violated) => failures += 1,
                (Level::Block, Outcome::Inconclusive) => errors += 1,
                (Level::Warn, _) => {}
            }
            case(&mut cases, &class, finding);
        }
        if kept {
            tests += 1;
            let (class, about) = (escaped(&class), escaped(&rule.about));
            // Writing to a string cannot fail.
            let _ = writeln!(cases, "    <testcase classname=\"{class}\" name=\"{about}\" time=\"0\"/>");
        }
    }
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"git-tracevault\" {counts}>\n  \
         <testsuite name=\"git-tracevault\" {counts} skipped=\"0\" time=\"0\">\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

fn case(out: &mut String, class: &str, finding: &Finding) {
    let (class, name) = (escaped(class), escaped(&place(finding)));
    let file = finding.path.as_ref().map(|path| format!(" file=\"{}\"", escaped(path.as_str()))).unwrap_or_default();
    let line = finding.line.map(|line| format!(" line=\"{line}\"")).unwrap_or_default();
    let (message, told) = (escaped(&finding.message), escaped(&finding.told()));
    let body = match (finding.level, finding.outcome) {
        (Level::Block, Outcome::Violated) => {
            format!("<failure type=\"violated\" message=\"{message}\">{told}</failure>")
        }
        (Level::Block, Outcome::Inconclusive) => {
            format!("<error type=\"inconclusive\" message=\"{message}\">{told}</error>")
        }
        (Level::Warn, _) => format!("<system-out>{}: {told}</system-out>", finding.word()),
    };
    let _ = writeln!(
        out,
        "    <testcase classname=\"{class}\" name=\"{name}\"{file}{line} time=\"0\">\n      {body}\n    </testcase>"
    );
}

/// What the finding is about.
fn place(finding: &Finding) -> String {
    let commit = finding.commit.as_ref().map(|commit| format!("commit {}", commit.short()));
    let path = finding.path.as_ref().map(|path| path.as_str().to_owned());
    let parts: Vec<String> = commit.into_iter().chain(path).chain(finding.record.clone()).collect();
    if parts.is_empty() { "the range".into() } else { parts.join(", ") }
}

/// Text in XML, in an element or an attribute. What XML cannot hold at all becomes a visible mark.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use roxmltree::Document;

    #[test]
    fn it_is_well_formed_and_counts_what_it_says() {
        let text = write(&samples::report());
        let document = Document::parse(&text).unwrap();
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        let counts = ["tests", "failures", "errors", "skipped"].map(|name| suite.attribute(name).unwrap());
        assert_eq!(counts, ["6", "3", "1", "0"]);
        let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
        assert_eq!([count("testcase"), count("failure"), count("error"), count("system-out")], [6, 3, 1, 1]);
        let document = write(&Report::clean());
        assert_eq!(Document::parse(&document).unwrap().root_element().attribute("tests"), Some("0"));
    }

    #[test]
    fn hostile_text_is_text() {
        let text = write(&samples::report());
        let document = Document::parse(&text).unwrap();
        let failure = document.descendants().filter(|node| node.has_tag_name("failure")).nth(1).unwrap();
        let said = failure.attribute("message").unwrap();
        assert!(
            said.starts_with("a|b`c <img src=x> & \"q\" 'x' ]]> *b*") && said.contains("\n::error::\u{fffd}[31m"),
            "{said}"
        );
        assert_eq!(failure.children().count(), 1, "its text alone");
        let case = failure.parent().unwrap();
        assert_eq!(case.attribute("line"), Some("3"));
        assert_eq!(case.attribute("file"), Some("\"src/a b/\\377,:|%.rs\""));
    }
}
