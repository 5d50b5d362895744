//! What every plan keeps, whatever the suite.

use proptest::prelude::*;

use super::*;
use crate::manifest::{Exclusive, FilePattern};

fn listed(files: &[u8]) -> Vec<NamedTest> {
    let tests = files.iter().enumerate().map(|(index, count)| (index, *count)).flat_map(|(file, count)| {
        (0..count).map(move |n| ListedTest {
            selector: format!("./spec/{file}_spec.rb[1:{n}]"),
            file: format!("spec/{file}_spec.rb"),
            line: u32::from(n) + 1,
            name: format!("does {}", n / 2),
            tags: vec![],
            group: None,
            project: None,
        })
    });
    named(tests.collect())
}

/// A plan over four lanes of a suite whose manifest says nothing of its order.
fn plan(listed: Vec<NamedTest>, history: &HashMap<TestId, Duration>, seed: u64) -> Plan {
    let (starts, order) = (Starts::default(), OrderSettings::default());
    super::plan(listed, &Basis { history, starts: &starts, order: &order, lanes: 4, seed })
}

fn history(plan: &Plan, seconds: &[u8]) -> HashMap<TestId, Duration> {
    plan.tests
        .iter()
        .zip(seconds)
        .filter(|(_, s)| **s > 0)
        .map(|(test, s)| (test.id.clone(), Duration::from_secs(u64::from(*s))))
        .collect()
}

proptest! {
    #[test]
    fn every_listed_test_is_in_exactly_one_unit_and_has_an_id_of_its_own(
        files in prop::collection::vec(0..9u8, 0..20), seconds in prop::collection::vec(0..60u8, 0..100), seed: u64,
    ) {
        let first = plan(listed(&files), &HashMap::new(), seed);
        let plan = plan(listed(&files), &history(&first, &seconds), seed);
        let mut dealt: Vec<usize> = plan.units.iter().flat_map(|u| u.tests.clone()).collect();
        dealt.sort_unstable();
        prop_assert_eq!(dealt, (0..plan.tests.len()).collect::<Vec<_>>());
        let ids: std::collections::HashSet<_> = plan.tests.iter().map(|t| &t.id).collect();
        prop_assert_eq!(ids.len(), plan.tests.len());
    }

    #[test]
    fn the_same_seed_and_history_give_the_same_plan(
        files in prop::collection::vec(0..9u8, 0..20), seconds in prop::collection::vec(0..60u8, 0..100), seed: u64,
    ) {
        let first = plan(listed(&files), &HashMap::new(), seed);
        let history = history(&first, &seconds);
        prop_assert_eq!(plan(listed(&files), &history, seed), plan(listed(&files), &history, seed));
    }

    #[test]
    fn two_thirds_of_the_expected_work_are_dealt_longest_first(
        files in prop::collection::vec(1..9u8, 1..20), seconds in prop::collection::vec(1..60u8, 180), seed: u64,
    ) {
        let first = plan(listed(&files), &HashMap::new(), seed);
        let plan = plan(listed(&files), &history(&first, &seconds), seed);
        let total: Duration = plan.units.iter().map(|u| u.expected).sum();
        let mut done = Duration::ZERO;
        for pair in plan.units.windows(2) {
            done += pair[0].expected;
            if done * 3 < total * 2 {
                prop_assert!(pair[0].expected >= pair[1].expected);
            }
        }
    }
}

#[test]
fn a_new_test_is_expected_to_take_the_median_of_the_known_ones() {
    let tests = listed(&[2, 2]);
    let first = plan(tests.clone(), &HashMap::new(), 1);
    let second = plan(tests, &history(&first, &[3, 7, 9]), 1);
    assert_eq!(second.tests[3].expected, Duration::from_secs(7));
    assert_eq!((first.known, second.known), (0, 3));
}

#[test]
fn another_seed_gives_another_order_of_the_short_units() {
    let order = |seed| plan(listed(&[1; 30]), &HashMap::new(), seed).units;
    assert_ne!(order(1), order(2));
}

fn pattern(text: &str) -> FilePattern {
    FilePattern::new(text).expect("a pattern")
}

/// Files 1, 11 and so on form a group, tests tagged `mail` and those of file 2 share a resource.
fn ordered() -> OrderSettings {
    let mail = |files, tags: &[&str]| Exclusive {
        resource: "mail".to_owned(),
        files,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    OrderSettings {
        groups: vec![pattern("spec/*1_spec.rb")],
        exclusive: vec![mail(vec![pattern("spec/2_*")], &["mail"])],
    }
}

/// Tests of which some are tagged and some build on each other.
fn knotted(files: &[u8], seed: u64) -> Vec<NamedTest> {
    let mut tests = listed(files);
    for (n, test) in tests.iter_mut().map(|test| &mut test.listed).enumerate() {
        let n = n as u64 ^ seed;
        test.tags = if n.is_multiple_of(7) { vec!["mail".to_owned()] } else { vec![] };
        test.group = (n % 5 < 2).then(|| format!("group {}", test.line / 3));
        test.project = (!n.is_multiple_of(3)).then(|| format!("browser {}", n % 3));
    }
    tests
}

proptest! {
    #[test]
    fn what_belongs_together_stays_together_in_its_order_and_is_never_split(
        files in prop::collection::vec(0..9u8, 0..20), seconds in prop::collection::vec(0..60u8, 180), seed: u64,
        lanes in 1..6u16,
    ) {
        let tests = knotted(&files, seed);
        let first = plan(tests.clone(), &HashMap::new(), seed);
        let (history, starts, order) = (history(&first, &seconds), Starts::default(), ordered());
        let plan = super::plan(tests, &Basis { history: &history, starts: &starts, order: &order, lanes, seed });
        let mut unit_of: HashMap<u32, usize> = HashMap::new();
        for (number, unit) in plan.units.iter().enumerate() {
            prop_assert!(unit.tests.is_sorted(), "in the order in which they are listed");
            for test in &unit.tests {
                let test = &plan.tests[*test];
                if let Some(together) = test.together {
                    prop_assert_eq!(*unit_of.entry(together).or_insert(number), number, "in one unit");
                }
                prop_assert!(unit.whole || test.project == plan.tests[unit.tests[0]].project, "of one project");
                prop_assert_eq!(unit.whole, order.group_of(&test.file).is_some());
                prop_assert!(test.needs.iter().all(|need| unit.needs.contains(need)));
            }
            prop_assert_eq!(unit.expected, unit.tests.iter().map(|test| plan.tests[*test].expected).sum::<Duration>());
        }
        let grouped: std::collections::HashSet<usize> = plan.units.iter().enumerate().filter(|(_, unit)| unit.whole).map(|(n, _)| n).collect();
        prop_assert!(grouped.len() <= 1, "all files of a group are one unit");
    }

    #[test]
    fn a_split_shortens_the_run_by_its_own_estimate(
        files in prop::collection::vec(1..9u8, 1..12), seconds in prop::collection::vec(0..60u8, 108), seed: u64,
        lanes in 1..6u16, start in 0..20u64,
    ) {
        let first = plan(listed(&files), &HashMap::new(), seed);
        let history = history(&first, &seconds);
        let starts = Starts { typical: Some(Duration::from_secs(start)), by_file: HashMap::new() };
        let order = OrderSettings::default();
        let plan = super::plan(listed(&files), &Basis { history: &history, starts: &starts, order: &order, lanes, seed });
        let costs = |units: &[PlannedUnit]| -> Vec<Duration> {
            units.iter().map(|unit| unit.expected + starts.of(&unit.file)).collect()
        };
        let unsplit = units::units(&plan.tests, |_| None);
        let (before, after) = (split::makespan(&costs(&unsplit), lanes), split::makespan(&costs(&plan.units), lanes));
        let gain: Duration = plan.splits.iter().map(|split| split.gain).sum();
        prop_assert_eq!(before, after + gain);
        let parts: usize = plan.splits.iter().map(|split| split.parts - 1).sum();
        prop_assert_eq!(plan.units.len(), unsplit.len() + parts);
        prop_assert!(plan.splits.iter().all(|split| split.parts >= 2 && split.parts <= usize::from(lanes)));
    }
}

/// The plan of files with so many tests of ten seconds each, over two lanes, where a start costs so many seconds.
fn of_files(files: &[u8], start: u64) -> Plan {
    let first = plan(listed(files), &HashMap::new(), 1);
    let history = history(&first, &vec![10; files.iter().map(|count| usize::from(*count)).sum()]);
    let starts = Starts { typical: Some(Duration::from_secs(start)), by_file: HashMap::new() };
    let order = OrderSettings::default();
    super::plan(listed(files), &Basis { history: &history, starts: &starts, order: &order, lanes: 2, seed: 1 })
}

#[test]
fn a_file_that_takes_longer_than_its_share_is_split_where_that_is_worth_its_hooks() {
    let split = of_files(&[8, 2], 1);
    let gain = Duration::from_secs(19);
    assert_eq!(split.splits, [Split { file: "spec/0_spec.rb".to_owned(), parts: 2, gain }]);
    let mut seconds: Vec<u64> = split.units.iter().map(|unit| unit.expected.as_secs()).collect();
    seconds.sort_unstable();
    assert_eq!(seconds, [20, 40, 40]);
    assert_eq!(of_files(&[8, 2], 60).splits, [], "hooks that take a minute are not run twice");
    assert_eq!(of_files(&[5, 5], 1).splits, [], "balanced as it is");
    assert_eq!(
        split.notes(&OrderSettings::default()),
        ["spec/0_spec.rb is run in 2 parts, as it takes longer than its share: that should save 19.0 s"]
    );
}

#[test]
fn a_file_of_which_little_is_known_is_not_split() {
    assert_eq!(plan(listed(&[8, 1]), &HashMap::new(), 1).splits, []);
}

#[test]
fn tests_that_share_a_resource_are_dealt_first_and_apart_from_the_others_of_their_file() {
    let mut tests = listed(&[3, 3, 3, 3, 9]);
    for test in tests.iter_mut().map(|test| &mut test.listed).filter(|test| test.line == 1) {
        test.tags = vec!["exclusive:printer".to_owned()];
    }
    let order = ordered();
    let (history, starts) = (HashMap::new(), Starts::default());
    let plan = super::plan(tests, &Basis { history: &history, starts: &starts, order: &order, lanes: 2, seed: 1 });
    let units: Vec<(usize, String)> = plan
        .units
        .iter()
        .map(|unit| (unit.tests.len(), unit.needs.iter().cloned().collect::<Vec<_>>().join("+")))
        .collect();
    let of = |tests, needs: &str| (tests, needs.to_owned());
    assert_eq!(units[0], of(8, ""));
    let mut sharing = units[1..6].to_vec();
    sharing.sort();
    assert_eq!(
        sharing,
        [of(1, "mail+printer"), of(1, "printer"), of(1, "printer"), of(1, "printer"), of(3, "printer")]
    );
    assert_eq!(
        plan.notes(&order),
        [
            "spec/*1_spec.rb: 3 tests of 1 file stay together",
            "mail is used by one lane at a time: 3 tests",
            "printer is used by one lane at a time: 7 tests",
        ]
    );
}
