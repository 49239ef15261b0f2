//! One deny list: its lease, its fetches, and what others have left in shared data.
//!
//! No fetch is conditional. Servers make an `ETag` of the second in which a file was written and of its length, and two lists of
//! one second may differ in neither.

use std::cell::RefCell;
use std::rc::Rc;

use bearward_core::policy::{DenyListSource, TrustedIssuer};
use bearward_core::refresh::Refresh;
use bearward_core::revocations::DenyList;
use bearward_core::revocations::chain::lease_key;
use bearward_core::revocations::deny_list::{
    ListHead, ListTrust, MAX_LIST_BYTES, MAX_SIGNED_LIST_BYTES, Refused, head_key,
};
use bearward_core::revocations::lease::DENY_LIST_TERM;
use bearward_core::signature_host::NoSignatureHost;

use crate::answer::{Answer, CallEnd};
use crate::host::{self, HostError, Level};
use crate::lease::Lease;
use crate::metrics::Metrics;
use crate::shared::Shared;

/// After so many fetches in a row that brought nothing the lease is left to others.
const MAX_FAILURES: u32 = 3;

pub(super) struct ListFetch {
    name: String,
    iss: String,
    source: DenyListSource,
    list: Rc<RefCell<DenyList>>,
    lease: Lease,
    refresh: Refresh,
    /// The token of the call under way.
    call: Option<u32>,
    /// Fetches in a row that brought nothing.
    failures: u32,
    /// What was wrong last, so that it is logged once.
    told: Option<String>,
    /// The number of entries and their age in seconds, as they were told last.
    reported: Option<(usize, u64)>,
}

impl ListFetch {
    pub(super) fn new(trusted: &TrustedIssuer, source: DenyListSource, list: Rc<RefCell<DenyList>>) -> Self {
        let lease = Lease::new(lease_key(list.borrow().prefix()), DENY_LIST_TERM);
        Self {
            name: trusted.name.clone(),
            iss: trusted.issuer.iss().unwrap_or_default().to_owned(),
            refresh: Refresh::new(source.refresh_seconds, source.timeout_ms),
            source,
            list,
            lease,
            call: None,
            failures: 0,
            told: None,
            reported: None,
        }
    }

    pub(super) fn awaits(&self, token: u32) -> bool {
        self.call == Some(token)
    }

    /// A bounded step: at most one list is read.
    pub(super) fn tick(&mut self, now_ms: u64, metrics: &Metrics) {
        if let Err(HostError(status)) = self.follow(now_ms, metrics).and_then(|()| self.lead(now_ms, metrics))
        {
            self.tell(&format!("shared data cannot be used (status {status})"));
        }
        self.report(now_ms, metrics);
    }

    /// Takes the answer of a call that is [awaited](Self::awaits).
    pub(super) fn on_answer(&mut self, end: CallEnd, now_ms: u64, metrics: &Metrics) {
        self.call = None;
        match self.take(end, now_ms, metrics) {
            Ok(()) => {
                self.refresh.succeeded(now_ms);
                self.failures = 0;
                self.told = None;
            }
            Err(why) => self.fail(now_ms, &why, metrics),
        }
        self.report(now_ms, metrics);
    }

    /// No VM waits for this one any more.
    pub(super) fn retire(&mut self) {
        self.lease.give_back();
    }

    /// Reads what stands in shared data, where that is news.
    fn follow(&self, now_ms: u64, metrics: &Metrics) -> Result<(), HostError> {
        let mut list = self.list.borrow_mut();
        let key = head_key(list.prefix());
        let head = Shared::read(&key)?;
        let bytes = head.as_ref().map(|head| head.bytes.as_slice());
        let Some(wanted) = list.look(bytes, now_ms / 1_000) else { return Ok(()) };
        let object = Shared::read(&wanted)?;
        let object = object.as_ref().map(|object| object.bytes.as_slice());
        if let Err(Refused { kind, .. }) = list.take_shared(object, self.trust(), now_ms / 1_000) {
            metrics.list_refusal(&self.name, kind.name());
            // Whoever leads writes it anew then.
            if let Some(head) = &head {
                head.replace(&key, &ListHead::VACANT)?;
            }
        }
        Ok(())
    }

    /// Claims the lease, and asks where it is one's own.
    fn lead(&mut self, now_ms: u64, metrics: &Metrics) -> Result<(), HostError> {
        let (is_own, is_new) = self.lease.claim(now_ms)?;
        if is_new {
            metrics.list_leads(&self.name);
        }
        if is_own && self.refresh.is_due(now_ms) {
            self.ask(now_ms, metrics);
        }
        Ok(())
    }

    fn ask(&mut self, now_ms: u64, metrics: &Metrics) {
        self.refresh.sent(now_ms);
        let authorization = self.source.credential.as_ref().map(|credential| credential.authorization());
        let mut headers = vec![
            (":method", "GET"),
            (":scheme", self.source.scheme.as_str()),
            (":authority", self.source.authority.as_str()),
            (":path", self.source.path.as_str()),
            ("accept", "application/json, application/deny-list+jwt, */*"),
            // What stands between must not answer in the server's place.
            ("cache-control", "no-cache"),
            ("user-agent", concat!("bearward-filter/", env!("CARGO_PKG_VERSION"))),
        ];
        headers.extend(authorization.as_deref().map(|authorization| ("authorization", authorization)));
        match host::http_call(&self.source.cluster, &headers, self.source.timeout_ms) {
            Ok(token) => self.call = Some(token),
            Err(error) => {
                let why = format!("cluster `{}` cannot be called (status {})", self.source.cluster, error.0);
                self.fail(now_ms, &why, metrics);
            }
        }
    }

    /// Takes the server's answer, and leaves it to the others.
    fn take(&self, end: CallEnd, now_ms: u64, metrics: &Metrics) -> Result<(), String> {
        let is_signed = self.source.keys.is_some();
        let most = if is_signed { MAX_SIGNED_LIST_BYTES } else { MAX_LIST_BYTES };
        let body = Answer::read(end, most).and_then(Answer::good)?;
        let mut list = self.list.borrow_mut();
        list.take(&body, self.trust(), now_ms / 1_000).map_err(|refused| {
            metrics.list_refusal(&self.name, refused.kind.name());
            format!("the list {refused}")
        })?;
        // Where this fails, the next answer is written.
        share(&list, &body, now_ms)
            .map_err(|error| format!("shared data cannot be used (status {})", error.0))
    }

    fn trust(&self) -> ListTrust<'_> {
        ListTrust { iss: &self.iss, keys: self.source.keys.as_ref(), host: &NoSignatureHost }
    }

    /// The last good list stays.
    fn fail(&mut self, now_ms: u64, why: &str, metrics: &Metrics) {
        self.refresh.failed(now_ms);
        metrics.list_fetch_failed(&self.name);
        self.tell(why);
        self.failures = self.failures.saturating_add(1);
        if self.failures >= MAX_FAILURES {
            self.failures = 0;
            self.lease.stand_back(now_ms);
        }
    }

    fn tell(&mut self, why: &str) {
        if self.told.as_deref() != Some(why) {
            host::log(Level::Warn, &format!("issuer `{}`, deny list: {why}", self.name));
            self.told = Some(why.to_owned());
        }
    }

    /// Says what has changed.
    fn report(&mut self, now_ms: u64, metrics: &Metrics) {
        let list = self.list.borrow();
        let Some(entries) = list.entries() else { return };
        let now = (entries.len(), list.age_seconds(now_ms / 1_000).unwrap_or_default());
        if self.reported != Some(now) {
            if self.reported.is_none_or(|(entries, _)| entries != now.0) {
                let (name, iat) = (&self.name, list.iat().unwrap_or_default());
                host::log(
                    Level::Info,
                    &format!("issuer `{name}`, deny list: entries: {}, as of {iat}", now.0),
                );
            }
            metrics.list(&self.name, now.0, now.1);
            self.reported = Some(now);
        }
    }
}

/// Leaves what is held where the others find it, unless they have it. What is not there cannot be replaced: an empty head is
/// put there first.
fn share(list: &DenyList, bytes: &[u8], now_ms: u64) -> Result<(), HostError> {
    let key = head_key(list.prefix());
    let mut head = Shared::read(&key)?;
    let there = |head: &Option<Shared>| head.as_ref().map(|head| head.bytes.clone());
    let Some(publication) = list.publication(there(&head).as_deref(), now_ms / 1_000) else { return Ok(()) };
    if head.is_none() {
        host::set_shared_data(&key, &ListHead::VACANT)?;
        head = Shared::read(&key)?;
    }
    host::set_shared_data(&publication.key, bytes)?;
    if let Some(head) = head {
        // Where somebody else was faster, his list is followed.
        head.replace(&key, &publication.head)?;
    }
    Ok(())
}
