//! The decision: path, policy, rule, credentials, token, requirement, in this order.

pub(crate) mod index;
pub(crate) mod matching;
mod revocation;
mod verifying;
pub(crate) mod witness;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use self::matching::RequestLine;
pub use self::witness::Step;
use self::witness::{Fact, Nobody, Witness};
use crate::algorithm::{AlgorithmName, eddsa};
use crate::credentials::{self, Extent};
use crate::edit::{Edit, Edits};
use crate::identity::METHOD_PARAMETER;
use crate::keys::KeySet;
use crate::path::CanonicalPath;
use crate::policy::{Access, ChallengeSettings, IssuerId, KeySource, Mode, Policy, Settings, TrustedIssuer};
use crate::rejection::Rejection;
use crate::request::Request;
use crate::requirement::{Matched, Requirement};
use crate::response::LocalResponse;
use crate::revocations::FeedRing;
use crate::signature_host::{NoSignatureHost, SignatureHost};
use crate::verified_tokens::VerifiedTokens;

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
        let mut sets: Vec<_> = policy.issuers.iter().map(fixed).collect();
        if policy.algorithms().contains(&AlgorithmName::EdDsa) {
            // Before the first keys are there, and once.
            eddsa::prepared::make_ready();
        }
        sets.iter_mut().flatten().for_each(|set| set.prepare(None));
        Self { sets }
    }

    /// Replaces the keys of one issuer.
    pub fn set(&mut self, issuer: IssuerId, mut keys: KeySet) {
        if let Some(set) = self.sets.get_mut(issuer.0) {
            keys.prepare(set.as_ref());
            *set = Some(keys);
        }
    }

    /// Takes the keys of one issuer away: as if they could not be had.
    pub fn forget(&mut self, issuer: IssuerId) {
        if let Some(set) = self.sets.get_mut(issuer.0) {
            *set = None;
        }
    }

    /// The keys of one issuer, where there are any yet.
    #[must_use]
    pub fn get(&self, issuer: IssuerId) -> Option<&KeySet> {
        self.sets.get(issuer.0).and_then(Option::as_ref)
    }
}

/// What tokens are judged with.
#[derive(Clone, Copy)]
pub struct Means<'m> {
    /// The keys at hand.
    pub keys: &'m KeyRing,
    /// Who may verify signatures in the filter's place.
    pub host: &'m dyn SignatureHost,
    /// The tokens that need not be verified again, where any are kept. They must have come of this policy.
    pub known: Option<&'m RefCell<VerifiedTokens>>,
    /// The feeds and deny lists at hand. Tokens of an issuer that has one in the policy and none here are refused with 503.
    pub feeds: &'m FeedRing,
    /// The time, in seconds since the epoch.
    pub now: u64,
    /// And the milliseconds since then.
    pub subsec_ms: u64,
}

impl<'m> Means<'m> {
    /// These keys and this time alone: nobody else verifies, no token is known, and of no feed anything.
    #[must_use]
    pub const fn new(keys: &'m KeyRing, now: u64) -> Self {
        Self { keys, feeds: FeedRing::NONE, host: &NoSignatureHost, known: None, now, subsec_ms: 0 }
    }
}

/// What was decided, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<'p> {
    /// Forward or reject.
    pub decision: Decision,
    /// Why the request would be refused, where the policy only observes.
    pub observed: Option<Rejection>,
    /// The names of the policy and the rule; `None` where no rule matched.
    pub rule: Option<(&'p str, &'p str)>,
    /// The issuer whose token was judged, where one was chosen.
    pub issuer: Option<IssuerId>,
    issuer_name: Option<&'p str>,
    challenge: &'p ChallengeSettings,
    scope: String,
}

/// Forward or reject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Let it through, changed: identity headers set, tokens taken out.
    Forward(Edits),
    /// Refuse it.
    Reject(Rejection),
}

impl Verdict<'_> {
    /// The name, in the policy, of the issuer whose token was judged, where one was chosen.
    #[must_use]
    pub fn issuer_name(&self) -> Option<&str> {
        self.issuer_name
    }

    /// Why the request is refused, or would be where the policy only observes.
    #[must_use]
    pub fn rejection(&self) -> Option<Rejection> {
        match self.decision {
            Decision::Reject(rejection) => Some(rejection),
            Decision::Forward(_) => self.observed,
        }
    }

    /// The same verdict for another reason, found by who asked for it.
    #[must_use]
    pub fn with_reason(mut self, rejection: Rejection) -> Self {
        match &mut self.decision {
            Decision::Reject(reason) => *reason = rejection,
            Decision::Forward(_) => self.observed = Some(rejection),
        }
        self
    }

    /// What the response to a refused client is made of beside the rejection: the settings of the challenge, and the `scope`
    /// that would suffice.
    #[must_use]
    pub fn challenge(&self) -> (&ChallengeSettings, &str) {
        (self.challenge, &self.scope)
    }

    /// What a refused client gets. `grpc`: whether it speaks gRPC.
    #[must_use]
    pub fn response(&self, rejection: Rejection, grpc: bool) -> LocalResponse {
        LocalResponse::with(rejection, grpc, self.challenge, &self.scope)
    }
}

/// Four words for the access log: what is done (`forward`, `reject`, or `observe` for a refusal that is not carried out),
/// the reason, `policy/rule`, the issuer by its name in the policy. `-` stands for what there is not.
impl fmt::Display for Verdict<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = String::new();
        self.write_words(&mut words);
        formatter.write_str(&words)
    }
}

impl Verdict<'_> {
    /// Writes what [`fmt::Display`] shows, without its detours.
    pub fn write_words(&self, words: &mut String) {
        let (word, reason) = match (&self.decision, self.observed) {
            (Decision::Reject(rejection), _) => ("reject", rejection.row().reason),
            (Decision::Forward(_), Some(rejection)) => ("observe", rejection.row().reason),
            (Decision::Forward(_), None) => ("forward", NOTHING),
        };
        let issuer = self.issuer_name.unwrap_or(NOTHING);
        let (policy, slash, rule) = self.rule.map_or((NOTHING, "", ""), |(policy, rule)| (policy, "/", rule));
        let parts = [word, " ", reason, " ", policy, slash, rule, " ", issuer];
        parts.iter().for_each(|part| words.push_str(part));
    }
}

/// What stands in a log in the place of nothing.
const NOTHING: &str = "-";

/// The name, in verdicts, of the rule that lets a CORS preflight through.
const PREFLIGHT: &str = "cors_preflight";

/// What is known of a request by now: it outlives a rejection.
struct Progress<'p> {
    rule: Option<(&'p str, &'p str)>,
    issuer: Option<IssuerId>,
    settings: &'p Settings,
    mode: Mode,
    scope: String,
    edits: Edits,
    /// Whether tokens that go no further are among the edits.
    is_stripped: bool,
}

impl Policy {
    /// Decides about a request at the time `now`, in seconds since the epoch. `host` may verify signatures. No feed of
    /// revocations is at hand.
    ///
    /// What [`Forwarding::removes`](crate::policy::Forwarding::removes) names must have been removed from the request, whatever the
    /// verdict, before its edits are applied.
    #[must_use]
    pub fn decide(
        &self,
        request: &Request<'_>,
        keys: &KeyRing,
        now: u64,
        host: &dyn SignatureHost,
    ) -> Verdict<'_> {
        self.decide_by(request, Means { host, ..Means::new(keys, now) })
    }

    /// The same by all means, a memory of verified tokens among them, which never changes a verdict.
    #[must_use]
    pub fn decide_by(&self, request: &Request<'_>, means: Means<'_>) -> Verdict<'_> {
        self.decide_before(request, means, &mut Nobody)
    }

    /// The same before somebody who looks on, and changes nothing.
    pub(crate) fn decide_before(
        &self,
        request: &Request<'_>,
        means: Means<'_>,
        witness: &mut impl Witness,
    ) -> Verdict<'_> {
        let mut progress = self.start();
        let judged = self.judge(request, means, &mut progress, witness);
        let is_observed = judged.is_err() && progress.mode == Mode::Observe;
        if is_observed && self.forwarding.remove_token && !progress.is_stripped {
            progress.edits.extend(credentials::removal(&self.sources, None, Extent::Tokens, request));
        }
        let Progress { rule, issuer, settings, mode, scope, edits, .. } = progress;
        let (decision, observed) = match (judged, mode) {
            (Ok(()), _) => (Decision::Forward(edits), None),
            (Err(rejection), Mode::Enforce) => (Decision::Reject(rejection), None),
            (Err(rejection), Mode::Observe) => (Decision::Forward(edits), Some(rejection)),
        };
        let issuer_name = issuer.and_then(|id| self.issuers.get(id.0)).map(|issuer| issuer.name.as_str());
        Verdict { decision, observed, rule, issuer, issuer_name, challenge: &settings.challenge, scope }
    }

    fn start(&self) -> Progress<'_> {
        Progress {
            rule: None,
            issuer: None,
            settings: &self.defaults,
            // Until a policy is found, it may be one that enforces.
            mode: if self.enforces() { Mode::Enforce } else { Mode::Observe },
            scope: String::new(),
            edits: Edits::NONE,
            is_stripped: false,
        }
    }

    /// Where the policy that applies to a request looks for a token.
    #[cfg(any(test, feature = "explain"))]
    pub(crate) fn sources_for(&self, request: &Request<'_>, means: Means<'_>) -> &[credentials::Source] {
        let mut progress = self.start();
        // Whatever it comes to: what is asked is known by then, or nothing applies.
        let _ = self.judge(request, means, &mut progress, &mut Nobody);
        &progress.settings.credentials
    }

    fn enforces(&self) -> bool {
        self.defaults.mode == Mode::Enforce || self.scopes.iter().any(crate::policy::Scope::enforces)
    }

    /// What the upstream is told, and what of the client's it must not be told.
    #[must_use]
    pub fn forwarding(&self) -> &crate::policy::Forwarding {
        &self.forwarding
    }

    /// Whether a trailer must not reach the upstream: what must not as a header, and what some servers that merge trailers
    /// into headers would take for a token. No credentials belong there (RFC 9110 section 6.5.1).
    #[must_use]
    pub fn removes_trailer(&self, name: &[u8]) -> bool {
        self.forwarding.removes(name) || credentials::may_stand_in(&self.sources, name)
    }

    fn judge<'p>(
        &'p self,
        request: &Request<'_>,
        means: Means<'_>,
        progress: &mut Progress<'p>,
        witness: &mut impl Witness,
    ) -> Result<(), Rejection> {
        witness.begin(Step::Path);
        let line = RequestLine::of(request, self.paths)?;
        let path = CanonicalPath::parse_with(&line.target, self.paths)?;
        witness.see(|| Fact::Path { line: &line, path: &path });
        if line.names_another_method(request)? && !self.forwarding.keeps(METHOD_PARAMETER) {
            return Err(Rejection::RequestMalformed);
        }
        if self.forwarding.is_told_to_drop(request) {
            return Err(Rejection::RequestMalformed);
        }
        witness.begin(Step::Rule);
        let place = self.find_place(&line, &path, request, progress, witness)?;
        witness.see(|| Fact::Place(place));
        if line.is_replaced {
            progress.edits.push(Edit::set(":path", line.target.as_ref()));
        }
        let sources = &progress.settings.credentials;
        // Where a path was replaced, its query is in the replaced target.
        let request = &line.replaced_in(request);
        let unread = |kept, extent| credentials::removal(&self.sources, kept, extent, request);
        let removes = self.forwarding.remove_token;
        progress.is_stripped = true;
        witness.begin(Step::Credentials);
        let (issuers, requirement) = match place.map(|rule| (rule, &rule.access)) {
            // A preflight carries no credentials (Fetch, section 3.2.5).
            None => {
                progress.edits.extend(unread(None, Extent::Places));
                return Ok(());
            }
            // Where no token is looked at it stays, unless the policy wants none to reach the upstream.
            Some((_, Access::Public)) => {
                if removes {
                    progress.edits.extend(unread(None, Extent::Tokens));
                }
                return Ok(());
            }
            Some((_, Access::Optional(issuers))) => (issuers, None),
            Some((rule, Access::Authenticated(issuers, requirement))) => (issuers, Some((rule, requirement))),
        };
        let found = credentials::find(sources, request);
        if let Some(rule) = place {
            witness.see(|| Fact::Credentials { access: &rule.access, sources, found });
        }
        let is_nobodys = requirement.is_none() && found == Err(Rejection::TokenMissing);
        // Also before a refusal, which may only be observed.
        if removes || is_nobodys || found.is_ok() {
            let kept = found.ok().filter(|_| !removes).map(|found| found.source);
            // A request of nobody may come with credentials for the upstream itself.
            let extent = if is_nobodys { Extent::Tokens } else { Extent::Places };
            progress.edits.extend(unread(kept, extent));
        }
        if is_nobodys {
            return Ok(());
        }
        let proved = self.verify(found?.token, issuers, means, &mut progress.issuer, witness)?;
        let claims = &proved.claims;
        let told = proved.told.as_ref().map_err(|rejection| *rejection)?;
        witness.begin(Step::Revocation);
        Self::check_revocations(&proved, place.and_then(|rule| rule.when_stale), means, witness)?;
        // Also where it is only observed that the rule asks for more; never of a token that has ended.
        progress.edits.tell(Rc::clone(told));
        let Some((rule, requirement)) = requirement else { return Ok(()) };
        witness.begin(Step::Requirement);
        let matched = Matched { path: &path, patterns: &rule.paths, readings: self.paths.possible() };
        witness.see(|| Fact::Requirement { requirement, claims, matched });
        requirement.check(claims, matched).inspect_err(|_| progress.scope = scope_of(requirement))
    }
}

/// The scope tokens of RFC 6749 section 3.3 that would suffice.
fn scope_of(requirement: &Requirement) -> String {
    let is_scope_token = |word: &&str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    requirement.scopes().filter(is_scope_token).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
