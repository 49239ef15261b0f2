//! Bodies and trailers.

use super::super::script::Argument::{Number, OutBytes};
use super::super::script::{Scenario, Sent, Step, bytes, get, scenario, step};

pub(super) fn all() -> Vec<Scenario> {
    vec![body(), trailers(), changed()]
}

fn post() -> Sent {
    Sent { method: "POST", body: "0123456789", ..get("/") }
}

fn read(label: &'static str, buffer: i32) -> Step {
    step(label, "proxy_get_buffer_bytes", vec![Number(buffer), Number(0), Number(100), OutBytes])
}

fn body() -> Scenario {
    scenario("body")
        .request(post())
        .on("proxy_on_request_headers", vec![read("too early", 0)])
        .on(
            "proxy_on_request_body",
            vec![
                read("request", 0),
                read("response", 1),
                step("headers", "proxy_get_header_map_value", vec![Number(0), bytes(":path"), OutBytes]),
            ],
        )
        .on("proxy_on_response_headers", vec![read("request", 0)])
}

fn trailers() -> Scenario {
    let request = Sent { trailers: vec![("x-trailer", "1"), ("X-Other", "2")], ..post() };
    scenario("trailers")
        .request(request)
        .on("proxy_on_request_headers", vec![])
        .on("proxy_on_request_body", vec![])
        .on(
            "proxy_on_request_trailers",
            vec![
                step("all", "proxy_get_header_map_pairs", vec![Number(1), OutBytes]),
                step("remove", "proxy_remove_header_map_value", vec![Number(1), bytes("X-Trailer")]),
                step("add", "proxy_add_header_map_value", vec![Number(1), bytes("x-own"), bytes("3")]),
                step(
                    "replace",
                    "proxy_replace_header_map_value",
                    vec![Number(1), bytes("x-other"), bytes("4")],
                ),
                step("headers", "proxy_get_header_map_pairs", vec![Number(0), OutBytes]),
                read("body", 0),
            ],
        )
}

fn changed() -> Scenario {
    let set = |label, start, length, text: &'static str| {
        step(label, "proxy_set_buffer_bytes", vec![Number(0), Number(start), Number(length), bytes(text)])
    };
    let request = Sent { trailers: vec![("x-trailer", "1")], ..post() };
    scenario("changed_body")
        .request(request)
        .on("proxy_on_request_headers", vec![set("too early", 0, 10, "x")])
        .on(
            "proxy_on_request_body",
            vec![
                set("before", 0, 0, "ab"),
                read("now", 0),
                set("inside", 3, 2, "x"),
                set("first part", 0, 3, "x"),
                set("after", 12, 0, "yz"),
                read("now", 0),
                set("all", 0, 100, "new body"),
                read("now", 0),
                step(
                    "configuration",
                    "proxy_set_buffer_bytes",
                    vec![Number(7), Number(0), Number(0), bytes("x")],
                ),
                step("unknown", "proxy_set_buffer_bytes", vec![Number(9), Number(0), Number(0), bytes("x")]),
            ],
        )
}
