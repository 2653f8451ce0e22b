//! Scopes: the function, method, class or module around any line, in the languages that we have grammars of.
//!
//! Bottom up: [`language`] says what a file is written in, [`grammar`] holds a table of node kinds for each language,
//! [`name`] reads what a node declares, [`walk`] finds the scopes of a file, [`lines`] gives each line its innermost
//! one, [`tally`] counts origins per scope.
//!
//! A scope has a name: closures and other anonymous functions belong to what is around them. What concerns a whole file
//! alike (`package com.example;`) is no scope of it.

pub mod tally;
pub mod lines;
pub mod walk;
mod name;
mod grammar;
pub mod language;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod samples;

use serde::{Deserialize, Serialize};

/// What a scope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A module, namespace or package with a body of its own.
    Module,
    /// Whatever the language makes types with: class, struct, enum, trait, interface, `impl` block, table.
    Class,
    Function,
    /// A function of a class; in C++ also one of a namespace that is defined outside of it.
    Method,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Module => "module",
            Kind::Class => "class",
            Kind::Function => "function",
            Kind::Method => "method",
        }
    }
}

/// A named part of a file. Its lines take in the attributes, decorators and comments directly above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    pub kind: Kind,
    pub name: String,
    /// With the names around it, joined as the language does: `ledger::Chain::append`, `Cart.total`.
    pub qualified: String,
    /// The first line, counted from 1.
    pub first: u32,
    /// The last line; the next scope may begin on it.
    pub last: u32,
    /// The place of the scope around it in the same list.
    pub parent: Option<usize>,
    /// How many scopes are around it.
    pub depth: usize,
}

/// The scopes of one file, each before those in it, from the top.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scopes {
    pub list: Vec<Scope>,
    /// How many lines the file has.
    pub lines: u32,
    /// Whether the file is not wholly in its language's grammar: scopes near the errors may be wrong or missing.
    pub errors: bool,
}

/// What looking for scopes came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Found(Scopes),
    /// The file is longer than [`walk::LONGEST`].
    TooLong,
    /// Parsing took more work than a file of its length can need.
    TooHard,
}
