//! How values look: money, shares, times and names as people read them, and money as JSON has it.

use serde_json::value::RawValue;

use crate::cost::Money;
use crate::host::output;
use crate::time::Time;

/// Money as a JSON number in dollars; unknown is `null` and never looks like 0.
pub fn usd(cost: Option<Money>) -> Option<Box<RawValue>> {
    cost.and_then(|cost| RawValue::from_string(cost.to_string()).ok())
}

/// Money to the cent; what is unknown is a question mark.
pub fn money(cost: Option<Money>) -> String {
    let Some(cost) = cost else { return "?".into() };
    match cost.cents() {
        0 if cost == Money::default() => "$0".into(),
        0 => "<$0.01".into(),
        cents => format!("${}.{:02}", number(cents / 100), cents % 100),
    }
}

/// A number with separators between thousands: `1,234,567`.
pub fn number(n: impl Into<u128>) -> String {
    let digits = n.into().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A part of a whole in per cent; all of it and none of it are only said where they are true.
pub fn share(part: u64, whole: u64) -> String {
    match (part, whole) {
        (_, 0) => String::new(),
        (0, _) => "0%".into(),
        _ if part == whole => "100%".into(),
        _ => {
            let (part, whole) = (u128::from(part), u128::from(whole));
            format!("{}%", ((part * 100 + whole / 2) / whole).clamp(1, 99))
        }
    }
}

/// `2026-11-21 19:53`, in UTC as everywhere.
pub fn minute(time: Time) -> String {
    time.to_string()[..16].replace('T', " ")
}

/// A span of seconds: `45s`, `12m`, `3h05m`.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A model without the date of its release: `claude-sonnet-4-5` for `claude-sonnet-4-5-20250929`.
pub fn model(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((model, day)) if day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()) => model,
        _ => name,
    }
}

/// The first of several names, and how many more there are.
pub fn first_of<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    match (names.next(), names.count()) {
        (None, _) => String::new(),
        (Some(only), 0) => only.to_owned(),
        (Some(first), more) => format!("{first} +{more}"),
    }
}

/// `1 record`, `2 records`.
pub fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Text of unknown origin on one line.
pub fn one_line(text: &str) -> String {
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return text.to_owned();
    }
    output::visible(text).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        for (n, text) in [(0_u64, "0"), (999, "999"), (1000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")] {
            assert_eq!(number(n), text);
        }
    }

    #[test]
    fn money_is_never_nothing_where_it_is_unknown() {
        let cases = [
            (None, "?", None),
            (Some(0), "$0", Some("0")),
            (Some(4_999), "<$0.01", Some("0.004999")),
            (Some(5_000), "$0.01", Some("0.005")),
            (Some(12_345_678), "$12.35", Some("12.345678")),
        ];
        for (cost, text, json) in cases {
            let cost = cost.map(Money::from_micro_dollars);
            assert_eq!(money(cost), text);
            assert_eq!(usd(cost).as_deref().map(RawValue::get), json);
        }
    }

    #[test]
    fn shares_say_all_and_none_only_where_it_is_so() {
        for (part, whole, expected) in [
            (0, 0, ""),
            (0, 9, "0%"),
            (1, 1000, "1%"),
            (999, 1000, "99%"),
            (9, 9, "100%"),
            (1, 3, "33%"),
            (u64::MAX - 1, u64::MAX, "99%"),
        ] {
            assert_eq!(share(part, whole), expected);
        }
    }

    #[test]
    fn names_and_times_are_short() {
        assert_eq!(model("claude-sonnet-4-5-20250929"), "claude-sonnet-4-5");
        assert_eq!(model("gpt-5"), "gpt-5");
        assert_eq!(first_of(["a", "b", "c"].into_iter()), "a +2");
        assert_eq!(first_of([].into_iter()), "");
        assert_eq!(minute("2026-11-21T19:53:20Z".parse().unwrap()), "2026-11-21 19:53");
        assert_eq!([span(59), span(60), span(3_700)], ["59s", "1m", "1h01m"]);
        assert_eq!(one_line("a\x1b[31m\nb\tc"), "a\u{fffd}[31m b c");
    }
}
