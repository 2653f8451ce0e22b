//! Shapes: secrets that begin with no letters of their own and are told by how long they are and what they are made of.

use super::encoded;
use super::span::{Rank, Span};

/// The part between the dots, and the least of the last one, in bytes.
const TIME: usize = 6;
const MAC: usize = 27;

/// The secret that the run of letters and digits from `start` to before `end` is, or that it begins.
pub(super) fn find(text: &[u8], start: usize, end: usize) -> Option<Span> {
    let run = &text[start..end];
    wallet(run).map(|rule| Span::new(start, end, rule, Rank::Format)).or_else(|| bot(text, start, end))
}

/// A private key of Bitcoin in its wallet import format (base58, 51 digits or 52 with a mark), or a Stellar seed (base32, 56).
fn wallet(run: &[u8]) -> Option<&'static str> {
    let base58 = |b: &u8| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l');
    let base32 = |b: &u8| b.is_ascii_uppercase() || (b'2'..=b'7').contains(b);
    let mixed = || run.iter().any(u8::is_ascii_lowercase) && run.iter().any(u8::is_ascii_digit);
    match (run.first()?, run.len()) {
        (b'5', 51) | (b'K' | b'L', 52) if run.iter().all(base58) && mixed() => Some("wallet-key"),
        (b'S', 56) if run.iter().all(base32) && run.iter().any(u8::is_ascii_digit) => Some("wallet-key"),
        _ => None,
    }
}

/// A token of a bot of Discord: the bot's number in base64, a time, a code. The number is the run, or the end of it.
fn bot(text: &[u8], start: usize, end: usize) -> Option<Span> {
    let digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let rest = text.get(end..)?;
    if rest.first() != Some(&b'.') || rest.get(TIME + 1) != Some(&b'.') || !rest.get(1..=TIME)?.iter().all(digit) {
        return None;
    }
    let mac = rest[TIME + 2..].iter().take(64).take_while(|b| digit(b)).count();
    // What stands before it may look like a part of it: `/MTA…`.
    let number = [26, 24, 28, 23, 27].into_iter().filter_map(|len| end.checked_sub(len).filter(|from| *from >= start));
    let number = number.into_iter().find(|from| {
        let id = encoded::decode_base64(&text[*from..end]);
        id.is_some_and(|id| (17..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit))
    })?;
    (mac >= MAC).then(|| Span::new(number, end + TIME + 2 + mac, "discord-token", Rank::Format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallets_key_has_its_length() {
        // Of the format's own description, and one that is not.
        assert!(wallet(b"5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ").is_some());
        assert!(wallet(b"KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617").is_some());
        assert!(wallet(b"SDPG6AVVHWK6TVJ3YBKCCRZ2YOHJK3KTJ4IPQE56OIABLNSACO74O5HO").is_some());
        assert!(wallet(b"KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP9861").is_none());
        assert!(wallet(b"SDPG6AVVHWK6TVJ3YBKCCRZ2YOHJK3KTJ4IPQE56OIABLNSACO74O5H0").is_none());
    }

    #[test]
    fn a_bots_number_in_base64_tells() {
        let mac = "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC";
        let found = |text: &str| {
            let mut spans = Vec::new();
            encoded::runs(text.as_bytes(), |start, end| spans.extend(find(text.as_bytes(), start, end)));
            spans.iter().map(|span| text[span.start..span.end].to_owned()).collect::<Vec<_>>()
        };
        let token = format!("MTA5ODc2NTQzMjEwOTg3NjU0.GaBc1d.{mac}");
        assert_eq!(found(&format!("bot.run('{token}')")), std::slice::from_ref(&token));
        assert_eq!(found(&format!("https://x/{token} y")), [token]);
        assert!(found(&format!("bm90X2FfbnVtYmVyX2F0X2FsbA.GaBc1d.{mac}")).is_empty());
        assert!(found("MTA5ODc2NTQzMjEwOTg3NjU0.GaBc1d.short").is_empty());
    }
}
