//! What the issuer takes of a client, over raw sockets: how much, how many, how long.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use bearward_protocol::bounds::MAX_JSON_DEPTH;
use bearward_tests::deadline::PATIENCE;
use bearward_tests::harness::database::TestDatabase;
use bearward_tests::harness::{Issuer, database_server, is_longer_run};
use bearward_tests::note::note;
use rustix::process::{Resource, getrlimit, setrlimit};

/// The largest body, in bytes.
const MAX_BODY_BYTES: usize = 8 * 1024;
/// The longest head, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;
const MAX_CONNECTIONS: usize = 512;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(5);
/// How long a head may take, and a connection stand idle.
const HEAD_TIME: Duration = Duration::from_secs(75);
/// How much later than its time something may come on a busy machine.
const LATE: Duration = Duration::from_secs(5);
/// An answer to what was refused without waiting for anything.
const AT_ONCE: Duration = Duration::from_secs(2);

struct Running {
    // Dropped in this order.
    issuer: Issuer,
    _database: TestDatabase,
}

impl Running {
    fn start() -> Self {
        let database = TestDatabase::create(&database_server());
        let issuer = Issuer::start(&database.url(), &[("BEARWARD_LOGIN_DEADLINE_MS", "100")]);
        Self { issuer, _database: database }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.issuer.url().trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(HEAD_TIME + PATIENCE)).unwrap();
        stream
    }

    /// All that is answered until the connection ends, and how long that took.
    fn exchange(&self, sent: &[u8]) -> (String, Duration) {
        let mut stream = self.connect();
        let begun = Instant::now();
        stream.write_all(sent).unwrap();
        (rest(&mut stream), begun.elapsed())
    }
}

fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn signup(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /api/auth/signup HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn get(headers: usize, filling: usize) -> Vec<u8> {
    let mut request = b"GET /none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n".to_vec();
    request.extend((2..headers).flat_map(|_| *b"x: y\r\n"));
    request.extend_from_slice(b"filling: ");
    request.resize(request.len() + filling, b'x');
    request.extend_from_slice(b"\r\n\r\n");
    request
}

#[test]
fn bodies_heads_and_documents_are_taken_up_to_their_bounds_and_refused_at_once_beyond() {
    let running = Running::start();
    let nested = |depth: usize| format!(r#"{{"name":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let filled = |bytes: usize| format!(r#"{{"name":"{}"}}"#, "x".repeat(bytes - 11));
    let too_deep = "Request body must be one JSON object without duplicate members";
    for (what, request, status, said) in [
        ("a body at its bound", signup(&filled(MAX_BODY_BYTES)), "400", "Name must"),
        ("a body beyond", signup(&filled(MAX_BODY_BYTES + 1)), "413", "Request body too large"),
        ("a document at its depth", signup(&nested(MAX_JSON_DEPTH - 1)), "400", "Name must be a string"),
        ("a document beyond", signup(&nested(MAX_JSON_DEPTH)), "400", too_deep),
        ("an unknown field", signup(r#"{"role":"admin"}"#), "400", "Unknown field `role`"),
        ("a member twice", signup(r#"{"name":"a","name":"b"}"#), "400", too_deep),
        ("as many headers as there may be", get(MAX_HEADERS - 1, 1), "404", "Not found"),
        ("one more", get(MAX_HEADERS, 1), "431", ""),
        ("a head near its bound", get(2, MAX_HEAD_BYTES - 1024), "404", "Not found"),
        // One that is complete with the last read goes through: nothing more is kept for it.
        ("a head well beyond", get(2, 2 * MAX_HEAD_BYTES), "431", ""),
    ] {
        let (answer, took) = running.exchange(&request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(said),
            "{what}: {answer}"
        );
        assert!(took < AT_ONCE, "{what}: {took:?}");
    }
}

#[test]
fn a_body_that_does_not_come_is_given_up_at_its_time() {
    let running = Running::start();
    let whole = signup(r#"{"name":"User"}"#);
    let begun = Instant::now();
    let in_time = |answer: &str| {
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("Request body too slow"), "{answer}");
        assert!((BODY_TIME..BODY_TIME + LATE).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    };
    thread::scope(|scope| {
        scope.spawn(|| in_time(&running.exchange(&whole[..whole.len() - 1]).0));
        // Nor is there more time for one that comes byte by byte.
        let mut dripping = running.connect();
        let mut stream = dripping.try_clone().unwrap();
        let in_time = &in_time;
        scope.spawn(move || in_time(&rest(&mut stream)));
        for byte in &whole {
            if dripping.write_all(&[*byte]).is_err() || begun.elapsed() > BODY_TIME + LATE {
                break;
            }
            // Quickly through the head, which has no such byte.
            thread::sleep(if *byte == b'"' { Duration::from_millis(1_500) } else { Duration::ZERO });
        }
    });
}

#[test]
fn one_connection_more_than_there_may_be_waits_until_another_ends() {
    // Both ends of this test are this machine's: more files than a process usually may have open.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit }).unwrap();
    let running = Running::start();
    let mut taken: Vec<_> = (0..MAX_CONNECTIONS).map(|_| running.connect()).collect();
    // The last one that is taken is answered, so all are.
    let ask = |stream: &mut TcpStream| {
        stream.write_all(b"GET /none HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    };
    let answer = |stream: &mut TcpStream| {
        let mut begin = [0; 12];
        stream.read_exact(&mut begin).map(|()| String::from_utf8_lossy(&begin).into_owned())
    };
    let last = taken.last_mut().unwrap();
    ask(last);
    assert_eq!(answer(last).unwrap(), "HTTP/1.1 404");
    let mut waiting = running.connect();
    ask(&mut waiting);
    waiting.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let kind = answer(&mut waiting).unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{kind}");
    drop(taken.pop());
    waiting.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(answer(&mut waiting).unwrap(), "HTTP/1.1 404");
    assert_eq!(running.issuer.readiness(), Some(200), "probes have connections of their own");
}

#[test]
fn a_head_that_does_not_come_and_an_idle_connection_have_their_time_and_no_more() {
    if !is_longer_run() {
        note("how long the issuer waits for a head is measured by `cargo xtask test --all` alone");
        return;
    }
    let running = Running::start();
    let whole = "GET /none HTTP/1.1\r\nhost: x\r\n\r\n";
    thread::scope(|scope| {
        for sent in ["", "GET /none HTTP/1.1\r\nhost:", whole] {
            let running = &running;
            scope.spawn(move || {
                let (answer, took) = running.exchange(sent.as_bytes());
                assert_eq!(answer.starts_with("HTTP/1.1 404"), sent == whole, "{answer}");
                assert!((HEAD_TIME..HEAD_TIME + LATE).contains(&took), "{took:?}");
            });
        }
    });
}
