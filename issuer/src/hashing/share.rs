//! A client's share of the hashers: one that sends more than its share is told to come again, and the others go on.
//!
//! In memory, for it is this process whose hashers are shared.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{HashError, Hasher, PasswordHash, Verdict};
use crate::account::{NewPassword, PresentedPassword};
use crate::throttle::AddressPrefix;

/// How many places each client has. Each has one of the hashers' places, too, so that there are never more entries.
#[derive(Debug)]
pub(super) struct Shares {
    most: usize,
    taken: Mutex<HashMap<AddressPrefix, usize>>,
}

/// One place of a client. Given back when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    shares: Arc<Shares>,
    of: AddressPrefix,
}

impl Shares {
    /// So much of these places, at least one.
    pub(super) fn new(places: usize, percent: u32) -> Self {
        let most = (places.saturating_mul(percent as usize) / 100).max(1);
        Self { most, taken: Mutex::new(HashMap::new()) }
    }

    /// `None`: this client has its share already.
    pub(super) fn take(shares: &Arc<Self>, of: AddressPrefix) -> Option<Place> {
        let mut all = shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = all.entry(of).or_default();
        if *taken >= shares.most {
            return None;
        }
        *taken += 1;
        Some(Place { shares: Arc::clone(shares), of })
    }

    /// Whether this client has its share already.
    fn is_taken(&self, of: AddressPrefix) -> bool {
        let all = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&of).is_some_and(|taken| *taken >= self.most)
    }

    #[cfg(test)]
    pub(super) fn clients(&self) -> usize {
        self.taken.lock().unwrap().len()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = all.get_mut(&self.of) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                all.remove(&self.of);
            }
        }
    }
}

/// The hashers as one client may use them.
#[derive(Clone, Copy)]
pub(crate) struct Share<'a> {
    pub(super) hasher: &'a Hasher,
    /// `None`: whoever may have all of them.
    pub(super) of: Option<AddressPrefix>,
}

impl Share<'_> {
    /// Asked before anything is done for a request that needs a hash, so that who would be sent away costs nothing else; a
    /// place that is free now may be taken by then.
    ///
    /// # Errors
    /// [`HashError::Busy`]
    pub(crate) fn has_place(self) -> Result<(), HashError> {
        let is_full = self.hasher.admission.available_permits() == 0;
        let is_taken = || self.of.is_some_and(|of| self.hasher.shares.is_taken(of));
        if is_full || is_taken() { Err(self.hasher.busy()) } else { Ok(()) }
    }

    /// # Errors
    /// [`HashError::Busy`], [`HashError::Failed`]
    pub(crate) async fn hash(self, password: NewPassword) -> Result<PasswordHash, HashError> {
        let run =
            self.hasher.run(self.of, move |memory| super::hash_with_fresh_salt(password.expose(), memory));
        run.await.map(|(hash, _)| hash)
    }

    /// A new hash of a password that matched an old one. The rules for new passwords are not asked: it is none.
    ///
    /// # Errors
    /// [`HashError::Busy`], [`HashError::Failed`]
    pub(crate) async fn renew(self, password: PresentedPassword) -> Result<PasswordHash, HashError> {
        let run = self
            .hasher
            .run(self.of, move |memory| super::hash_with_fresh_salt(password.normalized(), memory));
        run.await.map(|(hash, _)| hash)
    }

    /// Whether this is the password of a user with this hash. Computes one hash for each form of the password,
    /// whoever's it is, also for a user who does not exist, and for one whose hash cannot be verified: else their logins
    /// would tell that they exist.
    ///
    /// # Errors
    /// All of [`HashError`].
    pub(crate) async fn verify(
        self,
        password: PresentedPassword,
        stored: Option<PasswordHash>,
    ) -> Result<Verdict, HashError> {
        self.verify_in_turn(password, stored).await.map(|(verdict, _)| verdict)
    }

    /// The same, and how long it waited for a worker: that is the same whoever's password it is.
    ///
    /// # Errors
    /// All of [`HashError`].
    pub(crate) async fn verify_in_turn(
        self,
        password: PresentedPassword,
        stored: Option<PasswordHash>,
    ) -> Result<(Verdict, Duration), HashError> {
        let nobody = self.hasher.nobody.clone();
        self.hasher
            .run(self.of, move |memory| Ok(super::verdict(&password, stored.as_ref(), &nobody, memory)))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::HashSettings;
    use std::net::IpAddr;

    fn prefix(text: &str) -> AddressPrefix {
        AddressPrefix::from(text.parse::<IpAddr>().unwrap())
    }

    fn presented() -> PresentedPassword {
        PresentedPassword::new("mypassword123".to_owned())
    }

    #[tokio::test]
    async fn a_client_that_has_its_share_is_sent_away_and_another_is_not() {
        let hasher = Hasher::new(HashSettings { permits: 1, queue: 3 }).unwrap().shared(50);
        let hasher = Arc::new(hasher);
        let stopped = hasher.stop_workers();
        let verify = |from: &str| {
            let (hasher, from) = (Arc::clone(&hasher), prefix(from));
            tokio::spawn(async move { hasher.share_of(from).verify(presented(), None).await })
        };
        let places = hasher.places();
        let waiting = [verify("2001:db8::1"), verify("2001:db8::2")];
        while hasher.places() > places - 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(verify("2001:db8::3").await.unwrap(), Err(HashError::Busy), "the same /64");
        assert_eq!(hasher.places(), places - 2, "who is sent away takes no place");
        assert_eq!(hasher.share_of(prefix("2001:db8::3")).has_place(), Err(HashError::Busy));
        assert_eq!(hasher.share_of(prefix("192.0.2.7")).has_place(), Ok(()));
        let other = verify("192.0.2.7");
        while hasher.places() > places - 3 {
            tokio::task::yield_now().await;
        }
        drop(stopped);
        for one in waiting.into_iter().chain([other]) {
            assert_eq!(one.await.unwrap(), Ok(Verdict::NoMatch));
        }
        assert_eq!(hasher.clients(), 0, "nothing is kept of who has no place");
        assert_eq!(hasher.share_of(prefix("2001:db8::3")).has_place(), Ok(()));
        assert_eq!(verify("2001:db8::3").await.unwrap(), Ok(Verdict::NoMatch));
    }

    #[tokio::test]
    async fn a_hash_goes_on_counting_for_its_client_after_the_client_gave_up() {
        let hasher = Hasher::new(HashSettings { permits: 2, queue: 0 }).unwrap().shared(50);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let work = hasher.run(Some(prefix("192.0.2.7")), move |_| held.recv().map_err(|_| HashError::Busy));
        assert!(tokio::time::timeout(Duration::from_millis(20), work).await.is_err());
        let share = hasher.share_of(prefix("192.0.2.7"));
        assert_eq!(share.verify(presented(), None).await, Err(HashError::Busy));
        let other = hasher.share_of(prefix("192.0.2.8"));
        assert_eq!(other.verify(presented(), None).await, Ok(Verdict::NoMatch));
        release.send(()).unwrap();
        while share.verify(presented(), None).await == Err(HashError::Busy) {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn a_share_is_a_part_of_the_places_and_at_least_one() {
        for (places, percent, most) in [(34, 50, 17), (10, 100, 10), (1, 1, 1), (3, 50, 1)] {
            assert_eq!(Shares::new(places, percent).most, most);
        }
    }
}
