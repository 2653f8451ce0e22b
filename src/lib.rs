//! git-tracevault: signed, hash-chained records of what AI agents did, kept in git itself.
//!
//! The modules below stand in order, front to base: each imports only from those after it.
//! `docs/architecture.md` is the map.

// front
mod cli;
mod web;
mod mcp;
// shell: files, programs, network
mod mirror;
mod index;
mod ledger;
mod setup;
mod journal;
mod agent;
mod signing;
mod config;
mod git;
mod host;
// domain: values in, values out
mod audit_log;
mod nudge;
mod policy;
mod compliance;
mod cost;
mod story;
mod scope;
mod attribution;
mod redaction;
mod session;
mod roster;
mod chain;
mod record;
mod merkle;
// base
mod finding;
mod visible;
mod time;
mod id;
mod digest;

pub use cli::main;
