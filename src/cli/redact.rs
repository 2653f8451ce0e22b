//! `git tracevault redact`: the redactor as a filter, from standard input to standard output.

use std::borrow::Cow;
use std::io::{BufRead, Read as _, Write};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::config;
use crate::redaction::{Hit, Redactor};

/// Take secrets out of text or JSON lines
///
/// Reads standard input and writes it to standard output with each secret replaced by [REDACTED:<rule>:<mark>]; equal
/// secrets have equal marks. A line that is JSON stays JSON, and keeps everything but the secrets byte for byte. What was
/// found once goes wherever it comes again. Nothing is stored and nothing is sent.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Read and write lines of {"id","text"}; only the text is redacted
    #[arg(long)]
    jsonl: bool,
    /// List where secrets are instead: rule, line (from 1), start and end (bytes, from 0); never the secret
    #[arg(long)]
    json: bool,
    /// Look for card numbers, too (PCI DSS)
    #[arg(long)]
    pci: bool,
    /// Hide whose machine it is: the home directory becomes ~, the host's name a marker
    #[arg(long)]
    private: bool,
    /// Hide e-mail addresses
    #[arg(long)]
    emails: bool,
}

/// Text is searched in pieces of about this size, cut between lines, since a secret may be longer than a line.
const PIECE: usize = 4 << 20;
/// A longer line is cut between words.
const LINE: u64 = 64 << 20;
/// As much is read before any of it is written: what is found in it goes from all of it.
const WINDOW: usize = 64 << 20;

pub fn run(args: &Args, input: &mut dyn BufRead, output: &mut dyn Write) -> anyhow::Result<()> {
    let settings = config::redaction(args.pci, args.private, args.emails)?;
    filter(args, &mut Redactor::new(settings), input, output)
}

fn filter(args: &Args, redactor: &mut Redactor, input: &mut dyn BufRead, output: &mut dyn Write) -> anyhow::Result<()> {
    if args.jsonl {
        records(args, redactor, input, output)?;
    } else {
        lines(args, redactor, input, output)?;
    }
    output.flush().context("writing the output")
}

/// Lines of JSON one by one; the text between them together.
fn lines(args: &Args, redactor: &mut Redactor, input: &mut dyn BufRead, output: &mut dyn Write) -> anyhow::Result<()> {
    let mut window = Vec::new();
    // Where each piece ends, and the number of its first line.
    let mut pieces: Vec<(usize, u64)> = Vec::new();
    let mut number = 1;
    loop {
        let start = window.len();
        let read = read_line(input, &mut window)?;
        let whole = window.last() == Some(&b'\n');
        if read == 0 || start >= WINDOW {
            write(args, redactor, &window[..start], &pieces, output)?;
            window.drain(..start);
            pieces.clear();
            if read == 0 {
                return Ok(());
            }
        }
        let start = window.len() - read;
        let document = |at: usize| matches!(window[at], b'{' | b'[');
        let begin = pieces.len().checked_sub(2).map_or(0, |i| pieces[i].0);
        match pieces.last_mut() {
            // Text goes on.
            Some(last) if !document(begin) && !document(start) && last.0 - begin < PIECE => last.0 = window.len(),
            _ => pieces.push((window.len(), number)),
        }
        number += u64::from(whole);
    }
}

/// Reads a line, or as much of one as is looked at together. Returns how many bytes that is.
fn read_line(input: &mut dyn BufRead, window: &mut Vec<u8>) -> anyhow::Result<usize> {
    let read = (&mut *input).take(LINE).read_until(b'\n', window).context("reading the input")?;
    if (read as u64) < LINE || window.last() == Some(&b'\n') {
        return Ok(read);
    }
    // No word is cut, if words there are.
    let blanks = |b: &u8| matches!(b, b' ' | b'\t' | b',' | b'"' | b'\n');
    let more = input.fill_buf().context("reading the input")?;
    let rest = more.iter().position(blanks).map_or(more.len(), |n| n + 1);
    window.extend_from_slice(&more[..rest]);
    input.consume(rest);
    Ok(read + rest)
}

/// Writes a window's pieces, or what would be taken out of them.
fn write(
    args: &Args,
    redactor: &mut Redactor,
    window: &[u8],
    pieces: &[(usize, u64)],
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    let starts = std::iter::once(0).chain(pieces.iter().map(|piece| piece.0));
    let texts: Vec<&[u8]> = starts.zip(pieces).map(|(start, (end, _))| &window[start..*end]).collect();
    if args.json {
        for (text, (_, first)) in texts.iter().zip(pieces) {
            for hit in redactor.hits(text, *first) {
                list(&hit, output)?;
            }
        }
        return Ok(());
    }
    for redacted in redactor.session(&texts) {
        output.write_all(redacted.as_ref()).context("writing the output")?;
    }
    Ok(())
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
    let mut window = Vec::new();
    let mut ends = Vec::new();
    let mut number = 0;
    loop {
        let start = window.len();
        let read = input.read_until(b'\n', &mut window).context("reading the input")?;
        if read == 0 || start >= WINDOW {
            write_records(args, redactor, &window[..start], &ends, output)?;
            window.drain(..start);
            ends.clear();
            if read == 0 {
                return Ok(());
            }
        }
        number += 1;
        if !window[window.len() - read..].trim_ascii().is_empty() {
            ends.push((window.len() - read, window.len(), number));
        }
    }
}

fn write_records(
    args: &Args,
    redactor: &mut Redactor,
    window: &[u8],
    ends: &[(usize, usize, u64)],
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut records = Vec::with_capacity(ends.len());
    for (start, end, number) in ends {
        let Ok(record) = serde_json::from_slice::<Record>(&window[*start..*end]) else {
            // What serde says could quote the line, and with it a secret.
            bail!("line {number} is not an object with `id` and a string `text`");
        };
        records.push(record);
    }
    if args.json {
        for record in &records {
            for hit in redactor.hits(record.text.as_bytes(), 1) {
                list(&RecordHit { id: record.id, hit }, output)?;
            }
        }
        return Ok(());
    }
    let texts: Vec<&[u8]> = records.iter().map(|record| record.text.as_bytes()).collect();
    for (record, text) in records.iter().zip(redactor.session(&texts)) {
        // No span cuts a character, so this never has to replace one.
        let text = String::from_utf8_lossy(text.as_ref());
        list(&Record { id: record.id, text }, output)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(args: Args, input: &[u8]) -> anyhow::Result<String> {
        let mut output = Vec::new();
        filter(&args, &mut Redactor::default(), &mut &input[..], &mut output)?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    fn args(jsonl: bool, json: bool) -> Args {
        Args { jsonl, json, pci: false, private: false, emails: false }
    }

    /// The marker of a secret.
    fn marker(rule: &str, secret: &str) -> String {
        let mut redactor = Redactor::default();
        let marker = redactor.text(secret).into_inner().into_owned();
        assert!(marker.starts_with(&format!("[REDACTED:{rule}:")), "{marker}");
        marker
    }

    fn token() -> String {
        format!("ghp_{}", "aB3dE6gH9".repeat(4))
    }

    #[test]
    fn a_filter_keeps_all_but_the_secrets() {
        let input = format!("plain {}\r\n{{\"a\": \"{}\\n\"}}\n\nend", token(), token());
        let output = filtered(args(false, false), input.as_bytes()).unwrap();
        assert_eq!(output, input.replace(&token(), &marker("github-token", &token())));
        let clean = "no secret\n{\"a\":1}\n[\n\n{";
        assert_eq!(filtered(args(false, false), clean.as_bytes()).unwrap(), clean);
        assert_eq!(filtered(args(false, false), b"").unwrap(), "");
    }

    #[test]
    fn a_key_over_several_lines_is_seen_whole() {
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        let input =
            format!("{{\"a\":1}}\n-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n{{\"b\":2}}\n");
        let output = filtered(args(false, false), input.as_bytes()).unwrap();
        assert!(output.starts_with("{\"a\":1}\n[REDACTED:private-key:"), "{output}");
        assert!(output.ends_with("]\n{\"b\":2}\n"), "{output}");
    }

    #[test]
    fn findings_are_listed_by_line_and_column() {
        let input = format!("a\nxy {}\n{{\"a\":\"{}\"}}\n", token(), token());
        let output = filtered(args(false, true), input.as_bytes()).unwrap();
        let expected = "{\"rule\":\"github-token\",\"line\":2,\"start\":3,\"end\":43}\n{\"rule\":\"github-token\",\"line\":3,\"start\":6,\"end\":46}\n";
        assert_eq!(output, expected);
    }

    #[test]
    fn records_come_back_with_their_ids() {
        let input =
            format!("{{\"id\":7,\"text\":\"a\\n{} é\",\"x\":1}}\n\n{{\"text\":\"b\",\"id\":\"p1\"}}\n", token());
        let output = filtered(args(true, false), input.as_bytes()).unwrap();
        let marker = marker("github-token", &token());
        let expected = format!("{{\"id\":7,\"text\":\"a\\n{marker} é\"}}\n{{\"id\":\"p1\",\"text\":\"b\"}}\n");
        assert_eq!(output, expected);
        let output = filtered(args(true, true), input.as_bytes()).unwrap();
        assert_eq!(output, "{\"id\":7,\"rule\":\"github-token\",\"line\":2,\"start\":0,\"end\":40}\n");
    }

    #[test]
    fn what_is_found_once_goes_from_lines_before_and_after() {
        let secret = "Gr4nite-harbour71-Quartz";
        let input = format!(
            "{{\"a\":\"say {secret} twice\"}}\nplain {secret}\n{{\"password\":\"{secret}\"}}\n{{\"b\":\"cut {}\"}}\n{{\"c\":\"{} on\"}}\n",
            &secret[..12],
            &secret[12..]
        );
        let output = filtered(args(false, false), input.as_bytes()).unwrap();
        assert!(!output.contains("harb") && !output.contains("Quartz"), "{output}");
        let marks: Vec<&str> = output.split("[REDACTED:password:").skip(1).map(|rest| &rest[..8]).collect();
        assert_eq!(marks.len(), 5, "{output}");
        assert!(marks.iter().all(|mark| *mark == marks[0]), "equal secrets have equal marks: {output}");
    }

    #[test]
    fn a_record_that_is_none_is_named_by_its_line() {
        for bad in ["[1]", "{\"id\":1}", "{\"id\":1,\"text\":2}", "ghp_secret"] {
            let input = format!("{{\"id\":1,\"text\":\"a\"}}\n{bad}\n");
            let error = filtered(args(true, false), input.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("line 2") && !error.contains("secret"), "{error}");
        }
    }
}
