//! A host that is only asked what it has shown to know.

use std::cell::Cell;

use super::known::{KNOWN_ANSWERS, KnownAnswer};
use super::{HostSignature, SignatureHost};
use crate::algorithm::AlgorithmName;
use crate::base64url;
use crate::keys::KeySet;

/// A host with the algorithms that it verifies rightly.
#[derive(Debug)]
pub struct ProvenHost<H> {
    pub(super) host: H,
    algorithms: Vec<AlgorithmName>,
}

impl<H: SignatureHost> ProvenHost<H> {
    /// Asks the host about a known signature of each of `wanted`: one that holds, and one that does not. It is trusted
    /// with an algorithm if it tells them apart.
    #[must_use]
    pub fn probe(host: H, wanted: &[AlgorithmName]) -> Self {
        let proven = KNOWN_ANSWERS
            .iter()
            .filter(|known| wanted.contains(&known.algorithm))
            .filter(|known| known.is_told_by(&host));
        let algorithms = proven.map(|known| known.algorithm).collect();
        Self { host, algorithms }
    }

    /// What it verifies.
    #[must_use]
    pub fn algorithms(&self) -> &[AlgorithmName] {
        &self.algorithms
    }
}

impl<H: SignatureHost> SignatureHost for ProvenHost<H> {
    fn verify(&self, asked: &HostSignature<'_>) -> Option<bool> {
        self.algorithms.contains(&asked.algorithm).then(|| self.host.verify(asked)).flatten()
    }
}

impl KnownAnswer {
    fn is_told_by(&self, host: &dyn SignatureHost) -> bool {
        let set = format!(r#"{{"keys":[{}]}}"#, self.jwk);
        let (Ok(keys), Some(signature)) =
            (KeySet::parse(set.as_bytes(), &[self.algorithm]), base64url::decode(self.signature.as_bytes()))
        else {
            return false;
        };
        let said = |message: &str| {
            let witness = Witness { host, said: Cell::new(None) };
            // What comes of it is the witness's: where the host says nothing, the filter's own answer proves nothing.
            let _ = keys.verify(None, self.algorithm, message.as_bytes(), &signature, &witness);
            witness.said.get()
        };
        said(self.message) == Some(true) && said(&format!("{}.", self.message)) == Some(false)
    }
}

/// Asks a host and keeps in mind what it said.
struct Witness<'h> {
    host: &'h dyn SignatureHost,
    said: Cell<Option<bool>>,
}

impl SignatureHost for Witness<'_> {
    fn verify(&self, asked: &HostSignature<'_>) -> Option<bool> {
        self.said.set(self.host.verify(asked));
        self.said.get()
    }
}
