//! The machine: clock, environment, terminal, files. Each has its one home here.

pub mod clock;
pub mod env;
pub mod files;
pub mod http;
pub mod output;
pub mod progress;
pub mod random;
