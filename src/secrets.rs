//! Values that must never be written anywhere.

/// Masks secret values in whatever is logged, reported, stored or sent.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Longest first, so that a secret within another one does not leave the rest of it readable.
    values: Vec<String>,
}

/// Shorter values would mask ordinary text.
const SHORTEST: usize = 4;

impl Secrets {
    /// Masks these values from now on.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<String> = values.into_iter().filter(|value| value.len() >= SHORTEST).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self { values }
    }

    /// The text with every secret replaced by `***`.
    pub fn mask(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), "***") } else { text }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_within_another_leaves_nothing_readable() {
        let secrets = Secrets::new(["hunter2".to_owned(), "hunter2-prod".to_owned(), "abc".to_owned()]);
        assert_eq!(secrets.mask("pw=hunter2-prod or hunter2, abc"), "pw=*** or ***, abc");
    }
}
