//! Which policy and rule a request comes to.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::witness::{Fact, Witness};
use super::{PREFLIGHT, Progress};
use crate::credentials::query_holds;
use crate::host_name::{self, Closeness};
use crate::identity::{METHOD_PARAMETER, names_another_method};
use crate::path::{CanonicalPath, PathSettings};
use crate::policy::{Access, Mode, Policy, Rule, Scope, WhenStale};
use crate::reading::Readings;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::short::Short;
use crate::wide::is_same;

/// The longest method that is looked at, in bytes; the longest registered one has 17.
const MAX_METHOD_BYTES: usize = 64;

/// One for each reading that comes to another, of which an ordinary path has none or one.
type Few<T> = Short<T, 2>;

/// What rules are chosen by.
pub(crate) struct RequestLine<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) host: Cow<'a, [u8]>,
    /// As it is judged and forwarded.
    pub(crate) target: Cow<'a, [u8]>,
    pub(crate) is_replaced: bool,
}

/// The policy that some readings of a path come to.
pub(crate) struct ScopeMatch<'p> {
    pub(crate) readings: Readings,
    pub(crate) scope: &'p Scope,
}

/// The rule that some readings of a path come to.
pub(crate) struct RuleMatch<'p> {
    pub(crate) readings: Readings,
    scope: &'p Scope,
    pub(crate) rule: &'p Rule,
}

impl<'a> RequestLine<'a> {
    pub(super) fn of(request: &Request<'a>, paths: PathSettings) -> Result<Self, Rejection> {
        let method = request.value(b":method").filter(|method| is_method(method));
        let method = method.ok_or(Rejection::RequestMalformed)?;
        let target = request.value(b":path").ok_or(Rejection::RequestMalformed)?;
        let mut authorities = request.values(b":authority");
        let host = host_name::normalized(authorities.next().unwrap_or_default())
            .ok_or(Rejection::RequestMalformed)?;
        if authorities.next().is_some() {
            return Err(Rejection::RequestMalformed);
        }
        let judged = paths.target(target);
        // Where nothing was to be replaced, nothing has to be compared: a query may be long.
        let is_replaced = matches!(&judged, Cow::Owned(owned) if owned != target);
        Ok(Self { method, host, target: judged, is_replaced })
    }

    /// The request with the target that is forwarded.
    pub(super) fn replaced_in<'r>(&'r self, request: &'r Request<'r>) -> Cow<'r, Request<'r>> {
        if !self.is_replaced {
            return Cow::Borrowed(request);
        }
        let replaced = request
            .headers()
            .map(|(name, value)| if name == b":path" { (name, self.target.as_ref()) } else { (name, value) });
        Cow::Owned(Request::new(replaced.collect()).followed(request.has_more()))
    }

    /// Whether the query makes another method of it for some upstream, which they look for in a POST only.
    pub(super) fn names_another_method(&self, request: &Request<'_>) -> Result<bool, Rejection> {
        if self.method == b"POST" { query_holds(request, METHOD_PARAMETER) } else { Ok(false) }
    }

    /// A CORS preflight (Fetch, section 3.2.2), and nothing else that uses OPTIONS: it has no body, and asks for no
    /// other method.
    fn is_preflight(&self, request: &Request<'_>) -> bool {
        let one = |name: &[u8]| request.value(name).is_some_and(|value| !value.is_empty());
        let says_more = |name: &[u8], value: &[u8]| match name {
            b"content-length" => value != b"0",
            b"transfer-encoding" => true,
            name => names_another_method(name),
        };
        self.method == b"OPTIONS"
            && !request.has_more()
            && one(b"origin")
            && one(b"access-control-request-method")
            && !request.headers().any(|(name, value)| says_more(name, value))
    }
}

impl Policy {
    /// The rule that decides, or `None` for a preflight that is let through. Deny by default: [`Rejection::NoRule`] where
    /// nothing names the request.
    ///
    /// A path is matched as it stands, or as the settings say that every server behind folds it. But some servers fold
    /// more; where such a reading would come to a rule that is stricter, or to none, the request is refused, because we
    /// cannot know who is behind.
    pub(super) fn find_place<'p>(
        &'p self,
        line: &RequestLine<'_>,
        path: &CanonicalPath<'_>,
        request: &Request<'_>,
        progress: &mut Progress<'p>,
        witness: &mut impl Witness,
    ) -> Result<Option<&'p Rule>, Rejection> {
        let home = self.paths.home();
        let scopes = self.scopes_of(&line.host, path);
        witness.see(|| Fact::Scopes { scopes: &scopes, line, path });
        let own = scopes.iter().find(|found| found.readings.hold(home));
        if own.is_none() && !scopes.is_empty() {
            // Another reading comes to a policy: what that would not let through is not let through.
            progress.mode = mode_of(scopes.iter().any(|found| found.scope.enforces()));
        } else if scopes.is_empty() {
            progress.mode = self.defaults.mode;
        }
        let scope = own.ok_or(Rejection::NoRule)?.scope;
        progress.settings = &scope.settings;
        // Where one reading comes to a policy that enforces, an ambiguity is refused.
        let one_enforces = scopes.iter().any(|found| found.scope.settings.mode == Mode::Enforce);
        progress.mode = mode_of(one_enforces);
        let matched = rules_of(&scopes, line.method, path);
        // A rule that names OPTIONS means it.
        let means_it = matched.iter().any(|found| found.rule.methods.is_some());
        let allowed = scopes.iter().all(|found| found.scope.allows_preflight);
        if allowed && !means_it && line.is_preflight(request) {
            progress.rule = Some((&scope.name, PREFLIGHT));
            return Ok(None);
        }
        witness.see(|| Fact::Rules { matched: &matched, scopes: &scopes, line, path });
        let enforces = matched.iter().any(|found| found.rule.mode == Mode::Enforce);
        let Some(own) = matched.iter().find(|found| found.readings.hold(home)) else {
            progress.mode = mode_of(one_enforces || enforces);
            return Err(Rejection::NoRule);
        };
        // Where no rule names what a reading comes to, that is refused: nothing is stricter.
        let named = matched.iter().fold(Readings::NONE, |named, found| named.or(found.readings));
        let unnamed = self.paths.possible().without(named);
        progress.mode = mode_of(enforces || self.enforces_for(unnamed, &scopes));
        if !unnamed.is_empty() || !matched.iter().all(|other| own.is_as_strict_as(other)) {
            return Err(Rejection::PathAmbiguous);
        }
        progress.rule = Some((&scope.name, &own.rule.name));
        progress.mode = own.rule.mode;
        Ok(Some(own.rule))
    }

    /// Whether some of these readings come to a policy that enforces, or to none where the document does.
    fn enforces_for(&self, readings: Readings, scopes: &[ScopeMatch<'_>]) -> bool {
        let mut without_scope = readings;
        let mut enforces = false;
        for found in scopes {
            let is_meant = !readings.within(found.readings).is_empty();
            enforces |= is_meant && found.scope.settings.mode == Mode::Enforce;
            without_scope = without_scope.without(found.readings);
        }
        enforces || (!without_scope.is_empty() && self.defaults.mode == Mode::Enforce)
    }

    /// What policy each reading of the path comes to. The closest host first, and no other after it, as Envoy chooses a
    /// virtual host; in it the longest prefix.
    fn scopes_of(&self, host: &[u8], path: &CanonicalPath<'_>) -> Few<ScopeMatch<'_>> {
        let closest = self.scopes.iter().filter_map(|scope| scope.closeness(host)).max();
        let named = self.scopes.iter().filter(|scope| closest.is_some() && scope.closeness(host) == closest);
        let mut found: Few<_> =
            named.map(|scope| ScopeMatch { readings: scope.prefix.readings(path), scope }).collect();
        found.sort_by_key(|found| Reverse(found.scope.prefix.depth()));
        // The readings of a server that does not fold what the settings say that it does are nobody's.
        let mut without_scope = self.paths.possible();
        for found in &mut found {
            let readings = found.readings;
            found.readings = readings.within(without_scope);
            without_scope = without_scope.without(readings);
        }
        found.retain(|found| !found.readings.is_empty());
        found
    }
}

fn mode_of(enforces: bool) -> Mode {
    if enforces { Mode::Enforce } else { Mode::Observe }
}

/// What rule each reading of the path comes to: in its policy the first that matches.
fn rules_of<'p>(scopes: &[ScopeMatch<'p>], method: &[u8], path: &CanonicalPath<'_>) -> Few<RuleMatch<'p>> {
    let mut matched = Few::new();
    for ScopeMatch { readings, scope } in scopes {
        let mut without_rule = *readings;
        for rule in scope.rules_that_may_match(path) {
            if without_rule.is_empty() {
                break;
            }
            let readings = rule.readings(method, path).within(without_rule);
            if !readings.is_empty() {
                without_rule = without_rule.without(readings);
                matched.push(RuleMatch { readings, scope, rule });
            }
        }
    }
    matched
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
    /// In their order.
    fn rules_that_may_match(&self, path: &CanonicalPath<'_>) -> impl Iterator<Item = &Rule> {
        let candidates = self.index.as_ref().map(|index| index.candidates(path));
        let all = if candidates.is_none() { self.rules.as_slice() } else { &[] };
        let chosen = candidates.unwrap_or_default().into_iter().filter_map(|number| self.rules.get(number));
        all.iter().chain(chosen)
    }

    pub(crate) fn closeness(&self, host: &[u8]) -> Option<Closeness> {
        self.hosts.iter().filter_map(|pattern| pattern.closeness(host)).max()
    }
}

impl RuleMatch<'_> {
    /// Whether nobody who is let in by this rule would be refused by the other.
    pub(crate) fn is_as_strict_as(&self, other: &Self) -> bool {
        let (own, rule) = (self.rule, other.rule);
        if rule.access == Access::Public || std::ptr::eq(own, rule) {
            return true;
        }
        // A parameter of another rule may stand in another segment, and a cookie count from other sites.
        own.access == rule.access
            && !own.access.names_parameters()
            && self.scope.settings.credentials == other.scope.settings.credentials
            && (own.mode == Mode::Enforce || rule.mode == Mode::Observe)
            && (own.when_stale == rule.when_stale || own.when_stale == Some(WhenStale::Reject))
    }
}

impl Access {
    fn names_parameters(&self) -> bool {
        matches!(self, Self::Authenticated(_, requirement) if requirement.parameters().next().is_some())
    }
}

impl Scope {
    /// Whether anything in it is refused in earnest.
    pub(super) fn enforces(&self) -> bool {
        self.settings.mode == Mode::Enforce || self.rules.iter().any(|rule| rule.mode == Mode::Enforce)
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
    pub(crate) fn has_method(&self, method: &[u8]) -> bool {
        let named = |own: &String| is_same(own.as_bytes(), method) || (own == "GET" && method == b"HEAD");
        self.methods.as_ref().is_none_or(|methods| methods.iter().any(named))
    }

    fn readings(&self, method: &[u8], path: &CanonicalPath<'_>) -> Readings {
        if !self.has_method(method) {
            return Readings::NONE;
        }
        let mut readings = Readings::NONE;
        for foldings in self.paths.iter().filter_map(|pattern| pattern.foldings(path)) {
            readings = readings.or(Readings::folding(foldings));
            if readings == Readings::ALL {
                break;
            }
        }
        readings
    }
}
