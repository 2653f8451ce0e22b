//! A make-believe agent: it speaks as Claude Code does, to the hooks and into a transcript, and changes files as its tools would.

use std::cell::Cell;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::World;

/// One session of the agent in a folder.
pub struct Agent<'w> {
    world: &'w World,
    dir: PathBuf,
    session: String,
    transcript: PathBuf,
    model: &'static str,
    /// Messages and tool calls so far; every message uses its own number of tokens.
    messages: Cell<u64>,
    calls: Cell<u64>,
}

impl<'w> Agent<'w> {
    /// A session begins.
    pub fn start(world: &'w World, dir: &Path, session: &str) -> Agent<'w> {
        let folder = world.home().join(".claude/projects/-repo");
        fs::create_dir_all(&folder).unwrap();
        let agent = Agent {
            world,
            dir: dir.to_owned(),
            session: session.to_owned(),
            transcript: folder.join(format!("{session}.jsonl")),
            model: "claude-opus-5-5",
            messages: Cell::new(0),
            calls: Cell::new(0),
        };
        agent.event("SessionStart", json!({"source": "startup"}));
        agent
    }

    /// Where its transcript is.
    pub fn transcript(&self) -> &Path {
        &self.transcript
    }

    /// Tokens that went to the model so far: message n has n of input, 10 n of output, 100 n read from the cache.
    pub fn input(&self) -> u64 {
        let n = self.messages.get();
        n * (n + 1) / 2
    }

    /// Tells the hook of an event a second later.
    pub fn event(&self, name: &str, more: Value) {
        self.world.pass(1);
        let mut payload = json!({"session_id": self.session, "transcript_path": self.transcript, "cwd": self.dir,
            "hook_event_name": name});
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let heard = self.world.hook(&self.dir, &payload).exits(0);
        // This agent goes on whatever it is answered; `nudges` has one that listens.
        let answers = |text: &str| serde_json::from_str::<Value>(text).is_ok_and(|answer| answer.is_object());
        assert!(heard.stdout.is_empty() || answers(&heard.stdout), "an agent shows what a hook prints: {heard:?}");
        assert_eq!(heard.stderr, "");
    }

    /// Adds a line to the transcript.
    pub fn line(&self, more: Value) {
        let n = fs::read_to_string(&self.transcript).map_or(0, |text| text.lines().count());
        let mut line = json!({"isSidechain": false, "uuid": format!("{}-{n}", self.session), "cwd": self.dir,
            "timestamp": self.world.now(), "sessionId": self.session, "version": "2.1.330"});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.transcript).unwrap();
        writeln!(file, "{line}").unwrap();
    }

    /// Somebody asks for something.
    pub fn prompt(&self, text: &str) -> &Self {
        self.event("UserPromptSubmit", json!({"prompt": text}));
        self.line(json!({"type": "user", "message": {"role": "user", "content": text}}));
        self
    }

    /// The model says something: a text, or a tool call.
    fn message(&self, block: Value) {
        let n = self.messages.get() + 1;
        self.messages.set(n);
        let usage = json!({"input_tokens": n, "output_tokens": 10 * n, "cache_read_input_tokens": 100 * n,
            "cache_creation_input_tokens": 0});
        let message = json!({"id": format!("msg-{}-{n}", self.session), "role": "assistant", "model": self.model,
            "content": [block], "usage": usage});
        self.line(json!({"type": "assistant", "message": message}));
    }

    pub fn say(&self, text: &str) -> &Self {
        self.message(json!({"type": "text", "text": text}));
        self
    }

    /// The model thinks.
    pub fn think(&self, text: &str) -> &Self {
        self.message(json!({"type": "thinking", "thinking": text}));
        self
    }

    /// The model lays a plan before its user, who agrees.
    pub fn plan(&self, text: &str) -> String {
        let id = self.wish("ExitPlanMode", &json!({"plan": text}));
        self.result(&id, false, json!({"plan": text}));
        id
    }

    /// A shell call that only seems to run: it prints this, and is well or fails.
    pub fn shell(&self, command: &str, printed: &str, fails: bool) -> String {
        let input = json!({"command": command});
        let id = self.wish("Bash", &input);
        let (event, key) = if fails { ("PostToolUseFailure", "error") } else { ("PostToolUse", "tool_response") };
        let mut more = json!({"tool_name": "Bash", "tool_input": input, "tool_use_id": id});
        more[key] = json!(printed);
        self.event(event, more);
        self.result_saying(&id, fails, json!({}), printed);
        id
    }

    /// A tool call from its wish to its result, `act` in between; the call's id.
    pub fn call(&self, tool: &str, input: &Value, act: impl FnOnce()) -> String {
        let id = self.wish(tool, input);
        act();
        self.done(&id, tool, input, json!({}));
        id
    }

    /// A tool call that is over: the event after it, with what the tool answers, and its result.
    pub fn done(&self, call: &str, tool: &str, input: &Value, response: Value) {
        let more = json!({"tool_name": tool, "tool_input": input, "tool_use_id": call, "tool_response": response});
        self.event("PostToolUse", more);
        self.result(call, false, json!({}));
    }

    /// A call that changes one file, and says as what it found it: with the line ends and the bytes that its text has.
    fn change(&self, tool: &str, path: &Path, input: &Value, act: impl FnOnce()) -> String {
        let id = self.wish(tool, input);
        let found = fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).replace("\r\n", "\n"));
        act();
        self.done(&id, tool, input, json!({"filePath": path, "originalFile": found}));
        id
    }

    /// A tool call that has begun: the message with it, and the event before it runs.
    pub fn wish(&self, tool: &str, input: &Value) -> String {
        let n = self.calls.get() + 1;
        self.calls.set(n);
        let id = format!("toolu-{}-{n}", self.session);
        self.message(json!({"type": "tool_use", "id": id, "name": tool, "input": input}));
        self.event("PreToolUse", json!({"tool_name": tool, "tool_input": input, "tool_use_id": id}));
        id
    }

    /// What the transcript says of a call's end.
    pub fn result(&self, call: &str, is_error: bool, result: Value) {
        self.result_saying(call, is_error, result, "done");
    }

    fn result_saying(&self, call: &str, is_error: bool, result: Value, said: &str) {
        let block = json!({"type": "tool_result", "tool_use_id": call, "is_error": is_error, "content": said});
        self.line(json!({"type": "user", "message": {"role": "user", "content": [block]}, "toolUseResult": result}));
    }

    /// Writes a whole file.
    pub fn write(&self, file: &str, text: &str) -> String {
        let path = self.dir.join(file);
        self.change("Write", &path, &json!({"file_path": path, "content": text}), || {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        })
    }

    /// Puts one text in the place of another, once.
    pub fn edit(&self, file: &str, old: &str, new: &str) -> String {
        let path = self.dir.join(file);
        self.change("Edit", &path, &json!({"file_path": path, "old_string": old, "new_string": new}), || {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(old), "{old:?} is not in {file}: {text:?}");
            fs::write(&path, text.replacen(old, new, 1)).unwrap();
        })
    }

    /// Runs a command in a shell.
    pub fn bash(&self, command: &str) -> String {
        self.call("Bash", &json!({"command": command}), || {
            let mut shell = self.world.command("sh", &self.dir);
            shell.env("CLAUDE_CODE_SESSION_ID", &self.session);
            let output = shell.args(["-c", command]).output().unwrap();
            assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        })
    }

    /// The session ends, and the agent says so.
    pub fn end(&self) {
        self.event("SessionEnd", json!({"reason": "other"}));
    }
}
