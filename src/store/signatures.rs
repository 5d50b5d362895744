//! Which failures of a run had which cause.

use super::error::StoreError;
use super::statement::query;
use super::values::Columns;
use super::{Store, sql};
use crate::id::{AttemptNumber, RunId, TestId};

/// The signature of one attempt, see [`crate::signature`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureRow {
    /// The test.
    pub test: TestId,
    /// The attempt.
    pub number: AttemptNumber,
    /// `v1:` and the hash.
    pub signature: String,
    /// What it stands for, to be read.
    pub text: String,
}

impl Store {
    /// The signatures of a run's attempts that have one, in the order in which the attempts started. Attempts that
    /// versions before signatures recorded have none.
    pub async fn signatures(&self, run: &RunId) -> Result<Vec<SignatureRow>, StoreError> {
        let context = self.context("read the signatures of a run from");
        let rows = self.pools.fetch(query(sql::SIGNATURES).bind(run.to_string())).await;
        let of = |row| {
            let columns = Columns::new(row, context);
            Ok(SignatureRow {
                test: TestId::from_stored(columns.text("test_id")?),
                number: AttemptNumber(columns.number("number")?),
                signature: columns.text("signature")?,
                text: columns.text("text")?,
            })
        };
        rows.map_err(|error| context.sqlx(error))?.iter().map(of).collect()
    }
}
