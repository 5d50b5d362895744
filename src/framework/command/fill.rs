//! Filling in a command template. Pure.

use crate::manifest::CommandTemplate;

/// What stands for the placeholders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filling<'a> {
    /// `{tests}`, one or several.
    pub(super) tests: &'a [&'a str],
    /// `{files}`: the tests' files.
    pub(super) files: &'a [&'a str],
    /// `{junit}`: a path that needs no quoting.
    pub(super) junit: &'a str,
}

/// The words to be executed: a text goes to `sh -c`, with what is filled in quoted, a list of words goes as it is. For
/// several tests or files the text has one quoted word after another, and the list has the word once for each.
pub(super) fn words(template: &CommandTemplate, filling: Filling<'_>) -> Vec<String> {
    match template {
        CommandTemplate::Shell(text) => {
            let all = |words: &[&str]| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
            vec!["sh".to_owned(), "-c".to_owned(), fill(text, &all(filling.tests), &all(filling.files), filling.junit)]
        }
        CommandTemplate::Words(words) => {
            let filled = words.iter().map(|word| {
                let times = match (word.contains("{tests}"), word.contains("{files}")) {
                    (true, _) => filling.tests.len(),
                    (false, true) => filling.files.len(),
                    (false, false) => 1,
                };
                let nth = |of: &[&'_ str], n: usize| of.get(n).or(of.first()).copied().unwrap_or_default().to_owned();
                (0..times)
                    .map(|n| fill(word, &nth(filling.tests, n), &nth(filling.files, n), filling.junit))
                    .collect::<Vec<_>>()
            });
            filled.flatten().collect()
        }
    }
}

/// Replaces the placeholders of `text`, but none that stands in what was filled in.
fn fill(text: &str, tests: &str, files: &str, junit: &str) -> String {
    let placeholders = [("{tests}", tests), ("{files}", files), ("{junit}", junit)];
    let mut filled = String::new();
    let mut rest = text;
    while let Some(brace) = rest.find('{') {
        let (before, from) = rest.split_at(brace);
        filled.push_str(before);
        let found = placeholders.iter().find(|(name, _)| from.starts_with(name));
        let (value, length) = found.map_or(("{", 1), |(name, value)| (*value, name.len()));
        filled.push_str(value);
        rest = &from[length..];
    }
    filled + rest
}

/// One word for a shell, whatever it holds.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filling<'a>(tests: &'a [&'a str], files: &'a [&'a str]) -> Filling<'a> {
        Filling { tests, files, junit: "/tmp/r/results.xml" }
    }

    #[test]
    fn a_list_of_words_is_filled_word_by_word() {
        let template =
            CommandTemplate::Words(["run", "--only={tests}", "{files}", "{junit}", "{x}"].map(str::to_owned).into());
        let words = words(&template, filling(&["a b"], &["f {tests}"]));
        assert_eq!(words, ["run", "--only=a b", "f {tests}", "/tmp/r/results.xml", "{x}"]);
    }

    #[test]
    fn several_tests_are_a_word_each() {
        let template = CommandTemplate::Words(["run", "{tests}", "--file={files}", "x"].map(str::to_owned).into());
        let words = words(&template, filling(&["f::a", "f::b c", "g::d"], &["f", "g"]));
        assert_eq!(words, ["run", "f::a", "f::b c", "g::d", "--file=f", "--file=g", "x"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

        /// What a real shell makes of the text is the name, whatever the name.
        #[test]
        fn a_name_reaches_the_program_as_it_is(name in "[^\\x00]{0,20}", file in "[ '\"$`\\\\(){}*?🚀\n-]{0,8}") {
            let template = CommandTemplate::Shell("printf '%s\\0' {tests} {files} \"${HOME:+x}\"".to_owned());
            let words = words(&template, filling(&[&name, "b"], &[&file]));
            let output = std::process::Command::new(&words[0]).args(&words[1..]).env("HOME", "/").output().expect("sh");
            let expected = format!("{name}\0b\0{file}\0x\0");
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        }
    }
}
