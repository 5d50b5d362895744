//! Telling apart what one command reported of several tests. Pure.
//!
//! Nothing is guessed: a test of which the results do not speak clearly is left over, to be run by a command of its
//! own. That is so for a test
//!
//! - that the results do not name, or that shares a testcase with another one of those that were asked for;
//! - that did not fail, where a testcase failed that is none of those that were asked for: it may be a hook's of it;
//! - that did not fail, where the command ended with another exit code than 0 and nothing else explains it;
//! - that is a file and did not fail, where the results are cut off.

use std::time::Duration;

use super::judge::{Ended, Judgement, fold, how, last_words};
use super::names::{Claim, Index, of_file};
use crate::framework::junit::{Case, CaseEnding};
use crate::framework::protocol::SaidOutcome;
use crate::manifest::ItemKind;

/// What is known of several tests.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Apart {
    /// What was told, in the order in which the results have it.
    pub(super) told: Vec<Told>,
    /// The others, by their places among those that were asked for.
    pub(super) left: Vec<usize>,
    /// Why there are others, in words.
    pub(super) why: String,
}

/// What was told of a test.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    /// Its place among those that were asked for.
    pub(super) nth: usize,
    /// Its testcases, by their places in the results.
    pub(super) places: Vec<usize>,
    /// What they mean.
    pub(super) judgement: Judgement,
    /// How long it took, where all of its testcases say so.
    pub(super) took: Option<Duration>,
    /// How long all testcases took that stand before it.
    pub(super) after: Duration,
}

/// Tells the tests apart that one command was to run.
pub(super) fn tell_apart(items: &[&str], kind: ItemKind, ended: &Ended) -> Apart {
    let (how, last) = (how(ended.code), last_words(&ended.said));
    let nothing = |why: String| Apart { told: Vec::new(), left: (0..items.len()).collect(), why };
    let results = match &ended.results {
        Some(Ok(results)) => results,
        Some(Err(why)) => return nothing(format!("{how}, but {why}{last}")),
        None => return nothing(format!("{how}, and has no results{last}")),
    };
    let cases = results.cases.as_slice();
    let index = Index::new(cases);
    let claims: Vec<Claim> = items
        .iter()
        .map(|item| match kind {
            ItemKind::File => of_file(item, cases),
            ItemKind::Test => index.named(item),
        })
        .collect();
    // How many claim each testcase: exactly, and in any way. An exact claim outdoes the others'.
    let mut claimed = vec![(0u32, 0u32); cases.len()];
    for claim in &claims {
        for &place in &claim.places {
            claimed[place].0 += u32::from(claim.exact);
            claimed[place].1 += 1;
        }
    }
    let is_clear = |claim: &Claim| {
        let alone = if claim.exact { |count: (u32, u32)| count.0 == 1 } else { |count: (u32, u32)| count.1 == 1 };
        !claim.places.is_empty() && claim.places.iter().all(|&place| alone(claimed[place]))
    };
    let is_failed = |place: usize| matches!(cases[place].ending, CaseEnding::Failed { .. });
    let stray = (0..cases.len()).find(|&place| is_failed(place) && claimed[place].1 == 0);
    let (mut told, mut left) = (Vec::new(), Vec::new());
    for (nth, claim) in claims.iter().enumerate() {
        let own: Vec<&Case> = claim.places.iter().map(|&place| &cases[place]).collect();
        let judgement = fold(&own, &None);
        let failed = judgement.outcome == SaidOutcome::Failed;
        let cut = kind == ItemKind::File && results.flaw.is_some();
        if !is_clear(claim) || (!failed && (stray.is_some() || cut)) {
            left.push(nth);
            continue;
        }
        let after = cases[..claim.places[0]].iter().filter_map(|case| case.time).sum();
        let took = own.iter().map(|case| case.time).sum();
        told.push(Told { nth, places: claim.places.clone(), judgement, took, after });
    }
    let any_failed = told.iter().any(|told| told.judgement.outcome == SaidOutcome::Failed);
    if ended.code != 0 && !any_failed && left.is_empty() {
        return nothing(format!("{how}, though none of their testcases failed{last}"));
    }
    told.sort_by_key(|told| told.places[0]);
    let why = match (&results.flaw, stray) {
        _ if left.is_empty() => String::new(),
        (Some(flaw), _) => format!("{how}, but the results file {flaw}{last}"),
        (None, Some(stray)) => format!("a testcase failed that is none of theirs: {}", cases[stray].name),
        (None, None) => format!("{how}, and its results do not name the others clearly{last}"),
    };
    Apart { told, left, why }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::framework::junit;

    fn ended(code: i64, results: &str) -> Ended {
        Ended { code, said: String::new(), results: Some(Ok(junit::read(results.as_bytes()))) }
    }

    fn told(apart: &Apart) -> Vec<(usize, SaidOutcome)> {
        apart.told.iter().map(|told| (told.nth, told.judgement.outcome)).collect()
    }

    use SaidOutcome::{Failed, Passed};

    #[test]
    fn each_test_has_its_own_testcase_whatever_the_order() {
        let results = "<testsuite><testcase classname='a' name='two' time='2'><failure message='no'/></testcase>\
                       <testcase classname='a' name='one' time='0.5'/><testcase classname='b' name='one' time='1'/>";
        let apart =
            tell_apart(&["a::one", "a::two", "b::one"], ItemKind::Test, &ended(1, &format!("{results}</testsuite>")));
        assert_eq!(told(&apart), [(1, Failed), (0, Passed), (2, Passed)]);
        assert_eq!(apart.left, [0usize; 0]);
        assert_eq!(
            (apart.told[2].after, apart.told[2].took),
            (Duration::from_millis(2500), Some(Duration::from_secs(1)))
        );
        let cut = tell_apart(&["a::one", "a::two", "c::one"], ItemKind::Test, &ended(137, results));
        assert_eq!((told(&cut), cut.left), (vec![(1, Failed), (0, Passed)], vec![2]));
        assert_eq!(
            cut.why,
            "the command was killed (exit code 137), but the results file is cut off after 3 testcases"
        );
    }

    #[test]
    fn what_is_not_clear_is_left_over() {
        let one = "<testsuite><testcase classname='K' name='one'/></testsuite>";
        assert_eq!(tell_apart(&["a::one", "b::one"], ItemKind::Test, &ended(0, one)).left, [0, 1]);
        let stray = "<testsuite><testcase classname='a' name='one'/><testcase classname='a' name='before all'>\
                     <failure message='no'/></testcase><testcase classname='a' name='two'><failure/></testcase></testsuite>";
        let apart = tell_apart(&["a::one", "a::two"], ItemKind::Test, &ended(1, stray));
        assert_eq!((told(&apart), apart.left), (vec![(1, Failed)], vec![0]));
        assert_eq!(apart.why, "a testcase failed that is none of theirs: before all");
        let fine = "<testsuite><testcase classname='a' name='one'/><testcase classname='a' name='two'/></testsuite>";
        let apart = tell_apart(&["a::one", "a::two"], ItemKind::Test, &ended(3, fine));
        assert_eq!((apart.told.len(), apart.left.len()), (0, 2));
        assert_eq!(apart.why, "the command ended with exit code 3, though none of their testcases failed");
    }

    #[test]
    fn a_name_that_two_files_share_is_told_apart_by_the_file() {
        let results = "<testsuite><testcase name='testSum' class='A' file='/suite/tests/ATest.php'/>\
                       <testcase name='testSum with data set #0' class='B' file='/suite/tests/BTest.php'><failure/>\
                       </testcase></testsuite>";
        let items = ["tests/ATest.php::testSum", "tests/BTest.php::testSum with data set #0"];
        let apart = tell_apart(&items, ItemKind::Test, &ended(1, results));
        assert_eq!((told(&apart), apart.left.len()), (vec![(0, Passed), (1, Failed)], 0));
    }

    #[test]
    fn files_are_told_apart_by_file_class_or_suite() {
        let results = "<testsuites><testsuite name='Root' file='/work/test/a.spec.js'><testcase name='x'/></testsuite>\
                       <testsuite name='s'><testcase classname='test.b' name='y'/>\
                       <testcase classname='test.bb.TestB' name='y'><failure/></testcase></testsuite></testsuites>";
        let items = ["test/a.spec.js", "./test/b.py", "test/bb.py"];
        let apart = tell_apart(&items, ItemKind::File, &ended(1, results));
        assert_eq!((told(&apart), apart.left.len()), (vec![(0, Passed), (1, Passed), (2, Failed)], 0));
        let cut = tell_apart(&items, ItemKind::File, &ended(1, &results[..results.len() - 25]));
        assert_eq!((told(&cut), cut.left), (vec![(2, Failed)], vec![0, 1]));
    }

    fn any_case() -> impl Strategy<Value = Case> {
        let ending = prop_oneof![
            Just(CaseEnding::Passed),
            Just(CaseEnding::Skipped { reason: String::new() }),
            Just(CaseEnding::Failed { class: String::new(), message: "no".to_owned(), text: String::new() }),
        ];
        ("[fg]?", "[abcd]", ending).prop_map(|(class, name, ending)| Case { class, name, ending, ..Case::default() })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever a command reports: each test is told of once or left over, and none passes that a testcase of its
        /// name denies.
        #[test]
        fn each_test_is_told_of_once_or_left_over(
            cases in proptest::collection::vec(any_case(), 0..8), code in prop_oneof![Just(0i64), 1i64..140],
            flaw in proptest::option::of(Just("is cut off".to_owned())), count in 2usize..5,
        ) {
            let items = &["f::a", "f::b", "g::a", "c"][..count];
            let results = junit::Results { cases: cases.clone(), flaw, reruns: false };
            let ended = Ended { code, said: String::new(), results: Some(Ok(results)) };
            let apart = tell_apart(items, ItemKind::Test, &ended);
            let mut all: Vec<usize> = apart.told.iter().map(|told| told.nth).chain(apart.left.clone()).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
            prop_assert_eq!(apart.left.is_empty(), apart.why.is_empty());
            let mut used = std::collections::BTreeSet::new();
            for told in &apart.told {
                prop_assert!(told.places.iter().all(|place| used.insert(*place)));
                let failed = told.places.iter().any(|place| matches!(cases[*place].ending, CaseEnding::Failed { .. }));
                prop_assert_eq!(failed, told.judgement.outcome == Failed);
            }
        }
    }
}
