//! The users who log in, and where they come from.

use std::sync::atomic::{AtomicU32, Ordering};

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, phc};
use serde_json::{Value, json};
use xtask::error::Error;

use super::argon2id;

/// Everybody's.
pub(super) const PASSWORD: &str = "a password of the benchmark";
/// Of [`PASSWORD`], by bcryptjs 3.0.3, at the tutorial's cost.
const BCRYPT: &str = "$2b$12$KzXju5OGObDlgEn/vaOlHeY4R1C1m8otBLr7q6Ebgo65I0d26.gza";

/// Users, whose turn it is, and addresses, of which no two requests have the same until all were used.
#[derive(Debug)]
pub(crate) struct Accounts {
    users: u32,
    argon2id: String,
    next_user: AtomicU32,
    next_address: AtomicU32,
}

impl Accounts {
    pub(crate) fn new(users: u32) -> Result<Self, Error> {
        let hasher: Argon2<'_> = argon2id::hasher()?;
        let hash: phc::PasswordHash = hasher
            .hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16])
            .map_err(|error| Error::unusable(error.to_string(), "correct the parameters"))?;
        Ok(Self {
            users,
            argon2id: hash.to_string(),
            next_user: AtomicU32::new(0),
            next_address: AtomicU32::new(0),
        })
    }

    /// For `bearward-issuer user import`: everybody with a hash of argon2id.
    pub(crate) fn to_import(&self) -> String {
        (0..self.users).map(|number| line(&email(number), &self.argon2id)).collect()
    }

    /// The same: so many more with a hash of bcrypt, which a login replaces.
    pub(super) fn of_bcrypt_to_import(&self, users: u32) -> String {
        (0..users).map(|number| line(&bcrypt_email(number), BCRYPT)).collect()
    }

    /// The e-mail of the next user.
    pub(super) fn next_email(&self) -> String {
        email(self.next_user.fetch_add(1, Ordering::Relaxed) % self.users)
    }

    /// The address that the next request comes from, as a proxy would tell it: one of 198.18.0.0/15, which is reserved
    /// for benchmarks (RFC 2544).
    pub(super) fn next_address(&self) -> String {
        let [_, net, high, low] = self.next_address.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        format!("198.{}.{high}.{low}", 18 + net % 2)
    }
}

pub(super) fn bcrypt_email(number: u32) -> String {
    format!("bcrypt{number}@example.com")
}

/// What a login sends.
pub(super) fn login(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

fn email(number: u32) -> String {
    format!("user{number}@example.com")
}

fn line(email: &str, hash: &str) -> String {
    let user = json!({ "name": "Somebody", "email": email, "password": hash, "role": "customer" });
    format!("{user}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_requests_have_one_address_until_all_of_the_range_were_used() {
        let accounts = Accounts::new(3).unwrap();
        let addresses: BTreeSet<String> = (0..1 << 17).map(|_| accounts.next_address()).collect();
        assert_eq!(addresses.len(), 1 << 17);
        assert!(addresses.contains("198.18.0.0") && addresses.contains("198.19.255.255"));
    }

    #[test]
    fn users_take_turns() {
        let accounts = Accounts::new(2).unwrap();
        let emails = [(); 3].map(|()| accounts.next_email());
        assert_eq!(emails, ["user0@example.com", "user1@example.com", "user0@example.com"]);
    }

    #[test]
    fn users_have_the_hashes_that_the_issuer_makes() {
        let accounts = Accounts::new(1).unwrap();
        assert!(accounts.to_import().contains("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", accounts.to_import());
        assert_eq!(accounts.of_bcrypt_to_import(2).matches("$2b$12$").count(), 2);
    }
}
