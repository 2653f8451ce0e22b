//! What lists and charts are narrowed to.

use crate::index::reach::Reach;

/// What a list or a chart shows. Without a reach it shows nothing; all else narrows only where something is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// How far the reader may read.
    pub reach: Reach,
    pub repository: Option<i64>,
    /// The member whose sessions are asked for, whoever asks.
    pub member: Option<String>,
    /// The e-mail address of commits' author.
    pub author: Option<String>,
    pub agent: Option<String>,
    pub model: Option<String>,
    /// From this second since 1970 on, and before that one.
    pub since: Option<i64>,
    pub until: Option<i64>,
}
