//! Privacy: whose machine it is. The home directory becomes `~`, the host's name and e-mail addresses markers.

use super::span::{Rank, Span};

/// The rule whose findings become `~`.
pub(super) const HOME: &str = "home-directory";

/// What tells whose machine it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Privacy {
    /// The home directory, if it is to be hidden.
    pub home: Option<String>,
    /// The machine's name, if it is to be hidden.
    pub host: Option<String>,
    /// Whether e-mail addresses are hidden.
    pub emails: bool,
}

impl Privacy {
    pub(super) fn find(&self, text: &[u8], spans: &mut Vec<Span>) {
        let home = self.home.as_deref().map(|home| home.trim_end_matches(['/', '\\'])).filter(|home| home.len() > 3);
        if let Some(home) = home {
            whole(text, home, |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'), HOME, spans);
        }
        // A name such as `pc` would be found in other words' company.
        if let Some(host) = self.host.as_deref().filter(|host| host.len() > 3 && *host != "localhost") {
            whole(text, host, |b| b.is_ascii_alphanumeric() || b == b'_', "host-name", spans);
        }
        if self.emails {
            addresses(text, spans);
        }
    }
}

/// Each occurrence of a name that is no part of a longer one.
fn whole(text: &[u8], name: &str, part: impl Fn(u8) -> bool, rule: &'static str, spans: &mut Vec<Span>) {
    for start in memchr::memmem::find_iter(text, name) {
        let end = start + name.len();
        let inside = start.checked_sub(1).is_some_and(|i| part(text[i])) || text.get(end).is_some_and(|b| part(*b));
        if !inside {
            spans.push(Span::new(start, end, rule, Rank::Context));
        }
    }
}

fn addresses(text: &[u8], spans: &mut Vec<Span>) {
    let local = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'%');
    let domain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    for sign in memchr::memchr_iter(b'@', text) {
        let start = sign - text[..sign].iter().rev().take(64).take_while(|b| local(b)).count();
        let mut end = sign + 1 + text[sign + 1..].iter().take(255).take_while(|b| domain(b)).count();
        while end > sign + 1 && matches!(text[end - 1], b'.' | b'-') {
            end -= 1;
        }
        let top = memchr::memrchr(b'.', &text[sign + 1..end]).map(|dot| &text[sign + 2 + dot..end]);
        let is_top = top.is_some_and(|top| top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic));
        if start < sign && is_top {
            spans.push(Span::new(start, end, "email-address", Rank::Context));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_found() {
        let privacy = Privacy { home: Some("/home/dev/".into()), host: Some("paycore-7".into()), emails: true };
        let text =
            b"/home/dev/x /home/developer /mnt/home/dev paycore-7.bank paycore-77 a.b@bank.example. a@b @scope/x";
        let mut spans = Vec::new();
        privacy.find(text, &mut spans);
        let found: Vec<_> = spans.iter().map(|s| std::str::from_utf8(&text[s.start..s.end]).unwrap()).collect();
        assert_eq!(found, ["/home/dev", "paycore-7", "a.b@bank.example"]);
    }
}
