//! Both databases have the same schema, and take every statement.

use std::collections::BTreeSet;

use sqlx::{Executor, SqlSafeStr};

use super::pools::Pools;
use super::{Place, Store, sql};

#[path = "../../tests/store/server.rs"]
#[allow(dead_code, reason = "the tests of the store use more of it")]
mod server;

/// An empty history in each.
async fn both(folder: &std::path::Path) -> (Store, Store) {
    let file = Store::open(folder.join("history.db").as_path()).await.expect("opens");
    let server = server::Server::of_tests();
    let url = server.url("owner", &server.database().await);
    let place = Place::choose(Some(url.as_ref()), None, None, "".as_ref()).expect("an address");
    (file, Store::open(place).await.expect("opens"))
}

#[tokio::test]
async fn every_statement_fits_the_schema_of_both() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (file, server) = both(folder.path()).await;
    let (Pools::File { readers: file, .. }, Pools::Server { pool, .. }) = (&file.pools, &server.pools) else {
        panic!("{file:?} {server:?}");
    };
    let mut wrong = Vec::new();
    for (name, text) in sql::ALL {
        if let Err(error) = file.prepare(text.into_sql_str()).await {
            wrong.push(format!("{name} on SQLite: {error}"));
        }
    }
    for (name, text) in sql::ALL.iter().chain(sql::SERVER) {
        if let Err(error) = pool.prepare(text.into_sql_str()).await {
            wrong.push(format!("{name} on PostgreSQL: {error}"));
        }
    }
    assert!(sql::ALL.len() > 20, "{}", sql::ALL.len());
    assert_eq!(wrong, Vec::<String>::new());
}

/// Table, column, type, whether it must have a value, and its place in the primary key, from 1; 0 where it is not in it.
type Column = (String, String, String, bool, i64);
/// Table, column, and what it refers to.
type Reference = (String, String, String, String);
/// Index, the how-manieth of its columns from 0, and which.
type Indexed = (String, i64, String);

#[tokio::test]
async fn both_have_the_same_columns_keys_and_indexes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (file, server) = both(folder.path()).await;
    let (Pools::File { readers: file, .. }, Pools::Server { pool, .. }) = (&file.pools, &server.pools) else {
        panic!("{file:?} {server:?}");
    };

    let ours = "SELECT m.name, c.name, lower(c.type), c.\"notnull\" <> 0, c.pk
        FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\'";
    let ours: Vec<Column> = sqlx::query_as(ours).fetch_all(file).await.expect("reads");
    let theirs = "SELECT t.relname::text, a.attname::text, format_type(a.atttypid, NULL), a.attnotnull, COALESCE((
            SELECT array_position(string_to_array(i.indkey::text, ' '), a.attnum::text)
            FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary), 0)::bigint
        FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
        WHERE t.relnamespace = 'public'::regnamespace AND t.relkind = 'r' AND t.relname <> '_sqlx_migrations'";
    let theirs: Vec<Column> = sqlx::query_as(theirs).fetch_all(pool).await.expect("reads");
    assert!(ours.len() > 60, "{ours:#?}");
    assert_eq!(BTreeSet::from_iter(ours), BTreeSet::from_iter(theirs));

    let ours = "SELECT m.name, f.\"from\", f.\"table\", f.\"to\"
        FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
    let ours: Vec<Reference> = sqlx::query_as(ours).fetch_all(file).await.expect("reads");
    let theirs = "SELECT c.conrelid::regclass::text, a.attname::text, c.confrelid::regclass::text, b.attname::text
        FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS k (one, other)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.one
        JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.other
        WHERE c.contype = 'f'";
    let theirs: Vec<Reference> = sqlx::query_as(theirs).fetch_all(pool).await.expect("reads");
    assert!(ours.len() > 5, "{ours:#?}");
    assert_eq!(BTreeSet::from_iter(ours), BTreeSet::from_iter(theirs));

    let ours = "SELECT m.name, i.seqno, i.name
        FROM sqlite_master m JOIN pragma_index_info(m.name) i WHERE m.type = 'index' AND m.sql IS NOT NULL";
    let ours: Vec<Indexed> = sqlx::query_as(ours).fetch_all(file).await.expect("reads");
    let theirs = "SELECT t.relname::text, n::bigint, pg_get_indexdef(i.indexrelid, n + 1, true)
        FROM pg_index i JOIN pg_class t ON t.oid = i.indexrelid
        CROSS JOIN LATERAL generate_series(0, i.indnatts - 1) n
        WHERE t.relnamespace = 'public'::regnamespace AND NOT i.indisprimary";
    let theirs: Vec<Indexed> = sqlx::query_as(theirs).fetch_all(pool).await.expect("reads");
    assert!(ours.len() > 15, "{ours:#?}");
    assert_eq!(BTreeSet::from_iter(ours), BTreeSet::from_iter(theirs));
}
