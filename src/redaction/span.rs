//! Spans: where secrets stand, put in order and taken out.

use super::privacy;

/// A stretch of bytes that is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
    /// The rule that found it.
    pub rule: &'static str,
    pub rank: Rank,
    /// What tells equal secrets: see [`super::mark`]. 0 until the text that it was found in is done.
    pub tag: u32,
    /// In how many documents, one a string of the next, the marker needs quotes: it stands for numbers. 0 where it needs none.
    pub quotes: u8,
}

impl Span {
    pub fn new(start: usize, end: usize, rule: &'static str, rank: Rank) -> Self {
        Span { start, end, rule, rank, tag: 0, quotes: 0 }
    }
}

/// Which of two rules names a secret that both found: the later one here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// It was found elsewhere.
    Known,
    /// Only the name beside the value tells.
    Named,
    /// The syntax around it tells: a header, a URL, a command.
    Context,
    /// Its own form tells.
    Format,
}

/// Orders the spans from index `from` on, and joins those that overlap.
pub(super) fn merge(spans: &mut Vec<Span>, from: usize) {
    if spans.len() < from + 2 {
        return;
    }
    spans[from..].sort_by_key(|s| (s.start, s.end));
    let mut last = from;
    for i in from + 1..spans.len() {
        let next = spans[i];
        let kept = &mut spans[last];
        if next.start < kept.end {
            kept.end = kept.end.max(next.end);
            if next.rank > kept.rank {
                (kept.rule, kept.rank, kept.tag) = (next.rule, next.rank, next.tag);
            }
        } else {
            last += 1;
            spans[last] = next;
        }
    }
    spans.truncate(last + 1);
}

/// Widens the spans from index `from` on so that none cuts a UTF-8 character in two.
pub(super) fn to_char_boundaries(text: &[u8], spans: &mut [Span]) {
    let inside = |i: usize| i > 0 && i < text.len() && text[i] & 0xC0 == 0x80;
    for span in spans {
        for _ in 0..3 {
            span.start -= usize::from(inside(span.start));
            span.end += usize::from(inside(span.end));
        }
    }
}

/// What every marker begins with, in lower case.
pub(super) const MARKER: &str = "[redacted:";

/// Where the marker that begins at `at` ends, if one does.
pub(super) fn marker_end(text: &[u8], at: usize) -> Option<usize> {
    let id = at + MARKER.len();
    if !text.get(at..id)?.eq_ignore_ascii_case(MARKER.as_bytes()) {
        return None;
    }
    let len = text[id..].iter().take(96).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b':')).count();
    (text.get(id + len) == Some(&b']')).then_some(id + len + 1)
}

/// Whether a span covers what has been taken out already.
pub(super) fn holds_marker(text: &[u8], span: &Span) -> bool {
    memchr::memmem::find(&text[span.start..span.end], b"[REDACTED:").is_some()
}

/// Keeps the spans from index `from` on out of markers that are in the text already. One may hold a whole marker.
pub(super) fn spare_markers(spans: &mut Vec<Span>, from: usize, markers: &[(usize, usize)]) {
    if markers.is_empty() {
        return;
    }
    let around = |at: usize| {
        let next = markers.partition_point(|m| m.1 <= at);
        markers.get(next).copied().filter(|m| m.0 < at)
    };
    for span in &mut spans[from..] {
        span.start = around(span.start).map_or(span.start, |m| m.1);
        span.end = around(span.end).map_or(span.end, |m| m.0);
        if markers.binary_search(&(span.start, span.end)).is_ok() {
            span.end = span.start;
        }
    }
    let mut i = 0;
    spans.retain(|span| {
        i += 1;
        i <= from || span.start < span.end
    });
}

/// The bytes with a marker in each span's place. The spans are in order and apart.
pub(super) fn splice(bytes: &[u8], spans: &[Span]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + spans.len() * 8);
    let mut done = 0;
    for span in spans {
        out.extend_from_slice(&bytes[done..span.start]);
        marker(span, &mut out);
        done = span.end;
    }
    out.extend_from_slice(&bytes[done..]);
    out
}

/// Adds what a span is replaced by.
fn marker(span: &Span, out: &mut Vec<u8>) {
    if span.rule == privacy::HOME {
        return out.push(b'~');
    }
    let quote = quote(span);
    out.extend_from_slice(format!("{quote}[REDACTED:{}:{:08x}]{quote}", span.rule, span.tag).as_bytes());
}

/// A quote as it is written in as many documents, each a string of the next: `"`, `\"`, `\\\"`.
fn quote(span: &Span) -> String {
    match span.quotes {
        0 => String::new(),
        depth => "\\".repeat((1 << (depth.min(8) - 1)) - 1) + "\"",
    }
}

/// How many bytes a span's marker takes.
fn marker_len(span: &Span) -> usize {
    if span.rule == privacy::HOME { 1 } else { "[REDACTED::01234567]".len() + span.rule.len() + 2 * quote(span).len() }
}

/// Takes spans found in the output of [`splice`] back to the bytes it was made from.
///
/// What touches a marker becomes the whole of the span behind it.
pub(super) fn unsplice(found: &mut [Span], spliced: &[Span]) {
    let back = |at: usize, is_end: bool| {
        let mut delta = 0isize; // source position minus output position
        for span in spliced {
            let start = (span.start as isize - delta) as usize;
            let end = start + marker_len(span);
            if at < start || (is_end && at == start) {
                break;
            }
            if at < end {
                return if is_end { span.end } else { span.start };
            }
            delta = span.end as isize - end as isize;
        }
        (at as isize + delta) as usize
    };
    for span in found {
        (span.start, span.end) = (back(span.start, false), back(span.end, true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: usize, end: usize, rule: &'static str, rank: Rank) -> Span {
        Span::new(start, end, rule, rank)
    }

    #[test]
    fn overlapping_spans_become_one_under_the_stronger_name() {
        let mut spans = vec![
            span(9, 9, "keep", Rank::Format),
            span(5, 9, "b", Rank::Format),
            span(0, 6, "a", Rank::Named),
            span(9, 12, "c", Rank::Named),
        ];
        merge(&mut spans, 1);
        assert_eq!(spans[1..], [span(0, 9, "b", Rank::Format), span(9, 12, "c", Rank::Named)]);
        assert_eq!(spans[0].rule, "keep");
    }

    #[test]
    fn splicing_puts_markers_and_unsplicing_finds_the_way_back() {
        let text = b"a=SECRET b=OTHER c=x";
        let spans = [span(2, 8, "r", Rank::Named), span(11, 16, "r", Rank::Named)];
        let out = splice(text, &spans);
        assert_eq!(out, b"a=[REDACTED:r:00000000] b=[REDACTED:r:00000000] c=x");
        let at = |needle: &[u8]| out.windows(needle.len()).position(|w| w == needle).unwrap();
        let mut found = [span(at(b"c=x"), out.len(), "r", Rank::Named), span(0, 1, "r", Rank::Named)];
        unsplice(&mut found, &spans);
        assert_eq!(&text[found[0].start..found[0].end], b"c=x");
        assert_eq!(&text[found[1].start..found[1].end], b"a");
        let mut touching = [span(4, 25, "r", Rank::Named)];
        unsplice(&mut touching, &spans);
        assert_eq!(&text[touching[0].start..touching[0].end], b"SECRET b");
    }

    #[test]
    fn no_character_is_cut() {
        let text = "aé日b".as_bytes();
        let mut spans = [span(2, 4, "r", Rank::Named)];
        to_char_boundaries(text, &mut spans);
        assert_eq!(&text[spans[0].start..spans[0].end], "é日".as_bytes());
    }
}
