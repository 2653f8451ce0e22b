//! One line of a Claude Code transcript, in words that are no agent's own.
//!
//! An API message stands on as many lines as it has content blocks, each with the message's id and usage.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::value::RawValue;

use crate::agent::json;
use crate::id::CallId;
use crate::session::entry::{
    Entry, FileChange, Line, Message, Outcome, Prompt, Tokens, ToolResult, ToolUse, line_change,
};
use crate::session::event::{Gap, GapKind};
use crate::session::shell;

/// The model of messages that the agent itself puts in a model's place, such as API errors.
pub(super) const NO_MODEL: &str = "<synthetic>";

/// What one line says. An empty line says nothing; one that is no JSON object is a gap.
pub fn line(bytes: &[u8]) -> Line {
    let text = String::from_utf8_lossy(bytes.trim_ascii());
    let mut line = Line::default();
    if text.is_empty() {
        return line;
    }
    let (fields, whole) = Fields::of(&text);
    if !whole || matches!(text, Cow::Owned(_)) {
        line.gaps.push(Gap { kind: GapKind::LineInvalid, count: 1 });
        return line;
    }
    line.at = json::text(fields.timestamp).as_deref().and_then(millis);
    line.version = owned(fields.version);
    line.subagent = owned(fields.agent_id);
    match json::text(fields.kind).as_deref() {
        Some("assistant") => assistant(&fields, &mut line.entries),
        Some("user") => user(&fields, &mut line.entries),
        Some("system") if json::is(fields.subtype, "compact_boundary") => {
            line.entries.extend(owned(fields.uuid).map(|id| Entry::Compaction { id }));
        }
        Some("attachment") => line.entries.extend(queued_prompt(&fields).map(Entry::Prompt)),
        Some("cost-state") => line.entries.push(totals(fields.model_usage)),
        _ => {}
    }
    line
}

json::fields_struct! {
    /// The fields of a line that we look at.
    pub(super) struct Fields {
        kind: "type",
        subtype: "subtype",
        uuid: "uuid",
        timestamp: "timestamp",
        version: "version",
        cwd: "cwd",
        agent_id: "agentId",
        message: "message",
        result: "toolUseResult",
        denial: "toolDenialKind",
        denied_before_run: "toolDenialBeforeRun",
        model_usage: "modelUsage",
        attachment: "attachment",
        is_compact_summary: "isCompactSummary",
        is_meta: "isMeta",
        is_sidechain: "isSidechain",
        is_visible_only: "isVisibleInTranscriptOnly",
        origin: "origin",
        turn_origin: "turnOrigin",
        prompt_source: "promptSource",
    }
}

/// Milliseconds since 1970 of an RFC 3339 text.
pub(super) fn millis(text: &str) -> Option<i64> {
    text.parse().ok().map(jiff::Timestamp::as_millisecond)
}

fn owned(json: Option<&RawValue>) -> Option<String> {
    json::text(json).filter(|text| !text.is_empty()).map(Cow::into_owned)
}

/// A line of a model: a piece of a message.
fn assistant(fields: &Fields<'_>, entries: &mut Vec<Entry>) {
    let [id, model, usage, content] = json::pick(fields.message, ["id", "model", "usage", "content"]);
    let model = owned(model).filter(|model| model != NO_MODEL);
    // A message without an id stands on one line only.
    if let (Some(model), Some(id)) = (model, owned(id).or_else(|| owned(fields.uuid))) {
        entries.push(Entry::Message(Message { id, model, tokens: usage_tokens(usage) }));
    }
    json::each(content, |block| {
        let [kind, id, name, input] = json::pick(Some(block), ["type", "id", "name", "input"]);
        match json::text(kind).as_deref() {
            Some("thinking" | "redacted_thinking") => entries.push(Entry::Reasoning),
            Some("tool_use") => {
                if let (Some(id), Some(tool)) = (json::text(id), owned(name)) {
                    entries.push(Entry::ToolUse(tool_use(CallId::from_agent(&id), tool, input)));
                }
            }
            _ => {}
        }
    });
}

fn tool_use(call: CallId, tool: String, input: Option<&RawValue>) -> ToolUse {
    let [command, skill] = json::pick(input, ["command", "skill"]);
    let mcp_server =
        tool.strip_prefix("mcp__").and_then(|rest| rest.split_once("__")).map(|(server, _)| server.to_owned());
    ToolUse {
        call,
        reach: super::reach(&tool),
        mcp_server,
        skill: if tool == "Skill" { owned(skill) } else { None },
        programs: if tool == "Bash" { shell::programs(&json::text(command).unwrap_or_default()) } else { Vec::new() },
        plan: tool == "ExitPlanMode",
        tool,
    }
}

/// The tokens of one message.
fn usage_tokens(usage: Option<&RawValue>) -> Tokens {
    let [input, output, cache_read, written, split] = json::pick(
        usage,
        ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation"],
    );
    let [five, hour] = json::pick(split, ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"]);
    tokens([input, output, cache_read, written, five, hour])
}

/// Cache writes that are not split by how long they live live five minutes, as without the option.
fn tokens(numbers: [Option<&RawValue>; 6]) -> Tokens {
    let [input, output, cache_read, written, five, hour] = numbers.map(json::number);
    let unsplit = written.saturating_sub(five).saturating_sub(hour);
    Tokens { input, output, cache_read, cache_write_5m: five + unsplit, cache_write_1h: hour }
}

/// What the session has used so far, as the agent reckons it. A model's name may end in its context size, `[1m]`.
fn totals(model_usage: Option<&RawValue>) -> Entry {
    let mut models: BTreeMap<String, Tokens> = BTreeMap::new();
    if let Some(raw) = model_usage.filter(|raw| raw.get().starts_with('{')) {
        json::object(raw.get(), |name, usage| {
            let used = tokens(json::pick(
                Some(usage),
                [
                    "inputTokens",
                    "outputTokens",
                    "cacheReadInputTokens",
                    "cacheCreationInputTokens",
                    "cacheCreationEphemeral5mInputTokens",
                    "cacheCreationEphemeral1hInputTokens",
                ],
            ));
            let name = name.split('[').next().unwrap_or_default();
            // An agent has a handful of models.
            if models.len() < 100 || models.contains_key(name) {
                let sum = models.entry(name.to_owned()).or_default();
                *sum = sum.plus(used);
            }
        });
    }
    Entry::Totals(models)
}

/// A line in the user's place: a prompt, results of tools, or what the agent itself says there.
fn user(fields: &Fields<'_>, entries: &mut Vec<Entry>) {
    let [content] = json::pick(fields.message, ["content"]);
    let mut results = 0;
    json::each(content, |block| {
        let [kind, call, is_error, content] = json::pick(Some(block), ["type", "tool_use_id", "is_error", "content"]);
        if !json::is(kind, "tool_result") {
            return;
        }
        results += 1;
        if let Some(call) = json::text(call) {
            let outcome = outcome(fields, json::yes(is_error), content);
            entries.push(Entry::ToolResult(ToolResult {
                call: CallId::from_agent(&call),
                outcome,
                // What the agent tells beside the message is about its only result.
                files: if outcome == Outcome::Ok && results == 1 { files(fields) } else { Vec::new() },
            }));
        }
    });
    if results == 0 {
        entries.extend(prompt(fields, content).map(Entry::Prompt));
    }
}

/// How a call ended. Versions before 2.1.330 say so only in the text that the model reads.
pub(super) fn outcome(fields: &Fields<'_>, is_error: bool, content: Option<&RawValue>) -> Outcome {
    if !is_error {
        let [interrupted] = json::pick(fields.result, ["interrupted"]);
        return if json::yes(interrupted) { Outcome::Interrupted } else { Outcome::Ok };
    }
    match json::text(fields.denial).as_deref() {
        Some("user-rejected") if json::yes(fields.denied_before_run) => return Outcome::Rejected,
        Some("user-rejected") => return Outcome::Interrupted,
        Some(_) => return Outcome::Denied,
        None => {}
    }
    let text = first_text(content).unwrap_or_default();
    if text.starts_with("The user doesn't want to ") {
        Outcome::Rejected
    } else if text.starts_with("[Request interrupted by user") {
        Outcome::Interrupted
    } else if text.starts_with("Permission to use ") || text.starts_with("Claude requested permissions to ") {
        Outcome::Denied
    } else {
        Outcome::Failed
    }
}

/// The files that a call changed, from the tool's own account of itself.
fn files(fields: &Fields<'_>) -> Vec<FileChange> {
    let [path, kind, patch, content, original, notebook, old_notebook, new_notebook] = json::pick(
        fields.result,
        [
            "filePath",
            "type",
            "structuredPatch",
            "content",
            "originalFile",
            "notebook_path",
            "original_file",
            "updated_file",
        ],
    );
    let Some(path) = json::text(path.or(notebook)).filter(|path| !path.is_empty()) else { return Vec::new() };
    let (added, removed) = match patch_lines(patch) {
        None if new_notebook.is_some() => change(old_notebook, new_notebook),
        None => return Vec::new(),
        // A new file has no patch, only its content. Of an old one that is not shown nothing is known.
        Some((0, 0)) if json::is(kind, "create") || json::text(original).is_some() => change(original, content),
        Some(counted) => counted,
    };
    let cwd = json::text(fields.cwd).unwrap_or_default();
    let path = Path::new(&*cwd).join(&*path).to_string_lossy().into_owned();
    vec![FileChange { path, added, removed }]
}

fn change(old: Option<&RawValue>, new: Option<&RawValue>) -> (u64, u64) {
    match json::text(new) {
        Some(new) => line_change(&json::text(old).unwrap_or_default(), &new),
        None => (0, 0),
    }
}

/// Lines that a patch adds and removes.
fn patch_lines(patch: Option<&RawValue>) -> Option<(u64, u64)> {
    let (mut added, mut removed) = (0, 0);
    json::each(Some(patch?), |hunk| {
        let [lines] = json::pick(Some(hunk), ["lines"]);
        json::each(lines, |line| match line.get().as_bytes() {
            [b'"', b'+', ..] => added += 1,
            [b'"', b'-', ..] => removed += 1,
            _ => {}
        });
    });
    Some((added, removed))
}

/// What begins a turn: text in the user's place that the agent did not put there.
pub(super) fn prompt(fields: &Fields<'_>, content: Option<&RawValue>) -> Option<Prompt> {
    let flags = [fields.is_meta, fields.is_sidechain, fields.is_visible_only, fields.is_compact_summary];
    if fields.agent_id.is_some() || flags.into_iter().any(json::yes) {
        return None;
    }
    let text = first_text(content)?;
    let text = text.trim_start();
    // Commands that the agent carries out itself (`/clear`, `!ls`) and their output, marks of an interruption.
    // A command that is a prompt begins with `<command-message>`.
    let by_agent =
        ["<command-name>", "<local-command-", "<bash-", "<user-memory-input>", "[Request interrupted by user"];
    if by_agent.into_iter().any(|start| text.starts_with(start)) {
        return None;
    }
    let [origin] = json::pick(fields.origin, ["kind"]);
    let human = json::text(origin).is_none_or(|kind| kind == "human")
        && !json::is(fields.prompt_source, "system")
        && !json::is(fields.turn_origin, "task_notification")
        && !text.starts_with("<task-notification>");
    Some(Prompt { id: owned(fields.uuid)?, human })
}

/// A prompt given while the agent worked stands as an attachment.
pub(super) fn queued_prompt(fields: &Fields<'_>) -> Option<Prompt> {
    let [kind, mode, origin] = json::pick(fields.attachment, ["type", "commandMode", "origin"]);
    let [origin] = json::pick(origin, ["kind"]);
    let human = json::is(kind, "queued_command")
        && json::is(mode, "prompt")
        && json::text(origin).is_none_or(|kind| kind == "human")
        && !json::yes(fields.is_sidechain)
        && fields.agent_id.is_none();
    if human { Some(Prompt { id: owned(fields.uuid)?, human }) } else { None }
}

/// The first text of a message's content, which is a text or a list of blocks; empty where there is none (an image).
fn first_text(content: Option<&RawValue>) -> Option<Cow<'_, str>> {
    if let Some(text) = json::text(content) {
        return Some(text);
    }
    let (mut found, mut blocks) = (None, false);
    json::each(content, |block| {
        blocks = true;
        let [text] = json::pick(Some(block), ["text"]);
        found = found.take().or_else(|| json::text(text));
    });
    found.or(if blocks { Some(Cow::Borrowed("")) } else { None })
}

#[cfg(test)]
mod tests;
