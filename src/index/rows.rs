//! Rows on their way into a table, many in one statement; what is there already is added to.

use std::fmt::Write;
use std::sync::Arc;

use sqlx::{Any, AssertSqlSafe, Transaction};

use crate::index::IndexError;

/// So many rows one statement has. There are few statements, so that databases prepare each once.
const TOGETHER: [usize; 3] = [64, 8, 1];
/// So many rows wait at the least before those with the same key become one.
const WAITING: usize = 1024;

/// A value of a column. A text is often that of many rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Number(i64),
    Text(Arc<str>),
    NoNumber,
    NoText,
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Number(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Value::Number(yes.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        // PostgreSQL has no text with such a character.
        match text.contains('\0') {
            true => Value::Text(text.replace('\0', "\u{fffd}").into()),
            false => Value::Text(text.into()),
        }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Value::NoText, Into::into)
    }
}

impl From<Option<u64>> for Value {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Value::NoNumber, Into::into)
    }
}

/// Stands for the member whose something is where several claim it: it is nobody's own then.
pub const SEVERAL: &str = "(claimed by several members)";

/// What becomes of a column where the row is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meets {
    /// The row is known by it.
    Key,
    Sum,
    Least,
    Greatest,
    /// The first that was written stays.
    Stays,
    /// What one says stays; where two say different things, [`SEVERAL`] stands.
    Agrees,
    New,
}

/// A table as it is written to.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Meets)],
}

impl Table {
    fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().filter(|(_, meets)| *meets == Meets::Key).map(|(name, _)| *name)
    }

    /// `INSERT` of so many rows. Where parameters need no numbers they have none: SQLite looks for each number among all
    /// those before it.
    fn insert(&self, rows: usize, numbers: bool) -> String {
        let list = |names: &mut dyn Iterator<Item = &'static str>| names.collect::<Vec<_>>().join(", ");
        let mut sql = format!("INSERT INTO {} ({}) VALUES ", self.name, list(&mut self.columns.iter().map(|c| c.0)));
        let mut number = 0;
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..self.columns.len() {
                number += 1;
                sql.push_str(if column == 0 { "" } else { ", " });
                let _ = if numbers { write!(sql, "${number}") } else { write!(sql, "?") };
            }
            sql.push(')');
        }
        let change = |(column, meets): &(&'static str, Meets)| {
            let (old, new) = (format!("{}.{column}", self.name), format!("excluded.{column}"));
            match meets {
                Meets::Key | Meets::Stays => None,
                Meets::Sum => Some(format!("{column} = {old} + {new}")),
                Meets::Least => Some(format!("{column} = CASE WHEN {new} < {old} THEN {new} ELSE {old} END")),
                Meets::Greatest => Some(format!("{column} = CASE WHEN {new} > {old} THEN {new} ELSE {old} END")),
                Meets::Agrees => Some(format!("{column} = CASE WHEN {new} = {old} THEN {old} ELSE '{SEVERAL}' END")),
                Meets::New => Some(format!("{column} = {new}")),
            }
        };
        let changes: Vec<String> = self.columns.iter().filter_map(change).collect();
        let does = if changes.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", changes.join(", ")) };
        let _ = write!(sql, " ON CONFLICT ({}) DO {does}", list(&mut self.keys()));
        sql
    }
}

/// Rows of one table: a statement may not meet a row twice.
#[derive(Debug)]
pub struct Rows {
    table: &'static Table,
    /// So many of a row's first values are its key.
    keys: usize,
    rows: Vec<Vec<Value>>,
    /// How many there may be before they are looked through for those with the same key.
    room: usize,
}

impl Rows {
    pub fn new(table: &'static Table) -> Self {
        let keys = table.keys().count();
        debug_assert!(table.columns[..keys].iter().all(|(_, meets)| *meets == Meets::Key), "{}", table.name);
        Rows { table, keys, rows: Vec::new(), room: WAITING }
    }

    /// A row, its values in the order of the table's columns.
    pub fn add(&mut self, values: Vec<Value>) {
        debug_assert_eq!(values.len(), self.table.columns.len(), "{}", self.table.name);
        self.rows.push(values);
        if self.rows.len() >= self.room {
            self.unite();
            self.room = WAITING.max(2 * self.rows.len());
        }
    }

    /// Makes one of those that have the same key, and puts them in the order of their keys.
    fn unite(&mut self) {
        let keys = self.keys;
        // Those with the same key stay in the order in which they came.
        self.rows.sort_by(|a, b| a[..keys].cmp(&b[..keys]));
        let columns = self.table.columns;
        self.rows.dedup_by(|new, old| {
            let same = new[..keys] == old[..keys];
            if same {
                for ((old, new), (_, meets)) in old.iter_mut().zip(new.drain(..)).zip(columns) {
                    meet(old, new, *meets);
                }
            }
            same
        });
    }

    /// Writes all of them, and forgets them.
    pub async fn write(&mut self, into: &mut Transaction<'static, Any>) -> Result<(), IndexError> {
        self.unite();
        let rows = std::mem::take(&mut self.rows);
        let mut left = rows.as_slice();
        for together in TOGETHER {
            if left.len() < together {
                continue;
            }
            let sql = self.table.insert(together, into.backend_name() != "SQLite");
            while let Some((some, more)) = left.split_at_checked(together) {
                left = more;
                let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
                for value in some.iter().flatten() {
                    query = match value {
                        Value::Number(number) => query.bind(*number),
                        Value::Text(text) => query.bind(&**text),
                        Value::NoNumber => query.bind(None::<i64>),
                        Value::NoText => query.bind(None::<&str>),
                    };
                }
                query.execute(&mut **into).await?;
            }
        }
        Ok(())
    }
}

/// The same as the statement does.
fn meet(old: &mut Value, new: Value, meets: Meets) {
    match (meets, old, new) {
        (Meets::Key | Meets::Stays, ..) => {}
        (Meets::Sum, Value::Number(old), Value::Number(new)) => *old = old.saturating_add(new),
        (Meets::Agrees, old, new) => {
            if *old != new {
                *old = SEVERAL.into();
            }
        }
        (Meets::Least, old, new) if new >= *old => {}
        (Meets::Greatest, old, new) if new <= *old => {}
        (_, old, new) => *old = new,
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use super::*;
    use crate::index::{Database, Place};

    static TOOL: Table = Table {
        name: "tool",
        columns: &[
            ("repository", Meets::Key),
            ("session", Meets::Key),
            ("kind", Meets::Key),
            ("name", Meets::Key),
            ("calls", Meets::Sum),
            ("failed", Meets::Greatest),
        ],
    };

    #[tokio::test]
    async fn rows_meet_in_memory_as_they_do_in_the_table() {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("i"))).await.unwrap();
        let row = |name: &str, calls: i64, failed: i64| {
            vec![1i64.into(), "s".into(), "tool".into(), name.into(), calls.into(), failed.into()]
        };
        // More than one statement takes, and twice.
        for _ in 0..2 {
            let mut rows = Rows::new(&TOOL);
            (0..6_000).for_each(|n| rows.add(row(&format!("t{n}"), n, n)));
            rows.add(row("t7", 1, 3));
            let mut all = index.pool.begin().await.unwrap();
            rows.write(&mut all).await.unwrap();
            all.commit().await.unwrap();
        }
        let seven =
            sqlx::query("SELECT calls, failed FROM tool WHERE name = 't7'").fetch_one(&index.pool).await.unwrap();
        assert_eq!((seven.get::<i64, _>(0), seven.get::<i64, _>(1)), (16, 7));
        let all = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM tool").fetch_one(&index.pool).await.unwrap();
        assert_eq!(all, 6_000);
    }
}
