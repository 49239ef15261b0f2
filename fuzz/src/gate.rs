//! Fixed policies, and what must hold of every request under any policy.

use std::sync::LazyLock;

use bearward_core::problem::Problems;
use bearward_core::signature_host::NoSignatureHost;
use bearward_core::{Decision, Edit, KeyRing, LocalResponse, Policy, Request, Verdict, credentials};
use serde_json::Value;

use crate::{NOW, forge};

/// Names and values, as a proxy hands them over.
pub type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// A policy, the document that it was made of, and the keys at hand.
#[derive(Debug)]
pub struct Gate {
    /// As JSON.
    pub document: Value,
    /// Compiled.
    pub policy: Policy,
    /// Those that stand in the document or the environment.
    pub keys: KeyRing,
}

/// The policies under which requests are judged: several issuers, hosts, public and optional rules.
pub fn all() -> &'static [Gate; 3] {
    static ALL: LazyLock<[Gate; 3]> = LazyLock::new(|| {
        [
            include_str!("../policies/api.json"),
            include_str!("../policies/hosts.json"),
            include_str!("../policies/open.json"),
        ]
        .map(|text| Gate::new(serde_json::from_str(text).expect("JSON")).expect("a policy"))
    });
    &ALL
}

/// What the policies find in the environment.
#[must_use]
pub fn secrets(name: &str) -> Option<Vec<u8>> {
    (name == forge::SECRET_NAME).then(|| forge::SECRET.as_bytes().to_vec())
}

/// A request of these pseudo-headers.
#[must_use]
pub fn request(method: &str, target: &[u8], authority: &str) -> Headers {
    let pseudo = [(":method", method.as_bytes()), (":path", target), (":authority", authority.as_bytes())];
    pseudo.map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec())).to_vec()
}

/// The same with a token.
#[must_use]
pub fn with_token(mut headers: Headers, token: &[u8]) -> Headers {
    headers.push((b"authorization".to_vec(), [b"Bearer ", token].concat()));
    headers
}

/// Who gets through, as the document says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Public,
    Optional,
    Authenticated,
}

impl Gate {
    /// # Errors
    /// All that is wrong with the document.
    pub fn new(document: Value) -> Result<Self, Problems> {
        let policy = Policy::compile(&document, &secrets)?;
        Ok(Self { keys: KeyRing::of(&policy), document, policy })
    }

    /// The decision of the core.
    #[must_use]
    pub fn decide(&self, headers: &[(Vec<u8>, Vec<u8>)]) -> Verdict<'_> {
        let view = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        self.policy.decide(&Request::new(view), &self.keys, NOW, &NoSignatureHost)
    }

    /// Asserts what must hold of every request, and returns the verdict.
    ///
    /// # Panics
    /// If it does not.
    pub fn check(&self, headers: &[(Vec<u8>, Vec<u8>)]) -> Verdict<'_> {
        let verdict = self.decide(headers);
        assert_eq!(verdict, self.decide(headers), "the same request twice");
        match &verdict.decision {
            Decision::Forward(identity) => self.check_forwarded(headers, &verdict, identity),
            Decision::Reject(rejection) => {
                for grpc in [false, true] {
                    let response = LocalResponse::of(*rejection, grpc);
                    assert!(matches!(response.status, 400 | 401 | 403 | 503), "{response:?}");
                }
            }
        }
        self.check_without_credentials(headers, &verdict);
        self.check_with_forged_identity(headers, &verdict);
        verdict
    }

    /// Whoever is let in by a rule that asks for a token has shown one that our keys signed, and is called by its claims.
    fn check_forwarded(&self, headers: &[(Vec<u8>, Vec<u8>)], verdict: &Verdict<'_>, edits: &[Edit]) {
        let identity: Vec<_> = edits
            .iter()
            .filter_map(|edit| match edit {
                Edit::Set { name, value } => Some((name, value)),
                Edit::Remove { name } => {
                    assert_eq!(name, credentials::AUTHORIZATION.as_bytes(), "only a token is taken out");
                    None
                }
            })
            .collect();
        let access = self.access(verdict);
        let is_named = |name: &[u8]| name.eq_ignore_ascii_case(credentials::AUTHORIZATION.as_bytes());
        let named = headers.iter().filter(|(name, _)| is_named(name));
        let token = credentials::bearer(named.map(|(_, value)| value.as_slice()));
        let anonymous = match access {
            Access::Public => true,
            Access::Optional => token.is_err(),
            Access::Authenticated => false,
        };
        if anonymous {
            assert!(identity.is_empty(), "an identity of nobody");
            return;
        }
        let payload = forge::ours(token.expect("a token")).expect("a token that our keys signed");
        assert!(payload["exp"].as_f64().is_some_and(|exp| exp + 300.0 > NOW as f64), "expired: {payload}");
        assert!(!identity.is_empty());
        for (name, value) in identity {
            assert!(value.iter().all(|byte| byte.is_ascii_graphic()), "{name}: {value:?}");
            assert!(self.policy.forwarding().removes(name.as_bytes()), "{name} is also the client's");
        }
    }

    /// Without a token only those rules let anything pass that say so.
    fn check_without_credentials(&self, headers: &[(Vec<u8>, Vec<u8>)], with: &Verdict<'_>) {
        let mut without = headers.to_vec();
        without.retain(|(name, _)| !name.eq_ignore_ascii_case(credentials::AUTHORIZATION.as_bytes()));
        let verdict = self.decide(&without);
        assert_eq!(verdict.rule, with.rule, "credentials choose no rule");
        if verdict.decision == Decision::Forward(Vec::new()) {
            assert_ne!(self.access(&verdict), Access::Authenticated, "without a token: {:?}", verdict.rule);
        } else {
            assert!(matches!(verdict.decision, Decision::Reject(_)), "an identity without a token");
        }
    }

    /// What a client says of itself changes nothing.
    fn check_with_forged_identity(&self, headers: &[(Vec<u8>, Vec<u8>)], verdict: &Verdict<'_>) {
        let mut forged = headers.to_vec();
        for name in ["x-user-id", "x-user-roles", "x-caller", "x-original-url", "x-http-method-override"] {
            forged.push((name.as_bytes().to_vec(), b"admin".to_vec()));
        }
        assert_eq!(&self.decide(&forged), verdict, "what a client says of itself");
    }

    /// By the document, not by what it was compiled to.
    fn access(&self, verdict: &Verdict<'_>) -> Access {
        let (policy, rule) = verdict.rule.expect("a rule");
        let named = |list: &Value, name: &str| {
            let found = list.as_array().into_iter().flatten().find(|entry| entry["name"] == name);
            found.cloned().unwrap_or_else(|| panic!("no `{name}` in {list}"))
        };
        let policy = named(&self.document["policies"], policy);
        match named(&policy["rules"], rule)["access"].as_str() {
            Some("public") => Access::Public,
            Some("optional") => Access::Optional,
            None | Some("authenticated") => Access::Authenticated,
            other => panic!("access {other:?} in a compiled policy"),
        }
    }
}
