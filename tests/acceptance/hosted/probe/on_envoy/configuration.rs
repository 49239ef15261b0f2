use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::script::{Policy, Scenario};
use super::servers;

/// Envoy's whole configuration.
pub(super) fn of(scenarios: &[(&Scenario, PathBuf)], upstream: SocketAddr) -> Value {
    let listeners: Vec<_> = scenarios.iter().map(|(scenario, module)| listener(scenario, module)).collect();
    json!({
        "admin": { "address": address(SocketAddr::from(([127, 0, 0, 1], 0))) },
        "static_resources": {
            "listeners": listeners,
            "clusters": [
                cluster("upstream", upstream),
                cluster("answers", servers::answering()),
                cluster("refuses", servers::refusing()),
                cluster("silent", servers::silent()),
                cluster("breaks", servers::breaking()),
            ]
        }
    })
}

fn listener(scenario: &Scenario, module: &std::path::Path) -> Value {
    let environment: serde_json::Map<_, _> =
        scenario.environment.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let allowed: serde_json::Map<_, _> =
        scenario.allowed.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
    let mut config = json!({
        "name": scenario.name,
        "root_id": "root",
        "failure_policy": match scenario.policy {
            Policy::Closed => "FAIL_CLOSED",
            Policy::Open => "FAIL_OPEN",
            Policy::Reload => "FAIL_RELOAD",
        },
        "configuration": text(scenario.configuration),
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "vm_id": scenario.name,
            "configuration": text(scenario.vm_configuration),
            "environment_variables": { "key_values": environment },
            "code": { "local": { "filename": module } }
        }
    });
    if scenario.policy == Policy::Reload {
        config["reload_config"] = json!({ "backoff": { "base_interval": "0.1s" } });
    }
    if !allowed.is_empty() {
        config["capability_restriction_config"] = json!({ "allowed_capabilities": allowed });
    }
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": scenario.name,
        "generate_request_id": false,
        "http_protocol_options": { "enable_trailers": true },
        "http_filters": [
            {
                "name": "probe",
                "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": config }
            },
            {
                "name": "router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                    "suppress_envoy_headers": true
                }
            }
        ],
        "route_config": { "virtual_hosts": [{
            "name": "all", "domains": ["*"],
            "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "upstream" } }]
        }] }
    });
    json!({
        "name": scenario.name,
        "address": address(SocketAddr::from(([127, 0, 0, 1], 0))),
        "filter_chains": [{ "filters": [{ "name": "http", "typed_config": manager }] }]
    })
}

fn text(text: &str) -> Value {
    json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": text })
}

fn cluster(name: &str, at: SocketAddr) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http_protocol_options": { "enable_trailers": true } }
        } },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(at) } }] }]
        }
    })
}

fn address(at: SocketAddr) -> Value {
    json!({ "socket_address": { "address": at.ip().to_string(), "port_value": at.port() } })
}
