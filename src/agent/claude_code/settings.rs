//! Our hooks in Claude Code's `settings.json`: put in, found, taken out; all else stays byte for byte.
//!
//! Text is spliced, never written anew. What we put into a list that stood empty follows its bracket at once, what we
//! make ourselves begins on a line of its own: so taking out knows which lists were there before.

use std::ops::Range;
use std::path::Path;

use crate::agent::claude_code::spans::{self, Member, Node};

/// Every hook of ours contains this, whatever stands around it.
const MARK: &str = "git-tracevault hook claude-code";

/// The command for settings that are committed. Colleagues who do not have the program notice nothing; whatever the
/// program does, the agent sees success (2 would stop it). What it prints is its answer: see [`super::reply`].
pub const SHARED_COMMAND: &str = "command -v git-tracevault >/dev/null 2>&1 && git-tracevault hook claude-code || true";

/// What the commands of earlier versions end in: the agent reads no answer.
const SILENT: &str = "hook claude-code >/dev/null";

/// The command for the user's own settings: the program by its place, as agents may run with another `PATH`.
pub fn own_command(program_dir: &Path) -> String {
    let dir = program_dir.to_string_lossy().replace('\'', r"'\''");
    format!("[ -x '{dir}'/git-tracevault ] && '{dir}'/git-tracevault hook claude-code || true")
}

/// An event we listen to. The list holds what a session's story needs; `Notification` and the like tell nothing.
struct Event {
    name: &'static str,
    /// Whether the event is about a tool, and takes a pattern of tool names.
    tool: bool,
    /// Seconds before the agent gives up on us.
    timeout: u32,
}

const fn event(name: &'static str) -> Event {
    Event { name, tool: false, timeout: 20 }
}

const fn tool_event(name: &'static str) -> Event {
    Event { name, tool: true, timeout: 20 }
}

const EVENTS: &[Event] = &[
    tool_event("PreToolUse"),
    tool_event("PostToolUse"),
    tool_event("PostToolUseFailure"),
    event("PostToolBatch"),
    event("UserPromptSubmit"),
    event("UserPromptExpansion"),
    event("SessionStart"),
    // The session is sealed at its end.
    Event { name: "SessionEnd", tool: false, timeout: 60 },
    event("Stop"),
    event("StopFailure"),
    event("SubagentStart"),
    event("SubagentStop"),
    event("PreCompact"),
    event("PostCompact"),
    tool_event("PermissionRequest"),
    tool_event("PermissionDenied"),
    event("CwdChanged"),
];

/// Settings that we will not touch.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("the settings are not JSON (line {line}, column {column}): {message}", line = source.line(), column = source.column(), message = source)]
    Json { source: serde_json::Error },
    #[error("{what} in the settings (line {line}, column {column}) is not {expected}")]
    Shape { what: String, expected: &'static str, line: usize, column: usize },
}

impl SettingsError {
    fn shape(text: &str, node: &Node, what: &str, expected: &'static str) -> Self {
        let before = &text[..node.span.start];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        SettingsError::Shape { what: what.to_owned(), expected, line, column }
    }
}

/// Settings with our hooks in them.
#[derive(Debug, PartialEq, Eq)]
pub struct Installed {
    pub text: String,
    /// Whether `text` differs from what was there.
    pub changed: bool,
}

/// Settings without our hooks.
#[derive(Debug, PartialEq, Eq)]
pub struct Uninstalled {
    /// `None` where nothing but ours was in the file: it goes too.
    pub text: Option<String>,
    pub changed: bool,
}

/// What is in the settings.
#[derive(Debug, PartialEq, Eq)]
pub struct Presence {
    /// The events on which no hook of ours is called.
    pub missing: Vec<&'static str>,
    /// Whether a hook of ours is called on any event.
    pub installed: bool,
    /// Whether `disableAllHooks` is on.
    pub disabled: bool,
    /// Whether a hook of ours cannot answer: its command is an earlier version's.
    pub silent: bool,
}

/// Puts our hooks in. Hooks of ours with another command get this one; what else the user changed in them stays.
pub fn install(settings: Option<&str>, command: &str) -> Result<Installed, SettingsError> {
    let Some(text) = settings else {
        let text = format!("{{\n  {}\n}}\n", Style::default().hooks(command));
        return Ok(Installed { text, changed: true });
    };
    let root = parse(text)?;
    let style = Style::of(text, &root);
    let mut edits = Edits::default();
    let spans = |members: &[Member]| members.iter().map(|member| member.span.clone()).collect::<Vec<_>>();
    let members = root.members().ok_or_else(|| SettingsError::shape(text, &root, "the whole", "an object"))?;
    let Some(hooks) = root.get("hooks") else {
        edits.append(&root, &spans(members), &[style.hooks(command)], &style.line(1));
        return Ok(edits.installed(text));
    };
    let events = hooks.members().ok_or_else(|| SettingsError::shape(text, hooks, "\"hooks\"", "an object"))?;
    let mut missing = Vec::new();
    for event in EVENTS {
        let Some(list) = hooks.get(event.name) else {
            missing.push(style.event(event, command));
            continue;
        };
        let groups = list
            .elements()
            .ok_or_else(|| SettingsError::shape(text, list, &format!("\"hooks\".{:?}", event.name), "a list"))?;
        let ours: Vec<_> = groups.iter().flat_map(handlers).filter_map(our_command).collect();
        if ours.is_empty() {
            let spans: Vec<_> = groups.iter().map(|group| group.span.clone()).collect();
            edits.append(list, &spans, &[entry(event, command)], &style.line(3));
        }
        for node in ours.into_iter().filter(|node| node.text() != Some(command)) {
            edits.replace(node.span.clone(), quoted(command));
        }
    }
    edits.append(hooks, &spans(events), &missing, &style.line(2));
    Ok(edits.installed(text))
}

/// Takes our hooks out, also where the user has changed what stands around them.
pub fn uninstall(text: &str) -> Result<Uninstalled, SettingsError> {
    let root = parse(text)?;
    let mut edits = Edits::default();
    let kept = prune(&root, members_of(&root), &mut edits, |member, edits| {
        if member.key != "hooks" {
            return true;
        }
        prune(&member.value, members_of(&member.value), edits, |event, edits| {
            let groups = event.value.elements().unwrap_or_default().iter().map(|group| (group, group.span.clone()));
            prune(&event.value, groups, edits, |group, edits| {
                let Some(list) = group.get("hooks") else { return true };
                let handlers = handlers(group).iter().map(|handler| (handler, handler.span.clone()));
                // A group that holds nothing but ours is ours, however it is written.
                let kept = handlers.clone().any(|(handler, _)| our_command(handler).is_none());
                let any = handlers.clone().next().is_some();
                if kept {
                    prune(list, handlers, edits, |handler, _| our_command(handler).is_none());
                }
                kept || !any
            })
        })
    });
    if !kept {
        return Ok(Uninstalled { text: None, changed: true });
    }
    let changed = !edits.0.is_empty();
    Ok(Uninstalled { text: Some(edits.apply(text)), changed })
}

/// What is there of ours.
pub fn inspect(text: &str) -> Result<Presence, SettingsError> {
    let root = parse(text)?;
    let commands = |event: &Event| {
        let groups = root.get("hooks").and_then(|hooks| hooks.get(event.name)).and_then(Node::elements);
        groups.unwrap_or_default().iter().flat_map(handlers).filter_map(our_command).collect::<Vec<_>>()
    };
    let missing: Vec<_> = EVENTS.iter().filter(|event| commands(event).is_empty()).map(|event| event.name).collect();
    let is_silent = |command: &&Node| command.text().is_some_and(|text| text.contains(SILENT));
    let silent = EVENTS.iter().any(|event| commands(event).iter().any(is_silent));
    let installed = missing.len() < EVENTS.len();
    let disabled = root.get("disableAllHooks").is_some_and(|node| &text[node.span.clone()] == "true");
    Ok(Presence { missing, installed, disabled, silent })
}

fn parse(text: &str) -> Result<Node, SettingsError> {
    spans::parse(text).map_err(|source| SettingsError::Json { source })
}

/// The hooks of one group.
fn handlers(group: &Node) -> &[Node] {
    group.get("hooks").and_then(Node::elements).unwrap_or_default()
}

/// A hook's command, if the hook is ours.
fn our_command(handler: &Node) -> Option<&Node> {
    handler.get("command").filter(|node| node.text().is_some_and(|command| command.contains(MARK)))
}

fn members_of(node: &Node) -> impl Iterator<Item = (&Member, Range<usize>)> + Clone {
    node.members().unwrap_or_default().iter().map(|member| (member, member.span.clone()))
}

/// Takes those children out of a list or object for which `keep` says no; whether the list or object itself stays. It
/// goes, and no edit is made in it, when we made it and nothing is left in it.
fn prune<'a, T: 'a>(
    container: &Node,
    children: impl Iterator<Item = (&'a T, Range<usize>)>,
    edits: &mut Edits,
    mut keep: impl FnMut(&'a T, &mut Edits) -> bool,
) -> bool {
    let (items, spans): (Vec<_>, Vec<_>) = children.unzip();
    let kept: Vec<bool> = items.into_iter().map(|item| keep(item, edits)).collect();
    if let ([first, ..], [.., last]) = (&spans[..], &spans[..])
        && !kept.contains(&true)
    {
        if container.span.start + 1 < first.start {
            return false;
        }
        edits.replace(first.start..last.end, String::new());
        return true;
    }
    let first_kept = kept.iter().position(|kept| *kept).unwrap_or_default();
    for at in (0..kept.len()).filter(|at| !kept[*at]) {
        // With the comma before it, or with the one after it where nothing before it stays.
        let out = if at < first_kept { spans[at].start..spans[at + 1].start } else { spans[at - 1].end..spans[at].end };
        edits.replace(out, String::new());
    }
    true
}

/// One group of one hook of ours.
fn entry(event: &Event, command: &str) -> String {
    let matcher = if event.tool { r#""matcher": "*", "# } else { "" };
    let (command, timeout) = (quoted(command), event.timeout);
    format!(r#"{{{matcher}"hooks": [{{"type": "command", "command": {command}, "timeout": {timeout}}}]}}"#)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// How the user's file is laid out.
struct Style {
    newline: &'static str,
    indent: String,
}

impl Default for Style {
    fn default() -> Self {
        Style { newline: "\n", indent: "  ".to_owned() }
    }
}

impl Style {
    fn of(text: &str, root: &Node) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let first = root.members().and_then(|members| members.first());
        let indent = first.and_then(|member| text[..member.span.start].rsplit_once('\n')).map(|(_, indent)| indent);
        let indent = indent.filter(|indent| !indent.is_empty() && indent.chars().all(|c| matches!(c, ' ' | '\t')));
        Style { newline, indent: indent.unwrap_or("  ").to_owned() }
    }

    /// A new line at that depth.
    fn line(&self, depth: usize) -> String {
        format!("{}{}", self.newline, self.indent.repeat(depth))
    }

    /// The member that holds all our hooks.
    fn hooks(&self, command: &str) -> String {
        let events: Vec<_> = EVENTS.iter().map(|event| self.event(event, command)).collect();
        let (open, close) = (self.line(2), self.line(1));
        format!("\"hooks\": {{{open}{}{close}}}", events.join(&format!(",{open}")))
    }

    /// The member that holds our hook of one event.
    fn event(&self, event: &Event, command: &str) -> String {
        format!("{:?}: [{}{}{}]", event.name, self.line(3), entry(event, command), self.line(2))
    }
}

/// Changes to a text, by the places they have in the unchanged one.
#[derive(Default)]
struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    fn replace(&mut self, place: Range<usize>, new: String) {
        self.0.push((place, new));
    }

    /// Adds items to a list or object whose children stand at `children`.
    fn append(&mut self, container: &Node, children: &[Range<usize>], items: &[String], line: &str) {
        let (at, before) = match children.last() {
            Some(last) => (last.end, format!(",{line}")),
            None => (container.span.start + 1, String::new()),
        };
        if !items.is_empty() {
            self.replace(at..at, before + &items.join(&format!(",{line}")));
        }
    }

    fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(place, _)| place.start);
        let mut out = String::with_capacity(text.len() + self.0.iter().map(|(_, new)| new.len()).sum::<usize>());
        let mut at = 0;
        for (place, new) in &self.0 {
            out.push_str(&text[at..place.start]);
            out.push_str(new);
            at = place.end;
        }
        out.push_str(&text[at..]);
        out
    }

    fn installed(self, text: &str) -> Installed {
        let changed = !self.0.is_empty();
        Installed { text: self.apply(text), changed }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const COMMAND: &str = SHARED_COMMAND;

    fn value(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    /// Installs into `text`, checks what must hold for any settings, gives the result.
    fn round_trip(text: &str) -> String {
        let installed = install(Some(text), COMMAND).unwrap();
        assert!(installed.changed && inspect(&installed.text).unwrap().missing.is_empty());
        let again = install(Some(&installed.text), COMMAND).unwrap();
        assert_eq!(again, Installed { text: installed.text.clone(), changed: false }, "a second time changes nothing");
        let out = uninstall(&installed.text).unwrap();
        assert_eq!(out, Uninstalled { text: Some(text.to_owned()), changed: true }, "taken out, all is as it was");
        assert_eq!(uninstall(text).unwrap(), Uninstalled { text: Some(text.to_owned()), changed: false });
        installed.text
    }

    #[test]
    fn a_file_that_was_not_there_reads_well_and_goes_again() {
        let installed = install(None, COMMAND).unwrap();
        let hooks = value(&installed.text);
        assert_eq!(
            hooks["hooks"]["PreToolUse"],
            json!([{"matcher": "*", "hooks": [{"type": "command", "command": COMMAND, "timeout": 20}]}])
        );
        assert_eq!(
            hooks["hooks"]["SessionEnd"],
            json!([{"hooks": [{"type": "command", "command": COMMAND, "timeout": 60}]}])
        );
        assert_eq!(hooks["hooks"].as_object().unwrap().len(), EVENTS.len());
        assert!(installed.text.starts_with("{\n  \"hooks\": {\n    \"PreToolUse\": [\n      {\"matcher\": \"*\", "));
        assert!(installed.text.ends_with("    ]\n  }\n}\n"));
        assert!(!install(Some(&installed.text), COMMAND).unwrap().changed);
        assert_eq!(uninstall(&installed.text).unwrap(), Uninstalled { text: None, changed: true });
    }

    #[test]
    fn what_is_the_users_stays_byte_for_byte() {
        for text in [
            "{}",
            "{}\n",
            "{\n}\n",
            " { \t} ",
            "{\"model\":\"opus\"}",
            "{\r\n\t\"model\": \"opus\"\r\n}\r\n",
            "{\n    \"hooks\": {},\n    \"z\": [1,\n2], \"a\": 1e3}",
            "{\"hooks\": {\n}}",
            "{\"hooks\":{\"Stop\":[],\"Other\":[ ]}}",
            "{\"hooks\":{\"Stop\":[ ],\"PreToolUse\":[{\"matcher\":\"Bash\",\"hooks\":[{\"type\":\"command\",\"command\":\"x\"}]}]}}",
            "{\"hooks\":{\"Stop\":[{\"hooks\":[]}],\"SessionEnd\":[7,null]}}",
            "{\"hooks\":{},\"hooks\":{\"Stop\":[]}}",
        ] {
            round_trip(text);
        }
        let tabs = round_trip("{\r\n\t\"model\": \"opus\"\r\n}\r\n");
        assert!(tabs.starts_with("{\r\n\t\"model\": \"opus\",\r\n\t\"hooks\": {\r\n\t\t\"PreToolUse\": [\r\n\t\t\t{"));
        assert!(!tabs.replace("\r\n", "").contains('\n'));
    }

    #[test]
    fn settings_we_do_not_understand_are_refused_with_their_place() {
        for (text, said) in [
            ("{\n  // mine\n  \"a\": 1\n}", "not JSON (line 2, column 3)"),
            ("{\"a\": 1,}", "not JSON (line 1, column 9)"),
            ("", "not JSON (line 1, column 0)"),
            ("[]", "the whole in the settings (line 1, column 1) is not an object"),
            ("{\n  \"hooks\": []\n}", "\"hooks\" in the settings (line 2, column 12) is not an object"),
            ("{\"hooks\": {\"Stop\": {}}}", "\"hooks\".\"Stop\" in the settings (line 1, column 20) is not a list"),
        ] {
            let error = install(Some(text), COMMAND).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn hooks_of_ours_are_found_after_the_users_edits() {
        let installed = install(None, COMMAND).unwrap().text;
        // Reformatted, a hook of the user's put into our group, before and after ours; a setting added.
        let mut edited = value(&installed);
        let theirs = json!({"type": "command", "command": "say done"});
        edited["hooks"]["Stop"][0]["hooks"].as_array_mut().unwrap().insert(0, theirs.clone());
        edited["hooks"]["PreToolUse"]
            .as_array_mut()
            .unwrap()
            .insert(0, json!({"matcher": "Bash", "hooks": [theirs.clone()]}));
        edited["hooks"]["PreToolUse"].as_array_mut().unwrap().push(json!({"hooks": []}));
        edited["hooks"]["SessionStart"][0]["hooks"].as_array_mut().unwrap().push(theirs.clone());
        edited["model"] = json!("opus");
        for text in [edited.to_string(), serde_json::to_string_pretty(&edited).unwrap()] {
            assert!(!install(Some(&text), COMMAND).unwrap().changed);
            let out = value(&uninstall(&text).unwrap().text.unwrap());
            assert_eq!(out["hooks"]["Stop"], json!([{"hooks": [theirs]}]));
            assert_eq!(out["hooks"]["SessionStart"], json!([{"hooks": [theirs]}]));
            assert_eq!(
                out["hooks"]["PreToolUse"],
                json!([{"matcher": "Bash", "hooks": [theirs]}, {"hooks": []}]),
                "{text}"
            );
            assert_eq!(out["model"], "opus");
            assert!(!out.to_string().contains("tracevault"));
        }
    }

    #[test]
    fn another_command_takes_the_place_of_an_older_one_and_nothing_else_changes() {
        let old = install(None, "git-tracevault hook claude-code")
            .unwrap()
            .text
            .replace("\"timeout\": 60", "\"timeout\": 90");
        let own = own_command(Path::new("/opt/it's here"));
        let new = install(Some(&old), &own).unwrap();
        assert!(new.changed);
        assert_eq!(new.text, old.replace("\"git-tracevault hook claude-code\"", &quoted(&own)));
        assert_eq!(uninstall(&new.text).unwrap().text, None);
        let less = old.replace("\"CwdChanged\"", "\"Old\"");
        assert_eq!(
            inspect(&less).unwrap(),
            Presence { missing: vec!["CwdChanged"], installed: true, disabled: false, silent: false }
        );
        let silent = |text: &str| inspect(text).unwrap().silent;
        assert!(!silent(&new.text));
        let older = new.text.replace("hook claude-code ||", "hook claude-code >/dev/null ||");
        assert!(silent(&older), "its answers go nowhere");
        assert!(!silent(&install(Some(&older), SHARED_COMMAND).unwrap().text));
        let off = inspect("{\"disableAllHooks\": true}").unwrap();
        assert!(off.disabled && !off.installed && off.missing.len() == EVENTS.len());
    }

    #[test]
    #[cfg(unix)]
    #[allow(clippy::disallowed_methods, reason = "the agent's shell is not git")]
    fn whatever_the_program_does_the_agent_sees_success_and_its_answer() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let run = |command: &str, path: &Path| {
            let output =
                std::process::Command::new("/bin/sh").args(["-c", command]).env("PATH", path).output().unwrap();
            (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
        };
        let silent = (Some(0), String::new(), String::new());
        let commands = [COMMAND.to_owned(), own_command(dir.path())];
        for command in &commands {
            assert_eq!(run(command, dir.path()), silent, "without the program");
        }
        let program = dir.path().join("git-tracevault");
        std::fs::write(&program, "#!/bin/sh\necho \"$@\" >> \"${0%/*}/called\"; echo answer; exit 2\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        for command in &commands {
            assert_eq!(
                run(command, dir.path()),
                (Some(0), "answer\n".to_owned(), String::new()),
                "with one that fails"
            );
        }
        let called = std::fs::read_to_string(dir.path().join("called")).unwrap();
        assert_eq!(called, "hook claude-code\nhook claude-code\n");
    }

    /// Settings as users have them, with any white space.
    fn settings() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z\"\\\\{}\\[\\],:ü]{0,6}".prop_map(Value::from),
        ];
        let any = leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec(("[a-z\"]{0,4}", inner), 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        let name = prop::sample::select(vec!["Stop", "PreToolUse", "SessionEnd", "Notification", "CwdChanged"]);
        let group = prop_oneof![
            any.clone(),
            prop::collection::vec(any.clone(), 0..3).prop_map(|hooks| json!({"matcher": "Bash", "hooks": hooks})),
        ];
        let events = prop::collection::vec((name, prop::collection::vec(group, 0..3)), 0..4).prop_map(|events| {
            Value::Object(events.into_iter().map(|(n, groups)| (n.to_owned(), json!(groups))).collect())
        });
        let before = prop::collection::vec(("[a-g]{1,3}", any.clone()), 0..3);
        let after = prop::collection::vec(("[i-z]{1,3}", any), 0..3);
        let document = (before, prop::option::of(events), after).prop_map(|(before, hooks, after)| {
            let hooks = hooks.map(|hooks| ("hooks".to_owned(), hooks));
            Value::Object(before.into_iter().chain(hooks).chain(after).collect())
        });
        let blanks =
            prop::collection::vec(prop::sample::select(vec!["", "", "", " ", "\n", "\n  ", "\t", "\r\n "]), 1..9);
        (document, blanks).prop_map(|(document, blanks)| {
            let mut next = blanks.iter().cycle();
            let mut text = String::new();
            print(&document, &mut || next.next().unwrap(), &mut text);
            text
        })
    }

    fn print<'a>(value: &Value, blank: &mut dyn FnMut() -> &'a &'a str, out: &mut String) {
        let children: Vec<(Option<&String>, &Value)> = match value {
            Value::Object(members) => members.iter().map(|(key, value)| (Some(key), value)).collect(),
            Value::Array(items) => items.iter().map(|value| (None, value)).collect(),
            leaf => return out.push_str(&leaf.to_string()),
        };
        out.push(if value.is_object() { '{' } else { '[' });
        out.push_str(blank());
        for (at, (key, child)) in children.into_iter().enumerate() {
            if at > 0 {
                *out += ",";
                out.push_str(blank());
            }
            if let Some(key) = key {
                *out += &quoted(key);
                out.push_str(blank());
                *out += ":";
                out.push_str(blank());
            }
            print(child, blank, out);
            out.push_str(blank());
        }
        out.push(if value.is_object() { '}' } else { ']' });
    }

    proptest! {
        #[test]
        fn any_settings_come_back_as_they_were(text in settings()) {
            let before = value(&text);
            let after = value(&round_trip(&text));
            let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            prop_assert!(keys(&after).starts_with(&keys(&before)), "keys keep their order");
            for (key, value) in before.as_object().unwrap().iter().filter(|(key, _)| *key != "hooks") {
                prop_assert_eq!(&after[key], value);
            }
        }
    }
}
