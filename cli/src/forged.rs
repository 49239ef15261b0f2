//! Tokens as an issuer of a policy gives them, and the keys that verify them: what is forged looks like what is real.

use bearward_core::algorithm::AlgorithmName;
use bearward_forge::{ForgeError, Key};
use serde_json::{Map, Value, json};

use crate::policy_file::Loaded;

/// A token is good for so long, where nothing else is said.
pub(crate) const LIFE_SECONDS: i64 = 900;
/// Claims whose value may be `now`, `now+60`, `now-60`.
const TIMES: [&str; 4] = ["exp", "nbf", "iat", "auth_time"];
/// The subject, where none is named.
const SUBJECT: &str = "user-1";

/// What a policy says of an issuer, as it was written.
pub(crate) struct Described<'l> {
    pub(crate) name: &'l str,
    pub(crate) algorithms: &'l [AlgorithmName],
    document: &'l Value,
}

impl<'l> Described<'l> {
    /// The issuer of this name; `None` where the policy has none.
    pub(crate) fn find(loaded: &'l Loaded, name: &str) -> Option<Self> {
        let (_, trusted) = loaded.policy.issuers().find(|(_, trusted)| trusted.name == name)?;
        let document = loaded.document.get("issuers").and_then(|issuers| issuers.get(name));
        Some(Self {
            name: &trusted.name,
            algorithms: trusted.issuer.algorithms(),
            document: document.unwrap_or(&Value::Null),
        })
    }

    /// The variable that holds its secret.
    pub(crate) fn secret_variable(&self) -> Option<&'l str> {
        self.document.pointer("/keys/secrets_env/0").and_then(Value::as_str)
    }

    /// The `typ` of its tokens.
    pub(crate) fn typ(&self) -> Option<&'l str> {
        self.document.pointer("/token_types/0").and_then(Value::as_str)
    }

    /// The claims of a good token.
    pub(crate) fn claims(&self, now: u64) -> Map<String, Value> {
        let mut claims = usual_claims(now);
        claims.extend(self.document.get("iss").map(|iss| ("iss".to_owned(), iss.clone())));
        let audience = self.document.pointer("/audiences/0");
        claims.extend(audience.map(|audience| ("aud".to_owned(), audience.clone())));
        let path = self.document.pointer("/claims/subject").and_then(Value::as_array);
        let path: Vec<_> = path.into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some((first, rest)) = path.split_first() {
            claims.remove("sub");
            let value = rest.iter().rfold(Value::from(SUBJECT), |value, name| json!({ *name: value }));
            claims.insert((*first).to_owned(), value);
        }
        if self.document.get("revocations").is_some() {
            claims.extend(revocable().map(|(name, value)| (name.to_owned(), value)));
        }
        claims
    }
}

/// What the tokens of an issuer with a feed of revocations say besides.
fn revocable() -> [(&'static str, Value); 3] {
    [("sid", "session-1".into()), ("user_version", 0.into()), ("epoch", 0.into())]
}

/// The claims of a good token of nobody in particular.
pub(crate) fn usual_claims(now: u64) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), SUBJECT.into());
    claims.insert("iat".to_owned(), now.into());
    claims.insert("exp".to_owned(), now.saturating_add_signed(LIFE_SECONDS).into());
    claims
}

/// What is said, over what is usual; `null` takes a member away.
pub(crate) fn merged(mut usual: Map<String, Value>, own: Option<&Map<String, Value>>) -> Map<String, Value> {
    for (name, value) in own.into_iter().flatten() {
        if value.is_null() {
            usual.remove(name);
        } else {
            usual.insert(name.clone(), value.clone());
        }
    }
    usual
}

/// A token of this header and these claims, in which times may be relative.
///
/// # Errors
/// As [`bearward_forge::compact`].
pub(crate) fn token(
    header: Map<String, Value>,
    mut claims: Map<String, Value>,
    now: u64,
    key: &Key,
    algorithm: AlgorithmName,
) -> Result<String, ForgeError> {
    for name in TIMES {
        if let Some(time) = claims.get(name).and_then(Value::as_str).and_then(|text| relative(text, now)) {
            claims.insert(name.to_owned(), time.into());
        }
    }
    let (header, claims) = (Value::Object(header).to_string(), Value::Object(claims).to_string());
    bearward_forge::compact(header, claims, key, algorithm.into())
}

/// What verifies a key's signatures: its public half, or the secret itself.
pub(crate) fn jwk(key: &Key, kid: &str, algorithm: AlgorithmName) -> Value {
    let mut jwk = key.jwk();
    if let Some(members) = jwk.as_object_mut() {
        members.insert("kid".to_owned(), kid.into());
        members.insert("alg".to_owned(), algorithm.as_str().into());
    }
    jwk
}

/// The name of a key, which says what becomes of it.
pub(crate) fn kid(algorithm: AlgorithmName) -> String {
    format!("thrown-away-{}", algorithm.as_str())
}

/// `now`, `now+60`, `now-60`
fn relative(text: &str, now: u64) -> Option<u64> {
    let offset = text.strip_prefix("now")?;
    let seconds: i64 = if offset.is_empty() { 0 } else { offset.parse().ok()? };
    now.checked_add_signed(seconds)
}
