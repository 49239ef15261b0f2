//! What can be wrong with the routes: what they change after the decision, and ways past it.

use bearward_core::Policy;
use serde_json::Value;

use crate::check::chain::route_configurations;
use crate::check::kind::Kind;
use crate::check::remark::Remark;
use crate::field::{At, Step};
use crate::plugin::Plugin;

/// Fields of a route that give the upstream another path.
const PATH_REWRITES: [&str; 4] = ["prefix_rewrite", "regex_rewrite", "path_rewrite_policy", "path_rewrite"];
/// Fields of a route that give the upstream another host.
const HOST_REWRITES: [&str; 6] = [
    "host_rewrite_literal",
    "host_rewrite_header",
    "host_rewrite_path_regex",
    "host_rewrite",
    "auto_host_rewrite",
    "auto_host_rewrite_header",
];

/// All of one connection manager.
pub(crate) fn remarks<'a>(manager: &At<'a>, policy: Option<&Policy>) -> Vec<Remark<'a>> {
    let mut remarks = Vec::new();
    for routes in route_configurations(manager) {
        routes.walk(&mut |at| {
            remarks.extend(rewrites(at));
            if let Some(policy) = policy {
                remarks.extend(identity_headers(at, policy));
            }
            true
        });
    }
    remarks.extend(policy.and_then(|policy| one_reading_of_the_host(manager, policy)));
    remarks
}

fn rewrites<'a>(at: &At<'a>) -> Vec<Remark<'a>> {
    // What a redirect rewrites comes back as a new request.
    if at.path.steps().last() == Some(&Step::Member("redirect")) {
        return Vec::new();
    }
    let found = |names: &[&'static str], what: &'static str| -> Vec<Remark<'a>> {
        let there = names.iter().filter_map(|name| Some((*name, at.get(name)?)));
        let set = there
            .filter(|(_, field)| ![Value::Bool(false), Value::Null, Value::from("")].contains(field.value));
        let remark = |(name, field): (&str, At<'a>)| {
            let text = format!(
                "`{name}` gives the upstream another {what} than the one that was judged: route by the {what} as it comes, or see \
                 that the policy's rules hold for both"
            );
            Remark::suspicion(Kind::PathChangedAfter, field.path, text)
        };
        set.map(remark).collect()
    };
    let mut remarks = found(&PATH_REWRITES, "path");
    remarks.extend(found(&HOST_REWRITES, "host"));
    remarks
}

fn identity_headers<'a>(at: &At<'a>, policy: &Policy) -> Vec<Remark<'a>> {
    let mut remarks = Vec::new();
    for added in at.list("request_headers_to_add") {
        let Some(key) = added.below(&["header", "key"]) else { continue };
        let name = key.value.as_str().unwrap_or_default();
        if policy.forwarding().tells(name.to_ascii_lowercase().as_bytes()) {
            let text = format!(
                "the route writes `{}`, which upstreams believe to be what Bearward verified: leave it to Bearward",
                name.escape_debug()
            );
            remarks.push(Remark::suspicion(Kind::IdentityHeaderAdded, key.path, text));
        }
    }
    remarks
}

/// Where policies are told apart by host, virtual hosts must read it as the filter does: else `Host: public.example:1`
/// is judged by one's policy and served by the other's routes.
fn one_reading_of_the_host<'a>(manager: &At<'a>, policy: &Policy) -> Option<Remark<'a>> {
    let any_port = manager.is_true("strip_any_host_port")
        || manager.get("route_config").is_some_and(|routes| routes.is_true("ignore_port_in_host_matching"));
    (policy.names_hosts() && !any_port).then(|| {
        let field = manager.get("strip_any_host_port");
        let path = field.map_or_else(|| manager.path.member("strip_any_host_port"), |field| field.path);
        Remark::problem(
            path,
            "must be true where a policy names hosts: the filter compares them without port, and routes must do the same",
        )
    })
}

/// Ways past the gate: a connection manager without Bearward that routes to what one with it guards.
pub(crate) fn unguarded<'a>(root: &At<'a>, plugins: &[Plugin<'a>]) -> Vec<Remark<'a>> {
    let mut managers = Vec::new();
    root.walk(&mut |at| {
        if at.get("http_filters").is_some() && !route_configurations(at).is_empty() {
            managers.push(at.clone());
        }
        true
    });
    let guards = |manager: &At<'a>| plugins.iter().any(|plugin| plugin.path.is_within(&manager.path));
    let (guarded, others): (Vec<_>, Vec<_>) = managers.into_iter().partition(guards);
    let guarded: Vec<_> =
        guarded.iter().flat_map(clusters).filter_map(|cluster| cluster.value.as_str()).collect();
    let past =
        others.iter().flat_map(clusters).filter(|cluster| guarded.iter().any(|name| cluster.value == name));
    past.map(|cluster| {
        let text = "this way to the cluster has no Bearward on it: nobody is asked for a token here; put Bearward into these \
                    filters, too, or see that nobody reaches this listener";
        Remark::suspicion(Kind::UnguardedRoute, cluster.path, text)
    })
    .collect()
}

/// The names of all clusters that a connection manager routes to.
fn clusters<'a>(manager: &At<'a>) -> Vec<At<'a>> {
    let mut found = Vec::new();
    for routes in route_configurations(manager) {
        routes.walk(&mut |at| {
            if let Some(route) = at.get("route") {
                found.extend(route.get("cluster"));
                let weighted = route.get("weighted_clusters");
                let weighted = weighted.iter().flat_map(|weighted| weighted.list("clusters"));
                found.extend(weighted.filter_map(|cluster| cluster.get("name")));
            }
            true
        });
    }
    found
}
