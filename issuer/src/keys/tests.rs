//! What becomes of keys in a real PostgreSQL, by a clock that the test sets.

use bearward_core::keys::KeySet;
use secrecy::SecretBox;

use super::*;
use crate::audit::{Event, Kind};
use crate::log::testing::Recording;
use crate::store::testing::TestDatabase;
use crate::store::{ANSWER_SECONDS, connect};

const RHYTHM: Rhythm =
    Rhythm { max_age_seconds: 300, rotate_after_seconds: Some(86_400), token_seconds: 900 };
/// Around which the test's clock goes.
const BEGIN: i64 = 1_800_000_000;
/// Twice the max-age and two reloads.
const LEAD: i64 = 604;

impl Keeper {
    /// Without encryption, by the database's clock.
    pub(crate) fn of_test(store: &Store) -> Self {
        Self::new(store.clone(), KeyEncryption::default(), RHYTHM)
    }

    /// The same, of the keys that sign the feed.
    pub(crate) fn of_feed_test(store: &Store) -> Self {
        let rhythm = Rhythm { token_seconds: ANSWER_SECONDS, ..RHYTHM };
        Self::new(store.clone(), KeyEncryption::default().of(Purpose::Feed), rhythm)
    }

    fn at(self, now: i64) -> Self {
        Self { clock: Clock::At(now), ..self }
    }

    fn encrypted(self, keys: &[u8]) -> Self {
        let keys: Vec<_> = keys.iter().map(|byte| SecretBox::new(Box::new([*byte; 32]))).collect();
        Self { encryption: KeyEncryption::new(&keys).of(self.purpose()), ..self }
    }
}

fn published(ring: &Ring) -> Vec<String> {
    let set: serde_json::Value = serde_json::from_slice(ring.published()).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn replicas_that_start_at_once_agree_on_the_key() {
    let database = TestDatabase::empty().await;
    let start = || async {
        let store = connect::migrated(&database.settings).await.unwrap();
        published(&Keeper::of_test(&store).load(None).await.unwrap())
    };
    let (one, two, three) = tokio::join!(start(), start(), start());
    assert_eq!(one.len(), 1);
    assert_eq!(one, two);
    assert_eq!(two, three);
    assert_eq!(start().await, one);
}

#[tokio::test]
async fn a_key_that_an_operator_retired_is_replaced_by_one_that_signs_at_once() {
    let (_database, store) = TestDatabase::migrated().await;
    let keeper = Keeper::of_test(&store);
    let first = keeper.load(None).await.unwrap();
    store.execute("UPDATE signing_keys SET retired_at = now()").await;
    let second = keeper.load(Some(&first)).await.unwrap();
    assert_eq!(second.kids().len(), 1);
    assert_ne!(first.kids(), second.kids());
}

#[tokio::test]
async fn keys_in_the_clear_are_encrypted_at_the_first_start_with_a_file_and_stay_the_same() {
    let (_database, store) = TestDatabase::migrated().await;
    let clear = Keeper::of_test(&store).load(None).await.unwrap();
    let sealed = Keeper::of_test(&store).encrypted(&[1]).load(None).await.unwrap();
    assert_eq!(clear.kids(), sealed.kids());
    assert!(is_sealed(&store).await);
    let again = Keeper::of_test(&store).encrypted(&[1]).load(None).await.unwrap();
    assert_eq!(again.kids(), sealed.kids());
}

#[tokio::test]
async fn a_start_without_the_file_that_encrypted_a_key_is_refused_and_changes_nothing() {
    let (_database, store) = TestDatabase::migrated().await;
    let first = Keeper::of_test(&store).encrypted(&[1]).load(None).await.unwrap();
    let error = Keeper::of_test(&store).load(None).await.unwrap_err().to_string();
    assert!(error.contains("names no file") && error.contains("docs/signing-keys.md"), "{error}");
    assert!(error.contains(first.kids()[0]), "{error}");
    let error = Keeper::of_test(&store).encrypted(&[2, 3]).load(None).await.unwrap_err().to_string();
    assert!(error.contains("none of the 2 keys that BEARWARD_KEY_ENCRYPTION_KEY_FILES"), "{error}");
    let after = Keeper::of_test(&store).encrypted(&[1]).load(None).await.unwrap();
    assert_eq!(after.kids(), first.kids());
}

#[tokio::test]
async fn a_new_file_in_front_encrypts_anew_so_that_the_old_one_can_go() {
    let (_database, store) = TestDatabase::migrated().await;
    let first = Keeper::of_test(&store).encrypted(&[1]).load(None).await.unwrap();
    Keeper::of_test(&store).encrypted(&[2, 1]).load(None).await.unwrap();
    let after = Keeper::of_test(&store).encrypted(&[2]).load(None).await.unwrap();
    assert_eq!(after.kids(), first.kids());
}

#[tokio::test]
async fn after_a_lost_file_the_drill_leaves_a_new_key_that_signs() {
    let (_database, store) = TestDatabase::migrated().await;
    let first = Keeper::of_test(&store).encrypted(&[1]).load(None).await.unwrap();
    assert!(Keeper::of_test(&store).encrypted(&[2]).load(None).await.is_err());
    store.execute("UPDATE signing_keys SET retired_at = now() WHERE retired_at IS NULL").await;
    let after = Keeper::of_test(&store).encrypted(&[2]).load(None).await.unwrap();
    assert_eq!(after.kids().len(), 1);
    assert_ne!(after.kids(), first.kids());
}

/// An operator's shell need not have the file that the replicas have. The revocation must not wait for it, and must not leave
/// a key that lies in the clear, or that no replica can open.
#[tokio::test]
async fn whoever_cannot_open_the_keys_revokes_one_all_the_same_and_leaves_it_to_who_can_to_make_another() {
    for files in [&[][..], &[2]] {
        let (_database, store) = TestDatabase::migrated().await;
        let replica = Keeper::of_test(&store).encrypted(&[1]);
        let first = replica.load(None).await.unwrap();
        let shell = Keeper::of_test(&store).encrypted(files);
        shell.revoke(first.kids()[0], By::operator()).await.unwrap();
        assert_eq!(store.count("SELECT count(*) FROM revocations WHERE kind = 'key'").await, 1);
        assert_eq!(store.count("SELECT count(*) FROM signing_keys WHERE private_key IS NOT NULL").await, 0);
        let second = replica.load(Some(&first)).await.unwrap();
        assert!(second.kids().len() == 1 && second.kids() != first.kids(), "{files:?}");
        assert_eq!(store.count("SELECT count(*) FROM signing_keys WHERE sealed_key IS NOT NULL").await, 1);
    }
}

/// The feed's keys have a record for nobody: that one of them is not published any more is all that ends it.
#[tokio::test]
async fn a_revoked_key_of_the_feed_signs_no_more_and_another_one_does() {
    let (_database, store) = TestDatabase::migrated().await;
    let (tokens, feed) = (Keeper::of_test(&store), Keeper::of_feed_test(&store));
    let (token_ring, feed_ring) = (tokens.load(None).await.unwrap(), feed.load(None).await.unwrap());
    tokens.revoke(feed_ring.kids()[0], By::operator()).await.unwrap();
    let another = feed.load(Some(&feed_ring)).await.unwrap();
    assert!(another.kids().len() == 1 && another.kids() != feed_ring.kids());
    store.revoke_key(another.kids()[0], By::operator()).await.unwrap();
    assert_ne!(feed.load(Some(&another)).await.unwrap().kids(), another.kids());
    assert_eq!(tokens.load(Some(&token_ring)).await.unwrap().kids(), token_ring.kids(), "the others stay");
    let private = "SELECT count(*) FROM feed_keys
                   WHERE retired_at IS NOT NULL AND num_nonnulls(private_key, sealed_key) > 0";
    assert_eq!(store.count(private).await, 0);
}

#[tokio::test]
async fn a_sealed_key_that_was_put_under_another_name_is_refused() {
    let (_database, store) = TestDatabase::migrated().await;
    let keeper = Keeper::of_test(&store).encrypted(&[1]);
    keeper.load(None).await.unwrap();
    store.execute("UPDATE signing_keys SET kid = 'another'").await;
    assert!(matches!(keeper.load(None).await, Err(KeysError::Unopened { .. })));
}

#[tokio::test]
async fn a_key_goes_from_published_to_signing_to_retired_by_the_databases_clock() {
    let (_database, store) = TestDatabase::migrated().await;
    let at = |now| Keeper::of_test(&store).at(now);
    let first = at(BEGIN).load(None).await.unwrap();
    let old = first.kids()[0].to_owned();
    // Of age: a successor is published, and does not sign yet.
    let rotation = BEGIN + 86_400;
    assert_eq!(published(&at(rotation - 1).load(None).await.unwrap()), [old.as_str()]);
    let both = at(rotation).load(None).await.unwrap();
    assert_eq!(both.kids().len(), 2);
    let new = both.kids()[1].to_owned();
    assert_eq!(signed_by(&both, rotation + 59), old);
    assert_eq!(published(&at(rotation + 1).load(None).await.unwrap()), [new.as_str(), old.as_str()]);
    // It signs.
    let later = at(rotation + LEAD).load(None).await.unwrap();
    assert_eq!(signed_by(&later, rotation + LEAD - 1), old);
    assert_eq!(signed_by(&later, rotation + LEAD), new);
    // The old one ends with its last token, and nobody can sign with it any more.
    let end = rotation + LEAD + 60 + 900 + 300;
    assert_eq!(published(&at(end - 1).load(None).await.unwrap()), [new.as_str(), old.as_str()]);
    assert_eq!(published(&at(end).load(None).await.unwrap()), [new.as_str()]);
    let erased = "SELECT count(*) FROM signing_keys WHERE num_nonnulls(private_key, sealed_key) = 0";
    assert_eq!(store.count(erased).await, 1);
}

#[tokio::test]
async fn of_replicas_that_find_it_due_at_once_one_publishes_the_successor() {
    let (_database, store) = TestDatabase::migrated().await;
    Keeper::of_test(&store).at(BEGIN).load(None).await.unwrap();
    let replica = || {
        let keeper = Keeper::of_test(&store).at(BEGIN + 86_400);
        tokio::spawn(async move { published(&keeper.load(None).await.unwrap()) })
    };
    // Both have seen that it is due, and wait for who holds the lock.
    let lock = store.locked("LOCK TABLE signing_keys IN EXCLUSIVE MODE").await;
    let (one, two) = (replica(), replica());
    let waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'signing_keys'::regclass AND NOT granted";
    while store.count(waiting).await < 2 {
        assert!(!one.is_finished() && !two.is_finished());
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    lock.commit().await.unwrap();
    let (one, two) = (one.await.unwrap(), two.await.unwrap());
    assert_eq!(one.len(), 2);
    assert_eq!(one, two);
    let trail = "SELECT concat_ws(' ', event, cause, actor) FROM audit_events";
    assert_eq!(store.texts(trail).await, ["key_rotate age issuer"], "and the first key was no rotation");
}

#[tokio::test]
async fn a_rotation_by_hand_is_noticed_by_replicas_that_run_and_is_not_done_twice() {
    let (_database, store) = TestDatabase::migrated().await;
    let running = Keeper::of_test(&store).at(BEGIN).encrypted(&[1]).load(None).await.unwrap();
    let by_hand = Keeper::of_test(&store).at(BEGIN + 10).encrypted(&[1]);
    let successor = by_hand.rotate(&Event::of_operator(Kind::KeyRotate)).await.unwrap();
    assert_eq!(successor.signs_in_seconds, LEAD);
    let error = by_hand.rotate(&Event::of_operator(Kind::KeyRotate)).await.unwrap_err().to_string();
    assert!(error.contains(&successor.kid) && error.contains("signs in 604 s"), "{error}");
    let after = Keeper::of_test(&store).at(BEGIN + 11).encrypted(&[1]).load(Some(&running)).await.unwrap();
    assert_eq!(after.kids(), [running.kids()[0], successor.kid.as_str()]);
}

#[tokio::test]
async fn a_replica_that_cannot_open_the_successor_keeps_what_it_has_and_says_so() {
    let (_database, store) = TestDatabase::migrated().await;
    let running = Keeper::of_test(&store).at(BEGIN).encrypted(&[1]).load(None).await.unwrap();
    let with_both = Keeper::of_test(&store).at(BEGIN).encrypted(&[2, 1]).load(None).await.unwrap();
    assert_eq!(with_both.kids(), running.kids());
    // What it holds it need not open anew.
    let old = Keeper::of_test(&store).at(BEGIN + 1).encrypted(&[1]);
    assert_eq!(old.load(Some(&running)).await.unwrap().kids(), running.kids());
    Keeper::of_test(&store)
        .at(BEGIN + 2)
        .encrypted(&[2, 1])
        .rotate(&Event::of_operator(Kind::KeyRotate))
        .await
        .unwrap();
    assert!(matches!(old.load(Some(&running)).await, Err(KeysError::Unopened { keys: 1, .. })));
}

/// Lets a commit fail that has put a key.
const NO_COMMIT: &str = "
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
    CREATE CONSTRAINT TRIGGER no AFTER INSERT ON signing_keys DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse()";

#[tokio::test]
async fn the_log_has_a_change_once_it_is_committed_and_not_before() {
    let (_database, store) = TestDatabase::migrated().await;
    let keeper = Keeper::of_test(&store);
    let event = Event::of_operator(Kind::KeyRotate);
    for rotates in [false, true] {
        let told = async || {
            let recording = Recording::begin();
            let done = match rotates {
                false => keeper.load(None).await.map(|_| ()),
                true => keeper.rotate(&event).await.map(|_| ()),
            };
            let lines = recording.lines();
            (done.is_ok(), lines.iter().any(|line| line.contains("a signing key is published")))
        };
        store.execute(NO_COMMIT).await;
        assert_eq!(told().await, (false, false), "a rotation: {rotates}");
        store.execute("DROP FUNCTION refuse CASCADE").await;
        assert_eq!(told().await, (true, true), "a rotation: {rotates}");
    }
}

#[tokio::test]
async fn the_set_that_is_published_is_the_same_from_every_replica() {
    let (_database, store) = TestDatabase::migrated().await;
    Keeper::of_test(&store).at(BEGIN).load(None).await.unwrap();
    Keeper::of_test(&store).at(BEGIN).rotate(&Event::of_operator(Kind::KeyRotate)).await.unwrap();
    let set = || async {
        let ring = Keeper::of_test(&store).at(BEGIN + 1).load(None).await.unwrap();
        ring.published().to_vec()
    };
    let (one, two) = tokio::join!(set(), set());
    assert_eq!(one, two);
    let algorithms = &[bearward_core::algorithm::AlgorithmName::EdDsa];
    assert_eq!(KeySet::parse(&one, algorithms).unwrap().len(), 2);
}

async fn is_sealed(store: &Store) -> bool {
    let clear = "SELECT count(*) FROM signing_keys WHERE sealed_key IS NULL OR private_key IS NOT NULL";
    store.count(clear).await == 0
}

/// The key that a token issued at this time is signed with.
fn signed_by(ring: &Ring, issued_at: i64) -> String {
    let claims = bearward_protocol::claims::AccessTokenClaims {
        iss: "i".to_owned(),
        sub: "s".to_owned(),
        aud: vec!["a".to_owned()],
        exp: u64::try_from(issued_at).unwrap() + 900,
        iat: u64::try_from(issued_at).unwrap(),
        jti: "j".to_owned(),
        sid: "s".to_owned(),
        roles: Vec::new(),
        user_version: 1,
        epoch: 1,
    };
    let token = ring.sign(claims).unwrap();
    let header = bearward_core::base64url::decode(token.split('.').next().unwrap().as_bytes()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn keys_of_the_schema_before_go_on_as_they_were_and_are_taken_up() {
    let database = TestDatabase::empty().await;
    let store = connect::pool(&database.settings);
    store.execute(include_str!("../../migrations/0001_users_sessions_keys.sql")).await;
    let [old, new] = [0, 1].map(|_| new_key(&KeyEncryption::default(), 0, 900).unwrap());
    for (key, age) in [(&old, 7_200.0), (&new, 3_600.0)] {
        let PrivateForm::Clear(seed) = &key.private else { panic!("it is encrypted") };
        store.insert_key_of_0001(&key.kid, seed.expose_secret(), &key.public_key, age).await;
    }
    store.execute(include_str!("../../migrations/0002_refresh_revocations.sql")).await;
    store.execute(include_str!("../../migrations/0003_signing_key_life.sql")).await;
    store.execute(include_str!("../../migrations/0004_audit.sql")).await;
    let now = store.signing_keys(Purpose::Tokens, Clock::Database).await.unwrap().now;
    let ring = Keeper::of_test(&store).encrypted(&[1]).load(None).await.unwrap();
    assert_eq!(ring.kids(), [old.kid.as_str(), new.kid.as_str()]);
    assert_eq!(signed_by(&ring, now), new.kid);
    assert!(is_sealed(&store).await);
    // Nobody wrote down how long tokens could live then: as long as any setting allowed.
    let end = now - 3_600 + 60 + 86_400 + 300;
    let at = |now| Keeper::new(store.clone(), KeyEncryption::default(), RHYTHM).at(now).encrypted(&[1]);
    assert!(published(&at(end - 60).load(None).await.unwrap()).contains(&old.kid));
    assert!(!published(&at(end + 60).load(None).await.unwrap()).contains(&old.kid));
}

#[tokio::test]
async fn the_keys_of_the_feed_are_a_set_of_their_own_that_is_made_sealed_and_rotated_in_the_same_way() {
    let (_database, store) = TestDatabase::migrated().await;
    let tokens = Keeper::of_test(&store).load(None).await.unwrap();
    let feed = Keeper::of_feed_test(&store).encrypted(&[1]).load(None).await.unwrap();
    assert_ne!(tokens.kids(), feed.kids());
    assert_eq!(published(&tokens), tokens.kids(), "the other set is not published with it");
    assert_eq!(published(&feed), feed.kids());
    let first = *feed.kids().first().unwrap();
    let sealed = "SELECT count(*) FROM feed_keys WHERE sealed_key IS NOT NULL AND private_key IS NULL";
    assert_eq!(store.count(sealed).await, 1);
    let again = Keeper::of_feed_test(&store).encrypted(&[1]).load(None).await.unwrap();
    assert_eq!(again.kids(), feed.kids());

    let keeper = Keeper::of_feed_test(&store).encrypted(&[1]);
    let successor = keeper.rotate(&Event::of_operator(keeper.rotation())).await.unwrap();
    let both = keeper.load(None).await.unwrap();
    assert_eq!((published(&both).len(), successor.signs_in_seconds), (2, LEAD));
    let trail = "SELECT event || ' ' || actor FROM audit_events";
    assert_eq!(store.texts(trail).await, ["feed_key_rotate operator"]);
    store.execute("UPDATE feed_keys SET signs_from = signs_from - interval '12 hours'").await;
    let kept = published(&keeper.load(None).await.unwrap());
    assert_eq!(kept, [successor.kid.as_str(), first], "an answer of it may still be taken");
    store.execute("UPDATE feed_keys SET signs_from = signs_from - interval '13 hours'").await;
    let left = published(&keeper.load(None).await.unwrap());
    assert!(!left.iter().any(|kid| kid == first) && left.contains(&successor.kid), "{left:?}");
}

#[tokio::test]
async fn a_key_of_the_feed_that_is_put_among_those_of_tokens_is_not_opened() {
    let (_database, store) = TestDatabase::migrated().await;
    Keeper::of_feed_test(&store).encrypted(&[1]).load(None).await.unwrap();
    store
        .execute(
            "INSERT INTO signing_keys (kid, algorithm, sealed_key, public_key)
             SELECT kid, 'EdDSA', sealed_key, public_key FROM feed_keys",
        )
        .await;
    let error = Keeper::of_test(&store).encrypted(&[1]).load(None).await.unwrap_err();
    assert!(matches!(error, KeysError::Unopened { .. }), "{error}");
}
