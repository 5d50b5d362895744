//! What is kept of an attempt that did not pass, by a real engine and, where the storefront's image is there, a real
//! browser.

use std::collections::BTreeSet;
use std::fs;

use crate::stage::{Manifest, Stage, write};

#[test]
fn a_failed_attempt_leaves_a_folder_that_tells_how_it_was() {
    let stage = Stage::new("a_failed_attempt_leaves_a_folder_that_tells_how_it_was");
    let manifest =
        stage.manifest(&Manifest { paths: &["spec/broken_spec.rb", "spec/value_spec.rb"], ..Manifest::default() });
    let file = manifest.join("shakedown.toml");
    let text = fs::read_to_string(&file).expect("the manifest");
    write(&file, text.replace("[environment]", "artifacts = [\"spec/**/*.rb\", \"/var/log/**\"]\n\n[environment]"));
    let run = stage.shakedown(&manifest).faults("broken=always").with("--lanes 1 --attempts 2").run();
    let record = run.expect_code(1).record();

    let failed = record.json.tests.iter().find(|test| test.verdict == "failed").expect("a failed test");
    assert_eq!(failed.attempts.len(), 2);
    for attempt in &failed.attempts {
        let evidence = attempt.evidence.as_ref().expect("evidence");
        let folder = record.folder.join(&evidence.folder);
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let listed: BTreeSet<&str> = evidence.files.iter().map(String::as_str).collect();
        for name in ["failure.txt", "attempt.json", "containers.json", "logs/web.log", "logs/runner.log"] {
            assert!(listed.contains(name) && folder.join(name).is_file(), "{name} of {listed:?}");
        }
        let message = &attempt.failure.as_ref().expect("a failure").message;
        assert!(read("failure.txt").contains(message.as_str()));
        assert!(read("attempt.json").contains(&format!("\"environment\": \"{}\"", attempt.environment)));
        assert!(read("attempt.json").contains("\"signature\": \"v1:"), "{}", read("attempt.json"));
        let containers = read("containers.json");
        assert!(containers.contains("\"state\": \"running\""), "{containers}");
        // Nothing in these folders changed during the attempt.
        assert!(!listed.iter().any(|name| name.starts_with("artifacts/")), "{listed:?}");
        let junit = fs::read_to_string(record.folder.join("junit.xml")).expect("a report");
        assert!(junit.contains(&format!("[[ATTACHMENT|{}]]", folder.join("failure.txt").display())), "{junit}");
    }
    let passed = record.json.tests.iter().filter(|test| test.verdict == "passed").flat_map(|test| &test.attempts);
    assert!(passed.into_iter().all(|attempt| attempt.evidence.is_none()));
    let folders = fs::read_dir(record.folder.join("failures")).expect("a folder").count();
    assert_eq!(folders, 1, "what passed leaves nothing");
    assert!(run_says(&record.folder, "summary.md", "[evidence](failures/"));
}

fn run_says(folder: &std::path::Path, file: &str, words: &str) -> bool {
    fs::read_to_string(folder.join(file)).expect("a report").contains(words)
}
