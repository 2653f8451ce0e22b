//! What a hook answers its agent: a nudge, where one is due and the agent can be told so.
//!
//! Nothing here may stop or slow the agent by failing: what goes wrong is a line in the error log, and hints are not given. What
//! blocks is said all the same, as far as it can be told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde_json::Value;

use crate::agent::Kind;
use crate::config;
use crate::cost::{PriceTable, cost};
use crate::git::locate::Location;
use crate::host::{clock, output};
use crate::id::RepoPath;
use crate::journal::Journal;
use crate::journal::nudges::{Line, What};
use crate::ledger::LedgerError;
use crate::ledger::nudge_facts::{self, Facts};
use crate::nudge::{
    self, Known, Moment, Nudge, Price, Rule, Settings, Settled, State, conditions, decide, plain, without_samples,
};
use crate::policy::{Condition, Policy};
use crate::record::body::ModelUsage;
use crate::redaction::Redactor;
use crate::session::entry::Entry;
use crate::session::event::AgentEvent;

/// No longer prompt is searched for secrets: one that is has been pasted, and would take too long.
const PROMPT_LIMIT: usize = 1 << 20;
/// So much of the end of a transcript is searched for the message that asks for a call, and then so much; both more where the
/// call itself is long. So many lines that name the call are looked at.
const TAILS: [u64; 2] = [32 << 10, 256 << 10];
const MOST_OF_CALL: u64 = 16 << 20;
const LINES: usize = 64;
/// So much of a transcript is read on at a time.
const PIECE: u64 = 256 << 10;

/// What goes wrong on the way to an answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("cannot keep what was said: {0}")]
    Journal(#[from] io::Error),
}

/// The answer to one event, which is heard in one repository after the other.
pub struct Answer {
    agent: Kind,
    /// What is answered, and why.
    given: Option<(nudge::Kind, Value)>,
    /// The rule that finds a secret in the prompt, with card numbers among the secrets and without, as far as it was searched.
    secrets: BTreeMap<bool, Option<&'static str>>,
}

impl Answer {
    /// `None` where nobody reads it: the command that calls us throws away what we print.
    pub fn wanted(agent: Kind) -> Option<Answer> {
        (!output::is_discarded()).then_some(Answer { agent, given: None, secrets: BTreeMap::new() })
    }

    /// What is to be printed.
    pub fn given(self) -> Option<Value> {
        self.given.map(|(_, reply)| reply)
    }

    /// Takes in an event as a repository has taken it down, and finds what there is to say of it there; `named` are the
    /// repository's files that its call names. Gives back what went wrong, which lets nothing through that is blocked.
    pub fn hear(
        &mut self,
        location: &Location,
        journal: &Journal,
        event: &AgentEvent,
        named: Vec<RepoPath>,
    ) -> Vec<AnswerError> {
        let mut troubles = Vec::new();
        let Some(mut moment) = self.agent.moment(event) else { return troubles };
        let (facts, trouble) = nudge_facts::load(location);
        troubles.extend(trouble.map(AnswerError::from));
        // What cannot be understood counts for nothing; `doctor` tells of it.
        let settings = Settings::parse(facts.nudge.as_deref().unwrap_or_default()).unwrap_or_default();
        if settings.is_silent() {
            return troubles;
        }
        let secret = self.find_secret(&settings, &facts, event);
        let make = secret.is_some() || settings.has_hints() || facts.has_rules();
        let mut held = journal.hold_nudges(&event.session, make).unwrap_or_else(|error| {
            troubles.push(error.into());
            None
        });
        if held.is_none() && !make {
            return troubles;
        }
        let mut unknown = State::unknown();
        let state = held.as_mut().map_or(&mut unknown, |held| &mut held.state);
        match &mut moment {
            Moment::Prompt { secret: found } => *found = secret,
            Moment::Before { files, .. } => *files = named,
            Moment::After { edited, .. } => {
                edited.extend(event.files.iter().chain(&event.before).map(|file| file.path.clone()));
            }
            _ => {}
        }
        if settings.has(Rule::Budget) || settings.has(Rule::Cache) {
            troubles.extend(self.read_on(event, state).err().map(AnswerError::from));
        }
        let lines = self.find(&facts, &settings, location, event, &mut moment, state);
        troubles.extend(held.and_then(|held| held.keep().err()).map(AnswerError::from));
        let noted = if lines.is_empty() { Ok(()) } else { journal.log_nudges(&lines) };
        troubles.extend(noted.err().map(AnswerError::from));
        troubles
    }

    /// Finds what the repository says of the moment, and what is due of it; the lines of the log that come of it.
    fn find(
        &mut self,
        facts: &Facts,
        settings: &Settings,
        location: &Location,
        event: &AgentEvent,
        moment: &mut Moment,
        state: &mut State,
    ) -> Vec<Line> {
        let files = if let Moment::Before { files, .. } = &*moment { &files[..] } else { &[] };
        let policy = facts.rules(&conditions(moment, state, settings), files).map(|text| Policy::read(&text));
        if let Moment::Before { model, .. } = moment
            && let Some(policy) = &policy
            && policy.rules.iter().any(|rule| matches!(rule.condition, Condition::ModelAllowlist(_)))
        {
            *model = self.model_of(event);
        }
        if policy.is_some() {
            learn_prices(facts, moment, state);
        }
        let others = match moment {
            Moment::Prompt { .. } if settings.has(Rule::Others) => nudge_facts::used(&location.common_dir),
            _ => Vec::new(),
        };
        let known = Known { settings, policy: policy.as_ref(), others: &others };
        self.speak(event, moment, state, &known)
    }

    /// Takes in the moment, and says what is due; the lines of the log that come of it.
    fn speak(&mut self, event: &AgentEvent, moment: &Moment, state: &mut State, known: &Known<'_>) -> Vec<Line> {
        let line = |n, what| Line { at: event.at, session: event.session.clone(), n, what };
        let outcome = |one: Settled| line(one.n, What::Outcome(one.outcome));
        let mut lines: Vec<Line> = state.note(moment, known.allows(moment, state)).into_iter().map(outcome).collect();
        // One answer is enough, whichever repository asks for it; but no hint of one stands before what another blocks.
        let goes_before = |nudge: &Nudge| match self.given {
            None => true,
            Some((given, _)) => given == nudge::Kind::Hint && nudge.rule.kind() == nudge::Kind::Block,
        };
        let nudge = decide(moment, state, known).filter(goes_before);
        let reply = nudge.as_ref().and_then(|nudge| self.agent.reply(event, nudge));
        if let (Some(nudge), Some(reply)) = (nudge, reply) {
            let (n, settled) = state.show(&nudge);
            lines.extend(settled.into_iter().map(outcome));
            let (rule, kind) = (nudge.rule, nudge.rule.kind());
            lines.push(line(n, What::Shown { rule, kind, event: event.name.clone(), text: nudge.text }));
            self.given = Some((kind, reply));
        }
        lines
    }

    /// The rule of redaction that finds a secret in a prompt.
    fn find_secret(&mut self, settings: &Settings, facts: &Facts, event: &AgentEvent) -> Option<&'static str> {
        if !settings.has(Rule::Secret) {
            return None;
        }
        if let Some(known) = self.secrets.get(&facts.cards) {
            return *known;
        }
        let prompt = self.agent.prompt(event).filter(|prompt| prompt.len() <= PROMPT_LIMIT);
        let find = |prompt: String| {
            let redactor = Redactor::new(config::secrets(facts.cards));
            redactor.finds(without_samples(prompt).as_bytes())
        };
        let found = prompt.and_then(find);
        self.secrets.insert(facts.cards, found);
        found
    }

    /// The model whose message asks for the call, if the transcript has that message already.
    fn model_of(&self, event: &AgentEvent) -> Option<String> {
        let call = &event.call.as_ref()?.id;
        let path = self.agent.transcript(event)?;
        let asks =
            |entries: &[Entry]| entries.iter().any(|entry| matches!(entry, Entry::ToolUse(tool) if tool.call == *call));
        let model = |entry: Entry| match entry {
            Entry::Message(message) => Some(message.model),
            _ => None,
        };
        // Escapes make what is asked longer than it came here, but seldom twice as long.
        let long = event.raw.as_ref().map_or(0, |raw| 2 * raw.get().len() as u64).min(MOST_OF_CALL);
        // Mostly it is the last that was said.
        TAILS.into_iter().find_map(|size| {
            let tail = tail(&path, size + long).ok()?;
            let entries = lines_with(&tail, call.as_str()).take(LINES).map(|line| self.agent.line(line).entries);
            entries.into_iter().find(|entries| asks(entries))?.into_iter().find_map(model)
        })
    }

    /// Counts what the session's own messages used since it was last read; of subagents nothing is counted.
    fn read_on(&self, event: &AgentEvent, state: &mut State) -> io::Result<()> {
        let Some(path) = event.transcript.as_deref().filter(|_| event.subagent.is_none()) else { return Ok(()) };
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        file.seek(SeekFrom::Start(state.spent.offset))?;
        let mut bytes = Vec::new();
        file.take(PIECE).read_to_end(&mut bytes)?;
        let Some(end) = memchr::memrchr(b'\n', &bytes) else {
            // A line that is longer than a piece is no message.
            state.spent.offset += if bytes.len() as u64 == PIECE { PIECE } else { 0 };
            return Ok(());
        };
        state.spent.offset += end as u64 + 1;
        for line in
            bytes[..end].split(|b| *b == b'\n').filter(|line| memchr::memmem::find(line, b"\"usage\"").is_some())
        {
            for entry in self.agent.line(line).entries {
                let Entry::Message(message) = entry else { continue };
                let tokens = message.tokens;
                let kinds =
                    [tokens.input, tokens.output, tokens.cache_read, tokens.cache_write_5m, tokens.cache_write_1h];
                state.spent.add(&message.id, &message.model, kinds);
            }
        }
        Ok(())
    }
}

/// Looks up the models that are new to the session in the price table.
fn learn_prices(facts: &Facts, moment: &Moment, state: &mut State) {
    let named = match moment {
        Moment::Start { model, .. } | Moment::Before { model, .. } => model.as_deref(),
        _ => None,
    };
    let models = named.into_iter().chain(state.model.as_deref()).chain(state.spent.models.keys().map(String::as_str));
    let new: BTreeSet<String> =
        models.map(|model| plain(model).to_owned()).filter(|model| !state.prices.contains_key(model)).collect();
    if new.is_empty() {
        return;
    }
    let table = prices(facts);
    state.prices.extend(new.into_iter().map(|model| (model.clone(), price(&table, &model))));
}

/// What tokens cost. The organisation's own table counts where it can be read.
fn prices(facts: &Facts) -> PriceTable {
    let embedded = PriceTable::embedded().clone();
    let own = facts.prices.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
    match own.and_then(|text| PriceTable::from_toml(&text).ok()) {
        Some(own) => embedded.merge(own),
        None => embedded,
    }
}

/// A model's price as it is now, by what a million tokens of each kind cost.
fn price(table: &PriceTable, model: &str) -> Price {
    const MANY: u64 = 1_000_000;
    let rate = |kind: usize| {
        let of = |this: usize| if this == kind { MANY } else { 0 };
        let usage = ModelUsage {
            model: model.to_owned(),
            input: of(0),
            output: of(1),
            cache_read: of(2),
            cache_write_5m: of(3),
            cache_write_1h: of(4),
            ..ModelUsage::default()
        };
        cost(table, &usage, clock::now()).and_then(|money| u64::try_from(money.micro_dollars()).ok())
    };
    Price { provider: table.provider(model).map(str::to_owned), rates: std::array::from_fn(rate) }
}

/// The lines that a text stands in, the last first.
fn lines_with<'t>(bytes: &'t [u8], text: &'t str) -> impl Iterator<Item = &'t [u8]> {
    let mut end = bytes.len();
    std::iter::from_fn(move || {
        let before = &bytes[..end];
        let at = memchr::memmem::rfind(before, text.as_bytes()).filter(|_| !text.is_empty())?;
        let from = memchr::memrchr(b'\n', &before[..at]).map_or(0, |newline| newline + 1);
        let to = memchr::memchr(b'\n', &before[at..]).map_or(end, |newline| at + newline);
        end = from;
        Some(&before[from..to])
    })
}

/// The last bytes of a file.
fn tail(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_name_a_call_come_from_the_end() {
        let told = |text: &str| lines_with(text.as_bytes(), "c1").map(|line| line.to_vec()).collect::<Vec<_>>();
        assert_eq!(told("ask c1\nother\nc1 c1 hook\n"), [b"c1 c1 hook".to_vec(), b"ask c1".to_vec()]);
        assert_eq!(told("c1"), [b"c1"]);
        assert_eq!(told("\n\n"), Vec::<Vec<u8>>::new());
        assert_eq!(lines_with(b"a", "").count(), 0);
    }
}
