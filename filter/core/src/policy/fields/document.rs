//! The document, its policies and their rules, and the settings of all of them.

use super::issuer::{ISSUER, ISSUER_NAMES};
use super::requirement::REQUIREMENT;
use super::revocations::WHEN_STALE_NAMES;
use super::{Shape, Together, Without, credentials, forward, names, object, text};
use crate::policy::compile::{MODES, VERSION};
use crate::policy::issuers::MAX_ISSUERS;
use crate::policy::methods::METHODS;
use crate::policy::paths::{EXACT_OR_FOLDED, REFUSE_OR_KEEP, REFUSE_OR_REPLACE};
use crate::policy::rules::{ACCESS, MAX_ITEMS, REFUSE_OR_ALLOW};

const MODE_NAMES: [&str; MODES.len()] = names(&MODES);
const ACCESS_NAMES: [&str; ACCESS.len()] = names(&ACCESS);
const PREFLIGHT_NAMES: [&str; REFUSE_OR_ALLOW.len()] = names(&REFUSE_OR_ALLOW);
const REFUSE_OR_KEEP_NAMES: [&str; 2] = names(&REFUSE_OR_KEEP);
const REFUSE_OR_REPLACE_NAMES: [&str; 2] = names(&REFUSE_OR_REPLACE);
const EXACT_OR_FOLDED_NAMES: [&str; 2] = names(&EXACT_OR_FOLDED);

object! {
    /// The whole document.
    pub DOCUMENT Document
    about: "One object, in YAML or JSON.",
    together: &[],
    version {
        without: Without::Error("write `version: 1`"),
        shape: Shape::Whole(VERSION, VERSION),
        about: "The version of the policy language.",
        example: "1",
    }
    issuers {
        without: Without::Error("name at least one issuer whose tokens are trusted"),
        shape: Shape::Map { names: text::ISSUER_NAME, of: &Shape::Object(&ISSUER), least: 1, most: MAX_ISSUERS },
        about: "Whom to trust. The names are yours: policies, logs and metrics use them.",
        example: r#"{ "own": { "iss": "https://issuer.example.com/", "audiences": ["orders"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"], "keys": { "jwks": { "keys": [] } } } }"#,
    }
    policies {
        without: Without::Error("without a policy every request is refused"),
        shape: Shape::distinct(&Shape::Object(&SCOPE), MAX_ITEMS),
        about: "Who gets where. One of them applies to a request: the one with the closest host, then the longest prefix. Their order means nothing.",
        example: r#"[{ "name": "orders", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": [{ "name": "all", "paths": ["/**"] }] }]"#,
    }
    mode {
        without: Without::Value(r#""enforce""#),
        shape: Shape::Word(&MODE_NAMES),
        about: "Whether refusals are carried out, or only logged.",
        example: r#""observe""#,
    }
    credentials {
        without: Without::Value(r#"[{ "header": "authorization", "scheme": "Bearer" }]"#),
        shape: credentials::CREDENTIALS,
        about: "Where a token may stand. The first place that holds one wins, the others are emptied unread.",
        example: r#"[{ "header": "authorization", "scheme": "Bearer" }, { "header": "x-access-token" }]"#,
    }
    challenge {
        without: Without::Value(r#"{ "realm": "bearward" }"#),
        shape: Shape::Object(&CHALLENGE),
        about: "What a refused client is told of whom to ask.",
        example: r#"{ "realm": "orders" }"#,
    }
    paths {
        without: Without::Words("every path that servers could read in two ways is refused"),
        shape: Shape::Object(&PATHS),
        about: "What every server behind does alike with paths.",
        example: r#"{ "trailing_slash": "folded" }"#,
    }
    forward {
        without: Without::Words("`x-user-id`, `x-user-issuer`, `x-user-roles`; the token stays"),
        shape: Shape::Object(&forward::FORWARD),
        about: "What the upstream is told of the caller.",
        example: r#"{ "token": "remove" }"#,
    }
}

object! {
    /// One of `policies`.
    SCOPE Scope
    about: "A policy: for some hosts and the paths below a prefix.",
    together: &[],
    name {
        without: Without::Error("verdicts name the policy and the rule"),
        shape: Shape::Text(text::NAME),
        about: "Its name in verdicts and metrics. No two policies have the same.",
        example: r#""orders""#,
    }
    hosts {
        without: Without::Error("write [\"*\"] for every host"),
        shape: Shape::distinct(&Shape::Text(text::HOST), MAX_ITEMS),
        about: "The hosts it is for, compared without port and without case.",
        example: r#"["api.example.com", "*.example.org"]"#,
    }
    prefix {
        without: Without::Error("write `/` for every path"),
        shape: Shape::Text(text::PREFIX),
        about: "The path it is for, and all below it. No two policies have the same host and the same prefix.",
        example: r#""/api""#,
    }
    issuers {
        without: Without::Error("name the issuers that this policy trusts"),
        shape: ISSUER_NAMES,
        about: "Those of the document's `issuers` that this policy trusts.",
        example: r#"["own"]"#,
    }
    mode {
        without: Without::Words("as in the document"),
        shape: Shape::Word(&MODE_NAMES),
        about: "Whether refusals are carried out, or only logged.",
        example: r#""observe""#,
    }
    credentials {
        without: Without::Words("as in the document"),
        shape: credentials::CREDENTIALS,
        about: "Where a token may stand, in place of what the document says.",
        example: r#"[{ "header": "x-access-token" }]"#,
    }
    challenge {
        without: Without::Words("as in the document"),
        shape: Shape::Object(&CHALLENGE),
        about: "What a refused client is told; what is not said here is as in the document.",
        example: r#"{ "realm": "orders" }"#,
    }
    cors_preflight {
        without: Without::Value(r#""refuse""#),
        shape: Shape::Word(&PREFLIGHT_NAMES),
        about: "Whether a CORS preflight needs no token.",
        example: r#""allow""#,
    }
    rules {
        without: Without::Error("without a rule every request is refused"),
        shape: Shape::distinct(&Shape::Object(&RULE), MAX_ITEMS),
        about: "The first that matches decides. What none names is refused.",
        example: r#"[{ "name": "all", "paths": ["/api/**"] }]"#,
    }
}

object! {
    /// One of a policy's `rules`.
    RULE Rule
    about: "A rule: which requests, and who may make them.",
    together: &[
        Together::OnlyWhere("issuers", "access", &["authenticated", "optional"]),
        Together::OnlyWhere("require", "access", &["authenticated"]),
        Together::OnlyWhere("when_stale", "access", &["authenticated", "optional"]),
    ],
    name {
        without: Without::Error("verdicts name the policy and the rule"),
        shape: Shape::Text(text::NAME),
        about: "Its name in verdicts and metrics. No two rules of a policy have the same.",
        example: r#""menu-edit""#,
    }
    methods {
        without: Without::Words("every method"),
        shape: Shape::distinct(&Shape::Word(&METHODS), MAX_ITEMS),
        about: "The methods it is for. `GET` implies `HEAD`.",
        example: r#"["GET", "POST"]"#,
    }
    paths {
        without: Without::Error("list the paths of this rule"),
        shape: Shape::distinct(&Shape::Text(text::PATH), MAX_ITEMS),
        about: "The paths it is for, whole ones, below the policy's `prefix`. `*` and `{name}` are one segment that is not empty, `**` whatever follows.",
        example: r#"["/api/orders/{id}/**"]"#,
    }
    access {
        without: Without::Value(r#""authenticated""#),
        shape: Shape::Word(&ACCESS_NAMES),
        about: "`public` looks at no token; `optional` needs none, but one that is there must be good.",
        example: r#""public""#,
    }
    issuers {
        without: Without::Words("those of the policy"),
        shape: ISSUER_NAMES,
        about: "Those of the policy's `issuers` whose tokens count here.",
        example: r#"["own"]"#,
    }
    require {
        without: Without::Words("a valid token suffices"),
        shape: Shape::Object(&REQUIREMENT),
        about: "What else must be so.",
        example: r#"{ "any_role": ["admin", "rider"] }"#,
    }
    when_stale {
        without: Without::Words("as the issuer's `revocations` or `deny_list` say"),
        shape: Shape::Word(&WHEN_STALE_NAMES),
        about: "What becomes of tokens here while what is known of revocations is too old.",
        example: r#""allow""#,
    }
    mode {
        without: Without::Words("as in the policy"),
        shape: Shape::Word(&MODE_NAMES),
        about: "Whether refusals are carried out, or only logged.",
        example: r#""observe""#,
    }
}

object! {
    /// `challenge`, of the document or of a policy.
    CHALLENGE Challenge
    about: "Parameters of `WWW-Authenticate`.",
    together: &[Together::AtLeastOne(&["realm", "resource_metadata"])],
    realm {
        without: Without::Words("`bearward`; in a policy as in the document"),
        shape: Shape::Text(text::REALM),
        about: "The protection space (RFC 9110 section 11.5).",
        example: r#""orders""#,
    }
    resource_metadata {
        without: Without::Words("no such parameter; in a policy as in the document"),
        shape: Shape::Text(text::METADATA),
        about: "Where the metadata of the protected resource stand (RFC 9728 section 5.1).",
        example: r#""https://api.example.com/.well-known/oauth-protected-resource""#,
    }
}

object! {
    /// `paths` of the document.
    PATHS Paths
    about: "What every server behind does alike with paths; else what could be read in two ways is refused.",
    together: &[],
    encoded_slash {
        without: Without::Value(r#""refuse""#),
        shape: Shape::Word(&REFUSE_OR_KEEP_NAMES),
        about: "`keep`: `%2F` may stand in a segment, for servers that do not split there.",
        example: r#""keep""#,
    }
    parameters {
        without: Without::Value(r#""refuse""#),
        shape: Shape::Word(&REFUSE_OR_KEEP_NAMES),
        about: "`keep`: `;` may stand in a segment; what follows it is not matched.",
        example: r#""keep""#,
    }
    non_canonical {
        without: Without::Value(r#""refuse""#),
        shape: Shape::Word(&REFUSE_OR_REPLACE_NAMES),
        about: "`replace`: encoded unreserved characters (`%41`) are decoded, in what is matched and in what is forwarded.",
        example: r#""replace""#,
    }
    letters {
        without: Without::Value(r#""exact""#),
        shape: Shape::Word(&EXACT_OR_FOLDED_NAMES),
        about: "`folded`: letters of ASCII count without case, for servers that fold them.",
        example: r#""folded""#,
    }
    trailing_slash {
        without: Without::Value(r#""exact""#),
        shape: Shape::Word(&EXACT_OR_FOLDED_NAMES),
        about: "`folded`: a slash at the end does not count, for servers that ignore it.",
        example: r#""folded""#,
    }
}
