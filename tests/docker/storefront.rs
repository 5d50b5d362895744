//! The storefront in a real browser: each planted fault is told for what it is. See the table in its README.

use crate::outcome::Record;
use crate::stage::{Manifest, Stage};

const COMPOSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/test-manifests/storefront/compose.yaml");

/// Runs some files of the storefront's suite with these faults.
fn shake_down(stage: &Stage, files: &[&str], faults: &str, arguments: &str, code: i32) -> Record {
    let paths: Vec<String> = files.iter().map(|file| format!("spec/features/{file}_spec.rb")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let settings = "lanes = 2\nready_within = \"90s\"";
    let manifest = Manifest { suite: "storefront", compose: COMPOSE, runner: "browser", paths: &paths, settings };
    let run = stage.shakedown(stage.manifest(&manifest)).env("STOREFRONT_FAULTS", faults).with(arguments);
    run.patiently().run().expect_code(code).record()
}

#[test]
fn races_in_a_browser_are_flaky_and_do_not_gate() {
    let stage = Stage::alone("races_in_a_browser_are_flaky_and_do_not_gate");
    let files = ["search", "checkout", "stock", "admin_products", "notice"];
    let faults = "short-wait,double-submit,lost-update,stale-cache,leftover";
    let record = shake_down(&stage, &files, faults, "", 0);
    let flaky = [
        "shows results while typing",
        "shows all results after pressing Enter",
        "orders once, however often the button is clicked",
        "counts both of two orders at the same moment",
        "changes the price that customers see",
        "is not there on an ordinary day",
    ];
    for name in flaky {
        assert_eq!(record.history.outcomes(name), ["failed", "passed"], "{name}");
        assert_eq!(record.history.verdict(name), "flaky", "{name}");
    }
    assert_eq!(record.history.all_but("passed").len(), flaky.len(), "{:#?}", record.history.all_but("passed"));
    let victim = record.history.attempts("is not there on an ordinary day")[0];
    let predecessor = victim.predecessor.as_ref().map(|test| test.as_str()).unwrap_or_default();
    assert!(predecessor.ends_with("is shown to visitors when an administrator publishes it"), "{predecessor}");
}

#[test]
fn a_bug_a_hang_and_a_crash_in_a_browser_are_three_different_things() {
    let stage = Stage::alone("a_bug_a_hang_and_a_crash_in_a_browser_are_three_different_things");
    let files = ["cart", "invoice", "admin_sales"];
    let record = shake_down(&stage, &files, "bug,hang=first,crash", "--test-timeout 20s --attempts 2", 1);
    assert_eq!(record.history.outcomes("adds up three products and more"), ["failed"; 2]);
    assert_eq!(record.history.verdict("adds up three products and more"), "failed");
    assert_eq!(record.history.outcomes("shows what was bought, ready for the printer"), ["timed out", "passed"]);
    assert_eq!(record.history.verdict("shows what was bought, ready for the printer"), "flaky");
    assert_eq!(record.history.outcomes("adds up what was sold of a product"), ["environment broke", "passed"]);
    assert_eq!(record.history.verdict("adds up what was sold of a product"), "passed");
    let broken: Vec<_> = record.history.environments.iter().filter_map(|row| row.broken.as_ref()).collect();
    let [broken] = &broken[..] else { panic!("{broken:?}") };
    assert_eq!(broken.service.as_deref(), Some("web"));
    assert_eq!(record.json.counts.failed, 1, "nobody else pays for it");
}
