//! Every way in which an answer of a feed is refused: one table. A refused answer changes nothing.

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident { $name:literal $text:literal })+) => {
        /// Why an answer is refused. Fieldless: what an answer says is not repeated in a log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum FeedRefusal {
            $($(#[$doc])* $variant,)+
        }

        impl FeedRefusal {
            /// Every refusal, in the order in which an answer is looked at.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in metrics: `[a-z_]+`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What is wrong, as the end of a sentence that begins with "the answer".
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

refusals! {
    /// More bytes than [`MAX_ANSWER_BYTES`](bearward_protocol::revocations::MAX_ANSWER_BYTES).
    Size { "size" "is too large" }
    /// No JWS in compact serialization.
    Form { "form" "is no JWS in compact serialization" }
    /// `typ` is not the feed's: perhaps it is a token (RFC 8725 section 3.11).
    Type { "type" "is of another type" }
    /// Its `kid` is not in the feed's own set, which may have changed.
    KeyUnknown { "key_unknown" "is signed with a key that is not in the feed's set" }
    /// The signature does not hold, or is of another algorithm.
    Signature { "signature" "has no signature that holds" }
    /// The payload is not JSON of this shape, or of another version of the format.
    Version { "version" "is of another version, or has another shape" }
    /// Of another issuer.
    Issuer { "issuer" "is of another issuer" }
    /// `generation` is none, or not that of the position that it goes on from.
    Generation { "generation" "is of another log" }
    /// `from` is not the position that is held, or a digest is none.
    Position { "position" "does not go on from where this proxy is" }
    /// A page that nobody needs, or not the next one of the snapshot.
    Page { "page" "is not the page that was asked for" }
    /// Older than what is held.
    AsOf { "as_of" "is older than what is held" }
    /// A record lacks a member, has one too many, or stands at a wrong place.
    Records { "records" "holds a record that cannot be" }
    /// There is no room for what it says.
    Full { "full" "holds more records than there is room for" }
    /// What stands in shared data leads nowhere.
    Chain { "chain" "does not lead to where its head says" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_refusal_has_a_name_of_its_own_that_is_fit_for_a_metric() {
        let names: BTreeSet<_> = FeedRefusal::ALL.iter().map(|refusal| refusal.name()).collect();
        assert_eq!(names.len(), FeedRefusal::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    }
}
