//! Who looks on while a decision is made: nobody in the proxy, and [`explain`](crate::explain) on the command line.
//!
//! So an explanation is the decision, not a second one that could come to something else. What nobody looks at costs
//! nothing: [`Nobody`] never calls the closures, and the compiler leaves them out.

use super::matching::{RequestLine, RuleMatch, ScopeMatch};
use crate::claims::VerifiedClaims;
use crate::credentials::{Found, Source};
use crate::issuer::Issuer;
use crate::json::Members;
use crate::keys::KeySet;
use crate::path::CanonicalPath;
use crate::policy::{Access, Rule, TrustedIssuer};
use crate::rejection::Rejection;
use crate::requirement::{Matched, Requirement};
use crate::revocations::deny_list::{DeniableToken, Denied};
use crate::revocations::{Concern, RevocableToken};
use crate::token::UnverifiedToken;

/// The steps of a decision, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The request line, and the path in canonical form.
    Path,
    /// Policy and rule.
    Rule,
    /// Where the token stands.
    Credentials,
    /// Form and JOSE header of the token, and whose it says that it is.
    Header,
    /// The key that the header names.
    Key,
    /// Whether the signature holds.
    Signature,
    /// The registered claims, the subject, the roles.
    Claims,
    /// Whether the token was taken back.
    Revocation,
    /// What the rule requires of the claims.
    Requirement,
}

/// What a step looks at.
#[cfg_attr(not(any(test, feature = "explain")), expect(dead_code, reason = "only an explanation reads them"))]
pub(crate) enum Fact<'f> {
    Path {
        line: &'f RequestLine<'f>,
        path: &'f CanonicalPath<'f>,
    },
    /// The policies that readings of the path come to.
    Scopes {
        scopes: &'f [ScopeMatch<'f>],
        line: &'f RequestLine<'f>,
        path: &'f CanonicalPath<'f>,
    },
    /// The rules that readings of the path come to.
    Rules {
        matched: &'f [RuleMatch<'f>],
        scopes: &'f [ScopeMatch<'f>],
        line: &'f RequestLine<'f>,
        path: &'f CanonicalPath<'f>,
    },
    /// The rule that decides; `None` for a preflight that is let through.
    Place(Option<&'f Rule>),
    Credentials {
        access: &'f Access,
        sources: &'f [Source],
        found: Result<Found<'f, 'f>, Rejection>,
    },
    /// A token before anything of it is read.
    Compact(&'f [u8]),
    Token {
        token: &'f UnverifiedToken<'f>,
        issuers: Vec<&'f TrustedIssuer>,
    },
    Issuer {
        trusted: &'f TrustedIssuer,
        token: &'f UnverifiedToken<'f>,
    },
    Keys {
        keys: Option<&'f KeySet>,
        token: &'f UnverifiedToken<'f>,
    },
    Claims {
        payload: &'f Members,
        issuer: &'f Issuer,
    },
    Revocation(Looked<'f>),
    Requirement {
        requirement: &'f Requirement,
        claims: &'f VerifiedClaims,
        matched: Matched<'f>,
    },
}

/// What a token's end is looked up in, and what came of it.
#[cfg_attr(not(any(test, feature = "explain")), expect(dead_code, reason = "only an explanation reads them"))]
pub(crate) enum Looked<'f> {
    /// The issuer has none.
    NoFeed,
    /// Nothing has come of it yet.
    Unknown,
    /// It is too old.
    Stale { age_ms: Option<u64>, allowed_seconds: u64 },
    /// Its records were asked.
    Judged {
        token: RevocableToken<'f>,
        concern: Option<Concern>,
        records: usize,
        age_ms: Option<u64>,
        is_stale: bool,
    },
    /// Nothing has come of the deny list yet.
    NoList,
    /// The deny list is too old.
    StaleList { age_seconds: Option<u64>, allowed_seconds: u64 },
    /// Its entries were asked.
    Listed {
        token: DeniableToken<'f>,
        denied: Option<Denied>,
        entries: usize,
        age_seconds: Option<u64>,
        is_stale: bool,
    },
}

/// Looks on.
pub(crate) trait Witness {
    /// A step begins: those before it are passed.
    fn begin(&mut self, _step: Step) {}

    /// What the step looks at.
    fn see<'f>(&mut self, _fact: impl FnOnce() -> Fact<'f>) {}
}

/// Looks on nowhere.
pub(super) struct Nobody;

impl Witness for Nobody {}
