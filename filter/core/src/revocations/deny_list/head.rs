//! What says in shared data which list stands there: small enough to be looked at on every tick.

/// The version of the bytes.
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 42;

/// What stands under the head's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListHead {
    /// Which of two places has the bytes: 0 or 1.
    pub place: u8,
    /// As the list says it.
    pub iat: u64,
    /// The SHA-256 of the bytes.
    pub digest: [u8; 32],
}

impl ListHead {
    /// The bytes of none.
    pub const VACANT: [u8; 1] = [0];

    /// Reads one; `None` for none, for one of another version and for rubbish.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let ([version, place], rest) = bytes.split_first_chunk::<2>()?;
        let (iat, digest) = rest.split_first_chunk::<8>()?;
        let digest = <[u8; 32]>::try_from(digest).ok()?;
        let is_one = *version == VERSION && *place < 2;
        is_one.then_some(Self { place: *place, iat: u64::from_le_bytes(*iat), digest })
    }

    /// What [`ListHead::parse`] reads.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend([VERSION, self.place]);
        bytes.extend(self.iat.to_le_bytes());
        bytes.extend(self.digest);
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
