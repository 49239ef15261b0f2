//! Values that the VMs of this proxy share, written by compare-and-swap.

use std::num::NonZeroU32;

use crate::host::{self, HostError};

/// Keys that were shared longer ago than this are not restored: 24 hours, in milliseconds.
pub(crate) const MAX_SHARED_AGE_MS: u64 = 24 * 60 * 60 * 1000;

/// A value that was read, and the number that a write must name to replace this very one. A host takes 0 for an unconditional
/// write; it never gives it.
pub(crate) struct Shared {
    pub(crate) bytes: Vec<u8>,
    number: Option<NonZeroU32>,
}

impl Shared {
    /// What stands under a key; `None` where nothing does.
    pub(crate) fn read(key: &str) -> Result<Option<Self>, HostError> {
        match host::shared_data_with_number(key) {
            Ok((bytes, number)) => Ok(Some(Self { bytes, number: NonZeroU32::new(number) })),
            Err(HostError(host::NOT_FOUND)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The number of the write that left it.
    pub(crate) fn number(&self) -> u64 {
        self.number.map_or(0, |number| u64::from(number.get()))
    }

    /// Replaces it, unless somebody else has done so: `false`.
    pub(crate) fn replace(&self, key: &str, value: &[u8]) -> Result<bool, HostError> {
        let Some(number) = self.number else { return Ok(false) };
        match host::replace_shared_data(key, value, number.get()) {
            Ok(()) => Ok(true),
            Err(HostError(host::CAS_MISMATCH)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
