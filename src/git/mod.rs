//! Git: the one place that opens repositories and runs the git program.

pub mod ancestry;
pub mod blame;
pub mod command;
pub mod deepen;
pub mod diff;
pub mod history;
pub mod line_changes;
pub mod last_changes;
pub mod ignore;
pub mod incoming;
pub mod locate;
pub mod notes;
mod patch_id;
pub mod repo;
pub mod resolved;
pub mod tree_diff;
#[cfg(test)]
pub mod testing;
pub mod work_tree;
