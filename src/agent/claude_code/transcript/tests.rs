//! Tests of how transcript lines are read, on lines of our own.

use super::*;
use crate::session::event::Reach;
use proptest::prelude::*;

fn entries(json: &str) -> Vec<Entry> {
    let line = line(json.as_bytes());
    assert!(line.gaps.is_empty(), "{json}");
    line.entries
}

fn tokens(input: u64, output: u64, cache_read: u64, cache_write_5m: u64, cache_write_1h: u64) -> Tokens {
    Tokens { input, output, cache_read, cache_write_5m, cache_write_1h }
}

#[test]
fn a_message_has_its_tokens() {
    let read = |usage: &str| {
        let json = format!(r#"{{"type":"assistant","message":{{"id":"msg_1","model":"m","usage":{usage}}}}}"#);
        match entries(&json).remove(0) {
            Entry::Message(message) => message.tokens,
            other => panic!("{other:?}"),
        }
    };
    let split = r#""cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":5}"#;
    for (usage, expected) in [
        (
            &*format!(
                r#"{{"input_tokens":1,"output_tokens":2,"cache_read_input_tokens":3,"cache_creation_input_tokens":9,{split}}}"#
            ),
            tokens(1, 2, 3, 4, 5),
        ),
        (r#"{"input_tokens":1,"cache_creation_input_tokens":9}"#, tokens(1, 0, 0, 9, 0)),
        (&format!(r#"{{"cache_creation_input_tokens":11,{split}}}"#), tokens(0, 0, 0, 6, 5)),
        (&format!("{{{split}}}"), tokens(0, 0, 0, 4, 5)),
        (r#"{"input_tokens":"1","output_tokens":-2,"cache_creation":[]}"#, tokens(0, 0, 0, 0, 0)),
        ("null", tokens(0, 0, 0, 0, 0)),
    ] {
        assert_eq!(read(usage), expected, "{usage}");
    }
}

#[test]
fn an_answer_holds_what_the_model_asks_for() {
    let json = r#"{"type":"assistant","uuid":"u","timestamp":"2026-01-02T03:04:05.678Z","version":"9.9","agentId":"a1",
        "message":{"id":"msg_1","model":"m","content":[
            {"type":"thinking","thinking":"hm"},{"type":"text","text":"ok"},
            {"type":"tool_use","id":"t1","name":"Bash","input":{"command":"cd x && cargo test | tee log"}},
            {"type":"tool_use","id":"t2","name":"mcp__files__list__all","input":{}},
            {"type":"tool_use","id":"t3","name":"Skill","input":{"skill":"fmt"}},
            {"type":"tool_use","id":"t4","name":"ExitPlanMode","input":{"plan":"p"}},
            {"type":"tool_use","name":"Bash"}, 7, {"type":"tool_use","id":5}]}}"#
        .replace('\n', " ");
    let line = line(json.as_bytes());
    assert_eq!(line.at, Some(1_767_323_045_678));
    assert_eq!((line.version.as_deref(), line.subagent.as_deref()), (Some("9.9"), Some("a1")));
    let calls: Vec<&ToolUse> =
        line.entries.iter().filter_map(|e| if let Entry::ToolUse(tool) = e { Some(tool) } else { None }).collect();
    assert_eq!(line.entries.len(), 2 + calls.len());
    assert!(matches!(&line.entries[..2], [Entry::Message(m), Entry::Reasoning] if m.id == "msg_1"));
    assert_eq!((&calls[0].programs[..], calls[0].reach), (&["cargo".to_owned(), "tee".to_owned()][..], Reach::Any));
    assert_eq!((calls[1].mcp_server.as_deref(), calls[1].reach), (Some("files"), Reach::Any));
    assert_eq!(calls[2].skill.as_deref(), Some("fmt"));
    assert!(calls[3].plan && calls.len() == 4 && calls[..3].iter().all(|call| !call.plan));
}

#[test]
fn what_the_agent_says_in_a_models_place_is_no_message() {
    let json = r#"{"type":"assistant","uuid":"u","message":{"id":"x","model":"<synthetic>","usage":{"input_tokens":1},
        "content":[{"type":"text","text":"API Error"}]}}"#;
    assert_eq!(entries(json), []);
}

#[test]
fn prompts_are_told_from_what_the_agent_puts_there() {
    let read = |content: &str, more: &str| {
        let json = format!(r#"{{"type":"user","uuid":"u","message":{{"role":"user","content":{content}}}{more}}}"#);
        entries(&json).first().map(|entry| match entry {
            Entry::Prompt(prompt) => prompt.human,
            other => panic!("{other:?}"),
        })
    };
    let task = r#""<task-notification>\n<task-id>1""#;
    for (content, more, expected) in [
        (r#""do it""#, "", Some(true)),
        (r#"[{"type":"text","text":"do it"},{"type":"image","source":{}}]"#, "", Some(true)),
        (r#"[{"type":"image","source":{}}]"#, "", Some(true)),
        (r#""<command-message>go</command-message>\n<command-name>/go</command-name>""#, "", Some(true)),
        (r#""do it""#, r#","origin":{"kind":"human"},"promptSource":"typed""#, Some(true)),
        (task, "", Some(false)),
        (r#""done""#, r#","origin":{"kind":"task-notification"}"#, Some(false)),
        (r#""done""#, r#","promptSource":"system""#, Some(false)),
        (r#""do it""#, r#","isMeta":true"#, None),
        (r#""do it""#, r#","isSidechain":true"#, None),
        (r#""do it""#, r#","agentId":"a1""#, None),
        (r#""so far""#, r#","isCompactSummary":true"#, None),
        (r#""<command-name>/clear</command-name>""#, "", None),
        (r#""<local-command-stdout>x</local-command-stdout>""#, "", None),
        (r#""<bash-input>ls</bash-input>""#, "", None),
        (r#"[{"type":"text","text":"[Request interrupted by user for tool use]"}]"#, "", None),
        ("null", "", None),
        ("[]", "", None),
    ] {
        assert_eq!(read(content, more), expected, "{content} {more}");
    }
    let queued = |mode: &str| {
        entries(&format!(
            r#"{{"type":"attachment","uuid":"u","attachment":{{"type":"queued_command","prompt":"p","commandMode":"{mode}"}}}}"#
        ))
    };
    assert_eq!(queued("prompt"), [Entry::Prompt(Prompt { id: "u".into(), human: true })]);
    assert_eq!(queued("task-notification"), []);
}

#[test]
fn results_have_outcomes() {
    let read = |block: &str, more: &str| {
        let json = format!(
            r#"{{"type":"user","uuid":"u","message":{{"content":[{{"type":"tool_result","tool_use_id":"t1",{block}}}]}}{more}}}"#
        );
        match entries(&json).as_slice() {
            [Entry::ToolResult(result)] if result.call.as_str() == "t1" => result.outcome,
            other => panic!("{other:?}"),
        }
    };
    let refused = r#""content":"The user doesn't want to proceed with this tool use.","is_error":true"#;
    for (block, more, expected) in [
        (r#""content":"ok""#, "", Outcome::Ok),
        (r#""content":"ok","is_error":false"#, r#","toolUseResult":{"interrupted":true}"#, Outcome::Interrupted),
        (r#""content":"Exit code 1","is_error":true"#, r#","toolUseResult":"Error: 1""#, Outcome::Failed),
        (r#""content":[{"type":"text","text":"Exit code 1"}],"is_error":true"#, "", Outcome::Failed),
        (refused, "", Outcome::Rejected),
        (refused, r#","toolDenialKind":"user-rejected","toolDenialBeforeRun":true"#, Outcome::Rejected),
        (refused, r#","toolDenialKind":"user-rejected""#, Outcome::Interrupted),
        (r#""content":"no","is_error":true"#, r#","toolDenialKind":"permission-rule""#, Outcome::Denied),
        (r#""content":"Permission to use Bash has been denied.","is_error":true"#, "", Outcome::Denied),
    ] {
        assert_eq!(read(block, more), expected, "{block} {more}");
    }
}

#[test]
fn edits_have_lines() {
    let read = |result: &str| {
        let json = format!(
            r#"{{"type":"user","cwd":"/r","message":{{"content":[{{"type":"tool_result","tool_use_id":"t1"}}]}},"toolUseResult":{result}}}"#
        );
        match entries(&json).as_slice() {
            [Entry::ToolResult(result)] => result.files.clone(),
            other => panic!("{other:?}"),
        }
    };
    let file = |path: &str, added, removed| vec![FileChange { path: path.into(), added, removed }];
    let patch = r#"[{"lines":[" a","-b","+c","+d"]},{"lines":["+","\\ No newline at end of file"]},{}]"#;
    for (result, expected) in [
        (&*format!(r#"{{"filePath":"/r/x","structuredPatch":{patch},"originalFile":null}}"#), file("/r/x", 3, 1)),
        (r#"{"type":"create","filePath":"y","structuredPatch":[],"content":"a\nb\n"}"#, file("/r/y", 2, 0)),
        (
            r#"{"type":"update","filePath":"/r/y","structuredPatch":[],"content":"a\n","originalFile":null}"#,
            file("/r/y", 0, 0),
        ),
        (
            r#"{"type":"update","filePath":"/r/y","structuredPatch":[],"content":"a\nb","originalFile":"b"}"#,
            file("/r/y", 1, 0),
        ),
        (r#"{"notebook_path":"/r/n","original_file":"1\n2\n","updated_file":"1\n3\n4\n"}"#, file("/r/n", 2, 1)),
        (r#"{"type":"text","file":{"filePath":"/r/x","content":"a"}}"#, vec![]),
        (r#"{"filePath":"/r/x","content":"a"}"#, vec![]),
        (r#""/r/x""#, vec![]),
        ("[1]", vec![]),
    ] {
        assert_eq!(read(result), expected, "{result}");
    }
}

#[test]
fn totals_and_compactions_are_told() {
    let json = r#"{"type":"cost-state","modelUsage":{
        "m[1m]":{"inputTokens":1,"outputTokens":2,"cacheReadInputTokens":3,"cacheCreationInputTokens":9,
            "cacheCreationEphemeral5mInputTokens":4,"cacheCreationEphemeral1hInputTokens":5},
        "m":{"inputTokens":10},"n":{"cacheCreationInputTokens":7},"o":null}}"#;
    let expected = [
        ("m".to_owned(), tokens(11, 2, 3, 4, 5)),
        ("n".to_owned(), tokens(0, 0, 0, 7, 0)),
        ("o".to_owned(), Tokens::default()),
    ];
    assert_eq!(entries(json), [Entry::Totals(expected.into())]);
    let compacted = r#"{"type":"system","subtype":"compact_boundary","uuid":"u"}"#;
    assert_eq!(entries(compacted), [Entry::Compaction { id: "u".into() }]);
    assert_eq!(entries(r#"{"type":"system","subtype":"other","uuid":"u"}"#), []);
}

#[test]
fn lines_that_are_no_objects_are_gaps() {
    for text in ["[]", "{", "x", "{\"type\":\"user\"} {}", "null"] {
        assert_eq!(line(text.as_bytes()).gaps, [Gap { kind: GapKind::LineInvalid, count: 1 }], "{text}");
    }
    assert_eq!(line(b"{\"type\":\"\xff\"}").gaps.len(), 1);
    for text in ["", "\n", " \r\n"] {
        assert_eq!(line(text.as_bytes()), Line::default());
    }
}

/// JSON of the kinds of values and keys that lines have, in the wrong places too.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![
        "\\PC{0,8}",
        prop::sample::select(vec![
            "assistant",
            "user",
            "system",
            "attachment",
            "cost-state",
            "tool_use",
            "tool_result",
            "text",
            "create",
            "Bash",
            "Edit",
            "compact_boundary",
            "2026-01-01T00:00:00Z",
            "/r/x",
            "queued_command",
            "prompt",
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<bool>().prop_map(Into::into),
        text.prop_map(Into::into),
        Just(serde_json::Value::Null),
    ];
    let key = prop::sample::select(vec![
        "type",
        "subtype",
        "uuid",
        "timestamp",
        "message",
        "content",
        "id",
        "model",
        "usage",
        "input_tokens",
        "cache_creation",
        "ephemeral_1h_input_tokens",
        "name",
        "input",
        "command",
        "toolUseResult",
        "filePath",
        "structuredPatch",
        "lines",
        "tool_use_id",
        "is_error",
        "modelUsage",
        "attachment",
        "commandMode",
        "text",
    ]);
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((key.clone(), inner), 0..8).prop_map(|pairs| pairs
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
        line(&bytes);
    }

    #[test]
    fn any_json_is_read_and_counted_without_harm(values in prop::collection::vec(any_json(), 0..20), ended: bool) {
        use crate::session::tally::{Tally, TallyState};
        let roots = ["/r".to_owned()];
        let mut tally = Tally::new(TallyState::default(), &roots, &|id| id % 2 == 0);
        for value in values {
            let line = line(value.to_string().as_bytes());
            prop_assert!(line.entries.iter().filter_map(Entry::id).count() <= 1);
            tally.add(&line);
        }
        tally.finish(ended);
    }
}
