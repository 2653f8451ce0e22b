//! Integration tests, all in one binary: the house's own rules, and journeys with a real git.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts programs and may fail")]

mod front;
mod layers;
mod support;
