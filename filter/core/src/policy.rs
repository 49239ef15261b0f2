//! The policy: a document, compiled into what cannot be invalid.
//!
//! Parts: `issuers` (whom to trust), `scopes` (the document's `policies`: hosts, prefix, rules), `forward` (what the
//! upstream is told). The reading of each stands in a module of its own; all problems are reported at once.

mod compile;
mod document;
mod forward;
mod issuers;
mod read;
mod rules;

pub use forward::{Forwarding, Source};
pub use issuers::{KeySource, RemoteKeys, TrustedIssuer};

use serde_json::Value;

use crate::host_name::HostPattern;
use crate::issuer::PLAIN_JWT_TYPE;
use crate::pattern::Pattern;
use crate::problem::Problems;

/// The largest document, in bytes.
pub const MAX_POLICY_BYTES: usize = 1024 * 1024;

/// Looks up a secret by the name of an environment variable. The core knows no environment; the adapter does.
pub type Secrets<'a> = dyn Fn(&str) -> Option<Vec<u8>> + 'a;

/// A compiled policy document.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) issuers: Vec<TrustedIssuer>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) forwarding: Forwarding,
}

/// The position of an issuer in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(pub(crate) usize);

/// One of the document's `policies`.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) name: String,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) prefix: Pattern,
    pub(crate) rules: Vec<Rule>,
}

/// One rule of a scope.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// `None`: every method.
    pub(crate) methods: Option<Vec<String>>,
    pub(crate) paths: Vec<Pattern>,
    pub(crate) access: Access,
}

/// Who gets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody; no token is looked at.
    Public,
    /// Everybody; a token that is there must be valid, and one of these issuers'.
    Optional(Vec<IssuerId>),
    /// Whoever holds a valid token of one of these issuers, and what is required.
    Authenticated(Vec<IssuerId>, Requirement),
}

/// What a rule requires of verified claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// One of these, unless the list is empty.
    pub(crate) any_role: Vec<String>,
    /// Each of these.
    pub(crate) all_roles: Vec<String>,
}

impl Policy {
    /// Reads and compiles a policy: JSON, or the protobuf bytes of a `google.protobuf.Struct`.
    ///
    /// # Errors
    /// All that is wrong with it, each with the path of its field.
    pub fn parse(text: &[u8], secrets: &Secrets<'_>) -> Result<Self, Problems> {
        if text.len() > MAX_POLICY_BYTES {
            return Err(Problems::of_document(format!("the policy is larger than {MAX_POLICY_BYTES} bytes")));
        }
        let value = document::read(text)?;
        Self::compile(&value, secrets)
    }

    /// Compiles a policy that is part of a document already parsed.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn compile(document: &Value, secrets: &Secrets<'_>) -> Result<Self, Problems> {
        compile::compile(document, secrets)
    }

    /// What the policy allows although a stricter one would not: each with the issuer that it concerns.
    pub fn weakenings(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.issuers.iter().flat_map(|trusted| {
            let issuer = &trusted.issuer;
            let plain_type = issuer.token_types.iter().any(|typ| typ == PLAIN_JWT_TYPE);
            let symmetric = issuer.algorithms.iter().any(|algorithm| algorithm.is_symmetric());
            let found = [
                (
                    issuer.accept_missing_iss,
                    "accepts tokens that do not say who issued them (accept_missing: [iss])",
                ),
                (
                    issuer.accept_missing_aud,
                    "accepts tokens that were meant for anybody (accept_missing: [aud])",
                ),
                (plain_type, "accepts tokens of the type JWT: an ID token passes for an access token"),
                (symmetric, "uses HS256: everyone who can verify its tokens can also sign them"),
            ];
            found.into_iter().filter(|(is_so, _)| *is_so).map(|(_, text)| (trusted.name.as_str(), text))
        })
    }

    /// Whether policies are told apart by host, so that the host must be read as whoever routes reads it.
    #[must_use]
    pub fn names_hosts(&self) -> bool {
        self.scopes.iter().flat_map(|scope| &scope.hosts).any(|host| *host != HostPattern::Any)
    }

    /// The trusted issuers, each with its position.
    pub fn issuers(&self) -> impl Iterator<Item = (IssuerId, &TrustedIssuer)> {
        self.issuers.iter().enumerate().map(|(index, issuer)| (IssuerId(index), issuer))
    }
}

#[cfg(test)]
mod tests;
