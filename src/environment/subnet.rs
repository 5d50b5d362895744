//! Subnets of our own, so that Docker's default pools of about thirty networks can't run out.

use std::sync::atomic::{AtomicU32, Ordering};

/// Hands out `/26` subnets of `10.213.0.0/16`, 1,024 of them, round and round. Whether one is free only the engine
/// knows: when it refuses one, take the next.
#[derive(Debug)]
pub struct Subnets {
    next: AtomicU32,
}

impl Subnets {
    /// How many there are.
    pub const COUNT: u32 = 1024;

    /// Starts at `start`, so that runs side by side rarely ask for the same.
    pub fn starting_at(start: u32) -> Self {
        Self { next: AtomicU32::new(start % Self::COUNT) }
    }

    /// The next one: `10.213.4.64/26`.
    pub fn next(&self) -> String {
        let index = self.next.fetch_add(1, Ordering::Relaxed) % Self::COUNT;
        format!("10.213.{}.{}/26", index / 4, index % 4 * 64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_subnets_differ_until_they_come_round() {
        let subnets = Subnets::starting_at(1000);
        let first: Vec<String> = (0..Subnets::COUNT).map(|_| subnets.next()).collect();
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), first.len());
        assert_eq!(subnets.next(), first[0]);
        assert_eq!(first[0], "10.213.250.0/26");
    }
}
