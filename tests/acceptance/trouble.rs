//! The issuer while its database is in trouble: what it answered with success stays true, all else is 503 with
//! `Retry-After`, and it comes back by itself.

mod books;
mod client;

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bearward_tests::client::Request;
use bearward_tests::deadline::eventually;
use bearward_tests::harness::database::{Open, TestDatabase, texts};
use bearward_tests::harness::{Issuer, database_server, is_longer_run};
use bearward_tests::link::{Fault, Link};
use bearward_tests::note::note;
use serde_json::json;
use xtask::directory::TemporaryDirectory;
use xtask::postgres::{Database, Shutdown};
use xtask::report::Report;

use self::books::Books;

/// What waits for a lock.
const WAITING: &str = "SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                       AND datname = current_database()";
/// Which readings of the keys do, and no other statement: by its transaction's beginning, each another.
const WAITING_READING: &str = "SELECT pid || ' ' || xact_start FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                               AND datname = current_database() AND query LIKE '%LEFT JOIN signing_keys ON retired_at IS NULL%'";
/// More than there are connections of the pool.
const CLIENTS: usize = 8;
/// Fewer connections than clients, so that one that is lost for good is missed.
/// And no limits: all clients come from one address.
const SETTINGS: [(&str, &str); 7] = [
    ("BEARWARD_DATABASE_CONNECTIONS", "4"),
    ("BEARWARD_LOGIN_DEADLINE_MS", "100"),
    ("BEARWARD_LOGIN_LIMIT", "off"),
    ("BEARWARD_LOGIN_ACCOUNT_LIMIT", "off"),
    ("BEARWARD_LOGIN_ADDRESS_LIMIT", "off"),
    ("BEARWARD_SIGNUP_LIMIT", "off"),
    ("BEARWARD_REFRESH_LIMIT", "off"),
];
/// How soon after the trouble it must be as before: the greatest wait for an answer, and some time on a busy machine.
const RECOVERY: Duration = Duration::from_secs(15);

/// Clients sign up, log in, refresh and log out, while `trouble` happens.
fn under_load(issuer: &Issuer, trouble: impl FnOnce(&Books)) -> Books {
    let (books, ended) = (Books::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    client::one_life(issuer.url(), &books);
                }
            });
        }
        // Also where an assertion fails: the clients would go on for ever.
        let _end = OnDrop(&ended);
        books.wait_for_lives(4);
        trouble(&books);
    });
    books
}

struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Waits until it answers as if nothing had happened, and says how long that took.
fn recovery(issuer: &Issuer) -> Duration {
    let begun = Instant::now();
    let login = json!({ "email": "nobody@example.com", "password": "mypassword123" });
    eventually("an issuer that is back", || {
        let ready = issuer.readiness() == Some(200);
        let answers = (0..4).map(|_| Request::post("/api/auth/login", &login).send(issuer.url()).status);
        (ready && answers.into_iter().all(|status| status == 401)).then_some(())
    });
    let took = begun.elapsed();
    assert!(took < RECOVERY, "it took {took:?}");
    took
}

#[test]
fn connections_that_are_cut_refused_slow_and_silent_lose_no_write_and_it_recovers_from_each() {
    let database = TestDatabase::create(&database_server());
    let link = Link::to(&database.url());
    let issuer = Issuer::start(&link.url(&database.url()), &SETTINGS);
    let mut told = Vec::new();
    let books = under_load(&issuer, |books| {
        for _ in 0..4 {
            assert!(link.cut() > 0, "the issuer holds connections");
            books.wait_for_lives(2);
        }
        told.push(format!("cut {:?}", recovery(&issuer)));

        link.set(Fault::Refuse);
        link.cut();
        books.wait_for_refusals(12);
        assert_eq!(issuer.readiness(), Some(503));
        link.set(Fault::None);
        told.push(format!("refused {:?}", recovery(&issuer)));

        link.set(Fault::Delay(Duration::from_millis(60)));
        books.wait_for_lives(4);
        // While it is slow, nearly every connection is in the middle of something.
        link.set(Fault::Silence);
        eventually("the end of readiness", || (issuer.readiness() == Some(503)).then_some(()));
        books.wait_for_refusals(16);
        link.set(Fault::None);
        told.push(format!("silent {:?}", recovery(&issuer)));
        books.wait_for_lives(4);
    });
    books.check(&database.url(), issuer.url());
    note(&format!("trouble on the way to PostgreSQL: {}; back after: {}", books.summary(), told.join(", ")));
}

#[test]
fn a_connection_that_falls_silent_within_a_statement_is_given_up_and_its_place_taken_by_another() {
    let database = TestDatabase::create(&database_server());
    let link = Link::to(&database.url());
    let settings = [("BEARWARD_DATABASE_CONNECTIONS", "1"), ("BEARWARD_LOGIN_DEADLINE_MS", "100")];
    let issuer = Issuer::start(&link.url(&database.url()), &settings);
    let lock = Open::after(&database.url(), "LOCK TABLE users IN EXCLUSIVE MODE");
    let account =
        json!({ "name": "User", "email": "u@example.com", "password": "mypassword123" }).to_string();
    let head = format!(
        "POST /api/auth/signup HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        account.len()
    );
    let mut client = TcpStream::connect(issuer.url().trim_start_matches("http://")).unwrap();
    client.write_all((head + &account).as_bytes()).unwrap();
    eventually("a signup that waits for the lock", || {
        (!texts(&database.url(), WAITING).unwrap().is_empty()).then_some(())
    });
    link.set(Fault::Silence);
    drop(lock);
    // Whoever does not wait any longer leaves the connection with a statement that was given up.
    drop(client);
    eventually("the end of readiness", || (issuer.readiness() == Some(503)).then_some(()));
    link.set(Fault::None);
    let took = recovery(&issuer);
    note(&format!("a silent connection: a new one took its place after {took:?}"));
}

#[test]
fn the_reading_of_the_keys_goes_on_after_a_connection_fell_silent_in_the_middle_of_it() {
    if !is_longer_run() {
        note("the reading of keys over a silent connection is tested by `cargo xtask test --all` alone");
        return;
    }
    let database = TestDatabase::create(&database_server());
    let link = Link::to(&database.url());
    let issuer = Issuer::start(&link.url(&database.url()), &SETTINGS);
    let lock = Open::after(&database.url(), "LOCK TABLE signing_keys");
    // A reading waits two seconds at most, and may end just before the way falls silent: that is none in the middle.
    eventually("a reading that waits for the lock while the way is silent", || {
        let reading = texts(&database.url(), WAITING_READING).unwrap();
        link.set(if reading.is_empty() { Fault::None } else { Fault::Silence });
        let still = texts(&database.url(), WAITING_READING).unwrap();
        reading.iter().any(|reading| still.contains(reading)).then_some(())
    });
    drop(lock);
    let said = "no answer within 10 s";
    eventually("its end", || issuer.log().contains(said).then_some(()));
    link.set(Fault::None);
    let published = || Request::get("/.well-known/jwks.json").send(issuer.url()).json()["keys"].clone();
    assert_eq!(published().as_array().unwrap().len(), 1);
    assert!(Issuer::command_says(&database.url(), &["keys", "rotate"]).contains("signs in"));
    eventually("the next key", || (published().as_array().unwrap().len() == 2).then_some(()));
}

#[test]
fn a_database_that_is_stopped_and_one_that_crashes_lose_no_write_and_the_issuer_finds_it_again() {
    let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
    let report = &mut Report::silent();
    let mut database = Database::durable(directory.path(), report).unwrap();
    let url = database.url().to_owned();
    let issuer = Issuer::start(&url, &SETTINGS);
    let mut told = Vec::new();
    let books = under_load(&issuer, |books| {
        for how in [Shutdown::Fast, Shutdown::Immediate] {
            // The order to stop comes in the middle of statements, the crash while one write follows the other.
            let lock = (how == Shutdown::Fast).then(|| Open::after(&url, "LOCK TABLE sessions"));
            if lock.is_some() {
                eventually("statements that wait for the lock", || {
                    (texts(&url, WAITING).unwrap().len() > 1).then_some(())
                });
            }
            database.stop(how, report).unwrap();
            drop(lock);
            books.wait_for_refusals(12);
            assert_eq!(issuer.readiness(), Some(503));
            database.resume(report).unwrap();
            told.push(format!("{how:?} {:?}", recovery(&issuer)));
            books.wait_for_lives(4);
        }
    });
    books.check(&url, issuer.url());
    note(&format!("PostgreSQL stopped and crashed: {}; back after: {}", books.summary(), told.join(", ")));
}
