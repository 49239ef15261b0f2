//! What somebody should look at in a policy, although nothing is wrong with it.

#[cfg(any(test, feature = "explain"))]
mod overlaps;

/// One thing worth a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// What it is.
    pub kind: SuspicionKind,
    /// The path of the field, as in a [`crate::problem::Problem`]. Where a default is meant, the field is not there.
    pub path: String,
    /// A sentence: what may be wrong, and the way out. Never holds a secret.
    pub text: String,
}

/// What is suspicious of a policy by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspicionKind {
    /// An issuer's tokens may lack `iss` or `aud`.
    AcceptMissing,
    /// An issuer's ID tokens pass for access tokens.
    JwtType,
    /// Whoever verifies can sign.
    SharedSecret,
    /// What has ended passes while the feed is away.
    StaleAllowed,
    /// Refusals are not carried out.
    Observe,
    /// A token may stand in the query.
    TokenInQuery,
    /// A site without TLS may use the cookie.
    CookieWithoutTls,
    /// Paths are kept, spelled anew or folded.
    LenientPaths,
    /// Clients may send what changes for some upstreams what was judged.
    KeptOverride,
    /// An earlier rule takes a part of a later one's requests, and asks for something else.
    ShadowedRule,
    /// A public path among those of a rule that is not public.
    PublicBelowProtected,
}

impl Suspicion {
    pub(super) fn new(kind: SuspicionKind, path: String, text: impl Into<String>) -> Self {
        Self { kind, path, text: text.into() }
    }
}
