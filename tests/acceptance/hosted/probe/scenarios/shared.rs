//! Shared data and shared queues.

use super::super::script::Argument::{Hidden, Kept, Number, OutBytes};
use super::super::script::{Scenario, Step, bytes, get, scenario, step};

pub(super) fn all() -> Vec<Scenario> {
    vec![data(), queues(), woken()]
}

fn read(label: &'static str, key: &'static str) -> Step {
    step(label, "proxy_get_shared_data", vec![bytes(key), OutBytes, Hidden("cas")])
}

fn write(
    label: &'static str,
    key: &'static str,
    value: &'static str,
    cas: super::super::script::Argument,
) -> Step {
    step(label, "proxy_set_shared_data", vec![bytes(key), bytes(value), cas])
}

fn data() -> Scenario {
    scenario("shared_data").request(get("/")).on(
        "proxy_on_request_headers",
        vec![
            step("absent", "proxy_get_shared_data", vec![bytes("key"), OutBytes, Hidden("none")]),
            write("a new key with any number", "key", "one", Number(99)),
            read("first", "key"),
            write("wrong number", "key", "two", Number(7_777_777)),
            write("right number", "key", "two", Kept("cas")),
            write("the number that was right", "key", "three", Kept("cas")),
            write("no number", "key", "three", Number(0)),
            step("third", "proxy_get_shared_data", vec![bytes("key"), OutBytes, Hidden("other")]),
            write("empty", "empty", "", Number(0)),
            step("empty", "proxy_get_shared_data", vec![bytes("empty"), OutBytes, Hidden("other")]),
            write("no name", "", "nameless", Number(0)),
            step("no name", "proxy_get_shared_data", vec![bytes(""), OutBytes, Hidden("other")]),
            step("nowhere", "proxy_get_shared_data", vec![Number(-4), Number(8), OutBytes, Hidden("other")]),
        ],
    )
}

fn queues() -> Scenario {
    scenario("queues").request(get("/")).on(
        "proxy_on_request_headers",
        vec![
            step("unknown", "proxy_resolve_shared_queue", vec![bytes(""), bytes("q"), Hidden("token")]),
            step("dequeue unknown", "proxy_dequeue_shared_queue", vec![Number(4_000), OutBytes]),
            step("enqueue unknown", "proxy_enqueue_shared_queue", vec![Number(4_000), bytes("x")]),
            step("register", "proxy_register_shared_queue", vec![bytes("q"), Hidden("queue")]),
            step("register again", "proxy_register_shared_queue", vec![bytes("q"), Hidden("queue")]),
            step("resolve", "proxy_resolve_shared_queue", vec![bytes(""), bytes("q"), Hidden("other")]),
            step(
                "resolve by vm",
                "proxy_resolve_shared_queue",
                vec![bytes("queues"), bytes("q"), Hidden("other")],
            ),
            step(
                "resolve by another vm",
                "proxy_resolve_shared_queue",
                vec![bytes("nobody"), bytes("q"), Hidden("other")],
            ),
            step("dequeue empty", "proxy_dequeue_shared_queue", vec![Kept("queue"), OutBytes]),
            step("enqueue", "proxy_enqueue_shared_queue", vec![Kept("queue"), bytes("one")]),
            step("enqueue", "proxy_enqueue_shared_queue", vec![Kept("queue"), bytes("")]),
            step("dequeue", "proxy_dequeue_shared_queue", vec![Kept("queue"), OutBytes]),
            step("dequeue nothing", "proxy_dequeue_shared_queue", vec![Kept("queue"), OutBytes]),
            step("dequeue empty", "proxy_dequeue_shared_queue", vec![Kept("queue"), OutBytes]),
        ],
    )
}

/// The canary, the main thread and the worker register, in this order: the worker alone is woken.
fn woken() -> Scenario {
    Scenario { rest_ms: 50, ..scenario("woken") }
        .request(get("/"))
        .on(
            "proxy_on_configure",
            vec![step("register", "proxy_register_shared_queue", vec![bytes("q"), Hidden("queue")])],
        )
        .on(
            "proxy_on_request_headers",
            vec![step("enqueue", "proxy_enqueue_shared_queue", vec![Kept("queue"), bytes("item")])],
        )
        .on(
            "proxy_on_queue_ready",
            vec![step("dequeue", "proxy_dequeue_shared_queue", vec![Kept("queue"), OutBytes])],
        )
}
