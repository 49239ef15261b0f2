//! Header maps, with what Envoy's do to names, duplicates and order.

mod inline;
mod pairs;

use std::fmt;

pub(crate) use inline::Kind;
pub(crate) use pairs::{decode, encode};

/// Names and values as bytes, in their order; a name may occur more than once.
///
/// As in Envoy: names are lower-cased when they come in; pseudo-headers stand before all others; a few names that Envoy
/// keeps in a place of their own never occur twice, a second value is appended to the first.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    kind: Kind,
}

impl Headers {
    /// Headers of a request.
    #[must_use]
    pub fn of_request() -> Self {
        Self { entries: Vec::new(), kind: Kind::Request }
    }

    /// Headers of a response.
    #[must_use]
    pub fn of_response() -> Self {
        Self { entries: Vec::new(), kind: Kind::Response }
    }

    /// Trailers, of a request or a response.
    #[must_use]
    pub fn of_trailers() -> Self {
        Self { entries: Vec::new(), kind: Kind::Trailers }
    }

    /// One more header, as `addCopy` of Envoy's header map.
    pub fn add(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let name = self.kind.canonical(name.as_ref());
        let value = value.as_ref();
        if self.kind.occurs_once(&name)
            && let Some((_, present)) = self.entries.iter_mut().find(|(own, _)| *own == name)
        {
            if !present.is_empty() && !value.is_empty() {
                present.push(b',');
            }
            present.extend_from_slice(value);
            return;
        }
        let entry = (name, value.to_vec());
        if is_pseudo(&entry.0) {
            let at = self.entries.iter().take_while(|(own, _)| is_pseudo(own)).count();
            self.entries.insert(at, entry);
        } else {
            self.entries.push(entry);
        }
    }

    /// One value instead of all that were there; a header that is replaced goes to the end.
    pub fn replace(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.remove(name.as_ref());
        self.add(name, value);
    }

    /// Removes every value of a header.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) {
        let name = self.kind.canonical(name.as_ref());
        self.entries.retain(|(own, _)| *own != name);
    }

    /// The first value of a header.
    #[must_use]
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        let name = self.kind.canonical(name.as_ref());
        self.entries.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_slice())
    }

    /// The first value of a header as text, with what is no UTF-8 replaced.
    #[must_use]
    pub fn text(&self, name: impl AsRef<[u8]>) -> Option<String> {
        self.get(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Every value of a header.
    #[must_use]
    pub fn all(&self, name: impl AsRef<[u8]>) -> Vec<&[u8]> {
        let name = self.kind.canonical(name.as_ref());
        self.entries.iter().filter(|(own, _)| *own == name).map(|(_, value)| value.as_slice()).collect()
    }

    /// Names and values in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Names and values together, in bytes.
    #[must_use]
    pub(crate) fn byte_size(&self) -> usize {
        self.entries.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// Every header instead of those that were there.
    pub(crate) fn set_all(&mut self, pairs: Vec<(Vec<u8>, Vec<u8>)>) {
        self.entries.clear();
        for (name, value) in pairs {
            self.add(name, value);
        }
    }
}

/// How much of a value is shown when a test fails, in bytes.
const MAX_SHOWN: usize = 2_000;

/// Names and values as text, bytes escaped, long values cut.
impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = |(name, value): (&[u8], &[u8])| match value.get(..MAX_SHOWN) {
            Some(shown) => {
                format!("{}: {}... ({} bytes)", name.escape_ascii(), shown.escape_ascii(), value.len())
            }
            None => format!("{}: {}", name.escape_ascii(), value.escape_ascii()),
        };
        formatter.debug_list().entries(self.iter().map(entry)).finish()
    }
}

fn is_pseudo(name: &[u8]) -> bool {
    name.first() == Some(&b':')
}
