//! What may be done to a good ledger, and the verdict that must come back: by the program in all its ways, and by the
//! shell verifier.
#![cfg(test)]

pub mod access;
mod chains;
mod closures;
mod copies;
mod encryption;
mod flips;
mod forms;
pub mod keeping;
mod policy;
mod references;
mod replaced;
mod rules;
mod seals;
mod wrapping;

use super::testing::{Answer, Fixture};
use crate::finding::Verdict;

/// A good ledger that has been verified once, so that there is something remembered to go wrong by.
fn good() -> Fixture {
    verified(Fixture::new())
}

/// The same of few records, for what is asked many times.
fn small() -> Fixture {
    verified(Fixture::small())
}

/// The same of as few as there can be.
fn tiny() -> Fixture {
    verified(Fixture::tiny())
}

fn verified(fixture: Fixture) -> Fixture {
    let report = fixture.verify(super::verify::Options { pinned: Some(fixture.id), ..Default::default() });
    assert_eq!(report.findings, []);
    fixture
}

fn fail(codes: &[&'static str]) -> Answer {
    Answer::new(Verdict::Fail, codes)
}

fn inconclusive(codes: &[&'static str]) -> Answer {
    Answer::new(Verdict::Inconclusive, codes)
}

fn pass(codes: &[&'static str]) -> Answer {
    Answer::new(Verdict::Pass, codes)
}

#[test]
#[ignore = "leaves a repository to look at in the folder that TRACEVAULT_FIXTURE names"]
#[allow(clippy::disallowed_methods)]
fn keep() {
    let fixture = good();
    let to = std::env::var("TRACEVAULT_FIXTURE").unwrap();
    fixture.folder.git(&["clone", "-q", "--mirror", ".", &to]);
}
