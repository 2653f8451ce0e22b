//! Card numbers: by their brand's range, their length, their check digit and what stands around them.

use super::span::{Rank, Span};

const RULE: &str = "card-number";

/// Looks for card numbers and for the tracks of a magnetic stripe.
pub(super) fn find(text: &[u8], spans: &mut Vec<Span>) {
    let mut i = 0;
    while i + 13 <= text.len() {
        let Some(next) = text[i..].iter().position(u8::is_ascii_digit) else { return };
        let start = i + next;
        let Some((end, digits)) = number(text, start) else {
            i = start + text[start..].iter().take_while(|b| b.is_ascii_digit()).count();
            continue;
        };
        if is_card(&digits) && stands_alone(text, start, end) && !called_otherwise(text, start) {
            spans.push(Span::new(start, track_end(text, start, end), RULE, Rank::Format));
        }
        i = end;
    }
}

/// Whether a number of a JSON document is a card's.
pub(super) fn is_number(bytes: &[u8], start: usize, end: usize) -> bool {
    let digits: Vec<u8> = bytes[start..end].iter().map(|b| b.wrapping_sub(b'0')).collect();
    (13..=19).contains(&digits.len())
        && digits.iter().all(|d| *d < 10)
        && is_card(&digits)
        && !called_otherwise(bytes, start)
}

pub(super) fn span(start: usize, end: usize) -> Span {
    Span::new(start, end, RULE, Rank::Format)
}

/// The digits of the number at `start`, in one row or in groups, and where it ends.
fn number(text: &[u8], start: usize) -> Option<(usize, Vec<u8>)> {
    let mut digits = Vec::with_capacity(19);
    let (mut i, mut end, mut sign, mut groups) = (start, start, None, Vec::new());
    loop {
        let len = text[i..].iter().take(24).take_while(|b| b.is_ascii_digit()).count();
        if len == 0 || digits.len() + len > 19 {
            break;
        }
        digits.extend(text[i..i + len].iter().map(|b| b - b'0'));
        groups.push(len);
        (i, end) = (i + len, i + len);
        match text.get(i) {
            Some(b @ (b' ' | b'-')) if *sign.get_or_insert(*b) == *b => i += 1,
            _ => break,
        }
    }
    let grouped = match groups[..] {
        [_] => true,
        [first, .., last] => {
            first == 4 && groups.iter().all(|g| (4..=6).contains(g) || *g == last) && groups.len() <= 5
        }
        [] => false,
    };
    (grouped && (13..=19).contains(&digits.len())).then_some((end, digits))
}

/// Whether the digits are of a brand, as many as it has, and check.
fn is_card(digits: &[u8]) -> bool {
    let begin = |n: usize| digits[..n].iter().fold(0u32, |v, d| v * 10 + u32::from(*d));
    let brand = match (begin(2), begin(4), begin(6), digits.len()) {
        // Visa
        (40..=49, _, _, 13 | 16 | 19) => true,
        // Mastercard
        (51..=55, _, _, 16) | (_, 2221..=2720, _, 16) => true,
        // American Express
        (34 | 37, _, _, 15) => true,
        // Diners Club
        (36 | 38 | 39, _, _, 14..=19) | (_, 3000..=3059 | 3095, _, 14..=19) => true,
        // Discover
        (65, _, _, 16..=19) | (_, 6011, _, 16..=19) | (_, 6440..=6499, _, 16..=19) => true,
        // UnionPay
        (62 | 81, _, _, 16..=19) => true,
        // JCB
        (_, 3528..=3589, _, 16..=19) => true,
        // Maestro
        (50 | 56..=58 | 63 | 67, _, _, 13..=19) | (_, 6759, _, 13..=19) => true,
        // Mir, RuPay, Elo, Hipercard
        (_, 2200..=2204, _, 16..=19) | (60 | 82, _, _, 16) => true,
        _ => false,
    };
    brand && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let twice = |d: u8| if d > 4 { d * 2 - 9 } else { d * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(i, d)| u32::from(if i % 2 == 1 { twice(*d) } else { *d })).sum();
    sum.is_multiple_of(10) && digits.iter().any(|d| *d != digits[0])
}

/// Whether the number is no part of something longer: an identifier, a fraction, hex.
fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let back = |n: usize| start.checked_sub(n).map(|i| text[i]);
    let track = back(1) == Some(b'B') && back(2) == Some(b'%');
    let before = match back(1) {
        Some(b'.' | b',' | b'+' | b'#') => !back(2).is_some_and(|b| b.is_ascii_digit()) && back(1) != Some(b'.'),
        Some(b'-' | b'/' | b'_' | b':') => !back(2).is_some_and(|b| b.is_ascii_alphanumeric()) || back(1) == Some(b':'),
        Some(b' ') => !back(2).is_some_and(|b| b.is_ascii_digit()),
        Some(b) => !b.is_ascii_alphanumeric() || escaped(text, start),
        None => true,
    };
    let after = match (text.get(end), text.get(end + 1)) {
        (Some(b), _) if b.is_ascii_alphanumeric() || *b == b'_' => false,
        (Some(b'-' | b'.' | b'/'), Some(b)) => !b.is_ascii_alphanumeric(),
        _ => true,
    };
    (before || track) && after
}

/// Whether the letter before is one of an escape: `\n4111…`.
fn escaped(text: &[u8], start: usize) -> bool {
    start > 1 && text[start - 2] == b'\\' && matches!(text[start - 1], b'n' | b't' | b'r')
}

/// Whether the words before say that the number is something else, and none says card.
fn called_otherwise(text: &[u8], start: usize) -> bool {
    const CARD: &[&str] = &["card", "pan", "visa", "master", "amex", "karte", "cc", "carte", "tarjeta"];
    const OTHER: &[&str] = &[
        "order",
        "tracking",
        "imei",
        "isbn",
        "invoice",
        "iban",
        "serial",
        "trace",
        "phone",
        "tel",
        "nano",
        "seq",
        "uuid",
        "timestamp",
        "_id",
        "id=",
        "id:",
        "ref",
        "hash",
        "sha",
        "build",
        "version",
        "ticket",
        "account",
        "konto",
        "snowflake",
        "meid",
        "barcode",
        "ean",
        "gtin",
        "sku",
        "epoch",
        "offset",
        "size",
        "bytes",
    ];
    let line = &text[start.saturating_sub(28)..start];
    let line = &line[memchr::memrchr(b'\n', line).map_or(0, |n| n + 1)..];
    let line = String::from_utf8_lossy(line).to_ascii_lowercase();
    !CARD.iter().any(|w| line.contains(w)) && OTHER.iter().any(|w| line.contains(w))
}

/// What follows the number on a magnetic stripe goes with it.
fn track_end(text: &[u8], start: usize, end: usize) -> usize {
    let sign = start.checked_sub(1).map(|i| text[i]);
    let rest = &text[end..text.len().min(end + 120)];
    let stripe = match (sign, rest.first()) {
        (Some(b'B'), Some(b'^')) => rest.iter().position(|b| *b == b'?'),
        (Some(b';'), Some(b'=')) => rest.iter().position(|b| *b == b'?'),
        _ => None,
    };
    stripe.map_or(end, |len| end + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_told_from_other_numbers() {
        for (text, found) in [
            ("card: 4111111111111111", Some("4111111111111111")),
            ("4111 1111 1111 1111", Some("4111 1111 1111 1111")),
            ("pay 3782-822463-10005.", Some("3782-822463-10005")),
            ("PAN=5555555555554444&exp", Some("5555555555554444")),
            ("%B4111111111111111^DOE/J^29111010000?", Some("4111111111111111^DOE/J^29111010000")),
            (";4111111111111111=29111010000?", Some("4111111111111111=29111010000")),
            ("card: 4111111111111112", None),
            ("0.4111111111111111", None),
            ("x4111111111111111", None),
            ("41111111111111111111111", None),
            ("order 4111111111111111", None),
            ("9111111111111111", None),
            ("0000000000000000", None),
            ("1111-4111-1111-1111-1111", None),
        ] {
            let mut spans = Vec::new();
            find(text.as_bytes(), &mut spans);
            assert_eq!(spans.first().map(|s| &text[s.start..s.end]), found, "{text}");
        }
    }
}
