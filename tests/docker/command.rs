//! A suite of shell scripts by the framework `command`, in containers with nothing but a shell.

use std::time::Duration;

use shakedown::verdict::Outcome;

use crate::outcome::History;
use crate::stage::{Stage, write};

const COMMAND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/docker/command");

/// Writes a manifest for the same containers, and returns its folder.
fn manifest(stage: &Stage, command: &str) -> std::path::PathBuf {
    let folder = stage.folder().join("manifest");
    let text = format!(
        "[suite]\nname = \"command\"\nframework = \"command\"\n[suite.command]\n{command}\n\
         [environment]\ncompose = \"{COMMAND}/compose.yaml\"\nrunner = \"runner\"\n"
    );
    write(&folder.join("shakedown.toml"), text);
    folder
}

fn message(history: &History, name: &str) -> String {
    let outcome = &history.attempts(name)[0].outcome;
    let Outcome::Failed(failure) = outcome else { panic!("{name}: {outcome:?}") };
    failure.message.clone()
}

#[test]
fn each_way_in_which_a_command_can_end_has_its_outcome_and_message() {
    let stage = Stage::new("each_way_in_which_a_command_can_end_has_its_outcome_and_message");
    let finished = stage.shakedown(COMMAND).with("--lanes 3 --seed 7").run().expect_code(1);
    let record = finished.record();
    let history = &record.history;
    assert_eq!(history.verdict("cases/passes.sh"), "passed");
    assert_eq!(history.verdict("cases/skips.sh"), "skipped");
    assert_eq!(history.outcomes("cases/flaky.sh"), ["failed", "passed"]);
    assert_eq!(history.outcomes("cases/hangs.sh"), ["timed out"; 3]);
    assert_eq!(history.verdict("🚀 {tests}.sh"), "passed");
    let left = history.attempts("cases/leaves-a-process.sh").remove(0);
    assert_eq!(left.outcome, Outcome::Passed);
    assert!(left.duration < Duration::from_secs(5), "it took {:?}", left.duration);

    assert_eq!(message(history, "cases/fails.sh"), "1 of 2 testcases failed\ncases sends once: expected 1, got 2");
    assert!(history.attempts("cases/fails.sh")[0].output.contains("about to compare"));
    for (name, said) in [
        ("cases/crashes.sh", "the command was killed (exit code 137), but it wrote no results to /tmp/"),
        ("cases/crashes.sh", "last words"),
        ("cases/cut off.sh", "ended with exit code 0, but the results file is cut off after 1 testcase"),
        ("cases/silent.sh", "the command ended with exit code 0, but it wrote no results to /tmp/"),
        ("cases/names-nothing.sh", "the command ended with exit code 0, but its results name no test"),
        ("cases/contradicts.sh", "the command ended with exit code 3, though its testcase did not fail"),
    ] {
        let message = message(history, name);
        assert!(message.contains(said), "{name}: {message}");
        assert_eq!(history.verdict(name), "failed");
    }
    assert_eq!(history.tests.len(), 12);
}

#[test]
fn tests_that_are_listed_by_name_are_run_one_by_one_and_judged_by_their_exit_codes() {
    let stage = Stage::new("tests_that_are_listed_by_name_are_run_one_by_one_and_judged_by_their_exit_codes");
    let command = r#"
        list = "printf '%s\\n' a::one a::two \"b::it's\""
        lists = "tests"
        run = ["sh", "-c", "echo ran $0; test \"$0\" != a::two", "{tests}"]
    "#;
    let finished = stage.shakedown(manifest(&stage, command)).with("--lanes 2").run().expect_code(1);
    let history = &finished.record().history;
    assert_eq!(history.verdict("one"), "passed");
    assert_eq!(history.verdict("it's"), "passed");
    let failed = message(history, "a::two");
    assert_eq!(failed, "the command ended with exit code 1; it said last:\nran a::two");
}

#[test]
fn a_suite_that_cant_be_listed_or_is_empty_ends_the_run_and_says_why() {
    let stage = Stage::new("a_suite_that_cant_be_listed_or_is_empty_ends_the_run_and_says_why");
    let run = "run = \"true {tests}\"";
    let cases = [
        (2, "list = \"no-such-program --list\"", "the list command `no-such-program --list` ended with exit code 127"),
        (2, "list = [\"no-such-program\"]", "\"no-such-program\": executable file not found"),
        (2, "list = \"echo broken >&2; exit 3\"", "ended with exit code 3:"),
        (4, "files = [\"cases/*.rb\"]", "no test"),
    ];
    for (code, list, said) in cases {
        let finished = stage.shakedown(manifest(&stage, &format!("{list}\n{run}"))).with("--lanes 1").run();
        let finished = finished.expect_code(code);
        assert!(finished.said.contains(said), "{list}: {}", finished.said);
    }
}

#[test]
fn a_program_that_is_not_there_is_said_by_every_test() {
    let stage = Stage::new("a_program_that_is_not_there_is_said_by_every_test");
    let command = "files = [\"cases/p*.sh\"]\nrun = [\"no-such-program\", \"{tests}\"]";
    let finished = stage.shakedown(manifest(&stage, command)).with("--lanes 1 --attempts 1").run().expect_code(1);
    let failed = message(&finished.record().history, "cases/passes.sh");
    assert!(failed.starts_with("the command could not be started (exit code 12"), "{failed}");
    assert!(failed.contains("no-such-program"), "{failed}");
}

/// A manifest for containers of their own, with a writable working directory and this besides.
fn apart(stage: &Stage, command: &str, besides: &str) -> std::path::PathBuf {
    let folder = manifest(stage, command);
    let compose = format!(
        "services:\n  runner:\n    image: debian:bookworm-slim\n    command: sleep infinity\n    init: true\n{besides}"
    );
    write(&folder.join("compose.yaml"), compose);
    let text = std::fs::read_to_string(folder.join("shakedown.toml")).expect("written above");
    write(&folder.join("shakedown.toml"), text.replace(&format!("{COMMAND}/compose.yaml"), "compose.yaml"));
    folder
}

#[test]
fn results_are_collected_from_where_a_program_always_writes_them() {
    let stage = Stage::new("results_are_collected_from_where_a_program_always_writes_them");
    let script = r#"
name=${0#*::}
mkdir -p out/deep
if ! [ -e out/TEST-old.xml ]; then
  echo "<testsuite><testcase name='two'><failure message='of yesterday'/></testcase></testsuite>" > out/TEST-old.xml
  touch -d @1000 out/TEST-old.xml
fi
[ $name = silent ] && exit
echo "<testsuite><testcase name='$name'/></testsuite>" > out/TEST-suite.xml
echo "<testsuite><testcase name='again'><flakyFailure message='once'/></testcase></testsuite>" > out/deep/TEST-2.xml
echo "<testsuite><testcase name='$name'><failure message='not a report'/></testcase></testsuite>" > out/other.xml
"#;
    let command = format!(
        "list = ['printf', '%s\\n', 'a::one', 'a::two', 'a::silent']\nlists = 'tests'\njunit = ['out/**/TEST-*.xml']\n\
         run = ['sh', '-c', '''{script}''', '{{tests}}']"
    );
    let finished = stage.shakedown(apart(&stage, &command, "")).with("--lanes 1 --attempts 1").run().expect_code(1);
    let history = &finished.record().history;
    assert_eq!((history.verdict("one"), history.verdict("two")), ("passed", "passed"));
    // What the others wrote is out of its way, and what was there before is none of its own.
    let failed = message(history, "silent");
    assert_eq!(failed, "the command ended with exit code 0, but it wrote no results to out/**/TEST-*.xml");
    let said = "the framework tries failed tests again by itself";
    assert_eq!(finished.said.matches(said).count(), 1, "{}", finished.said);
}

#[test]
fn results_are_read_from_a_file_system_in_memory_too() {
    let stage = Stage::new("results_are_read_from_a_file_system_in_memory_too");
    let folder = apart(
        &stage,
        "list = \"echo one\"\nrun = \"mkdir {junit}; printf '<testsuite><testcase name=%s/>' {tests} > {junit}/a.xml; \
         printf '<testcase name=\\\"two\\\"/></testsuite>' >> {junit}/a.xml\"",
        "    tmpfs: /tmp\n",
    );
    let finished = stage.shakedown(&folder).with("--lanes 1").run().expect_code(0);
    assert_eq!(finished.record().history.verdict("one"), "passed");
}

#[test]
fn several_tests_of_one_command_are_told_apart_through_crash_hang_and_a_cut_off_file() {
    let stage = Stage::new("several_tests_of_one_command_are_told_apart_through_crash_hang_and_a_cut_off_file");
    let script = r#"#!/bin/sh
junit=$1; shift
echo '<testsuite>' > "$junit"
for test; do
  name=${test#*::}
  case $name in
    hangs) sleep 600 ;;
    crashes) kill -9 $$ ;;
    fails) echo "<testcase classname='s' name='$name'><failure message='no'/></testcase>" >> "$junit" ;;
    *) echo "<testcase classname='s' name=\"$name\"/>" >> "$junit" ;;
  esac
done
echo '</testsuite>' >> "$junit"
"#;
    let command = r#"
        list = "printf '%s\n' s::one \"s::it's two\" s::fails s::three s::crashes s::four s::hangs s::five s::six"
        lists = "tests"
        at_once = 3
        run = "sh /manifest/run.sh {junit} {tests}"
    "#;
    let folder = manifest(&stage, command);
    write(&folder.join("run.sh"), script);
    let compose = "services:\n  runner:\n    image: debian:bookworm-slim\n    command: sleep infinity\n    \
                   init: true\n    volumes: [\".:/manifest:ro\"]\n";
    write(&folder.join("compose.yaml"), compose);
    let text = std::fs::read_to_string(folder.join("shakedown.toml")).expect("written above");
    let text = text.replace(&format!("{COMMAND}/compose.yaml"), "compose.yaml");
    write(&folder.join("shakedown.toml"), format!("{text}reset = {{ after = \"never\" }}\n"));
    let finished = stage.shakedown(&folder).with("--lanes 2 --attempts 2 --test-timeout 3s").run().expect_code(1);
    let history = &finished.record().history;
    for name in ["s::one", "s::three", "s::four", "s::five", "s::six", "it's two"] {
        assert_eq!(history.outcomes(name), ["passed"], "{name}");
    }
    assert_eq!(history.outcomes("s::fails"), ["failed"; 2]);
    assert_eq!(history.outcomes("s::crashes"), ["failed"; 2]);
    assert_eq!(history.outcomes("s::hangs"), ["timed out"; 2]);
    assert!(finished.said.contains("3 tests were run by one command, and 2 of them are now run one by one"));
    assert!(finished.said.contains("as their time was up"), "{}", finished.said);
}
