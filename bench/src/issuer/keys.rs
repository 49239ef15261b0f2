use std::io;
use std::net::SocketAddr;

use xtask::error::Error;

use crate::http::{Connection, get};
use crate::load::Client;

const PATH: &str = "/.well-known/jwks.json";

/// Asks whether the keys that it has are still the keys.
#[derive(Debug)]
pub(super) struct KeysClient {
    connection: Connection,
    request: Vec<u8>,
}

impl KeysClient {
    /// Fetches the keys once, with their `ETag`.
    pub(super) fn new(address: SocketAddr) -> Result<Self, Error> {
        let mut connection = Connection::new(address);
        let answer = connection.send(&get(PATH, &[])).map_err(Error::io("cannot fetch the keys"))?;
        let etag = answer
            .etag
            .ok_or_else(|| Error::unusable("the JWK Set has no ETag", "look into the issuer's log"))?;
        Ok(Self { connection, request: get(PATH, &[("if-none-match", &etag)]) })
    }
}

impl Client for KeysClient {
    fn connect(&mut self) -> io::Result<()> {
        self.connection.close();
        self.connection.open()
    }

    fn request(&mut self) -> io::Result<u16> {
        Ok(self.connection.send(&self.request)?.status)
    }
}
