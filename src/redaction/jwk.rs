//! JSON Web Keys: the members that make a key private (RFC 7517, RFC 7518).

use super::span::{Rank, Span};

/// What every such key has.
pub(super) const KEYWORD: &str = "\"kty\"";

/// The farthest that a key's members are looked for from there.
const MAX_KEY: usize = 8 * 1024;

/// Whether a member of a key with this name is secret: `d`, the primes and what follows from them, a symmetric key.
pub(super) fn is_private(name: &[u8]) -> bool {
    matches!(name, b"d" | b"p" | b"q" | b"dp" | b"dq" | b"qi" | b"k")
}

/// Whether a value is what such a member holds.
pub(super) fn is_number(value: &[u8]) -> bool {
    value.len() >= 16 && value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'='))
}

pub(super) fn span(start: usize, end: usize) -> Span {
    Span::new(start, end, "jwk", Rank::Format)
}

/// Looks at the object around the `"kty"` at `at`. Returns where it ends: nothing before that needs another look.
pub(super) fn find(text: &[u8], at: usize, spans: &mut Vec<Span>) -> usize {
    let from = at.saturating_sub(MAX_KEY);
    let open = memchr::memrchr(b'{', &text[from..at]).map_or(from, |n| from + n);
    let limit = text.len().min(at + MAX_KEY);
    let close = memchr::memchr(b'}', &text[at..limit]).map_or(limit, |n| at + n);
    let mut parts = text[open..close].split(|b| *b == b'"');
    let mut i = open + parts.next().map_or(0, <[u8]>::len) + 1;
    // Strings and what stands between them take turns.
    let mut name: &[u8] = b"";
    while let (Some(string), Some(between)) = (parts.next(), parts.next()) {
        if between.trim_ascii() == b":" {
            name = string;
        } else {
            if is_private(name) && is_number(string) {
                spans.push(span(i, i + string.len()));
            }
            name = b"";
        }
        i += string.len() + between.len() + 2;
    }
    close
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_private_is_found() {
        let (n, d) = ("n".repeat(43), "d".repeat(43));
        for text in [
            format!(r#"x {{"kty":"RSA","n":"{n}","e":"AQAB","d": "{d}"}} y"#),
            format!("{{\n  \"d\": \"{d}\",\n  \"kty\": \"EC\",\n \"x\":\"{n}\" }}"),
        ] {
            let mut spans = Vec::new();
            find(text.as_bytes(), text.find("\"kty\"").unwrap(), &mut spans);
            assert_eq!(spans.iter().map(|s| &text[s.start..s.end]).collect::<Vec<_>>(), [&d], "{text}");
        }
        let mut spans = Vec::new();
        find(b"\"kty\"", 0, &mut spans);
        assert!(spans.is_empty());
    }
}
