//! Changes to a request that goes on.

use std::sync::Arc;

/// One change to the headers of a request, pseudo-headers included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// This value in place of every one that was there.
    Set {
        /// In lower case.
        name: Arc<str>,
        /// The value.
        value: Arc<[u8]>,
    },
    /// One header of ours. Nothing of this name is there: what
    /// [`Forwarding::removes`](crate::policy::Forwarding::removes) names has been removed.
    Tell {
        /// In lower case.
        name: Arc<str>,
        /// The value.
        value: Arc<[u8]>,
    },
    /// Every value of this header is removed.
    Remove {
        /// As the client spelled it, in lower case.
        name: Vec<u8>,
    },
}

impl Edit {
    /// The name and the value of a header that is set, or told.
    #[must_use]
    pub fn as_set(&self) -> Option<(&str, &[u8])> {
        match self {
            Self::Set { name, value } | Self::Tell { name, value } => Some((name, value)),
            Self::Remove { .. } => None,
        }
    }

    pub(crate) fn set(name: impl Into<Arc<str>>, value: impl AsRef<[u8]>) -> Self {
        Self::Set { name: name.into(), value: value.as_ref().into() }
    }

    pub(crate) fn tell(name: impl Into<Arc<str>>, value: impl AsRef<[u8]>) -> Self {
        Self::Tell { name: name.into(), value: value.as_ref().into() }
    }

    pub(crate) fn remove(name: &[u8]) -> Self {
        Self::Remove { name: name.to_ascii_lowercase() }
    }
}
