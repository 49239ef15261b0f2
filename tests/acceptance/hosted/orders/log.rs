//! The issuer's side: a log that may fork, and answers signed with keys that change.

use std::collections::BTreeMap;

use bearward_core::revocations::Position;
use bearward_testhost::Response;
use bearward_tests::token::{self, Key};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::hosted::gate::NOW;

/// What an answer holds at most, so that snapshots have several pages.
const PAGE: usize = 2;
/// The epoch in which everything begins, and by how much a restore raises it.
const FIRST_EPOCH: u64 = 1;

/// The log of revocations as the database has it.
pub(super) struct Log {
    generation: [u8; 16],
    pub(super) epoch: u64,
    records: Vec<Value>,
    /// Before the first record, and after each (rule 11 of the model).
    digests: Vec<[u8; 32]>,
    /// What stood in it in former generations.
    lost: BTreeMap<[u8; 16], Vec<Value>>,
    /// Which key signs; the one after it is in the set already.
    key: u8,
}

impl Log {
    /// One with a session that ended before.
    pub(super) fn new(ended: &str) -> Self {
        let mut log = Self {
            generation: [1; 16],
            epoch: FIRST_EPOCH,
            records: Vec::new(),
            digests: vec![[0; 32]],
            lost: BTreeMap::new(),
            key: 0,
        };
        log.end_session(ended);
        log
    }

    pub(super) fn end_session(&mut self, sid: &str) {
        self.append(json!({ "kind": "session", "name": sid }));
    }

    /// All but the first record is lost: whoever was let in before logs in anew (rules 12 to 15 of the model).
    pub(super) fn restore(&mut self) {
        self.lost.insert(self.generation, self.records.clone());
        self.records.truncate(1);
        self.digests.truncate(2);
        let [first, ..] = self.generation;
        self.generation = [first + 1; 16];
        self.epoch += 1;
        self.append(json!({ "kind": "epoch", "minimum": self.epoch }));
    }

    pub(super) fn rotate(&mut self) {
        self.key += 1;
    }

    fn append(&mut self, mut record: Value) {
        record["sequence"] = (self.records.len() + 1).into();
        record["ends_at"] = (NOW + 100_000).into();
        let before = self.digests.last().unwrap();
        self.digests
            .push(Sha256::new().chain_update(before).chain_update(record.to_string()).finalize().into());
        self.records.push(record);
    }

    /// Whether whoever holds all up to there refuses a session of an epoch.
    pub(super) fn ends(&self, place: &Position, (sid, epoch): (&str, u64)) -> bool {
        let is_own = place.generation == self.generation;
        let records = if is_own { &self.records } else { &self.lost[&place.generation] };
        records.iter().take(usize::try_from(place.sequence).unwrap()).any(|record| {
            record["name"] == sid || record["minimum"].as_u64().is_some_and(|minimum| epoch < minimum)
        })
    }

    /// How many records count.
    pub(super) fn records(&self) -> u64 {
        u64::try_from(self.records.len()).unwrap()
    }

    /// The JWK Set of the feed.
    pub(super) fn keys(&self) -> Response {
        let key = |number: u8| {
            let x = token::public_key(&seed(number));
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid(number), "alg": "EdDSA", "x": x })
        };
        Response::new(200, json!({ "keys": [key(self.key), key(self.key + 1)] }).to_string())
    }

    /// The answer to a question at this time; `None`: there is nothing new.
    pub(super) fn answer(&self, query: &str, now_ms: u64) -> Option<Response> {
        let asked: BTreeMap<&str, &str> = query.split('&').filter_map(|part| part.split_once('=')).collect();
        let number = |name: &str| asked.get(name).map(|text| text.parse::<usize>().unwrap());
        let head = self.records.len();
        let (held, after) = (number("sequence"), number("after"));
        if let Some(held) = held {
            let is_known = held <= head
                && asked["generation"] == self.generation_name()
                && asked["digest"] == self.digest(held);
            if !is_known {
                return Some(Response::new(409, ""));
            }
        }
        let mut payload = json!({
            "version": 1, "iss": "http://issuer.example.com", "generation": self.generation_name(), "as_of": now_ms,
        });
        match (held, after) {
            (Some(from), after) if after.is_none() || (after == Some(0) && from != head) => {
                let through = head.min(from + PAGE);
                if from == head {
                    return None;
                }
                self.delta(&mut payload, from, through);
            }
            (snapshot, after) => {
                let (head, after) = (snapshot.unwrap_or(head), after.unwrap_or(0));
                let through = head.min(after + PAGE);
                payload["head"] = self.place(head);
                payload["after"] = after.into();
                payload["through"] = through.into();
                payload["records"] = self.records[after..through].into();
            }
        }
        Some(self.signed(&payload))
    }

    /// The answer to a question that has waited for long enough.
    pub(super) fn heartbeat(&self, now_ms: u64) -> Response {
        let mut payload = json!({
            "version": 1, "iss": "http://issuer.example.com", "generation": self.generation_name(), "as_of": now_ms,
        });
        let head = self.records.len();
        self.delta(&mut payload, head, head);
        self.signed(&payload)
    }

    /// The whole log and one record more, signed by somebody who only knows the key's name.
    pub(super) fn forged(&self, sid: &str, now_ms: u64) -> String {
        let mut records = self.records.clone();
        let sequence = records.len() + 1;
        records
            .push(json!({ "sequence": sequence, "kind": "session", "name": sid, "ends_at": NOW + 100_000 }));
        let mut payload = json!({
            "version": 1, "iss": "http://issuer.example.com", "generation": self.generation_name(), "as_of": now_ms,
        });
        payload["head"] = json!({ "sequence": sequence, "digest": self.digest(sequence - 1) });
        payload["after"] = 0.into();
        payload["through"] = sequence.into();
        payload["records"] = records.into();
        self.signed_by(&payload, &Key::Ed25519([8; 32]))
    }

    fn delta(&self, payload: &mut Value, from: usize, through: usize) {
        payload["from"] = self.place(from);
        payload["head"] = self.place(through);
        payload["records"] = self.records[from..through].into();
        if through < self.records.len() {
            payload["more"] = true.into();
        }
    }

    fn signed(&self, payload: &Value) -> Response {
        Response::new(200, self.signed_by(payload, &Key::Ed25519(seed(self.key))))
    }

    fn signed_by(&self, payload: &Value, key: &Key) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "revocations+jwt", "kid": kid(self.key) });
        token::sign(&header, payload, key)
    }

    /// Where it is.
    pub(super) fn head(&self) -> Position {
        let sequence = self.records.len();
        Position {
            generation: self.generation,
            sequence: u64::try_from(sequence).unwrap(),
            digest: self.digests[sequence],
        }
    }

    fn generation_name(&self) -> String {
        hex(&self.generation)
    }

    fn place(&self, sequence: usize) -> Value {
        json!({ "sequence": sequence, "digest": self.digest(sequence) })
    }

    fn digest(&self, sequence: usize) -> String {
        hex(&self.digests[sequence])
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn kid(number: u8) -> String {
    format!("f{number}")
}

fn seed(number: u8) -> [u8; 32] {
    [11 + number; 32]
}
