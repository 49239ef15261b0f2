//! Whom to trust, for what, and how to read his claims.

use bearward_protocol::claims::ACCESS_TOKEN_TYPE;

use crate::algorithm::AlgorithmName;

/// A trusted issuer of tokens. His keys are held apart, because they change.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The exact `iss` (RFC 7519 section 4.1.1; compared as bytes). `None`: only tokens without one.
    pub(crate) iss: Option<String>,
    /// Whether a token without `iss` is taken for one of this issuer's.
    pub(crate) accept_missing_iss: bool,
    /// Whether a token without `aud` is accepted.
    pub(crate) accept_missing_aud: bool,
    /// Accepted audiences; one of them must be in `aud`.
    pub(crate) audiences: Vec<String>,
    pub(crate) algorithms: Vec<AlgorithmName>,
    /// In the form of [`normalized_type`].
    pub(crate) token_types: Vec<String>,
    pub(crate) leeway_seconds: u64,
    pub(crate) claims: ClaimMapping,
    /// Whether a feed says what has ended early: then its tokens must say what records name.
    pub(crate) has_feed: bool,
    /// Whether a deny list does: then what it names must be of the right type where a token has it.
    pub(crate) has_deny_list: bool,
}

/// Where the subject and the roles stand in the payload. A path is a list of member names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMapping {
    pub(crate) subject: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) separator: Separator,
    pub(crate) grants: Grants,
}

/// How many roles a string holds: never a guess, since a role may have a space in its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separator {
    /// One. The claim may also be an array of such.
    None,
    /// As many as words, as `scope` (RFC 8693 section 4.2). Nothing but one string holds them.
    Space,
}

/// Which roles an issuer may grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Grants {
    /// Whatever the token says. Only where no other issuer is trusted.
    Any,
    /// Whatever the token says, with this before it, so that it cannot be taken for another issuer's role.
    Prefixed(String),
    /// Only these; any other role of the token is dropped.
    Listed(Vec<String>),
}

impl Issuer {
    /// An issuer of access tokens by RFC 9068: `at+jwt`, EdDSA, subject in `sub`, roles in `roles`, 30 s of leeway.
    #[must_use]
    pub fn rfc9068(iss: &str, audiences: &[String]) -> Self {
        Self {
            iss: Some(iss.to_owned()),
            accept_missing_iss: false,
            accept_missing_aud: false,
            audiences: audiences.to_vec(),
            algorithms: vec![AlgorithmName::EdDsa],
            token_types: vec![ACCESS_TOKEN_TYPE.to_owned()],
            leeway_seconds: DEFAULT_LEEWAY_SECONDS,
            claims: ClaimMapping::default(),
            has_feed: false,
            has_deny_list: false,
        }
    }

    /// The same issuer, signing with this algorithm alone.
    #[must_use]
    pub fn with_algorithm(self, algorithm: AlgorithmName) -> Self {
        Self { algorithms: vec![algorithm], ..self }
    }

    /// The `iss` of its tokens, where they have one.
    #[must_use]
    pub fn iss(&self) -> Option<&str> {
        self.iss.as_deref()
    }

    /// Whether a token that says this of its issuer is to be judged by this issuer's keys.
    #[must_use]
    pub fn answers_to(&self, claimed: Option<&str>) -> bool {
        match claimed {
            Some(iss) => self.iss.as_deref() == Some(iss),
            None => self.accept_missing_iss,
        }
    }

    /// The algorithms that its tokens may have: keys are read for these only.
    #[must_use]
    pub fn algorithms(&self) -> &[AlgorithmName] {
        &self.algorithms
    }

    pub(crate) fn allows_algorithm(&self, algorithm: AlgorithmName) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// `typ` is optional (RFC 7519 section 5.1): without it a token counts as a plain `JWT`.
    pub(crate) fn allows_type(&self, typ: Option<&str>) -> bool {
        let typ = normalized_type(typ.unwrap_or(PLAIN_JWT_TYPE));
        self.token_types.contains(&typ)
    }
}

/// The leeway for clock skew where none is configured.
pub const DEFAULT_LEEWAY_SECONDS: u64 = 30;

/// The `typ` of a JWT that does not say more of itself.
pub(crate) const PLAIN_JWT_TYPE: &str = "jwt";

/// A media type in lower case and without `application/` (RFC 7515 section 4.1.9).
pub(crate) fn normalized_type(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(rest) if !rest.contains('/') => rest.to_owned(),
        _ => lower,
    }
}

impl ClaimMapping {
    /// Whether the claim at this path is the one whose roles count only as far as the issuer may grant them.
    pub(crate) fn hold_granted(&self, path: &[String]) -> bool {
        self.grants != Grants::Any && (self.roles.starts_with(path) || path.starts_with(&self.roles))
    }

    /// Whether there is a token that has this role.
    pub(crate) fn could_grant(&self, role: &str) -> bool {
        match &self.grants {
            Grants::Any => self.could_hold(role),
            Grants::Prefixed(prefix) => {
                role.strip_prefix(prefix.as_str()).is_some_and(|own| !own.is_empty() && self.could_hold(own))
            }
            Grants::Listed(listed) => listed.iter().any(|own| own == role) && self.could_hold(role),
        }
    }

    /// Whether the claim could hold this role.
    pub(crate) fn could_hold(&self, role: &str) -> bool {
        self.separator == Separator::None || !role.contains(' ')
    }
}

impl Default for ClaimMapping {
    fn default() -> Self {
        Self {
            subject: vec!["sub".to_owned()],
            roles: vec!["roles".to_owned()],
            separator: Separator::None,
            grants: Grants::Any,
        }
    }
}
