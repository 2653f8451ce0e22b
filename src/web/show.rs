//! How numbers, times, money and the texts of others look on pages.

use crate::time::Time;
use crate::visible::hides;

/// `1,234,567`.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('−');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `2026-01-31 14:05:09`, in UTC; pages say so once.
pub fn time(seconds: i64) -> String {
    Time::from_unix(seconds).to_string().replace('T', " ").trim_end_matches('Z').to_owned()
}

/// Dollars, from billionths: `$1,234.57`; below a dollar two digits, or as many as there are up to four.
pub fn money(nano: i64) -> String {
    let (whole, rest) = (nano / 1_000_000_000, nano % 1_000_000_000);
    // Ten-thousandths of a dollar, rounded.
    let parts = (rest + 50_000) / 100_000;
    match (whole, parts) {
        (0, 0) if rest > 0 => return "<$0.0001".to_owned(),
        (0, parts) if parts % 100 != 0 => return format!("$0.{parts:04}").trim_end_matches('0').to_owned(),
        _ => {}
    }
    let cents = (rest + 5_000_000) / 10_000_000;
    format!("${}.{:02}", count(whole + cents / 100), cents % 100)
}

/// Dollars where some part is not known: `$12.00 + unknown`.
pub fn cost(nano: i64, unknown: i64) -> String {
    match (nano, unknown) {
        (nano, 0) => money(nano),
        (0, _) => "unknown".to_owned(),
        (nano, _) => format!("{} + unknown", money(nano)),
    }
}

/// Seconds as `2 h 05 min`, `3 min 20 s`, `12 s`.
pub fn duration(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", count(seconds / 3600), seconds / 60 % 60),
    }
}

/// A share of a whole, `41.7 %`; nothing of nothing has none.
pub fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "–".to_owned();
    }
    let tenths = (i128::from(part) * 1000 + i128::from(whole) / 2) / i128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// The text with what would hide something, or turn it round, made visible: controls, bidirectional marks, characters
/// without width. Line ends and tabs stay.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' => {}
            '\u{0}'..='\u{1f}' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')),
            '\u{7f}' => out.push('\u{2421}'),
            _ if hides(c) => out.push_str(&format!("‹U+{:04X}›", c as u32)),
            _ => out.push(c),
        }
    }
    out
}

/// At most so many characters of the first line.
pub fn line(text: &str, most: usize) -> String {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let mut short: String = first.chars().take(most).collect();
    if first.chars().nth(most).is_some() {
        short.push('…');
    }
    visible(&short)
}

/// The first characters of an id.
pub fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_and_readable() {
        let told = [0, 7, 999, 1_000, -1_234_567].map(count);
        assert_eq!(told, ["0", "7", "999", "1,000", "−1,234,567"]);
        let told = [0, 1, 50_000, 1_500_000, 100_000_000, 999_999_999, 1_234_567_890_123].map(money);
        assert_eq!(told, ["$0.00", "<$0.0001", "$0.0001", "$0.0015", "$0.10", "$1.00", "$1,234.57"]);
        assert_eq!([cost(0, 0), cost(0, 2), cost(1_000_000_000, 1)], ["$0.00", "unknown", "$1.00 + unknown"]);
        let told = [59, 60, 3_599, 3_600, 360_060].map(duration);
        assert_eq!(told, ["59 s", "1 min 00 s", "59 min 59 s", "1 h 00 min", "100 h 01 min"]);
        assert_eq!([percent(0, 0), percent(1, 3), percent(2, 3), percent(5, 5)], ["–", "33.3 %", "66.7 %", "100.0 %"]);
    }

    #[test]
    fn what_hides_is_shown() {
        assert_eq!(visible("a\u{1b}[31mb\r\n\tc"), "a␛[31mb\n\tc");
        assert_eq!(visible("if\u{202e}x\u{200b}y"), "if‹U+202E›x‹U+200B›y");
        assert_eq!(visible("ärger 日本 👩‍💻").chars().filter(|c| *c == '‹').count(), 1, "a joiner is told");
        assert_eq!(line("\n  one two\nthree", 5), "one t…");
    }
}
