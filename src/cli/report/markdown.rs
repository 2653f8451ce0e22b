//! Markdown (GitHub's, which GitLab and others read alike), for a reviewer.

use std::fmt::Write as _;

use super::{Finding, Report};
use crate::cli::format::{count, one_line};
use crate::finding::Verdict;
use crate::policy::Level;

/// So many findings are listed; a page that nobody reads to its end helps nobody.
const MAX_FINDINGS: usize = 100;

/// The report: the verdict, then what was found and what to do.
pub fn write(report: &Report, commits: usize) -> String {
    let rules = count(report.rules.len() as u64, "rule");
    let mut out = heading(report.verdict, !report.findings.is_empty());
    let _ = writeln!(out, "{} checked by {rules}.\n", count(commits as u64, "commit"));
    out.push_str(&findings(report));
    out
}

/// The verdict as a heading.
pub fn heading(verdict: Verdict, warns: bool) -> String {
    let (sign, word) = match verdict {
        Verdict::Pass if warns => ("⚠️", "pass, with warnings"),
        Verdict::Pass => ("✅", "pass"),
        Verdict::Inconclusive => ("❓", "it cannot be told"),
        Verdict::Fail => ("❌", "fail"),
    };
    format!("## {sign} git-tracevault: {word}\n\n")
}

/// What was found, worst first, each with what to do about it; nothing where nothing was found.
pub fn findings(report: &Report) -> String {
    let mut out = String::new();
    let mut listed: Vec<&Finding> = report.findings.iter().collect();
    listed.sort_by_key(|finding| std::cmp::Reverse((finding.level, finding.outcome)));
    if listed.is_empty() {
        return out;
    }
    out.push_str("### What was found\n\n");
    for finding in listed.iter().take(MAX_FINDINGS) {
        let sign = if finding.level == Level::Block { "❌" } else { "⚠️" };
        let (word, rule) = (finding.word(), code(&finding.rule));
        let _ = writeln!(out, "- {sign} **{word}** {rule}{}: {}", place(finding), text(&finding.message));
        if !finding.advice.is_empty() {
            let _ = writeln!(out, "  - To do: {}", text(&finding.advice));
        }
    }
    if listed.len() > MAX_FINDINGS {
        let _ = writeln!(out, "- … and {} more.", listed.len() - MAX_FINDINGS);
    }
    out.push('\n');
    out
}

fn place(finding: &Finding) -> String {
    let Some(path) = &finding.path else { return String::new() };
    let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
    format!(" {}", code(&format!("{path}{line}")))
}

/// Text of unknown origin as text: no markup, no link, nobody called by name; one line, also in a table.
pub fn text(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A name after an @ with a comment between is nobody's.
            '@' => out.push_str("@<!-- -->"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '|' | '~' | ':' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.replace("www.", "www\\.")
}

/// Text of unknown origin as code, also in a table.
pub fn code(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_verdict_stands_first_and_the_worst_before_the_rest() {
        let text = write(&samples::report(), 2);
        assert!(text.starts_with("## ❌ git-tracevault: fail\n\n2 commits checked by 5 rules.\n"), "{text}");
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
        assert!(
            at("**block** `hands off`") < at("**block?** `budget`") && at("**block?**") < at("**warn?**"),
            "{text}"
        );
        assert!(text.contains("`\"src/a b/\\377,:\\|%.rs\":3`: m\n  - To do: a\n"), "{text}");
        assert_eq!(write(&Report::clean(), 1), "## ✅ git-tracevault: pass\n\n1 commit checked by 0 rules.\n\n");
    }

    #[test]
    fn hostile_text_is_text() {
        let shown = text(samples::HOSTILE);
        assert_eq!(
            shown,
            "a\\|b\\`c &lt;img src=x&gt; &amp; \"q\" 'x' \\]\\]&gt; \\*b\\* \\_i\\_ \\[l\\](http\\://x) @<!-- -->me \
             \\:\\:error\\:\\:\u{fffd}\\[31m\u{fffd}\u{fffe}%0A"
        );
        assert_eq!(code("a`b``c|d\n"), "```a`b``c\\|d ```");
        assert_eq!(code("`"), "`` ` ``");
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let mut report = samples::report();
        let one = report.findings[0].clone();
        report.findings = vec![one; MAX_FINDINGS + 7];
        assert!(findings(&report).ends_with("- … and 7 more.\n\n"));
    }
}
