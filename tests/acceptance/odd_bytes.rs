use bearward_tests::client::Request;
use bearward_tests::harness::Setup;
use bearward_tests::recorder::Recorder;

/// Bytes that are no UTF-8: a lone continuation, an overlong form, a surrogate, what is never in UTF-8.
const NO_TEXT: [&[u8]; 4] = [b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xff\xfe\xfd"];

/// One worker: whatever one request does to it, the next one meets.
#[test]
fn bytes_that_are_no_text_are_refused_and_the_next_request_is_served_by_the_same_worker() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let customer = gate.customer();
    let good = Request::get("/api/orders").bearer(&customer.token);
    for bytes in NO_TEXT {
        let orders = || Request::get("/api/orders").exactly();
        for value in [
            [b"Bearer ", bytes].concat(),
            [b"Bearer ", customer.token.as_bytes(), bytes].concat(),
            [bytes, b" ", customer.token.as_bytes()].concat(),
            bytes.to_vec(),
        ] {
            let answer = orders().header("authorization", &value).send(gate.url());
            assert!(matches!(answer.status, 400 | 401), "{}: {}", value.escape_ascii(), answer.text());
            assert_eq!(recorder.take(), []);
            assert_eq!(good.send(gate.url()).status, 200, "after {}", value.escape_ascii());
            assert_eq!(recorder.take_one().values("HTTP_X_USER_ID"), [customer.id.as_str()]);
        }
        // Where nobody asks for them, they are the upstream's affair.
        for name in ["x-anything", "cookie", "user-agent", "x-user-id", "authorization"] {
            let answer = Request::get("/api/menu").exactly().header(name, bytes).send(gate.url());
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            assert_eq!(recorder.take_one().values("HTTP_X_USER_ID"), [""; 0]);
        }
    }
}

/// Envoy joins them by a comma before anybody sees them.
#[test]
fn more_than_one_set_of_credentials_is_refused() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let customer = gate.customer();
    let bearer = format!("Bearer {}", customer.token);
    for second in ["Basic eDp5", "Bearer this.is.fake", bearer.as_str()] {
        let both = |first: &str, second: &str| {
            let request = Request::get("/api/orders").exactly();
            request.header("authorization", first).header("authorization", second).send(gate.url())
        };
        let answer = both(&bearer, second);
        assert_eq!(
            (answer.status, answer.code().as_deref()),
            (400, Some("credentials_ambiguous")),
            "{second}"
        );
        assert!(answer.challenge().unwrap().contains("error=\"invalid_request\""));
        let answer = both(second, &bearer);
        assert!(matches!(answer.status, 400 | 401), "{second} first: {}", answer.text());
    }
    assert_eq!(recorder.take(), []);
}

#[test]
fn a_token_larger_than_any_that_we_look_at_is_refused() {
    let gate = Setup::shipped().start();
    let customer = gate.customer();
    let answer = Request::get("/api/orders")
        .bearer(&format!("{}{}", customer.token, "A".repeat(8 * 1024)))
        .send(gate.url());
    assert_eq!(answer.status, 401);
    assert_eq!(answer.code().as_deref(), Some("token_too_large"));
}
