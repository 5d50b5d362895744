//! Runs whose history is in a PostgreSQL database, as a team's machines share one.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use shakedown::store::Place;

use crate::guard::{assert_gone_soon, guard_of};
use crate::outcome::History;
use crate::patience::comes_true;
use crate::program::Finished;
use crate::stage::Stage;

#[path = "../store/server.rs"]
#[allow(dead_code, reason = "the tests of the store use more of it")]
mod server;

const PASSWORD: &str = "s3cret-of-the-history";

/// A server, and the address of an empty database on it that a user with a password owns.
fn server() -> (server::Server, String) {
    let server = server::Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let database = runtime.block_on(async {
        let database = server.database().await;
        let owner = format!(
            "CREATE ROLE locked LOGIN PASSWORD '{PASSWORD}'; ALTER DATABASE {database} OWNER TO locked;
             ALTER SCHEMA public OWNER TO locked"
        );
        server.execute(&database, &owner).await;
        database
    });
    let url = server.url(&format!("locked:{PASSWORD}"), &database);
    (server, url)
}

fn read(url: &str, run: &str) -> History {
    let place = Place::choose(Some(Path::new(url)), None, None, Path::new("")).expect("an address");
    History::read_at(place, run)
}

/// Neither what the run said nor any file that it wrote has the password.
#[track_caller]
fn assert_password_is_nowhere(finished: &Finished) {
    assert!(!finished.said.contains(PASSWORD), "{}", finished.said);
    let found = std::process::Command::new("grep").args(["-rl", PASSWORD]).arg(&finished.reports).output();
    let found = found.expect("grep is there");
    assert!(found.stdout.is_empty(), "{}", String::from_utf8_lossy(&found.stdout));
}

#[test]
fn a_run_is_kept_on_the_server_that_the_variable_names() {
    let stage = Stage::new("a_run_is_kept_on_the_server_that_the_variable_names");
    let (server, url) = server();
    let invocation = || stage.tiny_part(&["spec/value_spec.rb"]).env("DATABASE_URL", &url);
    for _ in 0..2 {
        let finished = invocation().run().expect_code(0);
        let history = read(&url, &finished.run_id().expect("said"));
        assert_eq!(history.run.verdict.as_deref(), Some("passed"));
        assert!(!history.attempts.is_empty());
        assert!(!finished.reports.join("history.db").exists());
        assert_password_is_nowhere(&finished);
    }
    // The command line is above the variable.
    let file = stage.folder().join("other.db");
    let finished = invocation().with(&format!("--database {}", file.display())).run().expect_code(0);
    assert!(file.exists());
    assert_password_is_nowhere(&finished);
    server.stop();
    let refused = invocation().run().expect_code(2);
    assert!(refused.said.contains("the server can't be reached: Connection refused"), "{}", refused.said);
    assert_password_is_nowhere(&refused);
}

#[test]
fn a_killed_run_is_marked_on_the_server_and_its_guard_shows_nobody_the_password() {
    let stage = Stage::new("a_killed_run_is_marked_on_the_server_and_its_guard_shows_nobody_the_password");
    let (_server, url) = server();
    let mut running = stage.tiny().faults("slow").env("DATABASE_URL", &url).start();
    running.until(" PASSED [");
    let run = running.run_id().expect("it has said it");
    let guard = guard_of(&run).expect("a guard");
    let line = std::fs::read(format!("/proc/{guard}/cmdline")).expect("it runs");
    assert!(!String::from_utf8_lossy(&line).contains(PASSWORD), "anyone on this host can read it");
    running.signal(Signal::SIGKILL);
    let killed = running.finish();
    assert_gone_soon(&run);
    assert!(comes_true(Duration::from_secs(15), || read(&url, &run).run.verdict.is_some()), "it is not marked");
    let row = read(&url, &run).run;
    assert_eq!((row.verdict.as_deref(), row.reason.as_deref()), (Some("incomplete"), Some("its process died")));
    assert_password_is_nowhere(&killed);
}

#[test]
fn a_server_that_goes_away_in_the_midst_of_a_run_ends_it_and_nothing_is_left() {
    let stage = Stage::new("a_server_that_goes_away_in_the_midst_of_a_run_ends_it_and_nothing_is_left");
    let (server, url) = server();
    let mut running = stage.tiny().faults("slow").env("DATABASE_URL", &url).start();
    running.until(" PASSED [");
    server.stop();
    let finished = running.finish().expect_code(5);
    assert!(finished.said.contains("the server can't be reached"), "{}", finished.said);
    assert_password_is_nowhere(&finished);
}
