//! Git: the one place that opens repositories and runs the git program.

pub mod command;
pub mod diff;
mod patch_id;
pub mod repo;
