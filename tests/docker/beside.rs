//! The suite is loaded while its environment still comes up.

use crate::program::Finished;
use crate::stage::{Manifest, Stage, TINY, write};

/// It takes three seconds until the application answers; the suite may need it already when it is loaded.
const SPEC: &str = r#"
require "socket"
visit = -> { TCPSocket.new("slow", 8000).close }
visit.call if ENV["NEEDS"] == "yes"
RSpec.describe("the application") { it("answers") { visit.call } }
"#;

const COMPOSE: &str = r#"
services:
  slow:
    build: TINY
    command: ["sh", "-c", "sleep 3; exec ruby -r socket -e 's = TCPServer.new(8000); loop { s.accept.close }'"]
  runner:
    build: TINY
    command: sleep infinity
    init: true
    environment: ["NEEDS=ANSWER"]
    volumes: ["./spec:/suite/spec:ro"]
    depends_on: ["slow"]
"#;

/// Runs the suite; `needs` says whether it can't be loaded without the application.
fn run(stage: &Stage, needs: &str) -> Finished {
    let compose = COMPOSE.replace("TINY", TINY).replace("ANSWER", needs);
    let settings = "lanes = 2\nready = { slow = \"tcp:8000\" }";
    let manifest = stage.manifest(&Manifest { compose: "compose.yaml", settings, ..Manifest::default() });
    write(&manifest.join("compose.yaml"), compose);
    write(&manifest.join("spec/slow_spec.rb"), SPEC);
    stage.shakedown(manifest).run().expect_code(0)
}

/// Whether the tests were planned before an environment was ready.
fn planned_first(finished: &Finished) -> bool {
    let place = |word: &str| finished.said.find(word).unwrap_or_else(|| panic!("no {word}: {}", finished.said));
    place("PLANNED 1 test ") < place("READY environment ")
}

#[test]
fn the_plan_is_there_before_the_first_environment_is_ready() {
    let stage = Stage::new("the_plan_is_there_before_the_first_environment_is_ready");
    let finished = run(&stage, "no");
    assert!(planned_first(&finished), "{}", finished.said);
    assert_eq!(finished.record().history.outcomes("answers"), ["passed"]);
}

#[test]
fn a_suite_that_needs_the_application_when_it_is_loaded_is_loaded_again() {
    let stage = Stage::new("a_suite_that_needs_the_application_when_it_is_loaded_is_loaded_again");
    let finished = run(&stage, "yes");
    assert!(!planned_first(&finished), "{}", finished.said);
    let record = finished.record();
    assert_eq!(record.history.outcomes("answers"), ["passed"]);
    assert!(record.history.environments.iter().all(|environment| environment.broken.is_none()));
}
