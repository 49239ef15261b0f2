//! The schema grows under data that is there, and under the release that still runs.
//!
//! `migrations/NNNN.sql` holds rows as a release with migration NNNN leaves them. They are put there by migration and
//! rows in turn, up to each version, and then the program that ships takes over.

mod rule;

use std::fs;
use std::path::{Path, PathBuf};

use bearward_tests::client::Request;
use bearward_tests::harness::database::{TestDatabase, migrate, run, texts};
use bearward_tests::harness::{Issuer, database_server};
use bearward_tests::note::note;
use bearward_tests::token::{Key, header, now, sign};
use serde_json::{Value, json};
use xtask::directory::TemporaryDirectory;
use xtask::stack::{AUDIENCE, ISSUER};
use xtask::workspace;

/// The key of `migrations/0001.sql`.
const KID: &str = "--6IM5l0OosLj9yWskISYhUA3n_3CURQkmrYMSha_ck";
const SEED: [u8; 32] = [7; 32];
const PRIYA: &str = "00000000-0000-4000-8000-000000000001";
const PRIYAS_SESSION: &str = "00000000-0000-4000-8000-000000000011";
const SESSION_OF_GONE: &str = "00000000-0000-4000-8000-000000000013";
const GONE: &str = "00000000-0000-4000-8000-000000000003";
const CHEFS_SESSION: &str = "00000000-0000-4000-8000-000000000021";
/// The refresh tokens of `migrations/0002.sql`.
const USED: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";
const UNUSED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
const OF_ENDED: &str = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";
/// The one-time link of `migrations/0006.sql`.
const LINK: &str = "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ";

/// A migration of the issuer.
struct Migration {
    version: usize,
    file: PathBuf,
}

/// All, in their order.
fn migrations() -> Vec<Migration> {
    let folder = workspace::root().join("issuer/migrations");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let version = |file: &Path| file.file_name()?.to_str()?.split('_').next()?.parse().ok();
    let named = |file: PathBuf| Migration { version: version(&file).expect("NNNN_name.sql"), file };
    files.into_iter().map(named).collect()
}

/// A database as the release of `last` leaves it.
fn database_of(last: &Migration) -> TestDatabase {
    let database = TestDatabase::create(&database_server());
    let so_far = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
    for migration in migrations().iter().filter(|migration| migration.version <= last.version) {
        let name = migration.file.file_name().unwrap();
        fs::copy(&migration.file, so_far.path().join(name)).unwrap();
        migrate(&database.url(), so_far.path()).unwrap();
        match fs::read_to_string(rows_of(migration)) {
            Ok(rows) => run(&database.url(), &rows).unwrap_or_else(|why| panic!("{name:?}: {why}")),
            Err(_) => note(&format!("migrations: there are no rows of {:04} to migrate", migration.version)),
        }
    }
    database
}

fn rows_of(migration: &Migration) -> PathBuf {
    workspace::root().join(format!("tests/acceptance/migrations/{:04}.sql", migration.version))
}

fn token(user: &str, session: &str, user_version: u64) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": [AUDIENCE], "sub": user, "sid": session, "jti": "j", "roles": ["customer"],
        "iat": now() - 60, "exp": now() + 600, "user_version": user_version, "epoch": 1,
    });
    sign(&json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": KID }), &claims, &Key::Ed25519(SEED))
}

/// What held of the data of every release from `version` on.
fn serves_on(issuer: &Issuer, database_url: &str, version: usize) {
    let url = issuer.url();
    let login = |email: &str| {
        Request::post("/api/auth/login", &json!({ "email": email, "password": "mypassword123" })).send(url)
    };
    let me = |token: &str| Request::get("/api/auth/me").bearer(token).send(url);
    let refresh =
        |token: &str| Request::post("/api/auth/refresh", &json!({ "refreshToken": token })).send(url);

    let answer = login("priya@example.com");
    assert_eq!(answer.status, 200, "a user of 0001 logs in: {}", answer.text());
    let session = answer.json();
    assert_eq!(session["user"]["id"], PRIYA);
    assert_eq!(login("chef@example.com").json()["user"]["role"], "admin");
    assert_eq!(login("gone@example.com").status, 401);
    let kid = header(session["accessToken"].as_str().unwrap())["kid"].clone();
    assert_eq!(kid, KID, "the key of 0001 signs on");
    let set = Request::get("/.well-known/jwks.json").send(url).json();
    let kids: Vec<_> = set["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(kids, [Value::from(KID)]);

    let of_0001 = token(PRIYA, PRIYAS_SESSION, 3);
    assert_eq!(me(&of_0001).status, 200, "a session of 0001 counts");
    assert_eq!(me(&token(PRIYA, PRIYAS_SESSION, 2)).status, 401, "a token from before a change does not");
    assert_eq!(me(&token(GONE, SESSION_OF_GONE, 2)).status, 401, "nor one of who is disabled");
    let listed = Request::get("/api/auth/sessions").bearer(&of_0001).send(url).json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 2, "{listed}");
    let last_sequence = "SELECT sequence::text FROM revocation_head";
    let before: i64 = texts(database_url, last_sequence).unwrap()[0].parse().unwrap();
    assert_eq!(Request::new("POST", "/api/auth/logout").bearer(&of_0001).send(url).status, 204);
    assert_eq!(me(&of_0001).status, 401);
    // Its one token may live as long as the session, and so does the record.
    let record = "SELECT sequence || ' ' || (ends_at > extract(epoch FROM expires_at)) FROM revocations
                  JOIN sessions ON sessions.id::text = name WHERE name = '00000000-0000-4000-8000-000000000011'";
    assert_eq!(texts(database_url, record).unwrap(), [format!("{} true", before + 1)]);

    if version >= 2 {
        assert_eq!(before, 1, "the numbers of records go on");
        let answer = refresh(UNUSED);
        assert_eq!(answer.status, 200, "a refresh token of 0002 goes on: {}", answer.text());
        assert_eq!(refresh(OF_ENDED).status, 401);
        assert_eq!(refresh(USED).status, 401, "one that was used is a theft");
        let why = "SELECT ended_why FROM sessions WHERE id = '00000000-0000-4000-8000-000000000021'";
        assert_eq!(texts(database_url, why).unwrap(), ["refresh_token_reused"], "{CHEFS_SESSION}");
    }
    if version >= 6 {
        let body = json!({ "token": LINK, "newPassword": "correct horse battery" });
        let answer = Request::post("/api/auth/password/link", &body).send(url);
        assert_eq!(answer.status, 400, "a link whose maker nobody wrote down: {}", answer.text());
        assert!(answer.text().contains("Invalid or expired link"), "{}", answer.text());
    }
}

#[test]
fn the_data_of_every_release_serves_on_after_the_migration_to_this_one() {
    let all = migrations();
    std::thread::scope(|scope| {
        for last in &all {
            scope.spawn(|| {
                let database = database_of(last);
                for _ in 0..2 {
                    let migrated = Issuer::command_says(&database.url(), &["migrate"]);
                    assert!(migrated.contains("the schema is up to date"), "{migrated}");
                }
                let versions = "SELECT version::text FROM _sqlx_migrations WHERE success";
                assert_eq!(texts(&database.url(), versions).unwrap().len(), all.len());
                let issuer = Issuer::start(&database.url(), &[("BEARWARD_LOGIN_DEADLINE_MS", "100")]);
                serves_on(&issuer, &database.url(), last.version);
            });
        }
    });
}

#[test]
fn rows_of_a_release_fill_every_table_that_it_has() {
    let with_rows: Vec<_> =
        migrations().into_iter().filter(|migration| rows_of(migration).is_file()).collect();
    let database = database_of(with_rows.last().unwrap());
    let of = |query: &str| texts(&database.url(), query).unwrap();
    let tables = of(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    );
    // Of migrations that have rows: `database_of` says which have none.
    let known: String = with_rows.iter().map(|of| fs::read_to_string(&of.file).unwrap()).collect();
    let known: Vec<_> =
        tables.iter().filter(|table| known.contains(&format!("CREATE TABLE {table} "))).collect();
    assert!(known.len() > 5, "{known:?}");
    for table in known {
        assert_ne!(of(&format!("SELECT count(*)::text FROM {table}")), ["0"], "no row in {table}");
    }
}

#[test]
fn every_migration_only_expands_unless_it_says_what_it_contracts() {
    for migration in migrations() {
        let text = fs::read_to_string(&migration.file).unwrap();
        assert_eq!(rule::broken(&text), Vec::<String>::new(), "in {}", migration.file.display());
    }
}

#[test]
fn versions_are_numbered_without_a_gap() {
    let versions: Vec<_> = migrations().iter().map(|migration| migration.version).collect();
    assert!(versions.is_sorted() && versions.first() == Some(&1), "{versions:?}");
    assert!(versions.windows(2).all(|pair| pair[0] < pair[1]), "two have one number: {versions:?}");
}
