//! Texts inside texts: colours taken out, base64 and hex decoded, so that what they hide can be searched.

/// Shorter runs hold nothing worth decoding.
const MIN_RUN: usize = 24;

/// The text without terminal escape sequences.
pub(super) fn without_ansi(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut i = 0;
    while let Some(plain) = text[i..].iter().position(|b| *b == 0x1B) {
        out.extend_from_slice(&text[i..i + plain]);
        i += plain + ansi_len(&text[i + plain..]);
    }
    out.extend_from_slice(&text[i..]);
    out
}

/// The length of the escape sequence at the start of `text`.
fn ansi_len(text: &[u8]) -> usize {
    let body = match text.get(1) {
        Some(b'[') => {
            let params = text[2..].iter().take(64).take_while(|b| (0x20..=0x3F).contains(*b)).count();
            2 + params + 1
        }
        Some(b']') => {
            let end = text[2..].iter().take(1024).position(|b| matches!(b, 7 | 0x1B));
            end.map_or(2, |end| 2 + end + if text[2 + end] == 7 { 1 } else { 2 })
        }
        Some(_) => 2,
        None => 1,
    };
    body.min(text.len())
}

/// Takes ordered positions in [`without_ansi`]'s text back; starts and ends alternate.
pub(super) fn ansi_to_raw(text: &[u8], positions: &mut [usize]) {
    let (mut raw, mut plain, mut todo) = (0, 0, 0);
    while todo < positions.len() {
        let len = text[raw..].iter().position(|b| *b == 0x1B).unwrap_or(text.len() - raw);
        let last = raw + len == text.len();
        while todo < positions.len() {
            let is_end = todo % 2 == 1;
            // An end stays before the sequence that follows, a start goes after it.
            let here = positions[todo] < plain + len || (positions[todo] == plain + len && (is_end || last));
            if !here {
                break;
            }
            positions[todo] = raw + (positions[todo] - plain);
            todo += 1;
        }
        if last {
            positions[todo..].fill(text.len());
            return;
        }
        (raw, plain) = (raw + len, plain + len);
        raw += ansi_len(&text[raw..]);
    }
}

/// Finds the runs that may be base64 or hex: in one line, or in lines of one width. In linear time, and far less than a
/// look at each byte in ordinary text.
pub(super) fn runs(text: &[u8], mut on: impl FnMut(usize, usize)) {
    let mut i = 0;
    while i + MIN_RUN <= text.len() {
        if let Some(gap) = (i..i + MIN_RUN).rev().find(|&j| !is_digit(text[j])) {
            i = gap + 1;
            continue;
        }
        // The sign of a diff is none of the digits.
        i += usize::from(matches!(text[i], b'+' | b'-') && (i == 0 || text[i - 1] == b'\n'));
        let mut end = line_end(text, i + MIN_RUN - 1);
        let width = end - i;
        while width >= 60 && matches!(text.get(end), Some(b'\n' | b'\r')) {
            let next = end + if text[end..].starts_with(b"\r\n") { 2 } else { 1 };
            let more = line_end(text, next);
            if more == next || more - next > width {
                break;
            }
            end = more;
            if more - next < width {
                break;
            }
        }
        let pad = text[end..].iter().take(6).take_while(|b| **b == b'=').count();
        if end + pad >= i + MIN_RUN {
            on(i, end + pad);
        }
        i = end + 1;
    }
}

fn line_end(text: &[u8], from: usize) -> usize {
    from + text[from..].iter().take_while(|b| is_digit(**b)).count()
}

fn is_digit(b: u8) -> bool {
    DIGITS[usize::from(b)] < 64
}

/// What each byte is worth in base64 and base64url; 64 where nothing.
static DIGITS: [u8; 256] = digits();

const fn digits() -> [u8; 256] {
    let mut table = [64; 256];
    let mut i = 0;
    while i < 26 {
        table[b'A' as usize + i] = i as u8;
        table[b'a' as usize + i] = 26 + i as u8;
        if i < 10 {
            table[b'0' as usize + i] = 52 + i as u8;
        }
        i += 1;
    }
    table[b'+' as usize] = 62;
    table[b'-' as usize] = 62;
    table[b'/' as usize] = 63;
    table[b'_' as usize] = 63;
    table
}

/// Decodes base64 of either alphabet, padded or not, over line breaks. `None` where it is not that.
pub(super) fn decode_base64(run: &[u8]) -> Option<Vec<u8>> {
    let body = run.strip_suffix(b"==").or_else(|| run.strip_suffix(b"=")).unwrap_or(run);
    let mut out = Vec::with_capacity(body.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0);
    for &b in body {
        if matches!(b, b'\n' | b'\r') {
            continue;
        }
        let digit = DIGITS[usize::from(b)];
        if digit == 64 {
            return None;
        }
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    (held < 6).then_some(out)
}

/// Decodes base32, over line breaks. `None` where it is not that, or where its first bytes are no text.
fn decode_base32(run: &[u8]) -> Option<Vec<u8>> {
    let body = &run[..run.len() - run.iter().rev().take_while(|b| **b == b'=').count()];
    let mut out = Vec::new();
    let (mut bits, mut held) = (0u32, 0);
    for &b in body {
        let digit = match b {
            b'A'..=b'Z' => b - b'A',
            b'2'..=b'7' => b - b'2' + 26,
            b'\n' | b'\r' => continue,
            _ => return None,
        };
        bits = bits << 5 | u32::from(digit);
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            if out.len() == 8 && !is_text(&out) && !is_packed(&out) {
                return None;
            }
        }
    }
    Some(out)
}

/// The most that a compressed text may unfold to.
const MAX_UNFOLDED: u64 = 1 << 20;

/// The text that a run encodes, if it is text: in hex or base64, compressed or in UTF-16.
pub(super) fn decode_text(run: &[u8]) -> Option<Vec<u8>> {
    let prefixed = run.strip_prefix(b"0x").unwrap_or(run);
    if prefixed.len() >= 24 && prefixed.len().is_multiple_of(2) && prefixed.iter().all(u8::is_ascii_hexdigit) {
        return text_of(hex::decode(prefixed).ok()?);
    }
    if let Some(text) = decode_base32(run).and_then(text_of) {
        return Some(text);
    }
    // Most runs are names, paths, digests or images: their first bytes tell.
    let head = decode_base64(&run[..MIN_RUN])?;
    if !is_text(&head) && !is_packed(&head) && !is_wide(&head) {
        return None;
    }
    text_of(decode_base64(run)?)
}

fn text_of(bytes: Vec<u8>) -> Option<Vec<u8>> {
    if is_packed(&bytes) {
        return unpack(&bytes).filter(|text| is_text(text));
    }
    if is_wide(&bytes) {
        let narrow: Vec<u8> = bytes.iter().step_by(2).copied().collect();
        return is_text(&narrow).then_some(narrow);
    }
    is_text(&bytes).then_some(bytes)
}

fn is_packed(bytes: &[u8]) -> bool {
    matches!(bytes, [0x1F, 0x8B, 8, ..] | [0x78, 0x01 | 0x5E | 0x9C | 0xDA, ..])
}

/// UTF-16 of plain ASCII, low byte first.
fn is_wide(bytes: &[u8]) -> bool {
    bytes.len() >= 16 && bytes.iter().skip(1).step_by(2).all(|b| *b == 0) && bytes.iter().step_by(2).all(|b| *b != 0)
}

/// Unpacks gzip or zlib, as far as it goes: what is cut off may hold a secret all the same.
fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut text = Vec::new();
    let limited = |reader: &mut dyn std::io::Read, text: &mut Vec<u8>| {
        let _ = reader.take(MAX_UNFOLDED).read_to_end(text);
    };
    if bytes[0] == 0x1F {
        limited(&mut flate2::read::GzDecoder::new(bytes), &mut text);
    } else {
        limited(&mut flate2::read::ZlibDecoder::new(bytes), &mut text);
    }
    (!text.is_empty()).then_some(text)
}

/// Whether all is printable, but for a few bytes that other scripts may need.
fn is_text(bytes: &[u8]) -> bool {
    let odd = bytes.iter().filter(|b| **b >= 0x80).count();
    let control = bytes.iter().any(|b| matches!(b, 0..=8 | 11 | 12 | 14..=26 | 28..=31 | 127));
    !control && odd * 8 <= bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out_and_positions_come_back() {
        let text = b"a \x1b[1;33msecret\x1b[0m b\x1b]0;title\x07c\x1b";
        let plain = without_ansi(text);
        assert_eq!(plain, b"a secret bc");
        let mut positions = [2, 8, 10, 11];
        ansi_to_raw(text, &mut positions);
        assert_eq!(&text[positions[0]..positions[1]], b"secret");
        assert_eq!(&text[positions[2]..positions[3]], b"c");
    }

    #[test]
    fn runs_are_whole_and_joined_over_lines() {
        let line = "QUJD".repeat(19);
        let text = format!("x {line}\n{line}\nQUJD=\nshort QUJDREVGR0hJSktMTU5PUFFSU1Q= y");
        let mut found = Vec::new();
        runs(text.as_bytes(), |start, end| found.push(&text[start..end]));
        assert_eq!(found, [format!("{line}\n{line}\nQUJD=").as_str(), "QUJDREVGR0hJSktMTU5PUFFSU1Q="]);
    }

    #[test]
    fn only_text_is_decoded() {
        assert_eq!(decode_text(b"QUJDREVGR0hJSktMTU5PUFFSU1RV").unwrap(), b"ABCDEFGHIJKLMNOPQRSTU");
        assert_eq!(decode_text(b"IFBEGRCFIZDUQSKKJNGE2TSPKBIVEU2UKU======").unwrap(), b"ABCDEFGHIJKLMNOPQRSTU");
        assert_eq!(decode_text(b"6162636465666768696a6b6c6d6e6f70").unwrap(), b"abcdefghijklmnop");
        for not in
            ["adc4054957bd4711d69a997d9a23e3d2", "a_long_identifier_in_snake_case", "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAY"]
        {
            assert_eq!(decode_text(not.as_bytes()), None, "{not}");
        }
    }
}
