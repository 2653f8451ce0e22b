//! Why a tool has no answer, and what to do: the agent reads it, and the server goes on.

use crate::git::command::GitError;
use crate::ledger::LedgerError;
use crate::mirror::MirrorError;

/// What a tool says instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub why: String,
    pub advice: Option<String>,
    /// What was asked for is not here, or is no name at all.
    pub is_unknown: bool,
}

impl Refusal {
    pub fn new(why: impl Into<String>, advice: impl Into<String>) -> Self {
        Refusal { why: why.into(), advice: Some(advice.into()), is_unknown: false }
    }

    /// What was asked for is not here.
    pub fn unknown(why: impl Into<String>, advice: impl Into<String>) -> Self {
        Refusal { is_unknown: true, ..Refusal::new(why, advice) }
    }

    /// There is nothing that whoever asks could do.
    pub fn bare(why: impl Into<String>) -> Self {
        Refusal { why: why.into(), advice: None, is_unknown: false }
    }

    /// What failed, each cause once.
    fn of(error: &dyn std::error::Error, advice: Option<&str>) -> Self {
        let mut why = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !why.contains(&text) {
                why = format!("{why}: {text}");
            }
            next = cause.source();
        }
        Refusal { advice: advice.map(str::to_owned), ..Refusal::bare(why) }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)?;
        self.advice.as_ref().map_or(Ok(()), |advice| write!(f, "\nWhat to do: {advice}"))
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        Refusal::of(&error, error.hint().as_deref())
    }
}

impl From<MirrorError> for Refusal {
    fn from(error: MirrorError) -> Self {
        match error {
            MirrorError::Ledger(error) => error.into(),
            error => Refusal::of(&error, None),
        }
    }
}

impl From<crate::index::IndexError> for Refusal {
    fn from(error: crate::index::IndexError) -> Self {
        Refusal::of(&error, Some("delete tracevault/index in git's folder: it is made again"))
    }
}

impl From<GitError> for Refusal {
    fn from(error: GitError) -> Self {
        Refusal::of(&error, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_said_with_its_causes_once_and_with_what_to_do() {
        let source = std::io::Error::other("disk full");
        let told = Refusal::from(LedgerError::File { path: "x".into(), source }).to_string();
        assert_eq!(told, "cannot use x: disk full");
        let told = Refusal::from(MirrorError::Ledger(LedgerError::NoLedger)).to_string();
        assert!(told.starts_with("this repository has no ledger yet\nWhat to do: git tracevault fetch"), "{told}");
    }
}
