//! Web: the audit view, one file a page. It asks the index and the mirrors, and writes to neither.

mod access;
mod advice;
mod app;
mod asof;
mod assets;
mod ask;
mod chart;
mod code;
mod in_turn;
mod log;
mod page;
mod pages;
mod routes;
mod server;
mod show;
mod story;
mod table;
mod turns;

pub use access::{Door, Origins, Peers, Provider, Rates};
pub use app::{App, Doing, Secrets};
pub use log::Log;
pub use server::serve;
