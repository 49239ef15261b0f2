//! The log of revocations as a process holds it: the live records, and the places that it knows. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use bearward_protocol::revocations::{FeedRecord, PAGE_BYTES, RecordKind, SubjectReason};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::question::Position;
use crate::store::{LogPlace, LogReading, LoggedRecord};

/// The place before the first record of every log.
pub(crate) const BEGINNING: LogPlace = LogPlace { sequence: 0, digest: [0; 32] };
/// The most live records that are held. Where there are more, to revoke everything is what is left to do.
pub(crate) const MAX_RECORDS: usize = 2_000_000;
/// How many places of records that have ended are remembered. Who stands at one need not take a snapshot.
const MAX_FORGOTTEN: usize = 65_536;
/// What of [`PAGE_BYTES`] is for all but the records.
const FRAME_BYTES: usize = 1024;

/// A log as far as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    generation: Uuid,
    head: LogPlace,
    /// In the order of their sequence. Some may have ended since they were last looked through.
    records: Vec<LoggedRecord>,
    /// Of records that are held no more, by their sequence.
    forgotten: BTreeMap<u64, [u8; 32]>,
}

/// Records that go into one answer.
#[derive(Debug, PartialEq)]
pub(crate) struct Slice<'a> {
    pub(crate) records: Vec<FeedRecord<'a>>,
    /// The place of the last of them, where it did not hold all.
    pub(crate) cut_at: Option<LogPlace>,
}

/// Whether a reading that began after `place` goes on from it, as far as it can tell.
pub(crate) fn goes_on(generation: Uuid, place: LogPlace, reading: &LogReading) -> bool {
    let follows = |first: &LoggedRecord| {
        first.place.sequence == place.sequence + 1 && digest_after(&place.digest, first) == first.place.digest
    };
    reading.generation == generation
        && reading.head.sequence >= place.sequence
        && (place == BEGINNING
            || reading.head == place
            || reading.head.sequence > place.sequence
                && (reading.digest_before == Some(place.digest)
                    // Its row was purged; the next record still says what stood before it.
                    || reading.digest_before.is_none() && reading.records.first().is_some_and(follows)))
}

/// Whether a reading shows that its log goes on from an earlier point than `place`, or another one: a dump was played back. Only
/// what nothing else explains; a row that is gone was purged.
pub(crate) fn went_back(generation: Uuid, place: LogPlace, reading: &LogReading) -> bool {
    reading.generation == generation
        && (reading.head.sequence < place.sequence
            || reading.head.sequence == place.sequence && reading.head.digest != place.digest
            || reading.digest_before.is_some_and(|digest| place != BEGINNING && digest != place.digest))
}

impl Log {
    /// A log of which nothing was read yet.
    pub(crate) fn empty(generation: Uuid) -> Self {
        Self { generation, head: BEGINNING, records: Vec::new(), forgotten: BTreeMap::new() }
    }

    pub(crate) fn generation(&self) -> Uuid {
        self.generation
    }

    pub(crate) fn head(&self) -> LogPlace {
        self.head
    }

    /// How many records are held.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Goes on to this head with the records up to it. They must go on from where the log is.
    pub(crate) fn append(&mut self, records: Vec<LoggedRecord>, head: LogPlace) {
        if self.head != head && self.index_of(self.head.sequence).is_none() {
            self.forget(self.head);
        }
        self.records.extend(records);
        self.head = head;
    }

    /// Drops what has ended at this moment.
    pub(crate) fn drop_ended(&mut self, as_of: u64) {
        let mut ended = Vec::new();
        self.records.retain(|record| {
            let stays = is_live(record, as_of);
            if !stays {
                ended.push(record.place);
            }
            stays
        });
        ended.into_iter().for_each(|place| self.forget(place));
    }

    /// Whether this was a place of this log.
    pub(crate) fn knows(&self, position: &Position) -> bool {
        let LogPlace { sequence, digest } = position.place;
        let place = position.place;
        let is_held = || self.index_of(sequence).and_then(|index| self.records.get(index));
        position.generation == self.generation
            && (place == BEGINNING
                || place == self.head
                || is_held().is_some_and(|record| record.place == place)
                || self.forgotten.get(&sequence) == Some(&digest))
    }

    /// The live records with `after < sequence <= through`, as many as one answer takes.
    pub(crate) fn slice(&self, after: u64, through: u64, as_of: u64) -> Slice<'_> {
        let begin = self.records.partition_point(|record| record.place.sequence <= after);
        let mut slice = Slice { records: Vec::new(), cut_at: None };
        let (mut bytes, mut last) = (FRAME_BYTES, None);
        for record in self.records.iter().skip(begin) {
            if record.place.sequence > through {
                break;
            }
            if !is_live(record, as_of) {
                continue;
            }
            let told = told(record);
            // Its text and a comma.
            bytes += serde_json::to_string(&told).map_or(PAGE_BYTES, |text| text.len() + 1);
            if bytes > PAGE_BYTES && last.is_some() {
                slice.cut_at = last;
                break;
            }
            slice.records.push(told);
            last = Some(record.place);
        }
        slice
    }

    fn index_of(&self, sequence: u64) -> Option<usize> {
        self.records.binary_search_by_key(&sequence, |record| record.place.sequence).ok()
    }

    fn forget(&mut self, place: LogPlace) {
        self.forgotten.insert(place.sequence, place.digest);
        if self.forgotten.len() > MAX_FORGOTTEN {
            self.forgotten.pop_first();
        }
    }
}

/// `as_of`: the primary's time, in milliseconds.
fn is_live(record: &LoggedRecord, as_of: u64) -> bool {
    let now = Duration::from_millis(as_of).as_secs();
    record.ends_at.is_none_or(|ends_at| ends_at >= now)
}

fn told(record: &LoggedRecord) -> FeedRecord<'_> {
    FeedRecord {
        sequence: record.place.sequence,
        kind: record.kind,
        name: record.name.as_deref().map(Cow::Borrowed),
        minimum: record.minimum,
        epoch: record.epoch,
        reason: record.reason,
        ends_at: record.ends_at,
    }
}

/// The digest of a record, as the database computes it: SHA-256 of the digest before and of each member with its length.
fn digest_after(before: &[u8; 32], record: &LoggedRecord) -> [u8; 32] {
    let kind = match record.kind {
        RecordKind::Session => "session",
        RecordKind::Subject => "subject",
        RecordKind::Key => "key",
        RecordKind::Epoch => "epoch",
    };
    let reason = record.reason.map(|reason| match reason {
        SubjectReason::Changed => "changed",
        SubjectReason::Gone => "gone",
    });
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let members = [
        number(Some(record.place.sequence)),
        Some(kind.to_owned()),
        record.name.as_deref().map(str::to_owned),
        number(record.minimum),
        number(record.epoch),
        reason.map(str::to_owned),
        number(record.ends_at),
    ];
    let member = |member: Option<String>| match member {
        Some(text) => format!("{}:{text}", text.len()),
        None => "-".to_owned(),
    };
    let text = members.map(member).join(",");
    Sha256::new().chain_update(before).chain_update(text).finalize().into()
}

#[cfg(test)]
mod tests;
