//! Carrying labels from one state of a file to the next, along a line diff.
//!
//! The diff is git's own (Myers with git's sliding), not one that reads better: of the lines that git says a commit
//! adds, another algorithm pairs some with old lines (7 in 100, histogram on real rewrites), and those would be nobody's.
//! Where it calls a line new that was there before, the line's own uniqueness or its tokens say so (`reformat`).

use std::collections::HashSet;
use std::ops::Range;

use gix::diff::blob::{Algorithm, InternedInput, diff_with_slider_heuristics};

use super::labels::{AuthorId, Labels, Origin};
use super::lines::{self, is_telling};
use super::recall::Past;
use super::reformat::{anchors, reformatted};

/// Beyond these a file is compared from both ends only. A diff of 100,000 lines that all stand there 50 times, in
/// another order, takes a second.
const MAX_BYTES: usize = 5 << 20;
const MAX_LINES: usize = 100_000;

/// The labels of `to`, where `labels` are those of `from` and what `to` inserts is of origin `inserted`.
///
/// A line that only had its white space changed, or whose tokens were only wrapped differently, keeps its origin.
pub fn carry(labels: &Labels, from: &[u8], to: &[u8], inserted: Origin) -> Labels {
    if from == to {
        return labels.to_vec(lines::count(to)).into_iter().collect();
    }
    follow(labels, from, to).kept.into_iter().map(|origin| origin.unwrap_or(inserted)).collect()
}

/// The lines of `after`, counted from 1, that are not in `before`: those that `git diff` shows with a `+`.
#[cfg(test)]
pub fn added(before: &[u8], after: &[u8]) -> Vec<std::ops::RangeInclusive<u32>> {
    let (old, new): (Vec<_>, Vec<_>) = (lines::split(before).collect(), lines::split(after).collect());
    let range = |hunk: &Hunk| hunk.after.start as u32 + 1..=hunk.after.end as u32;
    hunks(&old, &new).iter().filter(|hunk| !hunk.after.is_empty()).map(range).collect()
}

/// The lines of `before` that a line diff takes away, and those of `after` that it brings, but for the white space around
/// them.
pub fn changed<'a>(before: &'a [u8], after: &'a [u8]) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
    let split = |bytes: &'a [u8]| -> Vec<&'a [u8]> { lines::split(bytes).map(<[u8]>::trim_ascii).collect() };
    let (old, new) = (split(before), split(after));
    let hunks = match before.len().max(after.len()) > MAX_BYTES || old.len().max(new.len()) > MAX_LINES {
        true => vec![Hunk { before: 0..old.len(), after: 0..new.len() }],
        false => hunks(&old, &new),
    };
    let removed = hunks.iter().flat_map(|hunk| &old[hunk.before.clone()]).copied().collect();
    let added = hunks.iter().flat_map(|hunk| &new[hunk.after.clone()]).copied().collect();
    (removed, added)
}

/// For each line of `to`, whether it comes from a line of `from`: the same, wrapped or indented anew, or moved.
pub fn sources(from: &[u8], to: &[u8]) -> Vec<bool> {
    let labels = Labels::all(Origin::Human, lines::count(from));
    follow(&labels, from, to).kept.iter().map(|origin| *origin == Some(Origin::Human)).collect()
}

/// What is known of each line of `to`, where `known` is known of the lines of `from`.
pub fn carry_known(known: &[Option<u32>], from: &[u8], to: &[u8]) -> Vec<Option<u32>> {
    let label = |known: &Option<u32>| known.map_or(Origin::Unattributed, |n| Origin::Agent(AuthorId(n)));
    let labels = known.iter().map(label).collect();
    let number = |origin: Option<Origin>| match origin {
        Some(Origin::Agent(AuthorId(n))) => Some(n),
        _ => None,
    };
    follow(&labels, from, to).kept.into_iter().map(number).collect()
}

/// How the lines of one state became those of the next.
pub(super) struct Followed<'a> {
    /// For each line of the new state its origin, if it comes from the old one.
    pub kept: Vec<Option<Origin>>,
    /// Runs of lines of the old state that the new one has not.
    pub gone: Vec<Run<'a>>,
}

/// Lines that stand together, with their origins; the neighbours on both sides are there without theirs.
pub(super) type Run<'a> = Vec<(&'a [u8], Option<Origin>)>;

/// Lines of the old state that lines of the new one stand in place of.
pub(super) struct Hunk {
    pub before: Range<usize>,
    pub after: Range<usize>,
}

/// Finds for each line of `to` the line of `from` that it comes from.
pub(super) fn follow<'a>(labels: &Labels, from: &'a [u8], to: &[u8]) -> Followed<'a> {
    let old: Vec<_> = lines::split(from).map(without_newline).collect();
    let new: Vec<_> = lines::split(to).map(without_newline).collect();
    let origins = labels.to_vec(old.len());
    if from.len().max(to.len()) > MAX_BYTES || old.len().max(new.len()) > MAX_LINES {
        return follow_ends(&old, &new, &origins);
    }
    let hunks = hunks(&old, &new);
    let mut kept = unchanged(&hunks, &origins, new.len());
    let neighbours = |run: &Range<usize>| run.start.saturating_sub(1)..(run.end + 1).min(old.len());
    let gone_run = |run: &Range<usize>| {
        let origin = |i| run.contains(&i).then(|| origins[i]);
        neighbours(run).map(|i| (old[i], origin(i))).collect()
    };
    let gone: Vec<Run<'_>> =
        hunks.iter().map(|hunk| &hunk.before).filter(|run| !run.is_empty()).map(gone_run).collect();
    if hunks.iter().any(|hunk| !hunk.before.is_empty()) && hunks.iter().any(|hunk| !hunk.after.is_empty()) {
        let anchors = anchors(&old, &new);
        for change in changes(&hunks, &old) {
            let (was, is) = (&old[change.before.clone()], &new[change.after.clone()]);
            let from = anchors.partition_point(|(was, _)| *was < change.before.start);
            let inside = |(_, is): &&(usize, usize)| change.after.contains(is);
            let local = |(was, is): &(usize, usize)| (was - change.before.start, is - change.after.start);
            let anchors: Vec<_> = anchors[from..]
                .iter()
                .take_while(|(was, _)| *was < change.before.end)
                .filter(inside)
                .map(local)
                .collect();
            let known = reformatted(was, &origins[change.before.clone()], is, &anchors);
            for (line, origin) in kept[change.after].iter_mut().zip(known) {
                *line = origin.or(*line);
            }
        }
        for (was, is) in anchors {
            kept[is] = kept[is].or(Some(origins[was]));
        }
        find_moved(&gone, &new, &mut kept);
    }
    Followed { kept, gone }
}

/// Lines that are gone in one place and stand in another have been moved there.
fn find_moved(gone: &[Run<'_>], new: &[&[u8]], kept: &mut [Option<Origin>]) {
    let mut past = Past::default();
    gone.iter().for_each(|run| past.add(run.iter().copied()));
    past.recall(new, kept, |_| true);
}

/// The origins of the lines outside of hunks.
fn unchanged(hunks: &[Hunk], origins: &[Origin], lines: usize) -> Vec<Option<Origin>> {
    let mut kept = Vec::with_capacity(lines);
    let mut at = 0;
    for hunk in hunks {
        kept.extend(origins[at..hunk.before.start].iter().copied().map(Some));
        kept.resize(hunk.after.end, None);
        at = hunk.before.end;
    }
    kept.extend(origins[at..].iter().copied().map(Some));
    kept
}

/// A line is the same one when it gets a newline because others follow, or when all newlines change their form.
fn without_newline(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What differs, as git sees it.
pub(super) fn hunks(old: &[&[u8]], new: &[&[u8]]) -> Vec<Hunk> {
    let mut input = InternedInput::default();
    input.reserve(old.len() as u32, new.len() as u32);
    input.update_before(old.iter().copied());
    input.update_after(new.iter().copied());
    let diff = diff_with_slider_heuristics(Algorithm::Myers, &input);
    let range = |r: Range<u32>| r.start as usize..r.end as usize;
    diff.hunks().map(|hunk| Hunk { before: range(hunk.before), after: range(hunk.after) }).collect()
}

/// The hunks, joined where only lines like `)` are between: a diff pairs these as it finds them.
fn changes(hunks: &[Hunk], old: &[&[u8]]) -> Vec<Hunk> {
    let mut changes: Vec<Hunk> = Vec::new();
    for hunk in hunks {
        match changes.last_mut() {
            Some(last) if !old[last.before.end..hunk.before.start].iter().any(|line| is_telling(line)) => {
                *last = Hunk { before: last.before.start..hunk.before.end, after: last.after.start..hunk.after.end };
            }
            _ => changes.push(Hunk { before: hunk.before.clone(), after: hunk.after.clone() }),
        }
    }
    changes
}

/// [`follow`] for files too large to compare whole: equal lines at both ends come from each other. In between, a line
/// that the old state also had there may be anybody's.
fn follow_ends<'a>(old: &[&'a [u8]], new: &[&[u8]], origins: &[Origin]) -> Followed<'a> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let middle = head..old.len() - tail;
    let was: HashSet<&[u8]> = old[middle.clone()].iter().copied().collect();
    let between = new[head..new.len() - tail].iter().map(|line| was.contains(line).then_some(Origin::Unattributed));
    let ends = |range: Range<usize>| origins[range].iter().copied().map(Some);
    let kept = ends(0..head).chain(between).chain(ends(middle.end..old.len())).collect();
    Followed { kept, gone: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::super::labels::{AuthorId, Authors};
    use super::*;
    use crate::id::{CallId, SessionId};
    use crate::record::body::LineAuthor;

    fn author() -> AuthorId {
        Authors::default().add(LineAuthor { session: SessionId::from_agent("s"), call: CallId::from_agent("1") })
    }

    /// Letters of the lines of `to` when `from` has the letters `labels`, and `inserted` inserts.
    fn letters(labels: &str, from: &[u8], to: &[u8], inserted: char) -> String {
        let origin = |letter| match letter {
            'A' => Origin::Agent(author()),
            'H' => Origin::Human,
            _ => Origin::Unattributed,
        };
        let labels: Labels = labels.chars().map(origin).collect();
        let letter = |origin| match origin {
            Origin::Agent(_) => 'A',
            Origin::Human => 'H',
            Origin::Unattributed => 'U',
        };
        carry(&labels, from, to, origin(inserted)).iter().map(letter).collect()
    }

    #[test]
    fn lines_keep_their_origin_and_new_ones_get_the_inserters() {
        /// Labels, before, after, who inserts, labels.
        type Case<'a> = (&'a str, &'a [u8], &'a [u8], char, &'a str);
        let cases: &[Case<'_>] = &[
            ("", b"", b"a\nb\n", 'A', "AA"),
            ("HH", b"a\nb\n", b"", 'A', ""),
            ("HH", b"a\nb\n", b"a\nx\nb\n", 'A', "HAH"),
            ("AAA", b"a\nb\nc\n", b"a\nX\nc\n", 'U', "AUA"),
            ("HAH", b"a\nb\nc\n", b"c\n", 'A', "H"),
            // A newline that others' lines bring along makes no new line of the last one.
            ("H", b"}", b"}\nnew\n", 'A', "HA"),
            ("A", b"}\n", b"}", 'U', "A"),
            // White space alone: ends of lines, indentation, wrapping.
            ("HAA", b"a\nb\n\n", b"a\r\nb\r\n\r\n", 'U', "HAA"),
            ("HA", b"a = 1\nb = 2\n", b"  a = 1\n\tb  =  2\n", 'U', "HA"),
            ("H", b"call(foo, bar, baz)\n", b"call(\n  foo,\n  bar,\n  baz)\n", 'A', "HHHH"),
            ("AAAA", b"call(\n  foo,\n  bar,\n  baz)\n", b"call(foo, bar, baz)\n", 'U', "A"),
            // Two people's lines on one line: the agent's only if nobody else's.
            ("HA", b"foo(\nbar)\n", b"foo(bar)\n", 'U', "U"),
            // Indented because something was put around it.
            ("HH", b"first\nsecond\n", b"if x {\n  first\n  second\n}\n", 'A', "AHHA"),
            // Wrapped, with a new line beside it.
            ("H", b"call(foo, bar)\n", b"call(\n  foo,\n  bar)\nother()\n", 'A', "HHHA"),
            ("H", b"call(foo, bar)\n", b"other()\ncall(\n  foo,\n  bar)\n", 'A', "AHHH"),
            // Wrapped around a new line.
            ("H", b"call(foo, bar)\n", b"call(\n  foo,\n  new,\n  bar)\n", 'A', "HHAH"),
            // A brace alone is no sign of having been there before.
            ("AA", b"while y {\n  }\n", b"if x {\n}\n", 'U', "UU"),
            // Too short labels know nothing of the rest.
            ("A", b"a\nb\n", b"a\nb\n", 'A', "AU"),
            ("A", b"\xff\xfe\n", b"\xff\xfe\nx\xff\n", 'U', "AU"),
        ];
        for (labels, from, to, inserted, expected) in cases {
            let name = String::from_utf8_lossy(to);
            assert_eq!(letters(labels, from, to, *inserted), *expected, "{name}");
        }
    }

    #[test]
    fn added_lines_are_gits() {
        assert_eq!(added(b"", b"a\nb"), [1..=2]);
        assert_eq!(added(b"a\nb\n", b"a\nb\n"), []);
        assert_eq!(added(b"a\nb\nc\n", b"x\nb\nc\ny\n"), [1..=1, 4..=4]);
        // Here a newline makes the difference, as in git.
        assert_eq!(added(b"a", b"a\nb\n"), [1..=2]);
        assert_eq!(added(b"a\n", b"a\r\n"), [1..=1]);
    }

    #[test]
    fn huge_files_are_compared_from_both_ends() {
        let line = |i: usize| format!("line {i}\n");
        let from: String = (0..=MAX_LINES).map(line).collect();
        let to = from.replace("line 7\n", "agent's\nline 8\n").replace("line 99999\n", "line 99999\nmore\n");
        let labels = Labels::all(Origin::Human, MAX_LINES + 1);
        let inserted = Origin::Agent(author());
        let labels = carry(&labels, from.as_bytes(), to.as_bytes(), inserted);
        assert_eq!(labels.len(), MAX_LINES + 3);
        let of = |wanted| labels.iter().filter(|origin| *origin == wanted).count();
        assert_eq!(labels.iter().nth(6), Some(Origin::Human));
        assert_eq!(labels.iter().nth(7), Some(inserted));
        assert_eq!((of(inserted), of(Origin::Human)), (2, 8));
        assert_eq!(labels.iter().last(), Some(Origin::Human));
    }
}
