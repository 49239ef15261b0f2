//! One plugin configuration in one VM: the compiled policy, the keys at hand, and the schedule of their fetching.

use std::cell::RefCell;

use bearward_core::algorithm::AlgorithmName;
use bearward_core::policy::KeySource;
use bearward_core::signature_host::ProvenHost;
use bearward_core::{KeyRing, Policy, Rejection, Request, Verdict};

use crate::host::{self, HostError, Level};
use crate::key_fetch::KeyFetches;
use crate::signatures::Envoy;

/// What all streams of a configuration share.
pub(crate) struct Plugin {
    policy: Policy,
    keys: RefCell<KeyRing>,
    fetches: RefCell<KeyFetches>,
    /// Envoy, for the algorithms that it verifies as it should.
    host: ProvenHost<Envoy>,
}

impl Plugin {
    pub(crate) fn new(policy: Policy) -> Self {
        let keys = RefCell::new(KeyRing::of(&policy));
        let fetches = RefCell::new(KeyFetches::of(&policy));
        let host = ProvenHost::probe(Envoy, &policy.algorithms());
        host::log(Level::Info, &who_verifies(&policy.algorithms(), host.algorithms()));
        Self { policy, keys, fetches, host }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether anything has to be done from time to time.
    pub(crate) fn needs_ticks(&self) -> bool {
        self.policy.issuers().any(|(_, issuer)| matches!(issuer.keys, KeySource::Remote(_)))
    }

    /// Decides about a request.
    ///
    /// A VM that was just started has no keys yet; another worker, or the VM before a trap, may have shared them.
    pub(crate) fn decide(&self, request: &Request<'_>) -> Result<Verdict<'_>, HostError> {
        let now_ms = host::now_ms()?;
        let decide = || self.policy.decide(request, &self.keys.borrow(), now_ms / 1000, &self.host);
        let verdict = decide();
        match (verdict.rejection(), verdict.issuer) {
            (Some(Rejection::KeysUnavailable), Some(issuer)) => {
                let restored = self.fetches.borrow_mut().restore(issuer, now_ms, &mut self.keys.borrow_mut());
                Ok(if restored { decide() } else { verdict })
            }
            (Some(Rejection::KeyUnknown), Some(issuer)) => {
                self.fetches.borrow_mut().key_unknown(issuer, now_ms);
                Ok(verdict)
            }
            _ => Ok(verdict),
        }
    }

    /// Sends the fetches that are due.
    pub(crate) fn on_tick(&self) {
        if let Ok(now_ms) = host::now_ms() {
            self.fetches.borrow_mut().send_due(now_ms);
        }
    }

    /// Takes the answer of a fetch.
    pub(crate) fn on_http_call_response(&self, token: u32, answered: bool, body_size: usize) {
        if let Ok(now_ms) = host::now_ms() {
            self.fetches.borrow_mut().on_answer(
                token,
                answered,
                body_size,
                now_ms,
                &mut self.keys.borrow_mut(),
            );
        }
    }
}

/// Which of two ways is taken for which algorithm: they cost very differently (`docs/fuel.md`).
fn who_verifies(all: &[AlgorithmName], by_host: &[AlgorithmName]) -> String {
    let list = |whose: bool| {
        let names = all.iter().filter(|name| by_host.contains(name) == whose).map(|name| name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    match (list(true).as_str(), list(false).as_str()) {
        ("", own) => format!("signatures: {own} by the filter"),
        (host, "") => format!("signatures: {host} by the host"),
        (host, own) => format!("signatures: {host} by the host; {own} by the filter"),
    }
}
