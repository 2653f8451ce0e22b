//! The canonical form of `record.json`: RFC 8785 JSON in a profile where it is trivial.
//!
//! The profile: one object; no floats, no null; integers within ±(2^53−1); keys `[a-z0-9_]+`, ascending, no
//! duplicates; strings escaped exactly as RFC 8785 section 3.2.2.2 says; at most 16 deep; at most 64 KiB; no byte
//! before or after.

use serde::Serialize;
use serde_json::Value;

/// Bytes a record may have at the most.
pub const MAX_BYTES: usize = 64 * 1024;
/// Objects and arrays within each other at the most.
pub const MAX_DEPTH: usize = 16;
/// The largest integer that every JSON reader keeps: 2^53 − 1.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// Why bytes are not in the canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonError {
    #[error("{0} bytes are more than the {MAX_BYTES} a record may have")]
    TooLarge(usize),
    #[error("nested deeper than {MAX_DEPTH} at byte {0}")]
    TooDeep(usize),
    #[error("not canonical at byte {at}: {what}")]
    At { at: usize, what: &'static str },
}

/// Writes a value in the canonical form.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonError> {
    let value = serde_json::to_value(value).map_err(|_| CanonError::At { at: 0, what: "a value JSON cannot hold" })?;
    let mut out = Vec::with_capacity(1024);
    write(&value, 1, &mut out)?;
    if out.len() > MAX_BYTES {
        return Err(CanonError::TooLarge(out.len()));
    }
    Ok(out)
}

fn write(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), CanonError> {
    let at = out.len();
    let refuse = |what| Err(CanonError::At { at, what });
    if depth > MAX_DEPTH {
        return Err(CanonError::TooDeep(at));
    }
    match value {
        Value::Null => return refuse("null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => match number.as_i64() {
            Some(int) if int.unsigned_abs() <= MAX_INTEGER.unsigned_abs() => {
                out.extend_from_slice(int.to_string().as_bytes())
            }
            _ => return refuse("a number that is no integer within 2^53"),
        },
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, depth + 1, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_bytes());
            out.push(b'{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if key.is_empty() || !key.bytes().all(is_key_byte) {
                    return refuse("a key with other characters than a-z, 0-9 and _");
                }
                if index > 0 {
                    out.push(b',');
                }
                write_string(key, out);
                out.push(b':');
                write(item, depth + 1, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn is_key_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            8 => out.extend_from_slice(b"\\b"),
            9 => out.extend_from_slice(b"\\t"),
            10 => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            13 => out.extend_from_slice(b"\\r"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Demands that `bytes` are exactly what [`encode`] would write, in one pass and without building a value.
///
/// This is the same as to parse, encode again and compare, which a property test holds it to.
pub fn check(bytes: &[u8]) -> Result<(), CanonError> {
    if bytes.len() > MAX_BYTES {
        return Err(CanonError::TooLarge(bytes.len()));
    }
    if std::str::from_utf8(bytes).is_err() {
        return Err(CanonError::At { at: 0, what: "not UTF-8" });
    }
    let mut scan = Scan { bytes, at: 0 };
    if scan.peek() != Some(b'{') {
        return scan.refuse("not an object");
    }
    scan.value(1)?;
    if scan.at < bytes.len() { scan.refuse("something after the end") } else { Ok(()) }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn refuse<T>(&self, what: &'static str) -> Result<T, CanonError> {
        Err(CanonError::At { at: self.at, what })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), CanonError> {
        if self.peek() != Some(byte) {
            return self.refuse(what);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), CanonError> {
        if depth > MAX_DEPTH {
            return Err(CanonError::TooDeep(self.at));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(drop),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            _ => self.refuse("not a value of the profile"),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), CanonError> {
        if !self.bytes[self.at..].starts_with(word) {
            return self.refuse("not a value of the profile");
        }
        self.at += word.len();
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), CanonError> {
        self.at += 1;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let mut last: &'a [u8] = b"";
        loop {
            let key = self.string()?;
            if key.is_empty() || !key.iter().copied().all(is_key_byte) {
                return self.refuse("a key with other characters than a-z, 0-9 and _");
            }
            if key <= last {
                return self.refuse("keys that do not ascend");
            }
            last = key;
            self.expect(b':', "no colon after a key")?;
            self.value(depth + 1)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b'}', "no end of an object"),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), CanonError> {
        self.at += 1;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b']', "no end of an array"),
            }
        }
    }

    /// A string; what stands between its quotes, still escaped.
    fn string(&mut self) -> Result<&'a [u8], CanonError> {
        self.expect(b'"', "no string")?;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0..0x20) => return self.refuse("a control character"),
                Some(_) => self.at += 1,
                None => return self.refuse("no end of a string"),
            }
        }
        let inner = &self.bytes[start..self.at];
        self.at += 1;
        Ok(inner)
    }

    fn escape(&mut self) -> Result<(), CanonError> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6);
                let code = digits
                    .filter(|d| d.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
                    .and_then(|d| std::str::from_utf8(d).ok())
                    .and_then(|d| u32::from_str_radix(d, 16).ok());
                // Only control characters without a letter escape are written so.
                match code {
                    Some(code) if code < 0x20 && !matches!(code, 8 | 9 | 10 | 12 | 13) => {
                        self.at += 6;
                        Ok(())
                    }
                    _ => self.refuse("an escape that is not needed"),
                }
            }
            _ => self.refuse("an escape that is not needed"),
        }
    }

    fn integer(&mut self) -> Result<(), CanonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default();
        // `-0`, `00` and `-01` are other spellings.
        let plain = text == "0" || !text.trim_start_matches('-').starts_with('0');
        match text.parse::<i64>() {
            Ok(int) if int.unsigned_abs() <= MAX_INTEGER.unsigned_abs() && plain => Ok(()),
            _ => Err(CanonError::At { at: start, what: "a number that is no plain integer within 2^53" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_spellings_of_the_same_value_are_refused() {
        check(br#"{"a":[1,-2,true,false,{}],"b":"\u0001\n\"\\ \u007f"}"#.replace(br"\u007f", b"\x7f").as_slice())
            .unwrap();
        let odd: &[&[u8]] = &[
            b"",
            b"[]",
            b"1",
            b" {}",
            b"{} ",
            b"{}\n",
            b"\xef\xbb\xbf{}",
            br#"{"a": 1}"#,
            br#"{"b":1,"a":2}"#,
            br#"{"a":1,"a":1}"#,
            br#"{"a":1.0}"#,
            br#"{"a":1e3}"#,
            br#"{"a":-0}"#,
            br#"{"a":01}"#,
            br#"{"a":+1}"#,
            br#"{"a":null}"#,
            br#"{"a":"\u0041"}"#,
            br#"{"a":"\/"}"#,
            br#"{"a":"\u000a"}"#,
            br#"{"a":"\u001F"}"#,
            br#"{"a":"\ud800"}"#,
            b"{\"a\":\"\x00\"}",
            br#"{"A":1}"#,
            br#"{"":1}"#,
            br#"{"a":9007199254740992}"#,
            br#"{"a":1,}"#,
            br#"{"a":[1,]}"#,
            br#"{"a":tru}"#,
            br#"{"a":"x"#,
            br#"{"a""#,
            b"{",
            b"{\"a\":\"\xff\"}",
        ];
        for bytes in odd {
            assert!(check(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(check(nested(MAX_DEPTH - 2).as_bytes()).is_ok());
        assert!(matches!(check(nested(MAX_DEPTH - 1).as_bytes()), Err(CanonError::TooDeep(_))));
        assert!(matches!(check(nested(20_000).as_bytes()), Err(CanonError::TooDeep(_))));
        assert!(matches!(check(&vec![b'x'; MAX_BYTES + 1]), Err(CanonError::TooLarge(_))));
    }

    trait Replace {
        fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8>;
    }

    impl Replace for [u8] {
        fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8> {
            let at = self.windows(from.len()).position(|w| w == from).unwrap();
            [&self[..at], to, &self[at + from.len()..]].concat()
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        let tree = leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z0-9_]{1,5}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        });
        prop::collection::btree_map("[a-z0-9_]{1,5}", tree, 0..5)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_canonical_and_reads_back(value in value()) {
            let bytes = encode(&value).unwrap();
            prop_assert_eq!(check(&bytes), Ok(()));
            prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value);
        }

        #[test]
        fn a_changed_byte_is_refused_or_is_another_canonical_text(value in value(), at: prop::sample::Index, byte: u8) {
            let mut bytes = encode(&value).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            // The check agrees with parsing, encoding again and comparing.
            let again = serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object).and_then(|v| encode(&v).ok());
            prop_assert_eq!(check(&bytes).is_ok(), again.as_deref() == Some(&bytes[..]));
        }
    }
}
