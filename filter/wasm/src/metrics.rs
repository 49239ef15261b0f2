//! What the filter counts. Envoy calls them `wasmcustom.` and the name; `stats_tags` in `envoy.yaml` makes labels of
//! what stands between dots. `docs/metrics.md` lists them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use bearward_core::policy::IssuerId;
use bearward_core::verified_tokens::Lookups;
use bearward_core::{Rejection, Verdict};

use crate::host::{self, HostError, MetricKind};

/// The metrics that were used so far, by their names: defining one is what makes it visible.
///
/// None that cannot be defined or written decides about a request.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    numbers: RefCell<BTreeMap<String, u32>>,
    /// Those of requests, by issuer and reason, so that their names are made once: they are counted with every request.
    requests: RefCell<Vec<(Option<IssuerId>, &'static str, u32)>>,
    /// And those of look-ups: found, and not found.
    lookups: [Cell<Option<u32>>; 2],
}

/// What stands for the issuer of a request that was decided without one.
const NO_ISSUER: &str = "-";
/// The reason of a request that was not refused.
const FORWARDED: &str = "forwarded";

impl Metrics {
    /// One request, once: what was done with it. What was only observed is counted as that, too.
    pub(crate) fn request(&self, verdict: &Verdict<'_>) {
        let issuer = verdict.issuer_name().unwrap_or(NO_ISSUER);
        let reason = match verdict.observed {
            None => verdict.rejection().map_or(FORWARDED, |rejection| rejection.row().reason),
            Some(rejection) => {
                self.count(
                    &format!("bearward_observed.issuer.{issuer}.reason.{}", rejection.row().reason),
                    1,
                );
                FORWARDED
            }
        };
        self.count_request(verdict.issuer, issuer, reason);
    }

    /// As many counters as there are issuers and reasons, of which a proxy meets a few.
    fn count_request(&self, id: Option<IssuerId>, issuer: &str, reason: &'static str) {
        let is_same = |own: &&(Option<IssuerId>, &str, u32)| (own.0, own.1) == (id, reason);
        let known = self.requests.borrow().iter().find(is_same).map(|(_, _, metric)| *metric);
        if let Some(metric) = known {
            let _ = host::increment_metric(metric, 1);
            return;
        }
        let name = format!("bearward_requests.issuer.{issuer}.reason.{reason}");
        if let Ok(metric) = self.number(MetricKind::Counter, &name) {
            let _ = host::increment_metric(metric, 1);
            self.requests.borrow_mut().push((id, reason, metric));
        }
    }

    /// A request that no policy decided about, because the host failed.
    pub(crate) fn host_failure(&self) {
        let reason = Rejection::HostFailure.row().reason;
        self.count(&format!("bearward_requests.issuer.{NO_ISSUER}.reason.{reason}"), 1);
    }

    /// Look-ups of verified tokens.
    pub(crate) fn lookups(&self, lookups: Lookups) {
        let [hits, misses] = &self.lookups;
        self.count_by(hits, "bearward_token_cache.result.hit", lookups.hits);
        self.count_by(misses, "bearward_token_cache.result.miss", lookups.misses);
    }

    /// A request that waits for keys.
    pub(crate) fn waits(&self, issuer: &str) {
        self.count(&format!("bearward_waits.issuer.{issuer}"), 1);
    }

    /// The end of a fetch.
    pub(crate) fn fetch(&self, issuer: &str, is_good: bool) {
        let result = if is_good { "ok" } else { "failed" };
        self.count(&format!("bearward_key_fetches.issuer.{issuer}.result.{result}"), 1);
    }

    /// How many keys an issuer has, none while they were never fetched.
    pub(crate) fn keys(&self, issuer: &str, count: usize) {
        self.set(&format!("bearward_keys.issuer.{issuer}"), u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// How old they are.
    pub(crate) fn key_age(&self, issuer: &str, seconds: u64) {
        self.set(&format!("bearward_key_age_seconds.issuer.{issuer}"), seconds);
    }

    /// Where a feed is, how many records are held, and how old they are.
    pub(crate) fn feed(&self, issuer: &str, sequence: u64, records: usize, age_seconds: u64) {
        self.set(&format!("bearward_feed_sequence.issuer.{issuer}"), sequence);
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        self.set(&format!("bearward_feed_records.issuer.{issuer}"), records);
        self.set(&format!("bearward_feed_age_seconds.issuer.{issuer}"), age_seconds);
    }

    /// A VM asks for all from now on.
    pub(crate) fn feed_leads(&self, issuer: &str) {
        self.count(&format!("bearward_feed_leaders.issuer.{issuer}"), 1);
    }

    /// An answer, or an object of shared data, that was not taken.
    pub(crate) fn feed_refusal(&self, issuer: &str, kind: &str) {
        self.count(&format!("bearward_feed_refusals.issuer.{issuer}.reason.{kind}"), 1);
    }

    /// A question that brought nothing.
    pub(crate) fn feed_poll_failed(&self, issuer: &str) {
        self.count(&format!("bearward_feed_failures.issuer.{issuer}"), 1);
    }

    /// How many entries a deny list has, and how old it is.
    pub(crate) fn list(&self, issuer: &str, entries: usize, age_seconds: u64) {
        let entries = u64::try_from(entries).unwrap_or(u64::MAX);
        self.set(&format!("bearward_deny_list_entries.issuer.{issuer}"), entries);
        self.set(&format!("bearward_deny_list_age_seconds.issuer.{issuer}"), age_seconds);
    }

    /// A VM fetches it for all from now on.
    pub(crate) fn list_leads(&self, issuer: &str) {
        self.count(&format!("bearward_deny_list_leaders.issuer.{issuer}"), 1);
    }

    /// A list, or what stands in shared data, that was not taken.
    pub(crate) fn list_refusal(&self, issuer: &str, kind: &str) {
        self.count(&format!("bearward_deny_list_refusals.issuer.{issuer}.reason.{kind}"), 1);
    }

    /// A fetch that brought nothing.
    pub(crate) fn list_fetch_failed(&self, issuer: &str) {
        self.count(&format!("bearward_deny_list_failures.issuer.{issuer}"), 1);
    }

    /// Which module this is.
    pub(crate) fn module(&self) {
        self.set(concat!("bearward_module.version.", env!("CARGO_PKG_VERSION")), 1);
    }

    fn count(&self, name: &str, by: u64) {
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        if by > 0 {
            // Whatever comes of it: see above.
            let _ = self.number(MetricKind::Counter, name).map(|metric| host::increment_metric(metric, by));
        }
    }

    /// The same for one whose number has a place of its own.
    fn count_by(&self, place: &Cell<Option<u32>>, name: &str, by: u64) {
        if by == 0 {
            return;
        }
        if place.get().is_none() {
            place.set(self.number(MetricKind::Counter, name).ok());
        }
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        let _ = place.get().map(|metric| host::increment_metric(metric, by));
    }

    fn set(&self, name: &str, value: u64) {
        let _ = self.number(MetricKind::Gauge, name).map(|metric| host::record_metric(metric, value));
    }

    /// Names are bounded by the issuers and reasons that there are.
    fn number(&self, kind: MetricKind, name: &str) -> Result<u32, HostError> {
        if let Some(number) = self.numbers.borrow().get(name) {
            return Ok(*number);
        }
        let number = host::define_metric(kind, name)?;
        self.numbers.borrow_mut().insert(name.to_owned(), number);
        Ok(number)
    }
}
