//! The rules: facts that providers publish, a table a field.
//!
//! "gitleaks" as a source means the format that gitleaks' rule of that name tells (MIT); no pattern is copied.

/// A value behind a flag, in quotes or not; it does not begin as a further flag.
macro_rules! value {
    () => {
        r#"(?:\\*['\x22]([^\n'\x22\\]{4,80})\\*['\x22]|([^\s'\x22\\-][^\s'\x22\\]{3,}))"#
    };
}

/// A program, a flag of it that the value may touch, and the value.
macro_rules! flag {
    ($programs:expr, $flags:expr) => {
        concat!("(?:", $programs, ")\\b[^\\n|;]{0,300}?\\s(?:", $flags, ")[ =]?", value!())
    };
}

/// The same of a flag that a blank or `=` follows.
macro_rules! given {
    ($programs:expr, $flags:expr) => {
        concat!("(?:", $programs, ")\\b[^\\n|;]{0,300}?\\s(?:", $flags, ")[ =]", value!())
    };
}

/// Words and the value behind them.
macro_rules! after {
    ($words:expr) => {
        concat!($words, r"\s+", value!())
    };
}

mod admin;
mod ai;
mod calls;
mod cloud;
mod code;
mod commands;
mod context;
mod layouts;
mod messaging;
mod network;
mod paths;
mod payments;
mod platforms;
mod printed;
mod protocols;
mod services;
mod shell;
mod tools;

use super::rule::Rule;

/// All rules, in a fixed order.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    let tables = [
        cloud::RULES,
        code::RULES,
        ai::RULES,
        messaging::RULES,
        payments::RULES,
        services::RULES,
        context::RULES,
        commands::RULES,
        tools::RULES,
        shell::RULES,
        printed::RULES,
        layouts::RULES,
        platforms::RULES,
        paths::RULES,
        network::RULES,
        admin::RULES,
        calls::RULES,
        protocols::RULES,
    ];
    tables.into_iter().flatten()
}
