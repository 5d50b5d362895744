//! Which testcases of a results file mean a listed test. Pure.

use std::collections::{BTreeSet, HashMap};

use crate::framework::junit::Case;

/// What a test claims of the results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claim {
    /// The testcases, by their places in the results.
    pub(super) places: Vec<usize>,
    /// Whether they agree with all that was listed, and not only with the last part of it.
    pub(super) exact: bool,
}

/// Testcases by their names.
pub(super) struct Index<'a> {
    cases: &'a [Case],
    /// By all that is known of where they stand, and their name.
    whole: HashMap<String, Vec<usize>>,
    /// By their name, alone and after their class.
    last: HashMap<String, Vec<usize>>,
}

impl<'a> Index<'a> {
    pub(super) fn new(cases: &'a [Case]) -> Self {
        let mut index = Self { cases, whole: HashMap::new(), last: HashMap::new() };
        for (place, case) in cases.iter().enumerate() {
            let file = case.file.as_deref().unwrap_or_default();
            for part in [case.class.as_str(), file, case.suites.last().map_or("", String::as_str)] {
                add(&mut index.whole, plain(&format!("{part} {}", case.name)), place);
            }
            add(&mut index.last, plain(&case.name), place);
            add(&mut index.last, plain(&format!("{} {}", case.class, case.name)), place);
        }
        index
    }

    /// The testcases that a listed name means: those with exactly its parts, or, where there are none, those of its
    /// name.
    pub(super) fn named(&self, item: &str) -> Claim {
        let (file, name) = item.split_once("::").unwrap_or(("", item));
        let found = union(&self.whole, [plain(item), plain(&format!("{} {name}", stem(file)))]);
        if !found.is_empty() {
            return Claim { places: found, exact: true };
        }
        let last = item.rsplit("::").next().unwrap_or(item);
        let found = union(&self.last, [plain(name), plain(last)]);
        if !found.is_empty() {
            return self.of_own_file(file, found);
        }
        // Go and PHPUnit name the parts of a test after it: TestCart/adds_up, testSum with data set #0.
        let is_part = |rest: &str| rest.starts_with('/') || rest.starts_with(" with data set ");
        let found = places(self.cases, |case| case.name.strip_prefix(name).is_some_and(is_part));
        self.of_own_file(file, found)
    }

    /// Of testcases with the same name, those in the file that was listed, where some say so.
    fn of_own_file(&self, file: &str, found: Vec<usize>) -> Claim {
        let own = file.trim_start_matches("./");
        let is_own = |place: &usize| self.cases[*place].file.as_deref().is_some_and(|file| is_file(file, own));
        let in_file: Vec<usize> = found.iter().copied().filter(is_own).collect();
        if own.is_empty() || in_file.is_empty() {
            return Claim { places: found, exact: false };
        }
        Claim { places: in_file, exact: true }
    }
}

fn add(map: &mut HashMap<String, Vec<usize>>, key: String, place: usize) {
    let places = map.entry(key).or_default();
    if places.last() != Some(&place) {
        places.push(place);
    }
}

fn union(map: &HashMap<String, Vec<usize>>, keys: [String; 2]) -> Vec<usize> {
    let places: BTreeSet<usize> = keys.iter().filter_map(|key| map.get(key)).flatten().copied().collect();
    places.into_iter().collect()
}

/// The testcases of a listed file: those that name it, or, where there are none, those whose class or suite is called
/// after it.
pub(super) fn of_file(item: &str, cases: &[Case]) -> Claim {
    let own = item.trim_start_matches("./");
    let found = places(cases, |case| case.file.as_deref().is_some_and(|file| is_file(file, own)));
    if !found.is_empty() {
        return Claim { places: found, exact: true };
    }
    let keys = [plain(own), plain(stem(own))];
    let begins = |name: &str| {
        let name = plain(name);
        keys.iter()
            .any(|key| name.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')))
    };
    let found = places(cases, |case| {
        case.file.is_none() && (begins(&case.class) || case.suites.iter().any(|suite| begins(suite)))
    });
    Claim { places: found, exact: false }
}

/// Whether a path means a file of the suite's folder: it may be written from the root.
fn is_file(path: &str, own: &str) -> bool {
    let before = path.trim_start_matches("./").strip_suffix(own);
    before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

fn places(cases: &[Case], which: impl Fn(&Case) -> bool) -> Vec<usize> {
    cases.iter().enumerate().filter(|(_, case)| which(case)).map(|(place, _)| place).collect()
}

/// A file's name without its last extension.
fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// A name without the marks by which frameworks join its parts: `tests/test_cart.py::TestCart` and
/// `tests.test_cart.py TestCart` are the same.
fn plain(name: &str) -> String {
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '.' | '/' | '\\' | ':' | '>' | '›' | '#');
    name.split(is_mark).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
