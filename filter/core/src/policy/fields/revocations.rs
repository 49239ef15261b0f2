//! `revocations` of an issuer.

use super::{Shape, Without, names, object, text};
use crate::policy::issuers::revocations::{
    DEFAULT_STALE_AFTER_SECONDS, DEFAULT_WAIT_SECONDS, MAX_STALE_AFTER_SECONDS, MIN_STALE_AFTER_SECONDS,
    MIN_WAIT_SECONDS, WHEN_STALE,
};
use bearward_protocol::revocations::MAX_WAIT_SECONDS;

pub(super) const WHEN_STALE_NAMES: [&str; WHEN_STALE.len()] = names(&WHEN_STALE);

object! {
    /// `revocations` of an issuer.
    pub(super) REVOCATIONS Revocations
    about: "A feed of what an issuer has ended early. Its tokens must have `sid`, `user_version` and `epoch`, as those of Bearward's issuer have.",
    together: &[],
    cluster {
        without: Without::Error("the Envoy cluster that serves the feed"),
        shape: Shape::Text(text::ANY),
        about: "The Envoy cluster that serves it: the issuer's internal port. TLS is the cluster's affair.",
        example: r#""issuer-internal""#,
    }
    uri {
        without: Without::Error("the address of the feed, such as http://issuer.example.com/revocations/v1"),
        shape: Shape::Text(text::URI),
        about: "Its address, without user, query and fragment. Its keys are fetched from `/keys` below it.",
        example: r#""http://issuer.example.com/revocations/v1""#,
    }
    credential_env {
        without: Without::Error("the environment variable with the credential that the feed asks for"),
        shape: Shape::Text(text::VARIABLE),
        about: "The name of an environment variable of the filter's VM, with what the issuer is shown: 16 to 1024 characters of visible ASCII.",
        example: r#""FEED_CREDENTIAL""#,
    }
    keys {
        without: Without::Words("they are fetched"),
        shape: Shape::Object(&REVOCATION_KEYS),
        about: "The feed's keys, which are not those of the tokens. A proxy that is started while the issuer is away needs them.",
        example: r#"{ "jwks": { "keys": [] } }"#,
    }
    wait_seconds {
        without: Without::Whole(DEFAULT_WAIT_SECONDS),
        shape: Shape::Whole(MIN_WAIT_SECONDS, MAX_WAIT_SECONDS),
        about: "How long a question waits for news.",
        example: "2",
    }
    stale_after_seconds {
        without: Without::Whole(DEFAULT_STALE_AFTER_SECONDS),
        shape: Shape::Whole(MIN_STALE_AFTER_SECONDS, MAX_STALE_AFTER_SECONDS),
        about: "How old what is known may be: at least `wait_seconds` and 3.",
        example: "60",
    }
    when_stale {
        without: Without::Error("write `reject` (503 while the feed is away) or `allow` (what ended meanwhile passes)"),
        shape: Shape::Word(&WHEN_STALE_NAMES),
        about: "What becomes of tokens while it is older. `reject`: 503, whoever it is. `allow`: they are judged by what is known; it weakens the check.",
        example: r#""reject""#,
    }
}

object! {
    /// `revocations.keys` of an issuer.
    REVOCATION_KEYS RevocationKeys
    about: "The keys of a feed.",
    together: &[],
    jwks {
        without: Without::Error("the JWK Set of the feed, as it is at /revocations/v1/keys"),
        shape: Shape::Standard { name: "JWK Set", clause: "RFC 7517 section 5", list: "keys" },
        about: "The JWK Set itself: keys for EdDSA. A new key must be here before it signs.",
        example: r#"{ "keys": [] }"#,
    }
}
