//! The keys of one feed: out of the policy, out of shared data, or fetched.

use std::cell::RefCell;

use bearward_core::keys::KeySet;
use bearward_core::policy::RevocationFeed;
use bearward_core::refresh::{Refresh, UnknownKey};
use bearward_core::revocations::Feed;
use bearward_core::revocations::answer::parse_keys;
use bearward_core::revocations::chain::{attempts_key, keys_key};
use bearward_protocol::bounds::MAX_JWK_SET_BYTES;

use super::attempt::guarded;
use super::call::call;
use crate::answer::{Answer, CallEnd};
use crate::host::{self, HostError};
use crate::shared::MAX_SHARED_AGE_MS;

/// From a good answer to the next fetch, in seconds; and how long one may take, in milliseconds: as long as the most patient question.
const REFRESH_SECONDS: u64 = 300;
const TIMEOUT_MS: u32 = 7_000;

pub(super) struct FeedKeys {
    set: Option<KeySet>,
    /// `None`: they stand in the policy.
    due: Option<Refresh>,
    call: Option<u32>,
    /// Whether it was tried to take them, and what is known, from shared data.
    restored: bool,
    /// Whether those at hand are from there.
    are_shared: bool,
}

impl FeedKeys {
    pub(super) fn new(config: &RevocationFeed) -> Self {
        let set = config.keys.clone();
        let due = set.is_none().then(|| Refresh::new(REFRESH_SECONDS, TIMEOUT_MS));
        Self { set, due, call: None, restored: false, are_shared: false }
    }

    pub(super) fn set(&self) -> Option<&KeySet> {
        self.set.as_ref()
    }

    pub(super) fn awaits(&self, token: u32) -> bool {
        self.call == Some(token)
    }

    /// Fetches them where that is due.
    ///
    /// # Errors
    /// What to tell: the cluster cannot be called.
    pub(super) fn fetch(&mut self, config: &RevocationFeed, now_ms: u64) -> Result<(), String> {
        let Some(due) = self.due.as_mut().filter(|due| due.is_due(now_ms)) else { return Ok(()) };
        due.sent(now_ms);
        let accept = "application/jwk-set+json, application/json";
        match call(config, &config.keys_path(), accept, TIMEOUT_MS) {
            Ok(token) => self.call = Some(token),
            Err(why) => {
                due.failed(now_ms);
                return Err(why);
            }
        }
        Ok(())
    }

    /// Takes the answer of a call that is [awaited](Self::awaits), and leaves it to the other VMs.
    ///
    /// # Errors
    /// What to tell.
    pub(super) fn take(&mut self, end: CallEnd, feed: &RefCell<Feed>, now_ms: u64) -> Result<(), Untaken> {
        self.call = None;
        let taken = Answer::read(end, MAX_JWK_SET_BYTES).and_then(Answer::good).and_then(|body| {
            let keys = parse_keys(&body)
                .map_err(|problems| format!("the JWK Set is refused, problems: {}", problems.len()))?;
            Ok((keys, body))
        });
        let Some(due) = &mut self.due else { return Ok(()) };
        let (keys, body) = taken.map_err(|why| {
            due.failed(now_ms);
            Untaken::NotFetched(format!("the feed's keys were not fetched: {why}"))
        })?;
        due.succeeded(now_ms);
        let mut feed = feed.borrow_mut();
        if std::mem::take(&mut self.are_shared) {
            feed.keys_fetched_first(&keys);
        }
        feed.keys_changed(&keys);
        self.set = Some(keys);
        let shared = [&now_ms.to_le_bytes(), body.as_slice()].concat();
        host::set_shared_data(&keys_key(feed.prefix()), &shared).map_err(|HostError(status)| {
            Untaken::NotShared(format!("the feed's keys cannot be shared (status {status})"))
        })
    }

    /// Shared data is untrusted: the keys are read as strictly as an answer, and not if they are old. Tried once.
    pub(super) fn restore(&mut self, prefix: &str, now_ms: u64) {
        if std::mem::replace(&mut self.restored, true) || self.set.is_some() {
            return;
        }
        // Where it cannot be read, or was given up, it is fetched.
        let read = guarded(&attempts_key(&keys_key(prefix)), now_ms, || shared(prefix, now_ms));
        if let (Ok(Some(Some((keys, fetched_ms)))), Some(due)) = (read, &mut self.due) {
            due.has_set_of(fetched_ms);
            self.set = Some(keys);
            self.are_shared = true;
        }
    }

    /// Something is signed with a key that is not known: whether a set that was asked for since then may still bring it.
    pub(super) fn may_come(&mut self, since_ms: u64, now_ms: u64) -> bool {
        self.due.as_mut().is_some_and(|due| due.key_unknown(since_ms, now_ms) != UnknownKey::Absent)
    }
}

/// What went wrong with an answer.
pub(super) enum Untaken {
    /// No keys were had of it.
    NotFetched(String),
    /// They were, and other VMs have to fetch them themselves.
    NotShared(String),
}

/// The feed's keys out of shared data, and when they were fetched; not if they are old.
fn shared(prefix: &str, now_ms: u64) -> Option<(KeySet, u64)> {
    let shared = host::shared_data(&keys_key(prefix)).unwrap_or_default();
    let (fetched_ms, body) = shared.split_first_chunk::<8>()?;
    let fetched_ms = u64::from_le_bytes(*fetched_ms);
    let is_old = now_ms.abs_diff(fetched_ms) > MAX_SHARED_AGE_MS;
    parse_keys(body).ok().filter(|_| !is_old).map(|keys| (keys, fetched_ms))
}
