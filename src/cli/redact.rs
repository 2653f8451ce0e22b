//! `git tracevault redact`: the redactor as a filter, from standard input to standard output.

use std::borrow::Cow;
use std::io::{BufRead, Write};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::redaction::{Hit, Redactor};

/// Take secrets out of text or JSON lines
///
/// Reads standard input and writes it to standard output with each secret replaced by [REDACTED:<rule>]. A line that is
/// JSON stays JSON, and keeps everything but the secrets byte for byte. Nothing is stored and nothing is sent.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Read and write lines of {"id","text"}; only the text is redacted
    #[arg(long)]
    jsonl: bool,
    /// List where secrets are instead: rule, line (from 1), start and end (bytes, from 0); never the secret
    #[arg(long)]
    json: bool,
}

/// Text is searched in pieces of about this size, cut between lines, since a secret may be longer than a line.
const PIECE: usize = 4 << 20;

pub fn run(args: &Args, input: &mut dyn BufRead, output: &mut dyn Write) -> anyhow::Result<()> {
    let mut redactor = Redactor::new();
    if args.jsonl {
        records(args, &mut redactor, input, output)?;
    } else {
        lines(args, &mut redactor, input, output)?;
    }
    output.flush().context("writing the output")
}

/// Lines of JSON one by one; the text between them together.
fn lines(args: &Args, redactor: &mut Redactor, input: &mut dyn BufRead, output: &mut dyn Write) -> anyhow::Result<()> {
    let mut piece = Vec::new();
    let (mut first, mut number) = (1, 0);
    loop {
        let start = piece.len();
        let more = input.read_until(b'\n', &mut piece).context("reading the input")? > 0;
        // A document ends the text before it, and is a piece of its own.
        let document = more && start > 0 && matches!(piece[start], b'{' | b'[');
        let cut = if document || !more || start > PIECE { start } else { 0 };
        if cut > 0 {
            write(args, redactor, &piece[..cut], first, output)?;
            piece.drain(..cut);
            first = number + 1;
        }
        if !more {
            return Ok(());
        }
        number += 1;
        if matches!(piece[0], b'{' | b'[') {
            write(args, redactor, &piece, first, output)?;
            piece.clear();
            first = number + 1;
        }
    }
}

fn write(args: &Args, redactor: &mut Redactor, piece: &[u8], first: u64, output: &mut dyn Write) -> anyhow::Result<()> {
    if args.json {
        for hit in redactor.hits(piece, first) {
            list(&hit, output)?;
        }
        return Ok(());
    }
    output.write_all(redactor.line(piece).as_ref()).context("writing the output")
}

fn list(entry: &impl Serialize, output: &mut dyn Write) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *output, entry).context("writing the output")?;
    output.write_all(b"\n").context("writing the output")
}

/// A line of `--jsonl`. The id may be any JSON value.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

/// A line of `--jsonl --json`.
#[derive(Serialize)]
struct RecordHit<'a> {
    id: &'a RawValue,
    #[serde(flatten)]
    hit: Hit,
}

fn records(
    args: &Args,
    redactor: &mut Redactor,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        if input.read_until(b'\n', &mut line).context("reading the input")? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let Ok(record) = serde_json::from_slice::<Record>(&line) else {
            // What serde says could quote the line, and with it a secret.
            bail!("line {number} is not an object with `id` and a string `text`");
        };
        if args.json {
            for hit in redactor.hits(record.text.as_bytes(), 1) {
                list(&RecordHit { id: record.id, hit }, output)?;
            }
        } else {
            let text = redactor.text(&record.text).into_inner();
            list(&Record { id: record.id, text }, output)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(args: Args, input: &[u8]) -> anyhow::Result<String> {
        let mut output = Vec::new();
        run(&args, &mut &input[..], &mut output)?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    fn token() -> String {
        format!("ghp_{}", "aB3dE6gH9".repeat(4))
    }

    #[test]
    fn a_filter_keeps_all_but_the_secrets() {
        let input = format!("plain {}\r\n{{\"a\": \"{}\\n\"}}\n\nend", token(), token());
        let output = filter(Args { jsonl: false, json: false }, input.as_bytes()).unwrap();
        assert_eq!(output, input.replace(&token(), "[REDACTED:github-token]"));
        let clean = "no secret\n{\"a\":1}\n[\n\n{";
        assert_eq!(filter(Args { jsonl: false, json: false }, clean.as_bytes()).unwrap(), clean);
        assert_eq!(filter(Args { jsonl: false, json: false }, b"").unwrap(), "");
    }

    #[test]
    fn a_key_over_several_lines_is_seen_whole() {
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        let input =
            format!("{{\"a\":1}}\n-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n{{\"b\":2}}\n");
        let output = filter(Args { jsonl: false, json: false }, input.as_bytes()).unwrap();
        assert_eq!(output, "{\"a\":1}\n[REDACTED:private-key]\n{\"b\":2}\n");
    }

    #[test]
    fn findings_are_listed_by_line_and_column() {
        let input = format!("a\nxy {}\n{{\"a\":\"{}\"}}\n", token(), token());
        let output = filter(Args { jsonl: false, json: true }, input.as_bytes()).unwrap();
        let expected = "{\"rule\":\"github-token\",\"line\":2,\"start\":3,\"end\":43}\n{\"rule\":\"github-token\",\"line\":3,\"start\":6,\"end\":46}\n";
        assert_eq!(output, expected);
    }

    #[test]
    fn records_come_back_with_their_ids() {
        let input =
            format!("{{\"id\":7,\"text\":\"a\\n{} é\",\"x\":1}}\n\n{{\"text\":\"b\",\"id\":\"p1\"}}\n", token());
        let output = filter(Args { jsonl: true, json: false }, input.as_bytes()).unwrap();
        assert_eq!(output, "{\"id\":7,\"text\":\"a\\n[REDACTED:github-token] é\"}\n{\"id\":\"p1\",\"text\":\"b\"}\n");
        let output = filter(Args { jsonl: true, json: true }, input.as_bytes()).unwrap();
        assert_eq!(output, "{\"id\":7,\"rule\":\"github-token\",\"line\":2,\"start\":0,\"end\":40}\n");
    }

    #[test]
    fn a_record_that_is_none_is_named_by_its_line() {
        for bad in ["[1]", "{\"id\":1}", "{\"id\":1,\"text\":2}", "ghp_secret"] {
            let input = format!("{{\"id\":1,\"text\":\"a\"}}\n{bad}\n");
            let error = filter(Args { jsonl: true, json: false }, input.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("line 2") && !error.contains("secret"), "{error}");
        }
    }
}
