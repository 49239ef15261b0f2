//! `deny_list` of an issuer.

use super::revocations::WHEN_STALE_NAMES;
use super::{Shape, Without, object, text};
use crate::policy::issuers::deny_list::{
    DEFAULT_LIST_REFRESH_SECONDS, DEFAULT_LIST_STALE_AFTER_SECONDS, MAX_LIST_REFRESH_SECONDS,
    MIN_LIST_REFRESH_SECONDS,
};
use crate::policy::issuers::keys::{DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS};
use crate::policy::issuers::revocations::{MAX_STALE_AFTER_SECONDS, MIN_STALE_AFTER_SECONDS};

object! {
    /// `deny_list` of an issuer.
    pub(super) DENY_LIST DenyList
    about: "A file of what has ended early, which anybody can serve ([deny-list.md](deny-list.md)), for tokens that have `jti`, `sid` or a user and `iat`.",
    together: &[],
    cluster {
        without: Without::Error("the Envoy cluster that serves the list"),
        shape: Shape::Text(text::ANY),
        about: "The Envoy cluster that serves it. TLS is the cluster's affair, and all that makes a list without `keys` be believed.",
        example: r#""files""#,
    }
    uri {
        without: Without::Error("the address of the list, such as https://files.example.com/deny.json"),
        shape: Shape::Text(text::URI),
        about: "Its address, without user and fragment.",
        example: r#""https://files.example.com/deny.json""#,
    }
    credential_env {
        without: Without::Words("the server is shown nothing"),
        shape: Shape::Text(text::VARIABLE),
        about: "The name of an environment variable of the filter's VM, with what the server is shown as a Bearer token: 16 to 1024 characters of visible ASCII.",
        example: r#""DENY_LIST_CREDENTIAL""#,
    }
    keys {
        without: Without::Words("the list is plain JSON, and whoever serves it is believed"),
        shape: Shape::Object(&DENY_LIST_KEYS),
        about: "Keys that must have signed it, which are not those of the tokens.",
        example: r#"{ "jwks": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "2026-11", "x": "gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q" }] } }"#,
    }
    refresh_seconds {
        without: Without::Whole(DEFAULT_LIST_REFRESH_SECONDS),
        shape: Shape::Whole(MIN_LIST_REFRESH_SECONDS, MAX_LIST_REFRESH_SECONDS),
        about: "From an answer to the next fetch.",
        example: "10",
    }
    timeout_ms {
        without: Without::Whole(DEFAULT_TIMEOUT_MS),
        shape: Shape::Whole(MIN_TIMEOUT_MS, MAX_TIMEOUT_MS),
        about: "How long an answer may take.",
        example: "500",
    }
    stale_after_seconds {
        without: Without::Whole(DEFAULT_LIST_STALE_AFTER_SECONDS),
        shape: Shape::Whole(MIN_STALE_AFTER_SECONDS, MAX_STALE_AFTER_SECONDS),
        about: "How old its `iat` may be: at least `refresh_seconds` and 3, and longer than whoever writes it takes to write it anew.",
        example: "180",
    }
    when_stale {
        without: Without::Error("write `reject` (503 while the list is too old) or `allow` (what ended meanwhile passes)"),
        shape: Shape::Word(&WHEN_STALE_NAMES),
        about: "What becomes of tokens while it is older. `reject`: 503, whoever it is. `allow`: they are judged by what is known; it weakens the check.",
        example: r#""reject""#,
    }
}

object! {
    /// `deny_list.keys` of an issuer.
    DENY_LIST_KEYS DenyListKeys
    about: "The keys of a deny list.",
    together: &[],
    jwks {
        without: Without::Error("a JWK Set with the keys that may sign the list"),
        shape: Shape::Standard { name: "JWK Set", clause: "RFC 7517 section 5", list: "keys" },
        about: "The JWK Set itself: public keys of any algorithm, those of RSA with `alg`. A new key must be here before it signs.",
        example: r#"{ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "2026-11", "x": "gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q" }] }"#,
    }
}
