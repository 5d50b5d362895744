//! Everything that can go wrong around a test: who is to blame, and what is said of it.

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use shakedown::event::BrokenEnvironment;

use crate::outcome::Record;
use crate::program::Finished;
use crate::stage::{Manifest, Stage, TINY, write};

const COMPOSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/docker/failing/compose.yaml");
/// An image with Ruby and RSpec in it.
const IMAGE: &str = "shakedown-test/tiny";
/// A teardown takes less, also where nothing in a container wants to end.
const TEARDOWN: Duration = Duration::from_secs(8);

fn has_image() {
    let built = Command::new("docker").args(["build", "--tag", IMAGE, TINY]).stdout(Stdio::null()).status();
    assert!(built.expect("docker can be started").success(), "the image can't be built");
}

/// Runs one file of the failing suite over one lane.
fn run(stage: &Stage, file: &str) -> Finished {
    has_image();
    let path = format!("spec/{file}_spec.rb");
    let manifest = stage.manifest(&Manifest {
        suite: "failing",
        compose: COMPOSE,
        paths: &[&path],
        settings: "lanes = 1",
        ..Manifest::default()
    });
    stage.shakedown(manifest).with("--test-timeout 6s").run()
}

/// The one environment of a run that broke.
fn broken(record: &Record) -> BrokenEnvironment {
    let broken: Vec<_> = record.history.environments.iter().filter_map(|row| row.broken.clone()).collect();
    let [broken] = &broken[..] else { panic!("{broken:#?}") };
    broken.clone()
}

/// In such a run, the environment lost the test one attempt, and is blamed in these words.
#[track_caller]
fn assert_blamed(finished: &Finished, name: &str, service: &str, cause: &str) -> BrokenEnvironment {
    let record = finished.record();
    assert_eq!(record.history.outcomes(name), ["environment broke", "passed"], "{}", finished.said);
    let broken = broken(&record);
    assert_eq!((broken.service.as_deref(), broken.cause.as_str()), (Some(service), cause));
    let said = format!("ENV BROKE environment 1.1: {cause}");
    assert!(finished.said.contains(&said), "{}", finished.said);
    broken
}

#[test]
fn a_service_that_runs_out_of_memory_is_named_with_its_limit() {
    let stage = Stage::new("a_service_that_runs_out_of_memory_is_named_with_its_limit");
    let finished = run(&stage, "memory").expect_code(0);
    let cause = "memory ran out of memory while tests ran: limit 64 MiB, all of it in use at the kill; it ended with \
                 exit code 137";
    let broken = assert_blamed(&finished, "goes wrong: memory", "memory", cause);
    assert_eq!(broken.log_tail, ["memory: listens", "memory: takes all the memory there is"]);
}

#[test]
fn a_service_that_loses_a_child_for_want_of_memory_is_named_though_it_lives_on() {
    let stage = Stage::new("a_service_that_loses_a_child_for_want_of_memory_is_named_though_it_lives_on");
    let finished = run(&stage, "child").expect_code(0);
    let cause = "child ran out of memory while tests ran, and a process of it was killed: limit 64 MiB, all of it in \
                 use at the kill";
    assert_blamed(&finished, "goes wrong: child", "child", cause);
}

#[test]
fn a_browser_that_is_killed_for_want_of_memory_is_not_its_tests_fault() {
    let stage = Stage::new("a_browser_that_is_killed_for_want_of_memory_is_not_its_tests_fault");
    let finished = run(&stage, "browser").expect_code(0);
    let cause = "runner ran out of memory while tests ran, and a process of it was killed: limit 256 MiB, all of it in \
                 use at the kill";
    assert_blamed(&finished, "takes all the memory there is", "runner", cause);
}

#[test]
fn a_service_whose_disk_is_full_is_named_with_what_it_said() {
    let stage = Stage::new("a_service_whose_disk_is_full_is_named_with_what_it_said");
    let finished = run(&stage, "disk").expect_code(0);
    let cause = "disk ended with exit code 1 while tests ran; its log says: No space left on device";
    let broken = assert_blamed(&finished, "goes wrong: disk", "disk", cause);
    let last = broken.log_tail.last().map(String::as_str).unwrap_or_default();
    assert!(last.starts_with("disk: could not extend file: No space left on device"), "{broken:?}");
}

#[test]
fn a_service_that_hangs_is_found_by_its_health_check() {
    let stage = Stage::new("a_service_that_hangs_is_found_by_its_health_check");
    let finished = run(&stage, "hang").expect_code(0);
    let cause = broken(&finished.record()).cause;
    let expected = "hang became unhealthy while tests ran: its health check failed ";
    assert!(cause.starts_with(expected), "{cause}");
    assert_blamed(&finished, "goes wrong: hang", "hang", &cause);
}

#[test]
fn a_service_that_stops_listening_is_found() {
    let stage = Stage::new("a_service_that_stops_listening_is_found");
    let finished = run(&stage, "deaf").expect_code(0);
    let cause = "deaf stopped accepting connections on port 7000 while tests ran, though it runs";
    assert_blamed(&finished, "goes wrong: deaf", "deaf", cause);
}

#[test]
fn zombies_and_processes_that_ignore_the_signal_to_end_delay_no_teardown() {
    let stage = Stage::new("zombies_and_processes_that_ignore_the_signal_to_end_delay_no_teardown");
    let finished = run(&stage, "zombie").expect_code(0);
    let record = finished.record();
    assert_eq!(record.history.outcomes("leaves processes behind that do not want to end"), ["passed"]);
    assert_eq!(record.history.outcomes("fails in the same environment as it was left"), ["failed", "passed"]);
    // A step that nothing waited for has ended meanwhile, with exit code 0.
    assert!(record.history.environments.iter().all(|row| row.broken.is_none()), "{:?}", record.history.environments);
    let last = record.history.attempts.iter().map(|attempt| attempt.started).max().expect("an attempt");
    let ended = record.history.run.ended.expect("it ended");
    let teardown = ended.duration_since(last).unsigned_abs();
    assert!(teardown < TEARDOWN, "the last test started {teardown:?} before the end");
}

/// In its first attempt it waits until the service is gone from the network, and fails.
const MEDDLED_SPEC: &str = r#"
require "socket"
require "timeout"

RSpec.describe("Test") do
  def found?
    Addrinfo.getaddrinfo("web", nil).any?
  rescue SocketError
    false
  end

  it("takes a while") do
    next unless ENV["SHAKEDOWN_ATTEMPT"] == "1"

    Timeout.timeout(5) { sleep 0.05 while found? }
    expect(found?).to be true
  end
end
"#;

/// What somebody else does to a container of a run while a test waits for it.
fn meddle(stage: &Stage, verb: &[&str], cause: &str) {
    has_image();
    write(&stage.folder().join("manifest/spec/slow_spec.rb"), MEDDLED_SPEC);
    let compose = format!(
        "services:\n  web:\n    image: {IMAGE}\n    init: true\n    command: sleep infinity\n  runner:\n    image: \
         {IMAGE}\n    init: true\n    command: sleep infinity\n    volumes: [\"./spec:/suite/spec:ro\"]\n"
    );
    write(&stage.folder().join("manifest/compose.yaml"), compose);
    let settings = "lanes = 1";
    let manifest = stage.manifest(&Manifest { compose: "compose.yaml", settings, ..Manifest::default() });
    let mut running = stage.shakedown(manifest).start();
    running.until("PLANNED");
    let run = running.run_id().expect("it was said");
    let network = format!("shakedown-{run}-1.1");
    let web = format!("{network}-web");
    let arguments: Vec<&str> =
        verb.iter().map(|word| if *word == "NETWORK" { network.as_str() } else { word }).collect();
    let done = Command::new("docker").args(arguments).arg(&web).stdout(Stdio::null()).status();
    assert!(done.expect("docker").success());
    let finished = running.finish().expect_code(0);
    let record = finished.record();
    assert_eq!(record.history.outcomes("takes a while"), ["environment broke", "passed"], "{}", finished.said);
    assert_eq!(broken(&record).cause, cause);
}

#[test]
fn a_service_that_somebody_else_kills_is_not_called_a_crash() {
    let stage = Stage::new("a_service_that_somebody_else_kills_is_not_called_a_crash");
    let cause = "web was sent signal 9 by somebody else and ended with exit code 137 while tests ran";
    meddle(&stage, &["kill"], cause);
}

#[test]
fn a_service_that_is_cut_off_from_its_network_is_told_as_such() {
    let stage = Stage::new("a_service_that_is_cut_off_from_its_network_is_told_as_such");
    let cause = "web was cut off from its network while tests ran";
    meddle(&stage, &["network", "disconnect", "--force", "NETWORK"], cause);
}

/// A registry that answers whether it is there, and then nothing more.
fn silent_registry() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("it has one").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut stream = stream;
                let mut asked = Vec::new();
                let mut buffer = [0; 4096];
                while let Ok(read) = stream.read(&mut buffer) {
                    if read == 0 {
                        return;
                    }
                    asked.extend_from_slice(&buffer[..read]);
                    if asked.starts_with(b"GET /v2/ ") && asked.ends_with(b"\r\n\r\n") {
                        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                        let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
                        asked.clear();
                    }
                }
            });
        }
    });
    port
}

#[test]
fn a_registry_that_does_not_answer_is_told_and_can_be_interrupted() {
    let stage = Stage::new("a_registry_that_does_not_answer_is_told_and_can_be_interrupted");
    let image = format!("localhost:{}/shop:1", silent_registry());
    let compose = format!("services:\n  runner:\n    image: {image}\n    command: sleep infinity\n");
    write(&stage.folder().join("manifest/compose.yaml"), compose);
    let manifest = stage.manifest(&Manifest { compose: "compose.yaml", ..Manifest::default() });
    let mut running = stage.shakedown(manifest).start();
    running.until("IMAGE runner: is being made ready");
    assert!(running.listen_for(Duration::from_secs(2)), "it does not wait for the registry");
    let interrupted = Instant::now();
    running.signal(Signal::SIGINT);
    let finished = running.finish().expect_code(130);
    assert!(interrupted.elapsed() < Duration::from_secs(5), "{:?}: {}", interrupted.elapsed(), finished.said);
}
