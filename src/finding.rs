//! Findings and verdicts: the three answers every question has.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// The answer to a question. Unknown is not a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Inconclusive,
    Fail,
}

impl Verdict {
    /// The exit code of a command that answers with this verdict: 0, 1 or 2.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Inconclusive => 2,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Pass => "pass",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Fail => "fail",
        })
    }
}

/// How much a finding weighs in the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth saying; the verdict stays.
    Warning,
    /// Cannot be told from here: the verdict is inconclusive.
    Inconclusive,
    /// The verdict is fail.
    Error,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Inconclusive => "inconclusive",
            Severity::Error => "error",
        }
    }
}

macro_rules! codes {
    ($($name:ident $text:literal $severity:ident $meaning:literal;)*) => {
        /// What was observed. The codes are stable: scripts match on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $meaning] $name),* }

        impl Code {
            /// Every code, in order.
            #[cfg(test)]
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The stable text, `E-SIG`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text),* }
            }

            /// What the code says, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$name => $meaning),* }
            }

            /// How much it weighs.
            pub fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity),* }
            }
        }
    };
}

codes! {
    Sig "E-SIG" Error "a signature is missing or does not verify under the key that must have made it";
    Format "E-FORMAT" Error "a signature file is not what minisign writes";
    Canon "E-CANON" Error "a record is not in the one canonical form its bytes must have";
    Limit "E-LIMIT" Error "a record is larger or deeper than the format allows";
    Version "E-VERSION" Error "a record has a version or type that this program does not know";
    Envelope "E-ENVELOPE" Error "a record's git commit or tree is not the one its record makes";
    Chain "E-CHAIN" Error "a record does not name its predecessor's id";
    Seq "E-SEQ" Error "a record's number is not one more than its predecessor's";
    ChainKey "E-CHAIN-KEY" Error "a chain is not named after the key that signs it";
    Ledger "E-LEDGER" Error "a record belongs to another ledger than the one that is pinned";
    Time "E-TIME" Error "a record is dated before its predecessor";
    Policy "E-POLICY" Error "a record cites a policy that is not there or older than one cited before";
    PolicyThreshold "E-POLICY-THRESHOLD" Error "a policy record has fewer signers than it needs";
    Unauth "E-UNAUTH" Error "a record's writer has no right to write it";
    Pending "E-PENDING" Inconclusive "a chain's key has not been enrolled by an owner";
    Fork "E-FORK" Error "two different records claim the same place in a chain";
    Rollback "E-ROLLBACK" Error "a chain is shorter than it was seen before, or than a record says";
    PayloadHash "E-PAYLOAD-HASH" Error "a payload's bytes are not the ones its record names";
    Missing "E-MISSING" Inconclusive "something a record names is not here";
    Ref "E-REF" Error "a record is about another one, or draws on one, that is not there";
    Pruned "W-PRUNED" Warning "payloads expired and were pruned by a record that covers them";
    Replaced "W-REPLACED" Warning "payloads held a secret, and an amendment replaced them";
    Object "E-OBJECT" Error "a git object's bytes do not have the id it is stored under";
    Commit "E-COMMIT" Error "a commit record does not describe the commit it names";
    Link "W-LINK" Warning "a link says of two commits that they have more in common than they have";
    Note "W-NOTE" Warning "a note does not say what the records say; notes are never evidence";
    UnknownRef "W-REF" Warning "a ref under the ledger's prefix holds nothing that this program knows";
    Seal "E-SEAL" Error "a seal is not what the records make it, or is not there as a record cites it";
    Plain "W-PLAIN" Warning "a record has payloads in plain text where the policy that it cites asks for encryption";
    Stale "W-STALE" Warning "records have been waiting for a seal for too long";
    Unrecorded "E-UNRECORDED" Error "a commit of the range has no record";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

/// One observation about one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// The chain it is about, or the ref's name where no chain can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// The record's number in its chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The record's id, 64 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    pub message: String,
    /// What was decided about it. It weighs as before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

/// What was decided about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The number of the policy record that says so.
    pub n: u64,
    pub decision: String,
    /// The record that is the right one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

impl Finding {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let (severity, message) = (code.severity(), message.into());
        Finding { code, severity, chain: None, seq: None, record: None, message, decided: None }
    }

    pub fn chain(mut self, chain: impl fmt::Display) -> Self {
        self.chain = Some(chain.to_string());
        self
    }

    pub fn seq(mut self, seq: u64) -> Self {
        self.seq = Some(seq);
        self
    }

    pub fn record(mut self, id: impl fmt::Display) -> Self {
        self.record = Some(id.to_string());
        self
    }
}

/// The verdict over findings: the worst of them, or a pass where there are none above a warning.
pub fn verdict(findings: &[Finding]) -> Verdict {
    match findings.iter().map(|f| f.severity).max() {
        Some(Severity::Error) => Verdict::Fail,
        Some(Severity::Inconclusive) => Verdict::Inconclusive,
        Some(Severity::Warning) | None => Verdict::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_a_pass_and_an_error_outweighs_it() {
        let warning = Finding::new(Code::Note, "");
        let pending = Finding::new(Code::Pending, "");
        let broken = Finding::new(Code::Sig, "");
        assert_eq!(verdict(&[]), Verdict::Pass);
        assert_eq!(verdict(std::slice::from_ref(&warning)), Verdict::Pass);
        assert_eq!(verdict(&[warning.clone(), pending.clone()]), Verdict::Inconclusive);
        assert_eq!(verdict(&[broken, pending, warning]), Verdict::Fail);
    }

    #[test]
    fn codes_are_distinct_and_say_their_weight() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(code.as_str().starts_with("W-"), code.severity() == Severity::Warning, "{code}");
        }
    }
}
