//! The bodies of records about reading: whose words a member opened, or took out.

use serde::{Deserialize, Serialize};

use super::some;
use crate::id::{RecordId, SessionId};

/// What a member opened of a session's encrypted payloads, on the member's own chain: to read it (`access`), or to take it
/// out of the repository (`export`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    pub session: SessionId,
    /// The records of the session whose payloads were opened.
    #[serde(deserialize_with = "some")]
    pub records: Vec<RecordId>,
}
