//! Contexts, their life, and what reaches from one to another.

use super::super::script::Argument::{self, Hidden, Kept, Number, Out, OutBytes};
use super::super::script::{KEEP, Returns, Scenario, Sent, Step, bytes, get, scenario, step};

pub(super) fn all() -> Vec<Scenario> {
    vec![life(), life_with_body(), effective(), streams(), closed(), ticks(), continued_by_tick(), results()]
}

/// Every callback, with what it is called with.
fn everything(scenario: Scenario) -> Scenario {
    [
        "proxy_on_context_create",
        "proxy_on_vm_start",
        "proxy_on_configure",
        "proxy_on_request_headers",
        "proxy_on_request_body",
        "proxy_on_request_trailers",
        "proxy_on_response_headers",
        "proxy_on_response_body",
        "proxy_on_response_trailers",
        "proxy_on_done",
        "proxy_on_log",
        "proxy_on_delete",
    ]
    .into_iter()
    .fold(scenario, |scenario, callback| scenario.on(callback, vec![]))
}

fn life() -> Scenario {
    everything(Scenario { configuration: "four", ..scenario("life") }).request(get("/")).request(get("/"))
}

fn life_with_body() -> Scenario {
    let post = Sent { method: "POST", body: "body", ..get("/") };
    let with_trailers = Sent { trailers: vec![("x-trailer", "1")], ..post.clone() };
    everything(scenario("life_with_body")).request(post).request(with_trailers)
}

fn effective() -> Scenario {
    let choose = |label, context| step(label, "proxy_set_effective_context", vec![context]);
    let path = |label| step(label, "proxy_get_header_map_value", vec![Number(0), bytes(":path"), OutBytes]);
    scenario("effective")
        .request(get("/"))
        .request(get("/second"))
        .on(
            "proxy_on_configure",
            vec![step("root", KEEP, vec![Argument::Parameter(0)]), choose("itself", Kept("root"))],
        )
        .on(
            "proxy_on_request_headers",
            vec![
                path("own"),
                choose("unknown", Number(4_000)),
                path("still own"),
                choose("root", Kept("root")),
                path("of the root"),
                step("property of the root", "proxy_set_property", vec![bytes("own"), bytes("x")]),
                choose("the vm", Number(0)),
                path("of nobody: own again"),
                choose("own", Argument::Parameter(0)),
                path("own again"),
                step("done", "proxy_done", vec![]),
                step("status", "proxy_get_status", vec![Out("code"), OutBytes]),
                choose("root at the end", Kept("root")),
            ],
        )
}

fn streams() -> Scenario {
    let each = |hostcall: &'static str| {
        (0..6).map(move |kind| -> Step { step("stream", hostcall, vec![Number(kind)]) })
    };
    let of_root = each("proxy_continue_stream").chain(each("proxy_close_stream"));
    scenario("streams").request(get("/")).on("proxy_on_configure", of_root.collect()).on(
        "proxy_on_response_headers",
        (2..6).map(|kind| step("continue", "proxy_continue_stream", vec![Number(kind)])).collect(),
    )
}

/// The module closes the stream: the client gets nothing.
fn closed() -> Scenario {
    scenario("closed")
        .request(get("/"))
        .returning(
            "proxy_on_request_headers",
            vec![step("close", "proxy_close_stream", vec![Number(0)])],
            Returns::Number(1),
        )
        .on("proxy_on_log", vec![])
        .on("proxy_on_done", vec![])
        .on("proxy_on_delete", vec![])
}

/// Two ticks on the main thread and on the worker, then none.
fn ticks() -> Scenario {
    let period = |label, period| step(label, "proxy_set_tick_period_milliseconds", vec![Number(period)]);
    Scenario { unordered: true, rest_ms: 300, ..scenario("ticks") }
        .on("proxy_on_configure", vec![period("begin", 20)])
        .returning(
            "proxy_on_tick",
            vec![
                step("first or not", "proxy_get_shared_data", vec![bytes("ticked"), OutBytes, Hidden("cas")]),
                step("note", "proxy_set_shared_data", vec![bytes("ticked"), bytes("x"), Number(0)]),
                period("end", 0),
            ],
            Returns::Number(0),
        )
}

/// A paused request that the root context's tick lets go on.
fn continued_by_tick() -> Scenario {
    scenario("continued_by_tick")
        .request(get("/"))
        .returning(
            "proxy_on_request_headers",
            vec![
                step("stream", KEEP, vec![Argument::Parameter(0)]),
                step("tick", "proxy_set_tick_period_milliseconds", vec![Number(30)]),
            ],
            Returns::Number(1),
        )
        .on(
            "proxy_on_tick",
            vec![
                step("stop", "proxy_set_tick_period_milliseconds", vec![Number(0)]),
                step("effective", "proxy_set_effective_context", vec![Kept("stream")]),
                step("add", "proxy_add_header_map_value", vec![Number(0), bytes("x-late"), bytes("1")]),
                step("continue", "proxy_continue_stream", vec![Number(0)]),
            ],
        )
        .on("proxy_on_response_headers", vec![])
}

/// `ContinueAndEndStream`, which is a number of the enumeration that Envoy has no use for.
fn results() -> Scenario {
    scenario("results")
        .request(get("/"))
        .returning("proxy_on_request_headers", vec![], Returns::Number(2))
        .returning("proxy_on_response_headers", vec![], Returns::Number(2))
}
