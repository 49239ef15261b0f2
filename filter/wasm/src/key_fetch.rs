//! Fetching JWK Sets, and sharing them between the VMs of this proxy.

use bearward_core::algorithm::AlgorithmName;
use bearward_core::keys::{KeySet, UNDECIDED};
use bearward_core::policy::{IssuerId, KeySource, RemoteKeys, TrustedIssuer};
use bearward_core::refresh::{Refresh, UnknownKey};
use bearward_core::{KeyRing, Policy};
use bearward_protocol::bounds::MAX_JWK_SET_BYTES;

use crate::answer::{Answer, CallEnd};
use crate::host::{self, Level};
use crate::metrics::Metrics;
use crate::shared::MAX_SHARED_AGE_MS;

/// How many problems of a refused JWK Set are logged.
const MAX_LOGGED_PROBLEMS: usize = 3;

/// The fetches of one policy, one for each issuer whose keys are remote.
pub(crate) struct KeyFetches {
    fetches: Vec<KeyFetch>,
}

struct KeyFetch {
    issuer: IssuerId,
    name: String,
    algorithms: Vec<AlgorithmName>,
    remote: RemoteKeys,
    refresh: Refresh,
    /// The token of the call under way.
    call: Option<u32>,
    /// Where the set stands in shared data.
    shared_key: String,
    restored: bool,
    /// The last set that was taken, so that an unchanged one is not announced again.
    last: Vec<u8>,
    /// The number of keys and their age in seconds, as they were told last.
    reported: Option<(usize, Option<u64>)>,
}

impl KeyFetches {
    pub(crate) fn of(policy: &Policy) -> Self {
        let fetch = |(issuer, trusted): (IssuerId, &TrustedIssuer)| match &trusted.keys {
            KeySource::Fixed(_) => None,
            KeySource::Remote(remote) => Some(KeyFetch {
                issuer,
                name: trusted.name.clone(),
                algorithms: trusted.issuer.algorithms().to_vec(),
                remote: remote.clone(),
                refresh: Refresh::new(remote.refresh_seconds, remote.timeout_ms),
                call: None,
                shared_key: remote.shared_key(&trusted.issuer),
                restored: false,
                last: Vec::new(),
                reported: None,
            }),
        };
        Self { fetches: policy.issuers().filter_map(fetch).collect() }
    }

    pub(crate) fn send_due(&mut self, now_ms: u64, metrics: &Metrics) {
        for fetch in &mut self.fetches {
            if fetch.refresh.is_due(now_ms) {
                fetch.send(now_ms, metrics);
            }
        }
    }

    /// An answer to a call that is not under way any more is dropped. Else: of whom there is news.
    pub(crate) fn on_answer(
        &mut self,
        end: CallEnd,
        now_ms: u64,
        keys: &mut KeyRing,
        metrics: &Metrics,
    ) -> Option<IssuerId> {
        let fetch = self.fetches.iter_mut().find(|fetch| fetch.call == Some(end.token))?;
        fetch.call = None;
        fetch.on_answer(end, now_ms, keys, metrics);
        Some(fetch.issuer)
    }

    /// How long a request waits at most for this issuer's keys, in milliseconds.
    pub(crate) fn patience_ms(&self, issuer: IssuerId) -> u64 {
        self.fetches.iter().find(|fetch| fetch.issuer == issuer).map_or(0, |fetch| fetch.remote.wait_ms)
    }

    /// What to do about a key that is not in the set of a request that came at `since_ms`.
    pub(crate) fn key_unknown(&mut self, issuer: IssuerId, since_ms: u64, now_ms: u64) -> UnknownKey {
        // Keys that stand in the policy do not change.
        self.of_issuer(issuer).map_or(UnknownKey::Absent, |fetch| fetch.refresh.key_unknown(since_ms, now_ms))
    }

    /// Says how many keys there are, and how old. Only what has changed: a tick comes four times in a second.
    pub(crate) fn report(&mut self, now_ms: u64, keys: &KeyRing, metrics: &Metrics) {
        for fetch in &mut self.fetches {
            let count = keys.get(fetch.issuer).map_or(0, KeySet::len);
            let reported = (count, fetch.refresh.age_ms(now_ms).map(|age_ms| age_ms / 1000));
            if fetch.reported != Some(reported) {
                metrics.keys(&fetch.name, count);
                if let Some(age_seconds) = reported.1 {
                    metrics.key_age(&fetch.name, age_seconds);
                }
                fetch.reported = Some(reported);
            }
        }
    }

    /// Takes the set that another VM shared; tried once in a VM's life. Whether there are keys now.
    pub(crate) fn restore(&mut self, issuer: IssuerId, now_ms: u64, keys: &mut KeyRing) -> bool {
        match self.of_issuer(issuer) {
            Some(fetch) if !fetch.restored => fetch.restore(now_ms, keys),
            _ => false,
        }
    }

    fn of_issuer(&mut self, issuer: IssuerId) -> Option<&mut KeyFetch> {
        self.fetches.iter_mut().find(|fetch| fetch.issuer == issuer)
    }
}

impl KeyFetch {
    fn send(&mut self, now_ms: u64, metrics: &Metrics) {
        self.refresh.sent(now_ms);
        let headers = [
            (":method", "GET"),
            (":scheme", self.remote.scheme.as_str()),
            (":authority", self.remote.authority.as_str()),
            (":path", self.remote.path.as_str()),
            ("accept", "application/jwk-set+json, application/json"),
            ("user-agent", concat!("bearward-filter/", env!("CARGO_PKG_VERSION"))),
        ];
        match host::http_call(&self.remote.cluster, &headers, self.remote.timeout_ms) {
            Ok(token) => self.call = Some(token),
            Err(error) => {
                let cluster = &self.remote.cluster;
                let why = format!("cluster `{cluster}` cannot be called (status {})", error.0);
                self.refuse(now_ms, &why, metrics);
            }
        }
    }

    fn on_answer(&mut self, end: CallEnd, now_ms: u64, keys: &mut KeyRing, metrics: &Metrics) {
        match Answer::read(end, MAX_JWK_SET_BYTES).and_then(Answer::good) {
            Err(why) => self.refuse(now_ms, &why, metrics),
            Ok(body) => match self.take(&body, keys) {
                Err(why) => self.refuse(now_ms, &why, metrics),
                Ok(()) => {
                    self.refresh.succeeded(now_ms);
                    metrics.fetch(&self.name, true);
                    let shared = [&now_ms.to_le_bytes(), body.as_slice()].concat();
                    if let Err(error) = host::set_shared_data(&self.shared_key, &shared) {
                        host::log(Level::Warn, &format!("keys cannot be shared (status {})", error.0));
                    }
                }
            },
        }
    }

    /// Shared data is untrusted: it is read as strictly as an answer, and not if it is old.
    fn restore(&mut self, now_ms: u64, keys: &mut KeyRing) -> bool {
        self.restored = true;
        let shared = host::shared_data(&self.shared_key).unwrap_or_default();
        let Some((fetched_ms, body)) = shared.split_first_chunk::<8>() else {
            return false;
        };
        let fetched_ms = u64::from_le_bytes(*fetched_ms);
        let is_taken = now_ms.abs_diff(fetched_ms) <= MAX_SHARED_AGE_MS && self.take(body, keys).is_ok();
        if is_taken {
            self.refresh.has_set_of(fetched_ms);
        }
        is_taken
    }

    /// Replaces the keys, if the whole set is good.
    fn take(&mut self, body: &[u8], keys: &mut KeyRing) -> Result<(), String> {
        let set = KeySet::parse(body, &self.algorithms).map_err(|problems| {
            let list: Vec<_> = problems.iter().take(MAX_LOGGED_PROBLEMS).map(ToString::to_string).collect();
            format!("the JWK Set is refused, problems: {}, first: {}", problems.len(), list.join("; "))
        })?;
        if self.last != body {
            let (used, skipped) = (set.len(), set.skipped());
            host::log(
                Level::Info,
                &format!("issuer `{}`: keys taken: {used}, skipped: {skipped}", self.name),
            );
            if set.undecided() > 0 {
                host::log(Level::Warn, &format!("issuer `{}`: {UNDECIDED}", self.name));
            }
            self.last = body.to_vec();
        }
        keys.set(self.issuer, set);
        Ok(())
    }

    /// The last good set stays.
    fn refuse(&mut self, now_ms: u64, why: &str, metrics: &Metrics) {
        self.refresh.failed(now_ms);
        metrics.fetch(&self.name, false);
        host::log(Level::Warn, &format!("issuer `{}`: keys not fetched: {why}", self.name));
    }
}
