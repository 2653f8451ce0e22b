//! Stories that a model tells: a scripted server on loopback plays both kinds of provider, well and badly behaved.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::story::told;
use crate::support::{Output, finish};

/// A server that answers every request with the same, and remembers what it was asked.
struct Model {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Model {
    /// One that answers this; nothing at all without.
    fn answering(status: u16, body: Option<String>) -> Model {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        std::thread::spawn(move || {
            // Who gets no answer still holds the connection.
            let mut open = Vec::new();
            for mut stream in listener.incoming().flatten() {
                heard.lock().unwrap().push(request(&stream));
                let Some(body) = &body else {
                    open.push(stream);
                    continue;
                };
                let head = format!(
                    "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok();
            }
        });
        Model { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The story of a line, with this model configured by the environment.
    fn story(&self, team: &Team, provider: &str, args: &[&str]) -> Output {
        let mut command = story_command(team, args);
        command.env("TRACEVAULT_STORY_URL", &self.url).env("TRACEVAULT_STORY_PROVIDER", provider);
        command.env("TRACEVAULT_STORY_MODEL", "claude-opus-4-5").env("TRACEVAULT_STORY_KEY", "k-1");
        finish(command.env("TRACEVAULT_STORY_TIMEOUT", "2"), b"")
    }
}

fn story_command(team: &Team, args: &[&str]) -> Command {
    let mut command = team.ada.command(env!("CARGO_BIN_EXE_git-tracevault"), &team.work);
    command.args([&["story", "sums.py:6"], args].concat());
    command
}

/// The head and body of a request.
fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    head + "\n" + &String::from_utf8(body).unwrap()
}

fn anthropic(text: &str, why: &str) -> String {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-5", "stop_reason": why,
        "content": [{"type": "text", "text": text}], "usage": {"input_tokens": 1000, "output_tokens": 100}})
    .to_string()
}

fn openai(text: &str, why: &str) -> String {
    json!({"choices": [{"index": 0, "finish_reason": why, "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100}})
    .to_string()
}

/// A story with one sentence that holds, one with a citation too many, one without any, one that cites nothing there is.
fn answer() -> String {
    json!({"sections": [
        {"kind": "decisions", "sentences": [{"text": "It was decided\u{1b}[31m so.", "cites": [2, 99]}]},
        {"kind": "need", "sentences": [
            {"text": "Finance asked for it.", "cites": [1]},
            {"text": "Everybody was happy.", "cites": []},
            {"text": "The moon is a cheese.", "cites": [0, -1, 1000]},
        ]},
    ]})
    .to_string()
}

#[test]
fn a_model_tells_from_the_same_sources_and_nothing_without_one() {
    let team = told();
    let text = answer();
    for (provider, body) in
        [("anthropic", anthropic(&text, "end_turn")), ("openai", openai(&format!("```json\n{text}\n```"), "stop"))]
    {
        let model = Model::answering(200, Some(body));
        let output = model.story(&team, provider, &["--json"]).exits(0);
        let story: Value = serde_json::from_str(&output.stdout).unwrap();
        let told = json!({"by": "model", "model": "claude-opus-4-5", "input": 1000, "output": 100, "struck": 6});
        assert_eq!(story["teller"], told, "{story:#}");
        let sections = json!([
            {"kind": "need", "sentences": [{"text": "Finance asked for it.", "cites": [1]}]},
            {"kind": "decisions", "sentences": [{"text": "It was decided\u{1b}[31m so.", "cites": [2]}]},
        ]);
        assert_eq!(story["sections"], sections);
        assert!(!output.stdout.contains('\u{1b}'), "nothing steers a terminal");
        assert!(output.stderr.contains("1000 tokens in, 100 out, $0.01"), "{}", output.stderr);
        assert!(output.stderr.contains("struck out: 6"), "{}", output.stderr);
        let asked = model.asked();
        assert_eq!(asked.len(), 1);
        let (path, key) = match provider {
            "anthropic" => ("POST /v1/messages ", "x-api-key: k-1"),
            _ => ("POST /chat/completions ", "authorization: Bearer k-1"),
        };
        assert!(asked[0].starts_with(path) && asked[0].contains(key), "{}", asked[0]);
        assert!(asked[0].contains("An empty list has the average 0"), "{}", asked[0]);
        let text = model.story(&team, provider, &[]).exits(0).stdout;
        assert!(text.contains("Finance asked for it. [1]") && !text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn what_goes_wrong_with_a_model_falls_back_to_the_records_and_is_said() {
    let team = told();
    let composed = finish(&mut story_command(&team, &["--json"]), b"").exits(0);
    let composed: Value = serde_json::from_str(&composed.stdout).unwrap();
    let baseless =
        json!({"sections": [{"kind": "need", "sentences": [{"text": "So it was.", "cites": [77]}]}]}).to_string();
    let unknown = json!({"sections": [{"kind": "gossip", "sentences": []}]}).to_string();
    for (provider, status, body, why) in [
        ("anthropic", 200, None, "cannot be asked"),
        ("anthropic", 429, Some(r#"{"error":{"message":"slow down"}}"#.to_owned()), "too many requests"),
        ("openai", 429, Some("{}".to_owned()), "too many requests"),
        ("openai", 401, Some(r#"{"error":{"message":"no such key"}}"#.to_owned()), "401: no such key"),
        ("anthropic", 500, Some("<html>".to_owned()), "500"),
        ("anthropic", 200, Some(anthropic("I cannot help with that.", "refusal")), "refuses"),
        ("openai", 200, Some(openai("", "content_filter")), "refuses"),
        ("anthropic", 200, Some(anthropic(&answer()[..60], "max_tokens")), "cut off at 100 tokens"),
        ("openai", 200, Some(openai(&answer()[..60], "length")), "cut off"),
        ("anthropic", 200, Some(anthropic("Once upon a time", "end_turn")), "cannot be read"),
        ("anthropic", 200, Some("[]".to_owned()), "cannot be read"),
        ("openai", 200, Some(r#"{"choices":[]}"#.to_owned()), "cannot be read"),
        ("openai", 200, Some(openai(&unknown, "stop")), "cannot be read"),
        ("openai", 200, Some(openai(&baseless, "stop")), "none of its sentences"),
        ("anthropic", 302, Some(String::new()), "302"),
    ] {
        let output = Model::answering(status, body).story(&team, provider, &["--json"]).exits(0);
        let story: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(story["sections"], composed["sections"], "{why}");
        let said = story["teller"]["fallback"].as_str().unwrap();
        assert!(said.contains(why) && output.stderr.contains("told from the records alone"), "{why}: {said}");
        assert!(!said.contains("k-1"), "{said}");
        if ["cut off at 100 tokens", "none of its sentences"].contains(&why) {
            assert!(output.stderr.contains("it took 1000 tokens in, 100 out"), "{}", output.stderr);
        }
    }
}

#[test]
fn nothing_is_sent_unless_an_endpoint_is_named() {
    let team = told();
    let model = Model::answering(200, Some(anthropic(&answer(), "end_turn")));
    let mut command = story_command(&team, &["--json"]);
    command.env("TRACEVAULT_STORY_PROVIDER", "anthropic").env("TRACEVAULT_STORY_MODEL", "m");
    finish(command.env("TRACEVAULT_STORY_KEY", "k"), b"").exits(0);
    model.story(&team, "anthropic", &["--no-model"]).exits(0);
    assert_eq!(model.asked(), [""; 0]);
    // Git's configuration does as well, and what is wrong there is said.
    let (ada, work) = (&team.ada, &team.work);
    ada.git(work, ["config", "tracevault.story.baseUrl", &format!("{}/", model.url)]).ok();
    let refused = finish(&mut story_command(&team, &[]), b"").exits(2);
    assert!(refused.stderr.contains("tracevault.story.provider"), "{}", refused.stderr);
    ada.git(work, ["config", "tracevault.story.provider", "anthropic"]).ok();
    ada.git(work, ["config", "tracevault.story.model", "m"]).ok();
    let output = finish(&mut story_command(&team, &[]), b"").exits(0);
    assert!(output.stdout.contains("Finance asked for it.") && output.stderr.contains("told by m"), "{output:?}");
    assert!(model.asked()[0].starts_with("POST /v1/messages ") && !model.asked()[0].contains("x-api-key"));
    let open = "http://models.example";
    ada.git(work, ["config", "tracevault.story.baseUrl", open]).ok();
    let refused = finish(&mut story_command(&team, &[]), b"").exits(2);
    assert!(refused.stderr.contains("an https URL"), "{}", refused.stderr);
    // What the environment leaves empty is switched off.
    finish(story_command(&team, &[]).env("TRACEVAULT_STORY_URL", ""), b"").exits(0);
    ada.git(work, ["config", "tracevault.story.baseUrl", "https://ada:s3cret@models.example"]).ok();
    let refused = finish(&mut story_command(&team, &[]), b"").exits(2);
    assert!(refused.stderr.contains("models.example") && !refused.stderr.contains("s3cret"), "{}", refused.stderr);
}

#[test]
fn what_is_sent_is_redacted_by_the_users_rules_and_not_through_a_proxy() {
    let team = Team::new();
    let (ada, work) = (&team.ada, team.work.as_path());
    // Both stand where a text is cut: of half of one nobody could tell what it is.
    let token = format!("{}{}", "ghp_", "a8F3kQ9zL1mX7cV5bN2jH6gD4sP0wRtYuIeO");
    let (key, password) = ("acme_0123456789abcdefghijklmnopqrstuv", "Zq7kPw93xTgBv5");
    let rules = ada.home().join(".config/git-tracevault/redaction.toml");
    std::fs::create_dir_all(rules.parent().unwrap()).unwrap();
    let allowed = [token.as_str(), password].map(|text| format!("[[allow]]\npattern = '{text}'\n")).concat();
    std::fs::write(&rules, allowed).unwrap();
    let agent = Agent::start(ada, work, "sums-1");
    agent.prompt(&format!("Connect with {password} to the totals, please, for customer {key}."));
    agent.prompt(&format!("Sums of totals. {}{token} password = \"{password}\"", "word ".repeat(813)));
    agent.write("sums.py", "totals = sum(items)\n");
    ada.commit(work, "Sums of totals");
    std::fs::write(&rules, "[[rule]]\nid = \"acme-key\"\npattern = 'acme_[A-Za-z0-9]{32}'\n").unwrap();

    let model = Model::answering(200, Some(openai(&answer(), "stop")));
    let proxy = Model::answering(200, Some(openai(&answer(), "stop")));
    let mut command = ada.command(env!("CARGO_BIN_EXE_git-tracevault"), work);
    command.args(["story", "sums.py:1"]).env("TRACEVAULT_STORY_URL", &model.url).env("http_proxy", &proxy.url);
    command.env("TRACEVAULT_STORY_PROVIDER", "openai").env("TRACEVAULT_STORY_MODEL", "m").env("ALL_PROXY", &proxy.url);
    finish(&mut command, b"").exits(0);
    let (asked, through) = (model.asked(), proxy.asked());
    assert_eq!((asked.len(), through.len()), (1, 0));
    assert!(asked[0].contains("Connect with") && asked[0].contains("max_completion_tokens"), "{}", asked[0]);
    for secret in ["ghp_", &key[..12], &password[..6]] {
        assert!(!asked[0].contains(secret), "{secret}: {}", asked[0]);
    }
    let shown = ada.run(work, ["story", "sums-1"]).ok();
    assert!(!shown.contains("ghp_") && !shown.contains(&password[..6]), "{shown}");
    // Rules that cannot be read send nothing.
    std::fs::write(&rules, "[[rule]]\n").unwrap();
    finish(&mut command, b"").exits(2);
    assert_eq!(model.asked().len(), 1);
}

#[test]
fn a_server_that_knows_another_limit_is_asked_again() {
    let team = told();
    let refused = r#"{"error":{"message":"Unsupported parameter: 'max_completion_tokens'"}}"#;
    let model = Model::answering(400, Some(refused.to_owned()));
    let output = model.story(&team, "openai", &[]).exits(0);
    let asked = model.asked();
    assert_eq!(asked.len(), 2);
    assert!(!asked[1].contains("max_completion_tokens") && asked[1].contains("max_tokens"), "{}", asked[1]);
    assert!(output.stderr.contains("told from the records alone"), "{}", output.stderr);
}
