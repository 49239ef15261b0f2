//! The policy: a document, compiled into what cannot be invalid.
//!
//! Parts: `issuers` (whom to trust), `scopes` (the document's `policies`: hosts, prefix, rules), `forward` (what the
//! upstream is told). The reading of each stands in a module of its own; all problems are reported at once. Which fields
//! there are stands in one table, [`fields`].

mod challenge;
mod compile;
mod credentials;
mod document;
pub mod fields;
mod forward;
mod issuers;
mod methods;
mod paths;
mod read;
mod requirement;
mod rules;
mod suspicions;
mod weakenings;

pub use challenge::ChallengeSettings;
pub use forward::{Forwarding, Source};
pub use issuers::TrustedIssuer;
pub use issuers::deny_list::DenyListSource;
pub use issuers::keys::{KeySource, RemoteKeys};
pub use issuers::revocations::{ANSWER_MS, Credential, RevocationFeed, WhenStale};
pub use suspicions::{Suspicion, SuspicionKind};

use serde_json::Value;

use crate::algorithm::AlgorithmName;
use crate::credentials::Source as TokenSource;
use crate::decide::index::RuleIndex;
use crate::host_name::HostPattern;
use crate::path::PathSettings;
use crate::pattern::Pattern;
use crate::problem::Problems;
use crate::requirement::Requirement;

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
    pub(crate) paths: PathSettings,
    /// Every place of the document where a token may stand: what stands there unread goes no further, whichever policy
    /// applies.
    pub(crate) sources: Vec<TokenSource>,
    /// What holds where no scope says otherwise.
    pub(crate) defaults: Settings,
}

/// What the document sets for all of its policies, and each of them for itself.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    /// Where tokens may stand, the first that holds one first.
    pub(crate) credentials: Vec<TokenSource>,
    pub(crate) challenge: ChallengeSettings,
}

/// Whether a refusal is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Enforce,
    /// It is only counted and logged, and the request goes on.
    Observe,
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
    /// Where there are many.
    pub(crate) index: Option<RuleIndex>,
    pub(crate) settings: Settings,
    /// Whether a CORS preflight needs no token.
    pub(crate) allows_preflight: bool,
}

/// One rule of a scope.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// `None`: every method.
    pub(crate) methods: Option<Vec<String>>,
    pub(crate) paths: Vec<Pattern>,
    pub(crate) access: Access,
    pub(crate) mode: Mode,
    /// In place of what the issuers say.
    pub(crate) when_stale: Option<WhenStale>,
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

    /// Whether policies are told apart by host, so that the host must be read as whoever routes reads it.
    #[must_use]
    pub fn names_hosts(&self) -> bool {
        self.scopes.iter().flat_map(|scope| &scope.hosts).any(|host| *host != HostPattern::Any)
    }

    /// The algorithms that some issuer's tokens may have, each once.
    #[must_use]
    pub fn algorithms(&self) -> Vec<AlgorithmName> {
        let is_listed =
            |name: &AlgorithmName| self.issuers.iter().any(|trusted| trusted.issuer.allows_algorithm(*name));
        AlgorithmName::ALL.iter().copied().filter(is_listed).collect()
    }

    /// The trusted issuers, each with its position.
    pub fn issuers(&self) -> impl Iterator<Item = (IssuerId, &TrustedIssuer)> {
        self.issuers.iter().enumerate().map(|(index, issuer)| (IssuerId(index), issuer))
    }
}

#[cfg(test)]
mod tests;
