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
    /// As things were known then.
    pub asof: Option<AsOf>,
}

/// A time up to which records count, by their writers' clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOf {
    /// The last second since 1970 that counts.
    pub time: i64,
    /// A repository, and the number of the last record of its policy chain that counts.
    pub policy: Option<(i64, i64)>,
}
