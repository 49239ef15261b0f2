//! One feed: its keys, its lease, its questions, and what others have left in shared data.

use std::cell::RefCell;
use std::rc::Rc;

use bearward_core::keys::KeySet;
use bearward_core::policy::{RevocationFeed, TrustedIssuer};
use bearward_core::refresh::{Refresh, UnknownKey};
use bearward_core::revocations::answer::parse_keys;
use bearward_core::revocations::chain::{Head, attempts_key, head_key, keys_key, lease_key, shown};
use bearward_core::revocations::lease::FEED_TERM;
use bearward_core::revocations::reading::Read;
use bearward_core::revocations::{Feed, FeedRefusal, FeedTrust, Taken};
use bearward_core::signature_host::NoSignatureHost;
use bearward_protocol::bounds::MAX_JWK_SET_BYTES;
use bearward_protocol::revocations::MAX_ANSWER_BYTES;

use super::attempt::guarded;
use super::leading::Leading;
use crate::answer::{Answer, CallEnd};
use crate::host::{self, HostError, Level};
use crate::lease::Lease;
use crate::metrics::Metrics;
use crate::shared::{MAX_SHARED_AGE_MS, Shared};

/// From a good answer to the next fetch of the feed's keys, in seconds; and how long one may take.
const KEYS_REFRESH_SECONDS: u64 = 300;
const KEYS_TIMEOUT_MS: u32 = 2_000;
/// An answer that is this much later than its timeout is given up as lost, in milliseconds.
const LOST_MS: u64 = 5_000;
/// From one question to the next at least, where no page or part of the same answer is still to come: whoever answers at once, time
/// and again, is not asked as fast as he can.
const MIN_PERIOD_MS: u64 = 20;
/// After so many questions in a row that brought nothing the lease is left to others.
const MAX_FAILURES: u32 = 3;
/// The pause after a question that brought nothing, in milliseconds; it doubles with each further one.
const MIN_PAUSE_MS: u64 = 100;
const MAX_PAUSE_MS: u64 = 5_000;
/// How many objects of shared data are read within the first request of a VM that knows nothing yet. The ticks read what is longer.
const MAX_READ_AT_ONCE: usize = 16;

pub(super) struct FeedPoll {
    name: String,
    iss: String,
    config: RevocationFeed,
    feed: Rc<RefCell<Feed>>,
    /// Differs between proxies, so that they do not come back all at once.
    seed: u64,
    keys: Option<KeySet>,
    /// `None`: they stand in the policy.
    keys_due: Option<Refresh>,
    keys_call: Option<u32>,
    /// Whether it was tried to take the keys, and what is known, from shared data.
    keys_restored: bool,
    /// Whether those at hand are from there.
    keys_are_shared: bool,
    restored: bool,
    lease: Lease,
    /// The call under way, and when it was made.
    call: Option<(u32, u64)>,
    /// Since when what stands in shared data is signed with a key that is not known.
    unknown_since: Option<u64>,
    asked_at: u64,
    next_at: u64,
    /// Questions in a row that brought nothing.
    failures: u32,
    /// How often another VM may have asked since this one did, and how often when the call under way was made.
    era: u64,
    asked_in: u64,
    /// Whether a configuration of this VM leads.
    leading: Leading,
    /// The next question does not wait for news: nobody has said for longer than usual that there are none.
    hastens: bool,
    /// Answers in a row after which a snapshot had to be begun.
    begun_anew: u32,
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
        let keys = config.keys.clone();
        let lease = Lease::new(lease_key(feed.borrow().prefix()), FEED_TERM);
        let keys_due = keys.is_none().then(|| Refresh::new(KEYS_REFRESH_SECONDS, KEYS_TIMEOUT_MS));
        Self {
            name: trusted.name.clone(),
            iss: trusted.issuer.iss().unwrap_or_default().to_owned(),
            config,
            feed,
            seed,
            keys,
            keys_due,
            keys_call: None,
            keys_restored: false,
            keys_are_shared: false,
            restored: false,
            lease,
            call: None,
            unknown_since: None,
            asked_at: 0,
            next_at: 0,
            failures: 0,
            era: 0,
            asked_in: 0,
            leading,
            hastens: false,
            begun_anew: 0,
            told: None,
            reported: None,
        }
    }

    pub(super) fn awaits(&self, token: u32) -> bool {
        self.keys_call == Some(token) || self.call.is_some_and(|(call, _)| call == token)
    }

    /// Whether a chain is being read, an object a tick.
    pub(super) fn is_busy(&self) -> bool {
        self.keys.is_some() && self.feed.borrow().wanted().is_some()
    }

    /// Takes at once what other VMs have left, the one before a trap among them; tried once in a VM's life: `false`, it was before.
    pub(super) fn restore(&mut self, now_ms: u64, metrics: &Metrics) -> bool {
        if std::mem::replace(&mut self.restored, true) {
            return false;
        }
        self.restore_keys(now_ms);
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
        self.restore_keys(now_ms);
        self.fetch_keys(now_ms, metrics);
        if let Err(error) = self.follow(now_ms, metrics).and_then(|()| self.lead(now_ms, metrics)) {
            self.tell(&unusable(error));
        }
        self.report(now_ms, metrics);
    }

    /// Takes the answer of a call that is [awaited](Self::awaits).
    pub(super) fn on_answer(&mut self, end: CallEnd, now_ms: u64, metrics: &Metrics) {
        if self.keys_call == Some(end.token) {
            self.keys_call = None;
            self.take_keys(end, now_ms, metrics);
        } else {
            self.call = None;
            // Whoever does not lead any more, or has not all the while, writes nothing over what another has written.
            match self.claim(now_ms, metrics) {
                Ok(true) if self.asked_in == self.era => match self.take(end, now_ms, metrics) {
                    Ok(progress) => self.go_on(progress, now_ms),
                    Err(why) => self.fail(now_ms, &why, metrics),
                },
                Ok(_) => self.next_at = now_ms.max(self.asked_at.saturating_add(MIN_PERIOD_MS)),
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

    fn fetch_keys(&mut self, now_ms: u64, metrics: &Metrics) {
        let Some(due) = &mut self.keys_due else { return };
        if !due.is_due(now_ms) {
            return;
        }
        due.sent(now_ms);
        match self.call(
            &self.config.keys_path(),
            "application/jwk-set+json, application/json",
            KEYS_TIMEOUT_MS,
        ) {
            Ok(token) => self.keys_call = Some(token),
            Err(error) => {
                if let Some(due) = &mut self.keys_due {
                    due.failed(now_ms);
                }
                metrics.feed_poll_failed(&self.name);
                self.tell(&format!(
                    "cluster `{}` cannot be called (status {})",
                    self.config.cluster, error.0
                ));
            }
        }
    }

    fn take_keys(&mut self, end: CallEnd, now_ms: u64, metrics: &Metrics) {
        let taken = Answer::read(end, MAX_JWK_SET_BYTES).and_then(Answer::good).and_then(|body| {
            let keys = parse_keys(&body)
                .map_err(|problems| format!("the JWK Set is refused, problems: {}", problems.len()))?;
            Ok((keys, body))
        });
        let Some(due) = &mut self.keys_due else { return };
        match taken {
            Ok((keys, body)) => {
                due.succeeded(now_ms);
                let mut feed = self.feed.borrow_mut();
                if std::mem::take(&mut self.keys_are_shared) {
                    feed.keys_fetched_first(&keys);
                }
                feed.keys_changed(&keys);
                drop(feed);
                self.keys = Some(keys);
                let shared = [&now_ms.to_le_bytes(), body.as_slice()].concat();
                let written = host::set_shared_data(&keys_key(self.feed.borrow().prefix()), &shared);
                if let Err(HostError(status)) = written {
                    self.tell(&format!("the feed's keys cannot be shared (status {status})"));
                }
            }
            Err(why) => {
                due.failed(now_ms);
                metrics.feed_poll_failed(&self.name);
                self.tell(&format!("the feed's keys were not fetched: {why}"));
            }
        }
    }

    /// Shared data is untrusted: the keys are read as strictly as an answer, and not if they are old. Tried once.
    fn restore_keys(&mut self, now_ms: u64) {
        if std::mem::replace(&mut self.keys_restored, true) || self.keys.is_some() {
            return;
        }
        let prefix = self.feed.borrow().prefix().to_owned();
        // Where it cannot be read, or was given up, it is fetched.
        let read = guarded(&attempts_key(&keys_key(&prefix)), now_ms, || shared_keys(&prefix, now_ms));
        if let (Ok(Some(Some((keys, fetched_ms)))), Some(due)) = (read, &mut self.keys_due) {
            due.has_set_of(fetched_ms);
            self.keys = Some(keys);
            self.keys_are_shared = true;
        }
    }

    /// Reads what stands in shared data, where that is news: one object.
    fn follow(&mut self, now_ms: u64, metrics: &Metrics) -> Result<(), HostError> {
        let Some(keys) = &self.keys else { return Ok(()) };
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
                if refusal == FeedRefusal::KeyUnknown
                    && let Some(due) = &mut self.keys_due
                    && due.key_unknown(since, now_ms) != UnknownKey::Absent
                {
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
            self.hastens = true;
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
        if self.keys.is_none() {
            return Ok(());
        }
        let is_own = self.claim(now_ms, metrics)?;
        let lost_ms = u64::from(self.config.timeout_ms(self.config.wait_seconds)).saturating_add(LOST_MS);
        // Also where the clock was set back.
        if self.call.is_some_and(|(_, sent_at)| now_ms.abs_diff(sent_at) >= lost_ms) {
            (self.call, self.hastens) = (None, true);
        }
        // Where the clock was set back, at once.
        let is_due =
            now_ms >= self.next_at || self.next_at > now_ms.saturating_add(MAX_PAUSE_MS.saturating_mul(2));
        if is_own && self.call.is_none() && is_due {
            self.ask(now_ms, metrics);
        }
        Ok(())
    }

    fn ask(&mut self, now_ms: u64, metrics: &Metrics) {
        let wait_seconds = if self.hastens { 0 } else { self.config.wait_seconds };
        let path = format!("{}?{}", self.config.path, self.feed.borrow().query(wait_seconds));
        let timeout_ms = self.config.timeout_ms(wait_seconds);
        match self.call(&path, "application/revocations+jwt", timeout_ms) {
            Ok(token) => {
                (self.asked_at, self.asked_in) = (now_ms, self.era);
                self.call = Some((token, now_ms));
            }
            Err(error) => {
                let why = format!("cluster `{}` cannot be called (status {})", self.config.cluster, error.0);
                self.fail(now_ms, &why, metrics);
            }
        }
    }

    fn call(&self, path: &str, accept: &str, timeout_ms: u32) -> Result<u32, HostError> {
        let authorization = self.config.credential.authorization();
        let headers = [
            (":method", "GET"),
            (":scheme", self.config.scheme.as_str()),
            (":authority", self.config.authority.as_str()),
            (":path", path),
            ("accept", accept),
            ("authorization", authorization.as_str()),
            ("user-agent", concat!("bearward-filter/", env!("CARGO_PKG_VERSION"))),
            // Where a replica of the issuer is gone Envoy asks another one at once, and takes these headers out.
            ("x-envoy-retry-on", "connect-failure,refused-stream,reset"),
            ("x-envoy-max-retries", "1"),
        ];
        host::http_call(&self.config.cluster, &headers, timeout_ms)
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
        let keys = self.keys.as_ref().ok_or("there are no keys to verify it with")?;
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
                if refusal == FeedRefusal::KeyUnknown
                    && let Some(due) = &mut self.keys_due
                {
                    due.key_unknown(now_ms, now_ms);
                }
                Err(format!("the answer {}", refusal.text()))
            }
        }
    }

    /// When the next question is due, after an answer that was taken.
    fn go_on(&mut self, progress: Progress, now_ms: u64) {
        self.failures = 0;
        self.hastens = false;
        self.told = None;
        self.begun_anew = match progress {
            Progress::Part => self.begun_anew,
            Progress::Whole => 0,
            Progress::Anew => self.begun_anew.saturating_add(1).min(16),
        };
        self.next_at = match progress {
            Progress::Part => now_ms,
            Progress::Anew if self.begun_anew > 1 => {
                now_ms.saturating_add(pause_ms(self.begun_anew.saturating_sub(2)))
            }
            Progress::Whole | Progress::Anew => now_ms.max(self.asked_at.saturating_add(MIN_PERIOD_MS)),
        };
    }

    /// The next question waits, ever longer, and not as long as that of another proxy.
    fn fail(&mut self, now_ms: u64, why: &str, metrics: &Metrics) {
        let pause = pause_ms(self.failures);
        self.failures = self.failures.saturating_add(1).min(16);
        self.hastens = true;
        let spread = self.seed.wrapping_mul(u64::from(self.failures)) % pause.max(1);
        self.next_at = now_ms.saturating_add(pause).saturating_add(spread / 2);
        metrics.feed_poll_failed(&self.name);
        self.feed.borrow_mut().missed();
        self.tell(why);
        if self.failures >= MAX_FAILURES {
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

/// The feed's keys out of shared data, and when they were fetched; not if they are old.
fn shared_keys(prefix: &str, now_ms: u64) -> Option<(KeySet, u64)> {
    let shared = host::shared_data(&keys_key(prefix)).unwrap_or_default();
    let (fetched_ms, body) = shared.split_first_chunk::<8>()?;
    let fetched_ms = u64::from_le_bytes(*fetched_ms);
    let is_old = now_ms.abs_diff(fetched_ms) > MAX_SHARED_AGE_MS;
    parse_keys(body).ok().filter(|_| !is_old).map(|keys| (keys, fetched_ms))
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

/// What an answer that was taken brought.
#[derive(Clone, Copy)]
enum Progress {
    /// A page or a cut delta: there is more.
    Part,
    /// All that there was.
    Whole,
    /// A snapshot must be begun.
    Anew,
}

fn unusable(HostError(status): HostError) -> String {
    format!("shared data cannot be used (status {status})")
}

fn pause_ms(failures: u32) -> u64 {
    MIN_PAUSE_MS.saturating_mul(1 << failures.min(16)).min(MAX_PAUSE_MS)
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
