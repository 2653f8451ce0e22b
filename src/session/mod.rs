//! Sessions: an agent's events and transcript lines in, facts of a segment out.

pub mod activity;
pub mod edit;
pub mod entry;
pub mod event;
pub mod failures;
pub mod shell;
pub mod tally;
pub mod turns;
pub mod unlisted;
