//! Frames: what is known of a JSON document while its strings are searched.

use super::json::Token;
use super::jwk;
use super::names::Class;
use super::span::Span;

/// What is known of the object or array that a string stands in.
pub(super) struct Frame {
    /// What the current member's name says of its value.
    pub name: Option<Class>,
    /// Whether the current member names its sibling `value`, and what it said.
    pub names_sibling: bool,
    pub sibling: Option<Class>,
    /// What the name of the object itself said: `"admin_password": {"type": …, "value": …}`.
    outer: Option<Class>,
    /// Whether a member says that something here or below is a generated password.
    pub generated: bool,
    is_type: bool,
    /// The bytes of an array that holds nothing else.
    pub numbers: Numbers,
    /// Whether it was the label of a form's field, whose text is what is typed there.
    is_field: bool,
    pub signature: bool,
    /// The strings of an array, as long as it holds no array and no object.
    pub lines: Vec<(usize, usize)>,
    pub only_lines: bool,
    /// Whether the object is a JSON Web Key, and those of its members that would then be secret.
    pub is_jwk: bool,
    pub is_jwk_member: bool,
    pub jwk_members: Vec<(usize, usize)>,
}

impl Frame {
    pub fn new(name: Option<Class>, generated: bool) -> Self {
        Frame {
            name,
            outer: name,
            generated,
            is_type: false,
            numbers: Numbers::default(),
            names_sibling: false,
            sibling: None,
            is_field: false,
            signature: false,
            lines: Vec::new(),
            only_lines: true,
            is_jwk: false,
            is_jwk_member: false,
            jwk_members: Vec::new(),
        }
    }

    pub fn key(&mut self, key: &[u8], class: Option<Class>) {
        self.only_lines = false;
        self.numbers.stop();
        let is = |names: &[&str]| names.iter().any(|n| key.eq_ignore_ascii_case(n.as_bytes()));
        self.names_sibling =
            is(&["name", "key", "variable", "parameter", "parameterkey", "field", "header", "id", "k", "element"]);
        self.is_field |= key == b"element";
        self.signature = key == b"signature";
        self.is_type = key == b"type";
        self.is_jwk |= key == b"kty";
        self.is_jwk_member = jwk::is_private(key);
        self.name = if is(&["value", "val", "content", "default", "parametervalue", "v", "secretstring"])
            || (self.is_field && key == b"text")
        {
            self.sibling.or(self.outer)
        } else if class.is_none() && is(FORMS) {
            self.outer
        } else if self.generated && key == b"result" {
            Some(Class::Password)
        } else {
            class
        };
    }

    /// What a string tells of its siblings.
    pub fn tells(&mut self, raw: &[u8]) {
        self.generated |= self.is_type && raw == b"random_password";
    }
}

/// The numbers of an array, as long as all of them are bytes.
#[derive(Default)]
pub(super) struct Numbers {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    others: bool,
}

impl Numbers {
    pub fn add(&mut self, bytes: &[u8], start: usize, end: usize) {
        if self.others {
            return;
        }
        match std::str::from_utf8(&bytes[start..end]).ok().and_then(|number| number.parse().ok()) {
            Some(byte) => {
                self.start = if self.bytes.is_empty() { start } else { self.start };
                self.end = end;
                self.bytes.push(byte);
            }
            None => self.stop(),
        }
    }

    /// There is something else in the array.
    pub fn stop(&mut self) {
        self.others = true;
        self.bytes = Vec::new();
    }

    /// Where they begin and end, and what they are; not of fewer than eight.
    pub fn take(self) -> Option<(usize, usize, Vec<u8>)> {
        (self.bytes.len() >= 8).then_some((self.start, self.end, self.bytes))
    }
}

/// The text that a line of a log or a stream gives, where its lines are documents: what is cut into several is in it. Tells
/// too whether the next one goes on at once.
pub(super) fn said(bytes: &[u8], tokens: &[Token]) -> Option<((usize, usize), bool)> {
    const LINES: &[&[u8]] = &[b"log", b"message", b"msg", b"line", b"MESSAGE", b"textPayload", b"Output"];
    const PIECES: &[&[u8]] = &[b"text", b"delta", b"content", b"partial_json", b"arguments", b"data", b"chunk"];
    tokens.windows(2).find_map(|pair| match *pair {
        [Token::Key(start, end), Token::Str(from, to)] => {
            let key = &bytes[start..end];
            (LINES.contains(&key) || PIECES.contains(&key)).then_some(((from, to), PIECES.contains(&key)))
        }
        _ => None,
    })
}

/// Names of members that hold what the object is called for: in DynamoDB, in XML made JSON, in each stage.
#[rustfmt::skip]
const FORMS: &[&str] = &[
    "S", "stringValue", "plaintext", "string", "#text", "_", "raw", "current", "prod", "production", "staging", "dev", "previous",
];

/// The label of a form's field without the word that says that it is one: `Password field`.
pub(super) fn label(name: &[u8]) -> &[u8] {
    const FIELDS: &[&[u8]] = &[b" field", b" input", b" textbox", b" text field", b" input field", b" box"];
    FIELDS.iter().rev().find_map(|field| name.strip_suffix(*field)).unwrap_or(name)
}

/// The long strings of a document that were searched: tools' results stand in a line twice.
#[derive(Default)]
pub(super) struct Searched(Vec<Found>);

struct Found {
    string: (usize, usize),
    name: Option<Class>,
    spans: Vec<Span>,
}

impl Searched {
    const MIN_BYTES: usize = 256;
    const MAX_STRINGS: usize = 32;

    pub fn keep(&mut self, string: (usize, usize), name: Option<Class>, spans: &[Span]) {
        if string.1 - string.0 >= Self::MIN_BYTES && self.0.len() < Self::MAX_STRINGS {
            self.0.push(Found { string, name, spans: spans.to_vec() });
        }
    }

    /// Adds what was found in the same string before, if it was searched.
    pub fn copy(&self, bytes: &[u8], (start, end): (usize, usize), name: Option<Class>, spans: &mut Vec<Span>) -> bool {
        let same = |found: &&Found| {
            let (from, to) = found.string;
            to - from == end - start && found.name == name && bytes[from..to] == bytes[start..end]
        };
        let Some(found) = self.0.iter().find(same) else { return false };
        let moved = |span: &Span| Span {
            start: span.start - found.string.0 + start,
            end: span.end - found.string.0 + start,
            ..*span
        };
        spans.extend(found.spans.iter().map(moved));
        true
    }
}
