//! Limits on how often something is tried, so that passwords are not guessed and the hashers stay free.
//!
//! A login is counted three times. By its address, which protects the hashers and every account at once. By account and
//! address together, strictly: who guesses is refused where he is, and the account's user, who is elsewhere, is not. By
//! its account alone, which only slows: nobody locks another out by failing from many addresses. Whether there is such
//! an account is not asked, so that nothing here tells.
//!
//! A refresh is counted where it is known of which session it is, and by its address only if it was refused.

mod counts;
mod key;
mod limit;
mod prefix;

use std::time::Duration;

use tokio::sync::Semaphore;

use crate::account::LoginEmail;
use crate::audit::{Event, Kind, Outcome};
use crate::settings::ThrottleSettings;
use crate::store::{Counted, Decision, Refusal, Store, StoreError};

use counts::Counts;
pub(crate) use counts::Throttled;
use key::Scope;
pub(crate) use key::{Key, ThrottleKey};
pub(crate) use limit::Limit;
pub(crate) use prefix::AddressPrefix;

/// How much later a login is answered for each attempt beyond its account's limit.
const DELAY_STEP: Duration = Duration::from_millis(250);
/// The most attempts beyond the limit that are counted.
const MOST_BEYOND: u32 = 20;
/// The longest delay: with a login's deadline it must stay below the ten seconds of a request.
pub(crate) const MAX_DELAY: Duration = Duration::from_millis(250 * MOST_BEYOND as u64);
/// The most slowed logins that wait at a time in this process. Whoever comes then goes on at once: else they would keep
/// all connections, and whoever floods one account would lock its user out after all. The hashers have a bound of their
/// own.
const MAX_WAITING: usize = 128;

/// The limits, and the key under which is counted.
#[derive(Debug)]
pub(crate) struct Throttle {
    key: ThrottleKey,
    limits: ThrottleSettings,
    waiting: Semaphore,
    counts: Counts,
}

/// An attempt that may be made.
pub(crate) struct Attempt<'a> {
    throttle: &'a Throttle,
    store: &'a Store,
    address: Key,
    pair: Key,
    account: Key,
    delay: Duration,
    is_first: bool,
    /// Whether it cost its account a whole step: what lies at the bound is cut off.
    is_whole: bool,
}

/// Why an attempt may not be made.
#[derive(Debug)]
pub(crate) enum Denied {
    /// Too many of its address, of its account from there, or of its session, and how long until the next.
    Throttled { by: Throttled, wait: Duration },
    /// The counters cannot be read: then nothing may be tried.
    Unknown(StoreError),
}

impl Throttle {
    pub(crate) fn new(key: ThrottleKey, limits: ThrottleSettings) -> Self {
        Self { key, limits, waiting: Semaphore::new(MAX_WAITING), counts: Counts::default() }
    }

    /// Counts an attempt at the password of an account. `event` is its refusal, but for the cause.
    ///
    /// # Errors
    /// All of [`Denied`].
    pub(crate) async fn login<'a>(
        &'a self,
        store: &'a Store,
        email: &LoginEmail,
        event: Event<'_>,
    ) -> Result<Attempt<'a>, Denied> {
        let from = AddressPrefix::of(event.by.client);
        let address = self.key.of(Scope::LoginAddress, from, None);
        let pair = self.key.of(Scope::LoginPair, from, Some(email));
        let account = self.key.of(Scope::LoginAccount, AddressPrefix::UNKNOWN, Some(email));
        let counted = self.of_login(&address, &pair, &account);
        let (beyond, is_first) = self.count(store, &counted, event).await?;
        let delay = DELAY_STEP * beyond.min(MOST_BEYOND);
        if !delay.is_zero() {
            self.counts.add(event.kind, Throttled::Slowed);
            tracing::info!(event = event.kind.as_str(), outcome = "slowed", delay_ms = delay.as_millis());
        }
        let is_whole = beyond < MOST_BEYOND;
        Ok(Attempt { throttle: self, store, address, pair, account, delay, is_first, is_whole })
    }

    /// Counts a signup by its address. `event` is its refusal, but for the cause.
    ///
    /// # Errors
    /// All of [`Denied`].
    pub(crate) async fn signup(&self, store: &Store, event: Event<'_>) -> Result<(), Denied> {
        self.by_address(store, Scope::SignupAddress, self.limits.signup, event).await
    }

    /// How often one session may be refreshed. The statement that refreshes decides by it, in the session's own row: what
    /// others do does not count.
    pub(crate) fn refreshes(&self) -> Option<Limit> {
        self.limits.refresh
    }

    /// The refusal of what was tried too often with one session.
    pub(crate) fn session(&self, kind: Kind, wait: Duration) -> Denied {
        self.counts.add(kind, Throttled::Session);
        Denied::Throttled { by: Throttled::Session, wait }
    }

    /// Counts a refresh that was refused by its address, under the limit of logins. `event` is that refusal.
    ///
    /// # Errors
    /// All of [`Denied`].
    pub(crate) async fn refused_refresh(&self, store: &Store, event: Event<'_>) -> Result<(), Denied> {
        self.by_address(store, Scope::RefusedRefreshAddress, self.limits.login_address, event).await
    }

    /// Counts an attempt at a one-time link by its address, under the limit of logins: a link is a way in, too. `event` is
    /// its refusal, but for the cause.
    ///
    /// # Errors
    /// All of [`Denied`].
    pub(crate) async fn link(&self, store: &Store, event: Event<'_>) -> Result<(), Denied> {
        self.by_address(store, Scope::LinkAddress, self.limits.login_address, event).await
    }

    /// How often what was throttled, for the metrics: since the start of this process.
    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many slowed logins wait at the moment.
    #[cfg(test)]
    pub(crate) fn slowed(&self) -> usize {
        MAX_WAITING - self.waiting.available_permits()
    }

    async fn by_address(
        &self,
        store: &Store,
        scope: Scope,
        limit: Option<Limit>,
        event: Event<'_>,
    ) -> Result<(), Denied> {
        let Some(limit) = limit else { return Ok(()) };
        let key = self.key.of(scope, AddressPrefix::of(event.by.client), None);
        let counted = Counted { address: Some((&key, limit)), pair: None, account: None, most_beyond: 0 };
        self.count(store, &counted, event).await.map(|_| ())
    }

    fn of_login<'k>(&self, address: &'k Key, pair: &'k Key, account: &'k Key) -> Counted<'k> {
        Counted {
            address: self.limits.login_address.map(|limit| (address, limit)),
            pair: self.limits.login.map(|limit| (pair, limit)),
            account: self.limits.login_account.map(|limit| (account, limit)),
            most_beyond: MOST_BEYOND,
        }
    }

    async fn count(
        &self,
        store: &Store,
        counted: &Counted<'_>,
        event: Event<'_>,
    ) -> Result<(u32, bool), Denied> {
        if counted.address.is_none() && counted.pair.is_none() && counted.account.is_none() {
            return Ok((0, true));
        }
        let (by, refusal) = match store.count_attempt(counted).await.map_err(Denied::Unknown)? {
            Decision::Allowed { beyond, is_first } => return Ok((beyond, is_first)),
            Decision::RefusedAddress(refusal) => (Throttled::Address, refusal),
            Decision::RefusedPair(refusal) => (Throttled::Account, refusal),
        };
        self.counts.add(event.kind, by);
        Err(self.refused(store, by, refusal, event).await)
    }

    /// Each refusal has its line in the log; the trail gets the first of a window, else whoever is refused could fill it.
    async fn refused(&self, store: &Store, by: Throttled, refusal: Refusal, event: Event<'_>) -> Denied {
        let event = Event { outcome: Outcome::Refused, cause: Some(by.cause()), ..event };
        if !refusal.is_first {
            store.tell(&event);
        } else if let Err(error) = store.audit(&event).await {
            return Denied::Unknown(error);
        }
        Denied::Throttled { by, wait: refusal.wait }
    }
}

impl Attempt<'_> {
    /// Waits as long as the attempts at this account from everywhere demand, at most this long, and says how long that
    /// was. To be called before a place among the hashers is taken.
    pub(crate) async fn slow(&self, longest: Duration) -> Duration {
        let delay = self.delay.min(longest);
        if delay.is_zero() {
            return Duration::ZERO;
        }
        let Ok(_waiting) = self.throttle.waiting.try_acquire() else { return Duration::ZERO };
        tokio::time::sleep(delay).await;
        delay
    }

    /// The password was right: it counts as no attempt. What fails is left to time, for the login has succeeded.
    pub(crate) async fn succeeded(self) {
        // Where it is the only one there is little to forget, and the usual login costs one statement less.
        if self.is_first {
            return;
        }
        let counted = self.counted();
        if let Err(cause) = self.store.forget_attempt(&counted).await {
            tracing::warn!(%cause, "a login that succeeded goes on counting as an attempt");
        }
    }

    /// Nothing was said of the password, for a reason that lies with us: then nothing was tried, neither here nor at
    /// the account nor from the address. What fails is left to time.
    pub(crate) async fn taken_back(self) {
        if let Err(cause) = self.store.take_back_attempt(&self.counted()).await {
            tracing::warn!(%cause, "a login that was not decided goes on counting as an attempt");
        }
    }

    /// What is to be taken back of this attempt. From an account at the bound nothing: more would be taken than was
    /// counted, and whoever comes while the hashers are full would win an account its speed back.
    fn counted(&self) -> Counted<'_> {
        let counted = self.throttle.of_login(&self.address, &self.pair, &self.account);
        Counted { account: counted.account.filter(|_| self.is_whole), ..counted }
    }
}
