//! Rotation of refresh tokens, their reuse and their end.

use std::time::Duration;

use super::*;
use crate::refresh::{RefreshToken, SuccessorKey};
use crate::store::refresh::RefreshRefusal;
use crate::store::testing::LIVES;
use crate::throttle::Limit;

/// A user with one session.
pub(super) struct Session {
    pub(super) database: TestDatabase,
    pub(super) store: Store,
    pub(super) person: Person,
    pub(super) id: Uuid,
    pub(super) key: SuccessorKey,
    /// The first refresh token.
    pub(super) token: RefreshToken,
    pub(super) grant: Grant,
}

impl Session {
    pub(super) async fn new() -> Self {
        let (database, store) = TestDatabase::migrated().await;
        let key = store.successor_key(&SuccessorKey::new().unwrap()).await.unwrap();
        let person = Person::new("priya@example.com");
        let (id, token) = (Uuid::from_u128(1), RefreshToken::new().unwrap());
        let opening = Opening { refresh_hash: token.hash(), ..opening(id) };
        let grant = store.sign_up(&person.user(CUSTOMER), &opening).await.unwrap().unwrap();
        Self { database, store, person, id, key, token, grant }
    }

    async fn refresh(&self, token: &RefreshToken) -> Refreshed {
        refresh(&self.store, &self.key, token).await.unwrap()
    }

    async fn refresh_within(&self, text: &str, token: &RefreshToken) -> Refreshed {
        let presented = Presented { token: token.hash(), successor: self.successor(token).hash() };
        self.store.refresh(&presented, LIVES, limit(text), &Client::default()).await.unwrap()
    }

    fn successor(&self, token: &RefreshToken) -> RefreshToken {
        token.successor(&self.key).unwrap()
    }

    fn whose(&self) -> Whose {
        Whose { user_id: self.person.id, session_id: self.id }
    }

    fn reused(&self) -> Refreshed {
        Refreshed::Reused(self.whose())
    }

    async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar::<_, i64>(query).fetch_one(&self.store.pool).await.unwrap()
    }
}

pub(super) async fn refresh(
    store: &Store,
    key: &SuccessorKey,
    token: &RefreshToken,
) -> Result<Refreshed, StoreError> {
    refresh_with(store, key, token, LIVES).await
}

pub(super) async fn refresh_with(
    store: &Store,
    key: &SuccessorKey,
    token: &RefreshToken,
    lives: Lives,
) -> Result<Refreshed, StoreError> {
    let successor = token.successor(key).unwrap().hash();
    store.refresh(&Presented { token: token.hash(), successor }, lives, None, &Client::default()).await
}

fn limit(text: &str) -> Option<Limit> {
    Limit::parse(text).unwrap()
}

fn granted(refreshed: &Refreshed) -> bool {
    matches!(refreshed, Refreshed::Granted(_))
}

#[tokio::test]
async fn each_token_of_a_chain_is_good_once() {
    let session = Session::new().await;
    let second = session.successor(&session.token);
    let third = session.successor(&second);
    for token in [&session.token, &second, &third] {
        assert!(granted(&session.refresh(token).await));
    }
    assert_eq!(session.count("SELECT count(*) FROM refresh_tokens WHERE used_at IS NOT NULL").await, 3);
    // Two steps back: no lost answer explains it, however fast it comes.
    assert_eq!(session.refresh(&second).await, session.reused());
}

#[tokio::test]
async fn of_a_hundred_uses_at_once_one_rotates_and_there_is_one_successor() {
    let session = Session::new().await;
    // More connections than a pool has by default, so that they do meet.
    let mut settings = session.database.settings.clone();
    settings.connections = 25;
    let store = connect::pool(&settings);
    let (hash, successor) = (session.token.hash(), session.successor(&session.token).hash());
    let uses = (0..100).map(|_| {
        let store = store.clone();
        let presented = Presented { token: hash, successor };
        tokio::spawn(async move { store.refresh(&presented, LIVES, None, &Client::default()).await.unwrap() })
    });
    for one in uses.collect::<Vec<_>>() {
        assert!(granted(&one.await.unwrap()));
    }
    assert_eq!(session.count("SELECT count(*) FROM refresh_tokens").await, 2);
    assert_eq!(session.count("SELECT count(*) FROM refresh_tokens WHERE used_at IS NOT NULL").await, 1);
    assert!(granted(&session.refresh(&session.successor(&session.token)).await));
}

#[tokio::test]
async fn of_a_hundred_uses_at_once_after_the_retry_all_are_reuse() {
    let session = Session::new().await;
    let second = session.successor(&session.token);
    assert!(granted(&session.refresh(&session.token).await));
    assert!(granted(&session.refresh(&second).await));
    for _ in 0..5 {
        assert_eq!(session.refresh(&session.token).await, session.reused());
    }
}

#[tokio::test]
async fn a_retry_gets_the_same_successor_within_its_time_and_is_reuse_after_it() {
    let session = Session::new().await;
    assert!(granted(&session.refresh(&session.token).await));
    session.store.execute("UPDATE sessions SET rotated_at = rotated_at - interval '9 seconds'").await;
    assert!(granted(&session.refresh(&session.token).await));
    assert_eq!(session.count("SELECT count(*) FROM refresh_tokens").await, 2);
    // The retry did not begin its time anew.
    session.store.execute("UPDATE sessions SET rotated_at = rotated_at - interval '1 second'").await;
    assert_eq!(session.refresh(&session.token).await, session.reused());
}

#[tokio::test]
async fn a_retry_is_reuse_as_soon_as_the_successor_was_used() {
    let session = Session::new().await;
    assert!(granted(&session.refresh(&session.token).await));
    assert!(granted(&session.refresh(&session.successor(&session.token)).await));
    assert_eq!(session.refresh(&session.token).await, session.reused());
}

#[tokio::test]
async fn a_retry_under_another_key_is_reuse_and_never_a_second_successor() {
    let session = Session::new().await;
    assert!(granted(&session.refresh(&session.token).await));
    let other = SuccessorKey::new().unwrap();
    assert_eq!(refresh(&session.store, &other, &session.token).await.unwrap(), session.reused());
    assert_eq!(session.count("SELECT count(*) FROM refresh_tokens").await, 2);
}

#[tokio::test]
async fn a_token_is_refused_when_its_session_was_idle_or_is_old_ended_or_of_a_disabled_user() {
    for (change, refusal) in [
        ("UPDATE sessions SET last_used_at = now() - interval '3601 seconds'", RefreshRefusal::Expired),
        (
            "UPDATE sessions SET created_at = now() - interval '2 days', expires_at = now()",
            RefreshRefusal::Expired,
        ),
        ("UPDATE sessions SET ended_at = now(), ended_why = 'x'", RefreshRefusal::Ended),
        ("UPDATE users SET disabled_at = now()", RefreshRefusal::Disabled),
        ("DELETE FROM users", RefreshRefusal::Unknown),
    ] {
        let session = Session::new().await;
        session.store.execute(change).await;
        let refreshed = session.refresh(&session.token).await;
        let whose = (refusal != RefreshRefusal::Unknown).then(|| session.whose());
        assert_eq!(refreshed, Refreshed::Refused { why: refusal, whose }, "{change}");
        assert_eq!(session.count("SELECT count(*) FROM refresh_tokens WHERE used_at IS NOT NULL").await, 0);
    }
}

#[tokio::test]
async fn beyond_its_limit_a_session_waits_and_nothing_of_it_changes() {
    let session = Session::new().await;
    let refresh = async |token: &RefreshToken| session.refresh_within("2/900", token).await;
    let second = session.successor(&session.token);
    let third = session.successor(&second);
    assert!(granted(&refresh(&session.token).await) && granted(&refresh(&second).await));
    let everything = "SELECT (SELECT sessions::text FROM sessions) || (SELECT string_agg(t::text, ' ') FROM refresh_tokens t)
                             || (SELECT count(*) FROM audit_events)";
    let before = session.store.texts(everything).await;
    // Repeated or not.
    for token in [&third, &second] {
        let Refreshed::TooOften { whose, wait } = refresh(token).await else { panic!("not refused") };
        assert!(whose == session.whose() && (440..=450).contains(&wait.as_secs()), "{whose:?} {wait:?}");
    }
    assert_eq!(session.store.texts(everything).await, before);
    session.store.execute("UPDATE sessions SET refreshes_until = refreshes_until - interval '450 s'").await;
    assert!(granted(&refresh(&third).await), "the token has stayed good");
    assert!(matches!(refresh(&third).await, Refreshed::TooOften { .. }), "one in each step");
}

#[tokio::test]
async fn a_token_that_is_not_good_is_no_refresh_too_many() {
    let session = Session::new().await;
    assert!(granted(&session.refresh_within("2/900", &session.token).await));
    let second = session.successor(&session.token);
    assert!(granted(&session.refresh_within("2/900", &second).await));
    assert_eq!(session.refresh_within("2/900", &session.token).await, session.reused());
    session.store.execute("UPDATE users SET disabled_at = now()").await;
    let refused = Refreshed::Refused { why: RefreshRefusal::Disabled, whose: Some(session.whose()) };
    assert_eq!(session.refresh_within("2/900", &session.successor(&second)).await, refused);
}

#[tokio::test]
async fn a_time_that_lies_further_ahead_than_a_window_counts_as_a_window() {
    let session = Session::new().await;
    session.store.execute("UPDATE sessions SET refreshes_until = now() + interval '1 year'").await;
    let refused = session.refresh_within("10/900", &session.token).await;
    let Refreshed::TooOften { wait, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(wait, Duration::from_secs(90));
    assert!(granted(&session.refresh(&session.token).await), "and for nothing without a limit");
    assert!(granted(&session.refresh_within("10/900", &session.token).await));
}

#[tokio::test]
async fn of_fifty_uses_at_once_no_more_take_place_than_the_limit_of_the_session_lets() {
    let session = Session::new().await;
    let mut settings = session.database.settings.clone();
    settings.connections = 25;
    let store = connect::pool(&settings);
    let (hash, successor) = (session.token.hash(), session.successor(&session.token).hash());
    let uses = (0..50).map(|_| {
        let (store, presented) = (store.clone(), Presented { token: hash, successor });
        tokio::spawn(async move {
            store.refresh(&presented, LIVES, limit("10/900"), &Client::default()).await.unwrap()
        })
    });
    let (mut took_place, mut too_often) = (0, 0);
    for one in uses.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Refreshed::Granted(_) => took_place += 1,
            Refreshed::TooOften { .. } => too_often += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((took_place, too_often), (10, 40));
}

#[tokio::test]
async fn no_token_outlives_its_session_and_the_answer_says_what_is_left() {
    let session = Session::new().await;
    session.store.execute("UPDATE sessions SET expires_at = now() + interval '100 seconds'").await;
    let Refreshed::Granted(grant) = session.refresh(&session.token).await else { panic!("refused") };
    let left = grant.expires_at - grant.issued_at;
    assert!((98..=100).contains(&left) && (98..=100).contains(&grant.refresh_seconds), "{grant:?}");
}

#[tokio::test]
async fn a_refresh_reads_roles_and_version_anew_and_says_from_where_it_came() {
    let session = Session::new().await;
    session.store.execute("UPDATE users SET roles = '{rider}', user_version = 7").await;
    session.store.execute("UPDATE issuer_state SET epoch = 3").await;
    let client =
        Client { address: Some("192.0.2.7".into()), user_agent: Some("curl".into()), request_id: None };
    let presented =
        Presented { token: session.token.hash(), successor: session.successor(&session.token).hash() };
    let refreshed = session.store.refresh(&presented, LIVES, None, &client).await.unwrap();
    let Refreshed::Granted(grant) = refreshed else { panic!("{refreshed:?}") };
    assert_eq!(
        (grant.user.roles.as_slice(), grant.user_version, grant.epoch),
        (&["rider".to_owned()][..], 7, 3)
    );
    let listed = session.store.list_sessions(session.person.id, LIVES).await.unwrap();
    assert_eq!(listed[0].client, client);
}

#[tokio::test]
async fn what_an_access_token_was_given_is_written_down_also_when_its_life_is_lowered() {
    let session = Session::new().await;
    let exp = "SELECT greatest_exp FROM sessions";
    assert_eq!(session.count(exp).await, i64::try_from(session.grant.expires_at).unwrap());
    let short = Lives { access_seconds: 60, ..LIVES };
    let presented =
        Presented { token: session.token.hash(), successor: session.successor(&session.token).hash() };
    assert!(granted(&session.store.refresh(&presented, short, None, &Client::default()).await.unwrap()));
    assert_eq!(session.count(exp).await, i64::try_from(session.grant.expires_at).unwrap());
}

#[tokio::test]
async fn a_database_that_has_lost_its_epoch_logs_nobody_out() {
    let session = Session::new().await;
    session.store.execute("DELETE FROM issuer_state").await;
    assert!(refresh(&session.store, &session.key, &session.token).await.is_err());
    session.store.execute("INSERT INTO issuer_state DEFAULT VALUES").await;
    assert!(granted(&session.refresh(&session.token).await));
}

#[tokio::test]
async fn replicas_that_start_at_once_agree_on_the_key_of_successors() {
    let (_database, store) = TestDatabase::migrated().await;
    let get =
        || async { store.successor_key(&SuccessorKey::new().unwrap()).await.unwrap().expose().to_vec() };
    let (one, two, three) = tokio::join!(get(), get(), get());
    assert_eq!((&one, &two), (&two, &three));
}
