//! Which spec files have changed.
//!
//! git names files from the top of its work tree, the framework as the runner service sees them, and nobody says how
//! one becomes the other: the suite may be copied or mounted anywhere. So the ends of the paths are compared. A changed
//! file is the listed file with which it has the most parts in common, counted from the end, provided that these are the
//! whole of one of the two paths, or at least two parts: `e2e/spec/cart_spec.rb` is `spec/cart_spec.rb`. Where several
//! listed files are equally like it, it is taken for each: a test too many costs less than one too few.
//!
//! A change of something else is of one of two kinds. What lies in a folder of the suite (the first folder of a listed
//! file's path, such as `spec`) is a part of the tests: a helper, a page object, a fixture. Any test may use it, so all
//! tests are run. What lies elsewhere is the application or has nothing to do with it. It selects nothing, as otherwise
//! no change would ever select less than everything; it is named, as the tests that it breaks are not run.

use std::collections::{BTreeSet, HashSet};

use super::filter::plain;

/// How many files are named.
const NAMED: usize = 5;

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Since when, as it was asked for.
    pub since: String,
    /// The files, from the top of the work tree.
    pub paths: Vec<String>,
}

impl Changed {
    /// The files among the listed ones that have changed, without `./` in front, and what is worth saying.
    pub(super) fn files<'a>(&self, listed: impl Iterator<Item = &'a str>) -> (HashSet<String>, Option<String>) {
        let listed: BTreeSet<&str> = listed.map(plain).collect();
        let folders: HashSet<&str> = listed.iter().filter_map(|file| first_folder(file)).collect();
        let (mut files, mut support, mut others) = (HashSet::new(), Vec::new(), Vec::new());
        for path in &self.paths {
            let alike = most_alike(path, &listed);
            if !alike.is_empty() {
                files.extend(alike.into_iter().map(str::to_owned));
            } else if path.rsplit_once('/').is_some_and(|(folder, _)| folder.split('/').any(|f| folders.contains(f))) {
                support.push(path.as_str());
            } else {
                others.push(path.as_str());
            }
        }
        let since = &self.since;
        if !support.is_empty() {
            let note = format!(
                "--changed-since {since}: all tests are run, as what they share has changed: {}",
                some(&support)
            );
            return (listed.into_iter().map(str::to_owned).collect(), Some(note));
        }
        let note = (!others.is_empty()).then(|| {
            format!(
                "--changed-since {since}: what changed besides spec files selects no test: {}; run the whole suite to \
                 know what it breaks",
                some(&others)
            )
        });
        (files, note)
    }
}

fn first_folder(file: &str) -> Option<&str> {
    file.trim_start_matches('/').split_once('/').map(|(folder, _)| folder)
}

/// The listed files that end most like the path.
fn most_alike<'a>(path: &str, listed: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let mut most = (0, Vec::new());
    for file in listed {
        let common = alike(path, file);
        if common > most.0 {
            most = (common, vec![*file]);
        } else if common > 0 && common == most.0 {
            most.1.push(file);
        }
    }
    most.1
}

/// How many parts two paths have in common at their ends; 0 where that says nothing.
fn alike(a: &str, b: &str) -> usize {
    let (a, b) = (a.trim_start_matches('/'), b.trim_start_matches('/'));
    let common = a.rsplit('/').zip(b.rsplit('/')).take_while(|(a, b)| a == b).count();
    let is_whole = |path: &str| common == path.split('/').count();
    if common >= 2 || is_whole(a) || is_whole(b) { common } else { 0 }
}

/// The first few, and how many more there are.
fn some(paths: &[&str]) -> String {
    let named = paths.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
