//! Questions to the index: conditions that are asked for, each with its value bound, never written into the SQL.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, FromRow};

use crate::index::rows::Value;
use crate::index::{Database, IndexError};

/// A struct that is read from a row whose columns have its fields' names.
macro_rules! row {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$what:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        pub struct $name { $($(#[$what])* pub $field: $type,)* }

        impl<'r> sqlx::FromRow<'r, sqlx::any::AnyRow> for $name {
            fn from_row(row: &'r sqlx::any::AnyRow) -> Result<Self, sqlx::Error> {
                use sqlx::Row;
                Ok($name { $($field: row.try_get(stringify!($field))?,)* })
            }
        }
    };
}
pub(crate) use row;

/// The end of a query: its conditions and what is bound to them.
#[derive(Debug, Clone, Default)]
pub struct Where {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Where {
    /// A condition of ours, in which each `?` stands for one of the values.
    pub fn and(&mut self, condition: &'static str, values: impl IntoIterator<Item = Value>) {
        self.push(condition.to_owned(), values);
    }

    /// The same, of a condition that is put together from texts of ours.
    pub(super) fn push(&mut self, condition: String, values: impl IntoIterator<Item = Value>) {
        let mut text = condition;
        for value in values {
            self.values.push(value);
            text = text.replacen('?', &format!("${}", self.values.len()), 1);
        }
        self.conditions.push(text);
    }

    /// That a column has one of these texts.
    pub fn among(&mut self, column: &'static str, texts: &[&str]) {
        let places = vec!["?"; texts.len()].join(", ");
        self.push(format!("{column} IN ({places})"), texts.iter().map(|text| (*text).into()));
    }

    /// The same, where there is a value.
    pub fn and_if<T: Into<Value>>(&mut self, condition: &'static str, value: Option<T>) {
        if let Some(value) = value {
            self.and(condition, [value.into()]);
        }
    }

    /// What is bound.
    pub(super) fn values(&self) -> &[Value] {
        &self.values
    }

    pub(super) fn sql(&self, before: &str, after: &str) -> String {
        match self.conditions.is_empty() {
            true => format!("{before} {after}"),
            false => format!("{before} WHERE {} {after}", self.conditions.join(" AND ")),
        }
    }
}

impl Database {
    /// The rows of `before WHERE … after`.
    pub async fn select<T>(&self, before: &str, conditions: &Where, after: &str) -> Result<Vec<T>, IndexError>
    where
        T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        self.rows_of(conditions.sql(before, after), conditions.values.clone()).await
    }

    /// The rows of a text of ours to which these values are bound.
    pub async fn rows_of<T>(&self, sql: String, values: Vec<Value>) -> Result<Vec<T>, IndexError>
    where
        T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        let mut query = sqlx::query_as::<_, T>(AssertSqlSafe(sql));
        for value in values {
            query = match value {
                Value::Number(number) => query.bind(number),
                Value::Text(text) => query.bind(text.to_string()),
                Value::NoNumber => query.bind(None::<i64>),
                Value::NoText => query.bind(None::<String>),
            };
        }
        Ok(query.fetch_all(&self.pool).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_in_their_order() {
        let mut asked = Where::default();
        assert_eq!(asked.sql("SELECT 1", "LIMIT 2"), "SELECT 1 LIMIT 2");
        asked.and_if("day >= ?", Some("2026-01-01"));
        asked.and_if::<i64>("nothing = ?", None);
        asked.and("(time < ? OR (time = ? AND sha < ?))", [1i64.into(), 1i64.into(), "a".into()]);
        asked.among("path", &["b", "c"]);
        assert_eq!(
            asked.sql("SELECT 1", "LIMIT 2"),
            "SELECT 1 WHERE day >= $1 AND (time < $2 OR (time = $3 AND sha < $4)) AND path IN ($5, $6) LIMIT 2"
        );
        assert_eq!(asked.values.len(), 6);
    }
}
