use bearward_tests::client::Request;
use bearward_tests::client::http2::Http2;
use bearward_tests::harness::Setup;
use bearward_tests::issuer::KeyIssuer;
use bearward_tests::recorder::{GRPC_TRAILERS, Http2Recorder};

use crate::http2;

/// A message of three bytes: not compressed, its length, and then itself.
const MESSAGE: &[u8] = b"\0\0\0\0\x03\x08\x96\x01";

/// gRPC's own codes: 16 UNAUTHENTICATED, 7 PERMISSION_DENIED, 3 INVALID_ARGUMENT.
#[test]
fn a_grpc_client_is_refused_in_its_own_terms() {
    let gate = Setup::shipped().start();
    let customer = gate.customer();
    let call = |method, path: &str| {
        Request::new(method, path)
            .header("content-type", "application/grpc+proto")
            .header("te", "trailers")
            .exactly()
    };
    for (request, code, message) in [
        (call("POST", "/api/orders"), "16", "No token provided"),
        (call("POST", "/api/orders").bearer("this.is.fake"), "16", "Invalid token"),
        (call("DELETE", "/api/menu/1").bearer(&customer.token), "7", "Not authorized"),
        (call("POST", "/restaurant.Orders/Place"), "7", "Not authorized"),
        (call("POST", "/api//orders"), "3", "Ambiguous path"),
    ] {
        let answer = request.send(gate.url());
        assert_eq!(answer.status, 200, "{request}: the status of gRPC stands in its own header");
        assert_eq!(answer.header("grpc-status").as_deref(), Some(code), "{request}");
        assert_eq!(answer.header("grpc-message").as_deref(), Some(message), "{request}");
        assert_eq!(answer.header("content-type").as_deref(), Some("application/grpc"), "{request}");
        assert_eq!(answer.text(), "", "{request}: no problem body");
    }
}

/// In HTTP/2 a refusal is a response of trailers only: one frame with all headers, `grpc-status` among them, that ends
/// the stream. A client that found it elsewhere would report an unknown error.
#[test]
fn over_http2_a_refusal_is_a_response_of_trailers_only() {
    let (issuer, upstream) = (KeyIssuer::start(), Http2Recorder::start());
    let proxy = http2::gate(&http2::setup(), &issuer, &upstream);
    let token = issuer.token("user-1", &["customer"]);
    let connection = Http2::connect(proxy.url());
    for (request, code, message) in [
        (call("/api/orders"), "16", "No token provided"),
        (call("/api/orders").bearer("this.is.fake"), "16", "Invalid token"),
        (call("/restaurant.Orders/Place").bearer(&token), "7", "Not authorized"),
        (call("/api//orders").bearer(&token), "3", "Ambiguous path"),
    ] {
        let answer = connection.exchange(&request).unwrap();
        assert!(answer.headers_only, "{request}: {answer:?}");
        let response = answer.response;
        assert_eq!(response.status, 200, "{request}");
        assert_eq!(response.header("grpc-status").as_deref(), Some(code), "{request}");
        assert_eq!(response.header("grpc-message").as_deref(), Some(message), "{request}");
        assert_eq!(response.header("content-type").as_deref(), Some("application/grpc"), "{request}");
    }
    assert_eq!(upstream.take(), []);
}

/// 14 UNAVAILABLE: gRPC's libraries try such a call again, as the fault is not theirs.
#[test]
fn without_keys_a_grpc_client_is_told_to_try_again() {
    let (silent, upstream) = (KeyIssuer::start(), Http2Recorder::start());
    silent.fall_silent();
    let proxy = http2::setup().start_envoy(silent.address(), upstream.address());
    let proxy = proxy.unwrap_or_else(|log| panic!("{log}"));
    let request = call("/api/orders").bearer(&silent.token("user-1", &["customer"]));
    let answer = Http2::connect(proxy.url()).exchange(&request).unwrap();
    assert!(answer.headers_only, "{answer:?}");
    let response = answer.response;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("grpc-status").as_deref(), Some("14"));
    assert_eq!(response.header("grpc-message").as_deref(), Some("Authentication unavailable"));
    assert_eq!(upstream.take(), []);
}

#[test]
fn over_http2_a_unary_call_passes_with_its_message_and_its_trailers_untouched() {
    let (issuer, upstream) = (KeyIssuer::start(), Http2Recorder::start());
    let proxy = http2::gate(&http2::setup(), &issuer, &upstream);
    let request = call("/api/orders").bearer(&issuer.token("user-1", &["customer"]));
    let answer = Http2::connect(proxy.url()).exchange(&request).unwrap();
    assert_eq!(answer.response.status, 200, "{}", answer.response.text());
    assert_eq!(answer.response.body, MESSAGE);
    assert_eq!(answer.response.header("grpc-status"), None, "the upstream says it in its trailers");
    let expected = GRPC_TRAILERS.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    assert_eq!(answer.trailers, expected);
    let seen = upstream.take();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].values("HTTP_X_USER_ID"), ["user-1"]);
    assert_eq!(seen[0].values("HTTP_TE"), ["trailers"]);
    assert_eq!(seen[0].values("HTTP_CONTENT_TYPE"), ["application/grpc+proto"]);
}

/// A unary call, as gRPC's libraries send it.
fn call(path: &str) -> Request {
    Request::new("POST", path)
        .header("content-type", "application/grpc+proto")
        .header("te", "trailers")
        .body(MESSAGE)
}
