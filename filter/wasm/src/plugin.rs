//! One plugin configuration in one VM: the compiled policy, the keys at hand, the schedule of their fetching, and the
//! requests that wait for it.

use std::cell::{Cell, RefCell};

use bearward_core::algorithm::AlgorithmName;
use bearward_core::decide::Means;
use bearward_core::policy::KeySource;
use bearward_core::refresh::UnknownKey;
use bearward_core::revocations::FeedRing;
use bearward_core::signature_host::ProvenHost;
use bearward_core::{KeyRing, Policy, Rejection, Request, Verdict, VerifiedTokens};

use crate::answer::CallEnd;
use crate::deny_lists::DenyLists;
use crate::feeds::Feeds;
use crate::host::{self, HostError, Level};
use crate::key_fetch::KeyFetches;
use crate::lease;
use crate::metrics::Metrics;
use crate::refusal::Refusals;
use crate::signatures::Envoy;
use crate::waiting::{Waiter, Waiting};

/// Where the access log finds the verdict: `%FILTER_STATE(wasm.bearward:PLAIN)%`.
const VERDICT: &str = "bearward";
/// A tick that comes as soon as may be.
const NEXT_TICK_MS: u32 = 1;
/// The ticks while requests wait.
const WAITING_TICK_MS: u32 = 20;
/// The ticks where feeds are followed.
const FEED_TICK_MS: u32 = 25;
/// The other ticks.
const TICK_MS: u32 = 250;
/// No ticks.
const NO_TICK_MS: u32 = 0;

/// What all streams of a configuration share.
pub(crate) struct Plugin {
    /// Its root context.
    root: u32,
    policy: Policy,
    keys: RefCell<KeyRing>,
    known: RefCell<VerifiedTokens>,
    fetches: RefCell<KeyFetches>,
    feeds: RefCell<Feeds>,
    lists: RefCell<DenyLists>,
    ring: FeedRing,
    waiting: RefCell<Waiting>,
    metrics: Metrics,
    refusals: Refusals,
    /// What the access log was told last, whose place the next verdict takes.
    words: Cell<String>,
    tick_ms: Cell<u32>,
    /// Whether a request that is held back can be let go: the host may forbid it.
    can_resume: Cell<bool>,
    /// Envoy, for the algorithms that it verifies as it should.
    host: ProvenHost<Envoy>,
}

impl Plugin {
    pub(crate) fn new(root: u32, policy: Policy) -> Self {
        let host = ProvenHost::probe(Envoy, &policy.algorithms());
        host::log(Level::Info, &who_verifies(&policy.algorithms(), host.algorithms()));
        let (feeds, mut ring) = Feeds::of(&policy, host::now_ns().unwrap_or_default());
        let lists = DenyLists::of(&policy, &mut ring);
        Self {
            root,
            keys: RefCell::new(KeyRing::of(&policy)),
            known: RefCell::default(),
            fetches: RefCell::new(KeyFetches::of(&policy)),
            feeds: RefCell::new(feeds),
            lists: RefCell::new(lists),
            ring,
            waiting: RefCell::default(),
            metrics: Metrics::default(),
            refusals: Refusals::default(),
            words: Cell::default(),
            tick_ms: Cell::new(NO_TICK_MS),
            can_resume: Cell::new(false),
            host,
            policy,
        }
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Has the first tick come at once, so that keys are there early.
    pub(crate) fn start(&self) {
        if self.tick_in(NEXT_TICK_MS).is_err() && self.has_remotes() {
            host::log(
                Level::Critical,
                "the tick cannot be set: neither keys nor revocations will ever be fetched",
            );
        }
    }

    /// Decides about a request of this stream; `None` where it is to be held back until the keys are known.
    /// `waiter`: it was held back before.
    pub(crate) fn decide(
        &self,
        request: &Request<'_>,
        stream: u32,
        waiter: Option<Waiter>,
    ) -> Result<Option<Verdict<'_>>, HostError> {
        lease::serves();
        let now_ms = host::now_ms()?;
        let decide = || {
            let (keys, known) = (&*self.keys.borrow(), Some(&self.known));
            self.policy.decide_by(
                request,
                Means {
                    keys,
                    feeds: &self.ring,
                    host: &self.host,
                    known,
                    now: now_ms / 1_000,
                    subsec_ms: now_ms % 1_000,
                },
            )
        };
        let mut verdict = decide();
        // A VM that was just started has no keys yet; another worker, or the VM before a trap, may have shared them.
        if let (Some(Rejection::KeysUnavailable), Some(issuer)) = (verdict.rejection(), verdict.issuer)
            && self.fetches.borrow_mut().restore(issuer, now_ms, &mut self.keys.borrow_mut())
        {
            verdict = decide();
        }
        if verdict.rejection() == Some(Rejection::RevocationsUnavailable)
            && self.feeds.borrow_mut().restore(now_ms, &self.metrics)
        {
            verdict = decide();
        }
        if let (Some(Rejection::KeyUnknown), Some(issuer)) = (verdict.rejection(), verdict.issuer) {
            let is_new = waiter.is_none();
            let patience_ms = self.fetches.borrow().patience_ms(issuer);
            let waiter = waiter.unwrap_or(Waiter {
                stream,
                issuer,
                has_more: request.has_more(),
                since_ms: now_ms,
                patience_ms,
            });
            match self.fetches.borrow_mut().key_unknown(issuer, waiter.since_ms, now_ms) {
                UnknownKey::Absent => {}
                UnknownKey::Wait if self.hold(waiter, now_ms) => {
                    if is_new {
                        self.metrics.waits(verdict.issuer_name().unwrap_or_default());
                    }
                    return Ok(None);
                }
                UnknownKey::Wait | UnknownKey::Unavailable => {
                    verdict = verdict.with_reason(Rejection::KeysUnavailable);
                }
            }
        }
        Ok(Some(verdict))
    }

    /// Whether the request may wait. Its fetch is sent by the next tick.
    fn hold(&self, waiter: Waiter, now_ms: u64) -> bool {
        let holds =
            self.can_resume.get() && !waiter.is_over(now_ms) && self.waiting.borrow_mut().admit(waiter);
        if holds && self.tick_ms.get() >= FEED_TICK_MS {
            // Else the usual tick does it, later.
            let _ = self.tick_in(NEXT_TICK_MS);
        }
        holds
    }

    /// Its root context is gone: there will be no tick and no answer any more, though streams may still ask.
    pub(crate) fn retire(&self) {
        self.feeds.borrow_mut().retire();
        self.lists.borrow_mut().retire();
    }

    /// Leaves the verdict for the access log. A log that cannot be written must not decide about a request.
    pub(crate) fn tell_log(&self, verdict: &Verdict<'_>) {
        let mut words = self.words.take();
        words.clear();
        verdict.write_words(&mut words);
        let _ = host::set_property(VERDICT, &words);
        self.words.set(words);
    }

    /// What was done with a request.
    pub(crate) fn count(&self, verdict: &Verdict<'_>) {
        self.metrics.request(verdict);
        self.metrics.lookups(self.known.borrow_mut().take_lookups());
    }

    /// A request that no policy could decide about.
    pub(crate) fn host_failed(&self) {
        self.metrics.host_failure();
    }

    /// A stream has ended, which may have waited.
    pub(crate) fn stream_ended(&self, stream: u32) {
        self.waiting.borrow_mut().remove(stream);
    }

    /// Sends the fetches that are due. Those whose turn has come are to be resumed.
    pub(crate) fn on_tick(&self) -> Vec<Waiter> {
        let Ok(now_ms) = host::now_ms() else { return Vec::new() };
        if !self.can_resume.replace(host::set_effective_context(self.root).is_ok()) {
            // The first tick, as a rule.
            self.metrics.module();
        }
        let mut fetches = self.fetches.borrow_mut();
        fetches.send_due(now_ms, &self.metrics);
        fetches.report(now_ms, &self.keys.borrow(), &self.metrics);
        self.feeds.borrow_mut().tick(now_ms, &self.metrics);
        self.lists.borrow_mut().tick(now_ms, &self.metrics);
        self.waiting.borrow_mut().take_due(now_ms)
    }

    /// Takes the answer of a fetch. Those that waited for it are resumed by the ticks that follow: Envoy may call this
    /// within another callback.
    pub(crate) fn on_http_call_response(&self, end: CallEnd) {
        let Ok(now_ms) = host::now_ms() else { return };
        if self.feeds.borrow_mut().on_answer(end, now_ms, &self.metrics)
            || self.lists.borrow_mut().on_answer(end, now_ms, &self.metrics)
        {
            return;
        }
        let (mut fetches, mut keys) = (self.fetches.borrow_mut(), self.keys.borrow_mut());
        let issuer = fetches.on_answer(end, now_ms, &mut keys, &self.metrics);
        fetches.report(now_ms, &keys, &self.metrics);
        if let Some(issuer) = issuer {
            self.waiting.borrow_mut().on_news(issuer);
        }
    }

    /// Makes hostcalls for a stream outside its own callbacks. Where that cannot be now, it waits on.
    pub(crate) fn on_behalf_of(&self, waiter: Waiter, act: impl FnOnce()) {
        if host::set_effective_context(waiter.stream).is_ok() {
            act();
        } else {
            self.waiting.borrow_mut().admit(waiter);
        }
        // Nothing more is called in this callback but for further streams, should this fail.
        let _ = host::set_effective_context(self.root);
    }

    /// Sets the pace of the ticks.
    pub(crate) fn pace(&self) {
        let waiting = self.waiting.borrow();
        let feeds = self.feeds.borrow();
        let pace = if waiting.has_due() || feeds.is_busy() {
            NEXT_TICK_MS
        } else if !waiting.is_empty() {
            WAITING_TICK_MS
        } else if !feeds.is_empty() {
            FEED_TICK_MS
        } else if self.has_remote_keys() || !self.lists.borrow().is_empty() {
            TICK_MS
        } else {
            NO_TICK_MS
        };
        if self.tick_ms.get() != pace {
            // The pace stays what it was.
            let _ = self.tick_in(pace);
        }
    }

    fn tick_in(&self, milliseconds: u32) -> Result<(), HostError> {
        host::set_tick_period(milliseconds)?;
        self.tick_ms.set(milliseconds);
        Ok(())
    }

    fn has_remotes(&self) -> bool {
        self.has_remote_keys() || !self.feeds.borrow().is_empty() || !self.lists.borrow().is_empty()
    }

    fn has_remote_keys(&self) -> bool {
        self.policy.issuers().any(|(_, issuer)| matches!(issuer.keys, KeySource::Remote(_)))
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
