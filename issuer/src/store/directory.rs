//! Users as administrators see them.

use uuid::Uuid;

use super::{Store, StoreError};
use crate::hashing::NO_PASSWORD;

/// An account. Times in the form of RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) roles: Vec<String>,
    /// `false`: the user has not chosen a password yet, or lost it by a promotion.
    pub(crate) has_password: bool,
    pub(crate) disabled_at: Option<String>,
    pub(crate) created_at: String,
    /// Where it stands in the list.
    pub(crate) created_micros: i64,
}

/// A place in the list: all accounts up to this one were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Microseconds since the epoch, the grain of the database.
    pub(crate) created_micros: i64,
    pub(crate) id: Uuid,
}

/// A part of the list.
#[derive(Debug)]
pub(crate) struct AccountsPage {
    pub(crate) accounts: Vec<Account>,
    /// Where the next part begins; `None` at the end.
    pub(crate) next: Option<Place>,
}

impl Account {
    fn place(&self) -> Place {
        Place { created_micros: self.created_micros, id: self.id }
    }
}

impl Store {
    /// The accounts after this place, oldest first: who comes meanwhile moves nobody. He stands at the end, or a little before
    /// it, because an account is as old as the transaction that makes it: whoever reads on past his place before that is
    /// committed finds him only from the beginning again.
    pub(crate) async fn list_accounts(
        &self,
        after: Option<Place>,
        limit: u32,
    ) -> Result<AccountsPage, StoreError> {
        let mut accounts = sqlx::query_as!(
            Account,
            r#"SELECT id, name, email, roles, password_hash <> $4 AS "has_password!",
                      to_char(disabled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS disabled_at,
                      to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "created_at!",
                      (extract(epoch FROM created_at) * 1000000)::bigint AS "created_micros!"
               FROM users
               WHERE (created_at, id) > (COALESCE('epoch'::timestamptz + $1::bigint * interval '1 microsecond',
                                                  '-infinity'), COALESCE($2, '00000000-0000-0000-0000-000000000000'::uuid))
               ORDER BY users.created_at, id
               LIMIT $3"#,
            after.map(|place| place.created_micros),
            after.map(|place| place.id),
            i64::from(limit) + 1,
            NO_PASSWORD,
        )
        .fetch_all(&self.pool)
        .await?;
        let limit = limit as usize;
        let more = accounts.len() > limit;
        accounts.truncate(limit);
        let next = accounts.last().filter(|_| more).map(Account::place);
        Ok(AccountsPage { accounts, next })
    }

    pub(crate) async fn account(&self, id: Uuid) -> Result<Option<Account>, StoreError> {
        self.one_account(Some(id), None).await
    }

    /// `email` as it is stored: lower case.
    pub(crate) async fn account_by_email(&self, email: &str) -> Result<Option<Account>, StoreError> {
        self.one_account(None, Some(email)).await
    }

    async fn one_account(
        &self,
        id: Option<Uuid>,
        email: Option<&str>,
    ) -> Result<Option<Account>, StoreError> {
        let account = sqlx::query_as!(
            Account,
            r#"SELECT id, name, email, roles, password_hash <> $3 AS "has_password!",
                      to_char(disabled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS disabled_at,
                      to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "created_at!",
                      (extract(epoch FROM created_at) * 1000000)::bigint AS "created_micros!"
               FROM users WHERE id = $1 OR email = $2"#,
            id,
            email,
            NO_PASSWORD,
        );
        Ok(account.fetch_optional(&self.pool).await?)
    }
}
