//! A statement with its values, and the rows that come of it, of whichever database.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Postgres, SqlSafeStr, SqlStr, Sqlite};

/// What is bound to a placeholder.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Flag(bool),
}

/// A statement with its values.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    text: SqlStr,
    values: Vec<Value>,
}

/// A row of a result.
#[derive(Debug)]
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A statement of `sql`, without values.
pub(super) fn query(text: &'static str) -> Statement {
    Statement { text: text.into_sql_str(), values: Vec::new() }
}

impl Statement {
    /// Many rows of values between two parts of one statement.
    pub(super) fn of_rows(before: &str, rows: Vec<Vec<Value>>, after: &str) -> Self {
        let mut placeholder = 0_usize;
        let tuples: Vec<String> = rows
            .iter()
            .map(|row| {
                let numbers: Vec<String> = row
                    .iter()
                    .map(|_| {
                        placeholder += 1;
                        format!("${placeholder}")
                    })
                    .collect();
                format!("({})", numbers.join(", "))
            })
            .collect();
        // The text is made of our own statements and of numbers.
        let text = AssertSqlSafe(format!("{before}VALUES {}{after}", tuples.join(", ")));
        Self { text: text.into_sql_str(), values: rows.into_iter().flatten().collect() }
    }

    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    pub(super) fn for_sqlite(self) -> Query<'static, Sqlite, SqliteArguments> {
        self.values.into_iter().fold(sqlx::query(self.text), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
            Value::Flag(flag) => query.bind(flag),
        })
    }

    pub(super) fn for_postgres(self) -> Query<'static, Postgres, PgArguments> {
        self.values.into_iter().fold(sqlx::query(self.text), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
            Value::Flag(flag) => query.bind(flag),
        })
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_through() {
        let row = || vec![Value::from(1), Value::from("a")];
        let statement = Statement::of_rows("INSERT INTO t (a, b) ", vec![row(), row()], " ON CONFLICT");
        assert_eq!(statement.text.as_str(), "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT");
        assert_eq!(statement.values.len(), 4);
    }
}
