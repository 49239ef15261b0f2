use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::json;
use xtask::error::Error;
use xtask::interrupt;

use super::accounts::Accounts;
use super::logins::LoginClient;
use crate::http::{Connection, post};
use crate::load::Client;

/// How long a client waits that was told to come again.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Keeps some sessions alive, one after the other: each refresh presents what the one before was given.
#[derive(Debug)]
pub(super) struct RefreshClient<'a> {
    connection: Connection,
    accounts: &'a Accounts,
    tokens: VecDeque<String>,
}

impl<'a> RefreshClient<'a> {
    /// So many clients, each of which logs in for its sessions.
    pub(super) fn all(
        address: SocketAddr,
        accounts: &'a Accounts,
        clients: usize,
        sessions: usize,
    ) -> Result<Vec<Self>, Error> {
        // Side by side, because each login is held until its deadline.
        thread::scope(|scope| {
            let client = |_| scope.spawn(|| Self::new(address, accounts, sessions));
            let threads: Vec<_> = (0..clients).map(client).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        })
    }

    fn new(address: SocketAddr, accounts: &'a Accounts, sessions: usize) -> Result<Self, Error> {
        let mut login = LoginClient::new(address, accounts);
        let mut tokens = VecDeque::with_capacity(sessions);
        while tokens.len() < sessions {
            interrupt::check()?;
            let answer = login.log_in().map_err(Error::io("cannot log in"))?;
            // All of them at once may be more than wait for a hash.
            if answer.status == 503 {
                thread::sleep(BUSY_PAUSE);
                continue;
            }
            let token = answer.text("refreshToken").ok_or_else(|| {
                let what = format!("a login was answered with {} and without a refresh token", answer.status);
                Error::unusable(what, "look into the issuer's log")
            })?;
            tokens.push_back(token);
        }
        Ok(Self { connection: Connection::new(address), accounts, tokens })
    }
}

impl Client for RefreshClient<'_> {
    fn connect(&mut self) -> io::Result<()> {
        self.connection.close();
        self.connection.open()
    }

    fn request(&mut self) -> io::Result<u16> {
        let Some(token) = self.tokens.pop_front() else { return Err(io::ErrorKind::NotFound.into()) };
        let address = self.accounts.next_address();
        let headers = [("x-forwarded-for", address.as_str())];
        let answer =
            self.connection.send(&post("/api/auth/refresh", &headers, &json!({ "refreshToken": token })));
        // One that was not exchanged stays good, as far as we know.
        let next = answer.as_ref().ok().and_then(|answer| answer.text("refreshToken"));
        self.tokens.push_back(next.unwrap_or(token));
        Ok(answer?.status)
    }
}
