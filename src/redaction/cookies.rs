//! Cookies: the pairs of a `Cookie` or `Set-Cookie` header that are somebody's session.

use super::names::Class;
use super::span::{Rank, Span};
use super::value;

const MAX_COOKIE: usize = 4096;

/// The values of a cookie header's pairs that are random, or whose names say that they are somebody's session.
/// Returns where the pairs end.
pub(super) fn find(text: &[u8], at: usize, spans: &mut Vec<Span>) -> usize {
    const SESSIONS: &[&str] = &["sess", "sid", "auth", "token", "jwt", "remember", "login"];
    let mut i = at + text[at..].iter().take(8).take_while(|b| matches!(b, b'\\' | b'"' | b'\'' | b' ')).count();
    for _ in 0..64 {
        let item = |b: &u8| !matches!(b, b';' | b'"' | b'\'' | b'\\' | b'<' | 0..=31);
        let end = i + text[i..].iter().take(MAX_COOKIE).take_while(|b| item(b)).count();
        if let Some(sign) = text[i..end].iter().position(|b| *b == b'=') {
            let (name, start) = (text[i..i + sign].to_ascii_lowercase(), i + sign + 1);
            let secret = &text[start..end];
            let session = SESSIONS.iter().any(|s| name.windows(s.len()).any(|w| w == s.as_bytes()));
            let least = if session { 8 } else { 20 };
            let open = value::placeholder(secret) || value::wordy(secret) || secret.contains(&b' ');
            if secret.len() >= least && !open && value::random(secret) {
                spans.push(Span::new(start, end, Class::Cookies.rule(), Rank::Context));
            }
        }
        if text.get(end) != Some(&b';') {
            return end;
        }
        i = end + 1;
    }
    i
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sessions_are_found() {
        let text = b"\"locale=en; JSESSIONID=5a492dd05e68dd4d; theme=dark-2; _ga=GA1.2.1234; x=4f3Zk9Qp2LmX7vB1tR8w\\n";
        let mut spans = Vec::new();
        find(text, 0, &mut spans);
        let found: Vec<_> = spans.iter().map(|s| &text[s.start..s.end]).collect();
        assert_eq!(found, [&b"5a492dd05e68dd4d"[..], b"4f3Zk9Qp2LmX7vB1tR8w"]);
    }
}
