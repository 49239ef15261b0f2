use std::io;
use std::net::SocketAddr;

use super::accounts::{Accounts, PASSWORD, login};
use crate::http::{Answer, Connection, post};
use crate::load::Client;

/// Logs in as one user after the other.
#[derive(Debug)]
pub(crate) struct LoginClient<'a> {
    connection: Connection,
    accounts: &'a Accounts,
}

impl<'a> LoginClient<'a> {
    pub(crate) fn new(address: SocketAddr, accounts: &'a Accounts) -> Self {
        Self { connection: Connection::new(address), accounts }
    }

    pub(super) fn log_in(&mut self) -> io::Result<Answer> {
        let (email, address) = (self.accounts.next_email(), self.accounts.next_address());
        let headers = [("x-forwarded-for", address.as_str())];
        self.connection.send(&post("/api/auth/login", &headers, &login(&email, PASSWORD)))
    }
}

impl Client for LoginClient<'_> {
    fn connect(&mut self) -> io::Result<()> {
        self.connection.close();
        self.connection.open()
    }

    fn request(&mut self) -> io::Result<u16> {
        Ok(self.log_in()?.status)
    }
}
