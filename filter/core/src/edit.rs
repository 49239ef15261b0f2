//! Changes to a request that goes on.

/// One change to the headers of a request, pseudo-headers included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// This value in place of every one that was there.
    Set {
        /// In lower case.
        name: String,
        /// The value.
        value: Vec<u8>,
    },
    /// Every value of this header is removed.
    Remove {
        /// As the client spelled it, in lower case.
        name: Vec<u8>,
    },
}

impl Edit {
    /// The name and the value of a header that is set.
    #[must_use]
    pub fn as_set(&self) -> Option<(&str, &[u8])> {
        match self {
            Self::Set { name, value } => Some((name, value)),
            Self::Remove { .. } => None,
        }
    }

    pub(crate) fn set(name: &str, value: impl Into<Vec<u8>>) -> Self {
        Self::Set { name: name.to_owned(), value: value.into() }
    }

    pub(crate) fn remove(name: &[u8]) -> Self {
        Self::Remove { name: name.to_ascii_lowercase() }
    }
}
