//! One feed: its keys, its lease, its questions, and what others have left in shared data.

use std::cell::RefCell;
use std::rc::Rc;

use bearward_core::policy::{RevocationFeed, TrustedIssuer};
use bearward_core::revocations::chain::{Head, attempts_key, head_key, lease_key, shown};
use bearward_core::revocations::lease::FEED_TERM;
use bearward_core::revocations::pace::{Pace, Progress};
use bearward_core::revocations::reading::Read;
use bearward_core::revocations::{Feed, FeedRefusal, FeedTrust, Taken};
use bearward_core::signature_host::NoSignatureHost;
use bearward_protocol::revocations::MAX_ANSWER_BYTES;

use super::attempt::guarded;
use super::call::call;
use super::keys::{FeedKeys, Untaken};
use super::leading::Leading;
use crate::answer::{Answer, CallEnd};
use crate::host::{self, HostError, Level};
use crate::lease::Lease;
use crate::metrics::Metrics;
use crate::shared::Shared;

/// How many objects of shared data are read within the first request of a VM that knows nothing yet. The ticks read what is longer.
const MAX_READ_AT_ONCE: usize = 16;

pub(super) struct FeedPoll {
    name: String,
    iss: String,
    config: RevocationFeed,
    feed: Rc<RefCell<Feed>>,
    keys: FeedKeys,
    restored: bool,
    lease: Lease,
    /// The call under way.
    call: Option<u32>,
    /// Since when what stands in shared data is signed with a key that is not known.
    unknown_since: Option<u64>,
    pace: Pace,
    /// How often another VM may have asked since this one did, and how often when the call under way was made.
    era: u64,
    asked_in: u64,
    /// Whether a configuration of this VM leads.
    leading: Leading,
    /// What was wrong last, so that it is logged once.
    told: Option<String>,
    reported: Option<(u64, usize, u64)>,
}

impl FeedPoll {
    pub(super) fn new(
        trusted: &TrustedIssuer,
        config: RevocationFeed,
        feed: Rc<RefCell<Feed>>,
        leading: Leading,
        seed: u64,
    ) -> Self {
        let lease = Lease::new(lease_key(feed.borrow().prefix()), FEED_TERM);
        Self {
            name: trusted.name.clone(),
            iss: trusted.issuer.iss().unwrap_or_default().to_owned(),
            keys: FeedKeys::new(&config),
            pace: Pace::new(seed, config.wait_seconds),
            config,
            feed,
            restored: false,
            lease,
            call: None,
            unknown_since: None,
            era: 0,
            asked_in: 0,
            leading,
            told: None,
            reported: None,
        }
    }

    pub(super) fn awaits(&self, token: u32) -> bool {
        self.keys.awaits(token) || self.call == Some(token)
    }

    /// Whether a chain is being read, an object a tick.
    pub(super) fn is_busy(&self) -> bool {
        self.keys.set().is_some() && self.feed.borrow().wanted().is_some()
    }

    /// Takes at once what other VMs have left, the one before a trap among them; tried once in a VM's life: `false`, it was before.
    pub(super) fn restore(&mut self, now_ms: u64, metrics: &Metrics) -> bool {
        if std::mem::replace(&mut self.restored, true) {
            return false;
        }
        self.keys.restore(self.feed.borrow().prefix(), now_ms);
        for _ in 0..MAX_READ_AT_ONCE {
            // The ticks say what is wrong.
            if self.follow(now_ms, metrics).is_err() || !self.is_busy() {
                break;
            }
        }
        self.report(now_ms, metrics);
        true
    }

    /// A bounded step: at most one object is verified.
    pub(super) fn tick(&mut self, now_ms: u64, metrics: &Metrics) {
        self.feed.borrow_mut().tick(now_ms);
        self.keys.restore(self.feed.borrow().prefix(), now_ms);
        if let Err(why) = self.keys.fetch(&self.config, now_ms) {
            metrics.feed_poll_failed(&self.name);
            self.tell(&why);
        }
        if let Err(error) = self.follow(now_ms, metrics).and_then(|()| self.lead(now_ms, metrics)) {
            self.tell(&unusable(error));
        }
        self.report(now_ms, metrics);
    }

    /// Takes the answer of a call that is [awaited](Self::awaits).
    pub(super) fn on_answer(&mut self, end: CallEnd, now_ms: u64, metrics: &Metrics) {
        if self.keys.awaits(end.token) {
            match self.keys.take(end, &self.feed, now_ms) {
                Ok(()) => {}
                Err(Untaken::NotFetched(why)) => {
                    metrics.feed_poll_failed(&self.name);
                    self.tell(&why);
                }
                Err(Untaken::NotShared(why)) => self.tell(&why),
            }
        } else {
            self.call = None;
            // Whoever does not lead any more, or has not all the while, writes nothing over what another has written.
            match self.claim(now_ms, metrics) {
                Ok(true) if self.asked_in == self.era => match self.take(end, now_ms, metrics) {
                    Ok(progress) => {
                        self.pace.taken(progress, now_ms);
                        self.told = None;
                    }
                    Err(why) => self.fail(now_ms, &why, metrics),
                },
                Ok(_) => self.pace.dropped(now_ms),
                Err(error) => self.fail(now_ms, &unusable(error), metrics),
            }
        }
        // The next question need not wait for a tick.
        if let Err(error) = self.lead(now_ms, metrics) {
            self.tell(&unusable(error));
        }
        self.report(now_ms, metrics);
    }

    /// No VM waits for this one any more.
    pub(super) fn retire(&mut self) {
        self.lease.give_back();
        self.leading.set(false);
    }

    /// Reads what stands in shared data, where that is news: one object.
    fn follow(&mut self, now_ms: u64, metrics: &Metrics) -> Result<(), HostError> {
        let Some(keys) = self.keys.set() else { return Ok(()) };
        let mut feed = self.feed.borrow_mut();
        let key = head_key(feed.prefix());
        let head = Shared::read(&key)?;
        if !feed.look(head.as_ref().map(|head| head.bytes.as_slice()), now_ms) {
            return Ok(());
        }
        let Some(wanted) = feed.wanted() else { return Ok(()) };
        let trust = FeedTrust { iss: &self.iss, keys, host: &NoSignatureHost };
        let knows_nothing = feed.standing().is_none();
        let attempts = attempts_key(&key);
        let mut take = || {
            let object = Shared::read(&wanted)?.map(|object| object.bytes);
            trap_on(object.as_deref());
            Ok(feed.take_shared(object.as_deref(), trust, now_ms))
        };
        let taken =
            if knows_nothing { guarded(&attempts, now_ms, take)?.transpose()? } else { Some(take()?) };
        let Some(taken) = taken else {
            metrics.feed_refusal(&self.name, "trapped");
            host::log(
                Level::Warn,
                &format!(
                    "issuer `{}`, revocations: what was shared is given up: two VMs trapped on it",
                    self.name
                ),
            );
            // Whoever leads takes a snapshot then.
            if let Some(head) = &head
                && let Some(parsed) = Head::parse(&head.bytes)
            {
                head.replace(&key, &parsed.broken().to_bytes())?;
            }
            return Ok(());
        };
        match taken {
            Ok(Read::More | Read::Done) => {
                self.unknown_since = None;
                Ok(())
            }
            // It says something of this VM, and not of the chain.
            Err(FeedRefusal::Full) => {
                metrics.feed_refusal(&self.name, FeedRefusal::Full.name());
                Ok(())
            }
            Err(refusal) => {
                // Only a set that was asked for since then can say that there is no such key.
                let since = *self.unknown_since.get_or_insert(now_ms);
                if refusal == FeedRefusal::KeyUnknown && self.keys.may_come(since, now_ms) {
                    return Ok(());
                }
                self.unknown_since = None;
                metrics.feed_refusal(&self.name, refusal.name());
                // Whoever leads takes a snapshot then.
                if let Some(head) = &head
                    && let Some(parsed) = Head::parse(&head.bytes)
                {
                    head.replace(&key, &parsed.broken().to_bytes())?;
                }
                Ok(())
            }
        }
    }

    /// Claims or renews the lease: whether it is one's own. A snapshot goes on for as long as it is held and no longer.
    fn claim(&mut self, now_ms: u64, metrics: &Metrics) -> Result<bool, HostError> {
        let (is_own, is_new) = self.lease.claim(now_ms)?;
        if is_new {
            metrics.feed_leads(&self.name);
            self.pace.hasten();
            self.era = self.era.wrapping_add(1);
        }
        self.leading.set(is_own);
        // Another configuration of this VM may be at it.
        if is_new || !self.leading.is_any() {
            self.feed.borrow_mut().stand_down();
        }
        Ok(is_own)
    }

    /// Asks where the lease is one's own. Whoever could not verify an answer leaves it to others.
    fn lead(&mut self, now_ms: u64, metrics: &Metrics) -> Result<(), HostError> {
        if self.keys.set().is_none() {
            return Ok(());
        }
        let is_own = self.claim(now_ms, metrics)?;
        if self.call.is_some() && self.pace.is_lost(now_ms) {
            self.call = None;
            self.fail(now_ms, "no answer came, nor that there will be none", metrics);
        }
        if is_own && self.call.is_none() && self.pace.is_due(now_ms) {
            self.ask(now_ms, metrics);
        }
        Ok(())
    }

    fn ask(&mut self, now_ms: u64, metrics: &Metrics) {
        let question = self.pace.question();
        let path = format!("{}?{}", self.config.path, self.feed.borrow().query(question.wait_seconds));
        let timeout_ms = self.config.timeout_ms(question.patience_seconds);
        match call(&self.config, &path, "application/revocations+jwt", timeout_ms) {
            Ok(token) => {
                self.pace.asked(question, now_ms);
                self.asked_in = self.era;
                self.call = Some(token);
            }
            Err(why) => self.fail(now_ms, &why, metrics),
        }
    }

    /// Takes an answer of the issuer.
    fn take(&mut self, end: CallEnd, now_ms: u64, metrics: &Metrics) -> Result<Progress, String> {
        let answer = Answer::read(end, MAX_ANSWER_BYTES)?;
        if answer.status == b"409" {
            self.feed.borrow_mut().conflict();
            metrics.feed_refusal(&self.name, "conflict");
            return Ok(Progress::Anew);
        }
        let body = answer.good()?;
        let keys = self.keys.set().ok_or("there are no keys to verify it with")?;
        let trust = FeedTrust { iss: &self.iss, keys, host: &NoSignatureHost };
        let key = head_key(self.feed.borrow().prefix());
        let head = head_to_replace(&key).map_err(unusable)?;
        let bytes = head.as_ref().map(|head| head.bytes.as_slice());
        let mut feed = self.feed.borrow_mut();
        match feed.take(&body, trust, bytes, now_ms) {
            Ok(Taken::Page(object)) => {
                host::set_shared_data(&object, &body).map_err(unusable)?;
                Ok(Progress::Part)
            }
            Ok(Taken::Step(step)) => {
                host::set_shared_data(step.key(), &body).map_err(unusable)?;
                if let Some(copy) = step.copy() {
                    host::set_shared_data(copy, &body).map_err(unusable)?;
                }
                let has_more = step.asks_on();
                if let Some(head) = &head
                    && head.replace(&key, &step.head()).map_err(unusable)?
                {
                    feed.commit(*step);
                    return Ok(if has_more { Progress::Part } else { Progress::Whole });
                }
                Ok(Progress::Whole)
            }
            Ok(Taken::Follow) => Ok(Progress::Whole),
            Ok(Taken::Again) => Ok(Progress::Anew),
            Err(refusal) => {
                metrics.feed_refusal(&self.name, refusal.name());
                if refusal == FeedRefusal::KeyUnknown {
                    self.keys.may_come(now_ms, now_ms);
                }
                Err(format!("the answer {}", refusal.text()))
            }
        }
    }

    /// A question that brought nothing.
    fn fail(&mut self, now_ms: u64, why: &str, metrics: &Metrics) {
        let is_left = self.pace.failed(now_ms);
        metrics.feed_poll_failed(&self.name);
        self.feed.borrow_mut().missed();
        self.tell(why);
        if is_left {
            self.lease.stand_back(now_ms);
            self.leading.set(false);
        }
    }

    fn tell(&mut self, why: &str) {
        if self.told.as_deref() != Some(why) {
            host::log(Level::Warn, &format!("issuer `{}`, revocations: {why}", self.name));
            self.told = Some(why.to_owned());
        }
    }

    /// Says what has changed.
    fn report(&mut self, now_ms: u64, metrics: &Metrics) {
        let feed = self.feed.borrow();
        let Some(standing) = feed.standing() else { return };
        let age_seconds = feed.age_ms(now_ms).unwrap_or_default() / 1_000;
        let now = (standing.position.sequence, feed.records().len(), age_seconds);
        if self.reported != Some(now) {
            if self.reported.is_none() {
                let place = shown(&standing.position);
                host::log(Level::Info, &format!("issuer `{}`, revocations: taken as of {place}", self.name));
            }
            metrics.feed(&self.name, now.0, now.1, now.2);
            self.reported = Some(now);
        }
    }
}

/// In the build for tests, an object of shared data on which every VM traps.
fn trap_on(object: Option<&[u8]>) {
    #[cfg(feature = "trap-on-magic-header")]
    #[allow(clippy::panic, reason = "a test-only build that shows what a trap does")]
    if object == Some(b"x-bearward-trap") {
        panic!("told to");
    }
    let _ = object;
}

fn unusable(HostError(status): HostError) -> String {
    format!("shared data cannot be used (status {status})")
}

/// What stands under the head's key, where it can be replaced: where nothing does, an empty head is put there first, because a
/// write of what is not there could only be an unconditional one.
fn head_to_replace(key: &str) -> Result<Option<Shared>, HostError> {
    if let Some(head) = Shared::read(key)? {
        return Ok(Some(head));
    }
    host::set_shared_data(key, &Head::vacant(0).to_bytes())?;
    Shared::read(key)
}
