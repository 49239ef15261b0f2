use std::collections::{BTreeMap, BTreeSet};

use bearward_fuzz::forge::public_k1;
use bearward_fuzz::gate::Gate;
use serde_json::{Value, json};

/// The route table of the servers: route, path, and the prefix that it lies below.
const ROUTES: [(&str, &str, &str); 12] = [
    ("menu", "/api/menu", "/api"),
    ("item", "/api/menu/{id}", "/api"),
    ("user", "/api/users/{id}", "/api"),
    ("status", "/api/orders/{id}/status", "/api"),
    ("orders", "/api/orders/**", "/api"),
    ("kiosk", "/api/kiosk", "/api"),
    ("admin", "/admin/**", "/admin"),
    ("files", "/files/**", "/files"),
    ("cafe", "/caf%C3%A9", "/caf%C3%A9"),
    ("words", "/two%20words", "/"),
    ("comma", "/a,b", "/a,b"),
    ("rest", "/**", "/"),
];

/// How the rules stand in the document.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layout {
    OnePolicy,
    PolicyForEachPrefix,
}

/// What a rule asks for, from the most permissive on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Public,
    Authenticated,
    Admin,
}

impl Level {
    pub(super) fn rule(self) -> Value {
        match self {
            Self::Public => json!({ "access": "public" }),
            Self::Authenticated => json!({ "access": "authenticated" }),
            Self::Admin => json!({ "require": { "any_role": ["admin"] } }),
        }
    }
}

/// What each route asks for: every route closed among open ones, and open among closed ones, so that any two for which a
/// path may be taken are told apart by one of these. And a mixture, as one would write it.
pub(crate) fn assignments() -> Vec<BTreeMap<&'static str, Level>> {
    let names = ROUTES.map(|(name, ..)| name);
    let mut assignments = Vec::new();
    for own in names {
        for (one, others) in [(Level::Admin, Level::Public), (Level::Public, Level::Admin)] {
            assignments.push(names.map(|name| (name, if name == own { one } else { others })).into());
        }
    }
    let mixed = |name| match name {
        "menu" | "files" | "comma" => Level::Public,
        "orders" | "user" | "rest" => Level::Authenticated,
        _ => Level::Admin,
    };
    assignments.push(names.map(|name| (name, mixed(name))).into());
    assignments
}

/// The route table as a policy: each route asks for what its rule says.
pub(super) fn gate(paths: &Value, layout: Layout, rule: impl Fn(&'static str) -> Value) -> Gate {
    let named = |route: &'static str, path: &str| named(route, path, rule(route));
    let policy = |prefix: &str, rules: Vec<Value>| {
        let name = &rules[0]["name"];
        json!({ "name": name, "hosts": ["*"], "prefix": prefix, "issuers": ["own"], "rules": rules })
    };
    let policies: Vec<Value> = match layout {
        Layout::OnePolicy => vec![policy("/", ROUTES.map(|(route, path, _)| named(route, path)).to_vec())],
        Layout::PolicyForEachPrefix => {
            let prefixes = BTreeSet::from(ROUTES.map(|(.., prefix)| prefix)).into_iter();
            let below = prefixes.map(|prefix| {
                let own = ROUTES.iter().filter(|(.., below)| *below == prefix);
                let mut rules: Vec<_> = own.map(|(route, path, _)| named(route, path)).collect();
                // No path falls back from one policy to another: the rest is in each that does not take all.
                if !matches!(prefix, "/" | "/admin" | "/files") {
                    rules.push(named("rest", &format!("{prefix}/**")));
                }
                policy(prefix, rules)
            });
            below.collect()
        }
    };
    Gate::new(document(paths, &policies)).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A policy for each assignment, chosen by the host: that of its index.
pub(crate) fn document_of_all(paths: &Value) -> Value {
    let policy = |(index, levels): (usize, BTreeMap<&str, Level>)| {
        let rules = ROUTES.map(|(name, path, _)| named(name, path, levels[name].rule()));
        json!({ "name": format!("p{index}"), "hosts": [host(index)], "prefix": "/", "issuers": ["own"], "rules": rules })
    };
    document(paths, &assignments().into_iter().enumerate().map(policy).collect::<Vec<_>>())
}

/// The host whose policy asks for what the assignment of this index says.
pub(crate) fn host(assignment: usize) -> String {
    format!("p{assignment}.test")
}

fn named(route: &str, path: &str, mut rule: Value) -> Value {
    rule["name"] = json!(route);
    rule["paths"] = json!([path]);
    rule
}

fn document(paths: &Value, policies: &[Value]) -> Value {
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": public_k1() });
    let issuer = json!({
        "iss": "http://issuer.test", "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
        "keys": { "jwks": { "keys": [key] } }, "claims": { "subject": ["sub"], "roles": ["roles"] }
    });
    json!({ "version": 1, "paths": paths, "issuers": { "own": issuer }, "policies": policies })
}
