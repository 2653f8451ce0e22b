//! Git: the one place that opens repositories and runs the git program.

pub mod command;
pub mod repo;
