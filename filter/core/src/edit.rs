//! Changes to a request that goes on.

use std::rc::Rc;
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

/// All changes to a request, in their order.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    own: Vec<Edit>,
    /// What follows, and is kept with a known token.
    told: Option<Rc<[Edit]>>,
}

impl Edits {
    /// The request goes on as it came.
    pub const NONE: Self = Self { own: Vec::new(), told: None };

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Edit> {
        self.own.iter().chain(self.told.iter().flat_map(|told| told.iter()))
    }

    pub(crate) fn push(&mut self, edit: Edit) {
        self.own.push(edit);
    }

    pub(crate) fn extend(&mut self, edits: Vec<Edit>) {
        if self.own.is_empty() {
            self.own = edits;
        } else {
            self.own.extend(edits);
        }
    }

    /// What the upstream is told, after all else.
    pub(crate) fn tell(&mut self, told: Rc<[Edit]>) {
        self.told = Some(told);
    }
}

/// The same changes, however they are kept.
impl PartialEq for Edits {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Edits {}

impl FromIterator<Edit> for Edits {
    fn from_iter<I: IntoIterator<Item = Edit>>(edits: I) -> Self {
        Vec::from_iter(edits).into()
    }
}

impl From<Vec<Edit>> for Edits {
    fn from(own: Vec<Edit>) -> Self {
        Self { own, told: None }
    }
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
