//! A real Envoy with the module that ships.

use super::file::File;
use super::forge::{self, Request};
use super::{Host, Outcome};
use crate::client;
use crate::harness::{Proxy, Setup};
use crate::recorder::Recorder;
use crate::token;

/// An Envoy with a file's policy, and what reaches its upstream.
pub struct Envoy {
    proxy: Proxy,
    recorder: Recorder,
}

impl Envoy {
    /// # Panics
    /// If Envoy does not start.
    #[must_use]
    pub fn start(file: &File) -> Self {
        let recorder = Recorder::start();
        let setup = Setup::shipped().policy(&forge::policy(file)).upstream(&recorder);
        let setup = file.keys.secrets.iter().fold(setup, |setup, (name, secret)| setup.secret(name, secret));
        let proxy = setup.start_envoy(recorder.address(), recorder.address());
        Self { proxy: proxy.unwrap_or_else(|log| panic!("{}: {log}", file.name)), recorder }
    }
}

impl Host for Envoy {
    fn name(&self) -> &'static str {
        "Envoy"
    }

    fn now(&self) -> u64 {
        token::now()
    }

    fn run(&mut self, request: &Request) -> Result<Outcome, String> {
        let start = client::Request::new(&request.method, &request.target).header("host", &request.authority);
        let headers = request.headers.iter();
        let answer = headers
            .fold(start, |sent, (name, value)| sent.header(name, value))
            .exactly()
            .try_send(self.proxy.url())?;
        match (self.recorder.take().as_slice(), answer.status) {
            ([seen], 200) => {
                let value = |name: &String| {
                    if name == ":path" {
                        return Some(seen.target.clone());
                    }
                    let values =
                        seen.values(&format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_")));
                    (!values.is_empty()).then(|| values.join(","))
                };
                Ok(Outcome::Forwarded(request.asked.iter().map(|name| (name.clone(), value(name))).collect()))
            }
            ([], status) => {
                let body: serde_json::Value =
                    serde_json::from_slice(&answer.body).map_err(|_| format!("{status} without a reason"))?;
                let reason = body["code"].as_str().unwrap_or_default().to_owned();
                let challenge = request.asks_challenge.then(|| answer.challenge().unwrap_or_default());
                Ok(Outcome::Rejected { status, reason, challenge })
            }
            (seen, status) => Err(format!("{status}, and the upstream saw {} requests", seen.len())),
        }
    }
}
