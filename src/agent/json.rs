//! Picking what is needed out of JSON that may be large, odd or hostile, without building it in memory.
//!
//! A value is only looked at when it is asked for; one of an unexpected type is simply not there. Of a key that
//! stands twice the last counts. What was read before a syntax error stays read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Calls `visit` for each key and value of the JSON object in `json`; whether it is a well-formed object to its end.
pub fn object<'a>(json: &'a str, mut visit: impl FnMut(&str, &'a RawValue)) -> bool {
    struct Each<F>(F);

    impl<'a, F: FnMut(&str, &'a RawValue)> Visitor<'a> for Each<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some(key) = map.next_key::<CowStr<'a>>()? {
                (self.0)(&key.0, map.next_value()?);
            }
            Ok(())
        }
    }

    let mut reader = serde_json::Deserializer::from_str(json);
    (&mut reader).deserialize_map(Each(&mut visit)).is_ok() && reader.end().is_ok()
}

/// A string that borrows where it can (`Cow<str>` itself never does in serde).
#[derive(serde::Deserialize)]
struct CowStr<'a>(#[serde(borrow)] Cow<'a, str>);

/// The values of the keys `names` in the object `json`, and whether it is a well-formed object.
pub fn fields<'a, const N: usize>(json: &'a str, names: [&str; N]) -> ([Option<&'a RawValue>; N], bool) {
    let mut found = [None; N];
    let whole = object(json, |key, value| {
        if let Some(i) = names.iter().position(|name| *name == key) {
            found[i] = Some(value);
        }
    });
    (found, whole)
}

/// A struct of the values of some keys of an object, each by its JSON name.
macro_rules! fields_struct {
    ($(#[$doc:meta])* $vis:vis struct $name:ident { $($field:ident: $key:literal,)* }) => {
        $(#[$doc])*
        $vis struct $name<'a> { $($vis $field: Option<&'a serde_json::value::RawValue>),* }

        impl<'a> $name<'a> {
            /// The fields of the object `json`, and whether it is a well-formed object.
            $vis fn of(json: &'a str) -> (Self, bool) {
                let ([$($field),*], whole) = $crate::agent::json::fields(json, [$($key),*]);
                ($name { $($field),* }, whole)
            }
        }
    };
}

pub(super) use fields_struct;

/// The values of the keys `names`, where `json` is an object.
pub fn pick<'a, const N: usize>(json: Option<&'a RawValue>, names: [&str; N]) -> [Option<&'a RawValue>; N] {
    json.filter(|raw| raw.get().starts_with('{')).map_or([None; N], |raw| fields(raw.get(), names).0)
}

/// Calls `visit` for each element, where `json` is an array.
pub fn each<'a>(json: Option<&'a RawValue>, mut visit: impl FnMut(&'a RawValue)) {
    struct Each<F>(F);

    impl<'a, F: FnMut(&'a RawValue)> Visitor<'a> for Each<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'a>>(mut self, mut seq: A) -> Result<(), A::Error> {
            while let Some(element) = seq.next_element()? {
                (self.0)(element);
            }
            Ok(())
        }
    }

    if let Some(array) = json.filter(|raw| raw.get().starts_with('[')) {
        // A RawValue is well-formed, so there is no error to report.
        let _ = serde_json::Deserializer::from_str(array.get()).deserialize_seq(Each(&mut visit));
    }
}

/// The text, where `json` is a string.
pub fn text(json: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let raw = json?.get();
    if !raw.starts_with('"') {
        return None;
    }
    match serde_json::from_str::<CowStr<'_>>(raw) {
        Ok(text) => Some(text.0),
        // JavaScript writes strings that hold half a character.
        Err(_) => serde_json::from_str(&without_halves(raw)).ok().map(Cow::Owned),
    }
}

/// The same JSON string, with `\ufffd` for each escape of half a surrogate pair.
fn without_halves(raw: &str) -> String {
    let half = |at: usize| {
        let hex = raw.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok().filter(|unit| (0xd800..0xe000).contains(unit))
    };
    let (mut mended, mut rest) = (String::with_capacity(raw.len()), 0);
    while let Some(at) = raw[rest..].find('\\').map(|at| rest + at) {
        mended.push_str(&raw[rest..at]);
        rest = match (half(at), half(at + 6)) {
            (Some(..0xdc00), Some(0xdc00..)) => at + 12,
            (Some(_), _) => at + 6,
            // The escape and what it stands before: a backslash, mostly.
            (None, _) => raw.ceil_char_boundary(at + 2),
        };
        match half(at) {
            Some(_) if rest == at + 6 => mended.push_str("\\ufffd"),
            _ => mended.push_str(&raw[at..rest]),
        }
    }
    mended + &raw[rest..]
}

/// Whether `json` is the string `expected`.
pub fn is(json: Option<&RawValue>, expected: &str) -> bool {
    text(json).is_some_and(|text| text == expected)
}

/// Whether `json` is `true`.
pub fn yes(json: Option<&RawValue>) -> bool {
    json.is_some_and(|raw| raw.get() == "true")
}

/// The number, where `json` is one that is not negative; at most the largest integer a record holds.
pub fn number(json: Option<&RawValue>) -> u64 {
    const MAX: u64 = (1 << 53) - 1;
    let Some(raw) = json.map(RawValue::get) else { return 0 };
    match raw.parse::<u64>() {
        Ok(n) => n.min(MAX),
        // A cast saturates and turns NaN into 0.
        Err(_) => raw.parse::<f64>().map_or(0, |n| n as u64).min(MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn fields_are_picked_and_the_rest_is_skipped() {
        let ([a, b, c], whole) = fields(r#"{"x":[{"a":1}],"\u0061":"\u00e9","b":[1,2],"a":"z"}"#, ["a", "b", "c"]);
        assert!(whole);
        assert_eq!(text(a).unwrap(), "z", "the last of two equal keys counts");
        let mut seen = Vec::new();
        each(b, |n| seen.push(number(Some(n))));
        assert_eq!(seen, [1, 2]);
        assert!(c.is_none());
    }

    #[test]
    fn what_came_before_an_error_is_kept() {
        let ([a, b], whole) = fields(r#"{"a":"x","b":"cut of"#, ["a", "b"]);
        assert!(!whole && text(a).unwrap() == "x" && b.is_none());
        for json in ["", "[]", "null", "{} x", "{\"a\":1,}", "\"a\""] {
            assert!(!fields(json, ["a"]).1, "{json}");
        }
    }

    #[test]
    fn values_of_another_type_are_not_there() {
        assert_eq!(text(Some(&raw("5"))), None);
        assert_eq!(pick(Some(&raw("[1]")), ["a"])[0].map(RawValue::get), None);
        each(Some(&raw("{}")), |_| panic!("not an array"));
        assert!(!yes(Some(&raw("\"true\""))) && yes(Some(&raw("true"))));
        assert!(is(Some(&raw("\"a\"")), "a") && !is(None, "a"));
        let numbers =
            [("7", 7), ("7.9", 7), ("-1", 0), ("1e99", (1 << 53) - 1), ("18446744073709551616", (1 << 53) - 1)];
        for (json, expected) in numbers {
            assert_eq!(number(Some(&raw(json))), expected, "{json}");
        }
        assert_eq!(number(Some(&raw("\"7\""))), 0);
        assert_eq!(number(None), 0);
    }

    #[test]
    fn half_a_character_does_not_hide_the_rest() {
        for (json, expected) in [
            (r#""\ud800 use it""#, "\u{fffd} use it"),
            (r#""a\\\udc00\ud83d\ude00é""#, "a\\\u{fffd}\u{1f600}é"),
            (r#""\ud83d\ud83d\ude00\uD83D""#, "\u{fffd}\u{1f600}\u{fffd}"),
            (r#""\ud800\\ud800""#, "\u{fffd}\\ud800"),
        ] {
            assert_eq!(text(Some(&raw(json))).unwrap(), expected, "{json}");
        }
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        let deep = format!("{{\"a\":{}{},\"b\":\"here\"}}", "[".repeat(200_000), "]".repeat(200_000));
        let ([b], whole) = fields(&deep, ["b"]);
        assert!(whole && text(b).unwrap() == "here");
    }
}
