//! Unified diffs for people: hunks with three lines of context, without file headers.

use std::fmt::Write as _;

use super::carry;
use super::lines;

/// Lines around a change.
const CONTEXT: usize = 3;

/// The change from `before` to `after`; bytes that are not UTF-8 become U+FFFD.
pub fn diff(before: &[u8], after: &[u8]) -> String {
    let (old, new): (Vec<&[u8]>, Vec<&[u8]>) = (lines::split(before).collect(), lines::split(after).collect());
    let hunks = carry::hunks(&old, &new);
    let mut out = String::new();
    let mut index = 0;
    while index < hunks.len() {
        // Changes whose contexts touch share a hunk.
        let mut last = index;
        while last + 1 < hunks.len() && hunks[last + 1].before.start <= hunks[last].before.end + 2 * CONTEXT {
            last += 1;
        }
        let group = &hunks[index..=last];
        let lead = group[0].before.start.min(CONTEXT);
        let tail = (old.len() - group[group.len() - 1].before.end).min(CONTEXT);
        let (old_start, new_start) = (group[0].before.start - lead, group[0].after.start - lead);
        let (old_end, new_end) = (group[group.len() - 1].before.end + tail, group[group.len() - 1].after.end + tail);
        header(&mut out, old_start, old_end, new_start, new_end);
        let mut at = old_start;
        for hunk in group {
            old[at..hunk.before.start].iter().for_each(|line| push(&mut out, ' ', line));
            old[hunk.before.clone()].iter().for_each(|line| push(&mut out, '-', line));
            new[hunk.after.clone()].iter().for_each(|line| push(&mut out, '+', line));
            at = hunk.before.end;
        }
        old[at..old_end].iter().for_each(|line| push(&mut out, ' ', line));
        index = last + 1;
    }
    out
}

fn header(out: &mut String, old_start: usize, old_end: usize, new_start: usize, new_end: usize) {
    let range = |start: usize, end: usize| {
        let first = if start == end { start } else { start + 1 };
        format!("{first},{}", end - start)
    };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "@@ -{} +{} @@", range(old_start, old_end), range(new_start, new_end));
}

fn push(out: &mut String, sign: char, line: &[u8]) {
    out.push(sign);
    out.push_str(&String::from_utf8_lossy(line));
    if line.last() != Some(&b'\n') {
        out.push_str("\n\\ No newline at end of file\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_read_as_git_writes_them() {
        let before: String = (1..=20).map(|n| format!("{n}\n")).collect();
        let after = before.replace("2\n", "two\n").replacen("19\n", "", 1);
        let text = diff(b"a\nb\nc\n", b"a\nB\nc");
        assert_eq!(text, "@@ -1,3 +1,3 @@\n a\n-b\n-c\n+B\n+c\n\\ No newline at end of file\n");
        let text = diff(b"", b"x\n");
        assert_eq!(text, "@@ -0,0 +1,1 @@\n+x\n");
        assert_eq!(diff(before.as_bytes(), before.as_bytes()), "");
        assert!(diff(before.as_bytes(), after.as_bytes()).matches("@@ -").count() >= 2);
    }
}
