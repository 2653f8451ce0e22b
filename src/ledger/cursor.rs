//! How far a session has been recorded: where its next segment begins, and what must be remembered until then.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::id::{CallId, RecordId, SessionId};
use crate::ledger::LedgerError;
use crate::ledger::local::{Changes, Local};
use crate::session::tally::TallyState;

/// A session's cursor, `sessions/<session>.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The number of the next segment.
    pub segment: u64,
    /// Where the journal's next event begins.
    pub journal: u64,
    /// The session's own transcript, once an event has named it.
    pub transcript: Option<PathBuf>,
    /// The agent's name.
    pub agent: String,
    /// How far each transcript was read: `main`, or a subagent's id.
    pub sources: Vec<Source>,
    pub tally: TallyState,
    /// The model that made most calls, and those calls that others made.
    pub model: Option<String>,
    pub other_models: BTreeMap<CallId, String>,
    /// Whether the agent said that the session is over.
    pub ended: bool,
    /// The newest record of the session.
    pub record: Option<RecordId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub name: String,
    pub offset: u64,
}

/// Hashes of the message and prompt ids that any session of this clone has counted, 8 bytes each.
const COUNTED: &str = "counted";

impl Cursor {
    fn path(session: &SessionId) -> String {
        format!("sessions/{session}.json")
    }

    pub fn load(local: &Local, session: &SessionId) -> Result<Self, LedgerError> {
        let Some(bytes) = local.read(Self::path(session))? else { return Ok(Cursor::default()) };
        // One that a power failure emptied is no cursor: the session is read again, and what was counted stays counted.
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Notes the cursor, and the ids that were counted, among the changes that go with a record.
    pub fn save(
        &self,
        local: &Local,
        session: &SessionId,
        ids: &[u64],
        changes: &mut Changes,
    ) -> Result<(), LedgerError> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| LedgerError::File { path: Self::path(session).into(), source: error.into() })?;
        changes.replace(Self::path(session), &bytes);
        if !ids.is_empty() {
            let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
            local.append(changes, COUNTED, &bytes)?;
        }
        Ok(())
    }

    /// Remembers which model made a call.
    pub fn note_model(&mut self, call: &CallId, model: &str) {
        match &self.model {
            None => self.model = Some(model.to_owned()),
            Some(known) if known != model => {
                self.other_models.insert(call.clone(), model.to_owned());
            }
            Some(_) => {}
        }
    }

    /// The model that made a call, `provider/model` where the provider is known.
    pub fn model(&self, call: &CallId) -> Option<String> {
        let model = self.other_models.get(call).or(self.model.as_ref())?;
        Some(if model.starts_with("claude") { format!("anthropic/{model}") } else { model.clone() })
    }

    /// How far a source was read.
    pub fn offset(&self, name: &str) -> u64 {
        self.sources.iter().find(|source| source.name == name).map_or(0, |source| source.offset)
    }

    pub fn set_offset(&mut self, name: &str, offset: u64) {
        match self.sources.iter_mut().find(|source| source.name == name) {
            Some(source) => source.offset = offset,
            None => self.sources.push(Source { name: name.to_owned(), offset }),
        }
    }
}

/// The ids that were counted before, read when the first one is asked for.
pub struct Counted<'a> {
    local: &'a Local<'a>,
    sorted: OnceCell<Vec<u64>>,
}

impl<'a> Counted<'a> {
    pub fn new(local: &'a Local<'a>) -> Self {
        Counted { local, sorted: OnceCell::new() }
    }

    pub fn contains(&self, id: u64) -> bool {
        let sorted = self.sorted.get_or_init(|| {
            // A file that cannot be read now could not have been written with the last record either.
            let bytes = self.local.read(COUNTED).ok().flatten().unwrap_or_default();
            let mut ids: Vec<u64> = bytes
                .chunks_exact(8)
                .map(|b| u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
                .collect();
            ids.sort_unstable();
            ids
        });
        sorted.binary_search(&id).is_ok()
    }
}
