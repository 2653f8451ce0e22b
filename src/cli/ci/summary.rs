//! The page that a reviewer reads: the verdict, the commits, what was found and what to do.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use super::judge::{Judged, Row};
use super::range::Range;
use crate::cli::format::{self, count, first_of, money, share};
use crate::cli::report::markdown::{code, findings, heading, text};
use crate::git::history::CommitInfo;
use crate::id::{GitId, LedgerId};
use crate::record::body::Lines;

/// So many commits are in the table.
pub const MAX_COMMITS: usize = 200;
/// And so much of what anybody wrote is in a cell of it.
const MAX_CELL: usize = 120;
/// GitHub shows nothing at all of a page that has more than 1 MiB.
const MAX_PAGE: usize = 1_000_000;

/// What the page tells beside what was judged.
pub struct Page<'a> {
    /// What happened: `push to main`.
    pub what: &'a str,
    pub range: &'a Range,
    pub ledger: LedgerId,
    /// What the first commits of the table say of themselves.
    pub infos: &'a HashMap<GitId, CommitInfo>,
    /// What else is to be said, in Markdown.
    pub notes: &'a [String],
}

/// The page in Markdown.
pub fn write(page: &Page<'_>, judged: &Judged) -> String {
    let mut out = heading(judged.report.verdict, !judged.report.findings.is_empty());
    let ledger: String = page.ledger.to_string().chars().take(12).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{}, {}: {}. Ledger {}, {}, {}.\n",
        text(page.what),
        code(&page.range.shown),
        count(judged.commits.len() as u64, "commit"),
        code(&ledger),
        count(judged.records, "record"),
        judged.rules.map_or("no rules in force".to_owned(), |n| format!("rules of policy record {n}"))
    );
    out.push_str(&totals(judged));
    out.push_str(&table(page, judged));
    out.push_str(&findings(&judged.report));
    for note in page.notes {
        let _ = writeln!(out, "{note}\n");
    }
    out
}

/// As many whole lines of a page as are shown, so that nobody can make it disappear by what they write into commits.
pub fn shown(page: &str) -> Cow<'_, str> {
    let Some(most) = page.as_bytes().get(..MAX_PAGE) else { return page.into() };
    let end = most.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    format!("{}\n… and more than can be shown here; the job's log has it.\n", &page[..end]).into()
}

fn totals(judged: &Judged) -> String {
    if judged.commits.is_empty() {
        return String::new();
    }
    let (lines, sessions) = (judged.lines(), judged.sessions().len() as u64);
    let unknown = judged.commits.iter().filter(|row| row.lines.is_none()).count() as u64;
    let open = if unknown > 0 { format!(" ({} unknown)", count(unknown, "commit")) } else { String::new() };
    format!(
        "**Agents** wrote {} of {} added{open}, in {}, for {}.\n\n",
        agent_share(&lines),
        count(lines.added, "line"),
        count(sessions, "session"),
        money(judged.cost())
    )
}

fn agent_share(lines: &Lines) -> String {
    match share(lines.agent, lines.added) {
        none if none.is_empty() => "none".into(),
        share => format!("{} ({share})", format::number(lines.agent)),
    }
}

fn table(page: &Page<'_>, judged: &Judged) -> String {
    if judged.commits.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "| commit | state | agent | sessions | model | cost | author | subject |\n|---|---|--:|---|---|--:|---|---|\n",
    );
    // The newest are what is looked for.
    for row in judged.commits.iter().rev().take(MAX_COMMITS) {
        let _ = writeln!(out, "{}", line(row, page.infos.get(&row.commit)));
    }
    if judged.commits.len() > MAX_COMMITS {
        let _ = writeln!(out, "\n… and {} older.", count((judged.commits.len() - MAX_COMMITS) as u64, "commit"));
    }
    out.push('\n');
    out
}

fn line(row: &Row, info: Option<&CommitInfo>) -> String {
    let sign = match row.state {
        "sealed" | "signed" | "linked" | "merge" => "✅",
        "pending" => "❓",
        _ => "❌",
    };
    let agent = row.lines.map_or("?".into(), |lines| share(lines.agent, lines.added));
    let sessions = first_of(row.sessions.iter().map(|(session, _)| session.short()));
    let sessions = if sessions.is_empty() { sessions } else { code(&sessions) };
    let mut models: Vec<&str> =
        row.sessions.iter().flat_map(|(_, models)| models).map(|name| format::model(name)).collect();
    models.sort_unstable();
    models.dedup();
    let cost = if row.sessions.is_empty() { String::new() } else { money(row.cost) };
    let (author, subject) = info.map_or(("", ""), |info| (info.author_name.as_str(), info.subject.as_str()));
    let cells = [
        code(row.commit.short()),
        format!("{sign} {}", row.state),
        agent,
        sessions,
        text(&cut(&first_of(models.into_iter()))),
        cost,
        text(&cut(author)),
        text(&cut(subject)),
    ];
    format!("| {} |", cells.join(" | "))
}

/// The beginning of a text, as much as a cell takes.
fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::Report;
    use crate::cost::Money;
    use crate::digest::Digest;
    use crate::id::SessionId;

    fn id(c: char) -> GitId {
        c.to_string().repeat(40).parse().unwrap()
    }

    fn judged(rows: Vec<Row>) -> Judged {
        Judged { report: Report::clean(), commits: rows, records: 3, rules: Some(1) }
    }

    fn row(c: char, state: &'static str, lines: Option<Lines>) -> Row {
        let sessions = vec![(SessionId::from_agent("0b7d3a52-6c1e"), vec!["claude-opus-4-5-20251101".to_owned()])];
        Row { commit: id(c), state, lines, sessions, cost: Some(Money::from_micro_dollars(1_500_000)) }
    }

    #[test]
    fn the_page_says_each_commit_and_the_sums() {
        let lines = Lines { added: 4, agent: 3, human: 0, unattributed: 1 };
        let missing = Row { sessions: Vec::new(), cost: None, ..row('b', "missing", None) };
        let judged = judged(vec![row('a', "signed", Some(lines)), missing]);
        let range = Range { commits: vec![id('a'), id('b')], head: Some(id('b')), shown: "a..b".into() };
        let info = CommitInfo {
            id: id('a'),
            time: 0,
            author_name: "Ada".into(),
            author_email: String::new(),
            subject: "A | <b> @bea".into(),
        };
        let infos = HashMap::from([(id('a'), info)]);
        let ledger = LedgerId(Digest::ZERO);
        let notes = ["A note.".to_owned()];
        let page = Page { what: "push to x|y", range: &range, ledger, infos: &infos, notes: &notes };
        let page = write(&page, &judged);
        for part in [
            "## ✅ git-tracevault: pass\n\npush to x\\|y, `a..b`: 2 commits. Ledger `000000000000`, 3 records, rules of policy record 1.",
            "**Agents** wrote 3 (75%) of 4 lines added (1 commit unknown), in 1 session, for ?.",
            "| `aaaaaaaaaaaa` | ✅ signed | 75% | `0b7d3a52` | claude-opus-4-5 | $1.50 | Ada | A \\| &lt;b&gt; @<!-- -->bea |",
            "| `bbbbbbbbbbbb` | ❌ missing | ? |  |  |  |  |  |",
            "\nA note.\n",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(page.find("`bbbb") < page.find("`aaaa"), "the newest first");
    }

    #[test]
    fn nobody_makes_the_page_too_long_to_be_shown() {
        let judged = judged(vec![row('a', "signed", None)]);
        let subject = "ü@".repeat(MAX_PAGE);
        let info =
            CommitInfo { id: id('a'), time: 0, author_name: subject.clone(), author_email: subject.clone(), subject };
        let infos = HashMap::from([(id('a'), info)]);
        let range = Range::nothing();
        let page = Page { what: "", range: &range, ledger: LedgerId(Digest::ZERO), infos: &infos, notes: &[] };
        let page = write(&page, &judged);
        assert!(page.len() < 5_000 && page.contains("| ü@<!-- -->ü@"), "{}", page.len());
        assert_eq!(shown(&page), page);
        let long = format!("## first\n{}\nlast\n", "ü\n".repeat(MAX_PAGE));
        let long = shown(&long);
        assert!(long.len() < MAX_PAGE + 100 && long.starts_with("## first\nü\n"), "{}", long.len());
        assert!(long.ends_with("ü\n\n… and more than can be shown here; the job's log has it.\n"));
        assert_eq!(shown(&"x".repeat(MAX_PAGE + 1)).lines().count(), 2);
    }

    #[test]
    fn a_long_range_is_cut_and_says_so() {
        let judged = judged((0..MAX_COMMITS + 5).map(|_| row('a', "signed", None)).collect());
        let range = Range::nothing();
        let infos = HashMap::new();
        let page = Page { what: "", range: &range, ledger: LedgerId(Digest::ZERO), infos: &infos, notes: &[] };
        let page = write(&page, &judged);
        assert!(page.contains("… and 5 commits older."), "{page}");
        assert_eq!(page.matches("aaaaaaaaaaaa").count(), MAX_COMMITS);
    }
}
