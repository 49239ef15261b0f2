use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::setup::ROUTER;
use super::{Proxy, Setup, directory};

/// Envoy whose filter is configured by the extension config discovery service (ECDS), from a file.
#[derive(Debug)]
pub struct Discovery {
    proxy: Proxy,
    file: PathBuf,
    issuer: SocketAddr,
    upstream: SocketAddr,
}

/// Where the filter's own part of `envoy.yaml` begins.
const FILTER: &str = "                  - name: bearward\n                    typed_config:\n";
/// By how many columns the filter stands deeper in a listener than in a resource.
const TOO_DEEP: usize = 16;

impl Discovery {
    pub(super) fn start(setup: &Setup, issuer: SocketAddr, upstream: SocketAddr) -> Self {
        let directory = directory();
        let file = directory.path().join("filter.yaml");
        let (before, filter, after) = parts(&setup.substituted(issuer, upstream));
        fs::write(&file, filter).expect("a writable directory");
        // Discovery demands that the node has a name.
        let configuration = format!(
            "node: {{ id: bearward-test, cluster: bearward-test }}
{before}                  - name: bearward
                    config_discovery:
                      type_urls: [type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm]
                      config_source:
                        resource_api_version: V3
                        path_config_source: {{ path: \"{}\" }}
{after}",
            file.display()
        );
        let proxy =
            Proxy::start_as_written(setup, configuration, directory).unwrap_or_else(|log| panic!("{log}"));
        Self { proxy, file, issuer, upstream }
    }

    /// Envoy.
    #[must_use]
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Gives the filter another configuration as an operator does: written beside the old file, and renamed over it.
    /// What else differs in the setup stays as it was.
    pub fn replace(&self, setup: &Setup) {
        let (_, filter, _) = parts(&setup.substituted(self.issuer, self.upstream));
        let beside = self.file.with_extension("new");
        fs::write(&beside, filter).expect("a writable directory");
        fs::rename(&beside, &self.file).expect("a file that can be replaced");
    }

    /// One of Envoy's numbers about the discovery.
    #[must_use]
    pub fn stat(&self, name: &str) -> u64 {
        self.proxy.stat(&format!("extension_config_discovery.http_filter.bearward.{name}"))
    }
}

/// What stands before the filter, the filter as a resource of its own, and what stands after it.
fn parts(text: &str) -> (String, String, String) {
    let (before, rest) = text.split_once(FILTER).expect("the filter");
    let (filter, after) = rest.split_once(ROUTER).expect("the router after the filter");
    let mut resource = "\
resources:
  - \"@type\": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig
    name: bearward
    typed_config:
"
    .to_owned();
    for line in filter.lines() {
        resource.push_str(line.strip_prefix(&" ".repeat(TOO_DEEP)).expect("a line of the filter"));
        resource.push('\n');
    }
    (before.to_owned(), resource, format!("{ROUTER}{after}"))
}
