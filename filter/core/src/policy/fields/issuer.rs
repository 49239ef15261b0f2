//! `issuers`: whom to trust, with which keys, and how to read the claims.

use super::deny_list::DENY_LIST;
use super::revocations::REVOCATIONS;
use super::{Named, Shape, Together, Without, names, object, text};
use crate::issuer::DEFAULT_LEEWAY_SECONDS;
use crate::policy::issuers::keys::{
    DEFAULT_REFRESH_SECONDS, DEFAULT_TIMEOUT_MS, DEFAULT_WAIT_MS, MAX_REFRESH_SECONDS, MAX_SECRETS,
    MAX_TIMEOUT_MS, MAX_WAIT_MS, MIN_REFRESH_SECONDS, MIN_TIMEOUT_MS,
};
use crate::policy::issuers::{ALGORITHMS, MAX_CLAIM_PATH, MAX_WORDS, MISSING, SEPARATORS};
use crate::policy::rules::MAX_ITEMS;
use bearward_protocol::bounds::MAX_LEEWAY_SECONDS;

const ALGORITHM_NAMES: [&str; ALGORITHMS.len()] = names(&ALGORITHMS);
const MISSING_NAMES: [&str; MISSING.len()] = names(&MISSING);
const SEPARATOR_NAMES: [&str; SEPARATORS.len()] = names(&SEPARATORS);

/// Names out of `issuers`.
pub(super) const ISSUER_NAMES: Shape = Shape::distinct(&Shape::Text(text::OF_ISSUERS), MAX_ITEMS);
/// A claim, by the names of the members that lead to it.
pub(super) const CLAIM_PATH: Shape =
    Shape::List { of: &Shape::Text(text::ANY), most: MAX_CLAIM_PATH, may_repeat: true };
/// Roles, as the upstream sees them.
pub(super) const ROLES: Shape = Shape::distinct(&Shape::Text(text::ROLE), MAX_WORDS);

object! {
    /// One of `issuers`.
    pub(super) ISSUER Issuer
    about: "An issuer: what its tokens must be, and which keys prove them.",
    together: &[Together::AtMostOne(&["revocations", "deny_list"])],
    iss {
        without: Without::ErrorUnless("the exact `iss` of this issuer's tokens", Named { field: "accept_missing", word: "iss" }),
        shape: Shape::Text(text::ANY),
        about: "The `iss` of its tokens, compared byte by byte. No two issuers have the same.",
        example: r#""https://login.example.com/realms/staff""#,
    }
    audiences {
        without: Without::ErrorUnless("a token for somebody else is no token for you", Named { field: "accept_missing", word: "aud" }),
        shape: Shape::distinct(&Shape::Text(text::ANY), MAX_WORDS),
        about: "Who you are to it: one of these must be in `aud`.",
        example: r#"["orders"]"#,
    }
    algorithms {
        without: Without::Error("list the algorithms that this issuer signs with, such as RS256, ES256 or EdDSA"),
        shape: Shape::distinct(&Shape::Word(&ALGORITHM_NAMES), MAX_WORDS),
        about: "What its tokens may be signed with. `Ed25519` is another name of `EdDSA`. HS256, HS384 and HS512 go with `secrets_env`.",
        example: r#"["RS256"]"#,
    }
    token_types {
        without: Without::Error("list the `typ` of its tokens: at+jwt (RFC 9068), or JWT where it says no more"),
        shape: Shape::distinct(&Shape::Text(text::ANY), MAX_WORDS),
        about: "What `typ` may be, without case and without `application/`. A token without `typ` counts as `JWT`.",
        example: r#"["at+jwt"]"#,
    }
    leeway_seconds {
        without: Without::Whole(DEFAULT_LEEWAY_SECONDS),
        shape: Shape::Whole(0, MAX_LEEWAY_SECONDS),
        about: "By how much its clock may differ from ours.",
        example: "60",
    }
    keys {
        without: Without::Error("one of `remote`, `jwks`, `secrets_env`"),
        shape: Shape::Object(&KEYS),
        about: "Where its keys come from.",
        example: r#"{ "remote": { "cluster": "issuer", "uri": "https://issuer.example.com/.well-known/jwks.json" } }"#,
    }
    claims {
        without: Without::Words("subject in `sub`, roles in `roles`"),
        shape: Shape::Object(&CLAIMS),
        about: "Where its tokens say who calls, and which roles it may grant. Needed where there are several issuers.",
        example: r#"{ "roles": ["realm_access", "roles"], "role_prefix": "staff:" }"#,
    }
    revocations {
        without: Without::Words("a token is good until it expires"),
        shape: Shape::Object(&REVOCATIONS),
        about: "Where it says what has ended early. Before the feed has come its tokens are refused with 503.",
        example: r#"{ "cluster": "issuer-internal", "uri": "http://issuer.example.com/revocations/v1", "credential_env": "FEED_CREDENTIAL", "when_stale": "reject" }"#,
    }
    deny_list {
        without: Without::Words("a token is good until it expires"),
        shape: Shape::Object(&DENY_LIST),
        about: "A file that says what has ended early, for an issuer that has no such feed. Before it has come its tokens are refused with 503.",
        example: r#"{ "cluster": "files", "uri": "https://files.example.com/deny.json", "when_stale": "reject" }"#,
    }
    accept_missing {
        without: Without::Words("both must be there"),
        shape: Shape::distinct(&Shape::Word(&MISSING_NAMES), MAX_WORDS),
        about: "Claims that its tokens may lack. It weakens the check.",
        example: r#"["aud"]"#,
    }
}

object! {
    /// `keys` of an issuer.
    KEYS Keys
    about: "Where an issuer's keys come from.",
    together: &[Together::ExactlyOne(&["remote", "jwks", "secrets_env"])],
    remote {
        without: Without::Words("one of the others"),
        shape: Shape::Object(&REMOTE),
        about: "A JWK Set that is fetched, and fetched again.",
        example: r#"{ "cluster": "issuer", "uri": "https://issuer.example.com/.well-known/jwks.json" }"#,
    }
    jwks {
        without: Without::Words("one of the others"),
        shape: Shape::Standard { name: "JWK Set", clause: "RFC 7517 section 5", list: "keys" },
        about: "The JWK Set itself.",
        example: r#"{ "keys": [] }"#,
    }
    secrets_env {
        without: Without::Words("one of the others"),
        shape: Shape::distinct(&Shape::Text(text::VARIABLE), MAX_SECRETS),
        about: "Names of environment variables of the filter's VM, each with a secret for HS256, HS384 or HS512.",
        example: r#"["JWT_SECRET"]"#,
    }
}

object! {
    /// `keys.remote` of an issuer.
    REMOTE Remote
    about: "A JWK Set that is fetched.",
    together: &[],
    cluster {
        without: Without::Error("the Envoy cluster that serves the JWK Set"),
        shape: Shape::Text(text::ANY),
        about: "The Envoy cluster that serves it. TLS is the cluster's affair.",
        example: r#""issuer""#,
    }
    uri {
        without: Without::Error("the address of the JWK Set, such as https://issuer.example.com/.well-known/jwks.json"),
        shape: Shape::Text(text::URI),
        about: "Its address, without user and fragment.",
        example: r#""https://issuer.example.com/.well-known/jwks.json""#,
    }
    refresh_seconds {
        without: Without::Whole(DEFAULT_REFRESH_SECONDS),
        shape: Shape::Whole(MIN_REFRESH_SECONDS, MAX_REFRESH_SECONDS),
        about: "From a good answer to the next fetch.",
        example: "600",
    }
    timeout_ms {
        without: Without::Whole(DEFAULT_TIMEOUT_MS),
        shape: Shape::Whole(MIN_TIMEOUT_MS, MAX_TIMEOUT_MS),
        about: "How long an answer may take.",
        example: "500",
    }
    wait_ms {
        without: Without::Whole(DEFAULT_WAIT_MS),
        shape: Shape::Whole(0, MAX_WAIT_MS),
        about: "How long a request is held back at most whose token names a key that is not in the set, until the issuer \
                has been asked again: so a rotation makes no 401. Who has waited in vain gets 503. With 0 none waits.",
        example: "500",
    }
}

object! {
    /// `claims` of an issuer.
    CLAIMS Claims
    about: "How to read an issuer's claims. A path is a list of member names, so a name may hold dots.",
    together: &[Together::AtMostOne(&["role_prefix", "granted_roles"])],
    subject {
        without: Without::Value(r#"["sub"]"#),
        shape: CLAIM_PATH,
        about: "The claim that says who calls: a string; where it is not `sub`, also a whole number.",
        example: r#"["userId"]"#,
    }
    roles {
        without: Without::Value(r#"["roles"]"#),
        shape: CLAIM_PATH,
        about: "The claim with the roles: an array of strings, or one string. A token without it has no roles.",
        example: r#"["realm_access", "roles"]"#,
    }
    role_separator {
        without: Without::Value(r#""none""#),
        shape: Shape::Word(&SEPARATOR_NAMES),
        about: "`none`: a string is one role, whatever stands in it. `space`: the claim is one string of roles with single spaces between them, as `scope` (RFC 6749 section 3.3).",
        example: r#""space""#,
    }
    role_prefix {
        without: Without::Words("roles stay as they are"),
        shape: Shape::Text(text::ROLE),
        about: "Put before each role, so that it is no other issuer's.",
        example: r#""staff:""#,
    }
    granted_roles {
        without: Without::Words("whatever the token says"),
        shape: ROLES,
        about: "The roles that it may grant; others of its tokens are dropped.",
        example: r#"["admin", "rider"]"#,
    }
}
