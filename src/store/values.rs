//! From our types to what a column holds, and back.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};

use super::error::{Context, StoreError};
use super::statement::Row;

/// Text without NUL characters.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

/// A list as JSON.
pub(super) fn list(items: &[String]) -> String {
    serde_json::Value::from(items.iter().map(|item| text(item).into_owned()).collect::<Vec<_>>()).to_string()
}

/// A point in time as milliseconds since 1970.
pub(super) fn time(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A length of time as milliseconds.
pub(super) fn span(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A count. None of ours comes near the limit.
pub(super) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A row that is read with the history's place at hand, for the message where a column does not hold what it should.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    row: &'a Row,
    context: Context<'a>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(row: &'a Row, context: Context<'a>) -> Self {
        Self { row, context }
    }

    pub(super) fn get<T>(self, column: &str) -> Result<T, StoreError>
    where
        T: Decode<'a, Sqlite> + Type<Sqlite> + Decode<'a, Postgres> + Type<Postgres>,
    {
        let value = match self.row {
            Row::Sqlite(row) => row.try_get(column),
            Row::Postgres(row) => row.try_get(column),
        };
        value.map_err(|error| self.context.sqlx(error))
    }

    pub(super) fn text(self, column: &str) -> Result<String, StoreError> {
        self.get(column)
    }

    pub(super) fn number<T: TryFrom<i64>>(self, column: &str) -> Result<T, StoreError> {
        let value: i64 = self.get(column)?;
        T::try_from(value).map_err(|_| self.odd(column, &value.to_string()))
    }

    pub(super) fn optional_number<T: TryFrom<i64>>(self, column: &str) -> Result<Option<T>, StoreError> {
        let value: Option<i64> = self.get(column)?;
        value.map(|value| T::try_from(value).map_err(|_| self.odd(column, &value.to_string()))).transpose()
    }

    pub(super) fn time(self, column: &str) -> Result<Timestamp, StoreError> {
        self.optional_time(column)?.ok_or_else(|| self.odd(column, "NULL"))
    }

    pub(super) fn optional_time(self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        let value: Option<i64> = self.get(column)?;
        value
            .map(|value| Timestamp::from_millisecond(value).map_err(|_| self.odd(column, &value.to_string())))
            .transpose()
    }

    pub(super) fn span(self, column: &str) -> Result<Duration, StoreError> {
        self.number(column).map(Duration::from_millis)
    }

    pub(super) fn optional_span(self, column: &str) -> Result<Option<Duration>, StoreError> {
        Ok(self.optional_number(column)?.map(Duration::from_millis))
    }

    pub(super) fn list(self, column: &str) -> Result<Vec<String>, StoreError> {
        let json = self.text(column)?;
        serde_json::from_str(&json).map_err(|_| self.odd(column, &json))
    }

    /// The error for a column whose value can't be.
    pub(super) fn odd(self, column: &str, value: &str) -> StoreError {
        self.context.damaged(format!("column {column} holds {value}"))
    }
}
