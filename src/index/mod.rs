//! Index: what verified ledgers say, in a database that pages are made from. All SQL is here.
//!
//! It holds nothing that the ledgers do not have, but since when alerts are known, and may be deleted at any time.

mod about;
mod alerts;
mod analytics;
mod audited;
mod behind;
mod code;
mod columns;
mod commits;
mod database;
mod decided;
mod failures;
mod files;
mod filter;
mod gutters;
mod habits;
mod ingest;
mod integrity;
mod judged;
mod late;
mod lead;
mod outline;
mod proofs;
mod reach;
mod recorded;
mod repositories;
mod rows;
mod said;
mod select;
mod sessions;
mod settle;
mod sign_ins;
mod speaks;
mod words;

pub use about::HeldRow;
pub use alerts::AlertRow;
pub use analytics::{By, LinesSum, ToolSum, UsageSum, WorkSum};
pub use audited::{AuditRow, Audited};
pub use behind::Behind;
pub use commits::{CommitFileRow, CommitRow};
pub use database::{Database, Dialect, Place};
pub use decided::{Decision, MemberRow};
pub use failures::FailureRow;
pub use files::{Changed, FileAt};
pub use filter::{AsOf, Filter};
pub use gutters::GutterRow;
pub use habits::{HabitRow, UseRow};
pub use ingest::Ingest;
pub use integrity::{ChainRow, FindingRow, RecordRow};
pub use judged::CheckRow;
pub use lead::Lead;
pub use outline::{Held, Outline, Part, VERSION as OUTLINES};
pub use proofs::SealRow;
pub use reach::Reach;
pub use repositories::Repository;
pub use said::{SaidRow, ShelfRow};
pub use sessions::{After, DrawnRow, FileRow, SessionRow, ToolRow, UsageRow};
pub use settle::Done;
pub use sign_ins::{DeviceCode, Membership};
pub use speaks::{Spoken, WriterRow};
pub use words::{Hit, Words};

use std::path::PathBuf;

/// What can go wrong with the index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("the index: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("cannot use the index {}", .path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("the index: what was to be written was not")]
    Stopped(#[source] tokio::task::JoinError),
    #[error("the index: a record of the policy chain cannot be read: {0}")]
    Decision(String),
}
