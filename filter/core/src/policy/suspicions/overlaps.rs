//! Rules that overlap: each may say something else than its author meant, and is no error.

use super::{Suspicion, SuspicionKind};
use crate::host_name::HostPattern;
use crate::pattern::Pattern;
use crate::policy::methods::METHODS;
use crate::policy::{Access, Policy, Rule, Scope};

impl Policy {
    /// All that somebody should look at: what the policy weakens, and rules that may say something else than was meant.
    #[must_use]
    pub fn suspicions(&self) -> Vec<Suspicion> {
        let mut found = self.weakenings();
        let rules = self.rules_as_read();
        for (at, scope) in self.scopes.iter().enumerate() {
            let own: Vec<_> = rules.iter().filter(|rule| rule.policy == at).collect();
            for rule in &own {
                found.extend(shadowing(scope, rule, &own));
                found.extend(self.below_protected(scope, rule, &rules));
            }
        }
        found
    }

    /// Every rule as the servers behind read its paths.
    fn rules_as_read(&self) -> Vec<Placed<'_>> {
        let scopes = self.scopes.iter().enumerate();
        let placed = scopes.flat_map(|(policy, scope)| {
            scope.rules.iter().enumerate().map(move |(index, rule)| Placed {
                policy,
                index,
                rule,
                methods: Methods::of(rule),
                paths: rule.paths.iter().map(|path| path.folded(self.paths.folded)).collect(),
            })
        });
        placed.collect()
    }

    /// The public paths of a rule that lie below another's `/**` which asks for a token, in this policy or in one for the
    /// same hosts. An earlier rule of the same policy is not meant: that decides itself, see [`shadowing`].
    fn below_protected(&self, scope: &Scope, rule: &Placed<'_>, all: &[Placed<'_>]) -> Vec<Suspicion> {
        if rule.rule.access != Access::Public {
            return Vec::new();
        }
        let of_other = |other: &Placed<'_>| self.scopes.get(other.policy);
        let is_protected = |other: &&Placed<'_>| {
            let applies = if other.policy == rule.policy {
                other.index > rule.index
            } else {
                of_other(other).is_some_and(|other| share_a_host(scope, other))
            };
            applies && other.rule.access != Access::Public && rule.methods.and(other.methods) != Methods::NONE
        };
        let protected: Vec<_> = all.iter().filter(is_protected).collect();
        let mut found = Vec::new();
        for (index, path) in rule.paths.iter().enumerate() {
            let is_above =
                |other: &&&Placed<'_>| other.paths.iter().any(|own| own.has_rest() && own.covers(path));
            if let Some(other) = protected.iter().find(is_above) {
                let text = format!(
                    "rule `{}/{}` makes a path public below one that `{}/{}` asks a token for: write `access: authenticated` \
                     unless everybody is meant",
                    scope.name,
                    rule.rule.name,
                    of_other(other).map_or("", |other| &other.name),
                    other.rule.name
                );
                found.push(Suspicion::new(SuspicionKind::PublicBelowProtected, rule.path(index), text));
            }
        }
        found
    }
}

/// The paths of a rule that an earlier one takes for some of its methods, although it asks for something else. A rule that
/// one earlier rule takes as a whole never gets here: that is an error.
fn shadowing(scope: &Scope, rule: &Placed<'_>, own: &[&Placed<'_>]) -> Vec<Suspicion> {
    let mut found = Vec::new();
    for (index, path) in rule.paths.iter().enumerate() {
        let mut left = rule.methods;
        for earlier in own.iter().take(rule.index) {
            let taken = left.and(earlier.methods);
            if taken == Methods::NONE || !earlier.paths.iter().any(|own| own.covers(path)) {
                continue;
            }
            if earlier.rule.access != rule.rule.access {
                let text = format!(
                    "rule `{scope}/{}` does not decide about all of this path: `{scope}/{}` stands before it, asks for \
                     something else and takes {}; put the narrower rule first, or set them apart by path or method",
                    rule.rule.name,
                    earlier.rule.name,
                    taken.shown(),
                    scope = scope.name,
                );
                found.push(Suspicion::new(SuspicionKind::ShadowedRule, rule.path(index), text));
                break;
            }
            left = left.without(taken);
        }
    }
    found
}

/// A rule and where it stands.
struct Placed<'p> {
    policy: usize,
    index: usize,
    rule: &'p Rule,
    methods: Methods,
    /// Its paths, as the servers behind read them.
    paths: Vec<Pattern>,
}

impl Placed<'_> {
    fn path(&self, index: usize) -> String {
        format!("policies[{}].rules[{}].paths[{index}]", self.policy, self.index)
    }
}

/// A set of methods: a bit for each of [`METHODS`], and one for all others.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Methods(u64);

impl Methods {
    const NONE: Self = Self(0);
    const ALL: Self = Self((1 << (METHODS.len() + 1)) - 1);

    fn of(rule: &Rule) -> Self {
        let Some(methods) = &rule.methods else { return Self::ALL };
        let named = |name: &str| methods.iter().any(|method| method == name);
        Self::of_names(|name| named(name) || (name == "HEAD" && named("GET")))
    }

    fn of_names(holds: impl Fn(&str) -> bool) -> Self {
        let bits = METHODS.iter().enumerate().filter(|(_, name)| holds(name));
        Self(bits.fold(0, |set, (index, _)| set | 1 << index))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn shown(self) -> String {
        const MOST: usize = 4;
        let names = METHODS.iter().enumerate().filter(|(index, _)| self.0 & (1 << index) != 0);
        let names: Vec<_> = names.map(|(_, name)| *name).collect();
        if self == Self::ALL {
            "every method".to_owned()
        } else if names.len() > MOST {
            "most methods".to_owned()
        } else {
            names.join(", ")
        }
    }
}

/// Whether some request is for a host of both.
fn share_a_host(one: &Scope, other: &Scope) -> bool {
    one.hosts.iter().any(|one| other.hosts.iter().any(|other| overlap(one, other)))
}

fn overlap(one: &HostPattern, other: &HostPattern) -> bool {
    match (one, other) {
        (HostPattern::Any, _) | (_, HostPattern::Any) => true,
        (HostPattern::Exactly(one), HostPattern::Exactly(other)) => one == other,
        (HostPattern::Exactly(name), HostPattern::Below(suffix))
        | (HostPattern::Below(suffix), HostPattern::Exactly(name)) => {
            name.len() > suffix.len() && name.ends_with(suffix)
        }
        (HostPattern::Below(one), HostPattern::Below(other)) => one.ends_with(other) || other.ends_with(one),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule(name: &str, methods: &[&str], path: &str, access: &str) -> Value {
        let mut rule = json!({ "name": name, "paths": [path], "access": access });
        if !methods.is_empty() {
            rule["methods"] = json!(methods);
        }
        rule
    }

    fn policy(name: &str, host: &str, prefix: &str, rules: &[Value]) -> Value {
        json!({ "name": name, "hosts": [host], "prefix": prefix, "issuers": ["own"], "rules": rules })
    }

    fn document(policies: &[Value]) -> Value {
        json!({
            "version": 1,
            "issuers": { "own": {
                "iss": "https://issuer.test/", "audiences": ["api"], "algorithms": ["EdDSA"],
                "token_types": ["at+jwt"],
                "keys": { "remote": { "cluster": "issuer", "uri": "http://issuer.test/jwks.json" } },
            } },
            "policies": policies,
        })
    }

    /// Kind and place of all that is suspicious.
    fn suspicions(policies: &[Value]) -> Vec<(SuspicionKind, String)> {
        let document = document(policies);
        let policy = Policy::compile(&document, &|_| None).unwrap_or_else(|problems| panic!("{problems}"));
        policy.suspicions().into_iter().map(|found| (found.kind, found.path)).collect()
    }

    fn of_rules(rules: &[Value]) -> Vec<(SuspicionKind, String)> {
        suspicions(&[policy("api", "*", "/api", rules)])
    }

    #[test]
    fn a_rule_whose_path_an_earlier_one_takes_for_some_methods_is_shadowed() {
        let narrow = |methods: &[&str], access: &str| rule("narrow", methods, "/api/admin", access);
        let shadowed = vec![(SuspicionKind::ShadowedRule, "policies[0].rules[1].paths[0]".to_owned())];
        let wide = |methods: &[&str]| rule("wide", methods, "/api/**", "public");
        assert_eq!(of_rules(&[wide(&["GET"]), narrow(&[], "authenticated")]), shadowed);
        assert_eq!(of_rules(&[wide(&["GET"]), narrow(&["HEAD", "POST"], "authenticated")]), shadowed);
        assert_eq!(of_rules(&[wide(&["GET"]), narrow(&["GET", "POST"], "optional")]), shadowed);
        for harmless in [narrow(&["POST"], "authenticated"), narrow(&["GET", "POST"], "public")] {
            assert_eq!(of_rules(&[wide(&["GET"]), harmless]), []);
        }
        assert_eq!(
            of_rules(&[narrow(&["GET"], "authenticated"), rule("wide", &["POST"], "/api/**", "public")]),
            []
        );
    }

    #[test]
    fn what_a_still_earlier_rule_takes_is_nobody_elses() {
        let rules = [
            rule("first", &["GET"], "/api/admin", "authenticated"),
            rule("wide", &["GET"], "/api/**", "public"),
            rule("last", &["GET", "POST"], "/api/admin", "authenticated"),
        ];
        assert_eq!(of_rules(&rules), []);
    }

    #[test]
    fn a_public_path_below_a_protected_one_is_named_whichever_policy_protects() {
        let menu = rule("menu", &["GET"], "/api/menu", "public");
        let found = |at: usize| {
            vec![(SuspicionKind::PublicBelowProtected, format!("policies[{at}].rules[0].paths[0]"))]
        };
        let all = |methods: &[&str], access: &str| rule("all", methods, "/api/**", access);
        assert_eq!(of_rules(&[menu.clone(), all(&[], "authenticated")]), found(0));
        assert_eq!(of_rules(&[menu.clone(), all(&["GET"], "optional")]), found(0));
        assert_eq!(of_rules(&[menu.clone(), all(&["POST"], "authenticated")]), []);
        assert_eq!(of_rules(&[menu.clone(), rule("all", &[], "/api/*", "authenticated")]), []);

        // An earlier one decides by itself, and nothing that it takes is public.
        let wider = rule("menu", &["GET", "POST"], "/api/menu", "public");
        let shadowed = (SuspicionKind::ShadowedRule, "policies[0].rules[1].paths[0]".to_owned());
        assert_eq!(of_rules(&[all(&["GET"], "authenticated"), wider]), [shadowed]);

        let guarded = |host: &str| policy("rest", host, "/", &[rule("all", &[], "/**", "authenticated")]);
        let open = |host: &str| policy("menu", host, "/api", std::slice::from_ref(&menu));
        for (one, other) in [
            ("*", "a.test"),
            ("a.test", "*"),
            ("a.test", "a.test"),
            ("*.test", "a.test"),
            ("a.test", "*.test"),
            ("*.b.test", "*.test"),
        ] {
            assert_eq!(suspicions(&[guarded(one), open(other)]), found(1), "{one} {other}");
        }
        for (one, other) in [("a.test", "b.test"), ("*.a.test", "a.test"), ("*.a.test", "*.b.test")] {
            assert_eq!(suspicions(&[guarded(one), open(other)]), [], "{one} {other}");
        }
    }

    #[test]
    fn where_servers_fold_letters_rules_overlap_as_they_read_them() {
        let narrow = rule("narrow", &[], "/api/a/x", "authenticated");
        let rules = [rule("wide", &["GET"], "/api/A/*", "public"), narrow];
        let kinds = |paths: Value| {
            let mut document = document(&[policy("api", "*", "/api", &rules)]);
            document["paths"] = paths;
            let policy = Policy::compile(&document, &|_| None).unwrap();
            policy.suspicions().into_iter().map(|found| found.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(json!({})), []);
        let folded = [SuspicionKind::LenientPaths, SuspicionKind::ShadowedRule];
        assert_eq!(kinds(json!({ "letters": "folded" })), folded);
    }
}
