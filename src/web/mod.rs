//! Web: the audit view, one file a page. It asks the index and the mirrors, and writes to neither.

mod app;
mod assets;
mod ask;
mod chart;
mod code;
mod page;
mod pages;
mod server;
mod show;
mod table;
mod turns;

pub use app::{App, Doing};
pub use server::serve;
