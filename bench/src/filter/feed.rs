//! The issuer's feed of revocations, played: signed answers that wait where there is nothing new.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bearward_core::algorithm::AlgorithmName;
use bearward_forge::{Key, compact};
use bearward_protocol::revocations::MAX_WAIT_SECONDS;
use serde_json::{Value, json};
use xtask::error::Error;
use xtask::stack::ISSUER;

use super::tokens::ENDED;
use super::variants::{Block, Filter, Revocations, Variant};

/// How many records of a snapshot go into one answer: of sessions about as many as into one of the issuer's
/// (`bearward_protocol::revocations::PAGE_BYTES`).
const PAGE: u64 = 160;
/// When the sessions have ended for good: after every run.
const ENDS_IN_SECONDS: u64 = 12 * 3_600;

/// Where each of several answers, by how much it tells of.
pub(super) type Feeds = BTreeMap<Revocations, SocketAddr>;

/// One for each that these blocks follow.
///
/// # Errors
/// As [`Feed::start`].
pub(super) fn start(blocks: &[Block]) -> Result<Feeds, Error> {
    let revocations = |variant: &Variant| match variant.filter {
        Filter::Bearward { revocations, .. } => revocations,
        _ => None,
    };
    let wanted: BTreeSet<_> =
        blocks.iter().flat_map(|block| &block.variants).filter_map(revocations).collect();
    wanted.into_iter().map(|revocations| Ok((revocations, Feed::start(revocations.0)?))).collect()
}

/// Who answers. It ends with the program.
#[derive(Debug)]
struct Feed {
    key: Key,
    records: u64,
}

impl Feed {
    /// Answers from now on, with so many sessions that have ended, the first of which is [`ENDED`].
    ///
    /// # Errors
    /// There is no port, or there are no random numbers.
    fn start(records: u64) -> Result<SocketAddr, Error> {
        let key = Key::random(AlgorithmName::EdDsa);
        let key = key.map_err(|error| Error::unusable(error.to_string(), "try again"))?;
        let feed = Arc::new(Self { key, records });
        let doing = || Error::io("cannot listen on 127.0.0.1");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(doing())?;
        let address = listener.local_addr().map_err(doing())?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let feed = Arc::clone(&feed);
                thread::spawn(move || feed.serve(stream));
            }
        });
        Ok(address)
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let Some(path) = line.split(' ').nth(1).map(str::to_owned) else { return Ok(()) };
            while line != "\r\n" && !line.is_empty() {
                line.clear();
                stream.read_line(&mut line)?;
            }
            let body = self.answer(&path);
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.get_mut().write_all(format!("{head}{body}").as_bytes())?;
        }
    }

    fn answer(&self, path: &str) -> String {
        if path.starts_with("/revocations/v1/keys") {
            let mut jwk = self.key.jwk();
            if let Some(members) = jwk.as_object_mut() {
                members.extend([("alg".to_owned(), json!("EdDSA")), ("kid".to_owned(), json!("f1"))]);
            }
            return json!({ "keys": [jwk] }).to_string();
        }
        let query = path.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let number = |name: &str| -> Option<u64> {
            query
                .split('&')
                .find_map(|part| part.split_once('=').filter(|(of, _)| *of == name)?.1.parse().ok())
        };
        // A page is asked for with the position that it belongs to.
        let after = number("after");
        if let (Some(held), None) = (number("sequence"), after) {
            thread::sleep(waits(number("wait")));
            return self.signed(&json!({ "from": place(held), "records": [] }));
        }
        let after = after.unwrap_or(0);
        let through = self.records.min(after + PAGE);
        let records: Vec<Value> = (after + 1..=through).map(ended).collect();
        self.signed(&json!({ "after": after, "through": through, "records": records }))
    }

    fn signed(&self, part: &Value) -> String {
        let as_of = since_epoch().as_millis() as u64;
        let mut payload = json!({
            "version": 1, "iss": ISSUER, "generation": "0123456789abcdef0123456789abcdef",
            "head": place(self.records), "as_of": as_of,
        });
        if let (Some(payload), Some(part)) = (payload.as_object_mut(), part.as_object()) {
            payload.extend(part.clone());
        }
        let header = json!({ "alg": "EdDSA", "typ": "revocations+jwt", "kid": "f1" }).to_string();
        compact(header, payload.to_string(), &self.key, AlgorithmName::EdDsa.into()).unwrap_or_default()
    }
}

/// How long an answer without news is held back, of which that was asked.
fn waits(asked_seconds: Option<u64>) -> Duration {
    Duration::from_secs(asked_seconds.unwrap_or(0).min(MAX_WAIT_SECONDS))
}

fn place(sequence: u64) -> Value {
    json!({ "sequence": sequence, "digest": format!("{sequence:064x}") })
}

fn ended(sequence: u64) -> Value {
    // Spread as random ones are, and no two the same: an odd number times another is a bijection.
    let spread = sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let name = match sequence {
        1 => ENDED.to_owned(),
        _ => format!("{:08x}-0000-4000-8000-{:012x}", spread >> 32, spread & 0xffff_ffff_ffff),
    };
    let ends_at = since_epoch().as_secs() + ENDS_IN_SECONDS;
    json!({ "sequence": sequence, "kind": "session", "name": name, "ends_at": ends_at })
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_comes_in_pages_until_its_head() {
        let feed = Feed { key: Key::ed25519(&[7; 32]), records: 700 };
        let payload = |path: &str| -> Value {
            let answer = feed.answer(path);
            let part = answer.split('.').nth(1).unwrap().to_owned();
            serde_json::from_slice(&bearward_core::base64url::decode(part.as_bytes()).unwrap()).unwrap()
        };
        let page = payload("/revocations/v1?wait=5");
        assert_eq!(
            (&page["after"], &page["through"], &page["head"]["sequence"]),
            (&json!(0), &json!(160), &json!(700))
        );
        assert_eq!(page["records"][0]["name"], ENDED);
        assert!(page["records"].to_string().len() < 24 * 1024);
        let last = payload("/revocations/v1?generation=0&sequence=700&digest=0&after=640&wait=5");
        assert_eq!((&last["through"], last["records"].as_array().unwrap().len()), (&json!(700), 60));
        assert_eq!(last["records"][59]["sequence"], 700);
    }

    #[test]
    fn an_answer_waits_for_news_as_long_as_it_was_asked_to() {
        let waits = |asked| waits(asked).as_secs();
        assert_eq!((waits(None), waits(Some(0)), waits(Some(3)), waits(Some(600))), (0, 0, 3, 5));
    }

    #[test]
    fn no_two_sessions_have_one_name() {
        let names: BTreeSet<String> = (1..=2_000).map(|n| ended(n)["name"].to_string()).collect();
        assert_eq!(names.len(), 2_000);
    }
}
