//! `git tracevault key`: the keys that write chains, and signatures under what owners decide.

mod rotate;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::cli::decide::{self, How};
use crate::cli::member::role_names;
use crate::cli::{Code, chains};
use crate::host::files;
use crate::host::output::{self, Out};
use crate::id::ChainId;
use crate::ledger::Ledger;
use crate::ledger::verify::{Chain, Options, Report};
use crate::record::body::{Body, CloseChain, Place, Reason};

/// List keys, revoke one, and sign what owners decide
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Sub>,
    /// Print a JSON object a chain
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand, Debug)]
enum Sub {
    /// List the chains that were seen, and whose they are
    List {
        /// Print a JSON object a chain
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key: nothing that is written with it after its last good record counts, whatever date it bears
    ///
    /// Owners and admins close the chains of members, owners together those of an owner. What was written before goes on
    /// counting. A chain that was closed too late can be closed again, at an earlier record. Of a chain that is pending nothing
    /// counts then, and its key cannot be enrolled any more.
    Close {
        /// The chain's name, or 4 of its first characters or more, or a member with one chain
        chain: String,
        /// The number of the last record that counts; the newest one that is here, if it is not given
        #[arg(long, value_name = "SEQ", conflicts_with = "none")]
        last: Option<u64>,
        /// No record of it counts
        #[arg(long)]
        none: bool,
        /// Why
        #[arg(long, value_parser = reason)]
        reason: Reason,
        #[command(flatten)]
        how: How,
    },
    /// Go on with a new key
    ///
    /// This clone's chain ends with a record that names the new key, and a chain of the new key begins. Whoever may enrol it
    /// (owners and admins, with their old key) does so at once, and the old chain is closed; of others an admin does.
    /// The old key's file stays: delete it when the ledger has been pushed.
    Rotate {
        #[command(flatten)]
        how: How,
    },
    /// Print to whom payloads are encrypted that this clone may read
    ///
    /// An owner or admin enrols it together with the key: at once with `member add`, later with `member set WHO --recipient`. The
    /// secret half is beside the key's file and ends in .age: keep it, nothing else reads what is encrypted.
    Recipient,
    /// Sign a proposal with this clone's key
    ///
    /// Shows what it says, and writes FILE.<key number>.minisig. The same can be done with minisign, where this program is not.
    Sign {
        /// What `--propose` wrote
        file: PathBuf,
    },
    /// Put a proposal in force, with the signatures that were gathered
    Accept {
        /// What `--propose` wrote
        file: PathBuf,
        /// Signatures under it, as minisign writes them
        #[arg(required = true)]
        signatures: Vec<PathBuf>,
    },
}

fn reason(text: &str) -> Result<Reason, String> {
    serde_json::from_value(text.into()).map_err(|_| "one of lost, stolen, rotated, left".to_owned())
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    match &args.command {
        None => list(ledger, args.json, out),
        Some(Sub::List { json }) => list(ledger, args.json || *json, out),
        Some(Sub::Close { chain, last, none, reason, how }) => {
            let report = ledger.verify(&Options { pinned: ledger.pinned()?, entries: true, ..Options::default() })?;
            let chain = chains::of_anybody(&report, chain)?;
            let is_anybodys = report.history.member(chain.id).is_some();
            let last = match last {
                Some(_) if !is_anybodys => bail!(
                    "nobody has enrolled that key, so nothing counts once it is closed: leave --last out, or enrol it first \
                     (git tracevault member add {})",
                    chain.id.short()
                ),
                _ if *none || !is_anybodys => None,
                last => Some(last_good(chain, *last)?),
            };
            close(ledger, chain, last, *reason, how, out)
        }
        Some(Sub::Rotate { how }) => rotate::rotate(ledger, how, out),
        Some(Sub::Recipient) => {
            out.line(ledger.identity()?.recipient()?)?;
            Ok(0)
        }
        Some(Sub::Sign { file }) => sign(ledger, file, out),
        Some(Sub::Accept { file, signatures }) => decide::accept(ledger, file, signatures, out),
    }
}

#[derive(Serialize)]
struct Row {
    chain: String,
    member: Option<String>,
    roles: Vec<String>,
    state: &'static str,
    records: u64,
    /// The last record that counts, of a closed chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<u64>,
    own: bool,
    /// Whether the member was removed since.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    removed: bool,
}

fn list(ledger: &Ledger, json: bool, out: &mut Out) -> anyhow::Result<Code> {
    let report = ledger.verify(&Options { pinned: ledger.pinned()?, ..Options::default() })?;
    let roster = report.history.newest().context("there is no ledger here")?;
    for chain in &report.chains {
        let closure = roster.closure(chain.id);
        let state = match closure {
            Some(_) => "closed",
            None if chain.pending => "pending",
            None => "enrolled",
        };
        let row = Row {
            chain: chain.id.to_string(),
            member: chain.member.clone(),
            roles: roster.enrolment(chain.id).map(|(member, _)| role_names(&member.roles)).unwrap_or_default(),
            state,
            records: chain.records,
            last: closure.flatten().filter(|_| !chain.refused).map(|last| last.seq),
            own: ledger.own_chain() == Some(chain.id),
            removed: report.history.has_let_go(chain.id),
        };
        if json {
            out.json(&row)?;
        } else {
            show(&row, out)?;
        }
    }
    Ok(0)
}

fn show(row: &Row, out: &mut Out) -> anyhow::Result<()> {
    let claims = if row.roles.is_empty() && !row.removed && row.state != "enrolled" { "claims to be " } else { "" };
    let member = output::visible(row.member.as_deref().unwrap_or("nobody"));
    let end = match (row.state, row.last) {
        ("closed", Some(last)) => format!(", good up to record {last}"),
        ("closed", None) => ", none of them good".to_owned(),
        _ => String::new(),
    };
    let removed = if row.removed { " (removed)" } else { "" };
    let own = if row.own { "  (this clone)" } else { "" };
    let chain = out.paint(output::ID, row.chain.clone());
    let records = if row.records == 1 { "1 record".to_owned() } else { format!("{} records", row.records) };
    out.line(format_args!("{chain}  {:<8}  {claims}{member}{removed}, {records}{end}{own}", row.state))?;
    Ok(())
}

/// The last record that is to count.
fn last_good(chain: &Chain, seq: Option<u64>) -> anyhow::Result<Place> {
    let seq = seq.or(chain.head.map(|head| head.seq)).context("no record of that chain is here")?;
    let entry = chain.entries.iter().find(|entry| entry.seq == seq);
    let entry = entry.with_context(|| format!("record {seq} of chain {} is not here", chain.id.short()))?;
    Ok(Place { seq, id: entry.id })
}

/// Closes a chain, after asking.
pub fn close(
    ledger: &Ledger,
    chain: &Chain,
    last: Option<Place>,
    reason: Reason,
    how: &How,
    out: &mut Out,
) -> anyhow::Result<Code> {
    let whose = output::visible(chain.member.as_deref().unwrap_or("nobody"));
    let counts = match last {
        Some(last) => format!("nothing after its record {} counts", last.seq),
        None => "none of its records counts".to_owned(),
    };
    let short = chain.id.short();
    how.confirm(&format!("Close chain {short} of {whose}, so that {counts}?"), out)?;
    let body = Body::CloseChain(CloseChain { chain: chain.id, last, reason });
    how.decide(ledger, body, &format!("Closed chain {short} of {whose}: {counts}."), out)
}

fn sign(ledger: &Ledger, file: &std::path::Path, out: &mut Out) -> anyhow::Result<Code> {
    let record = decide::proposal(file)?;
    // Nobody signs what they have not seen.
    let shown: serde_json::Value = serde_json::from_slice(record.bytes())?;
    out.line(output::visible(&serde_json::to_string_pretty(&shown)?))?;
    let signer = ledger.signer()?;
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{}.minisig", signer.public_key().number()));
    let path = PathBuf::from(name);
    files::replace_private(&path, &signer.sign(&record)).with_context(|| format!("cannot write {}", path.display()))?;
    out.line(format_args!("Signed: {}", output::visible(&path.display().to_string())))?;
    // Whoever gathers signatures would learn it only when they are refused.
    if let Some((state, mend)) = ledger.own_key()?.and_then(|key| key.trouble(signer.chain())) {
        out.line(out.paint(output::WARN, format_args!("This signature does not count: this clone's key is {state}.")))?;
        out.line(format_args!("  {mend}"))?;
    }
    Ok(0)
}

/// The chains of a member that are not closed.
pub fn open_chains<'r>(report: &'r Report, member: &str) -> Vec<&'r Chain> {
    let Some(roster) = report.history.newest() else { return Vec::new() };
    let of = |chain: ChainId| roster.enrolment(chain).is_some_and(|(owner, _)| owner.id == member);
    report.chains.iter().filter(|chain| of(chain.id) && roster.closure(chain.id).is_none()).collect()
}
