//! When logins are answered, by who they are of: nobody should see a difference.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use xtask::error::Error;
use xtask::interrupt;

use super::accounts::{Accounts, PASSWORD, bcrypt_email, login};
use crate::http::{Answer, Connection, post};
use crate::report::Distribution;
use crate::statistics::Latencies;

/// Who logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unknown,
    WrongPassword,
    Throttled,
    Bcrypt,
    Argon2id,
}

const KINDS: [(Kind, &str, &str); 5] = [
    (Kind::Unknown, "login_unknown", "login: unknown user"),
    (Kind::WrongPassword, "login_wrong_password", "login: wrong password"),
    (Kind::Throttled, "login_throttled", "login: throttled"),
    (Kind::Bcrypt, "login_bcrypt", "login: user with a hash of bcrypt"),
    (Kind::Argon2id, "login_argon2id", "login: user with a hash of argon2id"),
];

/// As many at a time: no more than hash at a time on the smallest machine that this is meant for, so that none waits for
/// another and what is seen is what the work takes.
const CLIENTS: u32 = 2;
/// After so many wrong passwords for one account from one address a login should be throttled.
const WRONG_UNTIL_THROTTLED: u32 = 20;
const THROTTLED_EMAIL: &str = "throttled@example.com";
const THROTTLED_ADDRESS: &str = "203.0.113.7";

/// `answers` of each kind, their kinds in turn.
pub(super) fn measure(
    address: SocketAddr,
    accounts: &Accounts,
    answers: u32,
    notes: &mut Vec<String>,
) -> Result<Vec<Distribution>, Error> {
    let throttled = is_throttled(address)?;
    let kinds: Vec<Kind> =
        KINDS.iter().map(|(kind, ..)| *kind).filter(|kind| throttled || *kind != Kind::Throttled).collect();
    let seen: Vec<(Kind, u16, std::time::Duration)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let kinds = &kinds;
                scope.spawn(move || ask(address, accounts, kinds, (client, answers)))
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect::<io::Result<Vec<_>>>()
    })
    .map_err(Error::io("cannot log in"))?
    .concat();
    interrupt::check()?;
    let mut distributions = Vec::new();
    for (kind, key, title) in KINDS {
        let mut latencies = Latencies::new()?;
        let of_kind = seen.iter().filter(|(of, status, _)| *of == kind && *status == kind.status());
        of_kind.for_each(|(_, _, latency)| latencies.record(*latency));
        if latencies.count() > 0 {
            distributions.push(Distribution { key, title, latencies });
        } else if kind == Kind::Throttled {
            notes.push(format!("No login was throttled after {WRONG_UNTIL_THROTTLED} wrong passwords."));
        } else {
            let what = format!("{title}: none was answered with {}", kind.status());
            return Err(Error::unusable(what, "look into the issuer's log"));
        }
    }
    Ok(distributions)
}

fn ask(
    address: SocketAddr,
    accounts: &Accounts,
    kinds: &[Kind],
    (client, answers): (u32, u32),
) -> io::Result<Vec<(Kind, u16, std::time::Duration)>> {
    let mut connection = Connection::new(address);
    let mut seen = Vec::new();
    // This client's share, each user of bcrypt once: the login replaces the hash.
    for number in (client..answers).step_by(CLIENTS as usize) {
        for kind in kinds {
            if interrupt::check().is_err() {
                return Ok(seen);
            }
            let (email, password) = kind.who(number, accounts);
            let from =
                if *kind == Kind::Throttled { THROTTLED_ADDRESS.to_owned() } else { accounts.next_address() };
            connection.open()?;
            let begun = Instant::now();
            let answer = log_in(&mut connection, &from, &email, password)?;
            seen.push((*kind, answer.status, begun.elapsed()));
        }
    }
    Ok(seen)
}

impl Kind {
    fn who(self, number: u32, accounts: &Accounts) -> (String, &'static str) {
        const WRONG: &str = "not the password of the benchmark";
        match self {
            Self::Unknown => (format!("nobody{number}@example.com"), PASSWORD),
            Self::WrongPassword => (accounts.next_email(), WRONG),
            Self::Throttled => (THROTTLED_EMAIL.to_owned(), WRONG),
            Self::Bcrypt => (bcrypt_email(number), PASSWORD),
            Self::Argon2id => (accounts.next_email(), PASSWORD),
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::Unknown | Self::WrongPassword => 401,
            Self::Throttled => 429,
            Self::Bcrypt | Self::Argon2id => 200,
        }
    }
}

/// Guesses the password of one account, which may be nobody's, from one address, until that is refused.
fn is_throttled(address: SocketAddr) -> Result<bool, Error> {
    let mut connection = Connection::new(address);
    for _ in 0..WRONG_UNTIL_THROTTLED {
        interrupt::check()?;
        let answer = log_in(&mut connection, THROTTLED_ADDRESS, THROTTLED_EMAIL, "a guess of somebody");
        if answer.map_err(Error::io("cannot log in"))?.status == Kind::Throttled.status() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn log_in(connection: &mut Connection, from: &str, email: &str, password: &str) -> io::Result<Answer> {
    connection.send(&post("/api/auth/login", &[("x-forwarded-for", from)], &login(email, password)))
}
