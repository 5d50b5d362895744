//! What the plan may expect, from what the history has seen.

use std::collections::HashMap;
use std::time::Duration;

use super::error::StoreError;
use super::statement::query;
use super::values::{Columns, text};
use super::{Store, sql};
use crate::id::TestId;

/// How many of the newest values count. The statements hold the same number.
const NEWEST: usize = 10;
/// How many of the newest units tell what a start of the suite costs.
const NEWEST_STARTS: usize = 50;

impl Store {
    /// How long each test of the suite takes: the median of its newest 10 passed attempts, or of as many as there
    /// are. Attempts that ended otherwise don't count; a test that never passed is not in the map.
    pub async fn expected_durations(&self, suite: &str) -> Result<HashMap<TestId, Duration>, StoreError> {
        let context = self.context("read the durations from");
        let rows = self.pools.fetch(query(sql::PASSED_DURATIONS).bind(text(suite).into_owned()));
        let mut newest: HashMap<TestId, Vec<Duration>> = HashMap::new();
        for row in &rows.await.map_err(|error| context.sqlx(error))? {
            let columns = Columns::new(row, context);
            let durations = newest.entry(TestId::from_stored(columns.text("test_id")?)).or_default();
            // Attempts that started in the same millisecond as the tenth come as well.
            if durations.len() < NEWEST {
                durations.push(columns.span("duration_ms")?);
            }
        }
        Ok(newest.into_iter().filter_map(|(test, durations)| Some((test, median(durations)?))).collect())
    }

    /// How long an environment of the suite takes to boot: the median of the newest 10 that became ready; `None`
    /// where none did.
    pub async fn expected_boot(&self, suite: &str) -> Result<Option<Duration>, StoreError> {
        let context = self.context("read the boot times from");
        let rows = self.pools.fetch(query(sql::BOOTS).bind(text(suite).into_owned()));
        let rows = rows.await.map_err(|error| context.sqlx(error))?;
        let boots: Result<Vec<_>, _> = rows.iter().map(|row| Columns::new(row, context).span("boot_ms")).collect();
        Ok(median(boots?))
    }

    /// How long units of the suite took to begin: the median of the newest 50, and of the newest 10 of each file among
    /// the newest 5,000.
    pub async fn unit_starts(&self, suite: &str) -> Result<UnitStarts, StoreError> {
        let context = self.context("read how long units took to begin from");
        let rows = self.pools.fetch(query(sql::UNIT_STARTS).bind(text(suite).into_owned()));
        let (mut all, mut by_file) = (Vec::new(), HashMap::<String, Vec<Duration>>::new());
        for row in &rows.await.map_err(|error| context.sqlx(error))? {
            let columns = Columns::new(row, context);
            let took = columns.span("took_ms")?;
            let of_file = by_file.entry(columns.text("file")?).or_default();
            if of_file.len() < NEWEST {
                of_file.push(took);
            }
            if all.len() < NEWEST_STARTS {
                all.push(took);
            }
        }
        let by_file = by_file.into_iter().filter_map(|(file, took)| Some((file, median(took)?))).collect();
        Ok(UnitStarts { typical: median(all), by_file })
    }

    /// What the environments of the suite's newest 5 runs took that came to be ready, as far as it was measured.
    pub async fn footprints(&self, suite: &str) -> Result<Vec<Footprint>, StoreError> {
        let context = self.context("read what environments took from");
        let rows = self.pools.fetch(query(sql::FOOTPRINTS).bind(text(suite).into_owned()));
        let footprint = |row| {
            let columns = Columns::new(row, context);
            let lived = columns.time("removed_ms")?.duration_since(columns.time("starting_ms")?);
            Ok(Footprint {
                memory_peak: columns.number("memory_peak")?,
                cpu: columns.optional_span("cpu_ms")?.unwrap_or_default(),
                lived: Duration::try_from(lived).unwrap_or_default(),
            })
        };
        rows.await.map_err(|error| context.sqlx(error))?.iter().map(footprint).collect()
    }
}

/// How long units took to begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitStarts {
    /// The median of the suite's newest units; `None` where none began.
    pub typical: Option<Duration>,
    /// The median by the file of the first test.
    pub by_file: HashMap<String, Duration>,
}

/// What one environment of an earlier run took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// The most memory that its containers held at one time, in bytes.
    pub memory_peak: u64,
    /// Processor time that they used.
    pub cpu: Duration,
    /// From the start of its boot until it was gone.
    pub lived: Duration,
}

/// The middle value, or the mean of the two in the middle.
fn median(mut values: Vec<Duration>) -> Option<Duration> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *values.get(values.len() / 2 - 1)?;
    Some(lower + (upper - lower) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let seconds = |values: &[u64]| values.iter().map(|s| Duration::from_secs(*s)).collect::<Vec<_>>();
        assert_eq!(median(seconds(&[])), None);
        assert_eq!(median(seconds(&[7])), Some(Duration::from_secs(7)));
        assert_eq!(median(seconds(&[9, 1, 5])), Some(Duration::from_secs(5)));
        assert_eq!(median(seconds(&[9, 1, 4, 2])), Some(Duration::from_secs(3)));
    }
}
