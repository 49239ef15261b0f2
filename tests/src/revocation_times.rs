//! How long after the issuer's answer a token that has ended is refused: by every worker of an Envoy before two replicas of the
//! issuer. The gate asks this some times of each cause, `cargo xtask bench revocation` many times.
//!
//! In reading order: [`Site`] what runs, [`Workers`] how each worker is asked, [`life`] the causes that concern one user,
//! [`everybody`] those that concern all, [`growth`] the former while many records come.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod everybody;
mod growth;
mod life;
mod person;
mod site;
mod workers;

use self::person::Session;

pub use self::everybody::everybody;
pub use self::growth::growth;
pub use self::life::life;
pub use self::site::Site;
pub use self::workers::Workers;

/// Why tokens end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the titles say it")]
pub enum Cause {
    LogoutThis,
    LogoutOthers,
    LogoutAll,
    SessionInTheList,
    PasswordChange,
    RoleChange,
    Disable,
    EnableAgain,
    Delete,
    AdminSession,
    AdminSubject,
    AdminKey,
    AdminAll,
}

impl Cause {
    /// Those that concern one user: one of each in a [`life`].
    pub const OF_ONE: [Self; 11] = [
        Self::LogoutThis,
        Self::LogoutOthers,
        Self::LogoutAll,
        Self::SessionInTheList,
        Self::PasswordChange,
        Self::RoleChange,
        Self::Disable,
        Self::EnableAgain,
        Self::Delete,
        Self::AdminSession,
        Self::AdminSubject,
    ];
    /// Those that concern everybody.
    pub const OF_ALL: [Self; 2] = [Self::AdminKey, Self::AdminAll];

    /// For machines.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::LogoutThis => "logout_this",
            Self::LogoutOthers => "logout_others",
            Self::LogoutAll => "logout_all",
            Self::SessionInTheList => "session_in_the_list",
            Self::PasswordChange => "password_change",
            Self::RoleChange => "role_change",
            Self::Disable => "disable",
            Self::EnableAgain => "enable_again",
            Self::Delete => "delete",
            Self::AdminSession => "admin_session",
            Self::AdminSubject => "admin_subject",
            Self::AdminKey => "admin_key",
            Self::AdminAll => "admin_all",
        }
    }
}

/// One time that a cause was felt.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Why.
    pub cause: Cause,
    /// From the issuer's answer to the first refusal at each worker. Where several tokens have ended, to that of the last of them.
    pub at_each: Vec<Duration>,
    /// Whether the login afterwards, whose token passed at every worker, was in the same second as the issuer's answer;
    /// `None` where nobody can log in.
    pub is_same_second: Option<bool>,
    /// How long after the issuer's answer a new token passed at every worker, where a worker must fetch its key first.
    pub again_after: Option<Duration>,
}

impl Sample {
    /// Until no worker takes it any more.
    #[must_use]
    pub fn everywhere(&self) -> Duration {
        self.at_each.iter().copied().max().unwrap_or_default()
    }

    /// For the program that makes a table of many.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let ms = |duration: &Duration| duration.as_secs_f64() * 1_000.0;
        json!({
            "cause": self.cause.key(),
            "at_each_ms": self.at_each.iter().map(ms).collect::<Vec<f64>>(),
            "is_same_second": self.is_same_second,
            "again_after_ms": self.again_after.as_ref().map(ms),
        })
    }
}

/// Who is told of each sample, and by how many threads at once.
pub type Tell<'t> = &'t (dyn Fn(Sample) + Sync);

/// The samples of so many lives, of which `beside` are led at a time.
pub fn lives(site: &Site, count: usize, beside: usize, tell: Tell<'_>) {
    let left = std::sync::atomic::AtomicUsize::new(count);
    let is_left = || {
        use std::sync::atomic::Ordering::SeqCst;
        left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
    };
    // Which worker a connection is of shows only while no other is opened.
    let each_workers: Vec<Workers> = (0..beside).map(|_| Workers::connect(site)).collect();
    std::thread::scope(|scope| {
        let is_left = &is_left;
        for mut workers in each_workers {
            scope.spawn(move || {
                while is_left() {
                    life(site, &mut workers, tell);
                }
            });
        }
    });
}

/// The moment of an answer: on the clock that runs on, and its second.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Instant,
    second: u64,
}

impl Moment {
    fn now() -> Self {
        Self { at: Instant::now(), second: crate::token::now() }
    }
}
