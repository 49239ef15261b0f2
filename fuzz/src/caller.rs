//! Who a token says is calling, by its payload and the document alone.

use std::collections::BTreeMap;

use bearward_protocol::bounds::{MAX_ROLE_BYTES, MAX_ROLES, MAX_SUBJECT_BYTES};
use serde_json::{Map, Value};

use crate::document::{self, items};
use crate::{NOW, forge};

/// The claims of a token that our keys signed, and what an issuer of the document makes of them.
#[derive(Clone, Debug)]
pub struct Caller {
    issuer: String,
    subject: String,
    roles: Vec<String>,
    payload: Map<String, Value>,
}

impl Caller {
    /// `None` where this issuer of the document cannot have said so.
    #[must_use]
    pub fn of(document: &Value, issuer: &str, token: &[u8]) -> Option<Self> {
        let trusted = &document["issuers"][issuer];
        let signed = forge::signed(token)?;
        let payload = signed.payload.as_object()?.clone();
        let accepts_missing = |claim: &str| items(&trusted["accept_missing"]).any(|name| name == claim);
        let is_its_own = match payload.get("iss") {
            None => accepts_missing("iss"),
            Some(iss) => trusted.get("iss").is_none_or(|own| own == iss),
        };
        let is_listed = |audience: &Value| items(&trusted["audiences"]).any(|own| own == audience);
        let is_for_us = match payload.get("aud") {
            None => accepts_missing("aud"),
            Some(Value::Array(audiences)) => audiences.iter().any(is_listed),
            Some(audience) => is_listed(audience),
        };
        let leeway = trusted["leeway_seconds"].as_f64().unwrap_or(30.0);
        let is_alive =
            payload.get("exp").and_then(Value::as_f64).is_some_and(|exp| exp.floor() + leeway > NOW as f64);
        let may_begin = |claim: &str| {
            payload
                .get(claim)
                .is_none_or(|time| time.as_f64().is_some_and(|time| time <= NOW as f64 + leeway))
        };
        let is_listed_name =
            items(&trusted["algorithms"]).any(|own| signed.is_by(own.as_str().unwrap_or_default()));
        let has_key = match &signed.public {
            Some(public) => items(&trusted["keys"]["jwks"]["keys"]).any(|key| key["x"] == public.as_str()),
            None => items(&trusted["keys"]["secrets_env"]).any(|name| name == forge::SECRET_NAME),
        };
        let holds = is_its_own && is_for_us && is_alive && may_begin("nbf") && may_begin("iat");
        let claims = &trusted["claims"];
        let path = |field: &str, usual: &str| match claims[field].as_array() {
            Some(path) => path.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => vec![usual.to_owned()],
        };
        let subject = text(claim(&payload, &path("subject", "sub"))?)?;
        let roles = roles(claim(&payload, &path("roles", "roles")), claims)?;
        let prefix = claims["role_prefix"].as_str().map_or(0, str::len);
        let is_role =
            |role: &String| (1..=MAX_ROLE_BYTES + prefix).contains(&role.len()) && !role.contains(',');
        let is_bounded = (1..=MAX_SUBJECT_BYTES).contains(&subject.len())
            && roles.len() <= MAX_ROLES
            && roles.iter().all(is_role);
        (holds && is_bounded && is_listed_name && has_key).then(|| Self {
            issuer: issuer.to_owned(),
            subject,
            roles,
            payload,
        })
    }

    /// The identity headers that the upstream is to get, and no others.
    #[must_use]
    pub fn headers(&self, document: &Value) -> BTreeMap<String, String> {
        let value = |source: &Value| match source {
            Value::Array(path) => {
                let path: Vec<_> = path.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                match claim(&self.payload, &path)? {
                    Value::Array(items) => Some(joined(items.iter().filter_map(text))),
                    item => text(item).map(|text| encoded(&text)),
                }
            }
            Value::String(word) if word == "subject" => Some(encoded(&self.subject)),
            Value::String(word) if word == "roles" => Some(joined(self.roles.iter().cloned())),
            _ => Some(self.issuer.clone()),
        };
        let headers = document::identity(document).into_iter();
        headers.filter_map(|(name, source)| Some((name, value(&source)?))).collect()
    }

    /// Whether the roles and claims suffice. A parameter counts as met by any segment of the path.
    #[must_use]
    pub fn meets(&self, requirement: &Value, target: &[u8]) -> bool {
        let has = |role: &Value| self.roles.iter().any(|own| role == own.as_str());
        let one = requirement.get("any_role").is_none_or(|roles| items(roles).any(has));
        one && items(&requirement["all_roles"]).all(has)
            && items(&requirement["claims"]).all(|condition| self.fulfils(condition, target))
    }

    fn fulfils(&self, condition: &Value, target: &[u8]) -> bool {
        let path: Vec<_> = items(&condition["path"]).filter_map(Value::as_str).map(str::to_owned).collect();
        let Some(claim) = claim(&self.payload, &path) else { return false };
        if condition.get("equals_param").is_some() {
            let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
            let text = text(claim).unwrap_or_default();
            return path.split(|byte| *byte == b'/').any(|segment| decoded(segment) == text.as_bytes());
        }
        match (condition.get("contains"), claim) {
            (Some(value), Value::Array(items)) => items.iter().any(|item| is(item, value)),
            (Some(value), Value::String(words)) => words.split(' ').any(|word| value == word),
            (Some(_), _) => false,
            (None, claim) => {
                let one_of = condition.get("one_of").map(|values| items(values).collect());
                one_of.unwrap_or_else(|| vec![&condition["equals"]]).iter().any(|value| is(claim, value))
            }
        }
    }
}

/// Without `%`: what the bytes stand for (RFC 3986 section 2.1). What is no encoding stands for itself.
#[must_use]
pub fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match digits.filter(|_| text[at] == b'%') {
            Some(digits) => {
                let digits = std::str::from_utf8(digits).expect("ASCII");
                bytes.push(u8::from_str_radix(digits, 16).expect("digits"));
                at += 3;
            }
            None => {
                bytes.push(text[at]);
                at += 1;
            }
        }
    }
    bytes
}

/// `7` and `7.0` are one number, `7` and `"7"` two values.
fn is(claim: &Value, value: &Value) -> bool {
    match (claim.as_i64(), value.as_i64()) {
        (Some(claim), Some(value)) => claim == value,
        _ if claim.is_number() && value.is_number() => claim.as_f64() == value.as_f64(),
        _ => claim == value,
    }
}

fn claim<'p>(payload: &'p Map<String, Value>, path: &[String]) -> Option<&'p Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(payload.get(first)?, |claim, name| claim.get(name))
}

/// `None` where the claim is of no type that roles may have.
fn roles(claim: Option<&Value>, mapping: &Value) -> Option<Vec<String>> {
    let mut roles: Vec<String> = match claim {
        None => Vec::new(),
        Some(Value::String(words)) if mapping["role_separator"] == "space" => {
            words.split(' ').map(str::to_owned).collect()
        }
        Some(Value::String(role)) => vec![role.clone()],
        Some(list) => {
            list.as_array()?.iter().map(|role| role.as_str().map(str::to_owned)).collect::<Option<_>>()?
        }
    };
    if let Some(granted) = mapping.get("granted_roles") {
        roles.retain(|role| items(granted).any(|own| own == role.as_str()));
    }
    let prefix = mapping["role_prefix"].as_str().unwrap_or_default();
    Some(roles.into_iter().map(|role| format!("{prefix}{role}")).collect())
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn joined(values: impl Iterator<Item = String>) -> String {
    values.map(|value| encoded(&value)).collect::<Vec<_>>().join(",")
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'!'..=b'~' if byte != b'%' && byte != b',' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
