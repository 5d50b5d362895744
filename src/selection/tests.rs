//! What holds of every selection, and what is said of filters that can't be understood.

use proptest::prelude::*;

use super::*;
use crate::plan::named;

fn listed(file: &str, name: &str, tags: &[&str]) -> ListedTest {
    ListedTest {
        selector: format!("{file}[{name}]"),
        file: file.to_owned(),
        line: 1,
        name: name.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        group: None,
        project: None,
    }
}

/// So many tests in each file.
fn suite(files: &[u8]) -> Vec<NamedTest> {
    let tests = files.iter().enumerate().flat_map(|(file, count)| (0..*count).map(move |n| (file, n)));
    let test = |(file, n)| listed(&format!("spec/{file}_spec.rb"), &format!("test {n}"), &[]);
    named(tests.map(test).collect())
}

fn shop() -> Vec<NamedTest> {
    named(vec![
        listed("./spec/cart/add_spec.rb", "Cart adds an item", &["smoke"]),
        listed("./spec/cart/add_spec.rb", "Cart adds two (or more)", &["slow", "js"]),
        listed("spec/cart/empty_spec.rb", "Cart is empty", &["smoke", "js"]),
        listed("spec/pay_spec.rb", "Pay by card", &[]),
    ])
}

fn ids(tests: &[NamedTest]) -> Vec<String> {
    tests.iter().map(|test| test.id.to_string()).collect()
}

/// The names of the tests that a filter takes.
fn taken(filter: &str, told: &[(&str, &[TestVerdict])]) -> Vec<String> {
    let filter = parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let told = told.iter().map(|(id, told)| (TestId::from_stored(*id), told.to_vec())).collect();
    let selection = Selection { filter: Some(filter), told, ..Selection::default() };
    let chosen = selection.choose(shop(), &HashMap::new(), &OrderSettings::default());
    assert_eq!(chosen.listed, 4);
    chosen.tests.into_iter().map(|test| test.listed.name).collect()
}

fn some_words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{1,8}", "[ -~]{1,12}", any::<String>().prop_filter("a text", |text| !text.is_empty())]
}

fn some_regex() -> impl Strategy<Value = Words> {
    "[a-z/ ()\\.\"\\[\\]*|]{1,10}".prop_filter_map("a regular expression", |text| {
        regex::Regex::new(&text).ok().map(Words::Match).filter(|_| !text.contains("\\/"))
    })
}

fn some_filter() -> impl Strategy<Value = Filter> {
    let glob = prop_oneof!["[a-z/]{1,12}", "[a-z*/()\" ]{1,12}", "[a-z/]{1,6}\\{[a-z],[a-z]\\}"];
    let leaf = prop_oneof![
        glob.prop_filter_map("a pattern", |text| FilePattern::new(&text).ok()).prop_map(Filter::File),
        some_words().prop_map(|text| Filter::Name(Words::Hold(text))),
        some_words().prop_map(|text| Filter::Name(Words::Exactly(text))),
        some_regex().prop_map(Filter::Name),
        some_words().prop_map(|text| Filter::Tag(Words::Exactly(text))),
        some_regex().prop_map(Filter::Tag),
        prop::sample::select(Status::ALL.to_vec()).prop_map(Filter::Status),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|filter| Filter::Not(Box::new(filter))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| Filter::all(all).expect("some")),
            prop::collection::vec(inner, 2..4).prop_map(|any| Filter::any(any).expect("some")),
        ]
    })
}

proptest! {
    #[test]
    fn a_filter_is_read_as_it_is_printed(filter in some_filter()) {
        let printed = filter.to_string();
        let read = parse(&printed);
        prop_assert_eq!(read.as_ref(), Ok(&filter), "{}", printed);
    }

    #[test]
    fn no_text_makes_reading_fail_otherwise_than_by_a_message_with_a_place_in_it(
        text in prop_oneof![any::<String>(), "[a-z()\"/\\\\ =]{0,30}"],
    ) {
        if let Err(error) = parse(&text) {
            let said = error.to_string();
            let caret = said.lines().find(|line| line.trim_start() == "^").expect("a caret");
            prop_assert!(caret.chars().count() <= text.chars().count() + 5, "{}", said);
        }
    }

    #[test]
    fn shards_are_disjoint_and_cover_everything_whatever_each_knows_of_durations(
        files in prop::collection::vec(0..9u8, 0..30), of in 1..9u32, by_durations: bool,
        seconds in prop::collection::vec(0..60u64, 0..200),
    ) {
        let tests = suite(&files);
        let durations: HashMap<TestId, Duration> = tests.iter().zip(&seconds)
            .map(|(test, seconds)| (test.id.clone(), Duration::from_secs(*seconds))).collect();
        let by = if by_durations { ShardBy::Durations } else { ShardBy::Tests };
        let mut all = Vec::new();
        for index in 1..=of {
            let shard = Some(Shard::new(index, of, by, "a test").expect("one of them"));
            // Only by durations must they agree on these.
            let own = if by_durations || index % 2 == 0 { durations.clone() } else { HashMap::new() };
            let selection = Selection { shard, ..Selection::default() };
            let chosen = selection.choose(tests.clone(), &own, &OrderSettings::default());
            prop_assert_eq!(chosen.listed, tests.len());
            all.extend(ids(&chosen.tests));
        }
        let mut wanted = ids(&tests);
        wanted.sort();
        all.sort();
        prop_assert_eq!(all, wanted);
    }

    #[test]
    fn files_of_one_group_are_in_one_shard_and_every_test_is_in_exactly_one(
        files in prop::collection::vec(1..9u8, 1..30), of in 1..9u32,
    ) {
        let tests = suite(&files);
        // The first pattern that a file matches decides: 1_spec is of the first group, 10_spec to 19_spec of the second.
        let patterns = ["spec/{0,1,2}_spec.rb", "spec/1*_spec.rb"].map(|text| crate::manifest::FilePattern::new(text).expect("a pattern"));
        let order = OrderSettings { groups: patterns.into(), ..OrderSettings::default() };
        let mut shard_of_group: HashMap<usize, u32> = HashMap::new();
        let mut all = Vec::new();
        let mut cuts = HashSet::new();
        for index in 1..=of {
            let shard = Some(Shard::new(index, of, ShardBy::Tests, "a test").expect("one of them"));
            let chosen = Selection { shard, ..Selection::default() }.choose(tests.clone(), &HashMap::new(), &order);
            cuts.extend(chosen.notes.iter().filter_map(|note| note.rsplit(' ').next()).map(str::to_owned));
            for test in &chosen.tests {
                if let Some(group) = order.group_of(&test.listed.file) {
                    prop_assert_eq!(*shard_of_group.entry(group).or_insert(index), index, "group {}", group);
                }
            }
            all.extend(ids(&chosen.tests));
        }
        prop_assert_eq!(cuts.len(), 1, "all shards tell the same cut");
        let mut wanted = ids(&tests);
        wanted.sort();
        all.sort();
        prop_assert_eq!(all, wanted);
    }

    #[test]
    fn shards_differ_by_no_more_than_the_longest_file(
        files in prop::collection::vec(1..9u8, 1..30), of in 1..9u32,
    ) {
        let tests = suite(&files);
        let sizes: Vec<usize> = (1..=of).map(|index| {
            let shard = Some(Shard::new(index, of, ShardBy::Tests, "a test").expect("one of them"));
            Selection { shard, ..Selection::default() }.choose(tests.clone(), &HashMap::new(), &OrderSettings::default()).tests.len()
        }).collect();
        let (most, fewest) = (sizes.iter().max().expect("one"), sizes.iter().min().expect("one"));
        let longest = files.iter().max().expect("one");
        prop_assert!(most - fewest <= usize::from(*longest), "{:?}", sizes);
    }

    #[test]
    fn shards_are_disjoint_where_each_machine_has_a_history_of_its_own(
        files in prop::collection::vec(1..6u8, 1..12), of in 2..5u32,
        failed in prop::collection::vec(any::<u8>(), 60),
    ) {
        let tests = suite(&files);
        let mut seen = HashSet::new();
        for index in 1..=of {
            // Another part of the tests has failed on each machine.
            let of_this: HashSet<TestId> = tests.iter().zip(&failed)
                .filter(|(_, failed)| (*failed >> (index % 8)) & 1 == 1).map(|(test, _)| test.id.clone()).collect();
            let shard = Some(Shard::new(index, of, ShardBy::Tests, "a test").expect("one of them"));
            let selection = Selection { shard, failed: Some(of_this.clone()), ..Selection::default() };
            for test in selection.choose(tests.clone(), &HashMap::new(), &OrderSettings::default()).tests {
                prop_assert!(of_this.contains(&test.id));
                prop_assert!(seen.insert(test.id), "in two shards");
            }
        }
    }
}

#[test]
fn files_names_and_tags_choose() {
    let (add, two, empty, pay) = ("Cart adds an item", "Cart adds two (or more)", "Cart is empty", "Pay by card");
    for (filter, names) in [
        ("file(spec/cart)", vec![add, two, empty]),
        ("file(./spec/cart/)", vec![add, two, empty]),
        ("file(spec/cart/add_spec.rb)", vec![add, two]),
        ("file(spec/*_spec.rb)", vec![pay]),
        ("file(**/{add,pay}_spec.rb)", vec![add, two, pay]),
        ("name(Cart)", vec![add, two, empty]),
        ("name(two (or more))", vec![two]),
        ("name(\"two (or\")", vec![two]),
        ("name(=Cart is empty)", vec![empty]),
        ("name(=Cart)", vec![]),
        ("name(/^Cart .*(item|empty)$/)", vec![add, empty]),
        ("tag(smoke)", vec![add, empty]),
        ("tag(smo)", vec![]),
        ("tag(/^s/) and not tag(js)", vec![add]),
        ("not tag(smoke)", vec![two, pay]),
        ("tag(smoke) and tag(js) or name(Pay)", vec![empty, pay]),
        ("tag(smoke) and (tag(js) or name(Pay))", vec![empty]),
        ("not (tag(smoke) or tag(slow))", vec![pay]),
        (" not  not tag( slow ) ", vec![two]),
    ] {
        assert_eq!(taken(filter, &[]), names, "{filter}");
    }
}

#[test]
fn a_status_is_what_the_newest_verdicts_say() {
    use TestVerdict::{Failed, Flaky, Passed};
    let told: [(&str, &[TestVerdict]); 3] = [
        ("./spec/cart/add_spec.rb::Cart adds an item", &[Failed, Passed]),
        ("./spec/cart/add_spec.rb::Cart adds two (or more)", &[Passed, Failed, Flaky]),
        ("spec/cart/empty_spec.rb::Cart is empty", &[Passed, Failed]),
    ];
    assert_eq!(taken("status(failed-last-run)", &told), ["Cart adds an item"]);
    assert_eq!(taken("status(flaky)", &told), ["Cart adds two (or more)"]);
    assert_eq!(taken("status(new)", &told), ["Pay by card"]);
    assert_eq!(taken("not status(new) and tag(smoke)", &told), ["Cart adds an item", "Cart is empty"]);
}

#[test]
fn what_is_not_understood_is_pointed_at() {
    let wrong = [
        "",
        "tag(smoke",
        "tag smoke",
        "tags(smoke)",
        "tag(smoke) tag(js)",
        "tag(smoke) && tag(js)",
        "tag(smoke) and",
        "(tag(smoke) or name(Größe)",
        "tag(smoke))",
        "name(/(/)",
        "name(/a)",
        "name(\"a)",
        "name()",
        "name(\"a\" b)",
        "file(spec/[a)",
        "status(broken)",
        "status(quarantined)",
    ];
    let told: Vec<String> = wrong.iter().map(|text| parse(text).expect_err(text).to_string()).collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn filters_within_filters_have_an_end() {
    let deep = format!("{}tag(a){}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(parse(&deep).expect_err("too deep").to_string().starts_with("more than 100 filters"));
    assert!(parse(&format!("{}tag(a)", "not ".repeat(5_000))).is_err());
    let wide = vec!["tag(a)"; 5_000].join(" or ");
    assert!(parse(&wide).is_ok());
}

fn ci(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
    let variable =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Shard::from_ci(&variable, ShardBy::Tests).map(|shard| shard.map(|shard| shard.words()))
}

#[test]
fn a_ci_job_knows_its_shard() {
    let words = |index: &str, of: &str, word: &str| Ok(Some(format!("shard {word} ({index} and {of})")));
    for (variables, wanted) in [
        (vec![], Ok(None)),
        (vec![("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "4")], words("CI_NODE_INDEX=1", "CI_NODE_TOTAL=4", "1 of 4")),
        (
            vec![("BUILDKITE_PARALLEL_JOB", "0"), ("BUILDKITE_PARALLEL_JOB_COUNT", "4")],
            words("BUILDKITE_PARALLEL_JOB=0", "BUILDKITE_PARALLEL_JOB_COUNT=4", "1 of 4"),
        ),
        (
            vec![("CIRCLE_NODE_INDEX", "3"), ("CIRCLE_NODE_TOTAL", "4")],
            words("CIRCLE_NODE_INDEX=3", "CIRCLE_NODE_TOTAL=4", "4 of 4"),
        ),
        // GitLab says so of a job that is not parallel.
        (vec![("CI_NODE_TOTAL", "1")], Ok(None)),
        (vec![("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "1")], Ok(None)),
    ] {
        assert_eq!(ci(&variables), wanted, "{variables:?}");
    }
    let zero = ci(&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "4")]).expect_err("counted from 1");
    assert_eq!(zero, "CI_NODE_INDEX=0 and CI_NODE_TOTAL=4 asks for shard 0 of 4, but shards are counted from 1 to 4");
    assert!(ci(&[("CI_NODE_INDEX", "x"), ("CI_NODE_TOTAL", "4")]).expect_err("no number").ends_with("are no numbers"));
}

#[test]
fn shards_are_counted_from_one() {
    assert_eq!(Shard::read("2/4"), Ok((2, 4)));
    for wrong in ["0/4", "5/4", "4", "a/b", "1/0", "-1/4", "1/4/2"] {
        assert!(Shard::read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_shard_tells_how_it_was_cut() {
    let shard = |index, of| {
        let shard = Some(Shard::new(index, of, ShardBy::Tests, "--shard").expect("one of them"));
        let chosen =
            Selection { shard, ..Selection::default() }.choose(shop(), &HashMap::new(), &OrderSettings::default());
        (chosen.tests.len(), chosen.notes.join("\n"))
    };
    insta::assert_snapshot!(format!("{}\n{}\n{}", shard(1, 2).1, shard(2, 2).1, shard(4, 4).1));
    assert_eq!((shard(1, 2).0, shard(2, 2).0, shard(4, 4).0), (2, 2, 0));
}

/// Which files a change selects, and what is said.
fn changed(paths: &[&str], files: &[&str]) -> (Vec<String>, String) {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let (files, note) = Changed { since: "main".to_owned(), paths }.files(files.iter().copied());
    let mut files: Vec<String> = files.into_iter().collect();
    files.sort();
    (files, note.unwrap_or_default())
}

const SPECS: [&str; 3] = ["./spec/cart/add_spec.rb", "spec/cart/empty_spec.rb", "spec/pay_spec.rb"];

#[test]
fn a_changed_spec_file_is_found_wherever_the_suite_lies() {
    for path in ["spec/pay_spec.rb", "shop/e2e/spec/pay_spec.rb", "pay_spec.rb"] {
        assert_eq!(changed(&[path], &SPECS), (vec!["spec/pay_spec.rb".to_owned()], String::new()), "{path}");
    }
    let app = ["/app/tests/test_cart.py", "/app/tests/admin/test_cart.py"];
    assert_eq!(
        changed(&["e2e/tests/test_cart.py"], &app).0,
        ["app/tests/test_cart.py".to_owned()].map(|f| format!("/{f}"))
    );
    assert_eq!(changed(&["e2e/tests/admin/test_cart.py"], &app).0, ["/app/tests/admin/test_cart.py"]);
}

#[test]
fn a_name_that_fits_several_files_takes_all_of_them() {
    let (files, _) = changed(&["test_cart.py"], &["a/test_cart.py", "b/test_cart.py"]);
    assert_eq!(files, ["a/test_cart.py", "b/test_cart.py"]);
}

#[test]
fn a_changed_helper_runs_everything_and_a_changed_application_nothing() {
    let (files, note) = changed(&["e2e/spec/support/login.rb", "app/cart.rb"], &SPECS);
    assert_eq!(files, ["spec/cart/add_spec.rb", "spec/cart/empty_spec.rb", "spec/pay_spec.rb"]);
    assert_eq!(
        note,
        "--changed-since main: all tests are run, as what they share has changed: e2e/spec/support/login.rb"
    );
    let (files, note) = changed(&["app/cart.rb", "e2e/spec/pay_spec.rb", "README.md"], &SPECS);
    assert_eq!(files, ["spec/pay_spec.rb"]);
    assert_eq!(
        note,
        "--changed-since main: what changed besides spec files selects no test: app/cart.rb, README.md; run the whole \
         suite to know what it breaks"
    );
}

#[test]
fn what_failed_and_is_gone_is_said() {
    let failed = Some(["spec/pay_spec.rb::Pay by card", "spec/old_spec.rb::is gone"].map(TestId::from_stored).into());
    let chosen =
        Selection { failed, ..Selection::default() }.choose(shop(), &HashMap::new(), &OrderSettings::default());
    assert_eq!(ids(&chosen.tests), ["spec/pay_spec.rb::Pay by card"]);
    assert_eq!(chosen.notes, ["--only-failed: 1 of 2 are not listed any more"]);
}
