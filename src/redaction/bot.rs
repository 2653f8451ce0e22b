//! Discord's bot tokens: they begin with no letters of their own, but with the bot's number in base64.

use super::encoded;
use super::span::{Rank, Span};

/// The part between the dots, and the least of the last one, in bytes.
const TIME: usize = 6;
const MAC: usize = 27;

/// The token whose first part is the run of base64 from `start` to before `end`, or the end of it.
pub(super) fn find(text: &[u8], start: usize, end: usize) -> Option<Span> {
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
    fn a_bots_number_in_base64_tells() {
        let mac = "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC";
        let found = |text: &str| {
            let mut spans = Vec::new();
            encoded::runs(text.as_bytes(), |start, end| spans.extend(find(text.as_bytes(), start, end)));
            spans.iter().map(|span| text[span.start..span.end].to_owned()).collect::<Vec<_>>()
        };
        let token = format!("MTA5ODc2NTQzMjEwOTg3NjU0.GaBc1d.{mac}");
        assert_eq!(found(&format!("bot.run('{token}')")), [token.clone()]);
        assert_eq!(found(&format!("https://x/{token} y")), [token]);
        assert!(found(&format!("bm90X2FfbnVtYmVyX2F0X2FsbA.GaBc1d.{mac}")).is_empty());
        assert!(found("MTA5ODc2NTQzMjEwOTg3NjU0.GaBc1d.short").is_empty());
    }
}
