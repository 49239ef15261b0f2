//! When logins are answered, by a clock that stands still until it is moved.

use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use hyper::body::Frame;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, Sleep, advance, sleep};

use super::*;
use crate::command::user::testing::import;

const DEADLINE: Duration = Duration::from_millis(700);
/// How many may be among the hashers.
const PLACES: usize = 10;

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
    issuing_late_with(limits()).await
}

async fn issuing_late_with(limits: ThrottleSettings) -> Issuing {
    let (database, store) = TestDatabase::migrated().await;
    let ring = Keeper::of_test(&store).load(None).await.unwrap();
    let late = LoginDeadline::fixed(DEADLINE);
    let app = Arc::new(App { login_deadline: late, throttle: throttle(limits), ..app(store, ring) });
    let issuing = Issuing { database, router: router(Arc::clone(&app)), app };
    issuing.post("/api/auth/signup", PRIYA.replace("priya@", "argon2id@")).await;
    import(&issuing.app.store, false, USERS).await;
    issuing.execute("UPDATE users SET disabled_at = now() WHERE email LIKE 'disabled@%'").await;
    issuing
}

/// Whom there is and whom there is not.
const EVERYBODY: [&str; 5] =
    ["unknown@example.com", "no\0body", "argon2id@example.com", "bcrypt@example.com", "disabled@example.com"];

fn begin(issuing: &Issuing, email: &str, password: &str) -> JoinHandle<Answer> {
    let (router, login) = (issuing.router.clone(), post("/api/auth/login", login(email, password)));
    tokio::spawn(async move { send(&router, login).await })
}

/// Lets real time pass, in which real work is done.
async fn a_moment() {
    spawn_blocking(|| std::thread::sleep(Duration::from_millis(2))).await.unwrap();
}

/// Logs in, demands that the answer comes at this time after the login and not before, and counts the hashes.
async fn answered(issuing: &Issuing, email: &str, password: &str, after: Duration) -> (Answer, usize) {
    slowed_and_answered(issuing, begin(issuing, email, password), Duration::ZERO, after).await
}

/// The same of a login that is slowed first.
async fn slowed_and_answered(
    issuing: &Issuing,
    login: JoinHandle<Answer>,
    delay: Duration,
    after: Duration,
) -> (Answer, usize) {
    let (arrival, computed) = (Instant::now(), issuing.app.hasher.computed());
    let (throttle, hasher) = (&issuing.app.throttle, &issuing.app.hasher);
    if !delay.is_zero() {
        until(&login, || throttle.slowed() == 1).await;
        let places = (hasher.places(), hasher.clients());
        advance(delay - Duration::from_millis(1)).await;
        a_moment().await;
        assert_eq!((throttle.slowed(), places), (1, (PLACES, 0)), "who waits has no place among the hashers");
        advance(Duration::from_millis(2)).await;
    }
    until(&login, || issuing.app.login_deadline.held() == 1).await;
    let computed = hasher.computed() - computed;
    advance(after + delay - Duration::from_millis(1) - arrival.elapsed()).await;
    a_moment().await;
    assert!(!login.is_finished(), "answered before {after:?}");
    // Timers are rounded up to a whole millisecond of the runtime's life.
    advance(Duration::from_millis(2)).await;
    let answer = login.await.unwrap();
    assert_eq!(arrival.elapsed(), after + delay + Duration::from_millis(1));
    (answer, computed)
}

async fn until(login: &JoinHandle<Answer>, is_so: impl Fn() -> bool) {
    let begin = std::time::Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(30), "what is waited for does not come");
        assert!(!login.is_finished(), "answered before its deadline");
        a_moment().await;
    }
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
        let (answer, computed) = answered(&issuing, email, password, DEADLINE * deadlines).await;
        assert_eq!((answer.status.as_u16(), computed), (status, hashes), "{email} {password}");
    }
}

#[tokio::test]
async fn who_waits_for_the_hashers_is_answered_as_much_later_whoever_he_is() {
    const QUEUED: Duration = Duration::from_millis(600);
    let issuing = issuing_late().await;
    let _clock = StoppedClock::new();
    let (hasher, deadline) = (&issuing.app.hasher, &issuing.app.login_deadline);
    let (stopped, arrival) = (hasher.stop_workers(), Instant::now());
    let emails = ["unknown@example.com", "bcrypt@example.com"];
    let logins = emails.map(|email| begin(&issuing, email, "mypassword124"));
    until(&logins[0], || hasher.places() == PLACES - 2).await;
    advance(QUEUED).await;
    drop(stopped);
    // With its hash, the slower one of them misses the deadline that the faster one meets.
    until(&logins[0], || deadline.held() > 0).await;
    advance(DEADLINE - QUEUED + Duration::from_millis(50)).await;
    until(&logins[0], || deadline.held() == 2).await;
    advance(QUEUED + DEADLINE - Duration::from_millis(1) - arrival.elapsed()).await;
    a_moment().await;
    assert!(!logins.iter().any(JoinHandle::is_finished), "answered at the deadline of who did not wait");
    advance(Duration::from_millis(2)).await;
    for login in logins {
        assert_eq!(login.await.unwrap().status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(arrival.elapsed(), QUEUED + DEADLINE + Duration::from_millis(1));
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

#[tokio::test]
async fn a_login_that_is_refused_for_its_account_is_answered_at_the_same_deadline_without_a_hash() {
    let one = ThrottleSettings { login: Limit::parse("1/900").unwrap(), ..limits() };
    let issuing = issuing_late_with(one).await;
    let _clock = StoppedClock::new();
    for email in EVERYBODY {
        for (password, status, hashes) in
            [("mypassword124", 401, 1), ("mypassword124", 429, 0), ("mypassword123", 429, 0)]
        {
            let (answer, computed) = answered(&issuing, email, password, DEADLINE).await;
            assert_eq!((answer.status.as_u16(), computed), (status, hashes), "{email} {password}");
        }
    }
}

#[tokio::test]
async fn a_login_that_is_refused_for_its_address_is_answered_at_once() {
    let one = ThrottleSettings { login_address: Limit::parse("1/900").unwrap(), ..limits() };
    let issuing = issuing_late_with(one).await;
    let _clock = StoppedClock::new();
    answered(&issuing, "unknown@example.com", "mypassword124", DEADLINE).await;
    for email in EVERYBODY {
        let arrival = Instant::now();
        let answer = begin(&issuing, email, "mypassword123").await.unwrap();
        assert_eq!((answer.status, arrival.elapsed()), (StatusCode::TOO_MANY_REQUESTS, Duration::ZERO));
    }
}

#[tokio::test]
async fn an_account_that_is_guessed_at_from_everywhere_answers_later_and_later_and_lets_its_user_in() {
    let few = ThrottleSettings { login: None, login_account: Limit::parse("2/900").unwrap(), ..limits() };
    let issuing = issuing_late_with(few).await;
    let _clock = StoppedClock::new();
    let log_in = async |email: &str, password: &str, delay: u64| {
        let login = begin(&issuing, email, password);
        slowed_and_answered(&issuing, login, Duration::from_millis(delay), DEADLINE).await
    };
    for email in EVERYBODY {
        for delay in [0, 0, 250, 500] {
            let (answer, computed) = log_in(email, "mypassword124", delay).await;
            assert_eq!((answer.status.as_u16(), computed), (401, 1), "{email}");
        }
    }
    // A right password gets in. It is taken back, and the guesses are not.
    for _ in 0..2 {
        assert_eq!(log_in("argon2id@example.com", "mypassword123", 750).await.0.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_delay_has_an_end_below_the_time_of_a_request() {
    let few = ThrottleSettings {
        login: None,
        login_address: None,
        login_account: Limit::parse("1/900").unwrap(),
        ..limits()
    };
    let issuing = issuing_late_with(few).await;
    begin(&issuing, "argon2id@example.com", "mypassword124").await.unwrap();
    issuing.execute("UPDATE throttle SET ends_at = now() + interval '1 year'").await;
    let _clock = StoppedClock::new();
    let login = begin(&issuing, "argon2id@example.com", "mypassword123");
    let (answer, _) = slowed_and_answered(&issuing, login, Duration::from_secs(5), DEADLINE).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// A body that arrives late.
struct LateBody {
    late: Pin<Box<Sleep>>,
    bytes: Option<Bytes>,
}

impl HttpBody for LateBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        ready!(self.late.as_mut().poll(context));
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[tokio::test]
async fn a_slow_body_takes_its_time_from_the_delay_and_not_from_the_answer() {
    const LATE: Duration = Duration::from_secs(4);
    let few = ThrottleSettings { login: None, login_account: Limit::parse("1/900").unwrap(), ..limits() };
    let issuing = issuing_late_with(few).await;
    begin(&issuing, "argon2id@example.com", "mypassword124").await.unwrap();
    issuing.execute("UPDATE throttle SET ends_at = now() + interval '1 year' WHERE ends_at > now() + interval '800 s'").await;
    let _clock = StoppedClock::new();
    let (arrival, throttle) = (Instant::now(), &issuing.app.throttle);
    let text = login("argon2id@example.com", "mypassword123");
    let body = LateBody { late: Box::pin(sleep(LATE)), bytes: Some(text.into()) };
    let (router, request) = (issuing.router.clone(), post("/api/auth/login", Body::new(body)));
    let login = tokio::spawn(async move { send(&router, request).await });
    a_moment().await;
    advance(LATE + Duration::from_millis(1)).await;
    until(&login, || throttle.slowed() == 1).await;
    // Nine seconds after the request at the latest: without the body it would wait for five.
    advance(Duration::from_secs(9) - DEADLINE - arrival.elapsed() + Duration::from_millis(1)).await;
    until(&login, || issuing.app.login_deadline.held() == 1).await;
    advance(DEADLINE).await;
    assert_eq!(login.await.unwrap().status, StatusCode::OK);
    assert!(arrival.elapsed() < Duration::from_millis(9_005), "{:?}", arrival.elapsed());
}
