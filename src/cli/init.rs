//! `git tracevault init`: enrols this clone; founds the ledger where there is none.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::agent::Kind;
use crate::agent::claude_code::settings;
use crate::cli::{Code, init_server, remote_name};
use crate::config::{self, Committed, Push};
use crate::git::command::{self, Git};
use crate::host::output::{self, Out};
use crate::host::{env, files};
use crate::ledger::append::Writer;
use crate::ledger::remote::Remote;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::Claim;
use crate::setup;
use crate::signing::Signer;

/// Enrol this clone: a key, git hooks, agent hooks, and the ledger itself where there is none
///
/// Safe to repeat: what is there already stays. Nothing of yours in agent settings or git hooks is removed or reordered.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Put the agent hooks into your own settings, for all repositories and folders; they do nothing where nobody
    /// enrolled
    #[arg(long)]
    global: bool,
    /// Take out exactly what init put in; records, keys and journals stay
    #[arg(long, conflicts_with = "device")]
    uninstall: bool,
    /// Go on with a key and a chain of its own: for a clone that is a copy of another one, or that a backup brought back
    #[arg(long, conflicts_with = "uninstall")]
    new_key: bool,
    /// What to call this device in the ledger; the machine's name if not given
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    #[command(flatten)]
    gate: init_server::Gate,
}

pub fn run(args: &Args, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    // The user's own settings need no repository.
    if args.global && Ledger::open(dir).is_err() {
        agent_settings(&user_settings()?, args, out)?;
        return Ok(0);
    }
    let ledger = Ledger::open(dir)?;
    if args.gate.server {
        return init_server::run(&args.gate, &ledger, args.uninstall, out);
    }
    let settings = match (args.global, ledger.repo.work_tree()) {
        (true, _) => Some(user_settings()?),
        // A bare repository runs no agents.
        (false, work_tree) => work_tree.map(|dir| dir.join(".claude").join("settings.json")),
    };
    if args.uninstall {
        return uninstall(&ledger, settings, args, out);
    }
    enrol(&ledger, args, out)?;
    if let Some(settings) = settings
        && super::agents(&Ledger::open(dir)?)?.contains(&Kind::ClaudeCode)
    {
        agent_settings(&settings, args, out)?;
    }
    hooks(&ledger, out)?;
    if !args.global && command::find_program("git-tracevault").is_none() {
        out.line(out.paint(output::WARN, "git-tracevault is not on the PATH: the agent's hooks will not find it."))?;
        out.line("  Put it there (cargo install --path .), or use: git tracevault init --global")?;
    }
    Ok(0)
}

/// A key, a ledger, an open chain, the mark.
fn enrol(ledger: &Ledger, args: &Args, out: &mut Out) -> anyhow::Result<()> {
    let member = identity(ledger)?;
    let had_key = ledger.config.key.is_some() && !args.new_key;
    let signer = if had_key {
        ledger.signer()?
    } else {
        let (signer, path) = new_key()?;
        use_key(ledger, &path)?;
        signer
    };
    // The key is in git's configuration now: read it anew.
    let ledger = &Ledger::open(&ledger.repo.home())?;
    let joined = meet_remote(ledger, out)?;
    let ledger = &Ledger::open(&ledger.repo.home())?;
    let id = match (ledger.policy()?, ledger.id()) {
        (Some(_), Some(id)) => id,
        (Some(_), None) => {
            let report = ledger.verify(&crate::ledger::verify::Options::default())?;
            report.ledger.context("the policy chain here cannot be read; see: git tracevault verify")?
        }
        (None, _) => {
            if let Some(committed) = &ledger.config.committed {
                anyhow::bail!(
                    "{} names ledger {}, which is not here; fetch it first: git tracevault fetch",
                    config::COMMITTED,
                    committed.ledger
                );
            }
            ledger.found(&signer, &member)?
        }
    };
    ledger.pin(id)?;
    let ledger = &Ledger::open(&ledger.repo.home())?;
    ledger.enrol()?;
    let mut writer = Writer::open(ledger)?;
    let new_chain = writer.head().is_none();
    writer.open_chain(member.clone(), device(ledger, args.device.as_ref()))?;
    drop(writer);
    commit_config(ledger, id, out)?;

    out.line(format_args!("ledger {}", out.paint(output::ID, id)))?;
    let chain = signer.chain();
    let who = output::visible(&member.id);
    out.line(format_args!("chain  {}  {who}{}", out.paint(output::ID, chain), if new_chain { "  (new)" } else { "" }))?;
    let pending = ledger.verify(&crate::ledger::verify::Options { pinned: Some(id), ..Default::default() })?;
    if pending.chains.iter().any(|c| c.id == chain && c.pending) {
        out.line(out.paint(output::WARN, "Your key is pending until an owner enrols it:"))?;
        out.line(format_args!(
            "  git tracevault push, then an owner: git tracevault fetch && git tracevault member add {}",
            chain.short()
        ))?;
    } else if joined {
        out.line("Joined the ledger of the remote.")?;
    }
    Ok(())
}

/// Who this is, as git knows.
pub fn identity(ledger: &Ledger) -> anyhow::Result<Claim> {
    let answer = ledger.repo.git().args(["var", "GIT_AUTHOR_IDENT"]).run();
    let text = answer.context("git does not know who you are (git config user.name, user.email)")?.text();
    let (name, rest) = text.split_once(" <").context("git var GIT_AUTHOR_IDENT has an unknown form")?;
    let (email, _) = rest.split_once('>').context("git var GIT_AUTHOR_IDENT has an unknown form")?;
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
    Ok(Claim { id: clean(email), name: clean(name) })
}

/// Makes a key: each clone has one of its own, as one chain has one writer and two clones would fork it.
pub fn new_key() -> anyhow::Result<(Signer, PathBuf)> {
    let dir = env::config_dir().context("there is no home folder to keep a key in (HOME is not set)")?.join("keys");
    let signer = Signer::generate()?;
    let path = signer.save(&dir)?;
    Ok((signer, path))
}

/// Makes a key this clone's.
pub fn use_key(ledger: &Ledger, path: &Path) -> anyhow::Result<()> {
    ledger.repo.git().args(["config", "--local", config::KEY]).arg(path).run()?;
    Ok(())
}

/// What this clone is called in its records.
pub fn device(ledger: &Ledger, asked: Option<&String>) -> String {
    let named = asked.cloned().or_else(|| ledger.config.device.clone()).or_else(env::host_name);
    named.unwrap_or_else(|| "unnamed".into())
}

/// Fetches the ledger of the remote, if there is one and it has one; whether it has.
fn meet_remote(ledger: &Ledger, out: &mut Out) -> anyhow::Result<bool> {
    let Ok(name) = remote_name(ledger, None) else { return Ok(false) };
    match Remote::new(ledger, &name).fetch() {
        Ok(fetched) => {
            super::print_findings(out, &fetched.findings)?;
            if crate::finding::verdict(&fetched.findings) == crate::finding::Verdict::Fail {
                anyhow::bail!("the ledger of {name} is not accepted");
            }
            Ok(ledger.policy()?.is_some())
        }
        Err(LedgerError::Git(error)) if ledger.id().is_some() && ledger.policy()?.is_some() => {
            out.line(out.paint(output::WARN, format_args!("{name} cannot be reached; nothing was fetched: {error}")))?;
            Ok(false)
        }
        // Founding a second ledger because the network is down would be worse than waiting.
        Err(LedgerError::Git(error)) => {
            Err(error).with_context(|| format!("cannot ask {name} whether it has a ledger"))
        }
        Err(error) => Err(error.into()),
    }
}

fn commit_config(ledger: &Ledger, id: crate::id::LedgerId, out: &mut Out) -> anyhow::Result<()> {
    let Some(work_tree) = ledger.repo.work_tree() else { return Ok(()) };
    match &ledger.config.committed {
        Some(committed) if committed.ledger == id => {}
        Some(committed) => anyhow::bail!("{} names another ledger: {}", config::COMMITTED, committed.ledger),
        None => {
            let agents = crate::agent::Kind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
            Committed { ledger: id, agents, push: Push::default() }.save_new(&work_tree)?;
            out.line(format_args!("wrote  {}  (commit it)", config::COMMITTED))?;
        }
    }
    Ok(())
}

/// Takes the committed file out again where nobody has committed it.
fn uncommitted_config(ledger: &Ledger, out: &mut Out) -> anyhow::Result<()> {
    let (Some(work_tree), Some(committed)) = (ledger.repo.work_tree(), &ledger.config.committed) else {
        return Ok(());
    };
    let tracked = Git::in_dir(&work_tree).args(["ls-files", "--", config::COMMITTED]).run()?;
    if tracked.stdout.is_empty() && committed.remove(&work_tree)? {
        out.line(format_args!("removed {}", config::COMMITTED))?;
    }
    Ok(())
}

fn user_settings() -> anyhow::Result<PathBuf> {
    Ok(env::claude_config_dir().context("there is no home folder (HOME is not set)")?.join("settings.json"))
}

/// Puts the agent's hooks into its settings, or takes them out.
fn agent_settings(path: &Path, args: &Args, out: &mut Out) -> anyhow::Result<()> {
    let shown = path.display();
    let failed = || format!("cannot change {shown}");
    let bytes = files::read_if_exists(path).with_context(failed)?;
    let text = bytes.map(String::from_utf8).transpose().with_context(failed)?;
    if args.uninstall {
        let Some(text) = text else { return Ok(()) };
        let done = settings::uninstall(&text).with_context(failed)?;
        match (done.changed, done.text) {
            (true, Some(text)) => files::replace_keeping_mode(path, text.as_bytes()).with_context(failed)?,
            (true, None) => {
                std::fs::remove_file(path).with_context(failed)?;
                // The folder was made for it, unless something else is in it.
                drop(path.parent().map(std::fs::remove_dir));
            }
            (false, _) => return Ok(()),
        }
        out.line(format_args!("changed {shown}"))?;
        return Ok(());
    }
    let own = env::current_exe()?;
    let command = match (args.global, own.parent()) {
        (true, Some(dir)) => settings::own_command(dir),
        _ => settings::SHARED_COMMAND.to_owned(),
    };
    let done = settings::install(text.as_deref(), &command).with_context(failed)?;
    if done.changed {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).with_context(failed)?;
        }
        files::replace_keeping_mode(path, done.text.as_bytes()).with_context(failed)?;
        out.line(format_args!("wrote  {shown}  (hooks of the agent)"))?;
    }
    Ok(())
}

fn hooks(ledger: &Ledger, out: &mut Out) -> anyhow::Result<()> {
    let report = setup::install(&ledger.repo.home(), &env::current_exe()?)?;
    tell(&report, out)
}

pub fn tell(report: &setup::Report, out: &mut Out) -> anyhow::Result<()> {
    for path in &report.changed {
        out.line(format_args!("changed {}", path.display()))?;
    }
    for advice in &report.advice {
        out.line(out.paint(output::WARN, advice))?;
    }
    Ok(())
}

fn uninstall(ledger: &Ledger, settings: Option<PathBuf>, args: &Args, out: &mut Out) -> anyhow::Result<Code> {
    if let Some(settings) = settings {
        agent_settings(&settings, args, out)?;
    }
    if !args.global {
        tell(&setup::uninstall(&ledger.repo.home())?, out)?;
        ledger.disenrol()?;
        uncommitted_config(ledger, out)?;
        out.line("This clone is no longer enrolled. Its records, journal and key stay.")?;
    }
    Ok(0)
}
