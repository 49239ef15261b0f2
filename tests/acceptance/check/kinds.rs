//! Every kind of suspicion: a configuration with exactly that fault, which is named with its line.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use bearward_tests::harness::{self, Setup, program};
use serde_json::{Value, json};
use xtask::workspace;

use super::{Checked, plain};

/// The kinds and what is said of each.
pub(super) fn of_the_help() -> BTreeMap<String, String> {
    let output = Command::new(program("bearward")).args(["check", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let (_, list) = help.split_once("Possible values:\n").expect("the kinds");
    let (list, _) = list.split_once("\n\n").unwrap();
    let items = list.split("          - ").skip(1).map(|item| item.split_once(':').unwrap());
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    items.map(|(kind, text)| (kind.to_owned(), words(text))).collect()
}

/// What is suspicious of a configuration, with lines: exactly these kinds, each on the line that holds its text.
fn is(setup: &Setup, expected: &[(&str, &str)]) {
    let checked = Checked::setup(setup);
    let report = checked.report(&[]);
    assert_eq!((report.status, report.problems().len()), (Some(0), 0), "{:#}", report.report);
    let expected: Vec<_> = expected.iter().map(|(kind, text)| (*kind, checked.line_of(text))).collect();
    assert_eq!(report.kinds(), expected, "{:#}", report.report);
    let (_, said) = checked.said(&[]);
    for (kind, line) in expected {
        assert!(said.contains(&format!("warning[{kind}]: ")), "{said}");
        assert!(said.contains(&format!(" edited.yaml:{line}:")), "{said}");
    }
    assert_eq!(checked.run(&["--strict"]).status.code(), Some(i32::from(!report.kinds().is_empty())));
}

/// The configuration, changed as a document: a line for each value.
fn changed(change: impl FnOnce(&mut Value)) -> Checked {
    let mut document = serde_saphyr::from_str(&Checked::setup(&plain()).text).unwrap();
    change(&mut document);
    Checked::file("envoy.json", format!("{document:#}"))
}

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

/// A line with a further field of the policy after its version.
fn in_policy(field: &str) -> Setup {
    plain().edit("  version: 1\n", &format!("  version: 1\n{:28}{field}\n", ""))
}

/// A further rule before or after the one with this name.
fn with_rule(name: &str, rule: &str, before: bool) -> Setup {
    let text = std::fs::read_to_string(workspace::root().join("envoy.yaml")).unwrap();
    let begin = format!("- {{ name: {name},");
    let line = text.lines().find(|line| line.trim_start().starts_with(&begin)).expect("a rule");
    let rule = format!("{:34}- {rule}", "");
    let both = if before { format!("{rule}\n{line}\n") } else { format!("{line}\n{rule}\n") };
    plain().edit(&format!("{line}\n"), &both)
}

const ROUTER: &str = "                  - name: envoy.filters.http.router\n";
const TO_UPSTREAM: &str = "{ match: { prefix: / }, route: { cluster: upstream } }";

fn behind_bearward(filter: &str) -> Setup {
    plain().edit(ROUTER, &format!("{:18}- {filter}\n{ROUTER}", ""))
}

fn route(route: &str) -> Setup {
    plain().edit(TO_UPSTREAM, route)
}

const ENTRY: &str = "                  - name: bearward\n";

fn entry(field: &str) -> Setup {
    plain().edit(ENTRY, &format!("{ENTRY}{:20}{field}\n", ""))
}

/// What is passed on to the filter as it ships.
const VARIABLES: &str = "{ host_env_keys: [BEARWARD_FEED_TOKEN] }";

/// HS256, with the secret handed over like this.
fn with_secret(variables: &str) -> Setup {
    let remote = "                                  remote:\n                                    cluster: issuer\n                                    uri: http://issuer.bearward.local/.well-known/jwks.json\n                                    refresh_seconds: 300\n                                    timeout_ms: 2000\n";
    plain()
        .without_revocations()
        .edit("algorithms: [EdDSA]", "algorithms: [HS256]")
        .edit(remote, &format!("{:34}secrets_env: [JWT_SECRET]\n", ""))
        .edit(VARIABLES, variables)
}

/// An issuer with a feed from this cluster, whose credential is handed over like this.
fn with_feed(cluster: &str, when_stale: &str, variables: &str) -> Setup {
    let types = "token_types: [at+jwt]\n";
    let feed = format!(
        "{{ cluster: {cluster}, uri: \"http://issuer.bearward.local/revocations/v1\", credential_env: FEED_CREDENTIAL, \
         when_stale: {when_stale} }}"
    );
    plain()
        .without_revocations()
        .edit(types, &format!("{types}{:32}revocations: {feed}\n", ""))
        .edit(VARIABLES, variables)
}

#[test]
fn every_kind_that_the_help_names_is_tested_here() {
    let own = include_str!("kinds.rs");
    let tested: BTreeSet<_> = own.split('"').filter(|text| of_the_help().contains_key(*text)).collect();
    let named = of_the_help();
    assert!(named.len() >= 20, "{named:?}");
    assert_eq!(
        tested.into_iter().map(str::to_owned).collect::<Vec<_>>(),
        named.into_keys().collect::<Vec<_>>()
    );
}

#[test]
fn the_documentation_lists_the_kinds_that_the_help_names() {
    let file = workspace::root().join("docs/check.md");
    let document = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = document.split_once("; do not edit. -->\n\n").expect("a place for the kinds");
    let (_, after) = rest.split_once("<!-- The end of what is made. -->").expect("its end");
    let rows =
        of_the_help().into_iter().map(|(kind, text)| format!("| `{kind}` | {text} |\n")).collect::<String>();
    let fresh = format!(
        "{before}; do not edit. -->\n\n| kind | |\n|---|---|\n{rows}\n<!-- The end of what is made. -->{after}"
    );
    if harness::is_blessing("check") {
        std::fs::write(&file, fresh).unwrap();
        return;
    }
    assert_eq!(document, fresh, "`cargo xtask bless check` writes it anew");
}

#[test]
fn what_the_policy_weakens_is_named() {
    let types = "token_types: [at+jwt]\n";
    is(
        &plain().edit(types, &format!("{types}{:32}accept_missing: [aud]\n", "")),
        &[("accept_missing", "accept_missing:")],
    );
    is(&plain().edit(types, "token_types: [at+jwt, JWT]\n"), &[("jwt_type", "token_types:")]);
    is(&in_policy("mode: observe"), &[("observe", "mode: observe")]);
    is(&in_policy("paths: { letters: folded }"), &[("lenient_paths", "letters: folded")]);
    is(&in_policy("credentials: [{ query: token }]"), &[("token_in_query", "query: token")]);
    is(
        &in_policy("credentials: [{ cookie: token, allowed_origins: [\"http://app.example.com\"] }]"),
        &[("cookie_without_tls", "http://app.example.com")],
    );
    is(
        &plain().edit("  forward:\n", &format!("  forward:\n{:30}keep: [x-original-url]\n", "")),
        &[("kept_override", "x-original-url")],
    );
}

#[test]
fn to_let_tokens_in_that_may_be_revoked_is_named() {
    let variables = "{ host_env_keys: [FEED_CREDENTIAL] }";
    is(&with_feed("issuer", "reject", variables), &[]);
    is(&with_feed("issuer", "allow", variables), &[("stale_allowed", "revocations:")]);
}

#[test]
fn a_feed_without_a_cluster_or_a_credential_that_reaches_the_filter_is_a_problem() {
    for (setup, place) in [
        (
            with_feed("absent", "reject", "{ host_env_keys: [FEED_CREDENTIAL] }"),
            "issuers.bearward.revocations.cluster",
        ),
        (
            with_feed("issuer", "reject", "{ host_env_keys: [OTHER] }"),
            "issuers.bearward.revocations.credential_env",
        ),
    ] {
        let checked = Checked::setup(&setup);
        let report = checked.report(&[]);
        assert_eq!((report.status, report.problems().len()), (Some(1), 1), "{:#}", report.report);
        assert_eq!(report.place_of(place).0, checked.line_of("revocations:"));
    }
}

#[test]
fn a_credential_that_stands_where_its_name_belongs_is_never_shown() {
    let setup = with_feed("issuer", "reject", "{ host_env_keys: [OTHER] }")
        .edit("credential_env: FEED_CREDENTIAL", "credential_env: hunter2-hunter2-hunter2");
    for arguments in [&["--json"][..], &[]] {
        let (_, said) = Checked::setup(&setup).said(arguments);
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_rule_of_which_an_earlier_one_takes_a_part_is_named_and_not_one_that_it_takes_nothing_of() {
    let all =
        |methods: &str| format!("{{ name: all, methods: [{methods}], paths: [/api/**], access: public }}");
    is(&with_rule("orders", &all("GET"), true), &[("shadowed_rule", "name: orders,")]);
    is(&with_rule("orders", &all("PUT"), true), &[]);
    is(&with_rule("orders", &all("GET"), false), &[]);
}

#[test]
fn a_public_path_below_a_protected_one_is_named() {
    is(
        &with_rule("orders", "{ name: rest, methods: [PUT], paths: [/api/**] }", false),
        &[("public_below_protected", "name: auth,")],
    );
    is(&with_rule("orders", "{ name: rest, methods: [PUT], paths: [\"/api/*\"] }", false), &[]);
}

#[test]
fn a_secret_that_stands_in_the_file_is_named_and_never_shown() {
    const SECRET: &str = "hunter2-hunter2-hunter2-hunter2-hunter2";
    is(&with_secret("{ host_env_keys: [JWT_SECRET] }"), &[("shared_secret", "algorithms:")]);
    let variables = format!("{{ key_values: {{ JWT_SECRET: {SECRET}, OTHER: x }} }}");
    let clear = with_secret(&variables);
    is(&clear, &[("secret_in_clear", "key_values"), ("shared_secret", "algorithms:")]);
    let spelled = with_secret(&variables.replace("key_values", "keyValues"));
    is(&spelled, &[("secret_in_clear", "keyValues"), ("shared_secret", "algorithms:")]);
    for setup in [clear.clone(), spelled, clear.edit("failure_policy: FAIL_RELOAD", "failure_policy: [")] {
        let checked = Checked::setup(&setup);
        for arguments in [&["--json"][..], &[]] {
            let (_, said) = checked.said(arguments);
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

#[test]
fn a_secret_that_the_filter_would_not_get_is_a_problem() {
    let checked = Checked::setup(&with_secret("{ host_env_keys: [OTHER] }"));
    let report = checked.report(&[]);
    assert_eq!((report.status, report.problems().len()), (Some(1), 1), "{:#}", report.report);
    let (line, _) = report.place_of("issuers.bearward.keys.secrets_env[0]");
    assert_eq!(line, checked.line_of("secrets_env:"));
}

#[test]
fn other_filters_between_bearward_and_the_router_are_named() {
    let buffer = behind_bearward("{ name: envoy.filters.http.buffer }");
    is(&buffer, &[("not_before_router", "- name: bearward\n")]);
    is(
        &behind_bearward("{ name: envoy.filters.http.lua }"),
        &[("not_before_router", "- name: bearward\n"), ("path_changed_after", "http.lua")],
    );
    let before = plain().edit(ENTRY, &format!("{:18}- {{ name: envoy.filters.http.lua }}\n{ENTRY}", ""));
    is(&before, &[]);
}

#[test]
fn rewrites_of_path_and_host_behind_bearward_are_named() {
    for rewrite in [
        "prefix_rewrite: /x",
        "prefixRewrite: /x",
        "regex_rewrite: { pattern: { regex: ^/a }, substitution: /b }",
        "path_rewrite_policy: { name: envoy.path.rewrite.uri_template.uri_template_rewriter }",
        "host_rewrite_literal: other.example.com",
        "auto_host_rewrite: true",
    ] {
        let setup =
            route(&format!("{{ match: {{ prefix: / }}, route: {{ cluster: upstream, {rewrite} }} }}"));
        is(&setup, &[("path_changed_after", rewrite)]);
    }
    is(&route("{ match: { prefix: / }, route: { cluster: upstream, auto_host_rewrite: false } }"), &[]);
    // What a client is sent to comes back and is judged.
    is(&route("{ match: { prefix: / }, redirect: { prefix_rewrite: /x } }"), &[]);
}

#[test]
fn a_filter_that_is_passed_over_is_named() {
    is(&entry("disabled: true"), &[("disabled_filter", "disabled: true")]);
    is(&entry("is_optional: true"), &[("disabled_filter", "is_optional: true")]);
    is(&entry("isOptional: true"), &[("disabled_filter", "isOptional: true")]);
    is(&entry("disabled: false"), &[]);
    let behind_a_matcher = changed(|document| {
        let filter = document.pointer_mut(&format!("{MANAGER}/http_filters/0/typed_config")).unwrap();
        *filter = json!({ "extension_config": { "typed_config": filter.take() }, "xds_matcher": { "on_no_match": {} } });
    });
    let report = behind_a_matcher.report(&[]);
    assert_eq!(
        report.kinds(),
        [("disabled_filter", behind_a_matcher.line_of("xds_matcher"))],
        "{:#}",
        report.report
    );
    let settings = |name: &str| {
        format!(
            "typed_per_filter_config: {{ {name}: {{ \"@type\": type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true }} }}"
        )
    };
    let on_route = |name: &str| {
        route(&format!("{{ match: {{ prefix: / }}, route: {{ cluster: upstream }}, {} }}", settings(name)))
    };
    is(&on_route("bearward"), &[("disabled_filter", "FilterConfig, disabled: true")]);
    is(&on_route("other"), &[]);
    let hosts = "                  virtual_hosts:\n";
    let on_all = plain().edit(hosts, &format!("{:18}{}\n{hosts}", "", settings("bearward")));
    is(&on_all, &[("disabled_filter", "FilterConfig, disabled: true")]);
    let weighted = format!(
        "{{ match: {{ prefix: / }}, route: {{ weighted_clusters: {{ clusters: [{{ name: upstream, weight: 1, {} }}] }} }} }}",
        settings("bearward")
    );
    is(&route(&weighted), &[("disabled_filter", "FilterConfig, disabled: true")]);
}

#[test]
fn a_route_that_writes_an_identity_header_is_named_whatever_its_spelling() {
    let adding = |name: &str| {
        route(&format!(
            "{{ match: {{ prefix: / }}, route: {{ cluster: upstream }}, request_headers_to_add: [{{ header: {{ key: {name}, value: x }} }}] }}"
        ))
    };
    for name in ["x-user-id", "X_User_Roles"] {
        is(&adding(name), &[("identity_header_added", &format!("key: {name}"))]);
    }
    is(&adding("x-request-start"), &[]);
}

#[test]
fn an_upgrade_with_filters_of_its_own_is_named_unless_bearward_is_one() {
    let upgrade = |filters: &str| {
        let prefix = "                stat_prefix: public\n";
        let field = format!("{:16}upgrade_configs: [{{ upgrade_type: websocket{filters} }}]\n", "");
        plain().edit(prefix, &format!("{prefix}{field}"))
    };
    is(
        &upgrade(", filters: [{ name: envoy.filters.http.router }]"),
        &[("upgrade_without_filter", "upgrade_configs")],
    );
    is(&upgrade(""), &[]);
    let own = "                  - name: bearward\n                    typed_config:\n                      \"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n                      config:";
    let routes = "                route_config:\n";
    let alias = "{ name: bearward, typed_config: { config: *plugin } }, { name: envoy.filters.http.router }";
    let field = format!("{:16}upgrade_configs: [{{ upgrade_type: websocket, filters: [{alias}] }}]\n", "");
    let guarded = plain().edit(own, &format!("{own} &plugin")).edit(routes, &format!("{field}{routes}"));
    is(&guarded, &[]);
    let open = guarded
        .edit("headers_with_underscores_action: REJECT_REQUEST", "headers_with_underscores_action: ALLOW");
    // Both stand in this connection manager, which is named once.
    is(&open, &[("underscore_headers", "headers_with_underscores_action: ALLOW")]);
}

#[test]
fn headers_with_underscores_are_named_where_they_pass() {
    let action = |action: &str| plain().edit("headers_with_underscores_action: REJECT_REQUEST", action);
    let name = "underscore_headers";
    is(
        &action("headers_with_underscores_action: ALLOW"),
        &[(name, "headers_with_underscores_action: ALLOW")],
    );
    let none = plain().edit("                  headers_with_underscores_action: REJECT_REQUEST\n", "");
    is(&none, &[(name, "                common_http_protocol_options:\n")]);
    is(&action("headersWithUnderscoresAction: DROP_HEADER"), &[]);
}

#[test]
fn keys_that_come_without_tls_from_elsewhere_are_named() {
    let keys_alone = Setup::shipped().without_revocations();
    let at = |address: &str| {
        keys_alone.clone().edit("socket_address: { address: issuer, port_value: 8081 }", address)
    };
    let name = "keys_without_tls";
    for far in ["issuer", "10.0.0.1", "\"::2\"", "localhost.example.com"] {
        let far = format!("socket_address: {{ address: {far}, port_value: 8081 }}");
        is(&at(&far), &[(name, "    - name: issuer\n")]);
    }
    for near in ["127.1.2.3", "\"::1\"", "localhost", "\"::ffff:127.0.0.1\""] {
        is(&at(&format!("socket_address: {{ address: {near}, port_value: 8081 }}")), &[]);
    }
    is(&at("pipe: { path: /run/issuer.sock }"), &[]);
    let cluster = "    - name: issuer\n";
    let tls = "\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    let socket = format!("{cluster}      transport_socket: {{ name: tls, typed_config: {{ {tls} }} }}\n");
    is(&keys_alone.clone().edit(cluster, &socket), &[]);
}

#[test]
fn revocations_that_come_without_tls_from_elsewhere_are_named() {
    let near = Setup::shipped()
        .edit("{ address: issuer, port_value: 8081 }", "{ address: 127.0.0.1, port_value: 8081 }");
    is(&near, &[("keys_without_tls", "    - name: issuer_internal\n")]);
}

/// An issuer with a deny list from a cluster on another machine, without TLS.
fn with_list(settings: &str) -> Setup {
    let types = "token_types: [at+jwt]\n";
    let list = format!(
        "{{ cluster: files, uri: \"http://files.bearward.local/deny.json\", when_stale: reject{settings} }}"
    );
    let cluster = "  clusters:\n    - name: files\n      load_assignment: { endpoints: [{ lb_endpoints: [{ endpoint: { address: \
                   { socket_address: { address: 10.0.0.9, port_value: 80 } } } }] }] }\n";
    plain()
        .without_revocations()
        .edit(types, &format!("{types}{:32}deny_list: {list}\n", ""))
        .edit("  clusters:\n", cluster)
        .edit(VARIABLES, "{ host_env_keys: [LIST_CREDENTIAL] }")
}

const LIST_KEYS: &str = ", keys: { jwks: { keys: [{ kty: OKP, crv: Ed25519, kid: l1, \
                         x: gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q }] } }";

#[test]
fn a_plain_list_or_a_credential_without_tls_is_named_and_a_signed_list_needs_none() {
    let credential = ", credential_env: LIST_CREDENTIAL";
    let named = [("keys_without_tls", "    - name: files\n")];
    is(&with_list(""), &named);
    is(&with_list(credential), &named);
    is(&with_list(&format!("{LIST_KEYS}{credential}")), &named);
    is(&with_list(LIST_KEYS), &[]);
    is(
        &with_list(LIST_KEYS).edit("when_stale: reject,", "when_stale: allow,"),
        &[("stale_allowed", "deny_list:")],
    );
}

#[test]
fn a_list_without_a_cluster_or_a_credential_that_reaches_the_filter_is_a_problem() {
    let credential = ", credential_env: LIST_CREDENTIAL";
    for (setup, field) in [
        (with_list("").edit("- name: files\n", "- name: other\n"), "cluster"),
        (
            with_list(credential).edit("host_env_keys: [LIST_CREDENTIAL]", "host_env_keys: [OTHER]"),
            "credential_env",
        ),
    ] {
        let checked = Checked::setup(&setup);
        let report = checked.report(&[]);
        assert_eq!((report.status, report.problems().len()), (Some(1), 1), "{:#}", report.report);
        let place = format!("issuers.bearward.deny_list.{field}");
        assert_eq!(report.place_of(&place).0, checked.line_of("deny_list:"));
    }
}

#[test]
fn keys_from_a_cluster_that_is_nowhere_are_a_problem() {
    let renamed = plain().edit("    cluster: issuer\n", "    cluster: isuer\n");
    let checked = Checked::setup(&renamed);
    let report = checked.report(&[]);
    assert_eq!((report.status, report.problems().len()), (Some(1), 1), "{:#}", report.report);
    assert_eq!(report.place_of("issuers.bearward.keys.remote.cluster").0, checked.line_of("cluster: isuer"));
    is(
        &renamed.edit(
            "static_resources:\n",
            "dynamic_resources: { cds_config: { ads: {} } }\nstatic_resources:\n",
        ),
        &[],
    );
}

#[test]
fn an_admin_interface_for_everybody_is_named() {
    let admin =
        |address: &str| plain().edit("socket_address: { address: 127.0.0.1, port_value: 9901 }", address);
    let open = "socket_address: { address: 0.0.0.0, port_value: 9901 }";
    is(&admin(open), &[("open_admin", open)]);
    is(&admin("pipe: { path: /run/admin.sock }"), &[]);
}

#[test]
fn a_way_to_a_guarded_cluster_without_bearward_is_named() {
    let listener = |cluster: &str| {
        let manager = serde_json::json!({ "name": "http", "typed_config": {
            "http_filters": [{ "name": "envoy.filters.http.router" }],
            "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [
                { "match": { "prefix": "/" }, "route": { "cluster": cluster } },
            ] }] },
        } });
        let other = serde_json::json!({ "name": "other", "filter_chains": [{ "filters": [manager] }] });
        plain().edit("  clusters:\n", &format!("    - {other}\n  clusters:\n"))
    };
    is(&listener("upstream"), &[("unguarded_route", "\"other\"")]);
    is(&listener("elsewhere"), &[]);
}
