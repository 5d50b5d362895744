//! The run folder: whole files, and `latest`.

use std::fs;
use std::path::Path;

use shakedown::report::run_json::{RunJson, SCHEMA_VERSION};
use shakedown::report::{RunRecord, write_reports};

use super::sample::{one_of_each, passed};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<_> = entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_run_folder_holds_whole_reports_and_no_temporary_files() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("20261124-052900-0000ab");
    let record = RunRecord::of(&one_of_each());
    let paths = write_reports(&record, &folder).expect("written");
    write_reports(&record, &folder).expect("written again");
    assert_eq!(names(&folder), ["junit.xml", "run.json", "summary.md"]);
    assert_eq!(names(parent.path()), ["20261124-052900-0000ab", "latest"]);
    assert_eq!(fs::read_link(parent.path().join("latest")).expect("a link"), Path::new("20261124-052900-0000ab"));
    assert!(paths.listed().iter().all(|(_, path)| path.is_file()));
}

#[test]
fn an_older_run_that_ends_later_does_not_take_latest_back() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let latest = || fs::read_link(parent.path().join("latest")).expect("a link");
    let record = RunRecord::of(&passed());
    let (older, newer) = (parent.path().join("20261124-05"), parent.path().join("20261124-06"));
    write_reports(&record, &newer).expect("written");
    write_reports(&record, &older).expect("written");
    assert_eq!(latest(), Path::new("20261124-06"));
    // A folder that was cleaned away does not hold the place.
    fs::remove_dir_all(&newer).expect("removed");
    write_reports(&record, &older).expect("written");
    assert_eq!(latest(), Path::new("20261124-05"));
}

#[test]
fn a_report_that_can_not_be_written_is_named_and_the_others_are_there() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("run");
    fs::create_dir_all(folder.join("junit.xml/in the way")).expect("made");
    let error = write_reports(&RunRecord::of(&passed()), &folder).expect_err("junit.xml is a folder");
    assert!(error.to_string().contains("could not write") && error.to_string().contains("junit.xml"), "{error}");
    assert_eq!(names(&folder), ["junit.xml", "run.json", "summary.md"]);
}

#[test]
fn run_json_holds_the_whole_record_and_reads_back() {
    let record = RunRecord::of(&one_of_each());
    let text = shakedown::report::run_json::run_json(&record).expect("written");
    insta::assert_snapshot!(text);
    let read: RunJson = serde_json::from_str(&text).expect("read back");
    assert_eq!(read, RunJson::from(&record));
    assert_eq!(read.schema_version, SCHEMA_VERSION);
    assert_eq!(read.tests.iter().map(|t| t.attempts.len()).sum::<usize>(), 10);
}

#[test]
fn the_markdown_summary_is_short_and_harmless() {
    insta::assert_snapshot!(shakedown::report::summary::markdown(&RunRecord::of(&one_of_each())));
}
