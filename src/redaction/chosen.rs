//! What people choose who are asked for a secret: words in a row, a word with a number, a PIN.

/// Whether the value is three words or more in a row, as dice choose them: `kitten-kestrel-ember`; not a name of something.
pub(super) fn diceware(value: &[u8]) -> bool {
    #[rustfmt::skip]
    const NAMING: &[&str] = &[
        "secret", "secrets", "credential", "credentials", "creds", "name", "ref", "config", "vault", "database", "postgres",
        "mysql", "redis", "mongo", "prod", "production", "staging", "cluster", "service", "server", "client", "user", "users",
        "admin", "account", "email", "page", "form", "input", "field", "label", "button", "login", "logout", "sign", "auth",
        "file", "path", "type", "test", "tests", "example", "here", "some", "app", "application", "grant", "flow",
        "policy", "manager", "provider", "validation", "validator", "error", "message", "strength", "visibility", "toggle",
    ];
    let words: Vec<&[u8]> = value.split(|b| matches!(b, b'-' | b'.' | b'_')).collect();
    let word = |word: &&[u8]| word.len() >= 3 && word.iter().all(u8::is_ascii_lowercase);
    let about = |word: &[u8]| ABOUT.iter().chain(NAMING).any(|about| about.as_bytes() == word);
    words.len() >= 3 && value.len() >= 14 && words.iter().all(word) && !words.iter().any(|word| about(word))
}

/// Words of sentences about passwords.
#[rustfmt::skip]
const ABOUT: &[&str] = &[
    "password", "passwords", "passwort", "passphrase", "secret", "token", "must", "least", "characters", "chars", "enter",
    "your", "please", "minimum", "min", "max", "maximum", "required", "invalid", "incorrect", "wrong", "choose", "should",
    "use", "forgot", "reset", "between", "digits", "letters", "strong", "weak", "too", "length", "cannot", "can't", "not",
    "field", "confirm", "new", "old", "change", "more", "than", "contain", "with", "from", "optional", "is", "are", "for",
    "if", "to", "this", "will", "be", "or", "set", "see", "key", "longer", "shorter", "and", "passed", "failed", "test", "step", "of",
    "zeichen", "mindestens", "caratteri", "caracteres", "almeno", "minimo", "moins", "tekens", "minimaal", "passe",
];

/// Whether a value of several words is one that somebody remembers, and not a sentence about passwords: it has a number in it, or
/// is given where nothing but a password can stand, or is one of the passwords that mail providers give to programs.
pub(super) fn phrase(value: &[u8], is_given: bool) -> bool {
    if !value.is_ascii() {
        return false;
    }
    let words: Vec<&[u8]> = value.split(|b| *b == b' ').collect();
    let text = value.to_ascii_lowercase();
    let about = |word: &[u8]| ABOUT.iter().any(|about| about.as_bytes() == without_marks(word));
    if !(2..=12).contains(&words.len())
        || value.len() < 8
        || value.len() > 120
        || words.iter().any(|word| word.is_empty())
    {
        return false;
    }
    if words.len() == 4 && words.iter().all(|word| word.len() == 4 && word.iter().all(u8::is_ascii_lowercase)) {
        return true;
    }
    let sentence =
        matches!(value.last(), Some(b'.' | b':' | b'?')) || value.iter().any(|b| b"<>{}%=()[]|\\/$".contains(b));
    let mut words = text.split(|b| *b == b' ');
    !sentence && !words.any(about) && (is_given || value.iter().any(u8::is_ascii_digit))
}

/// A word without the marks of a sentence around it.
fn without_marks(word: &[u8]) -> &[u8] {
    let mark = |b: &u8| matches!(b, b',' | b'.' | b'!' | b':' | b';');
    let end = word.len() - word.iter().rev().take_while(|b| mark(b)).count();
    &word[..end]
}

/// `Sommer.2025`: a word, a sign and a number, as people choose who are asked for a secret.
pub(super) fn word(value: &[u8]) -> bool {
    let word = value.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let [sign, digits @ ..] = &value[word..] else { return false };
    let capital =
        value.first().is_some_and(u8::is_ascii_uppercase) && value[1..word].iter().all(u8::is_ascii_lowercase);
    let number = (2..=6).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    word >= 4 && capital && number && sign.is_ascii_punctuation() && !matches!(sign, b'-' | b'/' | b'(' | b'[')
}

/// `Gaviota.Montana.Banjo922`: words with capitals and a number at the end, as nothing in a program is called that a sentence
/// gives as a value.
pub(super) fn spoken(value: &[u8]) -> bool {
    let digits = value.iter().rev().skip_while(|b| b.is_ascii_punctuation()).take_while(|b| b.is_ascii_digit()).count();
    let words = value.iter().filter(|b| b.is_ascii_uppercase()).count();
    digits >= 2
        && words >= 2
        && value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'!' | b'?' | b'*'))
}

/// `harbor.Coffee878!`, `Sonnen-dragon-421`: several words and a number, as people choose who are asked for a secret; not a
/// name in a program, which has no such sign and no such number.
pub(super) fn words(value: &[u8]) -> bool {
    let word = |part: &&[u8]| part.len() >= 3 && part.iter().any(u8::is_ascii_alphabetic);
    let parts = value.split(|b| b.is_ascii_punctuation()).filter(word).count();
    let humps = value.windows(2).filter(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase()).count();
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let sign = value.iter().any(|b| b"!?#$%&*+=^~@".contains(b)) || matches!(value.last(), Some(b'_' | b'-' | b'.'));
    let capital = value.iter().any(u8::is_ascii_uppercase);
    let text = value.to_ascii_lowercase();
    let about = ["secret", "token", "key", "test", "name", "config", "type", "example", "version"];
    let plain = !about.iter().any(|word| memchr::memmem::find(&text, word.as_bytes()).is_some());
    let part = |b: &u8| b.is_ascii_alphanumeric() || b"!?#$%&*+=^~@_-.".contains(b);
    (12..=48).contains(&value.len())
        && value.iter().all(part)
        && parts + humps >= 2
        && digits >= 2
        && plain
        && (sign || (capital && humps == 0 && digits >= 3 && value[value.len() - 2..].iter().all(u8::is_ascii_digit)))
}

/// Four to eight digits, and not all alike.
pub(super) fn pin(value: &[u8]) -> bool {
    (4..=8).contains(&value.len()) && value.iter().all(u8::is_ascii_digit) && value.iter().any(|b| *b != value[0])
}
