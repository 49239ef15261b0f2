//! The decision: path, policy, rule, credentials, token, requirement, in this order.

use std::cmp::Reverse;

use crate::claims::VerifiedClaims;
use crate::credentials::{self, AUTHORIZATION};
use crate::host_name::{self, Closeness};
use crate::keys::KeySet;
use crate::path::CanonicalPath;
use crate::policy::{Access, IssuerId, KeySource, Policy, Requirement, Rule, Scope, TrustedIssuer};
use crate::reading::Readings;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::token::UnverifiedToken;

/// The longest method that is looked at, in bytes; the longest registered one has 17.
const MAX_METHOD_BYTES: usize = 64;

/// The keys at hand: one place for each issuer of the policy.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    sets: Vec<Option<KeySet>>,
}

impl KeyRing {
    /// The keys that stand in the policy itself; those that must be fetched are missing.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let fixed = |issuer: &TrustedIssuer| match &issuer.keys {
            KeySource::Fixed(keys) => Some(keys.clone()),
            KeySource::Remote(_) => None,
        };
        Self { sets: policy.issuers.iter().map(fixed).collect() }
    }

    /// Replaces the keys of one issuer.
    pub fn set(&mut self, issuer: IssuerId, keys: KeySet) {
        if let Some(set) = self.sets.get_mut(issuer.0) {
            *set = Some(keys);
        }
    }

    /// The keys of one issuer, where there are any yet.
    #[must_use]
    pub fn get(&self, issuer: IssuerId) -> Option<&KeySet> {
        self.sets.get(issuer.0).and_then(Option::as_ref)
    }
}

/// What was decided, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<'p> {
    /// Forward or reject.
    pub decision: Decision,
    /// The names of the policy and the rule; `None` where no rule matched.
    pub rule: Option<(&'p str, &'p str)>,
    /// The issuer whose token was judged, where one was chosen.
    pub issuer: Option<IssuerId>,
}

/// The rule that some readings of a path come to.
struct Match<'p> {
    readings: Readings,
    scope: &'p Scope,
    rule: &'p Rule,
}

/// Forward or reject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Let it through, with these identity headers: name and value.
    Forward(Vec<(String, String)>),
    /// Refuse it.
    Reject(Rejection),
}

impl Policy {
    /// Decides about a request at the time `now`, in seconds since the epoch.
    ///
    /// What [`Forwarding::removes`](crate::policy::Forwarding::removes) names must have been, or be, removed from the
    /// request, whatever the verdict.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>, keys: &KeyRing, now: u64) -> Verdict<'_> {
        let mut verdict = Verdict { decision: Decision::Reject(Rejection::NoRule), rule: None, issuer: None };
        verdict.decision = match self.judge(request, keys, now, &mut verdict) {
            Ok(headers) => Decision::Forward(headers),
            Err(rejection) => Decision::Reject(rejection),
        };
        verdict
    }

    /// What the upstream is told, and what of the client's it must not be told.
    #[must_use]
    pub fn forwarding(&self) -> &crate::policy::Forwarding {
        &self.forwarding
    }

    fn judge<'p>(
        &'p self,
        request: &Request<'_>,
        keys: &KeyRing,
        now: u64,
        verdict: &mut Verdict<'p>,
    ) -> Result<Vec<(String, String)>, Rejection> {
        let (scope, rule) = self.find_rule(request)?;
        verdict.rule = Some((&scope.name, &rule.name));
        let (issuers, requirement) = match &rule.access {
            Access::Public => return Ok(Vec::new()),
            Access::Optional(issuers) => (issuers, None),
            Access::Authenticated(issuers, requirement) => (issuers, Some(requirement)),
        };
        let token = match credentials::bearer(request.values(AUTHORIZATION)) {
            Err(Rejection::TokenMissing) if requirement.is_none() => return Ok(Vec::new()),
            found => found?,
        };
        let (trusted, claims) = self.verify(token, issuers, keys, now, &mut verdict.issuer)?;
        if let Some(requirement) = requirement {
            requirement.check(&claims)?;
        }
        Ok(self.forwarding.headers(&trusted.name, &claims))
    }

    /// Deny by default: [`Rejection::NoRule`] where nothing names the request.
    ///
    /// A path is matched as it stands. But some servers fold letters or a trailing slash; where such a reading would
    /// come to a rule that is stricter, the request is refused, because we cannot know who is behind.
    fn find_rule(&self, request: &Request<'_>) -> Result<(&Scope, &Rule), Rejection> {
        let method = request.value(b":method").filter(|method| is_method(method));
        let method = method.ok_or(Rejection::RequestMalformed)?;
        let path = CanonicalPath::parse(request.value(b":path").ok_or(Rejection::RequestMalformed)?)?;
        let mut authorities = request.values(b":authority");
        let host = host_name::normalized(authorities.next().unwrap_or_default())
            .ok_or(Rejection::RequestMalformed)?;
        if authorities.next().is_some() {
            return Err(Rejection::RequestMalformed);
        }
        let matched = self.first_matches(&host, method, path);
        let exact = matched.iter().find(|matched| matched.readings.hold_exact()).ok_or(Rejection::NoRule)?;
        if matched.iter().all(|other| exact.rule.is_as_strict_as(other.rule)) {
            Ok((exact.scope, exact.rule))
        } else {
            Err(Rejection::PathAmbiguous)
        }
    }

    /// What each reading of the path comes to. The closest host first, and no other after it, as Envoy chooses a virtual
    /// host; in it the longest prefix; in it the first rule.
    fn first_matches(&self, host: &[u8], method: &[u8], path: CanonicalPath<'_>) -> Vec<Match<'_>> {
        let closest = self.scopes.iter().filter_map(|scope| scope.closeness(host)).max();
        let named = self.scopes.iter().filter(|scope| closest.is_some() && scope.closeness(host) == closest);
        let mut scopes: Vec<_> = named.map(|scope| (scope, scope.prefix.readings(path))).collect();
        scopes.sort_by_key(|(scope, _)| Reverse(scope.prefix.depth()));
        let mut matched = Vec::new();
        let mut without_scope = Readings::ALL;
        for (scope, readings) in scopes {
            let mut without_rule = readings.within(without_scope);
            without_scope = without_scope.without(readings);
            for rule in &scope.rules {
                if without_rule.is_empty() {
                    break;
                }
                let readings = rule.readings(method, path).within(without_rule);
                if !readings.is_empty() {
                    without_rule = without_rule.without(readings);
                    matched.push(Match { readings, scope, rule });
                }
            }
        }
        matched
    }

    /// `iss` is read unverified only to choose among the issuers that the rule trusts: their keys must prove it.
    fn verify(
        &self,
        token: &[u8],
        issuers: &[IssuerId],
        keys: &KeyRing,
        now: u64,
        chosen: &mut Option<IssuerId>,
    ) -> Result<(&TrustedIssuer, VerifiedClaims), Rejection> {
        let token = UnverifiedToken::parse(token)?;
        let claimed = token.claimed_issuer()?;
        let trusted = issuers.iter().filter_map(|id| Some((*id, self.issuers.get(id.0)?)));
        let (id, trusted) = trusted
            .into_iter()
            .find(|(_, trusted)| trusted.issuer.answers_to(claimed))
            .ok_or(Rejection::IssuerMismatch)?;
        *chosen = Some(id);
        token.check_header(&trusted.issuer)?;
        let keys = keys.get(id).ok_or(Rejection::KeysUnavailable)?;
        let claims = VerifiedClaims::validate(token.verify(keys)?, &trusted.issuer, now)?;
        Ok((trusted, claims))
    }
}

/// Capital letters only. Methods are case-sensitive (RFC 9110 section 9.1), but some frameworks turn `delete` into
/// `DELETE` after a rule for `DELETE` has passed it over.
fn is_method(method: &[u8]) -> bool {
    !method.is_empty()
        && method.len() <= MAX_METHOD_BYTES
        && method != b"CONNECT"
        && method.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-')
}

impl Scope {
    fn closeness(&self, host: &[u8]) -> Option<Closeness> {
        self.hosts.iter().filter_map(|pattern| pattern.closeness(host)).max()
    }
}

impl Rule {
    /// Whether this rule matches every request that `other` matches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let methods = match &other.methods {
            None => self.methods.is_none(),
            Some(methods) => methods.iter().all(|method| self.has_method(method.as_bytes())),
        };
        methods && other.paths.iter().all(|path| self.paths.iter().any(|own| own.covers(path)))
    }

    /// GET implies HEAD.
    fn has_method(&self, method: &[u8]) -> bool {
        let named = |own: &String| own.as_bytes() == method || (own == "GET" && method == b"HEAD");
        self.methods.as_ref().is_none_or(|methods| methods.iter().any(named))
    }

    /// Whether nobody who is let in by this rule would be refused by `other`.
    fn is_as_strict_as(&self, other: &Self) -> bool {
        other.access == Access::Public || self.access == other.access
    }

    fn readings(&self, method: &[u8], path: CanonicalPath<'_>) -> Readings {
        if !self.has_method(method) {
            return Readings::NONE;
        }
        self.paths.iter().fold(Readings::NONE, |readings, pattern| {
            if readings == Readings::ALL { readings } else { readings.or(pattern.readings(path)) }
        })
    }
}

impl Requirement {
    fn check(&self, claims: &VerifiedClaims) -> Result<(), Rejection> {
        let has = |role: &String| claims.roles().contains(role);
        let any = self.any_role.is_empty() || self.any_role.iter().any(has);
        if any && self.all_roles.iter().all(has) { Ok(()) } else { Err(Rejection::RoleMissing) }
    }
}

#[cfg(test)]
mod tests;
