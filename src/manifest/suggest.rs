//! "Did you mean …?"

/// The known word that `word` most likely stands for, if one is close enough to be a slip of the pen.
pub(super) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            let length = lower.chars().count().max(candidate.chars().count());
            *distance <= (length / 3).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A help line that names the closest of `known`, then all of them: `did you mean "a"? known keys: a, b`.
pub(super) fn help<'a>(word: &str, kind: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let all: Vec<&str> = known.clone().into_iter().collect();
    let listed = format!("known {kind}: {}", all.join(", "));
    match closest(word, known) {
        Some(candidate) => format!("did you mean \"{candidate}\"? {listed}"),
        None => listed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        assert_eq!(closest("rspecc", ["rspec"]), Some("rspec"));
        assert_eq!(closest("Runner", ["compose", "runner"]), Some("runner"));
        assert_eq!(closest("imgae", ["build", "image"]), Some("image"));
    }

    #[test]
    fn another_word_is_not_guessed_at() {
        assert_eq!(closest("cypress", ["rspec"]), None);
        assert_eq!(closest("web", ["app", "db"]), None);
    }

    #[test]
    fn help_names_every_alternative() {
        assert_eq!(help("nmae", "keys", ["name", "paths"]), "did you mean \"name\"? known keys: name, paths");
        assert_eq!(help("colour", "keys", ["name", "paths"]), "known keys: name, paths");
    }
}
