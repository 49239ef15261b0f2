//! What ends sessions and tokens, and the records that it leaves.

use super::refresh::Session;
use super::*;
use crate::audit::{Event, Kind};
use crate::store::revocations::{Reason, Record, commit_with};
use crate::store::testing::somebody;

/// A record as it is stored: sequence, kind, name, minimum, reason, end.
type Row = (i64, String, Option<String>, Option<i64>, Option<String>, i64);

async fn records(store: &Store) -> Vec<Row> {
    sqlx::query_as("SELECT sequence, kind, name, minimum, reason, ends_at FROM revocations ORDER BY sequence")
        .fetch_all(&store.pool)
        .await
        .unwrap()
}

fn end(grant: &Grant) -> i64 {
    i64::try_from(grant.expires_at).unwrap() + 300 + 60
}

fn of_session(sequence: i64, grant: &Grant) -> Row {
    (sequence, "session".into(), Some(grant.session_id.to_string()), None, None, end(grant))
}

fn of_subject(sequence: i64, minimum: i64, reason: &str, grant: &Grant) -> Row {
    let name = Some(grant.user.id.to_string());
    (sequence, "subject".into(), name, Some(minimum), Some(reason.into()), end(grant))
}

impl Session {
    /// Another session of the same user.
    async fn another(&self, number: u128) -> Grant {
        let opening = opening(Uuid::from_u128(number));
        self.store.open_session(&self.person.verified(), &opening).await.unwrap().unwrap()
    }

    async fn standing(&self, grant: &Grant) -> Standing {
        self.store.standing(&identity(grant)).await.unwrap()
    }
}

#[tokio::test]
async fn a_session_ends_once_with_one_record_and_its_token_with_it() {
    let session = Session::new().await;
    let (user, id) = (session.person.id, session.id);
    assert!(!session.store.end_session(Uuid::from_u128(5), id, Why::Logout, somebody()).await.unwrap());
    assert!(matches!(session.standing(&session.grant).await, Standing::Good(_)));
    assert!(session.store.end_session(user, id, Why::Logout, somebody()).await.unwrap());
    assert!(!session.store.end_session(user, id, Why::Logout, somebody()).await.unwrap());
    assert_eq!(records(&session.store).await, [of_session(1, &session.grant)]);
    assert_eq!(session.standing(&session.grant).await, Standing::Revoked);
}

#[tokio::test]
async fn the_others_end_with_a_record_each_and_without_a_gap() {
    let session = Session::new().await;
    let others = [session.another(2).await, session.another(3).await];
    assert_eq!(
        session
            .store
            .end_other_sessions(session.person.id, session.id, Why::Ended, somebody())
            .await
            .unwrap(),
        2
    );
    let mut found = records(&session.store).await;
    found.sort_by(|one, two| one.2.cmp(&two.2));
    let sequences: std::collections::BTreeSet<i64> = found.iter().map(|row| row.0).collect();
    assert_eq!(sequences, [1, 2].into());
    for (row, grant) in found.iter().zip(&others) {
        assert_eq!((&row.2, row.5), (&Some(grant.session_id.to_string()), end(grant)));
        assert_eq!(session.standing(grant).await, Standing::Revoked);
    }
    assert!(matches!(session.standing(&session.grant).await, Standing::Good(_)));
    assert_eq!(session.store.list_sessions(session.person.id, testing::LIVES).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_logout_everywhere_raises_the_version_and_ends_all() {
    let session = Session::new().await;
    let other = session.another(2).await;
    assert!(session.store.log_out_everywhere(session.person.id, somebody()).await.unwrap());
    assert_eq!(records(&session.store).await, [of_subject(1, 2, "changed", &other)]);
    for grant in [&session.grant, &other] {
        assert_eq!(session.standing(grant).await, Standing::Revoked);
    }
    assert!(session.store.list_sessions(session.person.id, testing::LIVES).await.unwrap().is_empty());
    assert!(!session.store.log_out_everywhere(Uuid::from_u128(5), somebody()).await.unwrap());
}

#[tokio::test]
async fn a_record_lasts_as_long_as_the_longest_token_that_was_ever_made_also_of_an_ended_session() {
    let session = Session::new().await;
    session.store.execute("UPDATE sessions SET greatest_exp = greatest_exp + 80000").await;
    let long = Grant { expires_at: session.grant.expires_at + 80_000, ..session.grant.clone() };
    assert!(session.store.end_session(session.person.id, session.id, Why::Logout, somebody()).await.unwrap());
    session.another(2).await;
    assert!(session.store.log_out_everywhere(session.person.id, somebody()).await.unwrap());
    assert_eq!(records(&session.store).await, [of_session(1, &long), of_subject(2, 2, "changed", &long)]);
}

#[tokio::test]
async fn a_session_of_the_release_before_has_a_record_that_lasts_as_long_as_its_token() {
    let session = Session::new().await;
    session
        .store
        .execute(
            "UPDATE sessions SET greatest_exp = NULL, refresh_hash = NULL,
                    expires_at = date_trunc('second', now()) + interval '5000.5 seconds'",
        )
        .await;
    let exp =
        sqlx::query_scalar::<_, i64>("SELECT ceil(extract(epoch FROM expires_at))::bigint FROM sessions")
            .fetch_one(&session.store.pool)
            .await
            .unwrap();
    assert!(session.store.end_session(session.person.id, session.id, Why::Logout, somebody()).await.unwrap());
    assert_eq!(records(&session.store).await[0].5, exp + 360);
}

#[tokio::test]
async fn a_record_that_concerns_no_token_any_more_takes_no_number() {
    let session = Session::new().await;
    let id = session.id;
    let old = Record::Session { id, greatest_exp: i64::try_from(session.grant.issued_at).unwrap() - 361 };
    let new = Record::Subject { id, minimum: 2, reason: Reason::Gone, greatest_exp: i64::MAX };
    for records in [&[old][..], &[old, new, old], &[new]] {
        commit_with(session.store.pool.begin().await.unwrap(), records).await.unwrap();
    }
    let found: Vec<_> = records(&session.store).await.into_iter().map(|row| (row.0, row.5)).collect();
    assert_eq!(found, [(1, i64::MAX), (2, i64::MAX)]);
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_happen() {
    let session = Session::new().await;
    session.store.execute("DELETE FROM revocation_head").await;
    assert!(session.store.end_session(session.person.id, session.id, Why::Logout, somebody()).await.is_err());
    assert!(session.store.log_out_everywhere(session.person.id, somebody()).await.is_err());
    assert!(
        session.store.delete_user(session.person.id, &Event::of_operator(Kind::UserDelete)).await.is_err()
    );
    assert!(matches!(session.standing(&session.grant).await, Standing::Good(_)));
}

#[tokio::test]
async fn a_password_change_ends_all_sessions_and_opens_one() {
    let session = Session::new().await;
    session.another(2).await;
    let hash = PasswordHash::stored("$argon2id$new".to_owned());
    let change = |id, new: u128| {
        let (session, hash) = (&session, &hash);
        async move {
            let opening = opening(Uuid::from_u128(new));
            session.store.change_password(&session.person.verified(), id, hash, &opening).await.unwrap()
        }
    };
    assert_eq!(change(Uuid::from_u128(5), 6).await, None, "of a session that is none");
    assert!(matches!(session.standing(&session.grant).await, Standing::Good(_)));
    let grant = change(session.id, 7).await.unwrap();
    assert_eq!((grant.session_id, grant.user_version), (Uuid::from_u128(7), 2));
    assert_eq!(records(&session.store).await, [of_subject(1, 2, "changed", &grant)]);
    assert_eq!(session.standing(&session.grant).await, Standing::Revoked);
    assert!(matches!(session.standing(&grant).await, Standing::Good(_)));
    assert_eq!(change(session.id, 8).await, None, "with what was verified before");
}

#[tokio::test]
async fn new_roles_keep_the_sessions_and_end_the_tokens() {
    let session = Session::new().await;
    assert!(
        session
            .store
            .set_roles(session.person.id, &["rider".to_owned()], &Event::of_operator(Kind::RolesChange))
            .await
            .unwrap()
    );
    assert_eq!(records(&session.store).await, [of_subject(1, 2, "changed", &session.grant)]);
    assert_eq!(session.standing(&session.grant).await, Standing::Revoked);
    let refreshed = refresh::refresh(&session.store, &session.key, &session.token).await.unwrap();
    let Refreshed::Granted(grant) = refreshed else { panic!("{refreshed:?}") };
    assert_eq!((grant.user.roles.as_slice(), grant.user_version), (&["rider".to_owned()][..], 2));
}

#[tokio::test]
async fn a_disabled_user_is_gone_and_after_enabling_only_new_tokens_are_good() {
    let session = Session::new().await;
    let id = session.person.id;
    assert!(session.store.disable(id, &Event::of_operator(Kind::UserDisable)).await.unwrap());
    assert!(!session.store.disable(id, &Event::of_operator(Kind::UserDisable)).await.unwrap());
    assert_eq!(records(&session.store).await, [of_subject(1, 2, "gone", &session.grant)]);
    assert_eq!(session.standing(&session.grant).await, Standing::Gone);
    assert!(session.store.enable(id, &Event::of_operator(Kind::UserEnable)).await.unwrap());
    assert!(!session.store.enable(id, &Event::of_operator(Kind::UserEnable)).await.unwrap());
    assert_eq!(session.standing(&session.grant).await, Standing::Revoked);
    let verified = Verified { user_version: 2, ..session.person.verified() };
    let new = session.store.open_session(&verified, &opening(Uuid::from_u128(2))).await.unwrap().unwrap();
    assert!(matches!(session.standing(&new).await, Standing::Good(_)));
    assert_eq!(new.user_version, 2);
}

#[tokio::test]
async fn a_deleted_user_leaves_nothing_but_the_record() {
    let session = Session::new().await;
    let event = Event::of_operator(Kind::UserDelete);
    let delete = || session.store.delete_user(session.person.id, &event);
    delete().await.unwrap();
    assert!(matches!(delete().await, Err(AdministrationError::Refused(Refused::NoSuchUser))));
    assert_eq!(records(&session.store).await, [of_subject(1, 2, "gone", &session.grant)]);
    assert_eq!(session.standing(&session.grant).await, Standing::Gone);
    assert_eq!(sessions(&session.store).await, 0);
}

#[tokio::test]
async fn an_epoch_that_was_raised_ends_every_token_of_before() {
    let session = Session::new().await;
    session.store.execute("UPDATE issuer_state SET epoch = 2").await;
    assert_eq!(session.standing(&session.grant).await, Standing::Revoked);
}

#[tokio::test]
async fn the_schema_refuses_records_that_nobody_could_apply() {
    let (_database, store) = TestDatabase::migrated().await;
    for values in [
        "(1, 'session', NULL, NULL, NULL, 1)",
        "(1, 'session', 'x', 1, NULL, 1)",
        "(1, 'subject', 'x', 1, NULL, 1)",
        "(1, 'subject', 'x', NULL, 'gone', 1)",
        "(1, 'subject', 'x', 1, 'other', 1)",
        "(1, 'key', NULL, NULL, NULL, NULL)",
        "(1, 'key', 'x', NULL, NULL, 1)",
        "(1, 'epoch', 'x', 1, NULL, 1)",
        "(1, 'epoch', NULL, NULL, NULL, 1)",
        "(1, 'client', 'x', NULL, NULL, 1)",
        "(0, 'session', 'x', NULL, NULL, 1)",
        "(1, 'session', 'x', NULL, NULL, NULL)",
        "(1, 'epoch', NULL, 1, NULL, NULL)",
    ] {
        let insert = format!(
            "INSERT INTO revocations (sequence, kind, name, minimum, reason, ends_at) VALUES {values}"
        );
        assert!(sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(&store.pool).await.is_err(), "{values}");
    }
    store
        .execute(
            "INSERT INTO revocations (sequence, kind, name, minimum, reason, ends_at)
             VALUES (1, 'session', 'x', NULL, NULL, 1), (2, 'subject', 'x', 1, 'gone', 1),
                    (3, 'key', 'x', NULL, NULL, NULL), (4, 'epoch', NULL, 1, NULL, 1)",
        )
        .await;
}

#[tokio::test]
async fn the_login_beyond_the_most_sessions_ends_the_one_that_was_used_least_recently_with_its_record() {
    let session = Session::new().await;
    session
        .store
        .execute(
            "INSERT INTO sessions (id, user_id, expires_at, greatest_exp, last_used_at)
             SELECT ('00000000-0000-0000-0000-' || lpad(number::text, 12, '0'))::uuid, users.id, now() + interval '1 day',
                    extract(epoch FROM now())::bigint + 900, now() - make_interval(mins => number)
             FROM users, generate_series(1001, 1098) AS number",
        )
        .await;
    let live = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";
    let open = async |id| {
        let opening = opening(Uuid::from_u128(id));
        session.store.open_session(&session.person.verified(), &opening).await.unwrap().unwrap()
    };
    open(5).await;
    assert_eq!((session.store.count(live).await, records(&session.store).await.len()), (100, 0));
    let grant = open(6).await;
    assert_eq!(session.store.count(live).await, 100);
    let oldest = "00000000-0000-0000-0000-000000001098";
    let records = records(&session.store).await;
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].1.as_str(), records[0].2.as_deref()), ("session", Some(oldest)));
    assert!(matches!(session.standing(&grant).await, Standing::Good(_)));
    let trail =
        "SELECT concat_ws(' ', event, cause, actor, session_id) FROM audit_events WHERE actor = 'issuer'";
    assert_eq!(session.store.texts(trail).await, [format!("session_end too_many issuer {oldest}")]);
}
