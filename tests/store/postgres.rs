//! What is of servers alone: what is said of those that can't keep a history, and that one that is away is told.

use std::time::Duration;

use shakedown::event::{RunEvent, RunHeader};
use shakedown::store::{Store, StoreError};
use shakedown::verdict::Outcome;
use sqlx::{Connection as _, PgConnection};

use crate::script::*;
use crate::server::Server;

/// Long enough for a server under load, short enough where it is meant to pass.
const PATIENCE: Duration = Duration::from_secs(20);

async fn refused(url: &str) -> StoreError {
    Store::open_with_patience(server_place(url), PATIENCE).await.expect_err("must be refused")
}

/// A history on the tests' server, which was made and closed. Returns the database.
async fn closed() -> (&'static Server, String) {
    let server = Server::of_tests();
    let database = server.database().await;
    open(server_place(&server.url("owner", &database))).await.close().await;
    (server, database)
}

#[tokio::test]
async fn a_server_that_is_not_there_can_not_be_reached() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let error = refused(&format!("postgres://ann:s3cret@127.0.0.1:{port}/history")).await;
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    let message = error.to_string();
    let start =
        format!("can't open the history postgres://ann@127.0.0.1:{port}/history: the server can't be reached: ");
    assert!(message.starts_with(&start), "{message}");
    assert!(message.contains("Connection refused") && !message.contains("s3cret"), "{message}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_waited_for_no_longer_than_was_asked() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("postgres://ann@{}/history", listener.local_addr().expect("an address"));
    let opened = Store::open_with_patience(server_place(&url), Duration::from_millis(100)).await;
    let error = opened.expect_err("nobody answers");
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("it did not answer within 0.1 s"), "{error}");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_refused_and_the_right_one_is_not() {
    let server = Server::of_tests();
    let database = server.database().await;
    server
        .execute(&database, &format!("CREATE ROLE locked LOGIN PASSWORD 'right'; ALTER DATABASE {database} OWNER TO locked; ALTER SCHEMA public OWNER TO locked"))
        .await;
    let error = refused(&server.url("locked:wr0ng", &database)).await;
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    assert!(
        error.to_string().contains("password authentication failed for user \"locked\", SQLSTATE 28P01"),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("wr0ng"), "{error:?}");
    let error = refused(&server.url("nobody_knows", &database)).await;
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    open(server_place(&server.url("locked:right", &database))).await.close().await;
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named_with_how_to_make_it() {
    let server = Server::of_tests();
    let error = refused(&server.url("owner", "gone")).await;
    assert!(matches!(error, StoreError::NoDatabase { .. }), "{error:?}");
    assert!(error.to_string().ends_with("has no database gone. Create it (createdb gone), or name another"), "{error}");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let server = Server::of_tests();
    let database = server.database().await;
    server.execute(&database, "CREATE TABLE customers (id INTEGER)").await;
    let error = refused(&server.url("owner", &database)).await;
    assert!(matches!(error, StoreError::ForeignDatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("it has a table customers"), "{error}");
    let mut connection = PgConnection::connect(&server.url("owner", &database)).await.expect("connects");
    let tables: Vec<(String,)> = sqlx::query_as("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
        .fetch_all(&mut connection)
        .await
        .expect("reads");
    assert_eq!(tables, [("customers".to_owned(),)]);
}

#[tokio::test]
async fn a_database_that_takes_no_changes_is_said_to_be_so() {
    let (server, database) = closed().await;
    server.execute("postgres", &format!("ALTER DATABASE {database} SET default_transaction_read_only = on")).await;
    let error = refused(&server.url("owner", &database)).await;
    assert!(matches!(error, StoreError::MayNotWrite { .. }), "{error:?}");
    assert!(error.to_string().contains("the server takes no changes"), "{error}");
}

#[tokio::test]
async fn a_user_without_rights_is_told_before_anything_runs() {
    let (server, database) = closed().await;
    server.execute(&database, "CREATE ROLE guest LOGIN; GRANT SELECT ON _sqlx_migrations, runs TO guest").await;
    let error = refused(&server.url("guest", &database)).await;
    assert!(matches!(error, StoreError::MayNotWrite { .. }), "{error:?}");
    assert!(error.to_string().contains("it may not read, insert and update rows of table "), "{error}");

    // An empty database, in which the tables can't be made.
    let empty = server.database().await;
    let error = refused(&server.url("guest", &empty)).await;
    assert!(matches!(error, StoreError::MayNotWrite { .. }), "{error:?}");
    assert!(error.to_string().contains("permission denied for schema public, SQLSTATE 42501"), "{error}");

    // Who has the rights needs none to change the schema.
    server.execute(&database, "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO guest").await;
    let store = open(server_place(&server.url("guest", &database))).await;
    begin(&store, &run_id(1), "shop", 2).await;
    store.close().await;
}

#[tokio::test]
async fn a_schema_from_the_future_or_of_an_unreleased_build_is_refused() {
    let (server, database) = closed().await;
    server.execute(&database, "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 2").await;
    let error = refused(&server.url("owner", &database)).await;
    assert!(matches!(error, StoreError::OtherSchema { version: 2, .. }), "{error:?}");
    server
        .execute(&database, "INSERT INTO _sqlx_migrations SELECT 9000, 'x', installed_on, true, '\\x00', 0 FROM _sqlx_migrations WHERE version = 1")
        .await;
    let error = refused(&server.url("owner", &database)).await;
    assert!(matches!(error, StoreError::Newer { found: 9000, .. }), "{error:?}");
}

#[tokio::test]
async fn a_schema_that_is_being_changed_is_waited_for_and_then_said_to_be_held() {
    let server = Server::of_tests();
    let database = server.database().await;
    let url = server.url("owner", &database);
    let mut other = PgConnection::connect(&url).await.expect("connects");
    // Whatever the lock's number is: the catalogue is held, so that no table can be made.
    sqlx::raw_sql("BEGIN; LOCK TABLE pg_class IN SHARE MODE").execute(&mut other).await.expect("holds it");
    let opened = Store::open_with_patience(server_place(&url), Duration::from_millis(300)).await;
    let error = opened.expect_err("held");
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.expect("gives it back");
    open(server_place(&url)).await.close().await;
}

#[tokio::test]
async fn a_database_without_a_history_is_looked_at_without_making_one() {
    let server = Server::of_tests();
    let place = server_place(&server.url("owner", &server.database().await));
    assert!(Store::open_existing(&place).await.expect("looks").is_none());
    assert!(Store::open_existing(&place).await.expect("looks").is_none(), "the first look made one");
    open(&place).await.close().await;
    assert!(Store::open_existing(&place).await.expect("looks").is_some());
}

#[tokio::test]
async fn a_run_that_another_machine_records_is_alive_whatever_its_owners_name_says_here() {
    let History { store, place, folder: _folder } = history(Kind::Postgres).await;
    let header = RunHeader { owner: "ci/boot/1/1".into(), ..header(run_id(1), "shop") };
    record_all(&store, &[RunEvent::RunStarted { at: at(0), header }]).await;
    // This host has the other's name, and knows nothing of such a process.
    let here = open(&place).await;
    assert_eq!(here.mark_dead_runs(&|_| false).await.expect("looks"), []);
    assert_eq!(here.run(&run_id(1)).await.expect("reads").expect("is there").verdict, None);
    // Its process dies, without a word.
    drop(store);
    assert_eq!(here.mark_dead_runs(&|_| false).await.expect("marks"), [run_id(1)]);
}

#[tokio::test]
async fn a_server_that_goes_away_in_the_middle_of_a_run_is_told() {
    let server = Server::start();
    let place = server_place(&server.url("owner", &server.database().await));
    let store = Store::open_with_patience(&place, Duration::from_secs(2)).await.expect("opens");
    begin(&store, &run_id(1), "shop", 2).await;
    server.stop();
    let ended = RunEvent::AttemptEnded(attempt(test_id(0), 1, Outcome::Passed));
    let error = store.record(&ended).await.expect_err("nobody is there");
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    assert!(
        error.to_string().starts_with("can't record an attempt in the history postgres://owner@127.0.0.1:"),
        "{error}"
    );
}

#[tokio::test]
async fn text_is_ordered_by_its_bytes_whatever_the_databases_language() {
    let (server, database) = closed().await;
    let mut connection = PgConnection::connect(&server.url("owner", &database)).await.expect("connects");
    let other: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'
            AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'",
    )
    .fetch_all(&mut connection)
    .await
    .expect("reads");
    assert_eq!(other, []);
}
