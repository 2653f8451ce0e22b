//! For tests: the second verifier, `docs/verify.sh`, and what it says of a repository.
#![cfg(test)]
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Answer, Fixture};
use crate::id::LedgerId;
use crate::ledger::verify::Report;

/// What the shell verifier says: its exit code and the codes of its findings.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub exit: i32,
    pub codes: BTreeSet<String>,
    pub text: String,
}

/// The signature tools that the script can use and that are installed here.
pub fn tools() -> Vec<&'static str> {
    ["minisign", "openssl"].into_iter().filter(|tool| runs(tool, &["version"]) || runs(tool, &["-v"])).collect()
}

fn runs(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether the script can run on this machine at all.
pub fn available() -> bool {
    runs("jq", &["--version"]) && !tools().is_empty()
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh")
}

/// Runs the script on a repository, with one of its two signature tools.
pub fn verify(repo: &Path, ledger: Option<LedgerId>, tool: &str) -> Said {
    let mut command = Command::new("sh");
    command.arg(script()).arg("-C").arg(repo).env("VERIFY_SIGNATURES", tool);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").stdin(Stdio::null());
    if let Some(ledger) = ledger {
        command.arg("--ledger").arg(ledger.to_string());
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let code = |line: &str| {
        let code = line.split_whitespace().next()?;
        (code.starts_with("E-") || code.starts_with("W-")).then(|| code.to_owned())
    };
    Said { exit: output.status.code().unwrap_or(-1), codes: text.lines().filter_map(code).collect(), text }
}

/// Demands the same verdict of the script as of the program.
pub fn agree(fixture: &Fixture, report: &Report, answer: &Answer) {
    if !script().exists() || !available() {
        return;
    }
    let said = verify(fixture.path(), Some(fixture.id), tools()[0]);
    // What rules ask for stands in TOML, which no stock tool reads.
    let told = answer.codes.iter().filter(|code| **code != "W-PLAIN");
    let codes: BTreeSet<String> = told.map(|code| (*code).to_owned()).collect();
    let ours = (i32::from(answer.verdict.exit_code()), codes);
    let text = &said.text;
    assert_eq!((said.exit, said.codes.clone()), ours, "the shell said:\n{text}\nand we found:\n{:#?}", report.findings);
}

/// The trusted comment that the `minisign` tool prints of a good signature; `None` where the tool is not installed.
pub fn minisign(key: &str, message: &Path, signature: &Path) -> Option<String> {
    tools().contains(&"minisign").then(|| {
        let args = ["-V", "-Q", "-H", "-P", key, "-m"];
        let output = Command::new("minisign").args(args).arg(message).arg("-x").arg(signature).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    })
}
