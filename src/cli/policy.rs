//! `git tracevault policy`: the rules in force, how they are changed, and what others would say.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::cli::{COULD_NOT_TELL, Code, check, format};
use crate::git::command::{Git, edit};
use crate::host::output::{self, Out};
use crate::ledger::Ledger;
use crate::ledger::rules::InForce;
use crate::policy::{Policy, PolicyError};
use crate::roster::Rules;
use crate::time::Time;

/// Show the rules in force, change them, or try others
///
/// docs/policy.md tells how rules are written. An owner or a policy-admin sets them; they hold for everybody who has
/// fetched them, from then on.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Sub>,
}

#[derive(clap::Subcommand, Debug)]
enum Sub {
    /// Print the rules in force, and who set them
    Show {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Put the rules in a file in force
    Set {
        /// The file; `-` is standard input
        file: PathBuf,
    },
    /// Edit the rules in force with git's editor
    Edit,
    /// What the rules in a file would say of commits, without putting them in force
    Test {
        file: PathBuf,
        /// The commits, as `git rev-list` takes them; without it those that are not pushed yet, or else HEAD
        #[arg(long, value_name = "RANGE")]
        range: Option<String>,
        /// Print one JSON object, as check does
        #[arg(long)]
        json: bool,
    },
}

/// What is edited where there are no rules yet.
const BEGINNING: &str = r#"# The rules of this repository. docs/policy.md of git-tracevault tells what there is.
#
# [[rule]]
# name = "all-recorded"
# condition = "trace-completeness"
# level = "block"
"#;

/// No policy comes near this; what is longer is not read.
const MAX_FILE: u64 = 1 << 20;

#[derive(Serialize)]
struct Shown<'a> {
    n: u64,
    id: String,
    time: Time,
    by: &'a [String],
    toml: &'a str,
}

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    match &args.command {
        None => show(ledger, false, out),
        Some(Sub::Show { json }) => show(ledger, *json, out),
        Some(Sub::Set { file }) => set(ledger, &named(dir, file), out),
        Some(Sub::Edit) => edit_rules(ledger, out),
        Some(Sub::Test { file, range, json }) => {
            let range = range.as_deref().map(|range| (range, true));
            let file = named(dir, file);
            let format = if *json { check::Format::Json } else { check::Format::Text };
            let asked = check::Asked { file: Some(&file), record: false, format };
            check::judge(ledger, range, &asked, out)
        }
    }
}

fn named(dir: &Path, file: &Path) -> PathBuf {
    if file == Path::new("-") { file.to_owned() } else { dir.join(file) }
}

/// The rules in force, if any were set.
fn in_force(ledger: &Ledger) -> anyhow::Result<Option<Rules>> {
    match ledger.rules()? {
        InForce::None => Ok(None),
        InForce::Rules(rules) => Ok(Some(rules)),
        InForce::Untold(why) => bail!("which rules are in force cannot be told: {why}"),
    }
}

fn show(ledger: &Ledger, json: bool, out: &mut Out) -> anyhow::Result<Code> {
    let rules = in_force(ledger)?;
    if json {
        let shown = rules.as_ref().map(|rules| {
            let Rules { set, time, by, toml } = rules;
            Shown { n: set.n, id: set.id.to_string(), time: *time, by, toml }
        });
        out.json(&shown)?;
        return Ok(0);
    }
    let Some(rules) = rules else {
        out.line("No rules are in force. (git tracevault policy edit)")?;
        return Ok(0);
    };
    // A comment, so that what is printed can be set again.
    let by = format::one_line(&rules.by.join(", "));
    let set = format!("# Policy record {}, set by {by} at {} UTC.", rules.set.n, format::minute(rules.time));
    out.line(out.paint(output::DIM, set))?;
    write!(out, "{}", output::visible(&rules.toml))?;
    if !rules.toml.ends_with('\n') {
        out.line("")?;
    }
    Ok(0)
}

/// The text of a file and the policy that it is, or all that is wrong with it.
pub fn read(file: &Path) -> anyhow::Result<Result<(String, Policy), Vec<PolicyError>>> {
    let mut bytes = Vec::new();
    let what = || format!("cannot read {}", file.display());
    if file == Path::new("-") {
        std::io::stdin().take(MAX_FILE).read_to_end(&mut bytes).with_context(what)?;
    } else {
        let opened = std::fs::File::open(file).with_context(what)?;
        opened.take(MAX_FILE).read_to_end(&mut bytes).with_context(what)?;
    }
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", file.display()))?;
    Ok(Policy::parse(&text).map(|policy| (text, policy)))
}

/// Says what is wrong with a file, a line an error, as compilers do.
pub fn tell_errors(file: &Path, errors: &[PolicyError]) {
    for error in errors {
        let PolicyError { line, column, message, allowed } = error;
        let text = format!("{}:{line}:{column}: {message}; allowed: {allowed}", file.display());
        output::say(format::one_line(&text));
    }
}

fn set(ledger: &Ledger, file: &Path, out: &mut Out) -> anyhow::Result<Code> {
    match read(file)? {
        Ok((text, policy)) => put_in_force(ledger, &text, &policy, out),
        Err(errors) => {
            tell_errors(file, &errors);
            Ok(COULD_NOT_TELL)
        }
    }
}

fn put_in_force(ledger: &Ledger, text: &str, policy: &Policy, out: &mut Out) -> anyhow::Result<Code> {
    let before = in_force(ledger)?;
    if before.as_ref().is_some_and(|rules| rules.toml == text) {
        out.line("These rules are in force already.")?;
        return Ok(0);
    }
    ledger.set_rules(&ledger.signer()?, text)?;
    tell_changes(before.map_or(String::new(), |rules| rules.toml).as_str(), text, out)?;
    let rules = match policy.rules.len() as u64 {
        1 => "1 rule is".to_owned(),
        n => format!("{n} rules are"),
    };
    out.line(format_args!("{rules} in force here. Tell the others with: git tracevault push"))?;
    Ok(0)
}

/// Shows what changes as git would.
fn tell_changes(before: &str, after: &str, out: &mut Out) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for (name, text) in [("before", before), ("after", after)] {
        std::fs::write(folder.path().join(name), text)?;
    }
    let git = Git::in_dir(folder.path()).without_hook_env();
    let answer = git.args(["diff", "--no-index", "--no-color", "--no-ext-diff", "--", "before", "after"]).answer()?;
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    for line in text.lines().skip_while(|line| !line.starts_with("@@")).filter(|line| !line.starts_with('\\')) {
        let style = match line.as_bytes().first() {
            Some(b'+') => output::GOOD,
            Some(b'-') => output::BAD,
            _ => output::DIM,
        };
        out.line(out.paint(style, output::visible(line)))?;
    }
    Ok(())
}

/// Opens the rules in an editor until they are rules, or their editor gives up.
fn edit_rules(ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let before = in_force(ledger)?.map_or_else(|| BEGINNING.to_owned(), |rules| rules.toml);
    let editor = ledger.repo.git().args(["var", "GIT_EDITOR"]).run()?.text();
    // Temporary files are their owner's alone.
    let mut file = tempfile::Builder::new().prefix("policy-").suffix(".toml").tempfile()?;
    file.write_all(before.as_bytes())?;
    file.flush()?;
    loop {
        if !edit(&editor, file.path()).with_context(|| format!("cannot start the editor {editor}"))? {
            bail!("the editor did not end well; nothing was changed");
        }
        match read(file.path())? {
            Ok((text, _)) if text == before => {
                out.line("Nothing was changed.")?;
                return Ok(0);
            }
            Ok((text, policy)) => return put_in_force(ledger, &text, &policy, out),
            Err(errors) => {
                tell_errors(file.path(), &errors);
                output::say("These are no rules yet. Edit them again? [Y/n]");
                let mut answer = String::new();
                let read = std::io::stdin().read_line(&mut answer)?;
                if read == 0 || matches!(answer.trim(), "n" | "N" | "no") {
                    output::say("Nothing was changed.");
                    return Ok(COULD_NOT_TELL);
                }
            }
        }
    }
}
