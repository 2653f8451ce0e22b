//! One hook payload of Claude Code: the JSON that it writes to a hook's standard input.
//!
//! The agent waits while this runs, so it scans the payload once, looks at a dozen fields and copies it once.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use crate::agent::{Heard, json};
use crate::id::{CallId, SessionId};
use crate::session::event::{AgentEvent, EventKind, Gap, GapKind, Reach, ToolCall};
use crate::session::shell;

/// A payload larger than this is not kept as it came.
const MAX_RAW: usize = 8 << 20;

/// Names and paths longer than this are cut or left out: nothing sensible is.
const MAX_TEXT: usize = 4096;

json::fields_struct! {
    /// The fields of a payload that we look at.
    struct Fields {
        session: "session_id",
        name: "hook_event_name",
        cwd: "cwd",
        transcript: "transcript_path",
        own_transcript: "agent_transcript_path",
        agent_id: "agent_id",
        tool: "tool_name",
        call: "tool_use_id",
        input: "tool_input",
        response: "tool_response",
    }
}

/// Understands one payload. Whatever it holds, there is an event; what it does not tell is a gap.
pub fn event(payload: &[u8], at: i64) -> Heard {
    let payload = payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload);
    let text = String::from_utf8_lossy(payload);
    let (fields, whole) = Fields::of(&text);

    let mut gaps = Vec::new();
    if !whole || matches!(text, Cow::Owned(_)) {
        gaps.push(Gap { kind: GapKind::PayloadInvalid, count: 1 });
    }
    if payload.len() > MAX_RAW {
        gaps.push(Gap { kind: GapKind::PayloadOversize, count: payload.len() as u64 });
    }
    let raw = if whole && payload.len() <= MAX_RAW { one_line(&text) } else { None };

    let name = short(fields.name).unwrap_or_default();
    let cwd = short(fields.cwd);
    let call = short(fields.tool).map(|tool| ToolCall {
        id: CallId::from_agent(&json::text(fields.call).unwrap_or_default()),
        reach: reach(&tool, fields.input),
        tool,
    });
    let paths = match &call {
        Some(call) if call.reach != Reach::None => named_paths(fields.input, cwd.as_deref()),
        _ => Vec::new(),
    };
    let event = AgentEvent {
        at,
        agent: super::NAME.to_owned(),
        session: SessionId::from_agent(&json::text(fields.session).unwrap_or_default()),
        kind: kind(&name),
        name,
        cwd,
        work_tree: None,
        // Whatever else a payload may name is no transcript, and stays where it is.
        transcript: short(fields.own_transcript.or(fields.transcript)).filter(|path| path.ends_with(".jsonl")),
        subagent: short(fields.agent_id),
        call,
        before: Vec::new(),
        files: Vec::new(),
        gaps,
        raw,
    };
    // Between the event before a call and the call itself a person may be asked, and may write meanwhile.
    let original = match &event.call {
        Some(call) if event.kind == EventKind::ToolAfter && call.reach == Reach::Named => original(fields.response),
        _ => None,
    };
    Heard { event, paths, original }
}

/// How a call reaches files, as far as its tool and its input tell.
fn reach(tool: &str, input: Option<&RawValue>) -> Reach {
    let [command] = json::pick(input, ["command"]);
    match (super::reach(tool), json::text(command).map(|command| shell::reach(&command))) {
        (Reach::Any, Some(Reach::Brings)) => Reach::Brings,
        // What other tools call a command may be another thing.
        (Reach::Any, Some(Reach::None)) if tool == "Bash" => Reach::None,
        (reach, _) => reach,
    }
}

/// What an event of this name is. That a subagent stops is no stop of the session.
fn kind(name: &str) -> EventKind {
    match name {
        "SessionStart" => EventKind::Start,
        "UserPromptSubmit" => EventKind::Prompt,
        "PreToolUse" => EventKind::ToolBefore,
        "PostToolUse" => EventKind::ToolAfter,
        "PostToolUseFailure" => EventKind::ToolFailed,
        "Stop" | "StopFailure" => EventKind::Stop,
        "SessionEnd" => EventKind::End,
        _ => EventKind::Other,
    }
}

/// The text of a string that is not empty and not absurdly long.
fn short(json: Option<&RawValue>) -> Option<String> {
    json::text(json).filter(|text| !text.is_empty() && text.len() <= MAX_TEXT).map(Cow::into_owned)
}

/// The files that a tool's input names, absolute: the agent writes absolute paths, but a model may ask for others.
fn named_paths(input: Option<&RawValue>, cwd: Option<&str>) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for named in json::pick(input, ["file_path", "notebook_path"]) {
        let Some(named) = short(named) else { continue };
        let path = Path::new(cwd.unwrap_or_default()).join(named);
        if path.is_absolute() && !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// The text of the file that a call changed, as its tool found it. The tool replaces what is not UTF-8, and then does not say
/// what was there.
fn original(response: Option<&RawValue>) -> Option<String> {
    let [original, notebook] = json::pick(response, ["originalFile", "original_file"]);
    let text = json::text(original.or(notebook))?;
    (!text.contains(char::REPLACEMENT_CHARACTER)).then(|| text.into_owned())
}

/// The payload as one line of JSON. A line break in well-formed JSON can only be white space between values.
fn one_line(text: &str) -> Option<Box<RawValue>> {
    let text = text.trim();
    let line = if text.contains(['\n', '\r']) { text.replace(['\n', '\r'], " ") } else { text.to_owned() };
    RawValue::from_string(line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heard(payload: &str) -> Heard {
        event(payload.as_bytes(), 7)
    }

    fn gap_kinds(heard: &Heard) -> Vec<GapKind> {
        heard.event.gaps.iter().map(|gap| gap.kind).collect()
    }

    #[test]
    fn an_edit_names_its_file() {
        let payload = r#"{"session_id":"s-1","transcript_path":"/t/s-1.jsonl","cwd":"/r","hook_event_name":"PreToolUse",
            "tool_name":"Edit","tool_input":{"old_string":"\"file_path\":\"/no\"","file_path":"/r/a.rs"},
            "tool_use_id":"toolu_1","some_day":{"new":[1]}}"#;
        let Heard { event, paths, .. } = heard(payload);
        assert_eq!((event.at, event.agent.as_str(), event.session.as_str()), (7, "claude-code", "s-1"));
        assert_eq!((event.kind, event.name.as_str()), (EventKind::ToolBefore, "PreToolUse"));
        assert_eq!((event.cwd.as_deref(), event.transcript.as_deref()), (Some("/r"), Some("/t/s-1.jsonl")));
        let call = event.call.unwrap();
        assert_eq!((call.id.as_str(), call.tool.as_str(), call.reach), ("toolu_1", "Edit", Reach::Named));
        assert_eq!(paths, [PathBuf::from("/r/a.rs")]);
        assert!(event.gaps.is_empty());
        let raw = event.raw.unwrap();
        assert!(raw.get().contains("some_day") && !raw.get().contains('\n'), "kept whole, on one line");
    }

    #[test]
    fn paths_are_absolute_and_only_of_tools_that_may_write() {
        let paths = |tool: &str, input: &str| {
            heard(&format!(r#"{{"cwd":"/r","tool_name":"{tool}","tool_input":{input}}}"#)).paths
        };
        assert_eq!(paths("Write", r#"{"file_path":"x/y"}"#), [PathBuf::from("/r/x/y")]);
        assert_eq!(paths("NotebookEdit", r#"{"notebook_path":"/n.ipynb"}"#), [PathBuf::from("/n.ipynb")]);
        assert_eq!(paths("Brand", r#"{"file_path":"/x","notebook_path":"/x"}"#), [PathBuf::from("/x")]);
        assert!(paths("Read", r#"{"file_path":"/x"}"#).is_empty());
        for odd in [r#"{"file_path":5}"#, "[]", "null", r#""/x""#, r#"{"file_path":""}"#] {
            assert!(paths("Write", odd).is_empty(), "{odd}");
        }
        assert!(heard(r#"{"tool_name":"Write","tool_input":{"file_path":"x"}}"#).paths.is_empty(), "no cwd");
    }

    #[test]
    fn what_a_tool_found_is_told_after_it() {
        let original = |name: &str, tool: &str, response: &str| {
            let call = format!(r#""hook_event_name":"{name}","tool_name":"{tool}","tool_input":{{"file_path":"/x"}}"#);
            heard(&format!(r#"{{{call},"tool_response":{response}}}"#)).original
        };
        let edited = r#"{"filePath":"/x","originalFile":"a\nb"}"#;
        assert_eq!(original("PostToolUse", "Edit", edited).as_deref(), Some("a\nb"));
        assert_eq!(original("PostToolUse", "NotebookEdit", r#"{"original_file":"{}"}"#).as_deref(), Some("{}"));
        assert_eq!(original("PreToolUse", "Edit", edited), None);
        assert_eq!(original("PostToolUse", "Read", edited), None);
        for odd in [r#"{"originalFile":null}"#, r#"{"originalFile":5}"#, "[]", "null", r#"{"originalFile":"\ufffd"}"#] {
            assert_eq!(original("PostToolUse", "Write", odd), None, "{odd}");
        }
    }

    #[test]
    fn events_have_their_kinds() {
        for (name, expected) in [
            ("SessionStart", EventKind::Start),
            ("UserPromptSubmit", EventKind::Prompt),
            ("PostToolUse", EventKind::ToolAfter),
            ("PostToolUseFailure", EventKind::ToolFailed),
            ("PostToolBatch", EventKind::Other),
            ("Stop", EventKind::Stop),
            ("SubagentStop", EventKind::Other),
            ("SessionEnd", EventKind::End),
            ("SomethingNew", EventKind::Other),
        ] {
            let event = heard(&format!(r#"{{"session_id":"s","hook_event_name":"{name}"}}"#)).event;
            assert_eq!((event.kind, event.name.as_str()), (expected, name));
            assert!(event.raw.is_some() && event.gaps.is_empty());
        }
    }

    #[test]
    fn a_subagents_stop_names_its_own_transcript() {
        let event = heard(
            r#"{"session_id":"s","transcript_path":"/m","agent_id":"a1","agent_transcript_path":"/m/a1.jsonl",
                "hook_event_name":"SubagentStop"}"#,
        )
        .event;
        assert_eq!((event.subagent.as_deref(), event.transcript.as_deref()), (Some("a1"), Some("/m/a1.jsonl")));
    }

    #[test]
    fn what_is_no_object_is_a_gap() {
        for payload in ["", "null", "[]", "hello", "{", r#""x""#, r#"{"a":1} {"#] {
            let heard = heard(payload);
            assert_eq!(gap_kinds(&heard), [GapKind::PayloadInvalid], "{payload}");
            assert!(heard.event.raw.is_none());
            assert_eq!(heard.event.kind, EventKind::Other);
            assert!(heard.event.session.as_str().starts_with("x-"), "{payload}");
        }
        let cut = heard(r#"{"session_id":"s-1","hook_event_name":"Stop","last"#);
        assert_eq!((cut.event.session.as_str(), cut.event.kind), ("s-1", EventKind::Stop), "as far as it goes");
        let latin = event(b"{\"session_id\":\"s\",\"cwd\":\"/caf\xe9\"}", 0);
        assert_eq!((latin.event.session.as_str(), gap_kinds(&latin)), ("s", vec![GapKind::PayloadInvalid]));
    }

    #[test]
    fn hostile_values_do_no_harm() {
        let odd =
            heard(r#"{"session_id":"../../x","cwd":5,"hook_event_name":["Stop"],"tool_name":{},"agent_id":null}"#);
        assert!(odd.event.session.as_str().starts_with("x-"));
        assert_eq!((odd.event.kind, odd.event.cwd, odd.event.call), (EventKind::Other, None, None));
    }

    #[test]
    fn a_large_payload_is_not_kept_but_understood() {
        let content = "x".repeat(MAX_RAW);
        let payload = format!(
            r#"{{"session_id":"s","tool_name":"Write","tool_input":{{"content":"{content}","file_path":"/f"}},"tool_use_id":"t"}}"#
        );
        let heard = heard(&payload);
        assert_eq!(heard.event.gaps, [Gap { kind: GapKind::PayloadOversize, count: payload.len() as u64 }]);
        assert!(heard.event.raw.is_none());
        assert_eq!(heard.event.call.unwrap().id.as_str(), "t");
        assert_eq!(heard.paths, [PathBuf::from("/f")]);
    }

    proptest! {
        #[test]
        fn any_bytes_make_an_event_that_is_one_line(payload: Vec<u8>) {
            let event = event(&payload, 0).event;
            prop_assert!(!serde_json::to_string(&event).unwrap().contains('\n'));
        }

        #[test]
        fn any_object_survives_the_journal(name in "\\PC*", tool in "\\PC*", space in "[ \n\r\t]*") {
            let value = serde_json::json!({"session_id": name, "hook_event_name": name, "tool_name": tool});
            let text = format!("{space}{}{space}", serde_json::to_string_pretty(&value).unwrap());
            let event = event(text.as_bytes(), 0).event;
            let line = serde_json::to_string(&event).unwrap();
            prop_assert!(!line.contains('\n'));
            let back: AgentEvent = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(back.session, event.session);
            let kept: serde_json::Value = serde_json::from_str(back.raw.unwrap().get()).unwrap();
            prop_assert_eq!(kept, value);
        }
    }
}
