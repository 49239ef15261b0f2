//! Which VM of this proxy asks for all of them: a lease in shared data, under rules that the core has.

use std::cell::Cell;

use bearward_core::revocations::lease::{Claim, Claimant, Term, VACANT, claim, release};

use crate::host::{self, HostError};
use crate::shared::Shared;

/// For how much longer than it lasts a lease is not claimed again by whoever gave it back in favour of others, in milliseconds.
const STAND_BACK_MS: u64 = 500;

thread_local! {
    /// Whether a request has ever come to this VM. None comes to that of Envoy's main thread.
    static SERVES: Cell<bool> = const { Cell::new(false) };
}

/// A request has come to this VM.
pub(crate) fn serves() {
    SERVES.set(true);
}

/// A lease, one's own or not.
pub(crate) struct Lease {
    key: String,
    lasts: Term,
    /// Under which it is one's own.
    term: Option<u64>,
    /// Until when it is left to others.
    stands_back_until: u64,
}

impl Lease {
    pub(crate) fn new(key: String, lasts: Term) -> Self {
        Self { key, lasts, term: None, stands_back_until: 0 }
    }

    /// Claims or renews it. Whether it is one's own now, and whether another may have had it since it was last.
    pub(crate) fn claim(&mut self, now_ms: u64) -> Result<(bool, bool), HostError> {
        // Not longer, where the clock was set back.
        if (1..=self.stand_back_ms()).contains(&self.stands_back_until.saturating_sub(now_ms)) {
            return Ok((false, false));
        }
        let there = Shared::read(&self.key)?;
        let led = self.term;
        let claimant = Claimant { own: led, serves: SERVES.get(), term: self.lasts };
        let bytes = there.as_ref().map(|there| there.bytes.as_slice());
        self.term = match (claim(bytes, claimant, now_ms), &there) {
            (Claim::Held, _) => led,
            (Claim::Write { bytes, term }, Some(there)) => there.replace(&self.key, &bytes)?.then_some(term),
            (Claim::Create, _) => {
                host::set_shared_data(&self.key, &VACANT)?;
                None
            }
            (Claim::Others | Claim::Write { .. }, _) => None,
        };
        // Every claim raises the term: one's own next one alone says that nobody was between.
        let goes_on = |term: u64| led.is_some_and(|led| term == led || term == led.wrapping_add(1));
        Ok((self.term.is_some(), self.term.is_some_and(|term| !goes_on(term))))
    }

    /// Whoever is next need not wait until it has ended.
    pub(crate) fn give_back(&mut self) {
        // Where it cannot be given back, it ends by itself.
        if let Ok(Some(there)) = Shared::read(&self.key)
            && let Some(vacant) = release(Some(&there.bytes), self.term)
        {
            let _ = there.replace(&self.key, &vacant);
        }
        self.term = None;
    }

    /// The same, and leaves it to others for a while: they may have a better credential, or a connection that lives.
    pub(crate) fn stand_back(&mut self, now_ms: u64) {
        self.give_back();
        self.stands_back_until = now_ms.saturating_add(self.stand_back_ms());
    }

    fn stand_back_ms(&self) -> u64 {
        self.lasts.lease_ms.saturating_add(STAND_BACK_MS)
    }
}
