//! What tests of the feed share: an issuer that answers, and data that VMs share.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{FeedTrust, parse_keys};
use super::hex;
use crate::algorithm::EdDsa;
use crate::base64url;
use crate::fixtures::{ISS, jwk, signing_key};
use crate::keys::KeySet;
use crate::signature_host::NoSignatureHost;
use jwt_compact::{Algorithm as _, AlgorithmSignature as _};

/// The time of the issuer when a test begins, in milliseconds.
pub(crate) const START: u64 = 1_800_000_000_000;

/// The feed's keys: `f1`, of seed 11.
pub(crate) fn feed_keys() -> KeySet {
    keys_of(&[("f1", 11)])
}

pub(crate) fn keys_of(keys: &[(&str, u8)]) -> KeySet {
    let all: Vec<_> = keys.iter().map(|(kid, seed)| jwk(kid, *seed)).collect();
    parse_keys(json!({ "keys": all }).to_string().as_bytes()).unwrap()
}

pub(crate) fn trust(keys: &KeySet) -> FeedTrust<'_> {
    FeedTrust { iss: ISS, keys, host: &NoSignatureHost }
}

pub(crate) fn sign(header: &Value, payload: &str, seed: u8) -> Vec<u8> {
    let input = format!(
        "{}.{}",
        base64url::encode(header.to_string().as_bytes()),
        base64url::encode(payload.as_bytes())
    );
    let signature = EdDsa.sign(&signing_key(seed), input.as_bytes());
    format!("{input}.{}", base64url::encode(&signature.as_bytes())).into_bytes()
}

pub(crate) fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": "revocations+jwt", "kid": "f1" })
}

/// A log that answers.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    pub(crate) generation: [u8; 16],
    /// Of a record and the digest after it.
    pub(crate) log: Vec<(Value, [u8; 32])>,
    pub(crate) now: u64,
    pub(crate) signer: (&'static str, u8),
    /// How many records an answer holds.
    pub(crate) page: usize,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        Self { generation: [1; 16], log: Vec::new(), now: START, signer: ("f1", 11), page: 2 }
    }

    /// Ends a session.
    pub(crate) fn end(&mut self, sid: &str) {
        let sequence = self.log.len() + 1;
        let record = json!({ "sequence": sequence, "kind": "session", "name": sid, "ends_at": self.now / 1000 + 1_000_000 });
        let before = self.digest(self.log.len());
        let digest = Sha256::new().chain_update(before).chain_update(record.to_string()).finalize();
        self.log.push((record, digest.into()));
    }

    pub(crate) fn digest(&self, sequence: usize) -> [u8; 32] {
        sequence.checked_sub(1).map_or([0; 32], |index| self.log[index].1)
    }

    pub(crate) fn place(&self, sequence: usize) -> Value {
        json!({ "sequence": sequence, "digest": hex::encode(&self.digest(sequence)) })
    }

    /// The payload that answers a question; `None` for 409.
    pub(crate) fn payload(&self, query: &str) -> Option<Value> {
        let asked: BTreeMap<&str, &str> = query.split('&').filter_map(|part| part.split_once('=')).collect();
        let number = |name: &str| asked.get(name).and_then(|text| text.parse::<usize>().ok());
        let head = self.log.len();
        let is_known = |sequence: usize| {
            asked.get("generation") == Some(&hex::encode(&self.generation).as_str())
                && sequence <= head
                && asked.get("digest") == Some(&hex::encode(&self.digest(sequence)).as_str())
        };
        let records = |after: usize, through: usize| -> Vec<Value> {
            self.log[after..through].iter().map(|(record, _)| record.clone()).collect()
        };
        let mut payload = json!({
            "version": 1, "iss": ISS, "generation": hex::encode(&self.generation), "as_of": self.now,
        });
        match (number("sequence"), number("after")) {
            // A first page is had of the head alone.
            (Some(sequence), after) if after.is_none() || (after == Some(0) && sequence != head) => {
                if !is_known(sequence) {
                    return None;
                }
                let through = head.min(sequence + self.page);
                payload["from"] = self.place(sequence);
                payload["head"] = self.place(through);
                payload["records"] = records(sequence, through).into();
                if through < head {
                    payload["more"] = true.into();
                }
            }
            (snapshot, after) => {
                let head = snapshot.unwrap_or(head);
                if snapshot.is_some() && !is_known(head) {
                    return None;
                }
                let after = after.unwrap_or(0);
                let through = head.min(after + self.page);
                payload["head"] = self.place(head);
                payload["after"] = after.into();
                payload["through"] = through.into();
                payload["records"] = records(after, through).into();
            }
        }
        Some(payload)
    }

    pub(crate) fn sign(&self, payload: &Value) -> Vec<u8> {
        let (kid, seed) = self.signer;
        let header = json!({ "alg": "EdDSA", "typ": "revocations+jwt", "kid": kid });
        sign(&header, &payload.to_string(), seed)
    }

    pub(crate) fn answer(&self, query: &str) -> Option<Vec<u8>> {
        self.payload(query).map(|payload| self.sign(&payload))
    }
}

/// What a host keeps for all VMs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    values: BTreeMap<String, Vec<u8>>,
}

impl Shared {
    pub(crate) fn get(&self, key: &str) -> Option<&[u8]> {
        self.values.get(key).map(Vec::as_slice)
    }

    pub(crate) fn set(&mut self, key: &str, value: &[u8]) {
        self.values.insert(key.to_owned(), value.to_vec());
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.values.keys().cloned().collect()
    }
}
