//! What can be wrong with the chain of filters that Bearward is part of: who stands behind it, and when it is passed over.

use serde_json::Value;

use crate::check::kind::Kind;
use crate::check::remark::Remark;
use crate::field::{At, Path};
use crate::plugin::{Chain, Plugin};

/// Parts of the names of filters that can change path, host or headers of a request, and of their types.
const CHANGING: [&str; 15] = [
    "aws_lambda",
    "composite",
    "connect_grpc_bridge",
    "dynamic_modules",
    "ext_authz",
    "ext_proc",
    "golang",
    "grpc_http1_reverse_bridge",
    "grpc_json",
    "header_mutation",
    "header_to_metadata",
    "jwt_authn",
    "lua",
    "oauth2",
    "wasm",
];

/// All of it. `plugin`: Bearward's own.
pub(crate) fn remarks<'a>(
    root: &At<'a>,
    chain: &Chain<'a>,
    plugin: &At<'a>,
    all: &[Plugin<'_>],
) -> Vec<Remark<'a>> {
    let mut remarks = Vec::new();
    remarks.extend(not_before_router(chain));
    remarks.extend(behind(chain).iter().filter_map(changes));
    remarks.extend(passed_over(root, chain, plugin));
    remarks.extend(disabled_somewhere(chain));
    remarks.extend(upgrades(&chain.manager, all));
    remarks.extend(underscores(&chain.manager));
    remarks
}

/// The filters between Bearward and the router.
fn behind<'a>(chain: &Chain<'a>) -> Vec<At<'a>> {
    chain.filters.iter().skip(chain.position + 1).take_while(|filter| !is_last(filter)).cloned().collect()
}

/// Whether the filter is one that ends a chain.
fn is_last(filter: &At<'_>) -> bool {
    ["router.v3.Router", "upstream_codec.v3.UpstreamCodec"].iter().any(|last| type_of(filter).ends_with(last))
        || ["envoy.filters.http.router", "envoy.filters.http.upstream_codec", "envoy.router"]
            .contains(&name_of(filter))
}

fn type_of<'a>(filter: &At<'a>) -> &'a str {
    filter
        .get("typed_config")
        .and_then(|config| config.text("type_url").or_else(|| config.text("@type")))
        .unwrap_or_default()
}

fn name_of<'a>(filter: &At<'a>) -> &'a str {
    filter.text("name").unwrap_or_default()
}

fn not_before_router<'a>(chain: &Chain<'a>) -> Option<Remark<'a>> {
    let between: Vec<_> =
        behind(chain).iter().map(|filter| format!("`{}`", name_of(filter).escape_debug())).collect();
    let text = if !chain.filters.iter().skip(chain.position + 1).any(is_last) {
        "no router follows Bearward in this list of filters: let it stand directly before `envoy.filters.http.router`".to_owned()
    } else if between.is_empty() {
        return None;
    } else {
        format!(
            "between Bearward and the router stands {}: nobody judges what happens there; let Bearward stand directly before \
             the router",
            between.join(", ")
        )
    };
    Some(Remark::suspicion(Kind::NotBeforeRouter, name_path(&chain.filter), text))
}

fn changes<'a>(filter: &At<'a>) -> Option<Remark<'a>> {
    let names = [name_of(filter), type_of(filter)];
    let changing = CHANGING.iter().any(|part| names.iter().any(|name| name.contains(part)));
    changing.then(|| {
        let text = format!(
            "`{}` can change path and headers after the decision about them: let it stand before Bearward",
            name_of(filter).escape_debug()
        );
        Remark::suspicion(Kind::PathChangedAfter, name_path(filter), text)
    })
}

fn name_path<'a>(filter: &At<'a>) -> Path<'a> {
    filter.get("name").map_or_else(|| filter.path.clone(), |name| name.path)
}

/// Where every request passes the filter over, or some do by a matcher.
fn passed_over<'a>(root: &At<'a>, chain: &Chain<'a>, plugin: &At<'a>) -> Vec<Remark<'a>> {
    let mut remarks = Vec::new();
    for (field, text) in [
        ("disabled", "Bearward is disabled: it judges only where a route enables it; leave `disabled` out"),
        (
            "is_optional",
            "Bearward is optional: an Envoy that does not know WebAssembly starts without it; leave `is_optional` out",
        ),
    ] {
        if let Some(field) = chain.filter.get(field).filter(|field| *field.value == Value::Bool(true)) {
            remarks.push(Remark::suspicion(Kind::DisabledFilter, field.path, text));
        }
    }
    let outside = chain.filter.path.steps().len();
    for length in outside..plugin.path.steps().len() {
        let around = root.follow(&plugin.path.first(length));
        let matcher = around.and_then(|around| around.get("xds_matcher").or_else(|| around.get("matcher")));
        if let Some(matcher) = matcher {
            remarks.push(Remark::suspicion(
                Kind::DisabledFilter,
                matcher.path,
                "Bearward stands behind a matcher: it does not judge every request; take it out of the matcher",
            ));
        }
    }
    remarks
}

/// `typed_per_filter_config` of a route configuration, a virtual host, a route or a weighted cluster.
fn disabled_somewhere<'a>(chain: &Chain<'a>) -> Vec<Remark<'a>> {
    let own = name_of(&chain.filter);
    let mut remarks = Vec::new();
    for routes in route_configurations(&chain.manager) {
        routes.walk(&mut |at| {
            let settings = at.get("typed_per_filter_config");
            let disabled = settings.iter().flat_map(At::members).find(|(name, _)| *name == own);
            if let Some(field) = disabled.and_then(|(_, settings)| settings.get("disabled"))
                && *field.value == Value::Bool(true)
            {
                let text = "Bearward is disabled here: these requests go through unjudged, with whatever identity they claim; \
                            write a public rule instead";
                remarks.push(Remark::suspicion(Kind::DisabledFilter, field.path, text));
            }
            true
        });
    }
    remarks
}

/// The route configurations that a connection manager has in itself.
pub(crate) fn route_configurations<'a>(manager: &At<'a>) -> Vec<At<'a>> {
    ["route_config", "scoped_routes"].iter().filter_map(|name| manager.get(name)).collect()
}

fn upgrades<'a>(manager: &At<'a>, all: &[Plugin<'_>]) -> Vec<Remark<'a>> {
    let mut remarks = Vec::new();
    for upgrade in manager.list("upgrade_configs") {
        let Some(filters) = upgrade.get("filters").filter(|filters| filters.items().next().is_some()) else {
            continue;
        };
        if !all.iter().any(|plugin| plugin.path.is_within(&filters.path)) {
            let kind = upgrade.text("upgrade_type").unwrap_or("an upgrade");
            let text = format!(
                "{} goes through filters of its own, without Bearward: nobody judges these requests; leave `filters` out, or \
                 put Bearward among them",
                kind.escape_debug()
            );
            remarks.push(Remark::suspicion(Kind::UpgradeWithoutFilter, filters.path, text));
        }
    }
    remarks
}

fn underscores<'a>(manager: &At<'a>) -> Option<Remark<'a>> {
    const FIELD: &str = "headers_with_underscores_action";
    let options = manager.get("common_http_protocol_options");
    let field = options.as_ref().and_then(|options| options.get(FIELD));
    let word = field.as_ref().map(|field| field.value);
    // Enumerations may be written by number.
    let is_strict = word.is_some_and(|word| {
        ["REJECT_REQUEST", "DROP_HEADER"].iter().any(|strict| word == strict) || *word == 1 || *word == 2
    });
    let path = match (field, options) {
        (Some(field), _) => field.path,
        (None, Some(options)) => options.path.member(FIELD),
        (None, None) => manager.path.member("common_http_protocol_options").member(FIELD),
    };
    let text = "headers with underscores pass: many servers read x_forwarded_for as x-forwarded-for; write \
                `headers_with_underscores_action: REJECT_REQUEST`";
    (!is_strict).then(|| Remark::suspicion(Kind::UnderscoreHeaders, path, text))
}
