//! What the statements promise, on a real PostgreSQL.

mod administration;
mod endings;
mod forks;
mod races;
mod refresh;

use uuid::Uuid;

use super::testing::{TestDatabase, identity, opening};
use super::*;
use crate::account::{ADMIN, CUSTOMER, Email, Name};
use crate::hashing::PasswordHash;

struct Person {
    id: Uuid,
    name: Name,
    email: Email,
    password_hash: PasswordHash,
}

impl Person {
    fn new(email: &str) -> Self {
        Self {
            id: crate::random::uuid().unwrap(),
            name: Name::parse("Priya").unwrap(),
            email: Email::parse(email).unwrap(),
            password_hash: PasswordHash::stored("$argon2id$hash".to_owned()),
        }
    }

    fn user(&self, role: &'static str) -> NewUser<'_> {
        let Self { id, name, email, password_hash } = self;
        NewUser { id: *id, name, email, password_hash, role }
    }

    fn verified(&self) -> Verified<'_> {
        Verified { user_id: self.id, password_hash: &self.password_hash, user_version: 1 }
    }
}

async fn sessions(store: &Store) -> i64 {
    sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sessions").fetch_one(&store.pool).await.unwrap()
}

#[tokio::test]
async fn migrating_twice_changes_nothing_and_a_newer_schema_is_no_obstacle() {
    let (database, store) = TestDatabase::migrated().await;
    store
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of a newer release', true, ''::bytea, 0)",
        )
        .await;
    assert!(connect::migrated(&database.settings).await.is_ok());
}

#[tokio::test]
async fn without_a_schema_the_error_says_what_to_do() {
    let database = TestDatabase::empty().await;
    let error = connect::pool(&database.settings).credentials("a@b.c").await.unwrap_err();
    assert!(error.to_string().contains("bearward-issuer migrate"), "{error}");
}

#[tokio::test]
async fn a_signup_creates_user_and_session_and_grants_what_is_stored() {
    let (_database, store) = TestDatabase::migrated().await;
    store.execute("UPDATE issuer_state SET epoch = 7").await;
    let person = Person::new("priya@example.com");
    let session = Uuid::from_u128(9);
    let grant = store.sign_up(&person.user(CUSTOMER), &opening(session)).await.unwrap().unwrap();
    assert_eq!((grant.user.id, grant.user.roles.as_slice()), (person.id, &[CUSTOMER.to_owned()][..]));
    assert_eq!((grant.session_id, grant.user_version, grant.epoch), (session, 1, 7));
    assert_eq!((grant.expires_at, grant.refresh_seconds), (grant.issued_at + 900, 3600));
    let end = sqlx::query_scalar::<_, i64>("SELECT extract(epoch FROM expires_at)::bigint FROM sessions")
        .fetch_one(&store.pool)
        .await
        .unwrap();
    assert!((0..=1).contains(&(end - i64::try_from(grant.issued_at).unwrap() - 86_400)));
}

#[tokio::test]
async fn without_an_epoch_nothing_is_created_and_the_statement_fails() {
    let (_database, store) = TestDatabase::migrated().await;
    let known = Person::new("priya@example.com");
    assert!(store.import_user(&known.user(CUSTOMER)).await.unwrap());
    store.execute("DELETE FROM issuer_state").await;
    let login = store.open_session(&known.verified(), &opening(Uuid::from_u128(1))).await;
    assert!(matches!(login, Err(StoreError::Failed(_))), "{login:?}");
    let new = Person::new("rahul@example.com");
    let signup = store.sign_up(&new.user(CUSTOMER), &opening(Uuid::from_u128(2))).await;
    assert!(matches!(signup, Err(StoreError::Failed(_))), "{signup:?}");
    assert!(store.credentials("rahul@example.com").await.unwrap().is_none());
    assert_eq!(sessions(&store).await, 0);
}

#[tokio::test]
async fn of_many_signups_at_once_with_one_email_one_wins() {
    let (_database, store) = TestDatabase::migrated().await;
    let attempts = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let person = Person::new("Priya@Example.com ");
            let session = crate::random::uuid().unwrap();
            store.sign_up(&person.user(CUSTOMER), &opening(session)).await.unwrap().is_some()
        })
    });
    let mut won = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        won += usize::from(attempt.await.unwrap());
    }
    assert_eq!(won, 1);
    assert_eq!(sessions(&store).await, 1);
    assert!(!store.import_user(&Person::new("priya@example.com").user(ADMIN)).await.unwrap());
}

#[tokio::test]
async fn a_session_is_opened_only_if_nothing_changed_since_the_password_was_verified() {
    let changes = [
        "UPDATE users SET user_version = user_version + 1",
        "UPDATE users SET password_hash = 'another'",
        "UPDATE users SET disabled_at = now()",
        "DELETE FROM users",
    ];
    for change in changes {
        let (_database, store) = TestDatabase::migrated().await;
        let person = Person::new("priya@example.com");
        assert!(store.import_user(&person.user(CUSTOMER)).await.unwrap());
        assert!(
            store.open_session(&person.verified(), &opening(Uuid::from_u128(1))).await.unwrap().is_some()
        );
        store.execute("DELETE FROM sessions").await;
        store.execute(change).await;
        assert_eq!(
            store.open_session(&person.verified(), &opening(Uuid::from_u128(2))).await.unwrap(),
            None,
            "{change}"
        );
        assert_eq!(sessions(&store).await, 0, "{change}");
    }
}

#[tokio::test]
async fn a_login_waits_for_a_change_that_is_not_committed_yet_and_then_sees_it() {
    let (_database, store) = TestDatabase::migrated().await;
    let person = Person::new("priya@example.com");
    assert!(store.import_user(&person.user(CUSTOMER)).await.unwrap());
    let mut change = store.pool.begin().await.unwrap();
    sqlx::raw_sql("UPDATE users SET user_version = 2").execute(&mut *change).await.unwrap();
    let login = {
        let store = store.clone();
        tokio::spawn(
            async move { store.open_session(&person.verified(), &opening(Uuid::from_u128(1))).await },
        )
    };
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&store.pool).await.unwrap() == 0 {
        assert!(!login.is_finished());
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    change.commit().await.unwrap();
    assert_eq!(login.await.unwrap().unwrap(), None);
    assert_eq!(sessions(&store).await, 0);
}

#[tokio::test]
async fn a_token_says_the_roles_of_the_moment_in_which_the_session_is_opened() {
    let (_database, store) = TestDatabase::migrated().await;
    let person = Person::new("priya@example.com");
    assert!(store.import_user(&person.user(CUSTOMER)).await.unwrap());
    store.execute("UPDATE users SET roles = '{rider,chef}'").await;
    let grant = store.open_session(&person.verified(), &opening(Uuid::from_u128(1))).await.unwrap().unwrap();
    assert_eq!(grant.user.roles, ["rider", "chef"]);
}

#[tokio::test]
async fn a_disabled_user_has_credentials_and_no_standing() {
    let (_database, store) = TestDatabase::migrated().await;
    let person = Person::new("priya@example.com");
    let grant = store.sign_up(&person.user(CUSTOMER), &opening(Uuid::from_u128(1))).await.unwrap().unwrap();
    assert_eq!(store.standing(&identity(&grant)).await.unwrap(), Standing::Good(grant.user.clone()));
    store.execute("UPDATE users SET disabled_at = now()").await;
    assert_eq!(store.standing(&identity(&grant)).await.unwrap(), Standing::Gone);
    assert!(store.credentials("priya@example.com").await.unwrap().is_some());
}

#[tokio::test]
async fn the_schema_itself_refuses_what_no_account_may_be() {
    let (_database, store) = TestDatabase::migrated().await;
    let person = Person::new("priya@example.com");
    assert!(store.import_user(&person.user(CUSTOMER)).await.unwrap());
    for change in [
        "UPDATE users SET email = 'Priya@example.com'",
        "UPDATE users SET email = 'priya @example.com'",
        "UPDATE users SET name = ''",
        "UPDATE users SET roles = '{}'",
        "UPDATE users SET roles = '{NULL}'",
        "UPDATE users SET roles = '{customer,\"\"}'",
        "UPDATE users SET roles = '{\"customer,admin\"}'",
        "UPDATE users SET user_version = 0",
        "INSERT INTO issuer_state VALUES (false, 1)",
        "INSERT INTO issuer_state VALUES (true, 1)",
    ] {
        assert!(sqlx::raw_sql(change).execute(&store.pool).await.is_err(), "{change}");
    }
}
