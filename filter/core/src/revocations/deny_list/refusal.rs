//! Every way in which a deny list is refused: one table. A refused list changes nothing.

use std::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident { $name:literal $text:literal })+) => {
        /// Why a list is refused. Fieldless: what a list says is not repeated in a log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ListRefusal {
            $($(#[$doc])* $variant,)+
        }

        impl ListRefusal {
            /// Every refusal, in the order in which a list is looked at.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in metrics: `[a-z_]+`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What is wrong, as the end of a sentence that begins with "the list".
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

refusals! {
    /// What stands in shared data is not what its head says.
    Shared { "shared" "in shared data is not the one that its head names" }
    /// More bytes than [`MAX_LIST_BYTES`](super::MAX_LIST_BYTES).
    Size { "size" "is too large" }
    /// No JSON; where it must be signed, no JWS in compact serialization.
    Form { "form" "is no JSON or, where the policy has keys for it, no JWS in compact serialization" }
    /// `typ` is not that of a list: perhaps it is a token (RFC 8725 section 3.11).
    Type { "type" "is a JWS of another type than `deny-list+jwt`" }
    /// Its `kid` is not among the policy's keys.
    KeyUnknown { "key_unknown" "is signed with a key that the policy does not have" }
    /// The signature does not hold, or is of another algorithm.
    Signature { "signature" "has no signature that holds" }
    /// A member is missing, unknown, there twice, or of another type; an entry is none.
    Shape { "shape" "has a member that is missing, unknown, there twice or of another type" }
    /// Of another issuer.
    Issuer { "issuer" "is of another `iss`" }
    /// `iat` lies in the future.
    Ahead { "ahead" "has an `iat` that is still to come" }
    /// Older than what is held.
    Back { "back" "has an earlier `iat` than the one that is held" }
}

/// A refused list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub kind: ListRefusal,
    /// Line and column of the document, where that says more.
    pub place: Option<(usize, usize)>,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind.text())?;
        match self.place {
            Some((line, column)) => write!(formatter, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

impl From<ListRefusal> for Refused {
    fn from(kind: ListRefusal) -> Self {
        Self { kind, place: None }
    }
}

impl From<serde_json::Error> for Refused {
    fn from(error: serde_json::Error) -> Self {
        let kind = if error.is_data() { ListRefusal::Shape } else { ListRefusal::Form };
        Self { kind, place: Some((error.line(), error.column())) }
    }
}
