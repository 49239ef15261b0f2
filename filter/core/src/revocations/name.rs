//! What records name: mostly UUIDs, which are kept as their sixteen bytes.

use std::collections::BTreeMap;

use super::hex;

/// The name in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A UUID that was written in its canonical form (RFC 9562 section 4): lower case, with hyphens.
    Uuid([u8; 16]),
    /// Any other text.
    Text(Box<str>),
}

impl Name {
    /// The name that is written so.
    #[must_use]
    pub fn of(text: &str) -> Self {
        uuid(text).map_or_else(|| Self::Text(text.into()), Self::Uuid)
    }

    /// As it was written.
    #[cfg(any(test, feature = "explain"))]
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Uuid(bytes) => {
                let digits = hex::encode(bytes);
                let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
                format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
            }
            Self::Text(text) => text.to_string(),
        }
    }

    /// What it takes beyond its place in a map, in bytes.
    pub(super) fn extra_bytes(&self) -> usize {
        match self {
            Self::Uuid(_) => 0,
            Self::Text(text) => text.len().saturating_add(TEXT_BYTES),
        }
    }
}

/// What a text takes beside its letters, rather too much than too little.
const TEXT_BYTES: usize = 32;

/// The bytes of a UUID in canonical form. Nothing else comes to the same bytes, so that no two names are one.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    let mut digits = [0; 32];
    let mut place = digits.iter_mut();
    for (index, byte) in bytes.iter().enumerate() {
        match (index, byte) {
            (8 | 13 | 18 | 23, b'-') => {}
            (8 | 13 | 18 | 23, _) => return None,
            (_, digit) => *place.next()? = *digit,
        }
    }
    if bytes.len() == 36 { hex::decode_bytes(&digits) } else { None }
}

/// A value for each name. Ordered, not hashed: an insertion moves a handful of entries however many there are, so that no
/// callback pays for a table that grows; and no name can be chosen to collide.
#[derive(Debug)]
pub(super) struct Named<V> {
    uuids: BTreeMap<[u8; 16], V>,
    texts: BTreeMap<Box<str>, V>,
}

impl<V> Named<V> {
    pub(super) fn len(&self) -> usize {
        self.uuids.len().saturating_add(self.texts.len())
    }

    /// Without allocation, whatever the name is.
    pub(super) fn get(&self, name: &str) -> Option<&V> {
        match uuid(name) {
            Some(uuid) => self.uuids.get(&uuid),
            None => self.texts.get(name),
        }
    }

    pub(super) fn get_mut(&mut self, name: &Name) -> Option<&mut V> {
        match name {
            Name::Uuid(uuid) => self.uuids.get_mut(uuid),
            Name::Text(text) => self.texts.get_mut(text),
        }
    }

    pub(super) fn insert(&mut self, name: Name, value: V) {
        match name {
            Name::Uuid(uuid) => drop(self.uuids.insert(uuid, value)),
            Name::Text(text) => drop(self.texts.insert(text, value)),
        }
    }

    /// Removes those that have ended among the `most` names after the last one that was looked at, and says how many bytes
    /// of text went with them. `cursor` goes around.
    pub(super) fn sweep(
        &mut self,
        cursor: &mut Cursor,
        most: usize,
        has_ended: impl Fn(&V) -> bool,
    ) -> Swept {
        use std::ops::Bound::{Excluded, Unbounded};
        let mut swept = Swept::default();
        let mut ended = Vec::new();
        match cursor {
            Cursor::Uuid(after) => {
                let from = after.map_or(Unbounded, Excluded);
                let mut last = None;
                for (uuid, value) in self.uuids.range((from, Unbounded)).take(most) {
                    last = Some(*uuid);
                    if has_ended(value) {
                        ended.push(Name::Uuid(*uuid));
                    }
                }
                *cursor = last.map_or(Cursor::Text(None), |last| Cursor::Uuid(Some(last)));
            }
            Cursor::Text(after) => {
                let from: std::ops::Bound<&str> = after.as_deref().map_or(Unbounded, Excluded);
                let mut last = None;
                for (text, value) in self.texts.range::<str, _>((from, Unbounded)).take(most) {
                    last = Some(text);
                    if has_ended(value) {
                        ended.push(Name::Text(text.clone()));
                    }
                }
                *cursor = last.map_or(Cursor::Uuid(None), |last| Cursor::Text(Some(last.clone())));
            }
        }
        for name in ended {
            swept.entries = swept.entries.saturating_add(1);
            swept.extra_bytes = swept.extra_bytes.saturating_add(name.extra_bytes());
            match &name {
                Name::Uuid(uuid) => drop(self.uuids.remove(uuid)),
                Name::Text(text) => drop(self.texts.remove(text)),
            }
        }
        swept
    }
}

impl<V> Default for Named<V> {
    fn default() -> Self {
        Self { uuids: BTreeMap::new(), texts: BTreeMap::new() }
    }
}

/// Where a sweep goes on.
#[derive(Clone, Debug)]
pub(super) enum Cursor {
    Uuid(Option<[u8; 16]>),
    Text(Option<Box<str>>),
}

impl Default for Cursor {
    fn default() -> Self {
        Self::Uuid(None)
    }
}

/// What a sweep has removed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Swept {
    pub(super) entries: usize,
    pub(super) extra_bytes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_sixteen_bytes_and_is_written_as_it_was() {
        let text = "018f3b7c-aa00-7c3e-9d2b-000000000001";
        assert!(matches!(Name::of(text), Name::Uuid(_)));
        assert_eq!(Name::of(text).text(), text);
    }

    #[test]
    fn what_is_not_the_one_spelling_of_a_uuid_is_a_text_of_its_own() {
        for text in [
            "018F3b7c-aa00-7c3e-9d2b-000000000001",
            "018f3b7caa007c3e9d2b000000000001",
            "018f3b7c-aa00-7c3e-9d2b-00000000000",
            "018f3b7c-aa00-7c3e-9d2b-0000000000011",
            "018f3b7c-aa00-7c3e-9d2b0-00000000001",
            "-18f3b7c-aa00-7c3e-9d2b-000000000001",
            "018f3b7c-aa00-7c3e-9d2b-00000000000\u{e9}",
            "",
        ] {
            assert_eq!(Name::of(text), Name::Text(text.into()), "{text}");
        }
    }
}
