//! Dumps: bytes written as rows of hex (`xxd`, `hexdump`, `od`), as lists of numbers or of characters.

use super::view::View;

/// The bytes that a hex dump in the text shows; `None` where there is no dump.
pub(super) fn rows(text: &[u8]) -> Option<View> {
    // Dumps begin at offset 0, in seven digits or eight.
    memchr::memmem::find(text, b"0000000")?;
    let mut view = View::new();
    let mut shown = 0;
    let mut line = 0;
    while line < text.len() {
        let end = memchr::memchr(b'\n', &text[line..]).map_or(text.len(), |n| line + n);
        let before = view.text.len();
        row(text, line, end, &mut view);
        if view.text.len() > before {
            shown += 1;
        } else if shown > 0 && !view.text.ends_with(b"\n") {
            view.put(b"\n", end, end);
        }
        line = end + 1;
    }
    (shown > 0).then_some(view)
}

/// Adds the bytes of one row. Each reaches to the row's end, where the same bytes stand as text.
fn row(text: &[u8], start: usize, end: usize, view: &mut View) {
    let line = &text[start..end];
    let mut i = super::prefix::prefix(line);
    i += line[i..].iter().take_while(|b| **b == b' ').count();
    let offset = line[i..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
    if !(6..=8).contains(&offset) {
        return;
    }
    i += offset;
    let words = line.get(i) != Some(&b':');
    i += usize::from(!words);
    if line.get(i) != Some(&b' ') {
        return;
    }
    if words && let Some(bytes) = characters_of(&line[i..]) {
        let cells = bytes.iter().enumerate();
        let first = i + (line.len() - i) % 4 % 2;
        return cells.for_each(|(n, byte)| view.put(&[*byte], start + first + 4 * n + 1, end));
    }
    let mut count = 0;
    let mut blanks = 0;
    while i < line.len() && count < 32 {
        if line[i] == b' ' {
            blanks += 1;
            i += 1;
            continue;
        }
        let group = line[i..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let whole = matches!(line.get(i + group), None | Some(b' ' | b'\r'));
        if group == 0
            || group % 2 != 0
            || group > 8
            || !whole
            || (blanks > 2 && count > 0)
            || (blanks > 1 && count == 16)
        {
            break;
        }
        for pair in (i..i + group).step_by(2) {
            // Words of two bytes stand with the low one behind.
            let from = if words && group == 4 { 2 * i + 2 - pair } else { pair };
            let Some(byte) = hex_pair(&line[from..from + 2]) else { return };
            view.put(&[byte], start + pair, end);
            count += 1;
        }
        (i, blanks) = (i + group, 0);
    }
}

/// The bytes of a row of `od -c`, or of `od -b`: cells of four, with a character, an escape or three octal digits.
fn characters_of(row: &[u8]) -> Option<Vec<u8>> {
    let row = row.strip_suffix(b"\r").unwrap_or(row);
    let row = if row.len() % 4 == 1 { &row[1..] } else { row };
    let cell = |cell: &[u8]| match *cell {
        [b' ', b' ', b' ', b] => Some(b),
        [b' ', b' ', b'\\', b] => Some(match b {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            _ => b' ',
        }),
        [b' ', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7'] => {
            Some(a.wrapping_sub(b'0') << 6 | (b & 7) << 3 | (c & 7))
        }
        _ => None,
    };
    let whole = !row.is_empty() && row.len().is_multiple_of(4) && row.len() <= 64;
    whole.then(|| row.chunks(4).map(cell).collect()).flatten()
}

fn hex_pair(digits: &[u8]) -> Option<u8> {
    let digit = |b: u8| (b as char).to_digit(16);
    Some((digit(digits[0])? * 16 + digit(digits[1])?) as u8)
}

/// Fewer items tell nothing.
const MIN_ITEMS: usize = 8;

/// Calls `on` with each list of numbers or of characters that writes a text, and with that text.
pub(super) fn lists(text: &[u8], mut on: impl FnMut(usize, usize, Vec<u8>)) {
    let mut i = 0;
    // A list's signs and digits go on for so long that most of a text is skipped.
    const STEP: usize = 22;
    while i + STEP <= text.len() {
        if let Some(gap) = (i..i + STEP).rev().find(|&j| !in_list(text[j])) {
            i = gap + 1;
            continue;
        }
        let end = i + STEP + text[i + STEP..].iter().take_while(|b| in_list(**b)).count();
        list(text, i, end, &mut on);
        i = end + 1;
    }
    characters(text, &mut on);
}

fn in_list(b: u8) -> bool {
    b.is_ascii_hexdigit() || matches!(b, b',' | b' ' | b':' | b'x' | b'\n' | b'\r' | b'\t' | b'-')
}

/// Reads the numbers from `start` to before `end`.
fn list(text: &[u8], start: usize, end: usize, on: &mut impl FnMut(usize, usize, Vec<u8>)) {
    let mut bytes = Vec::new();
    let (mut first, mut last, mut hex) = (start, start, None);
    let mut i = start;
    while i < end {
        if !text[i].is_ascii_alphanumeric() {
            i += 1;
            continue;
        }
        let len = text[i..end].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        let item = &text[i..i + len];
        let prefixed = item.strip_prefix(b"0x").or(item.strip_prefix(b"x"));
        let comma = text[i + len..end].iter().take(3).any(|b| *b == b',')
            || text[start..i].iter().rev().take(3).any(|b| *b == b',');
        let (radix, digits) = match prefixed {
            Some(digits) => (16, digits),
            None if comma => (10, item),
            None => (16, item),
        };
        let value = std::str::from_utf8(digits).ok().and_then(|d| u8::from_str_radix(d, radix).ok());
        let value = value.filter(|_| radix == 10 || digits.len() == 2).filter(|_| *hex.get_or_insert(radix) == radix);
        match value {
            Some(value) => {
                if bytes.is_empty() {
                    first = i;
                }
                bytes.push(value);
                last = i + len;
            }
            None => {
                flush(&mut bytes, first, last, on);
                hex = None;
            }
        }
        i += len;
    }
    flush(&mut bytes, first, last, on);
}

fn flush(bytes: &mut Vec<u8>, start: usize, end: usize, on: &mut impl FnMut(usize, usize, Vec<u8>)) {
    let bytes = std::mem::take(bytes);
    if bytes.len() >= MIN_ITEMS && bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\t' | b'\n' | b'\r')) {
        on(start, end, bytes);
    }
}

/// `'a', 'b', 'c'`: lists of characters.
fn characters(text: &[u8], on: &mut impl FnMut(usize, usize, Vec<u8>)) {
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&text[from..], b"',").map(|n| from + n) {
        from = at + 2;
        if at < 2 || text[at - 2] != b'\'' {
            continue;
        }
        let start = at - 2;
        let (mut i, mut end, mut bytes) = (start, start, Vec::new());
        while let Some([b'\'', b, b'\'']) = text.get(i..i + 3) {
            bytes.push(*b);
            end = i + 3;
            i = end + text[end..].iter().take(40).take_while(|b| matches!(b, b',' | b' ' | b'\n')).count();
        }
        from = from.max(end);
        flush(&mut bytes, start, end, on);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists_of(text: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        lists(text.as_bytes(), |start, end, bytes| {
            found.push((text[start..end].to_owned(), String::from_utf8(bytes).unwrap()));
        });
        found
    }

    #[test]
    fn dumps_show_their_bytes() {
        for dump in [
            "00000000: 544f 4b45 4e3d 6162 6331 3233 7879 7a21  TOKEN=abc123xyz!\n00000010: 6f6b 0a                                  ok.\n",
            "00000000  54 4f 4b 45 4e 3d 61 62  63 31 32 33 78 79 7a 21  |TOKEN=abc123xyz!|\n00000010  6f 6b 0a  |ok.|\n",
            "0000000 4f54 454b 3d4e 6261 3163 3332 7978 217a\n0000020 6b6f 000a\n",
            "0000000   T   O   K   E   N   =   a   b   c   1   2   3   x   y   z   !\n0000020   o   k  \\n\n",
            "0000000 124 117 113 105 116 075 141 142 143 061 062 063 170 171 172 041\n0000020 157 153 012\n",
            "0000000 54 4f 4b 45 4e 3d 61 62 63 31 32 33 78 79 7a 21\n0000020 6f 6b 0a\n",
        ] {
            let view = rows(dump.as_bytes()).unwrap();
            assert!(view.text.starts_with(b"TOKEN=abc123xyz!ok\n"), "{dump} {:?}", String::from_utf8_lossy(&view.text));
            let (start, end) = view.to_raw(6, 16);
            assert!(dump[..start].ends_with([' ', 'd', '=']), "{dump}");
            assert_eq!(dump.as_bytes()[end], b'\n');
        }
        assert!(rows(b"a 00000000 b\nno dump").is_none());
    }

    #[test]
    fn lists_are_read() {
        let text = "tok3n-abc";
        let decimal = text.bytes().map(|b| b.to_string()).collect::<Vec<_>>().join(", ");
        let prefixed = text.bytes().map(|b| format!("0x{b:02x}")).collect::<Vec<_>>().join(",\n");
        let spaced = text.bytes().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
        let quoted = text.chars().map(|c| format!("'{c}'")).collect::<Vec<_>>().join(", ");
        for list in [decimal, prefixed, spaced.clone(), spaced.replace(' ', ":"), quoted] {
            assert_eq!(lists_of(&format!("x = [{list}]; y")), [(list, text.to_owned())]);
        }
        assert!(lists_of("sizes: [1, 2, 4, 8, 16, 32, 64, 128, 256], aa:bb:cc:dd:ee:ff:00:11").is_empty());
    }
}
