//! The rules in force, and what they say of commits.

use crate::cost::PriceTable;
use crate::finding::Severity;
use crate::id::{ChainId, GitId, RecordId};
use crate::ledger::copies::{self, Copies};
use crate::ledger::query::Book;
use crate::ledger::seen::Seen;
use crate::ledger::verify::{self, PolicyChain};
use crate::ledger::{Ledger, LedgerError};
use crate::policy::{Condition, Evidence, Policy, Report, evaluate};
use crate::record::body::{Body, Policy as Text};
use crate::roster::Rules;
use crate::signing::Signer;

/// Which rules are in force.
#[derive(Debug)]
pub enum InForce {
    /// Nobody has set any.
    None,
    Rules(Rules),
    /// It cannot be told, for this reason.
    Untold(String),
}

impl Ledger {
    /// The rules in force, by the policy chain alone: no writer's chain is read.
    pub fn rules(&self) -> Result<InForce, LedgerError> {
        let pinned = self.pinned()?;
        let copies = Copies::list(self)?;
        let walk =
            copies.chains.get(&ChainId::Policy).map(|tips| copies::walk(&self.repo, ChainId::Policy, tips, None));
        let Some(walk) = walk.filter(|walk| !walk.is_empty() || !walk.findings.is_empty()) else {
            let why = "the policy chain is not here (git tracevault fetch)".to_owned();
            return Ok(if pinned.is_some() { InForce::Untold(why) } else { InForce::None });
        };
        let chain = PolicyChain::verify(&self.repo, &walk.commits().collect::<Vec<_>>());
        let seen = Seen::load(self)?.compare(&self.repo, ChainId::Policy, &walk);
        let findings = walk.findings.into_iter().chain(seen).chain(chain.findings);
        if let Some(finding) = findings.into_iter().find(|finding| finding.severity > Severity::Warning) {
            let why = format!("the policy chain does not hold: {} {}", finding.code, finding.message);
            return Ok(InForce::Untold(format!("{why} (git tracevault verify)")));
        }
        if let Some(pinned) = pinned
            && chain.ledger != Some(pinned)
        {
            return Ok(InForce::Untold(format!("the ledger here is not the one that is pinned, {pinned}")));
        }
        Ok(chain.history.rules().cloned().map_or(InForce::None, InForce::Rules))
    }

    /// What a policy says of commits, oldest first, by all records that are here.
    pub fn judge(&self, policy: &Policy, commits: &[GitId]) -> Result<Report, LedgerError> {
        let (report, prices) = (self.read_all()?, self.prices()?);
        let book = self.book_for(&report, &prices, commits)?;
        Ok(evaluate(policy, &self.evidence_for(policy, &book, commits)))
    }

    /// The book of a verification, with what these commits were found to repeat.
    pub fn book_for<'r>(
        &self,
        report: &'r verify::Report,
        prices: &'r PriceTable,
        commits: &[GitId],
    ) -> Result<Book<'r>, LedgerError> {
        let mut book = Book::new(report, prices);
        // What a server squashed or rebased is linked when somebody comes by; that it is the same can be seen now.
        let found = self.find_links(&book, commits)?;
        book.add_found(found);
        Ok(book)
    }

    /// The evidence of commits, oldest first, that a policy asks for.
    pub fn evidence_for(&self, policy: &Policy, book: &Book<'_>, commits: &[GitId]) -> Evidence {
        let asks_for_calls =
            |condition: &Condition| matches!(condition, Condition::RequiredTool(_) | Condition::ConditionalTool(_));
        self.evidence(book, commits, policy.rules.iter().any(|rule| asks_for_calls(&rule.condition)))
    }

    /// Puts rules in force.
    pub fn set_rules(&self, signer: &Signer, toml: &str) -> Result<RecordId, LedgerError> {
        self.change_policy(signer, Body::Policy(Text { toml: toml.to_owned() }))
    }
}
