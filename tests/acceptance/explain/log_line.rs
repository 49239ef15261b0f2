//! Lines of the access log.

use super::{Desk, text};

const LINE: &str = "[2026-11-23T22:09:13.149Z] DELETE /api/menu/1 HTTP/1.1 403 bearward.role_missing 0ms \
                    f4c3b981-526e-43a3-9fff-16716a8cd852 reject role_missing api/edit own";

fn told(line: &str) -> serde_json::Value {
    let desk = Desk::new();
    desk.write("line", line);
    desk.json(&["policy.json", "--log-line", "line"])
}

#[test]
fn a_line_is_said_in_words_with_what_to_change() {
    let desk = Desk::new();
    desk.write("line", LINE);
    let shown = text(&desk.explain(&["policy.json", "--log-line", "line"]).stdout);
    for part in [
        "DELETE /api/menu/1 at 2026-11-23T22:09:13.149Z",
        "reject 403 role_missing by api/edit, token of own",
        "The token is good, and its roles do not suffice for this rule.",
        "operator: grant the role to the user, or change `require` of the rule",
        "rule `edit` matches by `/api/menu/*`",
    ] {
        assert!(shown.contains(part), "`{part}` is missing:\n{shown}");
    }
    assert!(!shown.contains("note:"), "{shown}");
}

#[test]
fn a_line_keeps_its_words_in_json() {
    let told = told(LINE);
    for (name, value) in [
        ("decision", "reject"),
        ("reason", "role_missing"),
        ("rule", "api/edit"),
        ("issuer", "own"),
        ("rule_now", "api/edit"),
        ("method", "DELETE"),
        ("path", "/api/menu/1"),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
    assert_eq!(told["status"], 403);
}

#[test]
fn a_line_that_a_collector_wrote_something_before_is_read() {
    assert_eq!(told(&format!("envoy-7d9f stdout F {LINE}\n\n"))["reason"], "role_missing");
}

#[test]
fn a_verdict_of_another_policy_is_said_to_be_one() {
    let told = told(&LINE.replace("api/edit", "api/gone"));
    assert!(
        told["change"]["note"]
            .as_str()
            .unwrap()
            .contains("the line says `api/gone`, and this policy comes to `api/edit`")
    );
}

#[test]
fn what_went_on_is_told_apart_from_what_was_refused() {
    let observed =
        told("[t] GET /api/trial HTTP/1.1 200 via_upstream 3ms id observe role_missing api/trial own");
    assert_eq!(observed["decision"], "observe");
    assert!(
        observed["happened"]
            .as_str()
            .unwrap()
            .starts_with("The request went on, because its policy or rule only observes.")
    );
    let forwarded = told("[t] GET /api/orders HTTP/1.1 404 via_upstream 3ms id forward - api/orders own");
    assert_eq!(forwarded["decision"], "forward");
    assert!(forwarded["happened"].as_str().unwrap().contains("`404` is the upstream's own answer"));
    let none = told("[t] GET /api/orders HTTP/1.1 503 wasm_fail_stream 3ms id -");
    assert!(
        none["decision"] == "none"
            && none["happened"].as_str().unwrap().contains("the filter has left no verdict")
            || none["happened"].as_str().unwrap().contains("The filter has left no verdict")
    );
}

#[test]
fn what_is_no_such_line_is_refused_with_what_one_looks_like() {
    for (line, says) in [
        ("", "holds no line"),
        ("GET /api/orders", "not a line as `envoy.yaml` writes it"),
        ("[t] GET /api/orders HTTP/1.1 401 bearward.x 0ms id reject who_knows a/b -", "not a line as"),
        ("[t] GET /api/orders HTTP/1.1 x bearward.x 0ms id -", "not a line as"),
        (&format!("{LINE}\n{LINE}"), "takes one line"),
    ] {
        let desk = Desk::new();
        desk.write("line", line);
        let output = desk.explain(&["policy.json", "--log-line", "line"]);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(text(&output.stderr).contains(says), "{line}: {}", text(&output.stderr));
    }
}

#[test]
fn what_a_client_wrote_into_a_line_does_not_steer_a_terminal() {
    let desk = Desk::new();
    desk.write("line", &LINE.replace("/api/menu/1", "/api/\u{1b}]0;x\u{7}\u{202e}"));
    let shown = text(&desk.explain(&["policy.json", "--log-line", "line"]).stdout);
    assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']) && shown.contains("\\u{1b}"), "{shown}");
}
