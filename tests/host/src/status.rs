//! What a hostcall answers.

/// A status of the ABI 0.2.1, by its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// Nothing by that name or number.
    NotFound = 1,
    /// An argument that makes no sense, or a header map that cannot be reached now.
    BadArgument = 2,
    /// A value that cannot be written as bytes.
    SerializationFailure = 3,
    /// Bytes that cannot be read as what they should be.
    ParseFailure = 4,
    /// An expression that cannot be evaluated.
    BadExpression = 5,
    /// An address outside of the module's memory.
    InvalidMemoryAccess = 6,
    /// A queue that holds nothing.
    Empty = 7,
    /// Somebody else wrote the shared value meanwhile.
    CasMismatch = 8,
    /// A result that is not what was expected.
    ResultMismatch = 9,
    /// The host failed, or the hostcall is not among the allowed capabilities.
    InternalFailure = 10,
    /// A connection that ended.
    BrokenConnection = 11,
    /// The host does not have it.
    Unimplemented = 12,
}

impl Status {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Ok,
        Self::NotFound,
        Self::BadArgument,
        Self::SerializationFailure,
        Self::ParseFailure,
        Self::BadExpression,
        Self::InvalidMemoryAccess,
        Self::Empty,
        Self::CasMismatch,
        Self::ResultMismatch,
        Self::InternalFailure,
        Self::BrokenConnection,
        Self::Unimplemented,
    ];

    /// The number in the ABI.
    #[must_use]
    pub fn code(self) -> u32 {
        self as u32
    }

    /// The status of that number.
    #[must_use]
    pub fn of(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}
