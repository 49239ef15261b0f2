use bearward_tests::client::Request;
use bearward_tests::harness::{Gate, Setup};
use bearward_tests::issuer::KeyIssuer;
use bearward_tests::recorder::{Recorder, Seen};

/// Names that a server of CGI's kind reads as one of ours, or that change what the upstream does after the decision.
const FORGED: [&str; 20] = [
    "x-user-id",
    "X-User-Id",
    "X-USER-ID",
    "x_user_id",
    "X_User_Id",
    "x-user_id",
    "x-user-roles",
    "x_user_roles",
    "x-user-issuer",
    "X_USER_ISSUER",
    "x-original-url",
    "x_original_url",
    "x-rewrite-url",
    "x-http-method",
    "x-http-method-override",
    "X_Http_Method_Override",
    "x-method-override",
    "x-script-name",
    "X_Script_Name",
    "x-forwarded-prefix",
];

/// A value that no honest part of the stack says.
const FORGERY: &str = "forged";

/// The weakest Envoy around us: it forwards underscores, and trailers both ways.
fn lenient_gate(recorder: &Recorder) -> Gate {
    Setup::shipped().without_revocations()
        .edit("headers_with_underscores_action: REJECT_REQUEST", "headers_with_underscores_action: ALLOW")
        .edit(
            "                http2_protocol_options: {",
            "                http_protocol_options: { enable_trailers: true }\n                http2_protocol_options: {",
        )
        .edit(
            "    - name: upstream\n",
            "    - name: upstream
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http_protocol_options: { enable_trailers: true } }\n",
        )
        .upstream(recorder)
        .start()
}

fn carries_no_forgery(seen: &Seen) {
    for (name, value) in &seen.variables {
        assert!(!value.contains(FORGERY), "{name} reached the upstream as {value}");
    }
}

#[test]
fn no_spelling_of_an_identity_header_reaches_the_upstream_not_even_as_a_trailer() {
    let recorder = Recorder::start();
    let gate = lenient_gate(&recorder);
    let customer = gate.customer();
    let public = || Request::get("/api/menu");
    let protected = || Request::new("POST", "/api/orders").bearer(&customer.token);
    for name in FORGED {
        for (request, is_public) in [(public(), true), (protected(), false)] {
            for as_trailer in [false, true] {
                let request =
                    request.clone().header("x-kept", "header").body("x").trailer("x_kept_too", "trailer");
                let request =
                    if as_trailer { request.trailer(name, FORGERY) } else { request.header(name, FORGERY) };
                let answer = request.send(gate.url());
                assert_eq!(answer.status, 200, "{request} with {name}: {}", answer.text());
                let seen = recorder.take_one();
                carries_no_forgery(&seen);
                assert_eq!(seen.values("HTTP_X_KEPT"), ["header"], "other headers pass");
                assert_eq!(seen.values("HTTP_X_KEPT_TOO"), ["trailer"], "other trailers pass");
                let expected: &[&str] = if is_public { &[] } else { &[customer.id.as_str()] };
                assert_eq!(seen.values("HTTP_X_USER_ID"), expected);
            }
        }
    }
}

#[test]
fn all_spellings_at_once_and_twice_are_removed_too() {
    let recorder = Recorder::start();
    let gate = lenient_gate(&recorder);
    let customer = gate.customer();
    let mut request = Request::new("POST", "/api/orders").bearer(&customer.token).body("x");
    for name in FORGED.iter().chain(&FORGED) {
        request = request.header(name, FORGERY).trailer(name, FORGERY);
    }
    assert_eq!(request.send(gate.url()).status, 200);
    let seen = recorder.take_one();
    carries_no_forgery(&seen);
    assert_eq!(seen.values("HTTP_X_USER_ID"), [customer.id.as_str()]);
    assert_eq!(seen.values("HTTP_X_USER_ROLES"), ["customer"]);
    assert_eq!(seen.values("HTTP_X_USER_ISSUER"), ["bearward"]);
}

#[test]
fn a_client_cannot_have_our_headers_dropped_as_hop_by_hop() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let customer = gate.customer();
    let request = Request::get("/api/orders")
        .bearer(&customer.token)
        .header("connection", "x-user-id, x-user-roles")
        .header("te", "trailers")
        .exactly();
    assert_eq!(request.send(gate.url()).status, 200);
    let seen = recorder.take_one();
    assert_eq!(seen.values("HTTP_X_USER_ID"), [customer.id.as_str()]);
    assert_eq!(seen.values("HTTP_X_USER_ROLES"), ["customer"]);
}

#[test]
fn as_it_ships_envoy_refuses_underscores_before_us() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let answer = Request::get("/api/menu").header("x_user_id", FORGERY).exactly().send(gate.url());
    assert_eq!(answer.status, 400);
    assert_eq!(recorder.take(), []);
}

/// Routes may be chosen by who is calling: the filter is asked before the route is.
#[test]
fn a_route_that_matches_on_an_identity_header_sees_our_value_and_never_the_clients() {
    let issuer = KeyIssuer::start();
    let upstream = Recorder::start().address();
    let catch_all = "- { match: { prefix: / }, route: { cluster: upstream } }\n";
    let by_role = "- { match: { prefix: /api/, headers: [{ name: x-user-roles, string_match: { exact: admin } }] }, \
                   direct_response: { status: 218 } }\n";
    let routes = format!("{by_role}{:24}{catch_all}", "");
    let gate = Setup::shipped()
        .without_revocations()
        .edit(catch_all, &routes)
        .start_envoy(issuer.address(), upstream)
        .unwrap();
    issuer.wait_until_known(gate.url());
    let status = |request: Request| request.send(gate.url()).status;
    let orders = |roles: &[&str]| Request::get("/api/orders").bearer(&issuer.token("user-1", roles));
    assert_eq!(status(orders(&["admin"])), 218);
    assert_eq!(status(orders(&["customer"])), 200);
    for name in ["x-user-roles", "X-User-Roles", "x-user.roles"] {
        assert_eq!(status(orders(&["customer"]).header(name, "admin")), 200, "{name}");
        assert_eq!(status(Request::get("/api/menu").header(name, "admin")), 200, "{name}, without a token");
    }
}
