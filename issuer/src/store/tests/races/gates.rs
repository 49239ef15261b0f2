//! Places where a connection stops until the test lets it go on.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::task::JoinHandle;

use super::*;
use crate::refresh::SuccessorKey;

/// Every gate, by the trigger that makes it: when, what, on which table, and for each what.
pub(super) const ALL: [&str; 24] = [
    "before_update_users_statement",
    "after_update_users_statement",
    "before_delete_users_statement",
    "after_delete_users_statement",
    "before_delete_password_links_statement",
    "after_delete_password_links_statement",
    "before_insert_sessions_statement",
    "before_insert_sessions_row",
    "after_insert_sessions_statement",
    "before_update_sessions_statement",
    "after_update_sessions_row",
    "after_update_sessions_statement",
    "before_insert_refresh_tokens_statement",
    "before_insert_refresh_tokens_row",
    "after_insert_refresh_tokens_statement",
    "before_update_refresh_tokens_statement",
    "after_update_refresh_tokens_row",
    "after_update_refresh_tokens_statement",
    "before_insert_revocations_statement",
    "before_insert_revocations_row",
    "after_insert_revocations_statement",
    "before_update_revocation_head_statement",
    "after_update_revocation_head_row",
    "after_update_revocation_head_statement",
];

/// The name under which the other one connects.
const OTHER: &str = "other";

/// How long a test looks at a connection that neither ends nor waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database with gates, all of them closed, and connections through them.
pub(super) struct Gates {
    database: TestDatabase,
    /// Stops nowhere.
    pub(super) open: Store,
    /// Stops nowhere, and can be told apart.
    pub(super) other: Store,
    pub(super) key: Arc<SuccessorKey>,
    /// Holds the lock that all gates wait for.
    keeper: PgConnection,
}

impl Gates {
    pub(super) async fn new() -> Self {
        let (database, open) = TestDatabase::migrated().await;
        let key = Arc::new(open.successor_key(&SuccessorKey::new().unwrap()).await.unwrap());
        // A connection stops where it is called like the trigger. The locks of the statement itself keep their timeout.
        open.execute(
            "CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
             BEGIN
               IF current_setting('application_name') = TG_NAME THEN
                 PERFORM pg_advisory_xact_lock(1);
               END IF;
               RETURN NEW;
             END $$",
        )
        .await;
        for gate in ALL {
            let (when, rest) = gate.split_once('_').unwrap();
            let (what, rest) = rest.split_once('_').unwrap();
            let (table, each) = rest.rsplit_once('_').unwrap();
            let trigger = format!(
                "CREATE TRIGGER {gate} {when} {what} ON {table} FOR EACH {each} EXECUTE FUNCTION gate()"
            );
            sqlx::raw_sql(AssertSqlSafe(trigger)).execute(&open.pool).await.unwrap();
        }
        let mut keeper = PgConnection::connect_with(&database.settings.options).await.unwrap();
        close(&mut keeper).await;
        let other = named(&database, OTHER);
        Self { database, open, other, key, keeper }
    }

    /// Connections that stop at this gate.
    pub(super) fn store(&self, gate: &str) -> Store {
        named(&self.database, gate)
    }

    /// Waits until whoever runs stops at its gate. `false`: it came to its end without.
    pub(super) async fn stops<T>(&mut self, running: &JoinHandle<T>) -> bool {
        self.until(
            running,
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
                             WHERE datname = current_database() AND locktype = 'advisory' AND objid = 1 AND NOT granted)",
        )
        .await
    }

    /// Waits until the other one waits for a lock, or has come to its end.
    pub(super) async fn settles<T>(&mut self, running: &JoinHandle<T>) {
        self.until(
            running,
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                             AND application_name = 'other' AND wait_event_type = 'Lock')",
        )
        .await;
    }

    /// Lets whoever stopped go on to its end. A second transaction may stop once more: the other goes on meanwhile.
    pub(super) async fn finish<T>(&mut self, stopped: JoinHandle<T>) -> T {
        loop {
            sqlx::raw_sql("SELECT pg_advisory_unlock(1)").execute(&mut self.keeper).await.unwrap();
            // Granted in the order of asking, so after the one that stopped.
            close(&mut self.keeper).await;
            if !self.stops(&stopped).await {
                return stopped.await.unwrap();
            }
        }
    }

    async fn until<T>(&mut self, running: &JoinHandle<T>, condition: &'static str) -> bool {
        let looking = async {
            while !running.is_finished() {
                if sqlx::query_scalar::<_, bool>(condition).fetch_one(&mut self.keeper).await.unwrap() {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            false
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("it neither ends nor waits")
    }

    /// That records are numbered without a gap, up to the head.
    pub(super) async fn assert_gapless(&self) {
        let (count, newest, head) = sqlx::query_as::<_, (i64, i64, i64)>(
            "SELECT count(*), max(revocations.sequence), (SELECT sequence FROM revocation_head) FROM revocations",
        )
        .fetch_one(&self.open.pool)
        .await
        .unwrap();
        assert_eq!((count, newest), (head, head));
    }
}

async fn close(keeper: &mut PgConnection) {
    sqlx::raw_sql("SELECT pg_advisory_lock(1)").execute(keeper).await.unwrap();
}

fn named(database: &TestDatabase, name: &str) -> Store {
    let mut settings = database.settings.clone();
    settings.options = settings.options.application_name(name);
    connect::pool(&settings)
}
