//! What the policy chain decides: its records, the members, the rules.

use sqlx::{Any, Transaction};

use crate::id::{ChainId, GitId, RecordId};
use crate::index::columns::{CHAIN, MEMBER, RECORD, RULES};
use crate::index::rows::{Rows, Value};
use crate::index::select::{Where, row};
use crate::index::{Database, Filter, IndexError};
use crate::ledger::verify::Report;
use crate::record::body::Role;
use crate::time::Time;

/// A record of the policy chain, and the git commit that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub seq: u64,
    pub id: RecordId,
    pub held: GitId,
    pub kind: &'static str,
    pub time: Time,
}

row! {
    /// A member's key; a member without a key has none.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct MemberRow {
        pub repository: String,
        pub member: String,
        pub name: String,
        /// With a comma between.
        pub roles: String,
        pub chain: Option<String>,
        pub public_key: Option<String>,
        pub from_seq: Option<i64>,
        pub closed: i64,
    }
}

row! {
    /// Rules as they were set.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct RulesRow {
        pub repository: String,
        pub n: i64,
        pub record: String,
        pub time: i64,
        pub signers: String,
        pub toml: String,
    }
}

/// Writes what a verification knows of members and rules, and the policy chain's own records.
pub async fn write(
    repository: i64,
    report: &Report,
    decisions: &[Decision],
    all: &mut Transaction<'static, Any>,
) -> Result<(), IndexError> {
    for sql in ["DELETE FROM member WHERE repository = $1", "DELETE FROM rules WHERE repository = $1"] {
        sqlx::query(sql).bind(repository).execute(&mut **all).await?;
    }
    let mut tables = [&MEMBER, &RULES, &RECORD, &CHAIN].map(Rows::new);
    let [members, rules, records, chains] = &mut tables;
    add_members(repository, report, members);
    for set in report.history.all_rules() {
        rules.add(vec![
            repository.into(),
            set.set.n.into(),
            set.set.id.to_string().into(),
            set.time.unix().into(),
            set.by.join(", ").into(),
            set.toml.as_str().into(),
        ]);
    }
    for decision in decisions {
        records.add(vec![
            repository.into(),
            ChainId::Policy.to_string().into(),
            decision.seq.into(),
            decision.id.to_string().into(),
            decision.held.to_string().into(),
            decision.kind.into(),
            decision.time.unix().into(),
            true.into(),
            Value::NoText,
        ]);
    }
    if let (Some(first), Some(last)) = (decisions.first(), decisions.last()) {
        chains.add(vec![
            repository.into(),
            ChainId::Policy.to_string().into(),
            "policy".into(),
            "owners".into(),
            Value::NoText,
            false.into(),
            (last.seq + 1).into(),
            report.sealed(ChainId::Policy).into(),
            first.time.unix().into(),
            last.time.unix().into(),
        ]);
    }
    for table in &mut tables {
        table.write(all).await?;
    }
    Ok(())
}

fn add_members(repository: i64, report: &Report, rows: &mut Rows) {
    let Some(roster) = report.history.newest() else { return };
    for member in roster.members() {
        let roles = member.roles.iter().map(|role| role_name(*role)).collect::<Vec<_>>().join(", ");
        let mut add = |place: usize, key: [Value; 3], closed: bool| {
            let about = [repository.into(), member.id.as_str().into(), (place as u64).into()];
            let about = about.into_iter().chain([member.name.as_str().into(), roles.as_str().into()]);
            rows.add(about.chain(key).chain([closed.into()]).collect());
        };
        for (place, key) in member.keys.iter().enumerate() {
            let chain = key.public_key.chain();
            let told = [chain.to_string().into(), key.public_key.to_string().into(), key.from_seq.into()];
            add(place, told, roster.closure(chain).is_some());
        }
        if member.keys.is_empty() {
            add(0, [Value::NoText, Value::NoText, Value::NoNumber], false);
        }
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::PolicyAdmin => "policy-admin",
        Role::Developer => "developer",
        Role::Auditor => "auditor",
        Role::Ci => "ci",
        Role::Witness => "witness",
    }
}

impl Database {
    /// Every member with every key, by repository and name.
    pub async fn members(&self, filter: &Filter) -> Result<Vec<MemberRow>, IndexError> {
        let mut asked = Where::default();
        asked.within(filter, "m.repository", None);
        let select =
            "SELECT p.name AS repository, m.member, m.name, m.roles, m.chain, m.public_key, m.from_seq, m.closed
            FROM member m JOIN repository p ON p.id = m.repository";
        self.select(select, &asked, "ORDER BY p.name, m.member, m.place LIMIT 5000").await
    }

    /// The rules of repositories, the newest first; at most `count`.
    pub async fn rules(&self, filter: &Filter, count: i64) -> Result<Vec<RulesRow>, IndexError> {
        let mut asked = Where::default();
        asked.within(filter, "r.repository", None);
        let select = "SELECT p.name AS repository, r.n, r.record, r.time, r.signers, r.toml
            FROM rules r JOIN repository p ON p.id = r.repository";
        self.select(select, &asked, &format!("ORDER BY p.name, r.n DESC LIMIT {count}")).await
    }
}
