//! `examples/policies`: they are what they say they are.

use std::fs;

use serde_json::Value;
use xtask::workspace;

fn read(path: &str) -> Value {
    let text = fs::read_to_string(workspace::root().join(path)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The one that is read and tested by itself is the one that runs.
#[test]
fn the_restaurants_policy_is_the_one_in_envoy_yaml() {
    let envoy = read("envoy.yaml");
    let filters = &envoy["static_resources"]["listeners"][0]["filter_chains"][0]["filters"];
    let filter = &filters[0]["typed_config"]["http_filters"][0];
    let carried = &filter["typed_config"]["config"]["configuration"]["value"];
    assert!(carried["issuers"].is_object());
    assert_eq!(*carried, read("examples/policies/restaurant/policy.yaml"));
}
