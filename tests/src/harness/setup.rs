use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xtask::stack::{Addresses, substitute};
use xtask::workspace;

use super::{Discovery, Gate, Proxy};
use crate::recorder::Recorder;

/// Where the filter ends in `envoy.yaml`, and the next one begins.
pub(super) const ROUTER: &str = "                  - name: envoy.filters.http.router\n";

/// What the filters of tests ask the feed with.
pub const FEED_CREDENTIAL: &str = "q7Rk2Vx9Lm4Tz8Wc1Np6Yh3Jd5Gf0Bs7";

/// What to start: the repository's own `envoy.yaml` with these changes.
#[derive(Clone, Debug)]
pub struct Setup {
    text: String,
    trap_build: bool,
    pub(super) workers: u32,
    pub(super) upstream: Option<SocketAddr>,
    pub(super) envoy_env: Vec<(String, String)>,
    pub(super) issuer_env: Vec<(String, String)>,
    /// Where the feed is answered, if not where the keys come from.
    internal: Option<SocketAddr>,
}

impl Setup {
    /// As it ships, with the restaurant behind it.
    #[must_use]
    pub fn shipped() -> Self {
        let file = workspace::root().join("envoy.yaml");
        let text = fs::read_to_string(&file).expect("envoy.yaml");
        Self {
            text,
            trap_build: false,
            workers: 1,
            upstream: None,
            envoy_env: Vec::new(),
            issuer_env: Vec::new(),
            internal: None,
        }
    }

    /// Something else instead of a text that stands there.
    ///
    /// # Panics
    /// If it does not stand there exactly once.
    #[must_use]
    pub fn edit(mut self, old: &str, new: &str) -> Self {
        let found = self.text.matches(old).count();
        assert_eq!(found, 1, "`{old}` stands in envoy.yaml {found} times: adapt this test to the file");
        self.text = self.text.replace(old, new);
        self
    }

    /// Another policy.
    #[must_use]
    pub fn policy(mut self, policy: &Value) -> Self {
        const BEFORE: &str = "type.googleapis.com/google.protobuf.Struct\n";
        let begin = self.text.find(BEFORE).expect("a configuration of the filter") + BEFORE.len();
        let end = self.text.find(ROUTER).expect("the router after the filter");
        // Every JSON text is a YAML text.
        self.text.replace_range(begin..end, &format!("{:26}value: {policy}\n", ""));
        self
    }

    /// Other capabilities than those that ship.
    #[must_use]
    pub fn capabilities(mut self, names: &[String]) -> Self {
        const BEFORE: &str = "                          allowed_capabilities:\n";
        const AFTER: &str = "                        vm_config:\n";
        let begin = self.text.find(BEFORE).expect("a restriction of capabilities") + BEFORE.len();
        let end = self.text.find(AFTER).expect("the VM's configuration after it");
        let lines: String = names.iter().map(|name| format!("{:28}{name}: {{}}\n", "")).collect();
        self.text.replace_range(begin..end, &lines);
        self
    }

    /// A recorder instead of the restaurant.
    #[must_use]
    pub fn upstream(mut self, recorder: &Recorder) -> Self {
        self.upstream = Some(recorder.address());
        self
    }

    /// The module that traps on the magic header.
    #[must_use]
    pub fn trap_build(mut self) -> Self {
        self.trap_build = true;
        self
    }

    /// More worker threads than one, each with a VM of its own.
    #[must_use]
    pub fn workers(mut self, workers: u32) -> Self {
        self.workers = workers;
        self
    }

    /// A secret in Envoy's environment, passed on to the filter.
    #[must_use]
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.envoy_env.push((name.to_owned(), value.to_owned()));
        self.edit("host_env_keys: [", &format!("host_env_keys: [{name}, "))
    }

    /// As it would be where tokens end by their own time alone: before an issuer that has no feed.
    #[must_use]
    pub fn without_revocations(mut self) -> Self {
        const BEFORE: &str = "                                revocations:\n";
        const AFTER: &str = "                            policies:\n";
        let begin = self.text.find(BEFORE).expect("a feed in the policy");
        let end = self.text.find(AFTER).expect("policies after it");
        self.text.replace_range(begin..end, "");
        self
    }

    /// A setting of the issuer.
    #[must_use]
    pub fn issuer(mut self, name: &str, value: &str) -> Self {
        self.issuer_env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts issuer, upstream and Envoy.
    ///
    /// # Panics
    /// If one of them does not start.
    #[must_use]
    pub fn start(&self) -> Gate {
        Gate::start(self).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts Envoy alone, before an issuer that may or may not be there.
    ///
    /// # Errors
    /// Envoy's whole log, if it refuses its configuration.
    pub fn start_envoy(&self, issuer: SocketAddr, upstream: SocketAddr) -> Result<Proxy, String> {
        Proxy::start(self, issuer, upstream)
    }

    /// Starts Envoy alone, with its whole configuration changed as a document.
    ///
    /// # Panics
    /// If Envoy does not start.
    #[must_use]
    pub fn start_changed(&self, upstream: SocketAddr, change: impl FnOnce(&mut Value)) -> Proxy {
        let mut configuration: Value =
            serde_saphyr::from_str(&self.substituted(upstream, upstream)).expect("YAML");
        change(&mut configuration);
        Proxy::start_as_written(self, configuration.to_string(), super::directory())
            .unwrap_or_else(|log| panic!("{log}"))
    }

    /// Starts Envoy alone, with the filter's configuration in a file that can be replaced while it serves.
    ///
    /// # Panics
    /// If Envoy does not start.
    #[must_use]
    pub fn start_discovery(&self, issuer: SocketAddr, upstream: SocketAddr) -> Discovery {
        Discovery::start(self, issuer, upstream)
    }

    pub(super) fn module(&self) -> PathBuf {
        if self.trap_build { super::trap_module() } else { super::module() }
    }

    /// The configuration as Envoy gets it.
    pub(super) fn substituted(&self, issuer: SocketAddr, upstream: SocketAddr) -> String {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let internal = self.internal.unwrap_or(issuer);
        let addresses = Addresses { listen, issuer, internal, upstream, module: &self.module() };
        substitute(&self.checking_who_is_asked(), &addresses).expect("marked lines in envoy.yaml")
    }

    /// Where nobody is asked for revocations, whoever stands for the issuer is not asked for his health.
    fn checking_who_is_asked(&self) -> String {
        let mut text = self.text.clone();
        let is_asked =
            ["cluster: issuer_internal", "\"issuer_internal\""].iter().any(|name| text.contains(name));
        const AFTER: &str = "      load_assignment:\n";
        if !is_asked && let Some((before, checks)) = text.split_once("      health_checks:\n") {
            let (_, after) = checks.split_once(AFTER).expect("addresses after the checks");
            text = format!("{before}{AFTER}{after}");
        }
        text
    }

    /// Writes the whole configuration into a file of this directory.
    #[must_use]
    pub fn write_into(&self, directory: &Path) -> PathBuf {
        let file = directory.join("edited.yaml");
        fs::write(&file, &self.text).expect("a writable directory");
        file
    }

    /// Feeds at these two addresses, which Envoy asks in turn; and another issuer beside the one that it is started with.
    ///
    /// # Panics
    /// If `envoy.yaml` has no such addresses.
    #[must_use]
    pub fn replicas(mut self, feeds: [SocketAddr; 2], other_issuer: SocketAddr) -> Self {
        self.internal = Some(feeds[0]);
        for (marker, address) in [("# bearward: issuer", other_issuer), ("# bearward: internal", feeds[1])] {
            let line = self.text.lines().find(|line| line.ends_with(marker)).expect("an address").to_owned();
            let column = line.len() - line.trim_start().len() - 6;
            let (blank, ip, port) = ("", address.ip(), address.port());
            let second = format!(
                "{line}
{blank:column$}- endpoint: {{ address: {{ socket_address: {{ address: {ip}, port_value: {port} }} }} }}"
            );
            self.text = self.text.replace(&line, &second);
        }
        self
    }

    /// The policy, changed as a document.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn change_policy(self, change: impl FnOnce(&mut Value)) -> Self {
        let configuration: Value = serde_saphyr::from_str(&self.text).expect("YAML");
        let filters = configuration
            .pointer("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters")
            .and_then(Value::as_array)
            .expect("filters");
        let filter = filters.iter().find(|filter| filter["name"] == "bearward").expect("the filter");
        let mut policy = filter["typed_config"]["config"]["configuration"]["value"].clone();
        change(&mut policy);
        self.policy(&policy)
    }
}
