//! Runs of a part of the suite, and what they would do.

use std::fs;
use std::process::Command;

use shakedown::report::preview::ListJson;

use crate::stage::{Manifest, Stage, write};

#[test]
fn tests_are_listed_and_planned_without_a_run() {
    let stage = Stage::new("tests_are_listed_and_planned_without_a_run");
    let listed = stage.tiny().with("--list --filter file(spec/value_spec.rb)").printing().run().expect_code(0);
    let lines: Vec<&str> = listed.printed.lines().collect();
    assert_eq!(lines.len(), 3, "{}", listed.printed);
    assert!(lines[0].trim_start().starts_with("–  spec/value_spec.rb:"), "{}", lines[0]);
    assert!(lines[0].contains("  spec/value_spec.rb::"), "{}", lines[0]);
    assert!(listed.said.ends_with("3 of 26 tests, 0 with a known duration, 0 ms together"), "{}", listed.said);

    let json = stage.tiny().with("--list --format json --shard 1/2").printing().run().expect_code(0);
    let list: ListJson = serde_json::from_str(&json.printed).expect("the documented shape");
    assert_eq!((list.suite.as_str(), list.tests_listed, list.selection.len()), ("tiny", 26, 1));
    assert!((11..=15).contains(&list.tests.len()), "{}", list.tests.len());

    let plan = stage.tiny().with("--dry-run --lanes 3 --seed 7").printing().run().expect_code(0);
    assert!(plan.printed.starts_with("tiny: 26 tests, in 12 units over 3 lanes, seed 7\n"), "{}", plan.printed);
    assert!(plan.printed.contains("lower bound "), "{}", plan.printed);

    let none = stage.tiny().with("--list --filter tag(smoke)").printing().run().expect_code(4);
    assert!(none.said.contains("no test is selected: 0 of 26 tests"), "{}", none.said);
    assert_eq!(none.printed, "");
    let left: Vec<_> = fs::read_dir(listed.reports.join("tiny")).expect("a folder").collect();
    assert!(left.is_empty(), "no run was made, and yet there are {left:?}");

    // The history knows nothing of all this.
    let first = stage.tiny().with("--only-failed").run().expect_code(4);
    assert!(first.said.contains("the history has no run of tiny that came to an end"), "{}", first.said);
}

#[test]
fn a_part_is_run_and_then_what_failed_in_it() {
    let stage = Stage::new("a_part_is_run_and_then_what_failed_in_it");
    let part = || stage.tiny().with("--filter file(spec/{broken,value}_spec.rb)");
    let run = part().faults("broken=always").with("--attempts 1").run().expect_code(1);
    let record = run.record();
    assert_eq!((record.json.counts.total, record.json.tests_listed), (5, 26));
    assert_eq!(record.json.selection, ["what matches file(spec/{broken,value}_spec.rb)"]);
    assert_eq!(record.history.run.header.selection, record.json.selection);
    assert_eq!((record.json.counts.failed, record.json.counts.not_run), (1, 0));
    assert!(run.said.contains("PLANNED 5 of 26 tests in 2 units"), "{}", run.said);

    let again = stage.tiny().with("--only-failed").run().expect_code(0).record();
    assert_eq!((again.json.counts.total, again.json.counts.passed), (1, 1));
    assert_eq!(again.history.verdict("adds up"), "passed");
    let id = &record.json.run;
    assert_eq!(again.json.selection, [format!("the 1 that failed or were not settled in run {id}")]);

    let nothing = stage.tiny().with("--only-failed").run().expect_code(4);
    let said = format!("no test failed or was left unsettled in run {id} and 1 later run of a part of the suite");
    assert!(nothing.said.contains(&said), "{}", nothing.said);
    assert!(nothing.run_id().is_none(), "{}", nothing.said);

    let new = stage.tiny().with("--list --filter status(new)").printing().run().expect_code(0);
    assert_eq!(new.printed.lines().count(), 21, "{}", new.printed);
}

#[test]
fn a_repeated_test_passes_only_if_it_passes_every_time() {
    let stage = Stage::new("a_repeated_test_passes_only_if_it_passes_every_time");
    let repeated = || stage.tiny().with("--filter file(spec/{flaky,value}_spec.rb) --repeat 6 --lanes 2");
    let run = repeated().faults("flaky").run().expect_code(1);
    let record = run.record();
    assert_eq!((record.json.repeat, record.history.run.header.repeat), (6, 6));
    assert_eq!(record.history.verdict("comes in time"), "flaky");
    assert_eq!((record.json.counts.passed, record.json.counts.flaky), (4, 1));
    assert_eq!(record.history.attempts.len(), 30);
    assert_eq!(record.junit.tests, 5, "one testcase for each test");
    assert!(run.said.contains("exit code 1: 1 test did not pass every time"), "{}", run.said);
    let honest = repeated().run().expect_code(0);
    assert!(honest.said.contains("executions   100.0 % (30 of 30), each test 6 times"), "{}", honest.said);
}

#[test]
fn spec_files_that_changed_are_run() {
    let stage = Stage::new("spec_files_that_changed_are_run");
    let folder = stage.manifest(&Manifest::default());
    let git = |arguments: &str| {
        let mut git = Command::new("git");
        git.arg("-C").arg(&folder).args(["-c", "user.name=A", "-c", "user.email=a@example.com"]);
        let done = git.args(arguments.split_whitespace()).output().expect("git is there");
        assert!(done.status.success(), "git {arguments}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let since =
        |reference: &str| stage.shakedown(&folder).with(&format!("--list --changed-since {reference}")).printing();
    let outside = since("main").run().expect_code(2);
    assert!(outside.said.contains("the manifest's folder must lie in a git work tree"), "{}", outside.said);
    write(&folder.join("e2e/spec/value_spec.rb"), "one");
    git("init -q -b main");
    git("add -A");
    git("commit -q -m one");
    git("checkout -q -b branch");

    let unknown = since("origin/main").run().expect_code(2);
    assert!(unknown.said.contains("--changed-since origin/main: git knows no such commit"), "{}", unknown.said);
    let nothing = since("main").run().expect_code(4);
    assert!(nothing.said.contains("nothing has changed since then"), "{}", nothing.said);

    write(&folder.join("e2e/spec/value_spec.rb"), "two");
    git("commit -q -a -m two");
    write(&folder.join("e2e/spec/schema_spec.rb"), "new");
    write(&folder.join("app/server.rb"), "new");
    let changed = since("main").run().expect_code(0);
    assert_eq!(changed.printed.lines().count(), 4, "{}", changed.printed);
    assert!(changed.said.contains("selects no test: app/server.rb;"), "{}", changed.said);

    write(&folder.join("e2e/spec/support/helper.rb"), "new");
    let all = since("main").run().expect_code(0);
    assert_eq!(all.printed.lines().count(), 26);
    assert!(all.said.contains("what they share has changed: e2e/spec/support/helper.rb"), "{}", all.said);
}
