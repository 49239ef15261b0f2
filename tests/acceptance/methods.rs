use bearward_tests::client::Request;
use bearward_tests::client::http2::Http2;
use bearward_tests::harness::Setup;
use bearward_tests::issuer::KeyIssuer;
use bearward_tests::recorder::{Http2Recorder, Recorder};

use crate::http2;

#[test]
fn a_rule_for_get_is_one_for_head_and_for_no_other_method() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let customer = gate.customer();
    let ask = |method, path: &str| Request::new(method, path).exactly();
    for (request, status) in [
        (ask("HEAD", "/api/menu"), 200),
        (ask("HEAD", "/api/orders"), 401),
        (ask("HEAD", "/api/orders").bearer(&customer.token), 200),
        (ask("OPTIONS", "/api/menu"), 403),
        (ask("POST", "/api/menu"), 403),
        (ask("TRACE", "/api/menu"), 403),
        (ask("PUT", "/api/orders").bearer(&customer.token), 403),
        (ask("HEAD", "/api/menu/1").bearer(&customer.token), 403),
    ] {
        let answer = request.send(gate.url());
        assert_eq!(answer.status, status, "{request}: {}", answer.text());
        assert_eq!(recorder.take().len(), usize::from(status == 200), "{request}");
    }
}

/// RFC 9110 section 9.3.2: the headers of the answer to GET, and nothing after them.
#[test]
fn a_head_request_is_refused_with_the_headers_of_a_get_request_and_without_a_body() {
    let (issuer, upstream) = (KeyIssuer::start(), Recorder::start());
    let proxy = Setup::shipped().without_revocations().start_envoy(issuer.address(), upstream.address());
    let proxy = proxy.unwrap_or_else(|log| panic!("{log}"));
    issuer.wait_until_known(proxy.url());
    let customer = issuer.token("user-1", &["customer"]);
    for (path, token, status) in [
        ("/api/orders", None, 401),
        ("/api/orders", Some("this.is.fake"), 401),
        ("/api/menu/1", Some(customer.as_str()), 403),
        ("/api//orders", Some(customer.as_str()), 400),
    ] {
        let ask = |method| {
            let request = Request::new(method, path).exactly();
            token.map_or(request.clone(), |token| request.bearer(token)).send(proxy.url())
        };
        let (get, head) = (ask("GET"), ask("HEAD"));
        assert_eq!((get.status, head.status), (status, status), "{path}");
        assert!(!get.body.is_empty(), "{path}");
        assert_eq!(head.text(), "", "{path}");
        for name in ["www-authenticate", "content-type", "cache-control", "content-length"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
        assert_eq!(head.header("content-length"), Some(get.body.len().to_string()), "{path}");
    }
}

#[test]
fn over_http2_a_head_request_is_refused_with_headers_alone() {
    let (issuer, upstream) = (KeyIssuer::start(), Http2Recorder::start());
    let proxy = http2::gate(&http2::setup(), &issuer, &upstream);
    let connection = Http2::connect(proxy.url());
    for (request, status) in [
        (Request::new("HEAD", "/api/orders"), 401),
        (Request::new("HEAD", "/api/payments"), 403),
        (Request::new("HEAD", "/api//orders"), 400),
    ] {
        let answer = connection.exchange(&request).unwrap();
        assert_eq!(answer.response.status, status, "{request}");
        assert_eq!(answer.response.text(), "", "{request}");
    }
    assert_eq!(upstream.take(), []);
}

#[test]
fn a_tunnel_is_never_opened() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let customer = gate.customer();
    let address = recorder.address().to_string();
    let answer = Request::new("CONNECT", address).bearer(&customer.token).exactly().send(gate.url());
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    assert_eq!(recorder.take(), []);
}
