//! HTTP/2 on both sides of the proxy.

mod frames;

use std::thread;

use bearward_tests::client::Request;
use bearward_tests::client::http2::Http2;
use bearward_tests::harness::{Proxy, Setup};
use bearward_tests::issuer::KeyIssuer;
use bearward_tests::recorder::Http2Recorder;

use self::frames::Fate;

/// A value that no honest part of the stack says.
const FORGERY: &str = "forged";

/// The shipped configuration before an upstream that speaks HTTP/2.
pub(crate) fn setup() -> Setup {
    Setup::shipped().without_revocations().edit(
        "    - name: upstream\n",
        "    - name: upstream
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: {} }\n",
    )
}

/// A gate that has its keys.
pub(crate) fn gate(setup: &Setup, issuer: &KeyIssuer, upstream: &Http2Recorder) -> Proxy {
    let proxy = setup.start_envoy(issuer.address(), upstream.address()).unwrap_or_else(|log| panic!("{log}"));
    issuer.wait_until_known(proxy.url());
    proxy
}

#[test]
fn every_stream_of_a_connection_gets_the_decision_that_its_request_deserves() {
    let (issuer, upstream) = (KeyIssuer::start(), Http2Recorder::start());
    let proxy = gate(&setup(), &issuer, &upstream);
    let token = issuer.token("user-1", &["customer", "rider"]);
    let connection = Http2::connect(proxy.url());
    for (request, status, code) in [
        (Request::get("/api/menu"), 200, None),
        (Request::get("/api/orders").bearer(&token), 200, None),
        (Request::get("/api/orders"), 401, Some("token_missing")),
        (Request::get("/api/orders").bearer("this.is.fake"), 401, Some("token_malformed")),
        (Request::new("DELETE", "/api/menu/1").bearer(&token), 403, Some("role_missing")),
        (Request::get("/api/payments").bearer(&token), 403, Some("no_rule")),
        (Request::get("/api//orders").bearer(&token), 400, Some("path_ambiguous")),
    ] {
        let answer = connection.send(&request).unwrap();
        assert_eq!((answer.status, answer.code().as_deref()), (status, code), "{request}");
        assert_eq!(answer.challenge().is_some(), status == 401 || code == Some("role_missing"), "{request}");
        let seen = upstream.take();
        assert_eq!(seen.len(), usize::from(status == 200), "{request}: {seen:?}");
        let identified = status == 200 && request.to_string().contains("orders");
        for (name, value) in
            [("USER_ID", "user-1"), ("USER_ROLES", "customer,rider"), ("USER_ISSUER", "bearward")]
        {
            let expected: &[&str] = if identified { &[value] } else { &[] };
            let values = seen.iter().flat_map(|seen| seen.values(&format!("HTTP_X_{name}")));
            assert_eq!(values.collect::<Vec<_>>(), expected, "{request}: {name}");
        }
    }
}

#[test]
fn identity_headers_of_the_client_are_removed_from_headers_and_trailers() {
    let (issuer, upstream) = (KeyIssuer::start(), Http2Recorder::start());
    // Underscores are let through, so that the filter alone stands against them.
    let lenient = setup()
        .edit("headers_with_underscores_action: REJECT_REQUEST", "headers_with_underscores_action: ALLOW");
    let proxy = gate(&lenient, &issuer, &upstream);
    let token = issuer.token("user-1", &["customer"]);
    let connection = Http2::connect(proxy.url());
    for name in ["x-user-id", "x_user_id", "x-user_roles", "x-user-issuer", "x-original-url", "x-http-method"]
    {
        for as_trailer in [false, true] {
            let request = Request::new("POST", "/api/orders")
                .bearer(&token)
                .header("x-kept", "header")
                .body("x")
                .trailer("x-kept-too", "trailer");
            let request =
                if as_trailer { request.trailer(name, FORGERY) } else { request.header(name, FORGERY) };
            let answer = connection.send(&request).unwrap();
            assert_eq!((answer.status, answer.text().as_str()), (200, "x"), "{name}");
            let seen = upstream.take();
            assert_eq!(seen.len(), 1, "{name}");
            for (variable, value) in &seen[0].variables {
                assert_ne!(value, FORGERY, "{name} reached the upstream as {variable}");
            }
            assert_eq!(seen[0].values("HTTP_X_USER_ID"), ["user-1"], "{name}");
            assert_eq!(seen[0].values("HTTP_X_KEPT"), ["header"], "other headers pass");
            assert_eq!(seen[0].values("HTTP_X_KEPT_TOO"), ["trailer"], "other trailers pass");
        }
    }
}

/// As many as the configuration allows, all begun before one has ended.
#[test]
fn a_hundred_streams_at_once_are_each_judged_on_their_own() {
    let (issuer, upstream) = (KeyIssuer::start(), Http2Recorder::start());
    let proxy = gate(&setup(), &issuer, &upstream);
    let connection = Http2::connect(proxy.url());
    let requests: Vec<_> = (0..100)
        .map(|n| {
            let request = Request::new("POST", "/api/orders").body(format!("order {n}"));
            match n % 4 {
                0 => request.bearer(&issuer.token(&format!("user-{n}"), &["customer"])),
                1 => request,
                2 => request.bearer("this.is.fake"),
                _ => Request::get("/api/payments").header("x-user-id", FORGERY),
            }
        })
        .collect();
    for round in 1..=2 {
        for (n, answer) in connection.exchange_all(&requests).into_iter().enumerate() {
            let answer = answer.unwrap_or_else(|error| panic!("round {round}, stream {n}: {error}")).response;
            let expected = [200, 401, 401, 403][n % 4];
            assert_eq!(answer.status, expected, "round {round}, stream {n}: {}", answer.text());
            if expected == 200 {
                assert_eq!(answer.text(), format!("order {n}"), "each answer belongs to its request");
            }
        }
        let mut seen: Vec<_> =
            upstream.take().iter().map(|seen| seen.values("HTTP_X_USER_ID").join(" and ")).collect();
        let mut expected: Vec<_> = (0..100).step_by(4).map(|n| format!("user-{n}")).collect();
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected, "round {round}: who was let in, and nobody else");
    }
}

/// What no client library says: the frames are written byte by byte.
#[test]
fn names_and_values_that_http2_forbids_never_reach_the_upstream() {
    let (issuer, upstream) = (KeyIssuer::start(), Http2Recorder::start());
    let lenient = setup()
        .edit("headers_with_underscores_action: REJECT_REQUEST", "headers_with_underscores_action: ALLOW");
    let proxy = gate(&lenient, &issuer, &upstream);
    let ask = |name, value| frames::get(proxy.url(), "/api/menu", &[(name, value)]);
    assert_eq!(
        ask("x-kept", "header"),
        Fate::Answered("200".to_owned()),
        "nothing else is wrong with the frames"
    );
    assert_eq!(upstream.take()[0].values("HTTP_X_KEPT"), ["header"]);
    let forbidden = [
        ("X-User-Id", FORGERY),
        ("x-User-id", FORGERY),
        ("x-user-id ", FORGERY),
        (" x-user-id", FORGERY),
        ("x-user-id:", FORGERY),
        ("x-user-id\0", FORGERY),
        ("x-user-id\r\n", FORGERY),
        ("", FORGERY),
        (":x-user-id", FORGERY),
        ("x-kept", "a\r\nx-user-id: forged"),
        ("x-kept", "a\nx-user-id: forged"),
        ("x-kept", "a\0forged"),
        ("connection", "x-user-id"),
        ("transfer-encoding", "chunked"),
    ];
    // All at once: before it closes such a connection, Envoy lingers for a second.
    thread::scope(|scope| {
        for (name, value) in forbidden {
            scope.spawn(move || {
                assert_ne!(ask(name, value), Fate::Answered("200".to_owned()), "{name:?}: {value:?}");
            });
        }
    });
    assert_eq!(upstream.take(), []);
    assert_eq!(ask("x-kept", "header"), Fate::Answered("200".to_owned()), "and the gate is as before");
}
