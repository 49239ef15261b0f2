//! What ends tokens by what they name, and not by what happened to a user.

use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use super::AdministrationError;
use crate::audit::{By, Event, Kind};
use crate::store::audit::insert;
use crate::store::forks::raise_epoch;
use crate::store::revocations::{Record, commit_with};
use crate::store::{Store, feed_keys};

impl Store {
    /// Ends a session, whosever it is. `false`: there is none that could be ended.
    ///
    /// # Errors
    /// [`Refused::NotAdministrator`](super::Refused), and the database's.
    pub(crate) async fn revoke_session(
        &self,
        session_id: Uuid,
        by: By<'_>,
    ) -> Result<bool, AdministrationError> {
        let owner = sqlx::query_scalar!("SELECT user_id FROM sessions WHERE id = $1", session_id);
        match owner.fetch_optional(&self.pool).await? {
            Some(user_id) => self.end_session_of_user(user_id, session_id, by).await,
            None => Ok(false),
        }
    }

    /// Has everybody refuse whatever this key signed, for good. Written down whoever's key it is: a thief may have it, and an
    /// issuer that is not this one may have had it. A key of the feed signs no more.
    ///
    /// # Errors
    /// [`Refused::NotAdministrator`](super::Refused), and the database's.
    pub(crate) async fn revoke_key(&self, kid: &str, by: By<'_>) -> Result<(), AdministrationError> {
        let event = by.did(Kind::Revocation).because("key");
        self.noting(&event, async {
            let transaction = self.administer(by.actor).await?;
            self.commit_key(transaction, kid, &event).await
        })
        .await
    }

    async fn commit_key(
        &self,
        mut transaction: Transaction<'_, Postgres>,
        kid: &str,
        event: &Event<'_>,
    ) -> Result<(), AdministrationError> {
        feed_keys::revoke(&mut transaction, kid).await?;
        insert(&mut *transaction, event).await?;
        commit_with(transaction, &[Record::Key { kid }]).await?;
        self.tell(event);
        Ok(())
    }

    /// Ends all tokens of everybody, and unless `keep_sessions` all sessions, too.
    ///
    /// # Errors
    /// [`Refused::NotAdministrator`](super::Refused), and the database's.
    pub(crate) async fn revoke_all(
        &self,
        keep_sessions: bool,
        by: By<'_>,
    ) -> Result<(), AdministrationError> {
        let event = by.did(Kind::Revocation).because(if keep_sessions { "all_tokens" } else { "all" });
        self.noting(&event, async {
            let mut transaction = self.administer(by.actor).await?;
            let raised = raise_epoch(&mut transaction, !keep_sessions).await?;
            insert(&mut *transaction, &event).await?;
            commit_with(transaction, &[raised]).await?;
            self.tell(&event);
            Ok(())
        })
        .await
    }
}
