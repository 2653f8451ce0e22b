//! Git: the one place that opens repositories and runs the git program.

pub mod command;
pub mod ignore;
pub mod locate;
#[cfg(test)]
pub mod testing;
pub mod work_tree;
