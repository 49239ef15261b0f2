//! The document: which members there are, each once, and nothing else.
//!
//! Read by hand: serde's derive would also take a list for an object, and `null` for nothing.

use std::borrow::Cow;
use std::fmt;

use bearward_protocol::bounds::MAX_NUMERIC_DATE;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Entries, ListRefusal, Refused};

/// A list of its issuer.
#[derive(Debug)]
pub(super) struct Document {
    /// As of when it is the truth, in seconds since the epoch.
    pub(super) iat: u64,
    /// What it denies.
    pub(super) entries: Entries,
}

/// Reads one, of whoever is to be believed.
pub(super) fn read(text: &[u8], iss: &str) -> Result<Document, Refused> {
    let Members { iss: named, iat, deny } = serde_json::from_slice(text)?;
    if named.0 != iss {
        return Err(ListRefusal::Issuer.into());
    }
    Ok(Document { iat, entries: deny })
}

/// The same of whatever issuer, which it says.
#[cfg(any(test, feature = "explain"))]
pub(super) fn read_any(text: &[u8]) -> Result<(String, Document), Refused> {
    let Members { iss, iat, deny } = serde_json::from_slice(text)?;
    Ok((iss.0.into_owned(), Document { iat, entries: deny }))
}

struct Members<'t> {
    iss: Text<'t>,
    iat: u64,
    deny: Entries,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with `iss`, `iat` and `deny`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut iss, mut iat, mut deny) = (None, None, None);
        while let Some(Text(name)) = members.next_key()? {
            match &*name {
                "iss" => once(&mut iss, &mut members)?,
                "iat" => once(&mut iat, &mut members)?,
                "deny" => once(&mut deny, &mut members)?,
                _ => return Err(A::Error::custom("no other members than `iss`, `iat` and `deny`")),
            }
        }
        match (iss, iat, deny) {
            (Some(iss), Some(iat), Some(deny)) => Ok(Members { iss, iat: date(iat)?, deny }),
            _ => Err(A::Error::custom("`iss`, `iat` and `deny` must be there")),
        }
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of entries")
    }

    /// As many as the longest document holds.
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Entries, A::Error> {
        let mut entries = Entries::default();
        while let Some(entry) = items.next_element()? {
            match entry {
                Entry::Token(name) => entries.deny_token(&name.0),
                Entry::Session(name) => entries.deny_session(&name.0),
                Entry::User(name, issued_before) => entries.deny_user(&name.0, issued_before),
            }
        }
        Ok(entries)
    }
}

enum Entry<'t> {
    Token(Text<'t>),
    Session(Text<'t>),
    User(Text<'t>, u64),
}

impl<'de> Deserialize<'de> for Entry<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an entry: an object with `jti`, or `sid`, or `sub` and `issued_before`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut jti, mut sid, mut sub, mut issued_before) = (None, None, None, None);
        while let Some(Text(name)) = members.next_key()? {
            match &*name {
                "jti" => once(&mut jti, &mut members)?,
                "sid" => once(&mut sid, &mut members)?,
                "sub" => once(&mut sub, &mut members)?,
                "issued_before" => once(&mut issued_before, &mut members)?,
                _ => return Err(A::Error::custom("an entry has no other members")),
            }
        }
        let entry = match (jti, sid, sub, issued_before) {
            (Some(jti), None, None, None) => Entry::Token(jti),
            (None, Some(sid), None, None) => Entry::Session(sid),
            (None, None, Some(sub), Some(issued_before)) => Entry::User(sub, date(issued_before)?),
            _ => return Err(A::Error::custom("an entry has `jti`, or `sid`, or `sub` and `issued_before`")),
        };
        let (Entry::Token(name) | Entry::Session(name) | Entry::User(name, _)) = &entry;
        if name.0.is_empty() { Err(A::Error::custom("a name is empty")) } else { Ok(entry) }
    }
}

/// Two readers could choose differently between two members of one name.
fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    place: &mut Option<T>,
    members: &mut A,
) -> Result<(), A::Error> {
    if place.is_some() {
        return Err(A::Error::custom("a member is there twice"));
    }
    *place = Some(members.next_value()?);
    Ok(())
}

fn date<E: Error>(seconds: u64) -> Result<u64, E> {
    if seconds > MAX_NUMERIC_DATE { Err(E::custom("a time is too late")) } else { Ok(seconds) }
}

/// A string, which is copied only where it holds escapes.
struct Text<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}
