//! The configuration of the one Envoy in which everything is measured, out of what stands in `bench/filter`.

use std::path::Path;

use bearward_core::algorithm::AlgorithmName;
use xtask::error::Error;

use super::feed::Feeds;
use super::grown;
use super::noops::Noops;
use super::template::filled;
use super::tokens::Signers;
use super::variants::{Block, Filter, NONE, Revocations, Shape, Variant};

const LISTENER: &str = include_str!("../../filter/listener.yaml");
const NATIVE: &str = include_str!("../../filter/native.yaml");
const BEARWARD: &str = include_str!("../../filter/bearward.yaml");
const NOOP: &str = include_str!("../../filter/noop.yaml");

const CLUSTER: &str = "    - name: ${name}
      type: STATIC
      connect_timeout: 1s
      load_assignment:
        cluster_name: ${name}
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${port} } } }
";

/// The environment variable with the secret for HS256, which the filter reads.
pub(super) const SECRET_VARIABLE: &str = "BEARWARD_BENCH_SECRET";

/// What the configuration points at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    pub(super) signers: &'a Signers,
    /// Bearward's module, and those that do nothing.
    pub(super) bearward: &'a Path,
    pub(super) noops: &'a Noops,
    /// How many tokens the native filter keeps where it keeps any.
    pub(super) cache_size: usize,
    /// Who answers as feeds of revocations do.
    pub(super) feeds: &'a Feeds,
}

/// One Envoy with a listener for each variant of the blocks, which has its name, and one without a filter.
///
/// # Errors
/// A template that does not fit.
pub(super) fn of(blocks: &[Block], parts: &Parts<'_>) -> Result<String, Error> {
    let mut text = "admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }\n\
                    static_resources:\n  listeners:\n"
        .to_owned();
    let none = Variant { name: NONE.to_owned(), filter: Filter::None };
    for variant in with_filters(blocks).chain([&none]) {
        let filters = filters(variant, parts)?;
        let listener = filled(LISTENER, &[("name", &variant.name), ("filters", &filters)], &[])?;
        listener.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
    }
    text.push_str("  clusters:\n");
    for (Revocations(records), address) in parts.feeds {
        let (name, port) = (feed(Revocations(*records)), address.port().to_string());
        text.push_str(&filled(CLUSTER, &[("name", &name), ("port", &port)], &[])?);
    }
    Ok(text)
}

/// Those that have listeners of their own.
pub(super) fn with_filters(blocks: &[Block]) -> impl Iterator<Item = &Variant> {
    let variants = blocks.iter().flat_map(|block| &block.variants);
    variants.filter(|variant| variant.filter != Filter::None)
}

/// What stands before the router: nothing, or a list.
fn filters(variant: &Variant, parts: &Parts<'_>) -> Result<String, Error> {
    let name = ("name", variant.name.as_str());
    let signer = |shape: &Shape| {
        let signer = parts.signers.get(&shape.signer);
        signer.ok_or_else(|| Error::unusable(format!("no tokens of {}", shape.signer), "report this"))
    };
    match &variant.filter {
        Filter::None => Ok(String::new()),
        Filter::Noop(noop) => {
            let module =
                parts.noops.path(*noop).ok_or_else(|| Error::unusable("no tokens", "report this"))?;
            filled(NOOP, &[name, ("module", &module.display().to_string())], &[])
        }
        Filter::Native { shape, cache } => {
            let (size, jwks) = (parts.cache_size.to_string(), signer(shape)?.jwks(shape.keys)?.to_string());
            let holds: &[&str] = if *cache { &["cache"] } else { &[] };
            filled(&grown::native(NATIVE, shape.rules)?, &[("jwks", &jwks), ("cache_size", &size)], holds)
        }
        Filter::Bearward { shape, revocations, alone } => {
            let signer = signer(shape)?;
            let algorithm = signer.algorithm;
            let keys = if algorithm == AlgorithmName::Hs256 { "secret" } else { "jwks" };
            let host = if *alone { None } else { Some("host") };
            let holds = [Some(keys), revocations.map(|_| "revocations"), host];
            let holds: Vec<&str> = holds.into_iter().flatten().collect();
            let (module, jwks) = (parts.bearward.display().to_string(), signer.jwks(shape.keys)?.to_string());
            let feed = revocations.map(feed).unwrap_or_default();
            let values = [
                name,
                ("module", &module),
                ("algorithm", algorithm.as_str()),
                ("jwks", &jwks),
                ("feed", &feed),
            ];
            filled(&grown::bearward(BEARWARD, shape.rules)?, &values, &holds)
        }
    }
}

/// The name of a feed's cluster.
fn feed(Revocations(records): Revocations) -> String {
    format!("feed_{records}")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use xtask::directory::TemporaryDirectory;

    use super::super::tokens;
    use super::super::variants;
    use super::*;

    fn text(blocks: &[Block], signers: &Signers) -> String {
        let folder = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-unit").unwrap();
        let parts = Parts {
            signers,
            bearward: Path::new("/x/bearward.wasm"),
            noops: &Noops::write(folder.path(), signers).unwrap(),
            cache_size: 8_192,
            feeds: &Feeds::from([(Revocations(1), ([127, 0, 0, 1], 4_711).into())]),
        };
        of(blocks, &parts).unwrap()
    }

    /// Its block, with no other variant in it.
    fn alone(name: &str) -> Vec<Block> {
        let mut blocks = variants::every();
        blocks.iter_mut().for_each(|block| block.variants.retain(|variant| variant.name == name));
        blocks.retain(|block| !block.variants.is_empty());
        blocks
    }

    #[test]
    fn every_variant_has_a_listener_and_differs_from_the_others_in_its_filters_alone() {
        let signers = tokens::of_all(1);
        let blocks = variants::every();
        let text = text(&blocks, &signers);
        let variants = || blocks.iter().flat_map(|block| &block.variants);
        for variant in variants() {
            assert_eq!(
                text.matches(&format!("\n    - name: {}\n", variant.name)).count(),
                1,
                "{}",
                variant.name
            );
        }
        let routers = text.matches("filters.http.router.v3.Router").count();
        assert_eq!(routers, variants().count());
        let native = variants().filter(|variant| matches!(variant.filter, Filter::Native { .. })).count();
        assert_eq!(text.matches("jwt_authn.v3.JwtAuthentication").count(), native);
        assert!(text.contains("port_value: 4711"), "{text}");
    }

    #[test]
    fn but_for_what_is_asked_of_them_connections_and_bearward_are_configured_as_they_ship() {
        let yaml = |text: &str| -> Value { serde_saphyr::from_str(text).unwrap() };
        let path = xtask::workspace::root().join("envoy.yaml");
        let shipped = yaml(&std::fs::read_to_string(path).unwrap());
        let signers = tokens::of_all(1);
        let ours = yaml(&text(&alone("bearward_cold_EdDSA_revocations"), &signers));
        let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
        let [mut ours, mut shipped] = [ours, shipped].map(|of| of.pointer(manager).unwrap().clone());
        let wasm = "/http_filters/0/typed_config/config";
        let format = "/access_log/0/typed_config/log_format";
        let same = ["/failure_policy", "/capability_restriction_config", "/vm_config/runtime"];
        let same = same.map(|of| format!("{wasm}{of}")).into_iter().chain([format.to_owned()]);
        for pointer in same {
            assert!(ours.pointer(&pointer).is_some(), "{pointer}");
            assert_eq!(ours.pointer(&pointer), shipped.pointer(&pointer), "{pointer}");
        }
        for of in [&mut ours, &mut shipped] {
            for other in ["stat_prefix", "access_log", "http_filters", "route_config", "local_reply_config"] {
                of.as_object_mut().unwrap().remove(other);
            }
        }
        assert_eq!(ours, shipped);
    }

    #[test]
    fn the_native_filter_has_a_cache_where_bearward_is_warm_and_none_where_it_is_cold() {
        let signers = tokens::of_all(1);
        let of = |name: &str| text(&alone(name), &signers);
        assert!(of("native_warm_ES256").contains("jwt_cache_size: 8192"));
        assert!(!of("native_cold_ES256").contains("jwt_cache_config"));
        assert!(of("bearward_cold_HS256").contains("secrets_env"));
        assert!(!of("bearward_cold_ES256").contains("secrets_env"));
    }

    #[test]
    fn where_it_is_to_verify_alone_bearward_may_not_ask_the_host_and_else_it_may() {
        let signers = tokens::of_all(1);
        for algorithm in ["RS256", "ES256"] {
            let of = |name: String| text(&alone(&name), &signers).contains("proxy_call_foreign_function");
            assert!(of(format!("bearward_cold_{algorithm}")));
            assert!(!of(format!("bearward_cold_{algorithm}_alone")));
        }
    }
}
