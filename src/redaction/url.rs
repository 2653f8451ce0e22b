//! Passwords in URLs: `scheme://user:password@host`.

use super::span::{self, Rank, Span};
use super::value;

/// What every URL with an authority has.
pub(super) const KEYWORD: &str = "://";

const MAX_AUTHORITY: usize = 512;

/// Looks at the authority behind the `://` at `at`.
pub(super) fn find(text: &[u8], at: usize, spans: &mut Vec<Span>) {
    let start = at + KEYWORD.len();
    let rest = &text[start..text.len().min(start + MAX_AUTHORITY)];
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'`' | b'<' | b'>' | b'\\' | 0..=31);
    let all = rest.iter().position(ends).unwrap_or(rest.len());
    let authority = rest[..all].iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(all);
    let user = span::marker_end(rest, 0).unwrap_or(0).min(authority);
    let Some(colon) = rest[user..authority].iter().position(|b| *b == b':').map(|n| user + n) else {
        return token(rest, start, authority, spans);
    };
    let password = colon + 1;
    let sign = match rest[password.min(authority)..authority].iter().rposition(|b| *b == b'@') {
        Some(sign) => password + sign,
        // A password with an unescaped `/`, `?` or `#`; but `host:8443/@scope` is a port and a path.
        None if rest[password..authority].iter().all(u8::is_ascii_digit) => return,
        None => match rest[authority..all].iter().take(80).position(|b| *b == b'@') {
            Some(sign) if !rest[authority..authority + sign].windows(3).any(|w| w == b"://") => authority + sign,
            _ => return,
        },
    };
    let secret = &rest[password..sign];
    if colon > 128 || secret.len() < 4 || shown(secret, &rest[sign + 1..all]) {
        return;
    }
    spans.push(Span::new(start + password, start + sign, "url-password", Rank::Context));
}

/// A user who is a token: `https://token@host`. The public half of a Sentry DSN is none.
fn token(rest: &[u8], start: usize, authority: usize, spans: &mut Vec<Span>) {
    let Some(sign) = rest[..authority].iter().position(|b| *b == b'@') else { return };
    let (user, host) = (&rest[..sign], &rest[sign + 1..authority]);
    let public = memchr::memmem::find(host, b"sentry").is_some() || memchr::memmem::find(host, b"ingest").is_some();
    let secret = user.len() >= 20 && value::random(user) && !value::wordy(user) && !value::placeholder(user);
    if secret && !public && user.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
        spans.push(Span::new(start, start + sign, "url-password", Rank::Context));
    }
}

/// Whether what stands for a password is none: a placeholder, a variable, a template.
fn shown(secret: &[u8], host: &[u8]) -> bool {
    let secret = secret.trim_ascii_end();
    let bare = &secret[..secret.len() - usize::from(matches!(secret.last(), Some(b']' | b'}' | b')')))];
    let template = matches!(secret[0], b'$' | b'{' | b'<' | b'%' | b'[' | b'*' | b':' | b'(')
        && !secret.get(1..3).is_some_and(|hex| secret[0] == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
    let named = |secret: &[u8]| secret.iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
    template || named(secret) || host.is_empty() || value::placeholder(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_found() {
        for (text, secret) in [
            ("postgres://svc:%2AC%2AhcB@db:5432/x", Some("%2AC%2AhcB")),
            ("see https://ci:Gr4n1te@host/path.", Some("Gr4n1te")),
            ("redis://:p4ssw0rdX@host", Some("p4ssw0rdX")),
            ("mysql://u:pa/ss9@host/db", Some("pa/ss9")),
            ("amqp://u:ab@b@host", Some("ab@b")),
            ("https://npm.bank.example:8443/@scope/pkg", None),
            ("https://user@host/", None),
            ("https://host:443/a:b@c", None),
            ("postgres://user:password@localhost", None),
            ("postgres://user:$PW@localhost", None),
            ("[protocol://][user[:password]@]host", None),
            ("postgres://{user}:{pw}@localhost", None),
            ("postgres://user:[REDACTED:url-password]@localhost", None),
            ("https://host/x y:z@w", None),
            ("://", None),
        ] {
            let mut spans = Vec::new();
            let at = text.find("://").unwrap();
            find(text.as_bytes(), at, &mut spans);
            assert_eq!(spans.first().map(|s| &text[s.start..s.end]), secret, "{text}");
        }
    }
}
