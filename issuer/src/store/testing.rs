//! A database for one test.

use std::str::FromStr;
use std::thread;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, Postgres};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Transaction};
use uuid::Uuid;

use super::{Client, Grant, Lives, Opening, Store, TokenIdentity, connect};
use crate::audit::{By, Kind};
use crate::refresh::RefreshToken;
use crate::settings::{DatabaseSettings, SessionSettings};

/// An own database, dropped with this. Tests run in parallel, each with its own.
pub(crate) struct TestDatabase {
    pub(crate) settings: DatabaseSettings,
    server: PgConnectOptions,
    name: String,
}

impl TestDatabase {
    /// An empty database.
    pub(crate) async fn empty() -> Self {
        Self::made_with("").await
    }

    /// An empty database that `CREATE DATABASE` makes with these options.
    pub(crate) async fn made_with(options: &str) -> Self {
        let url = std::env::var("BEARWARD_TEST_DATABASE_URL")
            .expect("set BEARWARD_TEST_DATABASE_URL, or run cargo xtask test");
        let server =
            PgConnectOptions::from_str(&url).expect("BEARWARD_TEST_DATABASE_URL is a PostgreSQL URL");
        let name = format!("bearward_test_{:016x}", crate::random::u64());
        let mut connection = PgConnection::connect_with(&server).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name} {options}")))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        let options = server.clone().database(&name);
        let settings = DatabaseSettings { options, connections: 4, wait: Duration::from_secs(5) };
        Self { settings, server, name }
    }

    /// A database with the schema, and the store on it.
    pub(crate) async fn migrated() -> (Self, Store) {
        let database = Self::empty().await;
        let store = connect::migrated(&database.settings).await.unwrap();
        (database, store)
    }
}

/// How long live the sessions of tests: 15 minutes, an hour without a refresh, a day in all.
pub(crate) const LIVES: Lives =
    Lives { access_seconds: 900, session: SessionSettings { seconds: 86_400, idle_seconds: 3600 } };

/// A client of whom nothing is known.
static NOBODY: Client = Client { address: None, user_agent: None, request_id: None };

/// Somebody who has not shown who he is.
pub(crate) fn somebody() -> By<'static> {
    By::client(&NOBODY)
}

/// A session whose refresh token nobody has.
pub(crate) fn opening(session_id: Uuid) -> Opening<'static> {
    let refresh_hash = RefreshToken::new().unwrap().hash();
    Opening { session_id, refresh_hash, lives: LIVES, kind: Kind::Login, client: &NOBODY }
}

/// What the token of this grant says that it is.
pub(crate) fn identity(grant: &Grant) -> TokenIdentity {
    TokenIdentity {
        user_id: grant.user.id,
        session_id: grant.session_id,
        user_version: grant.user_version.try_into().unwrap(),
        epoch: grant.epoch.try_into().unwrap(),
    }
}

impl Store {
    /// Does behind the back of the process what an operator or another replica could do.
    pub(crate) async fn execute(&self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(&self.pool).await.unwrap();
    }

    /// The number that a statement yields.
    pub(crate) async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar::<_, i64>(statement).fetch_one(&self.pool).await.unwrap()
    }

    /// The texts that a query yields.
    pub(crate) async fn texts(&self, query: &'static str) -> Vec<String> {
        sqlx::query_scalar::<_, String>(query).fetch_all(&self.pool).await.unwrap()
    }

    /// Puts a signing key as the first schema had them, made so many seconds ago.
    pub(crate) async fn insert_key_of_0001(&self, kid: &str, seed: &[u8], public_key: &[u8], age: f64) {
        let statement = "INSERT INTO signing_keys (kid, algorithm, private_key, public_key, created_at)
                         VALUES ($1, 'EdDSA', $2, $3, now() - make_interval(secs => $4))";
        let query = sqlx::query(statement).bind(kid).bind(seed).bind(public_key).bind(age);
        query.execute(&self.pool).await.unwrap();
    }

    /// A transaction in which this was executed, as another replica may have one open.
    pub(crate) async fn locked(&self, statement: &'static str) -> Transaction<'static, Postgres> {
        let mut transaction = self.pool.begin().await.unwrap();
        sqlx::raw_sql(statement).execute(&mut *transaction).await.unwrap();
        transaction
    }

    /// Takes every connection that requests share.
    pub(crate) async fn occupy(&self) -> Vec<PoolConnection<Postgres>> {
        let mut all = Vec::new();
        for _ in 0..self.pool.options().get_max_connections() {
            all.push(self.pool.acquire().await.unwrap());
        }
        all
    }
}

impl TestDatabase {
    /// Drops the database under whoever uses it.
    pub(crate) async fn drop_it(&self) {
        drop_database(&self.server, &self.name).await;
    }
}

async fn drop_database(server: &PgConnectOptions, name: &str) {
    let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    let mut connection = PgConnection::connect_with(server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A thread of its own: a runtime cannot be waited for from within another.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(drop_database(&server, &name));
        });
        let _ = dropping.join();
    }
}
