//! What the policy chain decides: its records, the members, the rules.

use std::collections::BTreeMap;

use sqlx::{Any, Transaction};

use crate::compliance::Account;
use crate::id::{ChainId, GitId, RecordId};
use crate::index::columns::{CHAIN, DECISION, MEMBER, RECORD};
use crate::index::rows::{Rows, Value};
use crate::index::select::{Where, row};
use crate::index::{Database, Filter, IndexError};
use crate::ledger::verify::Report;
use crate::record::signature::PublicKey;
use crate::record::{Record, Unverified};
use crate::time::Time;

/// A record of the policy chain, and the git commit that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub seq: u64,
    pub id: RecordId,
    pub held: GitId,
    pub kind: &'static str,
    pub time: Time,
    /// The record as it is signed, and the keys that have signed it.
    pub text: String,
    pub signers: Vec<PublicKey>,
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
    /// A record of the policy chain, as it is signed.
    #[derive(Debug)]
    pub struct DecisionRow {
        pub repository: i64,
        pub signers: String,
        pub text: String,
    }
}

/// Writes what a verification knows of members and rules, and the policy chain's own records.
pub async fn write(
    repository: i64,
    report: &Report,
    decisions: &[Decision],
    all: &mut Transaction<'static, Any>,
) -> Result<(), IndexError> {
    for sql in ["DELETE FROM member WHERE repository = $1", "DELETE FROM decision WHERE repository = $1"] {
        sqlx::query(sql).bind(repository).execute(&mut **all).await?;
    }
    let mut tables = [&MEMBER, &DECISION, &RECORD, &CHAIN].map(Rows::new);
    let [members, texts, records, chains] = &mut tables;
    add_members(repository, report, members);
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
        let signers: Vec<String> = decision.signers.iter().map(ToString::to_string).collect();
        texts.add(vec![
            repository.into(),
            decision.seq.into(),
            decision.time.unix().into(),
            signers.join(" ").into(),
            decision.text.as_str().into(),
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
        let roles = member.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
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

    /// What the policy chain of each repository says, by the repository's number; as it was then, where the filter names a time.
    pub async fn accounts(&self, filter: &Filter) -> Result<BTreeMap<i64, Account>, IndexError> {
        let mut asked = Where::default();
        asked.within(filter, "repository", None);
        asked.and_if("time <= ?", filter.asof.map(|asof| asof.time));
        if let Some((of, n)) = filter.asof.and_then(|asof| asof.policy) {
            asked.and("NOT (repository = ? AND n > ?)", [of.into(), n.into()]);
        }
        let select = "SELECT repository, signers, text FROM decision";
        let rows: Vec<DecisionRow> = self.select(select, &asked, "ORDER BY repository, n").await?;
        let mut accounts = BTreeMap::new();
        for of_one in rows.chunk_by(|a, b| a.repository == b.repository) {
            let records = of_one.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            let account = Account::of(records).map_err(|error| IndexError::Decision(error.to_string()))?;
            accounts.extend(of_one.first().map(|row| (row.repository, account)));
        }
        Ok(accounts)
    }
}

fn read(row: &DecisionRow) -> Result<(Record<Unverified>, Vec<PublicKey>), IndexError> {
    let wrong = |error: &dyn std::fmt::Display| IndexError::Decision(error.to_string());
    let record = Record::parse(row.text.clone().into_bytes()).map_err(|error| wrong(&error))?;
    let signers = row.signers.split_whitespace().map(str::parse).collect::<Result<_, _>>();
    Ok((record, signers.map_err(|error| wrong(&error))?))
}
