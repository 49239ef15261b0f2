//! What a policy allows although a stricter one would not: each a choice that somebody should know of.

use std::net::Ipv4Addr;

use super::suspicions::{Suspicion, SuspicionKind};
use super::{Mode, Policy, Settings, TrustedIssuer, WhenStale};
use crate::credentials::Source;
use crate::issuer::PLAIN_JWT_TYPE;
use crate::path::PathSettings;
use crate::reading::Foldings;

impl Policy {
    /// All of them.
    #[must_use]
    pub fn weakenings(&self) -> Vec<Suspicion> {
        let mut found: Vec<_> = self.issuers.iter().flat_map(of_issuer).collect();
        found.extend(self.of_stale());
        found.extend(self.of_modes());
        found.extend(self.of_credentials());
        found.extend(of_paths(self.paths));
        for (index, name) in self.forwarding.kept.iter().enumerate() {
            found.push(Suspicion::new(
                SuspicionKind::KeptOverride,
                format!("forward.keep[{index}]"),
                format!(
                    "`forward.keep` lets clients send `{name}`, which changes for some upstreams what was judged: keep it only \
                     where something in front of the gate sets it"
                ),
            ));
        }
        found
    }

    /// Where tokens are let in whose end nobody would have heard of.
    fn of_stale(&self) -> Vec<Suspicion> {
        let suspicion = |path: String, whose: String| {
            Suspicion::new(
                SuspicionKind::StaleAllowed,
                path,
                format!(
                    "{whose} lets tokens in while what is known of revocations is too old: whoever keeps a proxy from the feed or the list \
                     keeps a revoked token alive; write `when_stale: reject` where 503 is better than that"
                ),
            )
        };
        let mut found = Vec::new();
        for trusted in &self.issuers {
            if trusted.revocations.as_ref().is_some_and(|feed| feed.when_stale == WhenStale::Allow) {
                let name = &trusted.name;
                found.push(suspicion(
                    format!("issuers.{name}.revocations.when_stale"),
                    format!("issuer `{name}`"),
                ));
            }
        }
        for trusted in &self.issuers {
            if trusted.deny_list.as_ref().is_some_and(|list| list.when_stale == WhenStale::Allow) {
                let name = &trusted.name;
                found.push(suspicion(
                    format!("issuers.{name}.deny_list.when_stale"),
                    format!("issuer `{name}`"),
                ));
            }
        }
        for (at, scope) in self.scopes.iter().enumerate() {
            for (index, rule) in scope.rules.iter().enumerate() {
                if rule.when_stale == Some(WhenStale::Allow) {
                    found.push(suspicion(
                        format!("policies[{at}].rules[{index}].when_stale"),
                        format!("rule `{}/{}`", scope.name, rule.name),
                    ));
                }
            }
        }
        found
    }

    /// What a policy or a rule takes over from outside is said once, there.
    fn of_modes(&self) -> Vec<Suspicion> {
        let observe = |path: String, text: String| {
            let text = format!("{text}; write `enforce` once the log shows whom it would refuse");
            Suspicion::new(SuspicionKind::Observe, path, text)
        };
        let mut found = Vec::new();
        if self.defaults.mode == Mode::Observe {
            let text = "the document only observes: nobody is refused where no policy or rule says otherwise";
            found.push(observe("mode".to_owned(), text.to_owned()));
        }
        for (at, scope) in self.scopes.iter().enumerate() {
            if scope.settings.mode == Mode::Observe && self.defaults.mode != Mode::Observe {
                let text = format!("policy `{}` only observes: what no rule names is forwarded", scope.name);
                found.push(observe(format!("policies[{at}].mode"), text));
            }
            for (index, rule) in scope.rules.iter().enumerate() {
                if rule.mode == Mode::Observe && scope.settings.mode != Mode::Observe {
                    let text =
                        format!("rule `{}/{}` only observes: nobody is refused", scope.name, rule.name);
                    found.push(observe(format!("policies[{at}].rules[{index}].mode"), text));
                }
            }
        }
        found
    }

    /// The document's places, then those of policies that name others.
    fn of_credentials(&self) -> Vec<Suspicion> {
        let mut found = of_sources(&self.defaults, "credentials");
        for (at, scope) in self.scopes.iter().enumerate() {
            if scope.settings.credentials != self.defaults.credentials {
                found.extend(of_sources(&scope.settings, &format!("policies[{at}].credentials")));
            }
        }
        found
    }
}

fn of_sources(settings: &Settings, path: &str) -> Vec<Suspicion> {
    let mut found = Vec::new();
    for (at, source) in settings.credentials.iter().enumerate() {
        match source {
            Source::Query { .. } => found.push(Suspicion::new(
                SuspicionKind::TokenInQuery,
                format!("{path}[{at}].query"),
                "`credentials` takes tokens out of the query, which ends up in logs and histories: take a header or a cookie \
                 where clients can send one",
            )),
            Source::Cookie { name, origins } => {
                for (index, origin) in origins.iter().enumerate().filter(|(_, origin)| is_open_to_the_way(origin)) {
                    found.push(Suspicion::new(
                        SuspicionKind::CookieWithoutTls,
                        format!("{path}[{at}].allowed_origins[{index}]"),
                        format!(
                            "`credentials` takes the cookie `{name}` from {origin}: whoever is on the way can write that \
                             site; serve it by https"
                        ),
                    ));
                }
            }
            Source::Header { .. } => {}
        }
    }
    found
}

/// Whether an origin without TLS is more than the machine of whoever uses it (RFC 6761 section 6.3).
fn is_open_to_the_way(origin: &str) -> bool {
    let Some(authority) = origin.strip_prefix("http://") else { return false };
    let host = authority.rsplit_once(':').map_or(authority, |(host, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { authority }
    });
    let is_loopback_address = host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    !(host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || is_loopback_address)
}

fn of_issuer(trusted: &TrustedIssuer) -> Vec<Suspicion> {
    let issuer = &trusted.issuer;
    let plain_type = issuer.token_types.iter().any(|typ| typ == PLAIN_JWT_TYPE);
    let symmetric = issuer.algorithms.iter().any(|algorithm| algorithm.is_symmetric());
    let found = [
        (
            issuer.accept_missing_iss,
            SuspicionKind::AcceptMissing,
            "accept_missing",
            "accepts tokens that do not say who issued them (accept_missing: [iss]): have it write `iss`",
        ),
        (
            issuer.accept_missing_aud,
            SuspicionKind::AcceptMissing,
            "accept_missing",
            "accepts tokens that were meant for anybody (accept_missing: [aud]): have it write `aud`",
        ),
        (
            plain_type,
            SuspicionKind::JwtType,
            "token_types",
            "accepts tokens of the type JWT: an ID token passes for an access token; list at+jwt alone where its tokens say so",
        ),
        (
            symmetric,
            SuspicionKind::SharedSecret,
            "algorithms",
            "uses a shared secret: everyone who can verify its tokens can also sign them; take a key pair where it can",
        ),
    ];
    found
        .into_iter()
        .filter(|(is_so, ..)| *is_so)
        .map(|(_, kind, field, text)| {
            let name = &trusted.name;
            Suspicion::new(kind, format!("issuers.{name}.{field}"), format!("issuer `{name}` {text}"))
        })
        .collect()
}

fn of_paths(paths: PathSettings) -> Vec<Suspicion> {
    let folds = |folding| paths.folded.include(folding);
    [
        (
            paths.keep_encoded_slash,
            "encoded_slash",
            "lets `%2F` through: a server that splits there reads another path",
        ),
        (
            paths.keep_parameters,
            "parameters",
            "lets `;` through: a server that does not drop what follows reads another path",
        ),
        (
            paths.replace,
            "non_canonical",
            "spells paths anew: whoever signs requests, or compares logs, sees another one",
        ),
        (folds(Foldings::LETTERS), "letters", "folds letters: a server that does not reads another path"),
        (
            folds(Foldings::SLASH),
            "trailing_slash",
            "folds a slash at the end: a server that does not reads another path",
        ),
    ]
    .into_iter()
    .filter(|(is_so, ..)| *is_so)
    .map(|(_, field, text)| {
        let text = format!("`paths` {text}; leave `{field}` out unless every server behind does the same");
        Suspicion::new(SuspicionKind::LenientPaths, format!("paths.{field}"), text)
    })
    .collect()
}
