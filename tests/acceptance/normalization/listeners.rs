use serde_json::{Value, json};

/// How a listener without the filter is called, before the name of the one with it.
pub(super) const PLAIN: &str = "plain, ";

/// What Envoy does to a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Normalization {
    normalize_path: bool,
    merge_slashes: bool,
    escaped_slashes: &'static str,
}

impl Normalization {
    /// Every combination.
    pub(super) fn all() -> Vec<Self> {
        let actions = ["KEEP_UNCHANGED", "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD"];
        let combined = actions.map(|escaped_slashes| {
            [(false, false), (false, true), (true, false), (true, true)].map(
                |(normalize_path, merge_slashes)| Self { normalize_path, merge_slashes, escaped_slashes },
            )
        });
        combined.concat()
    }

    pub(super) fn name(self) -> String {
        let Self { normalize_path, merge_slashes, escaped_slashes } = self;
        format!("normalize_path {normalize_path}, merge_slashes {merge_slashes}, {escaped_slashes}")
    }
}

/// What Envoy takes for each route of the table, as one would write it: it compares with what the client wrote.
fn routes() -> Value {
    let matches = [
        ("menu", json!({ "path": "/api/menu" })),
        ("item", json!({ "safe_regex": { "regex": "/api/menu/[^/]+" } })),
        ("user", json!({ "safe_regex": { "regex": "/api/users/[^/]+" } })),
        ("status", json!({ "safe_regex": { "regex": "/api/orders/[^/]+/status" } })),
        ("orders", json!({ "path_separated_prefix": "/api/orders" })),
        ("kiosk", json!({ "path": "/api/kiosk" })),
        ("admin", json!({ "path_separated_prefix": "/admin" })),
        ("files", json!({ "path_separated_prefix": "/files" })),
        ("cafe", json!({ "path": "/caf%C3%A9" })),
        ("words", json!({ "path": "/two%20words" })),
        ("comma", json!({ "path": "/a,b" })),
        ("rest", json!({ "prefix": "/" })),
    ];
    let route = |(name, matched): (&str, Value)| {
        let header = json!({ "header": { "key": "x-route", "value": name } });
        json!({ "match": matched, "route": { "cluster": "upstream" }, "request_headers_to_add": [header] })
    };
    json!([{ "name": "all", "domains": ["*"], "routes": matches.map(route) }])
}

/// Two listeners for each normalization: with the filter, and without.
pub(super) fn multiply(configuration: &mut Value, normalizations: &[Normalization]) {
    const MANAGER: &str = "/filter_chains/0/filters/0/typed_config";
    let mut listener = configuration["static_resources"]["listeners"][0].take();
    let manager = listener.pointer_mut(MANAGER).expect("an HTTP connection manager");
    manager["route_config"]["virtual_hosts"] = routes();
    manager["access_log"] = json!([]);
    let listeners = normalizations.iter().flat_map(|normalization| {
        let name = normalization.name();
        [(name.clone(), false), (format!("{PLAIN}{name}"), true)].map(|(name, is_plain)| {
            let mut listener = listener.clone();
            listener["name"] = json!(name);
            let manager = listener.pointer_mut(MANAGER).expect("an HTTP connection manager");
            manager["normalize_path"] = json!(normalization.normalize_path);
            manager["merge_slashes"] = json!(normalization.merge_slashes);
            manager["path_with_escaped_slashes_action"] = json!(normalization.escaped_slashes);
            if is_plain {
                let filters = manager["http_filters"].as_array_mut().expect("filters");
                filters.retain(|filter| filter["name"] != "bearward");
            }
            listener
        })
    });
    configuration["static_resources"]["listeners"] = listeners.collect();
}
