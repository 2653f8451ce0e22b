//! The rules: facts that providers publish, a table a field.
//!
//! "gitleaks" as a source means the format that gitleaks' rule of that name tells (MIT); no pattern is copied.

mod ai;
mod cloud;
mod code;
mod commands;
mod context;
mod layouts;
mod messaging;
mod payments;
mod printed;
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
    ];
    tables.into_iter().flatten()
}
