//! What stays together, what is kept apart and what is cut up, by when and where tests really ran.

use std::time::Duration;

use jiff::Timestamp;

use crate::outcome::Record;
use crate::program::Finished;
use crate::stage::{Stage, write};

/// A suite of nothing but names, run by a shell in containers that do nothing.
fn folder(stage: &Stage, tests: &[&str], run: &str, besides: &str) -> std::path::PathBuf {
    let folder = stage.folder().join("manifest");
    let listed: Vec<String> = tests.iter().map(|test| format!(", '{test}'")).collect();
    let text = format!(
        "[suite]\nname = 'order'\nframework = 'command'\n[suite.command]\nlist = ['printf', '%s\\n'{}]\n\
         lists = 'tests'\n{run}\n[environment]\ncompose = 'compose.yaml'\nrunner = 'runner'\n{besides}",
        listed.concat()
    );
    write(&folder.join("shakedown.toml"), text);
    let compose =
        "services:\n  runner:\n    image: debian:bookworm-slim\n    command: sleep infinity\n    init: true\n";
    write(&folder.join("compose.yaml"), compose);
    folder
}

/// An attempt, where and when it ran.
#[derive(Debug)]
struct Ran {
    test: String,
    environment: String,
    position: u32,
    from: Timestamp,
    to: Timestamp,
}

/// Every test ran once.
fn ran(record: &Record, tests: usize) -> Vec<Ran> {
    let ran: Vec<Ran> = record
        .json
        .tests
        .iter()
        .flat_map(|test| test.attempts.iter().map(move |attempt| (test, attempt)))
        .map(|(test, attempt)| Ran {
            test: test.id.clone(),
            environment: attempt.environment.clone(),
            position: attempt.position,
            from: attempt.started,
            to: attempt.started + Duration::from_millis(attempt.duration_ms),
        })
        .collect();
    assert_eq!((ran.len(), record.json.counts.passed), (tests, tests), "{ran:#?}");
    ran
}

fn of<'a>(ran: &'a [Ran], folder: &str) -> Vec<&'a Ran> {
    let mut ran: Vec<&Ran> = ran.iter().filter(|ran| ran.test.starts_with(folder)).collect();
    ran.sort_by_key(|ran| ran.from);
    ran
}

fn beside(one: &Ran, other: &Ran) -> bool {
    one.from < other.to && other.from < one.to
}

#[test]
fn groups_stay_together_and_a_resource_is_never_held_twice() {
    let stage = Stage::new("groups_stay_together_and_a_resource_is_never_held_twice");
    let tests = [
        "g/a.sh::1",
        "g/a.sh::2",
        "g/b.sh::1",
        "p/c.sh::1",
        "p/d.sh::1",
        "p/e.sh::1",
        "o/f.sh::1",
        "o/g.sh::1",
        "o/h.sh::1",
    ];
    let besides = "[order]\ngroup = ['g/**']\n[[order.exclusive]]\nresource = 'printer'\nfiles = ['p/**']\n";
    let folder = folder(&stage, &tests, "run = ['sh', '-c', 'sleep 0.5', '{tests}']", besides);
    let finished = stage.shakedown(folder).with("--lanes 3 --seed 5").run().expect_code(0);
    assert!(finished.said.contains("g/**: 3 tests of 2 files stay together"), "{}", finished.said);
    assert!(finished.said.contains("printer is used by one lane at a time: 3 tests"), "{}", finished.said);
    let ran = ran(&finished.record(), tests.len());

    let group = of(&ran, "g/");
    let order: Vec<&str> = group.iter().map(|ran| ran.test.as_str()).collect();
    assert_eq!(order, ["g/a.sh::1", "g/a.sh::2", "g/b.sh::1"]);
    assert!(group.windows(2).all(|two| two[0].environment == two[1].environment), "{group:#?}");
    assert!(group.windows(2).all(|two| two[0].position + 1 == two[1].position), "{group:#?}");

    let exclusive = of(&ran, "p/");
    assert!(exclusive.windows(2).all(|two| !beside(two[0], two[1])), "{exclusive:#?}");
    let others = ran.iter().filter(|ran| !ran.test.starts_with("p/"));
    assert!(others.into_iter().any(|other| exclusive.iter().any(|one| beside(one, other))), "nothing ran beside them");
}

#[test]
fn a_long_file_is_run_in_parts_once_its_length_is_known() {
    let stage = Stage::new("a_long_file_is_run_in_parts_once_its_length_is_known");
    let tests = [
        "l/long.sh::1",
        "l/long.sh::2",
        "l/long.sh::3",
        "l/long.sh::4",
        "l/long.sh::5",
        "l/long.sh::6",
        "s/short.sh::1",
    ];
    let folder = folder(&stage, &tests, "run = ['sh', '-c', 'sleep 0.5', '{tests}']", "");
    let run = || stage.shakedown(&folder).with("--lanes 2").run().expect_code(0);
    let places = |finished: &Finished| {
        let ran = ran(&finished.record(), tests.len());
        let mut places: Vec<String> = of(&ran, "l/").into_iter().map(|ran| ran.environment.clone()).collect();
        places.sort();
        places.dedup();
        places.len()
    };
    let first = run();
    assert!(!first.said.contains("is run in"), "{}", first.said);
    assert_eq!(places(&first), 1);
    let second = run();
    assert!(second.said.contains("l/long.sh is run in 2 parts"), "{}", second.said);
    assert_eq!(places(&second), 2);
}

/// A test fails that is not run by one command with others.
#[test]
fn one_command_runs_as_many_tests_as_it_may() {
    let stage = Stage::new("one_command_runs_as_many_tests_as_it_may");
    let tests = ["a.sh::1", "a.sh::2", "b.sh::3", "b.sh::4", "c.sh::5", "c.sh::6", "d.sh::7", "d.sh::8"];
    let script = "{ echo '<testsuite>'; for test; do if [ $# = 4 ]; then echo \"<testcase name='${test#*::}'/>\"; else \
                  echo \"<testcase name='${test#*::}'><failure message='with $#'/></testcase>\"; fi; done; \
                  echo '</testsuite>'; } > $0";
    let run = format!(
        "at_once = 4\nrun = ['sh', '-c', \"\"\"{}\"\"\", '{{junit}}', '{{tests}}']",
        script.replace('"', "\\\"")
    );
    let folder = folder(&stage, &tests, &run, "");
    let finished = stage.shakedown(folder).with("--lanes 1 --attempts 1").run().expect_code(0);
    ran(&finished.record(), tests.len());
}
