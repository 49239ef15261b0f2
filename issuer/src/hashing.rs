//! Password hashing in a bounded pool.
//!
//! A hash costs a core for tens of milliseconds and 19 MiB. So only so many run at a time, only so many requests wait
//! for one, and whoever comes then is told to come again: overload costs some logins their time, not the process its
//! memory.

mod argon2id;
mod bcrypt;
mod deadline;
mod priority;
mod share;
mod speed;
mod stored;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::account::{NewPassword, PresentedPassword};
use crate::random;
use crate::settings::HashSettings;
use crate::throttle::AddressPrefix;

use argon2id::Memory;
pub(crate) use deadline::{Due, LoginDeadline};
pub(crate) use share::Share;
use share::Shares;
pub(crate) use speed::Speed;
pub(crate) use stored::{Cost, NO_PASSWORD, PasswordHash, UnusableHash};

/// Hashes and verifies passwords, a bounded number at a time.
pub(crate) struct Hasher {
    /// One permit for each hash that runs or waits.
    admission: Arc<Semaphore>,
    /// One permit for each hash that runs.
    workers: Arc<Semaphore>,
    /// How many places each client has.
    shares: Arc<Shares>,
    /// Memory that no hash uses at the moment; never more than there are workers.
    spare: Arc<Mutex<Vec<Memory>>>,
    /// How many hashes run and wait at the most.
    places: usize,
    /// How many hashes run at the most.
    permits: usize,
    /// How many requests found no place.
    refused: AtomicU64,
    /// What the password of an unknown user is compared with: nobody's, made with the parameters of everybody's.
    nobody: PasswordHash,
}

/// What comparing a password with a stored hash yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Match,
    /// A match, and the hash is to be replaced: it is no argon2id of our parameters, or of a password before its
    /// normalization.
    MatchOutdated,
    NoMatch,
    /// The stored hash is none that we verify: as good as no match, and a fault of whoever wrote it.
    Unusable(UnusableHash),
}

impl Verdict {
    pub(crate) fn is_match(self) -> bool {
        matches!(self, Self::Match | Self::MatchOutdated)
    }
}

/// Why there is no result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HashError {
    /// As many requests wait already as may.
    Busy,
    /// Hashing itself failed: no random numbers, no memory.
    Failed(&'static str),
}

/// How busy the pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    /// How many may run.
    pub(crate) permits: usize,
    /// How many requests found no place since the start.
    pub(crate) refused: u64,
}

impl Hasher {
    /// Computes one hash, so it blocks for some milliseconds.
    ///
    /// # Errors
    /// [`HashError::Failed`]
    pub(crate) fn new(settings: HashSettings) -> Result<Self, HashError> {
        let permits = settings.permits as usize;
        let mut memory = Memory::default();
        let nobody = hash_with_fresh_salt(&random::bytes::<32>().map_err(no_random)?, &mut memory)?;
        let places = permits + settings.queue as usize;
        Ok(Self {
            admission: Arc::new(Semaphore::new(places)),
            shares: Arc::new(Shares::new(places, 100)),
            workers: Arc::new(Semaphore::new(permits)),
            spare: Arc::new(Mutex::new(vec![memory])),
            places,
            permits,
            refused: AtomicU64::new(0),
            nobody,
        })
    }

    /// The same, where no client may have more than this part of the places.
    pub(crate) fn shared(self, percent: u32) -> Self {
        let places = self.admission.available_permits();
        Self { shares: Arc::new(Shares::new(places, percent)), ..self }
    }

    /// The hashers as a client from here may use them.
    pub(crate) fn share_of(&self, of: AddressPrefix) -> Share<'_> {
        Share { hasher: self, of: Some(of) }
    }

    /// A hash that no client asks for.
    ///
    /// # Errors
    /// [`HashError::Busy`], [`HashError::Failed`]
    pub(crate) async fn hash(&self, password: NewPassword) -> Result<PasswordHash, HashError> {
        Share { hasher: self, of: None }.hash(password).await
    }

    #[cfg(test)]
    async fn renew(&self, password: PresentedPassword) -> Result<PasswordHash, HashError> {
        Share { hasher: self, of: None }.renew(password).await
    }

    #[cfg(test)]
    async fn verify(
        &self,
        password: PresentedPassword,
        stored: Option<PasswordHash>,
    ) -> Result<Verdict, HashError> {
        Share { hasher: self, of: None }.verify(password, stored).await
    }

    /// What goes on at the moment.
    pub(crate) fn load(&self) -> Load {
        let running = self.permits.saturating_sub(self.workers.available_permits());
        let admitted = self.places.saturating_sub(self.admission.available_permits());
        let refused = self.refused.load(Ordering::Relaxed);
        Load { running, waiting: admitted.saturating_sub(running), permits: self.permits, refused }
    }

    /// What this work yields, and how long it waited for a worker.
    async fn run<T: Send + 'static>(
        &self,
        of: Option<AddressPrefix>,
        work: impl FnOnce(&mut Memory) -> Result<T, HashError> + Send + 'static,
    ) -> Result<(T, Duration), HashError> {
        let arrival = Instant::now();
        let busy = || self.busy();
        let admitted = Arc::clone(&self.admission).try_acquire_owned().map_err(|_| busy())?;
        let place = of.map(|of| Shares::take(&self.shares, of).ok_or_else(busy)).transpose()?;
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|_| HashError::Busy)?;
        let waited = arrival.elapsed();
        let permits = (admitted, place, worker);
        // The permits move along: whoever gives up waiting does not stop the hash, so it must go on counting.
        let spare = Arc::clone(&self.spare);
        let running = spawn_blocking(move || {
            priority::give_way();
            let mut memory = spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
            let result = work(&mut memory);
            memory.trim();
            spare.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            drop(permits);
            result
        });
        let result = running.await.map_err(|_| HashError::Failed("a hash was aborted"))??;
        Ok((result, waited))
    }

    /// A request finds no place.
    fn busy(&self) -> HashError {
        self.refused.fetch_add(1, Ordering::Relaxed);
        HashError::Busy
    }

    /// How many hashes were computed since the start; asked while none is.
    #[cfg(test)]
    pub(crate) fn computed(&self) -> usize {
        self.spare.lock().unwrap().iter().map(Memory::computed).sum()
    }

    /// Takes every worker, so that who is admitted waits.
    #[cfg(test)]
    pub(crate) fn stop_workers(&self) -> tokio::sync::OwnedSemaphorePermit {
        let all = u32::try_from(self.workers.available_permits()).unwrap();
        Arc::clone(&self.workers).try_acquire_many_owned(all).unwrap()
    }

    /// How many more would be admitted.
    #[cfg(test)]
    pub(crate) fn places(&self) -> usize {
        self.admission.available_permits()
    }

    /// How many clients have a place.
    #[cfg(test)]
    pub(crate) fn clients(&self) -> usize {
        self.shares.clients()
    }

    /// Takes every place, so that the next request finds none.
    #[cfg(test)]
    pub(crate) fn occupy(&self) -> tokio::sync::OwnedSemaphorePermit {
        let all = u32::try_from(self.admission.available_permits()).unwrap();
        Arc::clone(&self.admission).try_acquire_many_owned(all).unwrap()
    }
}

fn verdict(
    password: &PresentedPassword,
    stored: Option<&PasswordHash>,
    nobody: &PasswordHash,
    memory: &mut Memory,
) -> Verdict {
    let mut compute = |form: &[u8]| match stored.map(|stored| stored.verify(form, memory)) {
        Some(Ok(fits)) => Ok(fits),
        other => {
            let _ = nobody.verify(form, memory);
            other.unwrap_or(Ok(false))
        }
    };
    // Both are computed where there are two, so that time does not tell which of them fits.
    let normalized = compute(password.normalized());
    let as_sent = password.as_sent().map(&mut compute);
    match (normalized, as_sent) {
        (Err(why), _) => Verdict::Unusable(why),
        (Ok(true), _) if stored.is_some_and(PasswordHash::is_current) => Verdict::Match,
        (Ok(true), _) | (_, Some(Ok(true))) => Verdict::MatchOutdated,
        _ => Verdict::NoMatch,
    }
}

fn hash_with_fresh_salt(password: &[u8], memory: &mut Memory) -> Result<PasswordHash, HashError> {
    argon2id::hash(password, &random::bytes().map_err(no_random)?, memory).map_err(HashError::Failed)
}

fn no_random(_: getrandom::Error) -> HashError {
    HashError::Failed("the operating system gives no random numbers")
}

impl fmt::Display for HashError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => formatter.write_str("as many requests wait for a hash as may"),
            Self::Failed(what) => formatter.write_str(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::PasswordSettings;

    fn hasher(permits: u32, queue: u32) -> Arc<Hasher> {
        Arc::new(Hasher::new(HashSettings { permits, queue }).unwrap())
    }

    fn new_password(text: &str) -> NewPassword {
        NewPassword::parse(text.to_owned(), PasswordSettings { min_length: 8 }).unwrap()
    }

    fn presented(text: &str) -> PresentedPassword {
        PresentedPassword::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let hasher = hasher(1, 0);
        let hash = hasher.hash(new_password("mypassword123")).await.unwrap();
        assert_eq!(hasher.verify(presented("mypassword123"), Some(hash.clone())).await, Ok(Verdict::Match));
        assert_eq!(hasher.verify(presented("mypassword124"), Some(hash)).await, Ok(Verdict::NoMatch));
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let hasher = hasher(1, 0);
        let first = hasher.hash(new_password("mypassword123")).await.unwrap();
        let second = hasher.hash(new_password("mypassword123")).await.unwrap();
        assert_ne!(first.as_str(), second.as_str());
    }

    #[tokio::test]
    async fn nobody_has_any_password() {
        assert_eq!(hasher(1, 0).verify(presented(""), None).await, Ok(Verdict::NoMatch));
    }

    #[tokio::test]
    async fn the_hash_of_nobody_costs_what_a_users_costs() {
        let hasher = hasher(1, 0);
        let hash = hasher.hash(new_password("mypassword123")).await.unwrap();
        let cost = |hash: &PasswordHash| hash.as_str().split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(cost(&hash), "$argon2id$v=19$m=19456,t=2,p=1");
        assert_eq!(cost(&hasher.nobody), cost(&hash));
        assert_eq!(hasher.nobody.as_str().len(), hash.as_str().len());
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_verified_costs_what_one_of_nobody_costs() {
        let hasher = hasher(1, 0);
        hasher.spare.lock().unwrap().clear();
        let malformed = Some(PasswordHash::stored("x".to_owned()));
        let verdict = hasher.verify(presented("mypassword123"), malformed).await;
        assert_eq!(verdict, Ok(Verdict::Unusable(UnusableHash::Malformed)));
        assert_eq!(hasher.spare.lock().unwrap()[0].kib(), 19_456);
    }

    const COMPOSED: &str = "p\u{e4}ssw\u{f6}rd";
    const DECOMPOSED: &str = "pa\u{308}sswo\u{308}rd";

    /// By bcryptjs 3.0.3.
    fn of_bcryptjs(output: &str) -> Option<PasswordHash> {
        Some(PasswordHash::stored(format!("$2b$04$abcdefghijklmnopqrstuu{output}")))
    }

    #[tokio::test]
    async fn a_hash_from_before_normalization_fits_what_was_sent_then_and_its_normalized_form() {
        let hasher = hasher(1, 0);
        let of_composed = of_bcryptjs("yx2n0Zzopyr9QuYTMCfOJJOj526QVoC");
        let of_decomposed = of_bcryptjs("m.H8tSlPhQn/VuSVJi6xI9ZNXWmk.Zu");
        for (sent, stored, verdict) in [
            (COMPOSED, &of_composed, Verdict::MatchOutdated),
            (DECOMPOSED, &of_composed, Verdict::MatchOutdated),
            (DECOMPOSED, &of_decomposed, Verdict::MatchOutdated),
            (COMPOSED, &of_decomposed, Verdict::NoMatch),
        ] {
            assert_eq!(hasher.verify(presented(sent), stored.clone()).await, Ok(verdict), "{sent}");
        }
        let renewed = Some(hasher.renew(presented(DECOMPOSED)).await.unwrap());
        for sent in [COMPOSED, DECOMPOSED] {
            assert_eq!(hasher.verify(presented(sent), renewed.clone()).await, Ok(Verdict::Match), "{sent}");
        }
        let before = argon2id::hash(DECOMPOSED.as_bytes(), &[7; 16], &mut Memory::default()).unwrap();
        let verdict = hasher.verify(presented(DECOMPOSED), Some(before)).await;
        assert_eq!(verdict, Ok(Verdict::MatchOutdated), "argon2id of what was sent");
    }

    #[tokio::test]
    async fn one_hash_is_computed_for_each_form_of_a_password_whoever_it_is_of() {
        let hasher = hasher(1, 0);
        let hash = hasher.hash(new_password("mypassword123")).await.unwrap();
        let bcrypt = of_bcryptjs("et7g.oOes3vxc.VL2l0d4CQJPGWF8pK");
        let unusable = Some(PasswordHash::stored("$2b$31$x".to_owned()));
        for stored in [None, Some(hash), bcrypt, unusable] {
            for (sent, forms) in [("mypassword123", 1), ("mypassword124", 1), (COMPOSED, 1), (DECOMPOSED, 2)]
            {
                let before = hasher.computed();
                hasher.verify(presented(sent), stored.clone()).await.unwrap();
                assert_eq!(hasher.computed() - before, forms, "{stored:?} {sent}");
            }
        }
    }

    #[tokio::test]
    async fn who_finds_no_place_in_the_queue_is_sent_away_at_once() {
        let hasher = hasher(1, 1);
        let full = hasher.occupy();
        assert_eq!(hasher.verify(presented("x"), None).await, Err(HashError::Busy));
        drop(full);
        assert_eq!(hasher.verify(presented("x"), None).await, Ok(Verdict::NoMatch));
    }

    #[tokio::test]
    async fn the_pool_is_full_once_its_last_place_is_taken_and_who_is_sent_away_is_counted() {
        let hasher = hasher(1, 1);
        let anybody = || Share { hasher: &hasher, of: None }.has_place();
        assert_eq!((anybody(), hasher.load().refused), (Ok(()), 0));
        let full = hasher.occupy();
        assert_eq!((anybody(), hasher.load().refused), (Err(HashError::Busy), 1));
        drop(full);
        assert_eq!((anybody(), hasher.load().refused), (Ok(()), 1));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_hash_gives_way_to_everything_else() {
        let own = || rustix::process::getpriority_process(None).unwrap();
        let before = own();
        let hasher = hasher(1, 0);
        // Once for each thread and not once for each hash.
        for _ in 0..3 {
            assert_eq!(hasher.run(None, move |_| Ok(own())).await.unwrap().0, (before + 10).min(19));
        }
        assert_eq!(own(), before);
    }

    #[tokio::test]
    async fn who_finds_a_place_in_the_queue_waits_for_a_worker() {
        let hasher = hasher(1, 2);
        let verify = |hasher: Arc<Hasher>| async move { hasher.verify(presented("x"), None).await };
        let all = [1, 2, 3].map(|_| tokio::spawn(verify(Arc::clone(&hasher))));
        for one in all {
            assert_eq!(one.await.unwrap(), Ok(Verdict::NoMatch));
        }
        assert_eq!(hasher.spare.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_hash_goes_on_counting_after_its_request_gave_up() {
        let hasher = hasher(1, 0);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let work = hasher.run(None, move |_| held.recv().map_err(|_| HashError::Busy));
        assert!(tokio::time::timeout(Duration::from_millis(20), work).await.is_err());
        assert_eq!(hasher.verify(presented("x"), None).await, Err(HashError::Busy));
        release.send(()).unwrap();
        while hasher.verify(presented("x"), None).await == Err(HashError::Busy) {
            tokio::task::yield_now().await;
        }
    }
}
