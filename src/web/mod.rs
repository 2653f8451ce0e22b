//! Web: the audit view, one file a page. It asks the index and the mirrors, and writes to neither.

mod app;
mod asof;
mod assets;
mod ask;
mod chart;
mod page;
mod pages;
mod routes;
mod server;
mod show;
mod table;
mod turns;

pub use app::{App, Doing, Secrets};
pub use server::serve;
