//! What is asked, as bytes: nothing is put together while it is measured.

use super::COLD_TOKENS;
use super::connections::Requests;
use super::tokens::{Signer, Signers};

/// The path that the eighth of Bearward's ten rules is for.
pub(super) const PATH: &str = "/api/riders/4711/tours";

/// Which requests are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asks {
    /// Whose tokens: a [`Signer`] by its name.
    pub(super) signer: String,
    pub(super) tokens: Tokens,
    pub(super) path: String,
    /// The only status that an answer may have.
    pub(super) status: u16,
}

/// Which tokens they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tokens {
    /// Each of them once.
    Cold,
    /// So many in rotation, all of them known.
    Warm(usize),
    /// So many in rotation, whether they are known or not.
    Rotation(usize),
    /// Those whose signature belongs to another token.
    BadSignature,
    Absent,
}

impl Asks {
    /// For the path that is asked for where nothing else is said.
    pub(super) fn new(signer: &str, tokens: Tokens) -> Self {
        let status = match tokens {
            Tokens::Cold | Tokens::Warm(_) | Tokens::Rotation(_) => 200,
            Tokens::BadSignature | Tokens::Absent => 401,
        };
        Self { signer: signer.to_owned(), tokens, path: PATH.to_owned(), status }
    }

    /// What is asked of a filter, in rotation.
    pub(super) fn of_filter(&self, signers: &Signers) -> Requests {
        self.requests(signers, HOST)
    }

    /// What is asked where there is no filter: the same bytes, and where the filters refuse, a host of that length without
    /// routes. For a filter that refuses spares Envoy the work of routing and of the answer: held against a request that is
    /// forwarded it would seem to cost less than it does.
    pub(super) fn of_none(&self, signers: &Signers) -> (Requests, u16) {
        match self.status {
            200 => (self.requests(signers, HOST), 200),
            _ => (self.requests(signers, REFUSED_HOST), 404),
        }
    }

    fn requests(&self, signers: &Signers, host: &str) -> Requests {
        let tokens = |of: fn(&Signer) -> Vec<String>| signers.get(&self.signer).map(of).unwrap_or_default();
        let whole = |signer: &Signer| signer.tokens.clone();
        let tokens = match self.tokens {
            Tokens::Cold => tokens(whole),
            Tokens::Warm(count) | Tokens::Rotation(count) => tokens(whole).into_iter().take(count).collect(),
            Tokens::BadSignature => {
                tokens(Signer::with_bad_signatures).into_iter().take(COLD_TOKENS).collect()
            }
            Tokens::Absent => return Requests::new(vec![request(&self.path, host, "")]),
        };
        Requests::new(tokens.iter().map(|token| request(&self.path, host, &bearer(token))).collect())
    }
}

/// The host that has no routes (`bench/filter/listener.yaml`).
pub(super) const REFUSED_HOST: &str = "refused.bearward.local";
const HOST: &str = "restaurant.example.com";

/// The header that carries a token.
pub(super) fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// As a client of an API writes it; `more` are further headers.
pub(super) fn request(path: &str, host: &str, more: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: okhttp/4.12.0\r\naccept: application/json\r\n\
         accept-encoding: gzip\r\n{more}\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::tokens;
    use super::*;

    #[test]
    fn where_there_is_no_filter_the_same_bytes_are_sent_but_for_the_host_that_refuses() {
        let signers = tokens::of_all(3);
        for (kind, status) in
            [(Tokens::Cold, 200), (Tokens::Warm(2), 200), (Tokens::BadSignature, 404), (Tokens::Absent, 404)]
        {
            let asks = Asks::new("EdDSA", kind);
            let (none, expected) = asks.of_none(&signers);
            let filter = asks.of_filter(&signers);
            assert_eq!((none.len(), expected), (filter.len(), status), "{kind:?}");
            assert_eq!(none.bytes(), filter.bytes(), "{kind:?}");
        }
    }
}
