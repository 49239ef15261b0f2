//! The feed of revocations: what the issuer signs and the filter takes. `model/README.md` is the protocol in sentences.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The path of the feed below the address of the issuer's internal listener.
pub const FEED_PATH: &str = "/revocations/v1";
/// The path of the JWK Set whose keys sign the feed, and nothing else.
pub const FEED_KEYS_PATH: &str = "/revocations/v1/keys";
/// The `typ` of the JOSE header of an answer: no token has it, and no answer has another (RFC 8725 section 3.11).
pub const FEED_TYPE: &str = "revocations+jwt";
/// The media type of an answer: a JWS in compact serialization (RFC 7515 section 7.1).
pub const FEED_MEDIA_TYPE: &str = "application/revocations+jwt";
/// The version of the format that is described here.
pub const FEED_VERSION: u32 = 1;

/// The longest time that a request may wait for news, in seconds: a proxy takes only whole answers.
pub const MAX_WAIT_SECONDS: u64 = 5;
/// What an issuer read of its head longer ago than this is not answered any more, in milliseconds.
pub const MAX_HEAD_AGE_MS: u64 = 2_000;
/// The payload of an answer that an issuer tries to keep, in bytes: what a proxy takes in one callback without delay.
pub const PAGE_BYTES: usize = 24 * 1024;
/// The longest answer that a filter takes, in bytes of its compact serialization.
pub const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// The longest name in a record, in bytes.
pub const MAX_RECORD_NAME_BYTES: usize = 256;
/// How much longer than [`MAX_LEEWAY_SECONDS`](crate::bounds::MAX_LEEWAY_SECONDS) a record outlives the tokens that it
/// concerns, in seconds: for clocks that differ.
pub const RECORD_MARGIN_SECONDS: u64 = 60;
/// The life of an access token that no setting exceeds, in seconds. The record of an epoch ends by it.
pub const MAX_TOKEN_SECONDS: u64 = 86_400;

/// The payload of one answer.
///
/// A *delta* has `from`: what came after the client's position. A *page* of a snapshot has `after` and `through`: the live
/// records with `after < sequence <= through`; the last one's `through` is the head's sequence. Exactly one of the two.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeedAnswer<'a> {
    /// [`FEED_VERSION`].
    pub version: u32,
    /// The issuer identifier of the tokens that the records concern.
    #[serde(borrow)]
    pub iss: Cow<'a, str>,
    /// Of the log: 32 lower-case hexadecimal digits.
    #[serde(borrow)]
    pub generation: Cow<'a, str>,
    /// The head that was read; of a delta with `more`, the place of its last record.
    #[serde(borrow)]
    pub head: Place<'a>,
    /// The time of the database's primary, read before that head; in milliseconds since the epoch.
    pub as_of: u64,
    /// The client's position, as it sent it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Place<'a>>,
    /// Of a delta: it was cut to size. Its records count and it moves the position, but it makes nobody fresh: `as_of` is not
    /// taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// The sequence that the page goes on after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The sequence that the page goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<u64>,
    /// In the order of their sequence. Records that have ended are left out.
    #[serde(borrow)]
    pub records: Vec<FeedRecord<'a>>,
}

/// A place in a log.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Place<'a> {
    /// Of the newest record; 0 before the first.
    pub sequence: u64,
    /// The SHA-256 of the digest before and that record, as 64 lower-case hexadecimal digits; zeros before the first.
    #[serde(borrow)]
    pub digest: Cow<'a, str>,
}

/// What verifiers must refuse although its signature holds. Integers only: no record compares clocks.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeedRecord<'a> {
    /// Its number in the log: gapless, in the order of commits.
    pub sequence: u64,
    /// What it names.
    pub kind: RecordKind,
    /// `sid`, `sub` or `kid`; absent for an epoch.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
    /// The least `user_version` (of a subject) or `epoch` (of an epoch) that is still good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<u64>,
    /// Of a subject: tokens of a later epoch are not concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Of a subject: which refusal it is, never whether there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SubjectReason>,
    /// When no token that it concerns is accepted by anybody any more, in seconds since the epoch. Absent for a key, which has
    /// no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<u64>,
}

/// What a record names, and so which of its members are there.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// All tokens of a session: `name` is its `sid`; `ends_at`.
    Session,
    /// Tokens of a user with a `user_version` below `minimum` and an epoch up to `epoch`: `name`, `minimum`, `epoch`, `reason`,
    /// `ends_at`.
    Subject,
    /// Whatever a key signed: `name` is its `kid`.
    Key,
    /// All tokens with an `epoch` below `minimum`: `minimum`, `ends_at`.
    Epoch,
}

/// Why a user's tokens ended.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectReason {
    /// Something about the user; newer tokens are good.
    Changed,
    /// The user is disabled or deleted. One who is enabled again has a greater version.
    Gone,
}
