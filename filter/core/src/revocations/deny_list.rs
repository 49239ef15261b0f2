//! What has ended early, out of a file: for issuers that have no feed.
//!
//! Whoever knows which tokens have ended writes one JSON document, the whole truth as of its `iat`, and any server hands it
//! out. `docs/deny-list.md` is its format. Here is the state of one list in one VM: what is held, what takes its place, how old
//! it is. What is not understood refuses the whole document, and the last good one stays: an entry that was skipped would be
//! a token let in.

mod document;
mod entries;
mod head;
mod refusal;
#[cfg(any(test, feature = "explain"))]
mod saved;

pub use entries::{DeniableToken, Denied, Entries};
pub use head::{ListHead, head_key};
pub use refusal::{ListRefusal, Refused};
#[cfg(any(test, feature = "explain"))]
pub use saved::{Saved, read_saved};

use std::hash::{DefaultHasher, Hasher as _};

use super::Freshness;
use crate::algorithm::AlgorithmName;
use crate::issuer::normalized_type;
use crate::keys::KeySet;
use crate::rejection::Rejection;
use crate::signature_host::SignatureHost;
use crate::token::{Header, UnverifiedJws};
use document::Document;

/// The longest document, in bytes.
pub const MAX_LIST_BYTES: usize = 256 * 1024;
/// The longest one that is signed: base64 of it, and room for header and signature.
pub const MAX_SIGNED_LIST_BYTES: usize = MAX_LIST_BYTES / 3 * 4 + 4096;
/// `typ` of one that is signed (RFC 8725 section 3.11), without `application/`.
pub const LIST_TYPE: &str = "deny-list+jwt";
/// By how much `iat` may lie ahead of our clock, in seconds.
pub const MAX_AHEAD_SECONDS: u64 = 60;
/// What one may be signed with: whatever a public key verifies.
pub const LIST_ALGORITHMS: &[AlgorithmName] = &[
    AlgorithmName::EdDsa,
    AlgorithmName::Es256,
    AlgorithmName::Es384,
    AlgorithmName::Rs256,
    AlgorithmName::Rs384,
    AlgorithmName::Rs512,
    AlgorithmName::Ps256,
    AlgorithmName::Ps384,
    AlgorithmName::Ps512,
];

/// What lists are judged by.
#[derive(Clone, Copy)]
pub struct ListTrust<'t> {
    /// The issuer whose tokens the list is about.
    pub iss: &'t str,
    /// The keys that must prove it, never those of the tokens. Without them it is plain, and whoever served it is believed.
    pub keys: Option<&'t KeySet>,
    /// Who may verify signatures in the filter's place.
    pub host: &'t dyn SignatureHost,
}

/// The list of one issuer in one VM. Times are in seconds since the epoch.
#[derive(Debug)]
pub struct DenyList {
    /// What the keys of its objects in shared data begin with.
    prefix: String,
    held: Option<Held>,
    /// The head that was looked at last and need not be again.
    seen: Option<ListHead>,
}

#[derive(Debug)]
struct Held {
    iat: u64,
    /// Of the bytes as they came: the same ones need not be read again.
    checksum: u64,
    entries: Entries,
}

/// Bytes that other VMs of the proxy should have.
#[derive(Debug, PartialEq, Eq)]
pub struct Publication {
    /// Where the list's bytes go, which are written first.
    pub key: String,
    /// What goes under the head's key then, by compare-and-swap.
    pub head: Vec<u8>,
}

impl DenyList {
    /// A list of which nothing is known. `prefix`: what the keys of its objects in shared data begin with.
    #[must_use]
    pub const fn new(prefix: String) -> Self {
        Self { prefix, held: None, seen: None }
    }

    /// Takes a list as it came at the time `now`. Whether it is another one than is held.
    ///
    /// # Errors
    /// Why it is refused. Then nothing has changed.
    pub fn take(&mut self, bytes: &[u8], trust: ListTrust<'_>, now: u64) -> Result<bool, Refused> {
        let checksum = checksum(bytes);
        if self.held.as_ref().is_some_and(|held| held.checksum == checksum) {
            return Ok(false);
        }
        let Document { iat, entries } = read(bytes, trust)?;
        if is_ahead(iat, now) {
            return Err(ListRefusal::Ahead.into());
        }
        if self.held.as_ref().is_some_and(|held| iat < held.iat && !is_ahead(held.iat, now)) {
            return Err(ListRefusal::Back.into());
        }
        self.held = Some(Held { iat, checksum, entries });
        Ok(true)
    }

    /// Whether what is held can be judged by. A clock that was set back makes nobody fresh.
    #[must_use]
    pub fn freshness(&self, stale_after_seconds: u64, now: u64) -> Freshness {
        match &self.held {
            None => Freshness::Unknown,
            Some(held) if is_ahead(held.iat, now) || now.saturating_sub(held.iat) > stale_after_seconds => {
                Freshness::Stale
            }
            Some(_) => Freshness::Fresh,
        }
    }

    /// How old what is held is, in seconds; `None` before the first list.
    #[must_use]
    pub fn age_seconds(&self, now: u64) -> Option<u64> {
        self.held.as_ref().map(|held| now.saturating_sub(held.iat))
    }

    /// The `iat` of what is held.
    #[must_use]
    pub fn iat(&self) -> Option<u64> {
        self.held.as_ref().map(|held| held.iat)
    }

    /// What is denied.
    #[must_use]
    pub fn entries(&self) -> Option<&Entries> {
        self.held.as_ref().map(|held| &held.entries)
    }

    /// What the keys of its objects in shared data begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether `head`, which stands under the head's key in shared data, names the very list that is held.
    #[must_use]
    pub fn is_shared(&self, head: Option<&[u8]>) -> bool {
        let there = head.and_then(ListHead::parse);
        matches!((there, &self.held), (Some(there), Some(held)) if there.checksum == held.checksum)
    }

    /// What to write so that others have what is held; `None` where they have it, or something newer.
    #[must_use]
    pub fn publication(&self, head: Option<&[u8]>, now: u64) -> Option<Publication> {
        let held = self.held.as_ref()?;
        let there = head.and_then(ListHead::parse);
        let is_newer = |there: ListHead| there.iat > held.iat && !is_ahead(there.iat, now);
        if self.is_shared(head) || there.is_some_and(is_newer) {
            return None;
        }
        // Beside what stands there, so that nobody finds the bytes of one list under the head of another.
        let place = there.map_or(0, |there| there.place.wrapping_add(1) % 2);
        let head = ListHead { place, iat: held.iat, checksum: held.checksum };
        Some(Publication { key: head.object_key(&self.prefix), head: head.to_bytes() })
    }

    /// Looks at what stands under the head's key. Where there is news: the key of the list's bytes, for
    /// [`take_shared`](Self::take_shared).
    pub fn look(&mut self, head: Option<&[u8]>, now: u64) -> Option<String> {
        let there = head.and_then(ListHead::parse)?;
        if self.seen == Some(there) {
            return None;
        }
        self.seen = Some(there);
        let is_news = self.held.as_ref().is_none_or(|held| {
            there.checksum != held.checksum && (there.iat >= held.iat || is_ahead(held.iat, now))
        });
        is_news.then(|| there.object_key(&self.prefix))
    }

    /// Takes the bytes that [`look`](Self::look) has named, as strictly as if they came from a stranger.
    ///
    /// # Errors
    /// Why they are refused. Where the head has not changed meanwhile, [`ListHead::VACANT`] in its place has whoever asks
    /// the server write them anew.
    pub fn take_shared(
        &mut self,
        bytes: Option<&[u8]>,
        trust: ListTrust<'_>,
        now: u64,
    ) -> Result<bool, Refused> {
        let fits = |bytes: &&[u8]| self.seen.is_some_and(|seen| seen.checksum == checksum(bytes));
        let taken = bytes
            .filter(fits)
            .ok_or(ListRefusal::Shared.into())
            .and_then(|bytes| self.take(bytes, trust, now));
        if taken.is_err() {
            // The same head may come again, over other bytes.
            self.seen = None;
        }
        taken
    }
}

#[cfg(any(test, feature = "explain"))]
impl DenyList {
    /// One that holds these entries as of `iat`: for explanations.
    #[must_use]
    pub const fn holding(entries: Entries, iat: u64) -> Self {
        Self { prefix: String::new(), held: Some(Held { iat, checksum: 0, entries }), seen: None }
    }
}

fn is_ahead(iat: u64, now: u64) -> bool {
    iat > now.saturating_add(MAX_AHEAD_SECONDS)
}

/// Tells lists apart that nobody made to be taken for each other. Nothing rests on it: a signed list is verified wherever it
/// comes from, and whoever can serve a plain one need not forge anything. SHA-256 would take half as long as all the reading.
fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// Nothing of a payload is looked at before the signature holds, where one is asked for.
fn read(bytes: &[u8], trust: ListTrust<'_>) -> Result<Document, Refused> {
    let Some(keys) = trust.keys else {
        if bytes.len() > MAX_LIST_BYTES {
            return Err(ListRefusal::Size.into());
        }
        return document::read(bytes, trust.iss);
    };
    let (jws, payload) = parse_jws(bytes)?;
    jws.prove(keys, trust.host).map_err(of_jws)?;
    document::read(&payload, trust.iss)
}

/// A file often ends in a line feed.
fn parse_jws(bytes: &[u8]) -> Result<(UnverifiedJws<'_>, Vec<u8>), Refused> {
    let decode = |segment: &[u8]| crate::base64url::decode(segment).ok_or(Rejection::TokenMalformed);
    let (jws, payload) =
        UnverifiedJws::parse_with(bytes.trim_ascii_end(), MAX_SIGNED_LIST_BYTES, Header::parse, decode)
            .map_err(of_jws)?;
    if jws.typ().map(normalized_type).as_deref() != Some(LIST_TYPE) {
        return Err(ListRefusal::Type.into());
    }
    if payload.len() > MAX_LIST_BYTES {
        return Err(ListRefusal::Size.into());
    }
    Ok((jws, payload))
}

/// What the reader of tokens has to say, in the words of this table.
fn of_jws(rejection: Rejection) -> Refused {
    match rejection {
        Rejection::TokenTooLarge => ListRefusal::Size,
        Rejection::TypeNotAllowed => ListRefusal::Type,
        Rejection::KeyUnknown => ListRefusal::KeyUnknown,
        Rejection::SignatureInvalid | Rejection::AlgorithmNotAllowed => ListRefusal::Signature,
        _ => ListRefusal::Form,
    }
    .into()
}

#[cfg(test)]
mod tests;
