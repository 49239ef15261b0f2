//! What a proxy asks: the query of a request.

use std::time::Duration;

use bearward_protocol::revocations::MAX_WAIT_SECONDS;
use uuid::Uuid;

use crate::store::LogPlace;

/// A position in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) generation: Uuid,
    pub(crate) place: LogPlace,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// The first page of a snapshot.
    FirstPage,
    /// The first page of the snapshot of this position, where it is the head; what came after it, else.
    PageAt(Position),
    /// The page after this sequence, of the snapshot of this head.
    NextPage { head: Position, after: u64 },
    /// What came after this position; waited for as long where there is nothing.
    Delta { from: Position, wait: Duration },
}

impl Question {
    /// Reads a query. Nothing that it does not know, and nothing twice.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(query: &str) -> Result<Self, &'static str> {
        let (mut generation, mut sequence, mut digest, mut after, mut wait) = (None, None, None, None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or("a parameter without a value")?;
            let is_new = match name {
                "generation" => generation.replace(parse_generation(value)?).is_none(),
                "sequence" => sequence.replace(number(value)?).is_none(),
                "digest" => digest.replace(parse_digest(value)?).is_none(),
                "after" => after.replace(number(value)?).is_none(),
                "wait" => wait.replace(number(value)?).is_none(),
                _ => return Err("an unknown parameter"),
            };
            if !is_new {
                return Err("a parameter twice");
            }
        }
        let wait = Duration::from_secs(wait.unwrap_or(0).min(MAX_WAIT_SECONDS));
        let position = match (generation, sequence, digest) {
            (Some(generation), Some(sequence), Some(digest)) => {
                Some(Position { generation, place: LogPlace { sequence, digest } })
            }
            (None, None, None) => None,
            _ => return Err("a part of a position: it is generation, sequence and digest"),
        };
        match (position, after) {
            (None, None) => Ok(Self::FirstPage),
            (None, Some(_)) => Err("after without the head of the snapshot"),
            (Some(position), Some(0)) => Ok(Self::PageAt(position)),
            (Some(head), Some(after)) if after > head.place.sequence => Err("after is behind the head"),
            (Some(head), Some(after)) => Ok(Self::NextPage { head, after }),
            (Some(from), None) => Ok(Self::Delta { from, wait }),
        }
    }
}

fn parse_generation(text: &str) -> Result<Uuid, &'static str> {
    bytes(text).map(Uuid::from_bytes).ok_or("generation must be 32 lower-case hexadecimal digits")
}

fn parse_digest(text: &str) -> Result<[u8; 32], &'static str> {
    bytes(text).ok_or("digest must be 64 lower-case hexadecimal digits")
}

/// A decimal number in its only spelling that the database can hold, too.
fn number(text: &str) -> Result<u64, &'static str> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let number = text.parse().ok().filter(|number| is_plain && i64::try_from(*number).is_ok());
    number.ok_or("a number that is none")
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// The lower-case hexadecimal digits of bytes.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENERATION: &str = "00112233445566778899aabbccddeeff";

    fn position(sequence: u64) -> Position {
        let generation = Uuid::parse_str(GENERATION).unwrap();
        Position { generation, place: LogPlace { sequence, digest: [0xab; 32] } }
    }

    fn with_position(sequence: u64, more: &str) -> Result<Question, &'static str> {
        let digest = hexadecimal(&[0xab; 32]);
        Question::parse(&format!("generation={GENERATION}&sequence={sequence}&digest={digest}{more}"))
    }

    #[test]
    fn without_a_position_it_is_the_first_page_with_one_a_delta_and_with_after_a_page() {
        assert_eq!(Question::parse(""), Ok(Question::FirstPage));
        assert_eq!(Question::parse("wait=5"), Ok(Question::FirstPage));
        let delta = |seconds| Question::Delta { from: position(7), wait: Duration::from_secs(seconds) };
        assert_eq!(with_position(7, ""), Ok(delta(0)));
        assert_eq!(with_position(7, "&wait=3"), Ok(delta(3)));
        assert_eq!(with_position(7, "&wait=600"), Ok(delta(MAX_WAIT_SECONDS)), "no longer than it may");
        assert_eq!(with_position(7, "&after=0&wait=0"), Ok(Question::PageAt(position(7))));
        assert_eq!(with_position(7, "&after=4"), Ok(Question::NextPage { head: position(7), after: 4 }));
    }

    #[test]
    fn a_malformed_question_is_none() {
        for query in [
            "x=1",
            "wait",
            "wait=",
            "wait=-1",
            "wait=+1",
            "wait=01",
            "wait=1&wait=1",
            "after=1",
            "sequence=1",
            "sequence=9223372036854775808",
            "generation=00112233445566778899aabbccddeeff",
            "generation=00112233-4455-6677-8899-aabbccddeeff",
            "generation=00112233445566778899AABBCCDDEEFF",
            "digest=ab",
        ] {
            assert!(Question::parse(query).is_err(), "{query}");
        }
        assert!(with_position(7, "&after=8").is_err());
        assert!(with_position(7, "&sequence=7").is_err());
    }
}
