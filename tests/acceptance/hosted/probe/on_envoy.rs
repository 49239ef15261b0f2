//! Scenarios in a real Envoy: one listener for each.

mod configuration;
mod servers;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bearward_tests::client::Request;
use bearward_tests::recorder::Recorder;
use xtask::directory::TemporaryDirectory;
use xtask::report::Report as Said;
use xtask::stack::{EnvoyOptions, EnvoyServer};

use super::report::SAID;
use super::script::{Scenario, Sent};

/// How long is waited for what the log does not hold yet.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long something may take that nobody expects: it would be a difference.
const SURPRISE: Duration = Duration::from_millis(500);

/// A running Envoy with all scenarios loaded.
pub(super) struct Proxy {
    envoy: EnvoyServer,
    upstream: Recorder,
    ports: BTreeMap<String, SocketAddr>,
    _directory: TemporaryDirectory,
}

impl Proxy {
    /// Starts Envoy. It refuses everything if it refuses one of them.
    pub(super) fn start(scenarios: &[(&Scenario, Vec<u8>)]) -> Self {
        let binary = std::env::var("ENVOY").expect("ENVOY is not set: run `cargo xtask test`");
        let directory =
            TemporaryDirectory::new(&std::env::temp_dir(), "bearward-probe").expect("a temporary directory");
        let upstream = Recorder::start();
        let mut loaded = Vec::new();
        for (scenario, module) in scenarios {
            let path = directory.path().join(format!("{}.wasm", scenario.name));
            std::fs::write(&path, module).expect("a writable directory");
            loaded.push((*scenario, path));
        }
        let options = EnvoyOptions {
            binary: PathBuf::from(binary),
            configuration: configuration::of(&loaded, upstream.address()).to_string(),
            directory: directory.path().to_owned(),
            env: Vec::new(),
            concurrency: 1,
        };
        let envoy =
            EnvoyServer::start(&options, &mut Said::silent()).unwrap_or_else(|error| panic!("{error}"));
        let ports = ports(envoy.admin_url(), scenarios.len());
        Self { envoy, upstream, ports, _directory: directory }
    }

    /// Sends a scenario's requests: what the client gets for each.
    pub(super) fn send(&self, scenario: &Scenario) -> Vec<String> {
        let url = format!("http://{}", self.ports[scenario.name]);
        let mut responses = Vec::new();
        for sent in &scenario.requests {
            sleep(Duration::from_millis(sent.after_ms));
            drop(self.upstream.take());
            let answer = request(sent).try_send(&url);
            let reached = self.upstream.take();
            responses.push(match answer {
                Err(_) => "closed".to_owned(),
                Ok(answer) => {
                    let headers =
                        answer.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_slice()));
                    let variables = reached.first().map(|seen| seen.variables.as_slice());
                    super::client::line(answer.status, headers, &answer.body, variables)
                }
            });
        }
        responses
    }

    /// What the probes said, once the log holds as many of their lines as are expected and nothing more comes.
    pub(super) fn lines(&self, expected: usize) -> String {
        let begun = Instant::now();
        while self.envoy.log().matches(SAID).count() < expected && begun.elapsed() < PATIENCE {
            sleep(Duration::from_millis(20));
        }
        sleep(SURPRISE);
        self.envoy.log()
    }
}

fn request(sent: &Sent) -> Request {
    let mut request =
        Request::new(sent.method, sent.path).header("host", "example.com").body(sent.body).exactly();
    for (name, value) in &sent.headers {
        request = request.header(name, value);
    }
    for (name, value) in &sent.trailers {
        request = request.trailer(name, value);
    }
    request
}

/// The addresses of the listeners, which are open by now or soon.
fn ports(admin_url: &str, count: usize) -> BTreeMap<String, SocketAddr> {
    bearward_tests::deadline::eventually("the listeners", || {
        let answer = Request::get("/listeners?format=json").send(admin_url).json();
        let listeners = answer["listener_statuses"].as_array()?;
        let address = |listener: &serde_json::Value| {
            let port = listener.pointer("/local_address/socket_address/port_value")?.as_u64()?;
            let port = u16::try_from(port).ok().filter(|port| *port > 0)?;
            Some((listener["name"].as_str()?.to_owned(), SocketAddr::from(([127, 0, 0, 1], port))))
        };
        let ports: BTreeMap<_, _> = listeners.iter().filter_map(address).collect();
        (ports.len() == count).then_some(ports)
    })
}
