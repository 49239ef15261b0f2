//! What can be wrong around a policy: the plugin that carries it, and the connection manager before it.

use bearward_core::Policy;
use serde_json::{Map, Value};

use crate::capabilities::{CALLBACKS, HOSTCALLS, WASI};
use crate::check::{Problem, problem};
use crate::field::{field, is_true, text};
use crate::plugin::{Surroundings, vm_id};

/// All that is wrong around the policy. `other_vm_ids`: those of the other plugins in the file.
pub(crate) fn problems(
    around: &Surroundings<'_>,
    policy: Option<&Policy>,
    other_vm_ids: &[&str],
) -> Vec<Problem> {
    let config = around.config;
    let mut problems = Vec::new();
    problems.extend(failure_policy(config));
    problems.extend(own_vm_id(config, other_vm_ids));
    if is_true(config, "allow_on_headers_stop_iteration") {
        problems.push(problem(
            "allow_on_headers_stop_iteration",
            "leave it out: with it the body of a request that is held could go on without its head",
        ));
    }
    let restriction = field(config, "capability_restriction_config").and_then(Value::as_object);
    if let Some(allowed) = restriction.and_then(|restriction| field(restriction, "allowed_capabilities")) {
        problems.extend(missing_capabilities(allowed));
    }
    if let (Some(manager), Some(policy)) = (around.connection_manager, policy) {
        problems.extend(one_reading_of_the_host(manager, policy));
    }
    problems
}

fn failure_policy(config: &Map<String, Value>) -> Option<Problem> {
    match text(config, "failure_policy") {
        Some("FAIL_RELOAD") if !is_true(config, "fail_open") => None,
        Some("FAIL_OPEN") => Some(problem(
            "failure_policy",
            "FAIL_OPEN lets every request through after one trap: write FAIL_RELOAD",
        )),
        _ if is_true(config, "fail_open") => Some(problem(
            "fail_open",
            "lets every request through after one trap: write `failure_policy: FAIL_RELOAD`",
        )),
        _ => {
            Some(problem("failure_policy", "write FAIL_RELOAD: with anything else one trap is a lasting 503"))
        }
    }
}

fn own_vm_id(config: &Map<String, Value>, others: &[&str]) -> Option<Problem> {
    let own = vm_id(config);
    if own.is_empty() {
        Some(problem(
            "vm_config.vm_id",
            "give it one of its own: every plugin without one shares the empty one, and its data",
        ))
    } else if others.contains(&own) {
        Some(problem(
            "vm_config.vm_id",
            format!("`{own}` is another plugin's, too: it could replace the keys that are kept there"),
        ))
    } else {
        None
    }
}

fn missing_capabilities(allowed: &Value) -> Vec<Problem> {
    const PATH: &str = "capability_restriction_config.allowed_capabilities";
    let Some(allowed) = allowed.as_object() else {
        return vec![problem(PATH, "must be an object")];
    };
    // An empty list restricts nothing.
    if allowed.is_empty() {
        return Vec::new();
    }
    let needed = CALLBACKS.iter().chain(HOSTCALLS).chain(WASI);
    needed
        .filter(|name| !allowed.contains_key(**name))
        .map(|name| match *name {
            "proxy_on_request_headers" => problem(
                PATH,
                format!("`{name}` is missing: Envoy would skip the filter and let every request through"),
            ),
            name => problem(PATH, format!("`{name}` is missing: the filter needs it")),
        })
        .collect()
}

/// Where policies are told apart by host, virtual hosts must read it as the filter does: else `Host: public.example:1`
/// is judged by one's policy and served by the other's routes.
fn one_reading_of_the_host(manager: &Map<String, Value>, policy: &Policy) -> Vec<Problem> {
    if !policy.names_hosts() {
        return Vec::new();
    }
    let routes = field(manager, "route_config").and_then(Value::as_object);
    let any_port = is_true(manager, "strip_any_host_port")
        || routes.is_some_and(|routes| is_true(routes, "ignore_port_in_host_matching"));
    let mut problems = Vec::new();
    if !any_port {
        problems.push(problem(
            "http_connection_manager.strip_any_host_port",
            "must be true where a policy names hosts: the filter compares them without port, and routes must do the same",
        ));
    }
    problems
}
