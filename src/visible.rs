//! Characters that hide something, or turn it round: what others wrote must not steer who reads it.

/// Whether a character is a control, a bidirectional mark or without width; line ends and tabs are not.
pub fn hides(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Text of unknown origin, safe to show: what hides becomes a visible mark.
pub fn visible(text: &str) -> String {
    if text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\t')) {
        return text.to_owned();
    }
    text.chars().map(|c| if hides(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_cannot_steer_the_terminal() {
        assert_eq!(visible("a\x1b[2Jb\rc\u{202e}d\n\te"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\n\te");
        let unseen = "\u{ad}\u{61c}\u{180e}\u{2028}\u{2060}\u{206a}\u{fffb}\u{e0041}\u{e0100}";
        assert_eq!(visible(unseen), "\u{fffd}".repeat(9), "words that only a model reads");
        assert_eq!(visible("plain é 日本"), "plain é 日本");
    }
}
