//! When logins are answered, by a clock that stands still until it is moved.

use std::sync::mpsc;
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, advance};

use super::*;
use crate::command::user::testing::import;

const DEADLINE: Duration = Duration::from_millis(700);

/// `mypassword123` by bcryptjs 3.0.3.
const USERS: &str = r#"
{"name":"B","email":"bcrypt@example.com","password":"$2b$10$vrPai1MX7l4oAb7upYY0Ce0u71Lo9vScTdxndwVOVgb8IMmfr26OK","role":"customer"}
{"name":"D","email":"disabled@example.com","password":"$2b$10$vrPai1MX7l4oAb7upYY0Ce0u71Lo9vScTdxndwVOVgb8IMmfr26OK","role":"customer"}
"#;

/// Stops the clock. It would run by itself to the next timer whenever nothing is to be done, and what PostgreSQL does it
/// does not see; so a thread is kept waiting until this is dropped.
struct StoppedClock {
    _waiting: mpsc::Sender<()>,
}

impl StoppedClock {
    fn new() -> Self {
        tokio::time::pause();
        let (_waiting, waits) = mpsc::channel();
        spawn_blocking(move || waits.recv());
        Self { _waiting }
    }
}

/// An issuer whose answers come late, with users of every kind.
async fn issuing_late() -> Issuing {
    let (database, store) = TestDatabase::migrated().await;
    let ring = Keeper::of_test(&store).load(None).await.unwrap();
    let late = LoginDeadline::fixed(DEADLINE);
    let app = Arc::new(App { login_deadline: late, ..app(store, ring) });
    let issuing = Issuing { database, router: router(Arc::clone(&app)), app };
    issuing.post("/api/auth/signup", PRIYA.replace("priya@", "argon2id@")).await;
    import(&issuing.app.store, false, USERS).await;
    issuing.execute("UPDATE users SET disabled_at = now() WHERE email LIKE 'disabled@%'").await;
    issuing
}

fn begin(issuing: &Issuing, email: &str, password: &str) -> JoinHandle<Answer> {
    let (router, login) = (issuing.router.clone(), post("/api/auth/login", login(email, password)));
    tokio::spawn(async move { send(&router, login).await })
}

/// Lets real time pass, in which real work is done.
async fn a_moment() {
    spawn_blocking(|| std::thread::sleep(Duration::from_millis(2))).await.unwrap();
}

#[tokio::test]
async fn every_login_is_answered_at_the_same_deadline_after_one_hash() {
    let issuing = issuing_late().await;
    let _clock = StoppedClock::new();
    let decomposed = "mypa\u{308}ssword123";
    // What is expected: hashes, and deadlines. The hash that replaces one of bcrypt is the second of a success.
    for (email, password, status, hashes, deadlines) in [
        ("unknown@example.com", "mypassword123", 401, 1, 1),
        ("no\0body", "mypassword123", 401, 1, 1),
        ("argon2id@example.com", "mypassword124", 401, 1, 1),
        ("bcrypt@example.com", "mypassword124", 401, 1, 1),
        ("disabled@example.com", "mypassword124", 401, 1, 1),
        ("disabled@example.com", "mypassword123", 401, 1, 1),
        ("argon2id@example.com", "mypassword123", 200, 1, 1),
        ("unknown@example.com", decomposed, 401, 2, 2),
        ("argon2id@example.com", decomposed, 401, 2, 2),
        ("bcrypt@example.com", decomposed, 401, 2, 2),
        ("bcrypt@example.com", "mypassword123", 200, 2, 1),
        ("bcrypt@example.com", "mypassword123", 200, 1, 1),
    ] {
        let (arrival, computed) = (Instant::now(), issuing.app.hasher.computed());
        let login = begin(&issuing, email, password);
        while issuing.app.login_deadline.held() == 0 {
            assert!(!login.is_finished(), "{email} was answered before its deadline");
            a_moment().await;
        }
        assert_eq!(issuing.app.hasher.computed() - computed, hashes, "{email} {password}");
        advance(DEADLINE * deadlines - Duration::from_millis(1)).await;
        a_moment().await;
        assert!(!login.is_finished(), "{email} {password}");
        // Timers are rounded up to a whole millisecond of the runtime's life.
        advance(Duration::from_millis(2)).await;
        assert_eq!(login.await.unwrap().status, status, "{email} {password}");
        assert_eq!(arrival.elapsed(), DEADLINE * deadlines + Duration::from_millis(1));
    }
}

#[tokio::test]
async fn who_finds_the_hashers_full_is_answered_at_once() {
    let issuing = issuing_late().await;
    let _clock = StoppedClock::new();
    let _full = issuing.app.hasher.occupy();
    for email in ["unknown@example.com", "argon2id@example.com", "bcrypt@example.com"] {
        let arrival = Instant::now();
        let answer = begin(&issuing, email, "mypassword123").await.unwrap();
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers["retry-after"], "1");
        assert_eq!(arrival.elapsed(), Duration::ZERO);
    }
}
