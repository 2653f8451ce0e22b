//! Speech: what stands between a name and its value in a sentence, and the marks that print puts around one.

use super::value;

/// `»` and its like, between what a program asks for and what somebody typed.
pub(super) fn prompt(rest: &[u8]) -> usize {
    let sign = ["»", "›", "❯", "▸", "➜"].into_iter().find(|sign| rest.starts_with(sign.as_bytes()));
    let Some(sign) = sign.map(str::len) else { return 0 };
    // The end of a quoted name: `« mot de passe » : …`.
    let blanks = rest[sign..].iter().take(3).take_while(|b| matches!(b, b' ' | 0xC2 | 0xA0)).count();
    if rest.get(sign + blanks) == Some(&b':') { sign + blanks + 1 } else { sign }
}

/// What opens a quotation in print.
const OPENING: &[&str] = &["«", "“", "„", "‘", "‚", "‹", "「", "『"];

/// The opening sign of a quotation at `at`, with the blank behind it, as French has it.
pub(super) fn opening(text: &[u8], at: usize) -> usize {
    let sign = OPENING.iter().find(|sign| text[at..].starts_with(sign.as_bytes())).map_or(0, |sign| sign.len());
    let blank = ["\u{a0}", "\u{202f}", " "].into_iter().find(|b| text[at + sign..].starts_with(b.as_bytes()));
    if sign == 0 { 0 } else { sign + blank.map_or(0, str::len) }
}

/// Where a quotation begins behind a few small words: ``password for now: `…` ``, `mis à « … »`.
pub(super) fn quoted_behind(rest: &[u8]) -> Option<usize> {
    let word = |b: &u8| b.is_ascii_lowercase() || *b == b' ' || (0xC3..=0xC5).contains(b) || (0x80..0xAB).contains(b);
    let words = rest.iter().take(24).take_while(|b| word(b)).count();
    let opens = rest.get(words) == Some(&b'`') || opening(rest, words) > 0;
    let blank = words == 0 || rest[words - 1] == b' ';
    let inside = &rest[words..][..rest.len().min(words + 80) - words];
    let value = inside.split(|b| matches!(b, b'`' | 0xC2 | 0xE2 | 0xE3)).nth(1).unwrap_or_default();
    // An id in a sentence about a token: `the token was made by `4f3a…``.
    (opens && blank && !value::names_something(value.trim_ascii())).then_some(words)
}

/// The words between a name and its value in a sentence.
pub(super) fn prose(rest: &[u8]) -> Option<usize> {
    const WORDS: &[&str] = &[
        "is: ",
        "is ",
        "was ",
        "is now ",
        "is set to ",
        "set to ",
        "to ",
        "to: ",
        "as ",
        "of ",
        "ist ",
        "ist: ",
        "lautet ",
        "lautet: ",
        "= ",
        "è ",
        "é ",
        "era ",
        "är ",
        "er ",
        "jest ",
        "to jest ",
        "это ",
        "— ",
        "– ",
        "-> ",
        "→ ",
        "est ",
        "es ",
        "(",
        "will be ",
        "à ",
        "auf ",
        "as: ",
        "reads ",
        "equals ",
        "stays ",
        "remains ",
        "becomes ",
        "should be ",
        "has been set to ",
        "is still ",
        "is currently ",
        "is just ",
        "olan ",
        "adalah ",
        "là ",
        "jest: ",
        "je ",
        "c'est ",
        "هي ",
        "هو ",
        "는 ",
        "은 ",
        "є ",
        "это: ",
        "changed to ",
        "changed from ",
        "was changed from ",
        "was changed to ",
        "是",
        "是「",
        "是：",
        "は",
        "は「",
        "は、",
        "为",
        "为：",
        "「",
    ];
    // The longest that fits.
    let word = WORDS.iter().filter(|w| rest.starts_with(w.as_bytes())).map(|w| w.len()).max();
    let of = || OF.iter().any(|w| rest.starts_with(w.as_bytes())).then(|| whose(rest)).flatten();
    of().or(word)
}

/// What may begin the words between a name and a colon: `password for the box: …`.
const OF: &[&str] = &[
    "for ", "of ", "to ", "on ", "at ", "in ", "from ", "für ", "von ", "vom ", "zum ", "zur ", "der ", "des ", "de ",
    "du ", "pour ", "del ", "para ", "di ", "per ", "do ", "da ", "van ", "voor ", "от ", "для ", "к ", "d'", "(",
];

/// What stands before a value behind such words.
const IS: &[&str] = &[
    " is ", " ist ", " lautet ", " est ", " es ", " è ", " é ", " to ", " jest ", " är ", " er ", " je ", " este ",
    " это ", " c'est ", " — ", " – ", " = ",
];

/// Where the value begins behind such words; they are few, and end with a colon or `is`.
pub(super) fn whose(rest: &[u8]) -> Option<usize> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || *b >= 0x80 || b" .-_/@()'`*".contains(b);
    let words = rest.iter().take(60).take_while(|b| plain(b)).count();
    let colon = (rest.get(words) == Some(&b':') && rest.get(words + 1) == Some(&b' ')).then_some(words + 2);
    let is = IS.iter().filter_map(|is| Some(memchr::memmem::find(&rest[..words], is.as_bytes())? + is.len())).min();
    // What follows *is* is the value, where it has a number or a quote in it; else it is another word on the way.
    let value = |at: &usize| {
        let word = &rest[*at..][..rest[*at..].iter().take(80).take_while(|b| b.is_ascii_graphic()).count()];
        word.iter().any(|b| b.is_ascii_digit() || matches!(b, b'"' | b'\'' | b'`'))
    };
    is.filter(value).or(colon).or(is)
}

/// Behind a parenthesis and a colon that end their line: `the token (it is not shown again):`.
pub(super) fn below(rest: &[u8]) -> Option<usize> {
    if rest.first() != Some(&b'(') {
        return None;
    }
    let words = rest.iter().take(100).take_while(|b| !matches!(b, b':' | b'\n' | b'"' | b'{' | b'=')).count();
    rest[words..].starts_with(b":\n").then_some(words + 1)
}

/// Whether a word comes that a machine drew: nobody says anything else of twenty letters and digits.
pub(super) fn evident(rest: &[u8]) -> bool {
    let word = &rest[..rest.iter().take(512).take_while(|b| b.is_ascii_graphic()).count()];
    let token = |b: &u8| b.is_ascii_alphanumeric() || b"_-.+/=,".contains(b);
    let mixed = word.iter().any(u8::is_ascii_uppercase) && word.iter().any(u8::is_ascii_digit);
    let hex = word.len() >= 32 && word.iter().any(u8::is_ascii_digit);
    word.len() >= 20 && (mixed || hex) && word.iter().all(token) && value::random(word) && !value::wordy(word)
}
