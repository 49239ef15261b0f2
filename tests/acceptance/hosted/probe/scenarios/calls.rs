//! HTTP calls and gRPC calls.

use super::super::script::Argument::{self, Kept, Number, Out, OutBytes};
use super::super::script::{Scenario, Step, bytes, get, pairs, scenario, step};

pub(super) fn all() -> Vec<Scenario> {
    vec![refused(), answered("answers"), answered("refuses"), answered("silent"), answered("breaks"), grpc()]
}

const GOOD: [(&str, &str); 3] = [(":method", "GET"), (":path", "/"), (":authority", "a")];

fn call(label: &'static str, cluster: &'static str, headers: &[(&str, &str)], timeout: i32) -> Step {
    let arguments = vec![bytes(cluster), pairs(headers), bytes(""), bytes(""), Number(timeout), Out("token")];
    step(label, "proxy_http_call", arguments)
}

/// Calls that are refused at once, and a root context's first token.
fn refused() -> Scenario {
    scenario("refused_calls").request(get("/")).on(
        "proxy_on_request_headers",
        vec![
            call("unknown cluster", "nobody", &GOOD, 100),
            call("no cluster", "", &GOOD, 100),
            call("no path", "answers", &[GOOD[0], GOOD[2]], 100),
            call("no method", "answers", &[GOOD[1], GOOD[2]], 100),
            call("no authority", "answers", &[GOOD[0], GOOD[1]], 100),
            call("host", "answers", &[GOOD[0], GOOD[1], ("host", "a")], -1),
            call("no headers", "answers", &[], 100),
            call("negative timeout", "answers", &GOOD, -1),
            step(
                "token nowhere",
                "proxy_http_call",
                vec![bytes("answers"), pairs(&GOOD), bytes(""), bytes(""), Number(100), Number(-8)],
            ),
            step(
                "headers from nowhere",
                "proxy_http_call",
                vec![
                    bytes("answers"),
                    Number(-8),
                    Number(16),
                    bytes(""),
                    bytes(""),
                    Number(100),
                    Out("token"),
                ],
            ),
        ],
    )
}

/// A paused request that goes on, or is answered, when the call ends.
fn answered(cluster: &'static str) -> Scenario {
    let status = |label| step(label, "proxy_get_status", vec![Out("code"), OutBytes]);
    let header = |label, name: &'static str| {
        step(label, "proxy_get_header_map_value", vec![Number(6), bytes(name), OutBytes])
    };
    Scenario {
        rest_ms: 50,
        ..scenario(match cluster {
            "answers" => "answered_call",
            "refuses" => "refused_connection",
            "silent" => "call_in_vain",
            _ => "broken_call",
        })
    }
    .request(get("/"))
    .returning(
        "proxy_on_request_headers",
        vec![
            step("stream", super::super::script::KEEP, vec![Argument::Parameter(0)]),
            call("call", cluster, &GOOD, 150),
            step("too early", "proxy_get_header_map_pairs", vec![Number(6), OutBytes]),
            step("too early", "proxy_get_buffer_bytes", vec![Number(4), Number(0), Number(9), OutBytes]),
        ],
        super::super::script::Returns::Number(1),
    )
    .on(
        "proxy_on_http_call_response",
        vec![
            header("status", ":status"),
            header("own", "x-answer"),
            header("type", "content-type"),
            step("body", "proxy_get_buffer_bytes", vec![Number(4), Number(0), Number(1000), OutBytes]),
            step("trailers", "proxy_get_header_map_pairs", vec![Number(7), OutBytes]),
            step("trailer", "proxy_get_header_map_value", vec![Number(7), bytes("x"), OutBytes]),
            step("change", "proxy_add_header_map_value", vec![Number(6), bytes("x"), bytes("y")]),
            status("of the call"),
            step("for the stream", "proxy_set_effective_context", vec![Kept("stream")]),
            step("its path", "proxy_get_header_map_value", vec![Number(0), bytes(":path"), OutBytes]),
            step("its call", "proxy_get_header_map_value", vec![Number(6), bytes("x-answer"), OutBytes]),
            step("add", "proxy_add_header_map_value", vec![Number(0), bytes("x-own"), bytes("1")]),
            step("property", "proxy_set_property", vec![bytes("own"), bytes("1")]),
            status("of the stream"),
            step("continue", "proxy_continue_stream", vec![Number(0)]),
            step(
                "its path afterwards",
                "proxy_get_header_map_value",
                vec![Number(0), bytes(":path"), OutBytes],
            ),
        ],
    )
}

fn grpc() -> Scenario {
    let (empty, nobody) = (bytes(""), bytes("nobody"));
    let start = |label, service: &Argument| {
        step(
            label,
            "proxy_grpc_stream",
            vec![service.clone(), bytes("s"), bytes("m"), bytes(""), Out("token")],
        )
    };
    let by_token = |label, hostcall, token| step(label, hostcall, vec![Number(token)]);
    let mut steps = vec![
        step(
            "call nobody",
            "proxy_grpc_call",
            vec![nobody.clone(), bytes("s"), bytes("m"), empty, bytes("x"), Number(100), Out("token")],
        ),
        start("stream to nobody", &nobody),
    ];
    for token in 0..4 {
        steps.push(step("send", "proxy_grpc_send", vec![Number(400 + token), bytes("x"), Number(0)]));
        steps.push(by_token("close", "proxy_grpc_close", 400 + token));
        steps.push(by_token("cancel", "proxy_grpc_cancel", 400 + token));
    }
    scenario("grpc").request(get("/")).on("proxy_on_request_headers", steps)
}
