//! What an event of Claude Code means to nudges, and how one is answered: the JSON that its hooks may print.
//!
//! Only what its reference of hooks documents is used. The exit code is always 0: 2 would stop the agent without our words.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::agent::json;
use crate::digest::Digest;
use crate::nudge::{Called, Moment, Nudge, Rule, Way};
use crate::session::event::{AgentEvent, EventKind, ToolCall};
use crate::session::shell;

/// What an event means to nudges.
pub fn moment(event: &AgentEvent) -> Option<Moment> {
    match event.kind {
        EventKind::Start => {
            let [source, model] = fields(event, ["source", "model"]);
            let cleared = json::is(source, "clear") || json::is(source, "compact");
            Some(Moment::Start { model: json::text(model).map(Into::into), cleared })
        }
        EventKind::Prompt => Some(Moment::Prompt { secret: None }),
        EventKind::ToolBefore => {
            Some(Moment::Before { call: called(event, event.call.as_ref()?), model: None, files: Vec::new() })
        }
        EventKind::ToolAfter | EventKind::ToolFailed => {
            let succeeded = event.kind == EventKind::ToolAfter;
            Some(Moment::After { call: called(event, event.call.as_ref()?), succeeded, edited: Vec::new() })
        }
        // After an error of the API nothing is listened to.
        EventKind::Stop if event.name == "Stop" => {
            let [active] = fields(event, ["stop_hook_active"]);
            Some(Moment::Stop { again: json::yes(active) })
        }
        EventKind::End => Some(Moment::End),
        EventKind::Stop | EventKind::ToolCommitted | EventKind::Other => None,
    }
}

/// What somebody typed. What the agent itself puts into a prompt's place is none: stopping it would only lose a result.
pub fn prompt(event: &AgentEvent) -> Option<String> {
    let [prompt] = fields(event, ["prompt"]);
    let prompt = prompt.filter(|_| event.kind == EventKind::Prompt);
    // One that is no text is looked at as it came.
    let text = json::text(prompt).or_else(|| Some(prompt?.get().into()))?;
    (!text.trim_start().starts_with("<task-notification>")).then(|| text.into_owned())
}

fn fields<'e, const N: usize>(event: &'e AgentEvent, names: [&str; N]) -> [Option<&'e RawValue>; N] {
    json::pick(event.raw.as_deref(), names)
}

/// What a call uses. Only shells and skills say more in their input than the tool's name does.
fn called(event: &AgentEvent, call: &ToolCall) -> Called {
    let mut called = Called { uses: vec![format!("tool {}", call.tool)], command: None };
    if let Some((server, tool)) = call.tool.strip_prefix("mcp__").and_then(|rest| rest.split_once("__")) {
        called.uses.extend([format!("MCP tool {server}/{tool}"), format!("MCP server {server}")]);
    }
    if !matches!(call.tool.as_str(), "Bash" | "Skill") {
        return called;
    }
    let [input, interrupted] = fields(event, ["tool_input", "is_interrupt"]);
    let [command, skill] = json::pick(input, ["command", "skill"]);
    if call.tool == "Skill" {
        called.uses.extend(json::text(skill).map(|skill| format!("skill {skill}")));
    } else if let Some(command) = json::text(command) {
        called.uses.extend(shell::programs(&command).into_iter().map(|program| format!("program {program}")));
        let hash = Digest::of(command.as_bytes()).to_string();
        // Whom the user interrupts has not failed.
        called.command = (!json::yes(interrupted)).then(|| hash[..16].to_owned());
    }
    called
}

/// A nudge as the answer to an event.
pub fn reply(event: &AgentEvent, nudge: &Nudge) -> Option<Value> {
    let (name, text) = (event.name.as_str(), nudge.text.as_str());
    match (nudge.way, name) {
        (Way::Refuse, "UserPromptSubmit") => {
            let mut answer = json!({"decision": "block", "reason": text});
            if nudge.rule == Rule::Secret {
                // The agent would show the prompt again with the reason.
                answer["hookSpecificOutput"] = json!({"hookEventName": name, "suppressOriginalPrompt": true});
            }
            Some(answer)
        }
        (Way::Refuse, "PreToolUse") => Some(json!({"hookSpecificOutput": {
            "hookEventName": name, "permissionDecision": "deny", "permissionDecisionReason": text}})),
        (Way::Refuse, "Stop") => Some(json!({"decision": "block", "reason": text})),
        (Way::TellAgent, "SessionStart" | "UserPromptSubmit" | "PreToolUse" | "PostToolUse" | "PostToolUseFailure") => {
            Some(json!({"hookSpecificOutput": {"hookEventName": name, "additionalContext": text}}))
        }
        (
            Way::TellPerson,
            "SessionStart" | "UserPromptSubmit" | "PreToolUse" | "PostToolUse" | "PostToolUseFailure" | "Stop",
        ) => Some(json!({"systemMessage": text})),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::claude_code::payload;

    fn event(payload: &Value) -> AgentEvent {
        payload::event(payload.to_string().as_bytes(), 0).event
    }

    fn of(payload: Value) -> Option<Moment> {
        moment(&event(&payload))
    }

    fn uses(payload: Value) -> String {
        match of(payload) {
            Some(Moment::Before { call, .. } | Moment::After { call, .. }) => call.uses.join(", "),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn events_have_their_moments() {
        let named =
            |name: &str| of(json!({"session_id": "s", "hook_event_name": name, "source": "compact", "model": "m"}));
        assert_eq!(named("SessionStart"), Some(Moment::Start { model: Some("m".into()), cleared: true }));
        assert_eq!(named("UserPromptSubmit"), Some(Moment::Prompt { secret: None }));
        assert_eq!((named("Stop"), named("SessionEnd")), (Some(Moment::Stop { again: false }), Some(Moment::End)));
        for name in ["StopFailure", "SubagentStop", "PostToolBatch", "PreToolUse", "New"] {
            assert_eq!(named(name), None, "{name}");
        }
    }

    #[test]
    fn calls_are_called_as_policies_call_them() {
        let call = |tool: &str, input: Value| {
            uses(json!({"session_id": "s", "hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": input}))
        };
        assert_eq!(call("Edit", json!({"file_path": "/a"})), "tool Edit");
        assert_eq!(call("Skill", json!({"skill": "review"})), "tool Skill, skill review");
        assert_eq!(call("mcp__db__query", json!({})), "tool mcp__db__query, MCP tool db/query, MCP server db");
        assert_eq!(
            call("Bash", json!({"command": "cd x && cargo test | tee log"})),
            "tool Bash, program cargo, program tee"
        );
    }

    #[test]
    fn who_is_interrupted_has_not_failed() {
        let command = |interrupted: bool| {
            let failed = json!({"session_id": "s", "hook_event_name": "PostToolUseFailure", "tool_name": "Bash",
                "tool_input": {"command": "make"}, "is_interrupt": interrupted});
            match of(failed) {
                Some(Moment::After { call, succeeded: false, .. }) => call.command,
                other => panic!("{other:?}"),
            }
        };
        assert!(command(false).is_some() && command(true).is_none());
    }

    #[test]
    fn what_the_agent_puts_into_a_prompts_place_is_none() {
        let typed = |text: &str| {
            prompt(&event(&json!({"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": text})))
        };
        assert_eq!(typed("do it").as_deref(), Some("do it"));
        assert_eq!(typed("<task-notification>\ndone"), None);
        assert_eq!(prompt(&event(&json!({"session_id": "s", "hook_event_name": "Stop", "prompt": "x"}))), None);
        let came = |payload: &str| prompt(&payload::event(payload.as_bytes(), 0).event);
        let named = r#"{"session_id":"s","hook_event_name":"UserPromptSubmit","prompt""#;
        assert_eq!(came(&format!("{named}:[\"do\"]}}")).as_deref(), Some("[\"do\"]"), "what is no text");
        assert_eq!(came(&format!("\u{feff}{named}:\"do\"}}")).as_deref(), Some("do"));
    }

    #[test]
    fn nothing_is_answered_that_is_not_documented() {
        let answer = |name: &str, rule: Rule, way: Way| {
            let nudge = Nudge { rule, way, about: Vec::new(), text: "why".into() };
            reply(&event(&json!({"session_id": "s", "hook_event_name": name})), &nudge).map(|answer| answer.to_string())
        };
        let refused = r#"{"decision":"block","reason":"why"}"#;
        assert_eq!(answer("UserPromptSubmit", Rule::Model, Way::Refuse).as_deref(), Some(refused));
        assert_eq!(answer("Stop", Rule::Tool, Way::Refuse).as_deref(), Some(refused));
        let secret = answer("UserPromptSubmit", Rule::Secret, Way::Refuse).unwrap();
        assert!(secret.contains(r#""suppressOriginalPrompt":true"#), "{secret}");
        let denied = answer("PreToolUse", Rule::Path, Way::Refuse).unwrap();
        assert!(denied.contains(r#""permissionDecision":"deny""#), "{denied}");
        let told = answer("PostToolUseFailure", Rule::Repeat, Way::TellAgent).unwrap();
        assert_eq!(told, r#"{"hookSpecificOutput":{"hookEventName":"PostToolUseFailure","additionalContext":"why"}}"#);
        assert_eq!(answer("Stop", Rule::Budget, Way::TellPerson).as_deref(), Some(r#"{"systemMessage":"why"}"#));
        for (name, way) in [
            ("PostToolUse", Way::Refuse),
            ("SessionEnd", Way::TellPerson),
            ("Stop", Way::TellAgent),
            ("SubagentStop", Way::Refuse),
        ] {
            assert_eq!(answer(name, Rule::Tool, way), None, "{name}");
        }
    }
}
