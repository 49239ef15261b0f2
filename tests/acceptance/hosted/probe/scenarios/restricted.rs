//! Restricted capabilities, and callbacks that are not there.

use super::super::script::Argument::{Long, Number, Out, OutBytes, OutLong};
use super::super::script::{Returns, Scenario, bytes, get, pairs, scenario, step};

pub(super) fn all() -> Vec<Scenario> {
    vec![hostcalls(), callback(), nothing()]
}

/// What is not allowed answers, and its results are not touched.
fn hostcalls() -> Scenario {
    let allowed = vec!["proxy_log", "proxy_on_context_create", "proxy_on_request_headers", "proxy_on_delete"];
    Scenario { allowed, ..scenario("restricted_hostcalls") }
        .request(get("/"))
        .on("proxy_on_configure", vec![])
        .on("proxy_on_context_create", vec![])
        .on(
            "proxy_on_request_headers",
            vec![
                step("pairs", "proxy_get_header_map_pairs", vec![Number(0), OutBytes]),
                step("get", "proxy_get_header_map_value", vec![Number(0), bytes(":path"), OutBytes]),
                step("remove", "proxy_remove_header_map_value", vec![Number(0), bytes("x")]),
                step("replace", "proxy_replace_header_map_value", vec![Number(0), bytes("x"), bytes("y")]),
                step("time", "proxy_get_current_time_nanoseconds", vec![OutLong]),
                step("tick", "proxy_set_tick_period_milliseconds", vec![Number(10)]),
                step("buffer", "proxy_get_buffer_bytes", vec![Number(7), Number(0), Number(1), OutBytes]),
                step(
                    "reply",
                    "proxy_send_local_response",
                    vec![Number(403), bytes(""), bytes(""), bytes(""), Number(-1)],
                ),
                step(
                    "call",
                    "proxy_http_call",
                    vec![bytes("answers"), pairs(&[]), bytes(""), bytes(""), Number(9), Out("token")],
                ),
                step("shared", "proxy_get_shared_data", vec![bytes("x"), OutBytes, Out("cas")]),
                step("set shared", "proxy_set_shared_data", vec![bytes("x"), bytes("y"), Number(0)]),
                step("metric", "proxy_increment_metric", vec![Number(0), Long(1)]),
                step("property", "proxy_set_property", vec![bytes("x"), bytes("y")]),
                step(
                    "function",
                    "proxy_call_foreign_function",
                    vec![bytes("verify_signature"), bytes(""), OutBytes],
                ),
                step("environment", "environ_sizes_get", vec![Out("count"), Out("size")]),
                step("random", "random_get", vec![Number(0x3f000), Number(4)]),
            ],
        )
        .on("proxy_on_response_headers", vec![])
        .on("proxy_on_log", vec![])
        .on("proxy_on_delete", vec![])
}

/// Without the callback that decides, the request passes.
fn callback() -> Scenario {
    let allowed =
        vec!["proxy_log", "proxy_on_context_create", "proxy_on_configure", "proxy_send_local_response"];
    Scenario { allowed, ..scenario("restricted_callback") }
        .request(get("/"))
        .on("proxy_on_configure", vec![])
        .returning(
            "proxy_on_request_headers",
            vec![step(
                "reply",
                "proxy_send_local_response",
                vec![Number(403), bytes(""), bytes(""), bytes(""), Number(-1)],
            )],
            Returns::Number(1),
        )
}

/// A module without any callback.
fn nothing() -> Scenario {
    scenario("no_callbacks").request(get("/"))
}
