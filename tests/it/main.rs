//! Integration tests, all in one binary: the house's own rules, and journeys with a real git.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts programs and may fail")]
#![allow(clippy::print_stderr, reason = "a test that has checked nothing says so")]

mod access;
mod agent;
mod attribution;
mod blame;
mod browser;
mod capture;
mod check;
mod ci;
mod ci_action;
mod code;
mod crash;
mod encryption;
mod history;
mod hook_agent;
mod init;
mod interchange;
mod journey;
mod keeping;
mod front;
mod gate;
mod gate_server;
mod git_server;
mod guide;
mod generator;
mod layers;
mod lines;
mod ledger;
mod lookalikes;
mod members;
mod packages;
mod postgres;
mod push;
mod replay;
mod rewritten;
mod scenarios;
mod seals;
mod serve;
mod provider;
mod server;
mod sign_in;

mod serve_alerts;
mod serve_asof;
mod serve_encrypted;
mod serve_hooks;
mod serve_keeping;
mod serve_openapi;
mod serve_proofs;
mod stats;
mod support;
mod trust;
mod verify_sh;
