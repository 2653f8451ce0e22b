//! Records about others' and one's own: what the rules said, what a member approves, what was wrong in a record.

use crate::digest::Digest;
use crate::git::repo::Kind;
use crate::id::{GitId, RecordId};
use crate::ledger::append::Writer;
use crate::ledger::copies::line_of;
use crate::ledger::local::Changes;
use crate::ledger::verify::PolicyChain;
use crate::ledger::{Ledger, LedgerError, fit};
use crate::policy::Report;
use crate::record::Citation;
use crate::record::body::{Amend, Approve, Approved, Body, Broken, Check, Range, Role};

/// What the last check record of this clone said, so that the same is not said again.
const CHECKED: &str = "checked";
/// Commits of one approval; more would come near the size of a record.
const APPROVALS: usize = 256;

impl Ledger {
    /// The policy chain as this clone has accepted it.
    pub fn decided(&self) -> Result<PolicyChain, LedgerError> {
        let tip = self.repo.find_ref(&self.prefix.chain(crate::id::ChainId::Policy))?.ok_or(LedgerError::NoLedger)?;
        Ok(PolicyChain::verify(&self.repo, &line_of(&self.repo, &tip)?))
    }

    /// What this clone's writer may do; `None` while nobody has enrolled its key.
    pub fn own_roles(&self) -> Result<Option<Vec<Role>>, LedgerError> {
        let chain = self.own_chain().ok_or(LedgerError::NoKey)?;
        let decided = self.decided()?;
        Ok(decided.history.newest().and_then(|roster| roster.enrolment(chain)).map(|(member, _)| member.roles.clone()))
    }

    /// Refuses what would only spoil the chain, because nobody would let it count.
    pub fn require_role(&self, roles: &[Role], what: &str) -> Result<(), LedgerError> {
        match self.own_roles()? {
            Some(own) if !own.iter().any(|role| roles.contains(role)) => {
                Err(LedgerError::Refused(format!("none of your roles may {what} (git tracevault member)")))
            }
            _ => Ok(()),
        }
    }
}

impl Writer<'_> {
    /// Records what rules said of commits; `None` where this writer's last check said the same, or it may write none.
    pub fn record_check(
        &mut self,
        report: &Report,
        commits: &[GitId],
        rules: Citation,
    ) -> Result<Option<RecordId>, LedgerError> {
        let Some(range) = Range::of(commits) else { return Ok(None) };
        let roles = self.ledger.own_roles()?;
        if roles.is_some_and(|roles| !roles.iter().any(|role| matches!(role, Role::Developer | Role::Ci))) {
            return Ok(None);
        }
        let findings = report.findings.iter().map(|finding| Broken {
            rule: finding.rule.clone(),
            level: finding.level,
            outcome: finding.outcome,
            commit: finding.commit.clone(),
            path: finding.path.clone(),
        });
        let verdict = report.verdict;
        let body = Check { range, rules, verdict, findings: findings.collect(), cut: Vec::new() };
        let said = format!("{} {} {} {verdict}", self.chain(), body.range.sha256, rules.id);
        if self.local().read(CHECKED)?.is_some_and(|last| last == said.as_bytes()) {
            return Ok(None);
        }
        let mut changes = Changes::default();
        changes.replace(CHECKED, said.as_bytes());
        self.append(Body::Check(fit::check(body)), None, &[], |_| Ok(changes)).map(Some)
    }

    /// Approves commits as they are.
    pub fn approve(&mut self, commits: &[GitId]) -> Result<Vec<RecordId>, LedgerError> {
        let people = [Role::Owner, Role::Admin, Role::PolicyAdmin, Role::Developer, Role::Auditor];
        self.ledger.require_role(&people, "approve commits")?;
        let mut approved = Vec::new();
        for commit in commits {
            let sha256 = Digest::of(&self.ledger.repo.read_checked(commit, Kind::Commit)?);
            approved.push(Approved { commit: commit.clone(), sha256 });
        }
        let mut records = Vec::new();
        for commits in approved.chunks(APPROVALS) {
            let body = Body::Approve(Approve { commits: commits.to_vec() });
            records.push(self.append(body, None, &[], |_| Ok(Changes::default()))?);
        }
        Ok(records)
    }

    /// Corrects a record.
    pub fn amend(&mut self, amend: Amend) -> Result<RecordId, LedgerError> {
        self.append(Body::Amend(amend), None, &[], |_| Ok(Changes::default()))
    }
}
