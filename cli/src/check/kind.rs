//! What is suspicious: the one table, of which the help and `docs/check.md` are made.

use bearward_core::policy::SuspicionKind;
use clap::ValueEnum;

/// A kind of suspicion: its name, and what it says.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// An issuer's tokens may lack `iss` or `aud`
    AcceptMissing,
    /// An issuer's tokens may have the type JWT, as its ID tokens do
    JwtType,
    /// An issuer's tokens are signed with a secret that whoever verifies them has, too
    SharedSecret,
    /// Tokens are let in while nobody knows which of them are revoked
    StaleAllowed,
    /// Refusals are only logged, not carried out
    Observe,
    /// A token may stand in the query, which ends up in logs
    TokenInQuery,
    /// A cookie with a token is taken from a site without TLS
    CookieWithoutTls,
    /// Paths are kept, spelled anew or folded, which is safe only where every server behind does the same
    LenientPaths,
    /// Clients may send headers or parameters that change for some upstreams what was judged
    KeptOverride,
    /// An earlier rule takes a part of a later one's requests and asks for something else
    ShadowedRule,
    /// A public path lies below one that another rule asks a token for
    PublicBelowProtected,
    /// A secret stands in the configuration itself
    SecretInClear,
    /// Other filters stand between Bearward and the router, or there is no router
    NotBeforeRouter,
    /// Bearward is disabled, optional, or behind a matcher, for all or for some routes
    DisabledFilter,
    /// A route or a filter changes path or host after the decision about them
    PathChangedAfter,
    /// A route writes an identity header, which upstreams believe
    IdentityHeaderAdded,
    /// An upgrade such as WebSocket has filters of its own, without Bearward
    UpgradeWithoutFilter,
    /// Headers with underscores pass, which many servers read as those with hyphens
    UnderscoreHeaders,
    /// Keys, the feed of revocations or a deny list are fetched without TLS from another machine
    KeysWithoutTls,
    /// Envoy's admin interface can be reached from other machines
    OpenAdmin,
    /// A listener without Bearward routes to a cluster that Bearward guards elsewhere
    UnguardedRoute,
}

impl Kind {
    /// Its name, as in `--allow`.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

impl From<SuspicionKind> for Kind {
    fn from(kind: SuspicionKind) -> Self {
        match kind {
            SuspicionKind::AcceptMissing => Self::AcceptMissing,
            SuspicionKind::JwtType => Self::JwtType,
            SuspicionKind::SharedSecret => Self::SharedSecret,
            SuspicionKind::StaleAllowed => Self::StaleAllowed,
            SuspicionKind::Observe => Self::Observe,
            SuspicionKind::TokenInQuery => Self::TokenInQuery,
            SuspicionKind::CookieWithoutTls => Self::CookieWithoutTls,
            SuspicionKind::LenientPaths => Self::LenientPaths,
            SuspicionKind::KeptOverride => Self::KeptOverride,
            SuspicionKind::ShadowedRule => Self::ShadowedRule,
            SuspicionKind::PublicBelowProtected => Self::PublicBelowProtected,
        }
    }
}
