//! What a policy allows although a stricter one would not: each a choice that somebody should know of.

use std::net::Ipv4Addr;

use super::{Mode, Policy, TrustedIssuer};
use crate::credentials::Source;
use crate::issuer::PLAIN_JWT_TYPE;
use crate::path::PathSettings;
use crate::reading::Foldings;

impl Policy {
    /// All of them, each a sentence that names its place.
    #[must_use]
    pub fn weakenings(&self) -> Vec<String> {
        let mut found: Vec<_> = self.issuers.iter().flat_map(of_issuer).collect();
        found.extend(self.of_modes());
        found.extend(self.of_credentials());
        found.extend(of_paths(self.paths).map(|text| format!("`paths` {text}")));
        let kept = self.forwarding.kept.iter();
        found.extend(kept.map(|name| {
            format!(
                "`forward.keep` lets clients send `{name}`, which changes for some upstreams what was judged"
            )
        }));
        found
    }

    fn of_modes(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.defaults.mode == Mode::Observe {
            found.push("the document only observes: what no policy names is forwarded".to_owned());
        }
        for scope in &self.scopes {
            if scope.settings.mode == Mode::Observe {
                found.push(format!("policy `{}` only observes: what no rule names is forwarded", scope.name));
            }
            for rule in scope.rules.iter().filter(|rule| rule.mode == Mode::Observe) {
                found.push(format!("rule `{}/{}` only observes: nobody is refused", scope.name, rule.name));
            }
        }
        found
    }

    fn of_credentials(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.sources.iter().any(|source| matches!(source, Source::Query { .. })) {
            let text = "`credentials` takes tokens out of the query, which ends up in logs and histories";
            found.push(text.to_owned());
        }
        for source in &self.sources {
            if let Source::Cookie { name, origins } = source {
                found.extend(origins.iter().filter(|origin| is_open_to_the_way(origin)).map(|origin| {
                    format!(
                        "`credentials` takes the cookie `{name}` from {origin}: whoever is on the way can write that site"
                    )
                }));
            }
        }
        found
    }
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

fn of_issuer(trusted: &TrustedIssuer) -> Vec<String> {
    let issuer = &trusted.issuer;
    let plain_type = issuer.token_types.iter().any(|typ| typ == PLAIN_JWT_TYPE);
    let symmetric = issuer.algorithms.iter().any(|algorithm| algorithm.is_symmetric());
    let found = [
        (issuer.accept_missing_iss, "accepts tokens that do not say who issued them (accept_missing: [iss])"),
        (issuer.accept_missing_aud, "accepts tokens that were meant for anybody (accept_missing: [aud])"),
        (plain_type, "accepts tokens of the type JWT: an ID token passes for an access token"),
        (symmetric, "uses a shared secret: everyone who can verify its tokens can also sign them"),
    ];
    found
        .into_iter()
        .filter(|(is_so, _)| *is_so)
        .map(|(_, text)| format!("issuer `{}` {text}", trusted.name))
        .collect()
}

fn of_paths(paths: PathSettings) -> impl Iterator<Item = &'static str> {
    let folds = |folding| paths.folded.include(folding);
    [
        (paths.keep_encoded_slash, "lets `%2F` through: a server that splits there reads another path"),
        (
            paths.keep_parameters,
            "lets `;` through: a server that does not drop what follows reads another path",
        ),
        (paths.replace, "spells paths anew: whoever signs requests, or compares logs, sees another one"),
        (folds(Foldings::LETTERS), "folds letters: a server that does not reads another path"),
        (folds(Foldings::SLASH), "folds a slash at the end: a server that does not reads another path"),
    ]
    .into_iter()
    .filter(|(is_so, _)| *is_so)
    .map(|(_, text)| text)
}
