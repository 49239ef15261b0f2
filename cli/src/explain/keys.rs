//! The keys that are at hand without a proxy: those of the policy, those that are given, secrets of the environment.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use bearward_core::KeyRing;
use bearward_core::policy::KeySource;
use serde_json::Value;

use crate::policy_file::Loaded;
use crate::{check, key_set};

/// The secrets of this process's environment. Where one is missing, a stand-in lets the policy load.
#[derive(Default)]
pub(super) struct Environment {
    missing: RefCell<BTreeSet<String>>,
}

impl Environment {
    pub(super) fn get(&self, name: &str) -> Option<Vec<u8>> {
        match std::env::var_os(name) {
            Some(secret) => Some(secret.into_encoded_bytes()),
            None => {
                self.missing.borrow_mut().insert(name.to_owned());
                check::any_secret(name)
            }
        }
    }
}

/// All keys at hand, and a sentence for each issuer that has none.
///
/// # Errors
/// What is wrong with `--jwks`.
pub(super) fn at_hand(
    loaded: &Loaded,
    environment: &Environment,
    given: &[String],
) -> Result<(KeyRing, Vec<String>), String> {
    let policy = &loaded.policy;
    let mut ring = KeyRing::of(policy);
    let mut hints = Vec::new();
    for (id, trusted) in policy.issuers() {
        let name = &trusted.name;
        if let KeySource::Remote(remote) = &trusted.keys {
            hints.push((
                id,
                format!(
                    "the proxy fetches the keys of `{name}` from {}: save that and say --jwks {name}=FILE",
                    format_args!("{}://{}{}", remote.scheme, remote.authority, remote.path)
                ),
            ));
        }
        let missing = environment.missing.borrow();
        if let Some(variable) = variables(&loaded.document, name).find(|variable| missing.contains(*variable))
        {
            ring.forget(id);
            hints.push((id, format!("the secret of `{name}` is in the variable {variable}, which is not set here: set it, or say --jwks {name}=FILE with an `oct` JWK")));
        }
    }
    let mut seen = BTreeSet::new();
    for given in given {
        let (name, file) =
            given.split_once('=').ok_or_else(|| format!("--jwks {given}: write ISSUER=FILE"))?;
        let Some((id, trusted)) = policy.issuers().find(|(_, trusted)| trusted.name == name) else {
            let names: Vec<_> = policy.issuers().map(|(_, trusted)| format!("`{}`", trusted.name)).collect();
            return Err(format!(
                "--jwks {given}: the policy has no issuer `{name}`, but {}",
                names.join(", ")
            ));
        };
        if !seen.insert(name) {
            return Err(format!("--jwks {given}: the keys of `{name}` are given twice"));
        }
        let set = key_set::read(Path::new(file), name, trusted.issuer.algorithms())?;
        ring.set(id, set);
        hints.retain(|(own, _)| *own != id);
    }
    Ok((ring, hints.into_iter().map(|(_, hint)| hint).collect()))
}

/// The variables that hold an issuer's secrets.
fn variables<'d>(document: &'d Value, issuer: &str) -> impl Iterator<Item = &'d str> {
    let names =
        document.get("issuers").and_then(|issuers| issuers.get(issuer)?.get("keys")?.get("secrets_env"));
    names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
