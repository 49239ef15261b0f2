//! The core itself, as the adapter calls it.

use bearward_core::decide::Means;
use bearward_core::{Decision, Edit, KeyRing, Policy};
use bearward_fuzz::holds::check_explanation;

use super::file::File;
use super::forge::{self, Request};
use super::{Host, Outcome};

/// The time of all cases: the clock is an argument.
const NOW: u64 = 1_800_000_000;

/// The core with a file's policy.
pub struct Native {
    policy: Policy,
    keys: KeyRing,
}

impl Native {
    /// # Panics
    /// If the policy is refused.
    #[must_use]
    pub fn new(file: &File) -> Self {
        let secrets = |name: &str| file.keys.secrets.get(name).map(|secret| secret.clone().into_bytes());
        let policy = Policy::compile(&forge::policy(file), &secrets)
            .unwrap_or_else(|problems| panic!("{}: {problems}", file.name));
        let keys = KeyRing::of(&policy);
        Self { policy, keys }
    }
}

impl Host for Native {
    fn name(&self) -> &'static str {
        "the core"
    }

    fn now(&self) -> u64 {
        NOW
    }

    fn run(&mut self, request: &Request) -> Result<Outcome, String> {
        let lower: Vec<_> =
            request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let pseudo =
            [(":method", &request.method), (":path", &request.target), (":authority", &request.authority)];
        let all = pseudo.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let all = all.chain(lower.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let view = bearward_core::Request::new(all.collect());
        let means = Means::new(&self.keys, NOW);
        let verdict = self.policy.decide_by(&view, means);
        check_explanation(&self.policy, &view, means, &verdict);
        Ok(match verdict.decision {
            Decision::Reject(rejection) => {
                let response = verdict.response(rejection, false);
                let challenge = response.headers.into_iter().find(|(name, _)| *name == "www-authenticate");
                let challenge = challenge.map(|(_, value)| value).unwrap_or_default();
                Outcome::Rejected {
                    status: response.status,
                    reason: rejection.row().reason.to_owned(),
                    challenge: request.asks_challenge.then(|| challenge.into_owned()),
                }
            }
            Decision::Forward(edits) => {
                let mut kept: Vec<(String, String)> = pseudo
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).clone()))
                    .chain(lower.iter().map(|(name, value)| (name.clone(), (*value).clone())))
                    .filter(|(name, _)| !self.policy.forwarding().removes(name.as_bytes()))
                    .collect();
                for edit in edits.iter() {
                    let replaced = match &edit {
                        Edit::Set { name, .. } => name.as_bytes().to_vec(),
                        Edit::Tell { .. } => Vec::new(),
                        Edit::Remove { name } => name.clone(),
                    };
                    kept.retain(|(own, _)| own.as_bytes() != replaced);
                    if let Edit::Set { name, value } | Edit::Tell { name, value } = edit {
                        kept.push((name.to_string(), String::from_utf8_lossy(value).into_owned()));
                    }
                }
                let value =
                    |name: &String| kept.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
                Outcome::Forwarded(request.asked.iter().map(|name| (name.clone(), value(name))).collect())
            }
        })
    }
}
