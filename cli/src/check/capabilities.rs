//! What the module needs of its host where `capability_restriction_config` limits it.
//!
//! A callback that is not allowed is skipped, silently: without `proxy_on_request_headers` every request passes.

/// Callbacks: the `proxy_on_*` exports of the table in ARCHITECTURE.md, but for the allocator, which is not restricted.
pub(crate) const CALLBACKS: &[&str] = &[
    "proxy_on_context_create",
    "proxy_on_configure",
    "proxy_on_tick",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_http_call_response",
    "proxy_on_delete",
];

/// Hostcalls that `filter/wasm/src/host.rs` makes and cannot do without. `proxy_call_foreign_function` is not among them:
/// where it is not allowed the filter verifies signatures by itself, which is dearer (`docs/fuel.md`).
pub(crate) const HOSTCALLS: &[&str] = &[
    "proxy_log",
    "proxy_get_current_time_nanoseconds",
    "proxy_set_tick_period_milliseconds",
    "proxy_get_header_map_pairs",
    "proxy_remove_header_map_value",
    "proxy_add_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_set_property",
    "proxy_get_buffer_bytes",
    "proxy_send_local_response",
    "proxy_http_call",
    "proxy_set_effective_context",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_increment_metric",
    "proxy_record_metric",
    "proxy_get_shared_data",
    "proxy_set_shared_data",
];

/// Calls of WASI that the standard library makes: the environment, for secrets.
pub(crate) const WASI: &[&str] = &["environ_get", "environ_sizes_get"];
