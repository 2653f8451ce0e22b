//! Which tools were called: a line a call in `tracevault/mcp.jsonl` of git's folder, on this disk only.
//!
//! What was asked is kept redacted and cut, what was answered not at all but for its size.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::host::{clock, files, output};
use crate::mirror::redacted_again;
use crate::session::turns::shortened_to;

/// When the file is larger, it takes the place of the one before it, and another is begun.
const MAX_BYTES: u64 = 8 << 20;
/// So much of a text that was asked is kept.
const MAX_ASKED: usize = 200;

/// A file of calls.
pub struct Journal {
    path: PathBuf,
}

/// A call that has ended.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    /// The program that called, as it names itself.
    pub client: &'a str,
    /// The tool's name, or the resource's address.
    pub called: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub asked: Map<String, Value>,
    /// `answered`, `refused`, `failed` or `cancelled`.
    pub outcome: &'static str,
    /// How much was answered.
    pub bytes: usize,
    pub milliseconds: u64,
}

impl Journal {
    pub fn at(path: PathBuf) -> Self {
        Journal { path }
    }

    /// Adds a line. What cannot be written is told once per call on standard error, and keeps nobody from being answered.
    pub fn add(&self, mut line: Line<'_>) {
        // There is no folder of ours where there is no ledger.
        if !self.path.parent().is_some_and(Path::is_dir) {
            return;
        }
        line.asked.values_mut().for_each(shorten);
        let client = shortened_to(&redacted_again(line.client), MAX_ASKED);
        let called = shortened_to(&redacted_again(line.called), MAX_ASKED);
        let line = Line { client: &client, called: &called, ..line };
        let Ok(mut text) = serde_json::to_value(&line) else { return };
        text["time"] = clock::now().to_string().into();
        if std::fs::metadata(&self.path).is_ok_and(|meta| meta.len() > MAX_BYTES) {
            drop(std::fs::rename(&self.path, self.path.with_extension("jsonl.old")));
        }
        if let Err(error) = files::append_private(&self.path, format!("{text}\n").as_bytes()) {
            output::say(format_args!("warning: cannot write {}: {error}", self.path.display()));
        }
    }
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => *text = shortened_to(&redacted_again(text), MAX_ASKED),
        Value::Array(items) => {
            items.truncate(50);
            items.iter_mut().for_each(shorten);
        }
        Value::Object(_) => *value = Value::Null,
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn calls_are_kept_without_secrets_and_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mcp.jsonl");
        let secret = format!("{}{}", "ghp_", "a8F3kQ9zL1mX7cV5bN2jH6gD4sP0wRtYuIeO");
        let asked = json!({"error": format!("{secret} {}", "x".repeat(1000)), "paths": ["a", "b"], "line": 3});
        let line = || Line {
            client: "test",
            called: "why",
            asked: asked.as_object().unwrap().clone(),
            outcome: "answered",
            bytes: 7,
            milliseconds: 1,
        };
        Journal::at(path.clone()).add(line());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&secret) && text.len() < 600, "{text}");
        let kept: Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(
            (&kept["called"], &kept["asked"]["paths"][1], &kept["bytes"]),
            (&json!("why"), &json!("b"), &json!(7))
        );
        std::fs::write(&path, vec![b'x'; MAX_BYTES as usize + 1]).unwrap();
        Journal::at(path.clone()).add(line());
        assert!(std::fs::metadata(&path).unwrap().len() < 600);
        assert!(path.with_extension("jsonl.old").is_file());
    }
}
