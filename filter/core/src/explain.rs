//! A decision in words, step by step: for people, and for nothing that decides.
//!
//! What is told is what the decision itself saw: [`Policy::explain`] and [`Policy::decide_by`] are one function, before a
//! [witness](crate::decide::witness) that writes down and before one that does not. The module that ships is built without.

mod claims;
mod inspect;
mod key;
mod path;
mod requirement;
mod revocation;
mod rule;
mod token;
mod words;

pub use inspect::{Inspection, Signature, inspect};
pub use words::quoted;

use crate::credentials::Source;
use crate::decide::witness::{Fact, Witness};
use crate::decide::{Means, Step, Verdict};
use crate::policy::{Access, Policy};
use crate::rejection::Rejection;
use crate::request::Request;

/// A verdict, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'p> {
    /// What was decided.
    pub verdict: Verdict<'p>,
    /// The steps that were gone, in order. Where the request is refused, or would be, the last one did not pass.
    pub steps: Vec<Explained>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Which.
    pub step: Step,
    /// Whether it was passed.
    pub ok: bool,
    /// What was looked at, in the order in which it was.
    pub notes: Vec<Note>,
}

/// One thing that was looked at, in words. Never holds a token; printable on any terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether it speaks for the request, or not against it.
    pub ok: bool,
    /// A part of a sentence.
    pub text: String,
}

impl Explanation<'_> {
    /// The same without the steps after one.
    #[must_use]
    pub fn until(mut self, step: Step) -> Self {
        self.steps.retain(|explained| explained.step <= step);
        self
    }
}

impl Note {
    fn good(text: impl Into<String>) -> Self {
        Self { ok: true, text: text.into() }
    }

    fn bad(text: impl Into<String>) -> Self {
        Self { ok: false, text: text.into() }
    }

    fn of(ok: bool, text: impl Into<String>) -> Self {
        Self { ok, text: text.into() }
    }
}

impl Step {
    /// Its name: `[a-z]+`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Rule => "rule",
            Self::Credentials => "credentials",
            Self::Header => "header",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Revocation => "revocation",
            Self::Requirement => "requirement",
        }
    }
}

impl Policy {
    /// Decides as [`Policy::decide_by`] does, and says how.
    #[must_use]
    pub fn explain(&self, request: &Request<'_>, means: Means<'_>) -> Explanation<'_> {
        let mut scribe = Scribe { policy: self, now: means.now, steps: Vec::new(), unread: None };
        let verdict = self.decide_before(request, means, &mut scribe);
        let steps = scribe.finish(request, verdict.rejection());
        Explanation { verdict, steps }
    }

    /// A request with a token in the first place where the policy that applies to it looks for one: its headers, in order,
    /// pseudo-headers included.
    #[must_use]
    pub fn with_token(
        &self,
        request: &Request<'_>,
        token: &[u8],
        means: Means<'_>,
    ) -> Vec<(Vec<u8>, Vec<u8>)> {
        let owned = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
        let mut headers: Vec<_> = request.headers().map(owned).collect();
        match self.sources_for(request, means).first() {
            None => {}
            Some(Source::Header { name, scheme }) => {
                let scheme = scheme.as_ref().map(|scheme| format!("{scheme} ")).unwrap_or_default();
                headers.push((name.clone().into_bytes(), [scheme.as_bytes(), token].concat()));
            }
            Some(Source::Cookie { name, .. }) => {
                headers.push((b"cookie".to_vec(), [name.as_bytes(), b"=", token].concat()));
            }
            Some(Source::Query { name }) => {
                for (_, target) in headers.iter_mut().filter(|(name, _)| name == b":path") {
                    target.push(if target.contains(&b'?') { b'&' } else { b'?' });
                    target.extend([name.as_bytes(), b"=", token].concat());
                }
            }
        }
        headers
    }
}

/// Writes down what it sees.
struct Scribe<'p> {
    policy: &'p Policy,
    now: u64,
    steps: Vec<Explained>,
    /// Why no token is looked at, where that is so.
    unread: Option<&'static str>,
}

impl Witness for Scribe<'_> {
    fn begin(&mut self, step: Step) {
        let notes = match step {
            Step::Credentials => self.unread.map(Note::good).into_iter().collect(),
            Step::Signature => vec![Note::good("the signature holds")],
            _ => Vec::new(),
        };
        self.steps.push(Explained { step, ok: true, notes });
    }

    fn see<'f>(&mut self, fact: impl FnOnce() -> Fact<'f>) {
        let notes = match fact() {
            Fact::Path { line, path } => path::notes(line, path),
            Fact::Scopes { scopes, line, path } => rule::of_scopes(self.policy, scopes, line, path),
            Fact::Rules { matched, scopes, line, path } => {
                rule::of_rules(self.policy, matched, scopes, line, path)
            }
            Fact::Place(place) => {
                self.unread = match place.map(|rule| &rule.access) {
                    None => Some("a CORS preflight carries no credentials: it is let through"),
                    Some(Access::Public) => Some("`access: public`: no token is looked at"),
                    Some(Access::Optional(_) | Access::Authenticated(..)) => None,
                };
                Vec::new()
            }
            Fact::Credentials { access, sources, found } => token::of_credentials(access, sources, found),
            Fact::Compact(token) => token::of_form(token),
            Fact::Token { token, issuers } => token::of_token(token, &issuers, self.policy),
            Fact::Issuer { trusted, token } => token::of_issuer(trusted, token),
            Fact::Keys { keys, token } => key::notes(keys, token),
            Fact::Claims { payload, issuer } => claims::notes(payload, issuer, self.now),
            Fact::Revocation(looked) => revocation::notes(&looked),
            Fact::Requirement { requirement, claims, matched } => {
                requirement::notes(requirement, claims, matched)
            }
        };
        if let Some(step) = self.steps.last_mut() {
            step.notes.extend(notes);
        }
    }
}

impl Scribe<'_> {
    /// The steps, where `rejection` is what they came to.
    fn finish(self, request: &Request<'_>, rejection: Option<Rejection>) -> Vec<Explained> {
        let mut steps = self.steps;
        let Some(rejection) = rejection else { return steps };
        let is_after_key = rejection == Rejection::SignatureInvalid;
        if is_after_key {
            steps.push(Explained { step: Step::Signature, ok: false, notes: Vec::new() });
        }
        if let Some(last) = steps.last_mut() {
            last.ok = false;
            if last.step == Step::Path {
                last.notes.extend(path::why(request, self.policy, rejection));
            }
            if last.notes.iter().all(|note| note.ok) {
                last.notes.push(Note::bad(rejection.row().detail));
            }
        }
        steps
    }
}

#[cfg(test)]
pub(crate) mod tests;
