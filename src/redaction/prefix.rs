//! Prefixes: what tools put before each line of what they show, to be looked past where a value is in the next line.

/// How long the prefix of a line is: a line number, a diff's or a comment's sign, a frame, a log's time and source.
pub(super) fn prefix(line: &[u8]) -> usize {
    let blanks = line.iter().take(12).take_while(|b| **b == b' ').count();
    let digits = line[blanks..].iter().take(8).take_while(|b| b.is_ascii_digit()).count();
    let after = blanks + digits;
    if digits > 0 && line[after..].starts_with("→".as_bytes()) {
        return after + "→".len();
    }
    if digits > 0 && matches!(line.get(after), Some(b'\t' | b'|')) {
        return after + 1;
    }
    let signs = line.iter().take(4).take_while(|b| matches!(b, b'>' | b'#' | b'/' | b'*' | b'|')).count();
    if signs > 0 && line.get(signs) == Some(&b' ') {
        return signs + 1;
    }
    if matches!(line.first(), Some(b'+' | b'-' | b'>')) {
        return 1;
    }
    // What a test shows to differ.
    if blanks > 0 && line[blanks..].starts_with(b"+ ") {
        return blanks + 2;
    }
    frame(line).max(logged(line))
}

/// `│ `, also behind a line number: a box's left side.
fn frame(line: &[u8]) -> usize {
    let margin = line.iter().take(12).take_while(|b| **b == b' ' || b.is_ascii_digit()).count();
    let side = ["│ ", "┃ ", "║ "].into_iter().find(|side| line[margin..].starts_with(side.as_bytes()));
    side.map_or(0, |side| margin + side.len())
}

/// `2026-10-02T07:11:10Z stdout F `, `<165>1 2026-… node app 41 ID47 - `, `Oct 02 07:11:10 node app[41]: `, `web-1  | `,
/// `web-6f7d9c5b8-x2x9q web `: a log's time and source.
fn logged(line: &[u8]) -> usize {
    let head = &line[..line.len().min(120)];
    let word = |from: usize| from + head[from..].iter().take_while(|b| b.is_ascii_graphic()).count();
    let next = |from: usize| from + head[from..].iter().take(4).take_while(|b| **b == b' ').count();
    let first = &head[..word(0)];
    if first.len() < 3 {
        return 0;
    }
    if let Some(rest) = first.strip_prefix(b"<")
        && rest.first().is_some_and(u8::is_ascii_digit)
    {
        return find(head, b" - ").map_or(0, |at| at + 3);
    }
    let second = next(first.len());
    if timestamp(first) {
        let stream = [&b"stdout F "[..], b"stderr F ", b"stdout P ", b"stderr P "];
        let stream = stream.into_iter().find(|s| head[second..].starts_with(s)).map_or(0, <[u8]>::len);
        return first.len() + if stream > 0 { second - first.len() + stream } else { 1 };
    }
    let months = [&b"Jan"[..], b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    if months.contains(&first) {
        return find(head, b": ").map_or(0, |at| at + 2);
    }
    if head[second..].starts_with(b"| ") && first.last().is_some_and(u8::is_ascii_digit) {
        return second + 2;
    }
    // A pod's name ends with a hash of five, and its container follows.
    let pod = first.len() > 12 && first[first.len() - 6] == b'-' && first.iter().filter(|b| **b == b'-').count() >= 2;
    let hash = pod && first.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
    if hash { (word(second) + 1).min(line.len()) } else { 0 }
}

/// `2026-10-02T07:11:10`, with what may follow.
fn timestamp(word: &[u8]) -> bool {
    let fits = |i: usize, b: u8| match i {
        4 | 7 => b == b'-',
        10 => b == b'T',
        13 | 16 => b == b':',
        _ => b.is_ascii_digit(),
    };
    word.len() >= 19 && word[..19].iter().enumerate().all(|(i, b)| fits(i, *b))
}

fn find(head: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(head, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_put_before_lines_is_known() {
        for (before, rest) in [
            ("    97→", "key: x"),
            ("+", "key: x"),
            ("    + ", "  key: x"),
            ("│ ", "key: x"),
            ("   1   │ ", "key: x"),
            ("2026-10-02T07:11:10.118204113Z stdout F ", "key: x"),
            ("2026-10-02T07:11:10.1182041Z ", "  key: x"),
            ("<165>1 2026-10-02T07:11:10.003Z node3 web 4121 ID47 - ", "key: x"),
            ("Oct 02 07:11:10 node3 web[4121]: ", "key: x"),
            ("web-1  | ", "key: x"),
            ("web-6f7d9c5b8-x2x9q web ", "key: x"),
            ("", "key: x"),
            ("", "a-very-long-word followed"),
            ("", ""),
        ] {
            assert_eq!(prefix(format!("{before}{rest}").as_bytes()), before.len(), "{before}");
        }
    }
}
