//! Who may administer, asked once more under the lock that all of administration takes.

use sqlx::{PgConnection, Postgres, Transaction};

use super::{AdministrationError, Refused};
use crate::audit::Actor;
use crate::store::Store;

/// The advisory lock of administration: `bw-admin` in ASCII, a number that nobody else takes by chance.
const LOCK: i64 = 0x6277_2d61_646d_696e;

/// What an operator does may take so long: a user of years has very many sessions, whose end or deletion is one statement,
/// and a command line that gives up at the 5 seconds of a request could never do it. Not longer: other administrators wait.
const OPERATORS_TIMEOUT: &str = "SET LOCAL statement_timeout = '1min'";

impl Store {
    /// Begins: nobody else administers until the end of the transaction, and who asks is an administrator at this moment,
    /// whatever he was when his token was looked at.
    pub(in crate::store) async fn administer(
        &self,
        actor: Actor,
    ) -> Result<Transaction<'static, Postgres>, AdministrationError> {
        let mut transaction = self.pool.begin().await?;
        if actor == Actor::Operator {
            sqlx::raw_sql(OPERATORS_TIMEOUT).execute(&mut *transaction).await?;
        }
        sqlx::query!("SELECT pg_advisory_xact_lock($1)", LOCK).execute(&mut *transaction).await?;
        if may(&mut transaction, actor).await? {
            Ok(transaction)
        } else {
            Err(Refused::NotAdministrator.into())
        }
    }
}

async fn may(connection: &mut PgConnection, actor: Actor) -> Result<bool, sqlx::Error> {
    let id = match actor {
        Actor::Operator => return Ok(true),
        Actor::Client | Actor::Issuer => return Ok(false),
        Actor::User(id) => id,
    };
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM users WHERE id = $1 AND 'admin' = ANY (roles) AND disabled_at IS NULL)
                       AS "may!""#,
        id
    )
    .fetch_one(connection)
    .await
}
