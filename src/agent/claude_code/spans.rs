//! JSON with the place of every value in its text, so that a change can be made without touching the rest.

use std::ops::Range;

/// A value and where it stands.
pub struct Node {
    pub span: Range<usize>,
    pub kind: Kind,
}

pub enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Text(String),
    Other,
}

/// A key and its value.
pub struct Member {
    pub key: String,
    /// From the key's first byte to the value's last.
    pub span: Range<usize>,
    pub value: Node,
}

impl Node {
    pub fn members(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Object(members) => Some(members),
            _ => None,
        }
    }

    pub fn elements(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Array(elements) => Some(elements),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The member of that name; the last one where there are several, as everybody reads it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.members()?.iter().rfind(|member| member.key == key).map(|member| &member.value)
    }
}

/// Reads JSON; what is not (also comments, and nesting beyond 127) is refused with line and column.
pub fn parse(text: &str) -> Result<Node, serde_json::Error> {
    serde_json::from_str::<serde_json::Value>(text)?;
    Ok(Reader { text, at: 0 }.value())
}

/// Walks over text that is known to be JSON, of a depth that recursion can bear.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    /// The next byte that is no white space, without taking it.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.text.as_bytes().get(self.at).copied()
    }

    fn value(&mut self) -> Node {
        let first = self.peek();
        let start = self.at;
        let kind = match first {
            Some(b'{') => Kind::Object(self.list(b'}', Reader::member)),
            Some(b'[') => Kind::Array(self.list(b']', Reader::value)),
            Some(b'"') => Kind::Text(self.string()),
            _ => {
                let rest = &self.text.as_bytes()[self.at..];
                self.at +=
                    rest.iter().take_while(|b| !matches!(b, b',' | b']' | b'}') && !b.is_ascii_whitespace()).count();
                Kind::Other
            }
        };
        Node { span: start..self.at, kind }
    }

    fn list<T>(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut items = Vec::new();
        self.at += 1;
        while let Some(next) = self.peek() {
            if next == close {
                self.at += 1;
                break;
            }
            if next == b',' {
                self.at += 1;
                continue;
            }
            items.push(item(self));
        }
        items
    }

    fn member(&mut self) -> Member {
        let start = self.at;
        let key = self.string();
        if self.peek() == Some(b':') {
            self.at += 1;
        }
        let value = self.value();
        Member { key, span: start..self.at, value }
    }

    fn string(&mut self) -> String {
        let start = self.at;
        let mut escaped = false;
        let rest = self.text.as_bytes().iter().skip(start + 1);
        let inside = rest.take_while(|byte| {
            let end = **byte == b'"' && !escaped;
            escaped = **byte == b'\\' && !escaped;
            !end
        });
        self.at = (start + 2 + inside.count()).min(self.text.len());
        self.text.get(start..self.at).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_place() {
        let text = "\n{ \"a\\\"b\" : [1, \"\\\\\",{} , true] ,\"ü\":\"ä\\u00e4\" }\n";
        let root = parse(text).unwrap();
        let members = root.members().unwrap();
        let shown: Vec<_> = members.iter().map(|m| (m.key.as_str(), &text[m.span.clone()])).collect();
        assert_eq!(
            shown,
            [("a\"b", "\"a\\\"b\" : [1, \"\\\\\",{} , true]"), ("ü", "\"ü\":\"ä\\u00e4\"")],
            "keys are decoded, spans are as written"
        );
        assert_eq!(root.get("ü").and_then(Node::text), Some("ää"));
        let elements: Vec<_> =
            root.get("a\"b").unwrap().elements().unwrap().iter().map(|e| &text[e.span.clone()]).collect();
        assert_eq!(elements, ["1", "\"\\\\\"", "{}", "true"]);
    }

    #[test]
    fn what_is_not_json_or_too_deep_is_refused() {
        for bad in ["", "{", "{} x", "// c\n{}", "{\"a\":1,}", &"[".repeat(100_000), "\u{feff}{}"] {
            assert!(parse(bad).is_err(), "{}", &bad[..bad.len().min(20)]);
        }
    }
}
