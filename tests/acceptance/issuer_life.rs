//! The issuer's start and stop, seen from outside its process.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bearward_tests::client::Request;
use bearward_tests::deadline::{PATIENCE, eventually};
use bearward_tests::harness::database::{Open, TestDatabase};
use bearward_tests::harness::{Issuer, database_server, is_longer_run};
use bearward_tests::link::{Fault, Link};
use bearward_tests::note::note;
use serde_json::json;
use xtask::process::Signal;

/// The longest stop, and some time on a busy machine.
const LONGEST_STOP: Duration = Duration::from_secs(13 + 5);

const SETTINGS: [(&str, &str); 1] = [("BEARWARD_LOGIN_DEADLINE_MS", "100")];

/// A login whose head has been read and whose body has not been sent.
struct LoginInFlight(TcpStream);

const BODY: &str = r#"{"email":"nobody@example.com","password":"mypassword123"}"#;

impl LoginInFlight {
    fn begin(issuer: &Issuer) -> Self {
        let mut stream = connect(issuer);
        let head = format!(
            "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             expect: 100-continue\r\n\r\n",
            BODY.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // Sent when the body is waited for (RFC 9110 section 10.1.1), so the request is being worked on.
        let mut answer = [0; 25];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
        Self(stream)
    }

    fn finish(mut self) -> String {
        self.0.write_all(BODY.as_bytes()).unwrap();
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn connect(issuer: &Issuer) -> TcpStream {
    let stream = TcpStream::connect(issuer.url().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn is_refused(issuer: &Issuer) -> bool {
    TcpStream::connect(issuer.url().trim_start_matches("http://"))
        .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[test]
fn a_login_in_flight_is_answered_after_sigterm_while_readiness_is_off_and_nobody_is_taken_any_more() {
    let database = TestDatabase::create(&database_server());
    for signal in [Signal::TERM, Signal::INT] {
        let mut issuer = Issuer::start(&database.url(), &SETTINGS);
        let in_flight = LoginInFlight::begin(&issuer);
        issuer.signal(signal);
        let begun = Instant::now();
        eventually("the end of readiness", || (issuer.readiness() == Some(503)).then_some(()));
        // Whoever has not yet looked at readiness is served, and told to go.
        let late = Request::get("/.well-known/jwks.json").exactly().send(issuer.url());
        assert_eq!((late.status, late.header("connection").as_deref()), (200, Some("close")));
        eventually("the end of listening", || is_refused(&issuer).then_some(()));
        assert_eq!(issuer.readiness(), Some(503), "probes are answered to the end");
        let answer = in_flight.finish();
        assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("connection: close\r\n"), "{answer}");
        assert_eq!(issuer.end().code(), Some(0));
        assert!(begun.elapsed() < LONGEST_STOP, "{:?}", begun.elapsed());
        assert!(issuer.log().contains("stopped"), "{}", issuer.log());
    }
}

#[test]
fn a_second_signal_ends_the_issuer_at_once_with_exit_code_1() {
    let database = TestDatabase::create(&database_server());
    let mut issuer = Issuer::start(&database.url(), &SETTINGS);
    let in_flight = LoginInFlight::begin(&issuer);
    issuer.signal(Signal::TERM);
    eventually("the first signal's line", || issuer.log().contains("stopping").then_some(()));
    let begun = Instant::now();
    issuer.signal(Signal::TERM);
    assert_eq!(issuer.end().code(), Some(1));
    // The body of the login has five seconds, which nobody waits for.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(issuer.log().contains("ended by a second signal"), "{}", issuer.log());
    drop(in_flight);
}

#[test]
fn a_client_that_neither_finishes_nor_goes_holds_a_stop_up_for_its_bound_and_no_longer() {
    if !is_longer_run() {
        note(
            "how long a client can hold up a stop of the issuer is measured by `cargo xtask test --all` alone",
        );
        return;
    }
    let database = TestDatabase::create(&database_server());
    let mut issuer = Issuer::start(&database.url(), &SETTINGS);
    let mut half = connect(&issuer);
    half.write_all(b"GET /api/auth/me HTTP/1.1\r\nhost:").unwrap();
    let stalled = LoginInFlight::begin(&issuer);
    issuer.signal(Signal::TERM);
    let begun = Instant::now();
    assert_eq!(issuer.end().code(), Some(0));
    assert!(begun.elapsed() < LONGEST_STOP, "{:?}", begun.elapsed());
    drop(stalled);
}

#[test]
fn a_start_with_the_database_away_waits_says_so_and_goes_on_by_itself() {
    let database = TestDatabase::create(&database_server());
    let link = Link::to(&database.url());
    for fault in [Fault::Refuse, Fault::Silence] {
        link.set(fault);
        let issuer = Issuer::begin(&link.url(&database.url()), &SETTINGS);
        let said = "PostgreSQL is away, waiting for it";
        eventually("a word of waiting", || issuer.log().contains(said).then_some(()));
        assert_eq!(issuer.readiness(), Some(503));
        assert_eq!(Request::get("/livez").send(issuer.internal_url()).status, 200);
        let answer = Request::get("/.well-known/jwks.json").exactly().send(issuer.url());
        assert_eq!((answer.status, answer.header("retry-after").as_deref()), (503, Some("1")));
        assert_eq!(issuer.log().matches(said).count(), 1, "said once");
        link.set(Fault::None);
        let issuer = issuer.ready();
        let account =
            json!({ "name": "User", "email": format!("{fault:?}@example.com"), "password": "mypassword123" });
        assert_eq!(Request::post("/api/auth/signup", &account).send(issuer.url()).status, 201);
    }
}

#[test]
fn a_start_that_finds_no_database_in_time_fails_and_names_it() {
    let settings = [("BEARWARD_DATABASE_WAIT_SECONDS", "1")];
    let mut issuer = Issuer::begin("postgres://u:hunter2@127.0.0.1:1/d", &settings);
    assert_eq!(issuer.end().code(), Some(1));
    let log = issuer.log();
    assert!(log.contains("127.0.0.1:1 was not reached within 1 s") && !log.contains("hunter2"), "{log}");
}

#[test]
fn a_start_that_loses_the_database_half_way_tries_again() {
    let database = TestDatabase::create(&database_server());
    drop(Issuer::start(&database.url(), &SETTINGS));
    let lock = Open::after(&database.url(), "LOCK TABLE signing_keys");
    let issuer = Issuer::begin(&database.url(), &SETTINGS);
    let said = "PostgreSQL does not do what a start needs, trying again";
    eventually("a word of another attempt", || issuer.log().contains(said).then_some(()));
    assert_eq!(issuer.readiness(), Some(503));
    drop(lock);
    let issuer = issuer.ready();
    assert_eq!(issuer.log().matches(said).count(), 1);
}

#[test]
fn a_signal_ends_a_start_that_still_waits() {
    let database = TestDatabase::create(&database_server());
    let link = Link::to(&database.url());
    link.set(Fault::Silence);
    let mut issuer = Issuer::begin(&link.url(&database.url()), &SETTINGS);
    issuer.signal(Signal::TERM);
    let begun = Instant::now();
    assert_eq!(issuer.end().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}
