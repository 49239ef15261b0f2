//! The payload of an answer: which members there are, and what must hold between them.

use bearward_protocol::bounds::MAX_NUMERIC_DATE;
use bearward_protocol::revocations::{
    FEED_VERSION, FeedAnswer, FeedRecord, MAX_RECORD_NAME_BYTES, Place, RecordKind,
};

use super::Part;
use crate::revocations::records::{Name, Record};
use crate::revocations::{FeedRefusal, Position, hex};

/// As [`Answer`](super::Answer), whoever signed it.
pub(super) struct Payload {
    pub(super) head: Position,
    pub(super) as_of: u64,
    pub(super) part: Part,
    pub(super) records: Vec<Record>,
}

/// Reads a payload whose signature holds.
pub(super) fn read(payload: &[u8], iss: &str) -> Result<Payload, FeedRefusal> {
    if !has_one_spelling(payload, 1) {
        return Err(FeedRefusal::Version);
    }
    let answer: FeedAnswer<'_> = serde_json::from_slice(payload).map_err(|_| FeedRefusal::Version)?;
    if answer.version != FEED_VERSION {
        return Err(FeedRefusal::Version);
    }
    if answer.iss != iss {
        return Err(FeedRefusal::Issuer);
    }
    let generation = hex::decode(&answer.generation).ok_or(FeedRefusal::Generation)?;
    let place = |place: &Place<'_>| {
        let digest = hex::decode(&place.digest).ok_or(FeedRefusal::Position)?;
        Ok(Position { generation, sequence: place.sequence, digest })
    };
    let head = place(&answer.head)?;
    let (part, range) = match (&answer.from, answer.after, answer.through) {
        (Some(from), None, None) => {
            let from = place(from)?;
            check_delta(&from, &head, answer.more)?;
            (Part::Delta { from, more: answer.more }, (from.sequence, head.sequence))
        }
        (None, Some(after), Some(through)) if !answer.more => {
            // Each page goes on, but for the last one, which may find nothing left; so an end is always reached.
            let goes_on = after < through || (after == through && through == head.sequence);
            if !goes_on || through > head.sequence {
                return Err(FeedRefusal::Page);
            }
            (Part::Page { after, through }, (after, through))
        }
        _ => return Err(FeedRefusal::Page),
    };
    let records = read_records(&answer.records, range)?;
    Ok(Payload { head, as_of: answer.as_of, part, records })
}

/// One that was cut goes on, or it would be asked for again and again; one that does not go on ends where it began.
fn check_delta(from: &Position, head: &Position, more: bool) -> Result<(), FeedRefusal> {
    let holds = match from.sequence.cmp(&head.sequence) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => from.digest == head.digest && !more,
        std::cmp::Ordering::Greater => false,
    };
    if holds { Ok(()) } else { Err(FeedRefusal::Position) }
}

/// The records, each after the one before, within `after < sequence <= through`.
fn read_records(records: &[FeedRecord<'_>], range: (u64, u64)) -> Result<Vec<Record>, FeedRefusal> {
    let (mut after, through) = range;
    let mut read = Vec::with_capacity(records.len());
    for record in records {
        if record.sequence <= after || record.sequence > through {
            return Err(FeedRefusal::Records);
        }
        after = record.sequence;
        read.push(read_record(record).ok_or(FeedRefusal::Records)?);
    }
    Ok(read)
}

/// A record has the members of its kind and no other.
pub(super) fn read_record(record: &FeedRecord<'_>) -> Option<Record> {
    let name = record.name.as_deref();
    if name.is_some_and(|name| name.is_empty() || name.len() > MAX_RECORD_NAME_BYTES)
        || record.ends_at.is_some_and(|ends_at| ends_at > MAX_NUMERIC_DATE)
    {
        return None;
    }
    Some(match (record.kind, name, record.minimum, record.epoch, record.reason, record.ends_at) {
        (RecordKind::Session, Some(name), None, None, None, Some(ends_at)) => {
            Record::Session { name: Name::of(name), ends_at }
        }
        (RecordKind::Subject, Some(name), Some(minimum), Some(epoch), Some(reason), Some(ends_at)) => {
            Record::Subject { name: Name::of(name), minimum, epoch, reason, ends_at }
        }
        (RecordKind::Key, Some(name), None, None, None, None) => Record::Key { name: name.into() },
        (RecordKind::Epoch, None, Some(minimum), None, None, Some(ends_at)) => {
            Record::Epoch { minimum, ends_at }
        }
        _ => return None,
    })
}

/// Whether serde's other spellings of the same are absent: a list for an object, an object for a word, `null` for nothing.
/// Outside of strings there is one bracket (of `records`), and no word with an `n` in it.
pub(super) fn has_one_spelling(json: &[u8], brackets: usize) -> bool {
    let (mut found, mut in_string, mut is_escaped) = (0_usize, false, false);
    for byte in json {
        match (in_string, byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'n') => return false,
            (false, b'[') => found = found.saturating_add(1),
            _ => {}
        }
    }
    found == brackets
}
