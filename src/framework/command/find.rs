//! Finding out which tests there are.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::framework::ListedTest;

/// Names the files of a folder; see there.
const WALK: &str = include_str!("walk.sh");

/// The command that names the files among which the patterns choose.
pub(super) fn walk(patterns: &[String]) -> Vec<String> {
    let folders: BTreeSet<String> = patterns.iter().map(|pattern| fixed_part(pattern)).collect();
    ["sh", "-c", WALK, "walk"].map(str::to_owned).into_iter().chain(folders).collect()
}

/// The part of a pattern that stands before the first that stands for many.
fn fixed_part(pattern: &str) -> String {
    let parts: Vec<&str> = pattern.split('/').collect();
    let fixed = parts.iter().take_while(|part| !part.contains(['*', '?', '[', '{'])).count();
    match parts[..fixed].join("/") {
        fixed if fixed.is_empty() && pattern.starts_with('/') => "/".to_owned(),
        fixed if fixed.is_empty() => ".".to_owned(),
        fixed => fixed,
    }
}

/// Those of the walked files that a pattern matches, sorted.
pub(super) fn chosen(patterns: &[String], walked: &str) -> Vec<ListedTest> {
    matching(patterns, walked).into_iter().map(listed).collect()
}

/// The same, by their paths.
pub(super) fn matching<'a>(patterns: &[String], walked: &'a str) -> BTreeSet<&'a str> {
    let patterns = globs(patterns);
    let files = walked.split('\0').map(|file| file.strip_prefix("./").unwrap_or(file));
    files.filter(|file| !file.is_empty() && patterns.is_match(file)).collect()
}

/// The manifest has only patterns that can be read.
fn globs(patterns: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}

/// One test a line; what stands twice is one.
pub(super) fn lines(output: &str) -> Vec<ListedTest> {
    let mut seen = BTreeSet::new();
    let lines = output.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.trim().is_empty());
    lines.filter(|line| seen.insert(*line)).map(listed).collect()
}

/// `FILE::NAME`, as many frameworks write it, or a file, or a name by itself, which then also stands for the file.
fn listed(item: &str) -> ListedTest {
    let (file, name) = item.split_once("::").unwrap_or((item, item));
    ListedTest {
        selector: item.to_owned(),
        file: file.to_owned(),
        line: 0,
        name: name.to_owned(),
        tags: Vec::new(),
        group: None,
        project: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selectors(tests: Vec<ListedTest>) -> Vec<String> {
        tests.into_iter().map(|test| test.selector).collect()
    }

    #[test]
    fn patterns_choose_among_the_files_below_their_fixed_parts() {
        let patterns = ["tests/**/*.sh", "./smoke/[ab].sh", "one.sh", "*.t"].map(str::to_owned);
        assert_eq!(walk(&patterns)[4..], [".", "./smoke", "one.sh", "tests"]);
        let walked = "tests/a.sh\0tests/deep/er/b c.sh\0./tests/a.sh\0tests/no.txt\0./smoke/a.sh\0./smoke/c.sh\0\
                      one.sh\0./x.t\0./deep/y.t\0tests/new\nline.sh\0";
        assert_eq!(
            selectors(chosen(&patterns, walked)),
            ["one.sh", "smoke/a.sh", "tests/a.sh", "tests/deep/er/b c.sh", "tests/new\nline.sh", "x.t"]
        );
    }

    #[test]
    fn a_line_is_a_test_and_names_its_file_before_two_colons() {
        let tests = lines("a_test.py::TestX::test[1]\r\n\nb.sh\nb.sh\n  TestCart  \n");
        assert_eq!(selectors(tests.clone()), ["a_test.py::TestX::test[1]", "b.sh", "  TestCart  "]);
        assert_eq!((tests[0].file.as_str(), tests[0].name.as_str()), ("a_test.py", "TestX::test[1]"));
        assert_eq!((tests[1].file.as_str(), tests[1].name.as_str()), ("b.sh", "b.sh"));
    }
}
