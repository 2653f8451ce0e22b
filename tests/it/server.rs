//! A server of the audit view, and a browser that is no more than its cookie.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::World;

/// A server, as long as it is wanted.
pub struct Server {
    child: Child,
    /// Host and port.
    pub address: String,
}

/// What a server answered.
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub headers: String,
    raw: String,
    pub body: String,
}

impl Answer {
    /// A header's value, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.raw.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Server {
    /// A server that everybody may read.
    pub fn start(world: &World, dir: &Path, args: &[&str]) -> Server {
        Server::closed(world, dir, &[&["--public"], args].concat())
    }

    /// A server that asks who one is.
    pub fn closed(world: &World, dir: &Path, args: &[&str]) -> Server {
        let mut command = world.command(env!("CARGO_BIN_EXE_git-tracevault"), dir);
        let always = ["serve", "--listen", "127.0.0.1:0"];
        let mut child = command.args(always).args(args).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        told.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("serving http://").unwrap_or_else(|| panic!("{line}"));
        let address = address.trim_end_matches('/').to_owned();
        // What it says later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        Server { child, address }
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    /// Any request, with these headers beside what every one has.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head.push_str(&format!("Host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        write!(stream, "{head}\r\n{body}").unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        let body =
            if headers.to_lowercase().contains("transfer-encoding: chunked") { unchunked(body) } else { body.into() };
        Answer { status, headers: headers.to_lowercase(), raw: headers.to_owned(), body }
    }

    #[track_caller]
    pub fn page(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    pub fn rows(&self, path: &str) -> Vec<Value> {
        let answer: Value = serde_json::from_str(&self.page(path)).unwrap();
        answer["rows"].as_array().unwrap().clone()
    }

    /// Waits until the first repository has a verdict, and everything in it was read: words come after the verdict.
    pub fn settle(&self) -> Value {
        let told = |row: &&Value| !row["verdict"].is_null() || !row["trouble"].is_null();
        for _ in 0..600 {
            let rows = self.rows("/overview.json");
            if let Some(row) = rows.first().filter(told).filter(|row| row["doing"] == "waiting") {
                return row.clone();
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("nothing was verified in half a minute")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn unchunked(mut body: &str) -> String {
    let mut out = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        out.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    out
}
