use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xtask::workspace;

use super::{Gate, Proxy};
use crate::recorder::Recorder;

/// What to start: the repository's own `envoy.yaml` with these changes.
#[derive(Clone, Debug)]
pub struct Setup {
    text: String,
    trap_build: bool,
    pub(super) upstream: Option<SocketAddr>,
    pub(super) envoy_env: Vec<(String, String)>,
}

impl Setup {
    /// As it ships, with the restaurant behind it.
    #[must_use]
    pub fn shipped() -> Self {
        let file = workspace::root().join("envoy.yaml");
        let text = fs::read_to_string(&file).expect("envoy.yaml");
        Self { text, trap_build: false, upstream: None, envoy_env: Vec::new() }
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
        const AFTER: &str = "                  - name: envoy.filters.http.router\n";
        let begin = self.text.find(BEFORE).expect("a configuration of the filter") + BEFORE.len();
        let end = self.text.find(AFTER).expect("the router after the filter");
        // Every JSON text is a YAML text.
        self.text.replace_range(begin..end, &format!("{:26}value: {policy}\n", ""));
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

    /// A secret in Envoy's environment, passed on to the filter.
    #[must_use]
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.envoy_env.push((name.to_owned(), value.to_owned()));
        let runtime = "runtime: envoy.wasm.runtime.v8\n";
        let passed_on = format!("{runtime}{:26}environment_variables: {{ host_env_keys: [{name}] }}\n", "");
        self.edit(runtime, &passed_on)
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

    pub(super) fn module(&self) -> PathBuf {
        if self.trap_build { super::trap_module() } else { super::module() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Writes the whole configuration into a file of this directory.
    #[must_use]
    pub fn write_into(&self, directory: &Path) -> PathBuf {
        let file = directory.join("edited.yaml");
        fs::write(&file, &self.text).expect("a writable directory");
        file
    }
}
