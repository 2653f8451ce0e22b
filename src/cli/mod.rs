//! The command line: one file a command; its doc comments are its help.

mod access;
mod adjudicate;
mod adr;
mod amend;
mod approve;
mod audit;
mod audit_log;
mod blame;
mod chains;
mod check;
mod ci;
mod completions;
mod compliance;
mod decide;
mod demo;
mod doctor;
mod export;
mod fetch;
mod format;
mod hold;
mod hook;
mod hook_agent;
mod hook_git;
mod import;
mod init;
mod init_server;
mod key;
mod link;
mod log;
mod login;
mod logout;
mod man;
mod mcp;
mod member;
mod pager;
mod policy;
mod prove;
mod prune;
mod push;
mod receive;
mod redact;
mod release;
mod report;
mod seal;
mod serve;
mod show;
mod stats;
mod status;
mod story;
mod sync;
mod table;
mod turns;
mod verify;
mod why;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{Parser, Subcommand};

use crate::agent::Kind;
use crate::host::env;
use crate::host::output::{self, Out};
use crate::ledger::verify::Report;
use crate::ledger::{Ledger, LedgerError};

/// Keep a signed record of what AI agents did, in git itself
///
/// Start with `git tracevault init` in a repository; then prompt, commit and push as ever.
#[derive(Parser, Debug)]
#[command(name = "git-tracevault", bin_name = "git tracevault", version, max_term_width = 100)]
#[command(
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 pass, 1 fail, 2 could not tell, 3 no trust root."
)]
struct Cli {
    /// Run as if started in this folder
    #[arg(short = 'C', value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Init(init::Args),
    Status(status::Args),
    Doctor(doctor::Args),
    Log(log::Args),
    Show(show::Args),
    Blame(blame::Args),
    Why(why::Args),
    Story(story::Args),
    Adr(adr::Args),
    Stats(stats::Args),
    Verify(verify::Args),
    Check(check::Args),
    Ci(ci::Args),
    Approve(approve::Args),
    Policy(policy::Args),
    Fetch(fetch::Args),
    Push(push::Args),
    Sync(sync::Args),
    Link(link::Args),
    Seal(seal::Args),
    Prove(prove::Args),
    Member(member::Args),
    Key(key::Args),
    Compliance(compliance::Args),
    Amend(amend::Args),
    Hold(hold::Args),
    Release(release::Args),
    Prune(prune::Args),
    Audit(audit::Args),
    Adjudicate(adjudicate::Args),
    Export(export::Args),
    Import(import::Args),
    Receive(receive::Args),
    Redact(redact::Args),
    Serve(serve::Args),
    Mcp(mcp::Args),
    Login(login::Args),
    Logout(logout::Args),
    AuditLog(audit_log::Args),
    Demo(demo::Args),
    #[command(hide = true)]
    Hook(hook::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Man(man::Args),
}

/// A command's exit code: 0 to 3, see the help.
type Code = u8;
/// No ledger to trust: nothing is pinned.
const NO_TRUST_ROOT: Code = 3;
/// It could not be told: usage, input and output, missing things.
const COULD_NOT_TELL: Code = 2;

/// What is said where history is cut off, and lines of before count as the first commit's that is there.
const SHALLOW: &str = "warning: this clone is shallow: whose older lines are is not known here (git fetch --unshallow)";

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    // An agent waits for its hooks: they are found before the arguments are parsed.
    let mut args = env::args().skip(1);
    if args.next().is_some_and(|arg| arg == "hook")
        && let Some(agent) = args.next().as_deref().and_then(|name| name.to_str()).and_then(Kind::from_name)
    {
        return hook_agent::run(agent);
    }
    let cli = match Cli::try_parse_from(blame::asked::spelled(env::args())) {
        Ok(cli) => cli,
        Err(mut error) => {
            // That it could stand after `--` is no help with a mistyped flag.
            if error.kind() == ErrorKind::UnknownArgument {
                drop(error.remove(ContextKind::Suggested));
            }
            // clap prints help to standard output, errors to standard error.
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { COULD_NOT_TELL } else { 0 });
        }
    };
    match run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(&error);
            ExitCode::from(COULD_NOT_TELL)
        }
    }
}

/// What went wrong, each cause once.
fn told(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// Says what went wrong, and what to type next.
fn complain(error: &anyhow::Error) {
    output::say(format_args!("error: {}", output::visible(&told(error))));
    let hint = error.chain().find_map(|cause| cause.downcast_ref::<LedgerError>()).and_then(LedgerError::hint);
    if let Some(hint) = hint {
        output::say(format_args!("hint: {hint}"));
    }
}

fn run(cli: Cli) -> anyhow::Result<Code> {
    let dir = match cli.dir {
        Some(dir) => std::path::absolute(dir)?,
        None => env::current_dir()?,
    };
    let mut out = Out::stdout();
    let code = match cli.command {
        Command::Init(args) => init::run(&args, &dir, &mut out),
        Command::Status(args) => status::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Doctor(args) => doctor::run(&args, &dir, &mut out),
        Command::Log(args) => log::run(&args, &Ledger::open(&dir)?, &dir, &mut out),
        Command::Show(args) => show::run(&args, &Ledger::open(&dir)?, &dir, &mut out),
        Command::Blame(args) => blame::run(&args, &Ledger::open(&dir)?, &dir, &mut out),
        Command::Why(args) => why::run(&args, &Ledger::open(&dir)?, &dir, &mut out),
        Command::Story(args) => story::run(&args, &Ledger::open(&dir)?, &dir, &mut out),
        Command::Adr(args) => adr::run(&args, &Ledger::open(&dir)?, &dir, &mut out),
        Command::Stats(args) => stats::run(&args, &Ledger::open(&dir)?, &dir, &mut out),
        Command::Verify(args) => verify::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Check(args) => check::run(&args, &Ledger::open(&dir)?, &dir, &mut out),
        Command::Ci(args) => ci::run(&args, &dir, &mut out),
        Command::Approve(args) => approve::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Compliance(args) => compliance::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Amend(args) => amend::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Hold(args) => hold::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Release(args) => release::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Prune(args) => prune::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Audit(args) => audit::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Adjudicate(args) => adjudicate::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Serve(args) => serve::run(&args, &dir),
        Command::Mcp(args) => mcp::run(&args, &dir),
        Command::Login(args) => login::run(&args, &dir, &mut out),
        Command::Logout(args) => logout::run(&args, &dir, &mut out),
        Command::AuditLog(args) => audit_log::run(&args, &dir, &mut out),
        Command::Policy(args) => policy::run(&args, &Ledger::open(&dir)?, &dir, &mut out),
        Command::Fetch(args) => fetch::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Push(args) => push::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Sync(args) => sync::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Link(args) => link::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Seal(args) => seal::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Prove(args) => match args.proof() {
            Some(file) => prove::check(&args, &dir.join(file), &mut out),
            None => prove::run(&args, &Ledger::open(&dir)?, &mut out),
        },
        Command::Member(args) => member::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Key(args) => key::run(&args, &Ledger::open(&dir)?, &mut out),
        Command::Export(args) => export::run(&args, &Ledger::open(&dir)?, &dir, &mut out),
        Command::Import(args) => import::run(&args, &Ledger::open(&dir)?, &dir, &mut out),
        Command::Demo(args) => demo::run(&args, &mut out),
        Command::Receive(_) => receive::run(&dir),
        Command::Redact(args) => {
            redact::run(&args, &mut std::io::stdin().lock(), &mut out)?;
            Ok(0)
        }
        Command::Hook(args) => hook::run(&args, &dir),
        Command::Completions(args) => completions::run(&args, &mut out),
        Command::Man(args) => man::run(&args, &mut out),
    }?;
    std::io::Write::flush(&mut out)?;
    Ok(code)
}

/// The command line as clap has it, for completions and man pages.
fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// The remote that a command talks to: the one named, else `origin`, else the only one there is.
fn remote_name(ledger: &Ledger, named: Option<&str>) -> anyhow::Result<String> {
    if let Some(name) = named {
        return Ok(name.to_owned());
    }
    let answer = ledger.repo.git().arg("remote").run()?;
    let text = answer.text();
    let names: Vec<&str> = text.lines().collect();
    match names.as_slice() {
        _ if names.contains(&"origin") => Ok("origin".into()),
        [only] => Ok((*only).to_owned()),
        [] => anyhow::bail!("this repository has no remote"),
        _ => anyhow::bail!("this repository has several remotes ({}); name one", names.join(", ")),
    }
}

/// Reads and verifies all records for a question about them; what weakens the answer is said on standard error.
fn read_book(ledger: &Ledger) -> anyhow::Result<Report> {
    use crate::finding::Severity;
    let report = ledger.read_all()?;
    ledger.keep_used(&report);
    if report.ledger.is_none() {
        output::say("note: there is no ledger here. (git tracevault fetch, or git tracevault init to found one)");
        return Ok(report);
    }
    if ledger.pinned()?.is_none() {
        output::say("note: nothing here says which ledger to trust. (git tracevault verify)");
    }
    for chain in report.chains.iter().filter(|chain| chain.pending) {
        let who = output::visible(chain.member.as_deref().unwrap_or("unknown"));
        output::say(format_args!(
            "note: {who} is not enrolled: the records of chain {} are its own word",
            chain.id.short()
        ));
    }
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if errors > 0 {
        output::say(format_args!(
            "warning: the ledger does not verify: {}. (git tracevault verify)",
            format::count(errors as u64, "finding")
        ));
    }
    Ok(report)
}

/// Prints findings, worst first.
fn print_findings(out: &mut Out, findings: &[crate::finding::Finding]) -> std::io::Result<()> {
    use crate::finding::Severity;
    for finding in findings {
        let style = match finding.severity {
            Severity::Error => output::BAD,
            Severity::Inconclusive | Severity::Warning => output::WARN,
        };
        let code = out.paint(style, format!("{:<14}", finding.code.as_str()));
        let chain = finding.chain.as_deref().map(|chain| chain.chars().take(8).collect::<String>());
        let place = match (chain, finding.seq) {
            (Some(chain), Some(seq)) => format!("{chain} #{seq}: "),
            (Some(chain), None) => format!("{chain}: "),
            _ => String::new(),
        };
        out.line(format_args!("{code} {place}{}", output::visible(&finding.message)))?;
        if let Some(decided) = &finding.decided {
            let right = decided.record.as_ref().map(|id| format!("; the right record is {id}")).unwrap_or_default();
            let text = format!("  {} by policy record {}{right}", decided.decision, decided.n);
            out.line(out.paint(output::DIM, text))?;
        }
    }
    let mut codes: Vec<_> = findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code).collect();
    codes.dedup();
    for code in codes {
        out.line(out.paint(output::DIM, format!("  {}: {}", code.as_str(), code.meaning())))?;
    }
    Ok(())
}

/// Which kinds of agents the configuration asks for.
fn agents(ledger: &Ledger) -> anyhow::Result<Vec<Kind>> {
    let Some(committed) = &ledger.config.committed else { return Ok(Kind::ALL.to_vec()) };
    let known = || Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    let find = |name: &String| {
        Kind::from_name(name).ok_or_else(|| {
            anyhow::anyhow!("{}: no agent is called {name:?} (known: {})", crate::config::COMMITTED, known())
        })
    };
    committed.agents.iter().map(find).collect()
}
