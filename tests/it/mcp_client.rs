//! A client of `git tracevault mcp` that writes every byte itself, so that it can write wrong ones.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::World;

/// How long an answer may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server, and what it says line by line.
pub struct Client {
    child: Child,
    input: Option<ChildStdin>,
    said: Receiver<String>,
    next: u64,
    /// What each message says of itself, in revisions without a handshake.
    meta: Option<Value>,
}

impl Client {
    /// Starts a server; nothing was said yet.
    pub fn start(world: &World, dir: &Path) -> Client {
        let mut command = world.command(env!("CARGO_BIN_EXE_git-tracevault"), dir);
        let command = command.arg("mcp").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (tell, said) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let input = child.stdin.take();
        Client { child, input, said, next: 1, meta: None }
    }

    /// A client that shook hands, or one of the revision that knows no handshake.
    pub fn of(world: &World, dir: &Path, revision: &str) -> Client {
        let mut client = Client::start(world, dir);
        let info = json!({"name": "raw", "version": "1"});
        if revision >= "2026" {
            let key = |name: &str| format!("io.modelcontextprotocol/{name}");
            client.meta = Some(json!({key("protocolVersion"): revision, key("clientInfo"): info,
                key("clientCapabilities"): {}}));
            return client;
        }
        let told =
            client.ask("initialize", json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": info}));
        assert_eq!(told["result"]["protocolVersion"], revision, "{told}");
        client.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
        client
    }

    /// Writes a line, whatever it is.
    pub fn write(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Sends a request without waiting; its number.
    pub fn send(&mut self, method: &str, mut params: Value) -> u64 {
        if let Some(meta) = &self.meta {
            params["_meta"] = meta.clone();
        }
        let id = self.next;
        self.next += 1;
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string());
        id
    }

    /// The next message.
    #[track_caller]
    pub fn hear(&mut self) -> Value {
        let line = self.said.recv_timeout(PATIENCE).expect("the server answers");
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("only the protocol is on standard output: {error}: {line}"))
    }

    /// The answer to a request.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        let told = self.hear();
        assert_eq!(told["id"], id, "{told}");
        told
    }

    /// What a tool tells, as data; the same stands in its text.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let told = self.ask("tools/call", json!({"name": tool, "arguments": arguments}));
        let result = &told["result"];
        assert_eq!(result["isError"], false, "{told}");
        let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, result["structuredContent"]);
        text
    }

    /// Why a tool does not answer.
    #[track_caller]
    pub fn refuses(&mut self, tool: &str, arguments: Value) -> String {
        let told = self.ask("tools/call", json!({"name": tool, "arguments": arguments}));
        assert_eq!(told["result"]["isError"], true, "{told}");
        told["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// A resource's text, as data.
    #[track_caller]
    pub fn read(&mut self, uri: &str) -> Value {
        let told = self.ask("resources/read", json!({"uri": uri}));
        serde_json::from_str(told["result"]["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("{told}")))
            .unwrap()
    }

    /// Closes the server's input, and waits until it ends by itself.
    #[track_caller]
    pub fn ends(mut self) {
        drop(self.input.take());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
        assert_eq!(self.said.iter().collect::<Vec<_>>(), Vec::<String>::new(), "nothing is left to say");
    }
}
