//! Values: whether what stands where a secret would is one, and not a word, a reference or a placeholder.

use super::chosen;
use super::letters;
use super::names::Class;

/// How sure the surroundings are that what follows is a literal value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Setting {
    /// Prose or code, without quotes: it may be any word or expression.
    Loose,
    /// Quoted: a literal.
    Quoted,
    /// `NAME=value` as in an environment, a connection string: nothing but a value.
    Assigned,
}

/// Whether a value can be the secret that its name promises.
pub(super) fn plausible(class: Class, value: &[u8], setting: Setting) -> bool {
    if (value.starts_with(b"%") && reference(value)) || std::str::from_utf8(value).is_err() {
        return false;
    }
    match percent_decoded(value) {
        Some(decoded) if std::str::from_utf8(&decoded).is_ok() => {
            literal(class, &decoded, setting.max(Setting::Quoted))
        }
        _ => literal(class, value, setting),
    }
}

fn literal(class: Class, value: &[u8], setting: Setting) -> bool {
    if class == Class::SeedPhrase {
        return seed_words(value) >= 12
            || (setting != Setting::Loose && value.len() >= 24 && random(value) && !wordy(value));
    }
    let longest = if matches!(class, Class::Password | Class::Phrase) { 512 } else { 16 * 1024 };
    if value.len() > longest || value.iter().any(u8::is_ascii_control) {
        return false;
    }
    if value.contains(&b' ') {
        let is_given = class == Class::Phrase || setting == Setting::Assigned;
        let words = is_given || setting == Setting::Quoted;
        return words && matches!(class, Class::Password | Class::Phrase) && chosen::phrase(value, is_given);
    }
    if placeholder(value) || reference(value) || sealed(value) || (setting == Setting::Loose && expression(value)) {
        return false;
    }
    match class {
        Class::Password | Class::Phrase => password(value, setting),
        Class::Pin => setting != Setting::Loose && chosen::pin(value),
        Class::Token | Class::Secret | Class::ApiKey => {
            let short = || value.split(|b| *b == b'/').all(|part| part.len() < 20);
            if path(value) && (value[0] != b'/' || (value[1..].contains(&b'/') && !value.contains(&b'+') && short())) {
                return false;
            }
            let loose = setting == Setting::Loose;
            let drawn = || zigzags(value) || letters::drawn(value);
            let name = loose && value.len() < 32 && !value.iter().any(u8::is_ascii_digit) && !drawn();
            let mixed = || value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_digit);
            let least = if !loose {
                8
            } else if mixed() {
                10
            } else {
                12
            };
            let random = value.len() >= least && !name && !wordy(value) && random(value);
            random
                || (!loose && (chosen::word(value) || chosen::words(value)))
                || (class == Class::Secret && setting == Setting::Assigned && chosen::diceware(value))
        }
        Class::Key => {
            value.len() >= 20 && !path(value) && value.iter().any(u8::is_ascii_digit) && !wordy(value) && random(value)
        }
        Class::Authorization => basic_credentials(value) || (value.len() >= 16 && !wordy(value) && random(value)),
        Class::SeedPhrase | Class::Cookies => false,
    }
}

/// A value without its percent escapes, if it has any.
fn percent_decoded(value: &[u8]) -> Option<Vec<u8>> {
    let hex = |b: u8| (b as char).to_digit(16);
    let escape = |at: usize| Some((hex(*value.get(at + 1)?)? * 16 + hex(*value.get(at + 2)?)?) as u8);
    let mut out = Vec::new();
    let mut i = memchr::memchr(b'%', value).filter(|_| value.len() <= 4096)?;
    out.extend_from_slice(&value[..i]);
    let before = out.len();
    while i < value.len() {
        match escape(i).filter(|_| value[i] == b'%') {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(value[i]);
                i += 1;
            }
        }
    }
    (out[before..].len() < value.len() - before).then_some(out)
}

fn password(value: &[u8], setting: Setting) -> bool {
    let text = value.to_ascii_lowercase();
    if value.len() < 4 || url(value) || path(value) || ALGORITHMS.contains(&&text[..]) {
        return false;
    }
    let shape = Shape::of(value);
    let letters = shape.lower + shape.upper;
    if shape.digits == value.len() {
        return value.len() >= 6 && setting != Setting::Loose;
    }
    if letters > 0 && shape.digits > 0 {
        return value.len() >= 6 || setting == Setting::Assigned;
    }
    // No digit: drawn by a machine, a word, a name, or a password all the same.
    if value.len() >= letters::MIN && random(value) && (zigzags(value) || letters::drawn(value)) {
        return true;
    }
    if shape.odd > 0 && letters > 0 && setting != Setting::Loose {
        return value.len() >= 6 && !text.iter().any(|b| matches!(b, b'(' | b'[' | b'<' | b'{' | b',' | b';'));
    }
    (setting == Setting::Assigned && value.len() >= 5 && letters + shape.joints == value.len())
        || chosen::diceware(value)
}

/// Values of settings that are called passwords for what makes them.
#[rustfmt::skip]
const ALGORITHMS: &[&[u8]] = &[
    b"sha1", b"sha256", b"sha512", b"sha-256", b"md5", b"bcrypt", b"argon2", b"argon2id", b"scrypt", b"pbkdf2",
    b"base64", b"utf8", b"utf-8", b"oauth2", b"ed25519", b"rs256", b"hs256", b"es256", b"scram-sha-256", b"text",
    b"string", b"hidden", b"input", b"label", b"field", b"crypt", b"plain", b"basic", b"digest", b"bearer",
];

/// What the characters of a value are.
struct Shape {
    lower: usize,
    upper: usize,
    digits: usize,
    /// `-`, `_`, `.`: what joins words to names.
    joints: usize,
    /// All others.
    odd: usize,
}

impl Shape {
    fn of(value: &[u8]) -> Self {
        let mut shape = Shape { lower: 0, upper: 0, digits: 0, joints: 0, odd: 0 };
        for b in value {
            *match b {
                // Letters of other tongues, as in words.
                b'a'..=b'z' | 0x80.. => &mut shape.lower,
                b'A'..=b'Z' => &mut shape.upper,
                b'0'..=b'9' => &mut shape.digits,
                b'-' | b'_' | b'.' => &mut shape.joints,
                _ => &mut shape.odd,
            } += 1;
        }
        shape
    }
}

/// Shannon entropy in bits a byte.
pub(super) fn entropy(value: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    for b in value {
        counts[usize::from(*b)] += 1;
    }
    let n = value.len() as f32;
    counts.iter().filter(|c| **c > 0).map(|c| *c as f32 / n).map(|p| -p * p.log2()).sum()
}

/// Whether a machine could have drawn the value: letters and digits mixed, many different ones.
pub(super) fn random(value: &[u8]) -> bool {
    let shape = Shape::of(value);
    let letters = shape.lower + shape.upper;
    if letters == 0 || sequential(begin(value)) {
        return false;
    }
    if shape.digits == 0 {
        // Base64 without a digit: long, and the case changes all the time; where it is short, as in no name.
        let changes = case_changes(value);
        let long = value.len() >= 20 && shape.lower > 0 && shape.upper > 0 && changes * 4 >= value.len();
        let short = value.len() >= 12 && changes * 3 >= value.len() && zigzags(value);
        return long || short || letters::drawn(value);
    }
    entropy(value) >= 2.7
}

fn case_changes(value: &[u8]) -> usize {
    value.windows(2).filter(|w| w[0].is_ascii_uppercase() != w[1].is_ascii_uppercase()).count()
}

/// How often a capital follows a small letter.
fn humps(value: &[u8]) -> usize {
    value.windows(2).filter(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase()).count()
}

/// Whether capitals come singly and in rows, in turn with small letters: `camelCase` has the one, `HTTPServer` the other.
fn zigzags(value: &[u8]) -> bool {
    let rows = value.windows(2).filter(|w| w[0].is_ascii_uppercase() && w[1].is_ascii_uppercase()).count();
    humps(value) >= 2 && rows >= 2
}

/// `0123456789`, `aaaa`: each byte is the one before, or the next.
fn sequential(value: &[u8]) -> bool {
    value.windows(2).all(|w| w[1] == w[0] || w[1] == w[0].wrapping_add(1))
}

/// Whether the value is made of words and short numbers: a name, not a secret.
pub(super) fn wordy(value: &[u8]) -> bool {
    value.split(|b| matches!(b, b'-' | b'_' | b'.' | b'/' | b':' | b'@' | b'+' | b'=' | b',')).all(|part| {
        let word = part.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let number = part.len() - word;
        let digits = part[word..].iter().all(u8::is_ascii_digit);
        if word == 0 {
            return digits && number <= 6;
        }
        // One case, capitalised or camelCase; not the zigzag of base64.
        let word = &part[..word];
        digits && number <= 4 && humps(word) * 5 <= word.len() && !zigzags(word) && !letters::drawn(word)
    })
}

/// Whether the value stands for one that somebody is to fill in, or has been taken out already.
pub(super) fn placeholder(value: &[u8]) -> bool {
    #[rustfmt::skip]
    const WORDS: &[&[u8]] = &[
        b"password", b"passwd", b"pass", b"pwd", b"secret", b"token", b"key", b"apikey", b"changeme", b"change_me",
        b"change-me", b"changeit", b"example", b"test", b"testing", b"dummy", b"foo", b"bar", b"foobar", b"none",
        b"null", b"nil", b"undefined", b"true", b"false", b"default", b"string", b"str", b"redacted", b"removed",
        b"hidden", b"masked", b"empty", b"todo", b"tbd", b"user", b"username", b"guest", b"n/a", b"required",
        b"optional", b"disabled", b"enabled", b"value", b"anonymous", b"unset", b"missing", b"invalid", b"unknown",
        b"passwort", b"stdin", b"prompt", b"self", b"this", b"await", b"async", b"const", b"bytes", b"object", b"number", b"boolean",
    ];
    #[rustfmt::skip]
    const PARTS: &[&str] = &[
        "[redacted", "<redacted", "redacted>", "changeme", "placeholder", "your_", "your-", "yourpass",
        "yourtoken", "yoursecret", "yourkey", "replace", "insert", "xxxx", "****", "....", "…", "•••", "dummy",
        "my_secret", "my-secret", "mysecret", "my_token", "my-token", "my_password", "my-password", "mypassword",
        "my_api", "my-api", "abcdefghijkl", "not-a-real", "notareal", "sample", "todo",
    ];
    // Keys that are made to be seen.
    const PUBLIC: &[&[u8]] =
        &[b"phc_", b"pk_live_", b"pk_test_", b"pk.eyJ", b"sb_publishable_", b"pub-c-", b"rzp_", b"age1", b"ssh-"];
    if PUBLIC.iter().any(|p| value.starts_with(p)) || address(value) {
        return true;
    }
    let text = begin(value).to_ascii_lowercase();
    let bare: &[u8] = text.trim_ascii_end();
    // Rules of validators: `required|string|min:8`.
    const VALID: &[&[u8]] = &[b"required", b"nullable", b"sometimes", b"confirmed", b"omitempty"];
    if bare.split(|b| matches!(b, b'|' | b',')).any(|part| VALID.contains(&part)) {
        return true;
    }
    if WORDS.contains(&bare) || bare.len() < 3 {
        return true;
    }
    let begin = String::from_utf8_lossy(&text);
    let mut seen = [false; 256];
    bare.iter().for_each(|b| seen[usize::from(*b)] = true);
    let different = seen.iter().filter(|s| **s).count();
    PARTS.iter().any(|part| begin.contains(part)) || different <= 2 || (different <= 3 && bare.len() >= 12)
}

/// The part of a value that is looked at closely: enough to tell, and no more work where values overlap.
fn begin(value: &[u8]) -> &[u8] {
    &value[..value.len().min(256)]
}

/// Whether what has the form of a provider's secret is a stand-in: all alike, or saying so. Published examples are not
/// told from secrets: a key that counts up is still a key somebody may use in a test.
pub(super) fn filler(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    value.iter().for_each(|b| seen[usize::from(*b)] = true);
    let different = seen.iter().filter(|s| **s).count();
    let begin = value[..value.len().min(256)].to_ascii_lowercase();
    let holds = |part: &[u8]| begin.windows(part.len()).any(|w| w == part);
    different < 5 || holds(b"placeholder") || holds(b"xxxxxx")
}

/// Whether the value says where the secret is or what it looks like: a variable, a template, a path in a vault, a pattern.
pub(super) fn reference(value: &[u8]) -> bool {
    let value = begin(value);
    #[rustfmt::skip]
    const STARTS: &[&[u8]] = &[
        b"${", b"$(", b"{{", b"<%", b"%(", b"%{", b"#{", b"@Microsoft.", b"!Ref", b"!Sub", b"!GetAtt", b"!vault",
        b"vault:", b"arn:", b"ssm:", b"op://", b"file:", b"env:", b"env.", b"process.env", b"os.environ", b"secrets.",
        b"var.", b"$env:", b"{env", b"ref+", b"secretref:", b"secretsmanager:", b"gsm:", b"sm://",
    ];
    // What Google calls a secret: `projects/4711/secrets/db-password/versions/7`.
    let resource = value.starts_with(b"projects/") && memchr::memmem::find(value, b"/secrets/").is_some();
    let named = |rest: &[u8]| !rest.is_empty() && rest.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let whole = match value {
        // `$VARIABLE`, `%VARIABLE%`, `<your token>`, `{token}`, `:name`, `%s`
        [b'$', rest @ ..] => {
            let each = |name: &[u8]| name.first().is_some_and(u8::is_ascii_alphabetic) && named(name);
            rest.split(|b| *b == b'$').all(each) || rest.len() < 3
        }
        [b'%', rest @ .., b'%'] => named(rest),
        [b'{', inner @ .., b'}'] if inner.len() >= 20 && random(inner) && !wordy(inner) => false,
        [b'<', ..] | [b'{', .., b'}'] => true,
        [b':' | b'@', rest @ ..] => named(rest) && !rest.iter().any(u8::is_ascii_digit),
        _ => false,
    };
    let template = |open: &[u8], close: u8| {
        let at = value.windows(open.len()).position(|w| w == open);
        at.is_some_and(|at| value[at..].contains(&close))
    };
    whole
        || resource
        || versioned(value)
        || assigned(value).is_some_and(reference)
        || STARTS.iter().any(|s| value.len() >= s.len() && value[..s.len()].eq_ignore_ascii_case(s))
        || template(b"${", b'}')
        || template(b"{{", b'}')
        || template(b"$(", b')')
        || template(b"%s", b's')
        || [&b"[0-9"[..], b"0-9]", b"[a-z", b"a-z]", b"[A-Z", b"A-Z]", b"(?:", b"\\d", b"\\x"]
            .iter()
            .any(|p| value.windows(p.len()).any(|w| w == *p))
        || (value.contains(&b'{') && value.contains(&b'}') && !value.starts_with(b"{") && braces_hold_a_name(value))
}

/// Whether the value is a secret's name and its version: `db-password:latest`, `api-key:3`.
fn versioned(value: &[u8]) -> bool {
    let Some(colon) = memchr::memrchr(b':', value) else { return false };
    let (name, version) = (&value[..colon], &value[colon + 1..]);
    let number = !version.is_empty() && version.len() <= 3 && version.iter().all(u8::is_ascii_digit);
    let words = name.iter().all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'_'));
    (number && memchr::memchr2(b'-', b'_', name).is_some() || version == b"latest") && words
}

/// What a variable is given where a flag names both: `--set-secrets=DB_PASSWORD=db-password:latest`.
fn assigned(value: &[u8]) -> Option<&[u8]> {
    let name = value.iter().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'_').count();
    (name >= 3 && value.get(name) == Some(&b'=')).then(|| &value[name + 1..])
}

/// `Bearer {token}`, `f"{user}:{password}"`.
fn braces_hold_a_name(value: &[u8]) -> bool {
    let Some(open) = value.iter().position(|b| *b == b'{') else { return false };
    let Some(len) = value[open..].iter().position(|b| *b == b'}') else { return false };
    value[open + 1..open + len].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
}

/// Whether the value is what a secret was encrypted to, and not the secret: `kubeseal`'s (a length of 512 and a key of that many
/// bytes), those of AWS's key service, Spring's.
fn sealed(value: &[u8]) -> bool {
    let base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let kubeseal = value.len() >= 160 && value.starts_with(b"Ag") && (b'A'..=b'D').contains(&value[2]);
    (kubeseal || value.starts_with(b"AQICAH")) && value.iter().all(base64) || value.starts_with(b"{cipher}")
}

/// Whether the value is a name in capitals, of several words: `TLS_AES_256_GCM_SHA384`, `ECDHE-RSA-AES256-GCM-SHA384`.
fn constant(value: &[u8]) -> bool {
    let joints = value.iter().filter(|b| matches!(b, b'_' | b'-')).count();
    let part = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
    joints >= 3 && value.iter().all(part) && wordy(value)
}

/// Whether a value that a sentence gives behind a user can be a password, and not another name with its version.
pub(super) fn said(value: &[u8]) -> bool {
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let versioned = wordy(value) && digits <= 2;
    let numbered = digits >= 3 && value.iter().any(u8::is_ascii_uppercase);
    drawn(Class::Password, value) && (numbered || beyond_a_name(value)) && !versioned
}

/// Whether an unquoted value is code: a call, a path of names, an index.
fn expression(value: &[u8]) -> bool {
    let name = value.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'$' | b'?')).count();
    let rest = &value[name..];
    if number(value) {
        return true;
    }
    let begins = value.first().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'&' | b'*' | b'('));
    if begins && name > 0 && rest.first().is_some_and(|b| matches!(b, b'(' | b'[' | b'<')) {
        return true;
    }
    if begins && (rest.starts_with(b"::") || rest.starts_with(b"->") || rest.starts_with(b"?.")) {
        return true;
    }
    // `self._lib.SHA1_CBC`: names joined by dots, none of them long enough for a secret.
    let parts = || value.split(|b| matches!(b, b'.' | b'_'));
    let plain = !value.iter().any(|b| b"#!@^~%=+".contains(b));
    if begins && plain && value.contains(&b'.') && parts().all(|part| part.len() < 16) {
        return true;
    }
    value.starts_with(b"&") || value.starts_with(b"*") || value.starts_with(b"[") || value.starts_with(b"..")
}

/// `128u32`, `0x1F`, `3.5e9`
fn number(value: &[u8]) -> bool {
    let digits = value.iter().take_while(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.')).count();
    let suffix = &value[digits..];
    let typed = matches!(suffix.first(), Some(b'u' | b'i' | b'f' | b'U' | b'L' | b'n' | b'e')) && suffix.len() <= 5;
    digits > 0 && (typed && suffix[1..].iter().all(|b| b.is_ascii_alphanumeric()))
        || value.starts_with(b"0x") && value[2..].iter().all(u8::is_ascii_hexdigit) && value.len() <= 18
}

/// Whether the value is a URL, whose own secrets other rules find.
pub(super) fn url(value: &[u8]) -> bool {
    let scheme = value.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')).count();
    scheme > 1 && value[scheme..].starts_with(b"://")
}

/// Whether nobody would write the value for a word: a machine drew it, or a person who was asked for a password.
pub(super) fn drawn(class: Class, value: &[u8]) -> bool {
    if !value.is_ascii() || constant(value) {
        return false;
    }
    let shape = Shape::of(value);
    let chosen = shape.digits > 0 && shape.upper + shape.lower > 0 && (shape.upper > 0 || shape.odd + shape.joints > 0);
    (random(value) && !wordy(value))
        || (class == Class::Pin && chosen::pin(value))
        || (matches!(class, Class::Password | Class::Phrase) && chosen::diceware(value))
        || (matches!(class, Class::Password | Class::Phrase) && chosen && value.len() >= 8 && !value.contains(&b'('))
}

/// Whether the value has what no name in a program has: a sign, letters that nobody wrote, or numbers in one word.
pub(super) fn beyond_a_name(value: &[u8]) -> bool {
    let letters: Vec<u8> = value.iter().filter(|b| b.is_ascii_alphabetic()).copied().collect();
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let joined = value.iter().any(|b| matches!(b, b'-' | b'_' | b'.' | b'/'));
    let sign =
        value.iter().any(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'-' | b'_' | b'.' | b'/' | b')' | b'('));
    // `Gr4nite`
    let leet =
        value.windows(3).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_digit() && w[2].is_ascii_lowercase());
    let leet = leet && value.iter().any(u8::is_ascii_uppercase);
    sign || leet
        || letters::drawn(&letters)
        || digits * 3 >= value.len()
        || (!joined && digits >= 2 && humps(value) < 2)
}

/// Whether the value names something rather than opening it: a UUID, a git or tool id, a digest, a version. Where no more than
/// a blank stands between it and `token`, it is one of these.
pub(super) fn names_something(value: &[u8]) -> bool {
    const IDS: &[&[u8]] = &[b"toolu_", b"msg_", b"req_", b"call_", b"chatcmpl-", b"sha256:", b"sha512-"];
    let bare = value.strip_suffix(b")").unwrap_or(value);
    let hex = matches!(bare.len(), 40 | 64) && bare.iter().all(u8::is_ascii_hexdigit) || address(bare);
    let number = bare.strip_prefix(b"v").unwrap_or(bare);
    let version =
        number.split(|b| *b == b'.').take(3).filter(|part| part.first().is_some_and(u8::is_ascii_digit)).count();
    hex || uuid(bare) || version == 3 || IDS.iter().any(|id| value.starts_with(id))
}

/// Whether the value is an account or a contract of Ethereum.
fn address(value: &[u8]) -> bool {
    value.len() == 42 && value.starts_with(b"0x") && value[2..].iter().all(u8::is_ascii_hexdigit)
}

/// Whether the value is a UUID.
pub(super) fn uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() })
}

fn path(value: &[u8]) -> bool {
    let rooted = value.starts_with(b"/") || value.starts_with(b"./") || value.starts_with(b"../");
    let home = value.starts_with(b"~/");
    let drive =
        value.len() > 2 && value[0].is_ascii_alphabetic() && value[1] == b':' && matches!(value[2], b'\\' | b'/');
    rooted || home || drive
}

/// How many words of a seed phrase the value is: lower case, three to eight letters, single spaces.
fn seed_words(value: &[u8]) -> usize {
    let words = || value.split(|b| *b == b' ');
    let each = |w: &[u8]| (3..=8).contains(&w.len()) && w.iter().all(u8::is_ascii_lowercase);
    if value.len() > 24 * 9 || !words().all(each) { 0 } else { words().count() }
}

/// Whether the value is base64 of `user:password`.
pub(super) fn basic_credentials(value: &[u8]) -> bool {
    if value.len() < 8 || value.len() > 1024 {
        return false;
    }
    match super::encoded::decode_base64(value) {
        Some(text) => {
            let colon = text.iter().position(|b| *b == b':');
            let printable = text.iter().all(|b| matches!(b, b' '..=b'~') || *b >= 0x80);
            printable && colon.is_some_and(|at| at > 0 && at + 1 < text.len() && !placeholder(&text[at + 1..]))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_words_and_references() {
        use Class::*;
        use Setting::*;
        for (class, value, setting, expected) in [
            (Password, "Winter2026#Treasury", Quoted, true),
            (Password, "Falcon_pepper1638", Loose, true),
            (Password, "Sommerregen", Assigned, true),
            (Password, "Pa$$wort!", Quoted, true),
            (Password, "iIiYzGuQoNbGTT", Loose, true),
            (Password, "getJSONPasswordField", Loose, false),
            (Password, "changeme", Assigned, false),
            (Password, "projects/955647564853/secrets/db-password/versions/latest", Assigned, false),
            (Secret, "DB_PASSWORD=projects/955647564853/secrets/db-password/versions/7", Assigned, false),
            (Secret, "DB_PASSWORD=${PASSWORD7}", Assigned, false),
            (Password, "db-password:latest", Assigned, false),
            (Password, "${DB_PASSWORD}", Assigned, false),
            (Password, "$PASSWORD", Assigned, false),
            (Password, "[REDACTED:password]", Assigned, false),
            (Password, "getPassword(user1)", Loose, false),
            (Password, "user.password", Loose, false),
            (Password, "string", Loose, false),
            (Password, "Enter your password", Quoted, false),
            (Password, "/run/secrets/db1", Assigned, false),
            (Password, "********", Quoted, false),
            (Password, "bcrypt", Quoted, false),
            (Password, "8192u32", Loose, false),
            (Token, "[0-9A-Fa-f]{1,4}", Quoted, false),
            (Token, "self._lib.NID_pbe_WithSHA1And3_Key", Loose, false),
            (Token, "xmlSecKeysMngrGetKey", Loose, false),
            (Token, "f71cbd2463aea1edf2682e8e13d52eb4d5647f7f", Loose, true),
            (Token, "s.FWIZDNHmQ0uSt1OHzFSDJQRu", Loose, true),
            (Token, "addc431b-c127-4a3e-95fa-152ef0c1b89a", Quoted, true),
            (Token, "abc123", Quoted, false),
            (Token, "ledger-db-credentials-2", Quoted, false),
            (Token, "TokenKind::LParen2", Loose, false),
            (Token, "your_github_token_1234", Quoted, false),
            (Token, "example-token-12345", Quoted, false),
            (Token, "Bearer{token1}abcdefXY9", Quoted, false),
            (ApiKey, "zgiBkMmDxQeTbNvYcRwPlKjU", Quoted, true),
            (ApiKey, "thisIsOnlyALongVariableName", Quoted, false),
            (Secret, "OQEGDTlAtIcLYtJg", Assigned, true),
            (Secret, "WzKayRWudTecBcvA", Loose, true),
            (Secret, "Sommer.2025", Quoted, true),
            (Secret, "Chapter-12", Quoted, false),
            (Token, "a8Fk2pQ9", Quoted, true),
            (Password, "my dog has 3 legs", Quoted, true),
            (Password, "tonr irwr rnev dtns", Quoted, true),
            (Password, "Use at least 8 characters", Quoted, false),
            (Password, "my dog has legs", Quoted, false),
            (Phrase, "correct horse battery staple", Quoted, true),
            (Phrase, "Enter the passphrase", Quoted, false),
            (Pin, "7391", Quoted, true),
            (Pin, "7391", Loose, false),
            (Pin, "13", Loose, false),
            (Pin, "0000", Quoted, false),
            (Secret, "QVTPoMjlldpQIyDf", Quoted, true),
            (Secret, "getUserNameById", Quoted, false),
            (Secret, "parseJSONFromURL", Quoted, false),
            (Secret, "XMLHttpRequest", Quoted, false),
            (Secret, "MY_CLIENT_SECRET", Assigned, false),
            (Key, "users/42/profile", Quoted, false),
            (Authorization, "Y2ktcm9ib3Q6TWVhZG93QGdyYW5pdGU4NDk=", Quoted, true),
            (Authorization, "understanding", Quoted, false),
            (
                SeedPhrase,
                "abandon ability able about above absent absorb abstract absurd abuse access acid",
                Loose,
                true,
            ),
            (SeedPhrase, "a short sentence about words", Quoted, false),
        ] {
            assert_eq!(plausible(class, value.as_bytes(), setting), expected, "{class:?} {value} {setting:?}");
        }
    }

    #[test]
    fn what_is_encrypted_is_no_secret() {
        let body = "Bx7+q/Z9".repeat(40);
        assert!(!plausible(Class::Password, format!("AgBh{body}").as_bytes(), Setting::Quoted));
        assert!(plausible(Class::Token, format!("Zz{body}").as_bytes(), Setting::Quoted));
    }

    #[test]
    fn names_with_versions_are_not_said_to_be_passwords() {
        for name in ["TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "Django4.2", "Postgres15", "GitHub2FA"] {
            assert!(!said(name.as_bytes()), "{name}");
        }
        assert!(said(b"Felix_731Cobalt") && said(b"Lum13r3#42guitar"));
    }
}
