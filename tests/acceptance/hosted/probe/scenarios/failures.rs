//! Traps, and configurations that are refused after they were accepted.

use super::super::script::Argument::{Hidden, Number, OutBytes};
use super::super::script::{Policy, Returns, Scenario, Step, bytes, get, scenario, step};

pub(super) fn all() -> Vec<Scenario> {
    vec![
        refused_by_the_second_vm(),
        trap_in_the_second_vm(),
        trap("trap_closed", Policy::Closed),
        trap("trap_open", Policy::Open),
        trap("trap_reload", Policy::Reload),
        trap_after_reply(),
        trap_in_response(),
    ]
}

/// `NotFound` for the first who asks, Ok afterwards.
fn first() -> [Step; 2] {
    [
        step("seen", "proxy_get_shared_data", vec![bytes("seen"), OutBytes, Hidden("cas")]),
        step("note", "proxy_set_shared_data", vec![bytes("seen"), bytes("x"), Number(0)]),
    ]
}

/// The canary says yes, main thread and worker say no: the filter is not there, and the request passes.
fn refused_by_the_second_vm() -> Scenario {
    scenario("refused_later")
        .request(get("/"))
        .returning("proxy_on_configure", first().into(), Returns::StatusOf("seen"))
        .on("proxy_on_request_headers", vec![])
        .on("proxy_on_delete", vec![])
}

/// The same with a trap instead of a no.
fn trap_in_the_second_vm() -> Scenario {
    scenario("trap_later")
        .request(get("/"))
        .returning("proxy_on_configure", first().into(), Returns::TrapIf("seen", 0))
        .on("proxy_on_request_headers", vec![])
}

/// The first request traps. What comes at once after it, and what comes after the time in which nothing is loaded anew.
fn trap(name: &'static str, policy: Policy) -> Scenario {
    let later = |after_ms| super::super::script::Sent { after_ms, ..get("/") };
    Scenario { policy, ..scenario(name) }
        .request(later(200))
        .request(get("/"))
        .request(later(200))
        .on("proxy_on_context_create", vec![])
        .on("proxy_on_configure", vec![])
        .returning(
            "proxy_on_request_headers",
            [step("add", "proxy_add_header_map_value", vec![Number(0), bytes("x-own"), bytes("1")])]
                .into_iter()
                .chain(first())
                .collect(),
            Returns::TrapIf("seen", 1),
        )
        .on("proxy_on_response_headers", vec![])
        .on("proxy_on_log", vec![])
        .on("proxy_on_delete", vec![])
}

/// A local response that was asked for before the trap is not sent.
fn trap_after_reply() -> Scenario {
    scenario("trap_after_reply").request(get("/")).returning(
        "proxy_on_request_headers",
        vec![step(
            "reply",
            "proxy_send_local_response",
            vec![Number(401), bytes("d"), bytes("b"), bytes(""), Number(-1)],
        )],
        Returns::TrapIf("reply", 0),
    )
}

fn trap_in_response() -> Scenario {
    scenario("trap_in_response").request(get("/")).on("proxy_on_request_headers", vec![]).returning(
        "proxy_on_response_headers",
        first().into(),
        Returns::TrapIf("seen", 1),
    )
}
