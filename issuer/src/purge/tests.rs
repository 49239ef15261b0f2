use super::*;
use crate::store::testing::TestDatabase;

/// Tables whose rows do not end by themselves.
const WITHOUT_A_LIFE: [&str; 5] =
    ["_sqlx_migrations", "issuer_state", "revocation_head", "server_keys", "users"];

/// For each table a row that is over in every way there is, and beside it one that is just not. The names say which.
const ROWS: &str = "
    INSERT INTO users (id, name, email, password_hash) VALUES ('00000000-0000-0000-0000-000000000001', 'a', 'a@b', 'x');
    INSERT INTO sessions (id, user_id, created_at, expires_at, greatest_exp, ended_at, ended_why)
    SELECT ('00000000-0000-0000-0000-0000000000' || id)::uuid, '00000000-0000-0000-0000-000000000001',
           now() - interval '1 year', now() + expires, extract(epoch FROM now() + exp), now() + ended,
           CASE WHEN ended IS NOT NULL THEN 'x' END
    FROM (VALUES ('10', interval '1 day', interval '-361 s', interval '-1 s'),
                 ('11', '-361 s', NULL, NULL),
                 ('12', '-1 day', '-361 s', NULL),
                 ('a0', '1 day', '-300 s', '-1 s'),
                 ('a1', '-300 s', NULL, NULL),
                 ('a2', '-1 day', '-300 s', NULL),
                 ('a3', '1 s', '-1 day', NULL),
                 ('a4', '1 day', '-10 days', NULL)) AS rows (id, expires, exp, ended);
    INSERT INTO refresh_tokens (token_hash, session_id)
    SELECT sha256(convert_to(id::text || number, 'UTF8')), id FROM sessions, generate_series(1, 3) AS number;
    INSERT INTO revocations (sequence, kind, name, ends_at)
    SELECT number, 'session', 'x', extract(epoch FROM now()) + ends
    FROM (VALUES (1, -2), (2, 60)) AS rows (number, ends);
    INSERT INTO users (id, name, email, password_hash) VALUES ('00000000-0000-0000-0000-000000000002', 'c', 'c@d', 'x');
    INSERT INTO password_links (token_hash, user_id, created_at, expires_at)
    SELECT sha256(name::bytea), user_id::uuid, now() - interval '1 day', now() + life
    FROM (VALUES ('over', '00000000-0000-0000-0000-000000000001', interval '-1 s'),
                 ('kept', '00000000-0000-0000-0000-000000000002', '60 s')) AS rows (name, user_id, life);
    INSERT INTO throttle (key, ends_at)
    SELECT sha256(name::bytea), now() + life
    FROM (VALUES ('over', interval '-1 s'), ('kept', '60 s')) AS rows (name, life);
    INSERT INTO signing_keys (kid, algorithm, public_key, created_at, retired_at)
    SELECT kid, 'EdDSA', sha256(kid::bytea), now() - interval '2 years', now() - make_interval(days => age)
    FROM (VALUES ('over', 401), ('kept', 399)) AS rows (kid, age);
    INSERT INTO feed_keys (kid, public_key, created_at, retired_at)
    SELECT kid, sha256(kid::bytea), now() - interval '2 years', now() - make_interval(days => age)
    FROM (VALUES ('over', 401), ('kept', 399)) AS rows (kid, age);
    INSERT INTO audit_events (event, outcome, actor, at)
    SELECT event, 'success', 'client', now() - make_interval(days => age)
    FROM (VALUES ('over', 31), ('kept', 29)) AS rows (event, age)";

const LEFT: &str = "
    SELECT 'session ' || right(id::text, 2) FROM sessions
    UNION ALL SELECT 'tokens ' || right(session_id::text, 2) || ' ' || count(*) FROM refresh_tokens GROUP BY session_id
    UNION ALL SELECT 'record ' || sequence FROM revocations
    UNION ALL SELECT 'link ' || (token_hash = sha256('kept'))::text FROM password_links
    UNION ALL SELECT 'throttle ' || (key = sha256('kept'))::text FROM throttle
    UNION ALL SELECT 'key ' || kid FROM signing_keys
    UNION ALL SELECT 'feed key ' || kid FROM feed_keys
    UNION ALL SELECT 'event ' || event FROM audit_events
    ORDER BY 1";

const KEPT: [&str; 16] = [
    "event kept",
    "feed key kept",
    "key kept",
    "link true",
    "record 2",
    "session a0",
    "session a1",
    "session a2",
    "session a3",
    "session a4",
    "throttle true",
    "tokens a0 3",
    "tokens a1 3",
    "tokens a2 3",
    "tokens a3 3",
    "tokens a4 3",
];

#[tokio::test]
async fn what_is_over_is_deleted_and_nothing_else() {
    let (_database, store) = TestDatabase::migrated().await;
    store.execute(ROWS).await;
    run(&store, 30).await.unwrap();
    assert_eq!(store.texts(LEFT).await, KEPT);
}

#[tokio::test]
async fn a_table_that_cannot_be_purged_is_named_and_hinders_no_other() {
    let (_database, store) = TestDatabase::migrated().await;
    store.execute(ROWS).await;
    store
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'nothing goes from %', TG_TABLE_NAME; END $$;
             CREATE TRIGGER no BEFORE DELETE ON revocations EXECUTE FUNCTION refuse();
             CREATE TRIGGER no BEFORE DELETE ON throttle EXECUTE FUNCTION refuse()",
        )
        .await;
    let Failure { table, cause } = run(&store, 30).await.unwrap_err();
    assert_eq!((table, cause.to_string().as_str()), ("revocations", "nothing goes from revocations"));
    let mut left = store.texts(LEFT).await;
    left.retain(|row| !KEPT.contains(&row.as_str()));
    assert_eq!(left, ["record 1", "throttle false"]);
}

#[tokio::test]
async fn replicas_that_purge_at_once_do_not_hinder_each_other() {
    let (_database, store) = TestDatabase::migrated().await;
    store.execute(ROWS).await;
    let runs: Vec<_> = (0..4)
        .map(|_| {
            tokio::spawn({
                let store = store.clone();
                async move { run(&store, 30).await }
            })
        })
        .collect();
    for run in runs {
        run.await.unwrap().unwrap();
    }
    run(&store, 30).await.unwrap();
    assert_eq!(store.texts(LEFT).await, KEPT);
}

#[tokio::test]
async fn one_statement_deletes_no_more_than_it_may() {
    let (_database, store) = TestDatabase::migrated().await;
    store.execute(ROWS).await;
    assert_eq!(store.purge(Purged::Sessions, 10).await.unwrap(), 0, "their tokens are there");
    for deleted in [4, 4, 1, 0] {
        assert_eq!(store.purge(Purged::RefreshTokens, 4).await.unwrap(), deleted);
    }
    for deleted in [2, 1, 0] {
        assert_eq!(store.purge(Purged::Sessions, 2).await.unwrap(), deleted);
    }
}

#[tokio::test]
async fn every_table_is_purged_or_has_rows_that_do_not_end() {
    let (_database, store) = TestDatabase::migrated().await;
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let mut known: Vec<&str> = all(30).into_iter().map(Purged::table).chain(WITHOUT_A_LIFE).collect();
    known.sort_unstable();
    assert_eq!(store.texts(tables).await, known);
}
