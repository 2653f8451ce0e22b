//! What frameworks ask for that a ledger has evidence of, and what of it no ledger can tell.

use crate::record::body::Framework;

/// Something that a framework asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    /// Where the framework asks for it.
    pub id: &'static str,
    /// What it asks for, in short.
    pub asks: &'static str,
    pub evidence: &'static [Evidence],
    /// What must be shown in other ways.
    pub left: &'static str,
}

/// What a ledger has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    Sessions,
    Models,
    Commits,
    Checks,
    Approvals,
    Corrections,
    Rules,
    Members,
    Seals,
    Audits,
    Decisions,
    Readings,
    Retention,
    Holds,
}

impl Evidence {
    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Evidence::Sessions => "sessions of agents, turn by turn",
            Evidence::Models => "models, by what was asked of each",
            Evidence::Commits => "commits, and whose their lines are",
            Evidence::Checks => "what the rules said of commits",
            Evidence::Approvals => "approvals by another member",
            Evidence::Corrections => "corrections of records",
            Evidence::Rules => "rules that were signed",
            Evidence::Members => "changes of members, roles and keys",
            Evidence::Seals => "seals of witnesses",
            Evidence::Audits => "audits that were signed",
            Evidence::Decisions => "decisions about findings",
            Evidence::Readings => "records of who read what was encrypted",
            Evidence::Retention => "choices of how long payloads are kept, and prunings",
            Evidence::Holds => "legal holds and their ends",
        }
    }

    /// The types of the records that are it.
    pub fn kinds(self) -> &'static [&'static str] {
        match self {
            Evidence::Sessions | Evidence::Models => &["session"],
            Evidence::Commits => &["commit"],
            Evidence::Checks => &["check"],
            Evidence::Approvals => &["approve"],
            Evidence::Corrections => &["amend"],
            Evidence::Rules => &["policy"],
            Evidence::Members => &["genesis", "roster", "close-chain"],
            Evidence::Seals => &["seal"],
            Evidence::Audits => &["audit"],
            Evidence::Decisions => &["adjudicate"],
            Evidence::Readings => &["access", "export"],
            Evidence::Retention => &["compliance", "prune"],
            Evidence::Holds => &["hold", "release"],
        }
    }
}

/// What a framework asks for of which there can be evidence.
pub fn controls(framework: Framework) -> &'static [Control] {
    match framework {
        Framework::Sox => SOX,
        Framework::PciDss => PCI_DSS,
        Framework::Sr117 => MODEL_RISK,
        Framework::Custom => CUSTOM,
    }
}

use Evidence::{
    Approvals, Audits, Checks, Commits, Corrections, Decisions, Holds, Members, Models, Readings, Retention, Rules,
    Seals, Sessions,
};

const SOX: &[Control] = &[
    Control {
        id: "Section 404",
        asks: "Changes of systems that financial reports rest on are authorised",
        evidence: &[Rules, Checks, Approvals],
        left: "who may merge and deploy on the server, tickets, tests",
    },
    Control {
        id: "Section 404",
        asks: "Who changed what, when and with which tool can be traced",
        evidence: &[Commits, Sessions, Members],
        left: "commits that have no record, and what is changed outside git",
    },
    Control {
        id: "Section 802",
        asks: "Records are not altered, hidden or destroyed",
        evidence: &[Seals, Audits, Corrections, Holds],
        left: "copies elsewhere; without a witness, that nobody else has seen another ledger",
    },
    Control {
        id: "17 CFR 210.2-06",
        asks: "Records that an audit rests on are kept for seven years",
        evidence: &[Retention],
        left: "papers, mail and systems other than this repository",
    },
];

const PCI_DSS: &[Control] = &[
    Control {
        id: "6.2.3.1",
        asks: "Code is reviewed by somebody other than its author",
        evidence: &[Approvals, Checks],
        left: "how well it was reviewed, and management's approval of the result",
    },
    Control {
        id: "6.5.1",
        asks: "Changes are documented and approved",
        evidence: &[Commits, Rules, Approvals],
        left: "their effect on security, tests, and the way back",
    },
    Control {
        id: "10.2",
        asks: "Audit logs are active",
        evidence: &[Sessions, Commits, Readings],
        left: "access to cardholder data, and systems in operation",
    },
    Control {
        id: "10.3",
        asks: "Audit logs are protected from being destroyed or changed",
        evidence: &[Seals, Audits, Members],
        left: "rights on the server and backups",
    },
    Control {
        id: "10.4",
        asks: "Audit logs are reviewed",
        evidence: &[Audits, Decisions],
        left: "that somebody reads the alerts each day",
    },
    Control {
        id: "10.5.1",
        asks: "Audit logs are kept for twelve months, the newest three at hand",
        evidence: &[Retention],
        left: "logs of other systems",
    },
];

const MODEL_RISK: &[Control] = &[
    Control {
        id: "Inventory",
        asks: "It is known which models are used, and what for",
        evidence: &[Models, Sessions],
        left: "models that no agent ran in this repository",
    },
    Control {
        id: "Limits of use",
        asks: "What a model may be used for is set down, and kept to",
        evidence: &[Rules, Checks],
        left: "the models' own documentation and assumptions",
    },
    Control {
        id: "Effective challenge",
        asks: "Others than its developers question what a model made",
        evidence: &[Approvals, Corrections, Decisions],
        left: "how independent they are, and validation of the model itself",
    },
    Control {
        id: "Ongoing monitoring",
        asks: "What models do is watched over time",
        evidence: &[Checks, Audits, Seals],
        left: "an analysis of outcomes",
    },
    Control {
        id: "Governance",
        asks: "Roles are given, and records are kept",
        evidence: &[Members, Retention],
        left: "policies and reports of the board",
    },
];

const CUSTOM: &[Control] = &[Control {
    id: "Own rules",
    asks: "Payloads are kept as long as the organisation says",
    evidence: &[Retention, Holds],
    left: "all else that these rules ask for",
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::body::Body;

    #[test]
    fn every_framework_asks_for_something_and_evidence_is_records_there_are() {
        for framework in Framework::ALL {
            let all = controls(framework);
            assert!(!all.is_empty(), "{framework}");
            for control in all {
                assert!(!control.evidence.is_empty() && !control.left.is_empty(), "{framework} {}", control.id);
                let kinds = control.evidence.iter().flat_map(|evidence| evidence.kinds());
                kinds.for_each(|kind| assert!(Body::KINDS.contains(kind), "{kind}"));
            }
        }
    }
}
