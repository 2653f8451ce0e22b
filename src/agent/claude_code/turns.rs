//! One line of a Claude Code transcript as people read it: prompts, thoughts, answers, calls, results, diffs.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::transcript::{self, Fields};
use crate::agent::json;
use crate::id::CallId;
use crate::session::entry::Outcome;
use crate::session::event::{AgentEvent, EventKind, ToolCall};
use crate::session::turns::{Asked, Call, CallResult, FileDiff, MAX_TEXT, Piece, Shown, Step, hunk, shortened};

/// What one line shows; nothing where it is no JSON object or not for people.
pub fn shown(bytes: &[u8]) -> Shown {
    let text = String::from_utf8_lossy(bytes);
    let (fields, _) = Fields::of(&text);
    let at = json::text(fields.timestamp).as_deref().and_then(transcript::millis);
    let id = json::text(fields.uuid).map(Cow::into_owned);
    let mut shown = Shown { at, id, ..Shown::default() };
    match json::text(fields.kind).as_deref() {
        Some("assistant") => assistant(&fields, &mut shown.pieces),
        Some("user") => user(&fields, &mut shown.pieces),
        Some("attachment") => shown.pieces.extend(queued_prompt(&fields)),
        _ => {}
    }
    shown
}

/// What one event shows, redacted or not: it tells less than the transcript, but the prompts and calls.
pub fn shown_event(event: &AgentEvent) -> Shown {
    let [prompt, input, response, error] =
        json::pick(event.raw.as_deref(), ["prompt", "tool_input", "tool_response", "error"]);
    let result = |call: &ToolCall, outcome| {
        let said = error.or(response);
        let text = short(said).or_else(|| said.map(|said| shortened(said.get()))).unwrap_or_default();
        let diffs = if outcome == Outcome::Ok { diffs(response) } else { Vec::new() };
        Piece::Result(CallResult { call: call.id.clone(), outcome, text, diffs, plan: None })
    };
    let piece = match (event.kind, &event.call) {
        (EventKind::Prompt, _) => Some(Piece::Prompt(Asked { text: short(prompt).unwrap_or_default(), human: true })),
        (EventKind::ToolBefore, Some(call)) => Some(Piece::Step(Step::Call(Call {
            id: call.id.clone(),
            tool: call.tool.clone(),
            input: input_summary(&call.tool, input),
            outcome: None,
            result: String::new(),
            diffs: Vec::new(),
        }))),
        (EventKind::ToolAfter, Some(call)) => Some(result(call, Outcome::Ok)),
        (EventKind::ToolFailed, Some(call)) => Some(result(call, Outcome::Failed)),
        _ => None,
    };
    Shown { at: Some(event.at), pieces: piece.into_iter().collect(), ..Shown::default() }
}

fn short(json: Option<&RawValue>) -> Option<String> {
    json::text(json).filter(|text| !text.is_empty()).map(|text| shortened(&text))
}

fn assistant(fields: &Fields<'_>, pieces: &mut Vec<Piece>) {
    let [content, model] = json::pick(fields.message, ["content", "model"]);
    let by_agent = json::is(model, transcript::NO_MODEL);
    json::each(content, |block| {
        let [kind, text, thinking, id, name, input] =
            json::pick(Some(block), ["type", "text", "thinking", "id", "name", "input"]);
        let step = match json::text(kind).as_deref() {
            Some("text") if by_agent => short(text).map(Step::Note),
            Some("text") => short(text).map(Step::Text),
            Some("thinking") => short(thinking).map(Step::Reasoning),
            Some("tool_use") => {
                let tool = short(name).unwrap_or_default();
                let [plan] = json::pick(input, ["plan"]);
                if tool == "ExitPlanMode" {
                    pieces.extend(short(plan).map(|plan| Piece::Step(Step::Plan(plan))));
                }
                Some(Step::Call(Call {
                    id: CallId::from_agent(&json::text(id).unwrap_or_default()),
                    input: input_summary(&tool, input),
                    tool,
                    outcome: None,
                    result: String::new(),
                    diffs: Vec::new(),
                }))
            }
            _ => None,
        };
        pieces.extend(step.map(Piece::Step));
    });
}

/// What a tool is asked, in short: what its users would name the call by, or else all of its input.
fn input_summary(tool: &str, input: Option<&RawValue>) -> String {
    let keys: &[&str] = match tool {
        "Bash" => &["command"],
        "Read" | "Write" | "Edit" | "MultiEdit" => &["file_path"],
        "NotebookEdit" => &["notebook_path", "cell_id"],
        "Grep" | "Glob" => &["pattern", "path"],
        "WebFetch" => &["url"],
        "WebSearch" => &["query"],
        "Agent" | "Task" => &["description", "prompt"],
        "Skill" => &["skill", "args"],
        "ExitPlanMode" => return String::new(),
        _ => &[],
    };
    let known: Vec<String> = keys.iter().filter_map(|key| short(json::pick(input, [*key])[0])).collect();
    let known = known.join(if keys.contains(&"prompt") { ": " } else { " " });
    match input.map(RawValue::get) {
        _ if !known.is_empty() => shortened(&known),
        Some("{}") | None => String::new(),
        Some(raw) => shortened(raw),
    }
}

/// A line in the user's place.
fn user(fields: &Fields<'_>, pieces: &mut Vec<Piece>) {
    let [content] = json::pick(fields.message, ["content"]);
    let mut results = 0;
    json::each(content, |block| {
        let [kind, call, is_error, content] = json::pick(Some(block), ["type", "tool_use_id", "is_error", "content"]);
        if !json::is(kind, "tool_result") {
            return;
        }
        results += 1;
        let outcome = transcript::outcome(fields, json::yes(is_error), content);
        let [plan] = json::pick(fields.result, ["plan"]);
        pieces.push(Piece::Result(CallResult {
            call: CallId::from_agent(&json::text(call).unwrap_or_default()),
            outcome,
            text: all_text(content),
            diffs: if outcome == Outcome::Ok && results == 1 { diffs(fields.result) } else { Vec::new() },
            plan: short(plan),
        }));
    });
    if results == 0 {
        pieces.extend(said(fields, content));
    }
}

/// What stands in the user's place and is no result.
fn said(fields: &Fields<'_>, content: Option<&RawValue>) -> Option<Piece> {
    let text = all_text(content);
    if let Some(prompt) = transcript::prompt(fields, content) {
        return Some(Piece::Prompt(Asked { text, human: prompt.human }));
    }
    if text.is_empty() || json::yes(fields.is_meta) {
        return None;
    }
    Some(if json::yes(fields.is_compact_summary) {
        Piece::Step(Step::Summary(text))
    } else if fields.agent_id.is_some() {
        // A subagent is asked by its session.
        Piece::Prompt(Asked { text, human: false })
    } else {
        Piece::Step(Step::Note(text))
    })
}

/// A prompt given while the agent worked.
fn queued_prompt(fields: &Fields<'_>) -> Option<Piece> {
    let prompt = transcript::queued_prompt(fields)?;
    let [text] = json::pick(fields.attachment, ["prompt"]);
    Some(Piece::Prompt(Asked { text: all_text(text), human: prompt.human }))
}

/// The text of a message's content, which is a text or a list of blocks.
fn all_text(content: Option<&RawValue>) -> String {
    if let Some(text) = short(content) {
        return text;
    }
    let mut all = String::new();
    json::each(content, |block| {
        let [kind, text] = json::pick(Some(block), ["type", "text"]);
        if all.len() > MAX_TEXT {
            return;
        }
        let shown = match short(text) {
            Some(text) => text,
            None if json::is(kind, "image") => "[image]".to_owned(),
            None => return,
        };
        if !all.is_empty() {
            all.push('\n');
        }
        all.push_str(&shown);
    });
    shortened(&all)
}

/// The changes that a tool tells of.
fn diffs(result: Option<&RawValue>) -> Vec<FileDiff> {
    let [path, patch, content, original, notebook, old_notebook, new_notebook] = json::pick(
        result,
        ["filePath", "structuredPatch", "content", "originalFile", "notebook_path", "original_file", "updated_file"],
    );
    let Some(path) = short(path.or(notebook)) else { return Vec::new() };
    let text = |json| json::text(json).unwrap_or_default();
    let mut hunks = patch_hunks(patch);
    if hunks.is_empty() && patch.is_some() && content.is_some() {
        hunks = hunk(&text(original), &text(content));
    } else if new_notebook.is_some() {
        hunks = hunk(&text(old_notebook), &text(new_notebook));
    }
    if hunks.is_empty() { Vec::new() } else { vec![FileDiff { path, hunks }] }
}

/// The hunks of a structured patch as text.
fn patch_hunks(patch: Option<&RawValue>) -> String {
    let mut out = String::new();
    json::each(patch, |hunk| {
        if out.len() > MAX_TEXT {
            return;
        }
        let [old_start, old_lines, new_start, new_lines, lines] =
            json::pick(Some(hunk), ["oldStart", "oldLines", "newStart", "newLines", "lines"]);
        let [a, b, c, d] = [old_start, old_lines, new_start, new_lines].map(json::number);
        out.push_str(&format!("@@ -{a},{b} +{c},{d} @@\n"));
        json::each(lines, |line| {
            if out.len() <= MAX_TEXT
                && let Some(line) = json::text(Some(line))
            {
                out.push_str(&line);
                out.push('\n');
            }
        });
    });
    shortened(&out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::turns::{Turn, Turns};
    use proptest::prelude::*;

    fn turns(lines: &[&str]) -> Vec<Turn> {
        Turns::new(lines.iter().map(|line| shown(line.as_bytes()))).collect()
    }

    fn steps(turn: &Turn) -> Vec<String> {
        let of = |step: &Step| match step {
            Step::Reasoning(text) => format!("reasoning {text}"),
            Step::Plan(text) => format!("plan {text}"),
            Step::Text(text) => format!("text {text}"),
            Step::Summary(text) => format!("summary {text}"),
            Step::Note(text) => format!("note {text}"),
            Step::Missing(text) => format!("missing {text}"),
            Step::Call(call) => {
                let diffs: String = call.diffs.iter().map(|diff| format!(" | {} {}", diff.path, diff.hunks)).collect();
                format!("{} ({}) {:?} {}{diffs}", call.tool, call.input, call.outcome, call.result)
            }
        };
        turn.steps.iter().map(of).collect()
    }

    #[test]
    fn a_conversation_is_read_back() {
        let lines = [
            r#"{"type":"mode","mode":"normal"}"#,
            r#"{"type":"user","uuid":"1","timestamp":"2026-01-01T00:00:01Z","message":{"content":[{"type":"text","text":"fix it"},{"type":"image","source":{}}]}}"#,
            r#"{"type":"assistant","message":{"model":"m","content":[{"type":"thinking","thinking":"hm"}]}}"#,
            r#"{"type":"assistant","message":{"model":"m","content":[{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"/r/a","old_string":"b"}}]}}"#,
            r#"{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"done"}]},"toolUseResult":{"filePath":"/r/a","structuredPatch":[{"oldStart":1,"oldLines":1,"newStart":1,"newLines":1,"lines":["-b","+c"]}]}}"#,
            r#"{"type":"assistant","message":{"model":"m","content":[{"type":"text","text":"fixed"},{"type":"tool_use","id":"t2","name":"Bash","input":{"command":"ls"}}]}}"#,
            r#"{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t2","is_error":true,"content":[{"type":"text","text":"Exit code 1"}]}]}}"#,
            r#"{"type":"user","uuid":"2","message":{"content":"<command-name>/clear</command-name>"}}"#,
            r#"{"type":"user","uuid":"3","message":{"content":"hidden"},"isMeta":true}"#,
            r#"{"type":"attachment","uuid":"4","attachment":{"type":"queued_command","commandMode":"prompt","prompt":"and then?"}}"#,
            r#"{"type":"assistant","message":{"model":"<synthetic>","content":[{"type":"text","text":"API Error"}]}}"#,
            r#"{"type":"user","uuid":"5","message":{"content":"so far"},"isCompactSummary":true}"#,
            "not json",
        ];
        let turns = turns(&lines);
        assert_eq!(turns.len(), 2);
        assert_eq!(turns[0].asked, Some(Asked { text: "fix it\n[image]".into(), human: true }));
        assert_eq!(turns[0].at, Some(1_767_225_601_000));
        assert_eq!(
            steps(&turns[0]),
            [
                "reasoning hm",
                "Edit (/r/a) Some(Ok) done | /r/a @@ -1,1 +1,1 @@\n-b\n+c\n",
                "text fixed",
                "Bash (ls) Some(Failed) Exit code 1",
                "note <command-name>/clear</command-name>",
            ]
        );
        assert_eq!(turns[1].asked.as_ref().unwrap().text, "and then?");
        assert_eq!(steps(&turns[1]), ["note API Error", "summary so far"]);
    }

    #[test]
    fn plans_and_new_files_are_shown() {
        let lines = [
            r#"{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t1","name":"ExitPlanMode","input":{"plan":"1. do"}}]}}"#,
            r#"{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"yes"}]},"toolUseResult":{"plan":"1. do"}}"#,
            r#"{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t2","name":"ExitPlanMode","input":{}}]}}"#,
            r#"{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t2","content":"yes"}]},"toolUseResult":{"plan":"2. more"}}"#,
            r#"{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t3","content":"made"}]},"toolUseResult":{"type":"create","filePath":"/r/n","structuredPatch":[],"originalFile":null,"content":"x\n"}}"#,
        ];
        let turns = turns(&lines);
        assert_eq!(
            steps(&turns[0]),
            [
                "plan 1. do",
                "ExitPlanMode () Some(Ok) yes",
                "ExitPlanMode () Some(Ok) yes",
                "plan 2. more",
                " () Some(Ok) made | /r/n @@ -0,0 +1,1 @@\n+x\n",
            ]
        );
    }

    #[test]
    fn events_tell_of_prompts_and_calls() {
        let event = |text: &str| shown_event(&crate::agent::claude_code::payload::event(text.as_bytes(), 5).event);
        let call = r#""session_id":"s","tool_name":"Bash","tool_use_id":"t1""#;
        let lines = [
            event(r#"{"session_id":"s","hook_event_name":"UserPromptSubmit","prompt":"go"}"#),
            event(&format!(r#"{{{call},"hook_event_name":"PreToolUse","tool_input":{{"command":"ls"}}}}"#)),
            event(&format!(r#"{{{call},"hook_event_name":"PostToolUseFailure","error":"no"}}"#)),
            event(r#"{"session_id":"s","hook_event_name":"Stop"}"#),
        ];
        let turns: Vec<Turn> = Turns::new(lines.into_iter()).collect();
        assert_eq!(turns.len(), 1);
        assert_eq!((turns[0].at, turns[0].asked.as_ref().unwrap().text.as_str()), (Some(5), "go"));
        assert_eq!(steps(&turns[0]), ["Bash (ls) Some(Failed) no"]);
    }

    #[test]
    fn inputs_are_summed_up() {
        let of = |tool: &str, input: &str| {
            let input = RawValue::from_string(input.to_owned()).unwrap();
            input_summary(tool, Some(&input))
        };
        assert_eq!(of("Grep", r#"{"path":"src","pattern":"x"}"#), "x src");
        assert_eq!(of("Agent", r#"{"prompt":"p","description":"d"}"#), "d: p");
        assert_eq!(of("mcp__a__b", r#"{"x":1}"#), r#"{"x":1}"#);
        assert_eq!(of("Bash", r#"{"odd":1}"#), r#"{"odd":1}"#);
        assert_eq!(of("TaskList", "{}"), "");
    }

    proptest! {
        #[test]
        fn any_bytes_are_shown_without_harm(lines: Vec<Vec<u8>>) {
            Turns::new(lines.iter().map(|line| shown(line))).count();
        }
    }
}
