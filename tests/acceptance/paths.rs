use bearward_tests::client::Request;
use bearward_tests::harness::Setup;
use bearward_tests::recorder::Recorder;

/// Two servers can read each of these in two ways: as the public menu, and as somebody's orders.
const AMBIGUOUS: [&str; 25] = [
    "/api/menu/..%2forders",
    "/api/menu/..%2Forders",
    "/api//orders",
    "//api/orders",
    "/api/orders//",
    "/api/menu;x",
    "/api/menu;/../orders",
    "/api/orders;jsessionid=1",
    "/api/menu/../orders",
    "/api/menu/%2e%2e/orders",
    "/api/menu/%2E./orders",
    "/api/menu/.%2e/orders",
    "/api/menu/./../orders",
    "/api/menu/..;/orders",
    "/api/menu/..%5corders",
    "/api/menu\\..\\orders",
    "/api/%6frders",
    "/api%2forders",
    "/api/orders%00",
    "/api/orders%0a",
    "/api/orders%",
    "/api/orders%zz",
    "/api/menu/..%252forders",
    "/api/menu/%c0%ae%c0%ae/orders",
    "/api/menu/%ff",
];

#[test]
fn an_ambiguous_path_without_a_token_never_reaches_the_upstream() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    for path in AMBIGUOUS {
        let answer = Request::get(path).exactly().send(gate.url());
        assert!(matches!(answer.status, 400 | 401), "{path} got {}: {}", answer.status, answer.text());
    }
    assert_eq!(recorder.take(), []);
}

#[test]
fn where_envoy_normalizes_nothing_the_filter_alone_refuses_every_ambiguous_path() {
    let recorder = Recorder::start();
    let gate = Setup::shipped()
        .edit("normalize_path: true", "normalize_path: false")
        .edit(
            "path_with_escaped_slashes_action: REJECT_REQUEST",
            "path_with_escaped_slashes_action: KEEP_UNCHANGED",
        )
        .upstream(&recorder)
        .start();
    let customer = gate.customer();
    for path in AMBIGUOUS {
        for request in [Request::get(path), Request::get(path).bearer(&customer.token)] {
            let answer = request.exactly().send(gate.url());
            assert_eq!(answer.status, 400, "{path}: {}", answer.text());
            // Envoy itself refuses NUL and the like, in its own words.
            if let Some(code) = answer.code() {
                assert_eq!(code, "path_ambiguous", "{path}");
            }
        }
    }
    assert_eq!(recorder.take(), []);
}

#[test]
fn a_path_in_canonical_form_is_forwarded_byte_for_byte() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let customer = gate.customer();
    for target in
        ["/api/orders", "/api/orders?", "/api/orders?next=//..;%2e%2F/../&x=%25", "/api/menu?/../orders"]
    {
        let answer = Request::get(target).bearer(&customer.token).exactly().send(gate.url());
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(recorder.take_one().target, target);
    }
}

#[test]
fn a_path_that_no_rule_names_is_refused_to_everybody() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let customer = gate.customer();
    for target in [
        "/",
        "/api",
        "/api/payments",
        "/api/orders/",
        "/API/orders",
        "/api/ordersx",
        "/metrics",
        "/api/menu/1/x",
    ] {
        for request in [Request::get(target), Request::get(target).bearer(&customer.token)] {
            let answer = request.exactly().send(gate.url());
            assert_eq!(answer.status, 403, "{target}: {}", answer.text());
            assert_eq!(answer.code().as_deref(), Some("no_rule"), "{target}");
            assert_eq!(answer.challenge(), None, "{target}");
        }
    }
    assert_eq!(recorder.take(), []);
}
