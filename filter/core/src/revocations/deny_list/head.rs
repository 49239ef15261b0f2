//! What says in shared data which list stands there: small enough to be looked at on every tick.

/// The version of the bytes.
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 18;

/// What stands under the head's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListHead {
    /// Which of two places has the bytes: 0 or 1.
    pub place: u8,
    /// As the list says it.
    pub iat: u64,
    /// Of the bytes.
    pub checksum: u64,
}

impl ListHead {
    /// The bytes of none.
    pub const VACANT: [u8; 1] = [0];

    /// Reads one; `None` for none, for one of another version and for rubbish.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let ([version, place], rest) = bytes.split_first_chunk::<2>()?;
        let (iat, checksum) = rest.split_first_chunk::<8>()?;
        let checksum = u64::from_le_bytes(<[u8; 8]>::try_from(checksum).ok()?);
        let is_one = *version == VERSION && *place < 2;
        is_one.then_some(Self { place: *place, iat: u64::from_le_bytes(*iat), checksum })
    }

    /// What [`ListHead::parse`] reads.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend([VERSION, self.place]);
        bytes.extend(self.iat.to_le_bytes());
        bytes.extend(self.checksum.to_le_bytes());
        bytes
    }

    /// The key of the list's bytes.
    #[must_use]
    pub fn object_key(self, prefix: &str) -> String {
        format!("{prefix}.{}", self.place)
    }
}

/// The key of the head.
#[must_use]
pub fn head_key(prefix: &str) -> String {
    format!("{prefix}.head")
}
