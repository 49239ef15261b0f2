//! Local responses.

use super::super::script::Argument::Number;
use super::super::script::{Returns, Scenario, Sent, Step, bytes, get, pairs, scenario, step};

const SEND: &str = "proxy_send_local_response";

pub(super) fn all() -> Vec<Scenario> {
    vec![plain(), empty(), twice(), in_trailers(), in_response()]
}

fn reply(label: &'static str, status: i32, body: &str, headers: &[(&str, &str)], grpc: i32) -> Step {
    step(label, SEND, vec![Number(status), bytes("a detail"), bytes(body), pairs(headers), Number(grpc)])
}

/// To an ordinary client, to HEAD, and to one that speaks gRPC. The callback says "continue", which nobody heeds.
fn plain() -> Scenario {
    let headers = [
        ("X-Own", "1"),
        ("x-own", "2"),
        ("content-type", "application/problem+json"),
        ("www-authenticate", "a"),
        ("www-authenticate", "b"),
    ];
    scenario("reply")
        .request(get("/"))
        .request(Sent { method: "HEAD", ..get("/") })
        .request(get("/").header("content-type", "application/grpc"))
        .request(Sent { method: "POST", body: "body", ..get("/") })
        .returning(
            "proxy_on_request_headers",
            vec![reply("send", 401, "no, 100%", &headers, 16)],
            Returns::Number(0),
        )
        .on("proxy_on_request_body", vec![])
        .on(
            "proxy_on_response_headers",
            vec![step("add", "proxy_add_header_map_value", vec![Number(2), bytes("x-late"), bytes("1")])],
        )
        .on("proxy_on_response_body", vec![])
        .on("proxy_on_log", vec![])
        .on("proxy_on_delete", vec![])
}

fn empty() -> Scenario {
    scenario("empty_reply")
        .request(get("/"))
        .request(get("/").header("content-type", "application/grpc+proto"))
        .on(
            "proxy_on_request_headers",
            vec![step("send", SEND, vec![Number(403), bytes(""), bytes(""), bytes(""), Number(-1)])],
        )
        .on("proxy_on_configure", vec![reply("without a stream", 400, "", &[], -1)])
}

/// The first counts.
fn twice() -> Scenario {
    scenario("two_replies").request(get("/")).on(
        "proxy_on_request_headers",
        vec![
            step(
                "from nowhere",
                SEND,
                vec![Number(500), Number(-4), Number(8), bytes(""), bytes(""), Number(-1)],
            ),
            reply("first", 401, "first", &[], -1),
            reply("second", 402, "second", &[], -1),
        ],
    )
}

fn in_trailers() -> Scenario {
    let request = Sent { method: "POST", body: "body", trailers: vec![("x-trailer", "1")], ..get("/") };
    scenario("reply_in_trailers").request(request).on("proxy_on_request_headers", vec![]).returning(
        "proxy_on_request_trailers",
        vec![reply("send", 400, "no", &[], -1)],
        Returns::Number(1),
    )
}

fn in_response() -> Scenario {
    scenario("reply_in_response").request(get("/")).returning(
        "proxy_on_response_headers",
        vec![reply("send", 502, "instead", &[("x-own", "1")], -1)],
        Returns::Number(1),
    )
}
