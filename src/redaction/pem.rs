//! Private keys in armour: PEM, OpenSSH, PGP, PuTTY; also numbered, indented, diffed, cut off, or with escaped line breaks.

use super::prefix::prefix;
use super::span::{Rank, Span};

/// What begins each of them.
pub(super) const KEYWORDS: &[&str] = &["-----begin ", "---- begin ", "private-lines: ", TAIL];

/// What ends them, where only the last lines were printed.
const TAIL: &str = "-----end ";

/// The longest block looked at.
const MAX_BLOCK: usize = 64 * 1024;
/// The longest line of a key that is looked at from behind.
const LINE: usize = 2 * MAX_GAP + 64;
/// The most that may stand between two lines of a key: line numbers, quotes, escaped breaks.
const MAX_GAP: usize = 48;

/// Looks for a private key whose head begins at `at`.
pub(super) fn find(text: &[u8], at: usize) -> Option<Span> {
    let block = &text[at..text.len().min(at + MAX_BLOCK)];
    if block[..TAIL.len()].eq_ignore_ascii_case(TAIL.as_bytes()) {
        let start = before_tail(text, at)?;
        return Some(Span::new(start, at, "private-key", Rank::Format));
    }
    let end = if block[0] == b'-' { armoured(block) } else { putty(block) }?;
    Some(Span::new(at, at + end, "private-key", Rank::Format))
}

/// The end of a block that begins `-----BEGIN … PRIVATE KEY`.
fn armoured(block: &[u8]) -> Option<usize> {
    let head = block.iter().take(80).take_while(|b| !matches!(b, b'\n' | b'\\' | b'"')).count();
    let label = block[..head].to_ascii_uppercase();
    let holds = |what: &[u8]| label.windows(what.len()).any(|w| w == what);
    if !holds(b"PRIVATE KEY") && !holds(b"ENCRYPTED SECRET KEY") {
        return None;
    }
    let dashes = block[10..head].windows(4).position(|w| w == b"----")? + 10;
    let body = dashes + block[dashes..].iter().take_while(|b| **b == b'-').count();
    let end = key_lines(block, body);
    if end == body {
        return None;
    }
    // The tail, if it is there at all.
    let tail = find_bytes(&block[end..block.len().min(end + 2 * MAX_GAP + 64)], b"-END ")
        .or_else(|| find_bytes(&block[end..block.len().min(end + 2 * MAX_GAP + 64)], b"- END "));
    let Some(tail) = tail.map(|t| end + t) else { return Some(end) };
    let line = tail + 5;
    let close = find_bytes(&block[line..block.len().min(line + 80)], b"----");
    Some(close.map_or(end, |c| line + c + block[line + c..].iter().take(5).take_while(|b| **b == b'-').count()))
}

/// Where the lines of base64 begin that end at a tail without a head, at `at`; at least one is as long as a key's.
fn before_tail(text: &[u8], at: usize) -> Option<usize> {
    let label = &text[at..text.len().min(at + 48)];
    find_bytes(label, b"PRIVATE KEY-")?;
    let (mut start, mut long, mut line_end) = (None, false, at);
    while let Some(gap) = text[..line_end].iter().rev().take(LINE).position(|b| *b == b'\n') {
        let end = line_end - gap - 1;
        // What stands before the tail in its own line is what a tool puts before each.
        let from =
            text[..end].iter().rev().take(LINE).position(|b| *b == b'\n').map_or(end.saturating_sub(LINE), |n| end - n);
        let body = from + prefix(&text[from..end]);
        let line = text[body..end].trim_ascii();
        let skip = text[body..end].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let padded = line.iter().rev().take_while(|b| **b == b'=').count();
        let is_key = !line.is_empty() && line.len() <= 100 && line[..line.len() - padded].iter().all(|b| is_base64(*b));
        if !is_key || (start.is_some() && line.len() < 40) || at - body > MAX_BLOCK {
            break;
        }
        long |= line.len() >= 40 && !line.iter().all(u8::is_ascii_hexdigit);
        start = Some(body + skip);
        line_end = from;
    }
    start.filter(|_| long)
}

/// `Private-Lines: N` and what follows.
fn putty(block: &[u8]) -> Option<usize> {
    let head = 15 + block[15..].iter().take_while(|b| b.is_ascii_digit()).count();
    let end = key_lines(block, head);
    (end > head).then_some(end)
}

/// The end of the lines of base64 from `i` on. Headers such as `Proc-Type:` may stand before them.
fn key_lines(block: &[u8], mut i: usize) -> usize {
    let start = i;
    let (mut end, mut width) = (i, 0);
    loop {
        let run = block[i..].iter().take_while(|b| is_base64(**b)).count();
        if run >= 40 || (width > 0 && run > 0 && run <= width && closes(&block[i + run..])) {
            width = width.max(run);
            i += run;
            end = i + block[i..].iter().take(2).take_while(|b| **b == b'=').count();
        } else {
            i += run.max(1);
        }
        let gap = if end == start { 8 * MAX_GAP } else { MAX_GAP };
        if i >= block.len() || i > end + gap || bounds(&block[i..]) && i > start {
            return end;
        }
    }
}

/// Whether a tail or a further head stands here.
fn bounds(rest: &[u8]) -> bool {
    let line = rest.strip_prefix(b"+").unwrap_or(rest);
    [&b"-----"[..], b"---- ", b"Private-Lines: "].iter().any(|head| line.starts_with(head))
}

/// Whether a shorter run ends the key: padding, the end of its line or the tail come next.
fn closes(rest: &[u8]) -> bool {
    matches!(rest.first(), None | Some(b'=' | b'\n' | b'\r' | b'\\' | b'"' | b'-' | b'<' | b'\''))
}

fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')
}

fn find_bytes(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_a_key_are_one() {
        let line = "vxffNJlH4SQOZkjuaTCJC4m7tjhMh1byqVFiZALd5v5VhqF";
        for before in ["", "    ", "+", "   7\t"] {
            let tail = format!("{before}-----END RSA PRIVATE KEY-----\n");
            let text = format!("$ tail -4 id_rsa\n{before}{line}\n{before}{line}\n{before}rTmK==\n{tail}");
            let at = text.find("-----END").unwrap();
            let span = find(text.as_bytes(), at).unwrap();
            assert_eq!((span.start, span.end), (text.find("vxff").unwrap(), at), "{before}");
            assert!(find(format!("done\n{tail}").as_bytes(), 5 + before.len()).is_none());
        }
        assert!(find(format!("{line}\n-----END CERTIFICATE-----").as_bytes(), 48).is_none());
    }

    #[test]
    fn a_key_ends_where_the_next_begins() {
        for head in ["-----BEGIN X PRIVATE KEY-----", "---- BEGIN X PRIVATE KEY ----", "Private-Lines: 1"] {
            for prefix in ["", "+", " "] {
                let key = format!("{head}\n{prefix}{}\n{prefix}", "A".repeat(44));
                let span = find(key.repeat(3).as_bytes(), 0).unwrap();
                assert_eq!((span.start, span.end), (0, key.len() - 1 - prefix.len()), "{prefix}{head}");
            }
        }
    }
}
