//! Input that can't be used: the exact message, the exit code, and nothing left.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;

use crate::program::Finished;
use crate::stage::{Manifest, Stage, TINY, write};

/// What was said, without what is different each time.
fn told(stage: &Stage, finished: &Finished) -> String {
    let masks = [
        (r"\d{8}-\d{6}-[0-9a-f]{6}", "RUN"),
        (r"shakedown/tiny-(\w+):[0-9a-f]{12}", "shakedown/tiny-$1:KEY"),
        (r"\d+(\.\d+)? (s|ms)\b", "TIME"),
    ];
    let text = finished.said.replace(&stage.folder().display().to_string(), "HERE").replace(TINY, "TINY");
    masks.iter().fold(text, |text, (mask, instead)| {
        regex::Regex::new(mask).expect("a pattern").replace_all(&text, *instead).into_owned()
    })
}

/// The end of the summary, which says what the exit code means.
fn meaning(told: &str) -> String {
    let start = told.find("  exit code ").unwrap_or_else(|| panic!("no exit code is explained:\n{told}"));
    told[start..].trim_end().to_owned()
}

/// What is told of a run that could not begin.
fn refused(stage: &Stage, manifest: &Path, arguments: &str, code: i32) -> String {
    let finished = stage.shakedown(manifest).with(arguments).run().expect_code(code);
    assert_eq!(finished.run_id(), None, "it began a run:\n{}", finished.said);
    told(stage, &finished)
}

/// What the exit code of a run means that began and came to nothing.
fn came_to_nothing(stage: &Stage, manifest: &Manifest<'_>, code: i32) -> String {
    let finished = stage.shakedown(stage.manifest(manifest)).run().expect_code(code);
    assert_eq!(finished.record().history.attempts.len(), 0);
    meaning(&told(stage, &finished))
}

const GOOD: &str = "\
[suite]
name = \"tiny\"
framework = \"rspec\"
[environment]
runner = \"runner\"
";
const COMPOSE: &str = "services:\n  runner:\n    image: debian:bookworm-slim\n    command: sleep infinity\n";

#[test]
fn manifests_that_can_not_be_used() {
    let stage = Stage::new("manifests_that_can_not_be_used");
    let circle =
        "services:\n  runner:\n    image: a\n    depends_on: [web]\n  web:\n    image: a\n    depends_on: [runner]\n";
    let text = |text: String| Some(text.into_bytes());
    let cases: [(&str, Option<Vec<u8>>, &str); 7] = [
        ("missing", None, COMPOSE),
        ("empty", text(String::new()), COMPOSE),
        ("not-utf-8", Some(b"[suite]\nname = \"caf\xe9\"\n".to_vec()), COMPOSE),
        ("unknown-key", text(format!("{GOOD}lane = 2\n")), COMPOSE),
        ("unknown-framework", text(GOOD.replace("rspec", "rspek")), COMPOSE),
        ("unknown-runner", text(GOOD.replace("\"runner\"", "\"browser\"")), COMPOSE),
        ("circular-dependencies", text(GOOD.to_owned()), circle),
    ];
    let mut page = String::new();
    for (name, toml, compose) in cases {
        let folder = stage.folder().join(name);
        if let Some(toml) = toml {
            write(&folder.join("shakedown.toml"), toml);
            write(&folder.join("compose.yaml"), compose);
        }
        page += &format!("{}\n", refused(&stage, &folder, "", 2));
    }
    assert_snapshot!(page);
}

#[test]
fn an_image_that_can_not_be_had() {
    let stage = Stage::new("an_image_that_can_not_be_had");
    // Nobody listens there, so that no registry has to be asked.
    let compose = COMPOSE.replace("debian:bookworm-slim", "localhost:1/absent:1");
    write(&stage.folder().join("manifest/compose.yaml"), compose);
    let said = came_to_nothing(&stage, &Manifest { compose: "compose.yaml", ..Manifest::default() }, 3);
    // The rest are the engine's words, which differ from version to version.
    let ours = "  exit code 3: environments could not be provided: service runner: image localhost:1/absent:1 ";
    assert!(said.starts_with(ours) && said.contains("connection refused"), "{said}");
}

#[test]
fn a_port_that_is_taken() {
    let stage = Stage::new("a_port_that_is_taken");
    let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let port = listener.local_addr().expect("it has one").port();
    let ports = format!("    ports: [\"127.0.0.1:{port}:8000\"]\n");
    write(&stage.folder().join("manifest/compose.yaml"), format!("{COMPOSE}{ports}"));
    let settings = "lanes = 1\npublish = [\"runner\"]";
    let manifest = Manifest { compose: "compose.yaml", settings, ..Manifest::default() };
    let said = came_to_nothing(&stage, &manifest, 3);
    // The rest are the engine's words.
    let ours = "  exit code 3: environments could not be provided: lane 1: container shakedown-RUN-1.3-runner could \
                not be started: ";
    assert!(said.starts_with(ours) && said.contains(&format!("127.0.0.1:{port}")), "{said}");
}

#[test]
fn a_fixed_port_for_several_copies() {
    let stage = Stage::new("a_fixed_port_for_several_copies");
    let folder = stage.folder().join("manifest");
    write(&folder.join("shakedown.toml"), format!("{GOOD}lanes = 1\npublish = [\"runner\"]\n"));
    write(&folder.join("compose.yaml"), format!("{COMPOSE}    ports: [\"8000:8000\"]\n"));
    assert_snapshot!(refused(&stage, &folder, "--lanes 2", 2));
}

#[test]
fn a_history_that_is_no_database() {
    let stage = Stage::new("a_history_that_is_no_database");
    write(&stage.folder().join("reports/history.db"), "these are my notes, and no database at all\n");
    assert_snapshot!(refused(&stage, TINY.as_ref(), "", 2));
}

#[test]
fn a_history_that_is_read_only() {
    let stage = Stage::new("a_history_that_is_read_only");
    let file = stage.folder().join("reports/history.db");
    write(&file, "");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).expect("it is ours");
    assert_snapshot!(refused(&stage, TINY.as_ref(), "", 2));
}

#[test]
fn no_engine() {
    let stage = Stage::new("no_engine");
    let finished = stage.tiny().env("DOCKER_HOST", "unix:///nonexistent.sock").run().expect_code(3);
    assert_snapshot!(told(&stage, &finished));
}

#[test]
fn a_suite_that_can_not_be_read() {
    let stage = Stage::new("a_suite_that_can_not_be_read");
    let said = came_to_nothing(&stage, &Manifest { paths: &["variants/syntax"], ..Manifest::default() }, 2);
    // What follows are RSpec's own lines, which differ from version to version.
    let end = said.find("    # /usr/").unwrap_or(said.len());
    assert_snapshot!(&said[..end]);
}

#[test]
fn a_suite_without_an_example() {
    let stage = Stage::new("a_suite_without_an_example");
    let said = came_to_nothing(&stage, &Manifest { paths: &["variants/empty"], ..Manifest::default() }, 4);
    assert_snapshot!(said);
}

#[test]
fn a_runner_without_ruby() {
    let stage = Stage::new("a_runner_without_ruby");
    write(&stage.folder().join("manifest/compose.yaml"), COMPOSE);
    let said = came_to_nothing(&stage, &Manifest { compose: "compose.yaml", ..Manifest::default() }, 2);
    // The exit code and the rest are the engine's.
    let ours = "  exit code 2: the suite can't be run: the runner service can't start the worker \
                `ruby /shakedown_rspec_worker.rb` (exit code 12";
    assert!(said.starts_with(ours) && said.contains("\"ruby\": executable file not found"), "{said}");
}
