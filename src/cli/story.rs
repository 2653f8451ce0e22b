//! `git tracevault story`: how and why code came to be, told from the records, each sentence with its sources.

mod model;

use std::ffi::OsString;
use std::path::Path;

use crate::cli::access::LogAccess;
use crate::cli::format::{minute, money, one_line};
use crate::cli::pager::paged;
use crate::cli::{Code, read_book, turns};
use crate::config;
use crate::cost::{self, PriceTable};
use crate::host::clock;
use crate::host::output::{self, Out};
use crate::id::SessionId;
use crate::ledger::access::Purpose;
use crate::ledger::query::Book;
use crate::ledger::{Ledger, again};
use crate::record::body::ModelUsage;
use crate::redaction::Redactor;
use crate::story::{Sentence, Source, Spent, Story, Teller, text};

/// Tell how and why code came to be
///
/// Of a line, a function or another symbol, a commit or a session: what was asked for, planned, thought of and dropped, tried
/// and found wanting, decided, written and committed, and what stayed open. Each sentence names by numbers the prompts,
/// calls and commits that it rests on; the list of them ends the story. It is composed from the records; where
/// tracevault.story.baseUrl names a model's endpoint, that model writes it from the same sources.
#[derive(clap::Args, Debug)]
#[command(override_usage = "git tracevault story [OPTIONS] FILE:LINE|FILE#SYMBOL [REVISION]\n       \
                            git tracevault story [OPTIONS] COMMIT|SESSION")]
pub struct Args {
    /// What to tell of; 4 characters or more of a session's id will do
    #[arg(value_name = "FILE:LINE|FILE#SYMBOL|COMMIT|SESSION")]
    name: OsString,
    /// The revision to look at the line or symbol in
    #[arg(value_name = "REVISION")]
    revision: Option<OsString>,
    /// Print one JSON object
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown
    #[arg(long)]
    markdown: bool,
    /// Compose it from the records, whatever model is configured
    #[arg(long)]
    no_model: bool,
    #[command(flatten)]
    log: LogAccess,
}

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let report = read_book(ledger)?;
    let prices = ledger.prices()?;
    let book = Book::new(&report, &prices);
    let asked = ledger.asked(&args.name, args.revision.as_deref(), dir, &book)?;
    let model = if args.no_model { None } else { config::story_model(&ledger.repo)? };
    // What a model is sent leaves the repository.
    let purpose = if model.is_some() { Purpose::Export } else { Purpose::Read };
    let opening = |session: &SessionId| args.log.record(purpose, session, ledger, &book);
    let story = match &model {
        None => again::with(|redactor| ledger.story(&asked, dir, &book, redactor, opening))?,
        Some(model) => {
            // What is sent is redacted by the user's own rules, before anything is cut from it.
            let redactor = Redactor::new(ledger.config.redaction()?);
            let story = ledger.story(&asked, dir, &book, &redactor, opening)?;
            // There may be nothing to tell from.
            if story.sources.is_empty() { story } else { model::tell(story, model, &redactor) }
        }
    };
    if args.json {
        out.json(&story)?;
    } else if args.markdown {
        out.line(text::markdown(&story).trim_end())?;
    } else {
        paged(ledger, out, |out| Ok(print(&story, out)?))?;
    }
    tell_teller(&story.teller, &prices);
    Ok(0)
}

/// Says which model told the story and what that cost, or why none did.
fn tell_teller(teller: &Teller, prices: &PriceTable) {
    match teller {
        Teller::Records { fallback: None, .. } => {}
        Teller::Records { fallback: Some(why), spent } => {
            let spent = spent.as_ref().map(|spent| format!("; it took {}", taken(spent, prices))).unwrap_or_default();
            output::say(format_args!("note: told from the records alone: {}{spent}", one_line(why)));
        }
        Teller::Model { spent, struck } => {
            let struck = match struck {
                0 => String::new(),
                n => format!("; struck out: {n} without a source"),
            };
            let (model, taken) = (one_line(&spent.model), taken(spent, prices));
            output::say(format_args!("note: told by {model}, {taken}{struck}"));
        }
    }
}

/// What a model took, in tokens and money.
fn taken(spent: &Spent, prices: &PriceTable) -> String {
    let Spent { model, input, output } = spent;
    let (model, input, output) = (model.clone(), *input, *output);
    let usage = ModelUsage { model, requests: 1, input, output, ..ModelUsage::default() };
    format!("{input} tokens in, {output} out, {}", money(cost::cost(prices, &usage, clock::now())))
}

fn print(story: &Story, out: &mut Out) -> std::io::Result<()> {
    out.line(out.paint(output::HEAD, one_line(&text::title(&story.about))))?;
    for section in &story.sections {
        out.line("")?;
        out.line(out.paint(output::HEAD, section.kind.title()))?;
        section.sentences.iter().try_for_each(|told| sentence(told, out))?;
    }
    if story.sections.is_empty() {
        out.line("The records that are here tell nothing of it.")?;
    }
    if !story.sources.is_empty() {
        out.line("")?;
        out.line(out.paint(output::HEAD, "Sources"))?;
    }
    story.sources.iter().try_for_each(|known| source(known, out))?;
    story.missing.iter().try_for_each(|why| turns::lacking(out, why))
}

fn sentence(told: &Sentence, out: &mut Out) -> std::io::Result<()> {
    let cites: Vec<String> = told.cites.iter().map(|number| number.get().to_string()).collect();
    let cites = out.paint(output::DIM, format!("[{}]", cites.join(", ")));
    out.line(format_args!("  {} {cites}", one_line(&told.text)))
}

fn source(source: &Source, out: &mut Out) -> std::io::Result<()> {
    let number = out.paint(output::ID, format!("[{}]", source.number.get()));
    let time = source.time.map(|time| format!("{}  ", minute(time))).unwrap_or_default();
    out.line(format_args!("  {number} {time}{}", one_line(&text::place(source))))?;
    out.line(out.paint(output::DIM, format!("      {}", one_line(&text::excerpt(source)))))
}
