//! What is checked after the signature: the registered claims (RFC 7519 section 4.1), and what the claims say.
//!
//! A claim of the wrong type is malformed, never absent: `exp: "never"` does not make a token eternal.

use bearward_protocol::bounds::{MAX_NUMERIC_DATE, MAX_ROLE_BYTES, MAX_ROLES, MAX_SUBJECT_BYTES};
use bearward_protocol::revocations::MAX_RECORD_NAME_BYTES;
use serde_json::Value;

use crate::issuer::{ClaimMapping, Grants, Issuer, Separator};
use crate::json::Members;
use crate::rejection::Rejection;
use crate::revocations::RevocableToken;
use crate::revocations::deny_list::DeniableToken;
use crate::token::VerifiedToken;

/// Who is calling: identity is the issuer together with the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedClaims {
    subject: String,
    roles: Vec<String>,
    times: Times,
    payload: Members,
}

impl VerifiedClaims {
    /// Validates the claims of a verified token at the time `now`, in seconds since the epoch.
    ///
    /// # Errors
    /// [`Rejection::ClaimsMalformed`], [`Rejection::IssuerMismatch`], [`Rejection::AudienceMismatch`],
    /// [`Rejection::TokenExpired`], [`Rejection::TokenNotYetValid`].
    pub fn validate(token: VerifiedToken, issuer: &Issuer, now: u64) -> Result<Self, Rejection> {
        let payload = token.payload;
        let iss = payload.get("iss").map(|iss| iss.as_str().ok_or(Rejection::ClaimsMalformed)).transpose()?;
        if !issuer.answers_to(iss) {
            return Err(Rejection::IssuerMismatch);
        }
        check_audience(payload.get("aud"), issuer)?;
        let times = Times::read(&payload)?;
        times.check(issuer.leeway_seconds, now)?;
        let subject = read_subject(&payload, &issuer.claims.subject)?;
        let roles = read_roles(&payload, &issuer.claims)?;
        let roles = granted(roles, &issuer.claims.grants);
        if issuer.has_feed {
            read_revocable(&payload, None)?;
        }
        if issuer.has_deny_list {
            read_deniable(&payload, &subject)?;
        }
        Ok(Self { subject, roles, times, payload })
    }

    /// What of [`VerifiedClaims::validate`] must be asked again whenever time has passed.
    ///
    /// # Errors
    /// [`Rejection::TokenExpired`], [`Rejection::TokenNotYetValid`].
    pub(crate) fn check_times(&self, issuer: &Issuer, now: u64) -> Result<(), Rejection> {
        self.times.check(issuer.leeway_seconds, now)
    }

    /// The subject; unique within its issuer. Not empty, at most [`MAX_SUBJECT_BYTES`] bytes.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The roles that the issuer grants. None is empty, none holds a comma or a control character.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// What records of an issuer with a feed look at. `kid`: the key that has proved the token. Without allocation.
    ///
    /// # Errors
    /// [`Rejection::ClaimsMalformed`], for a token of another issuer.
    pub(crate) fn revocable<'c>(&'c self, kid: Option<&'c str>) -> Result<RevocableToken<'c>, Rejection> {
        read_revocable(&self.payload, kid)
    }

    /// What entries of a deny list look at. Without allocation.
    ///
    /// # Errors
    /// [`Rejection::ClaimsMalformed`], for a token of an issuer without one.
    pub(crate) fn deniable(&self) -> Result<DeniableToken<'_>, Rejection> {
        read_deniable(&self.payload, &self.subject)
    }

    /// The claim at a path of member names.
    ///
    /// # Errors
    /// [`Rejection::ClaimsMalformed`] where something on the way is no object.
    pub(crate) fn lookup(&self, path: &[String]) -> Result<Option<&Value>, Rejection> {
        lookup(&self.payload, path)
    }

    /// The whole payload.
    #[must_use]
    pub fn payload(&self) -> &Members {
        &self.payload
    }
}

pub(crate) fn check_audience(aud: Option<&Value>, issuer: &Issuer) -> Result<(), Rejection> {
    let accepted = |audience: &str| issuer.audiences.iter().any(|own| own == audience);
    let found = match aud {
        None if issuer.accept_missing_aud => return Ok(()),
        None => return Err(Rejection::ClaimsMalformed),
        Some(Value::String(audience)) => accepted(audience),
        Some(Value::Array(audiences)) => {
            let mut found = false;
            for audience in audiences {
                found |= accepted(audience.as_str().ok_or(Rejection::ClaimsMalformed)?);
            }
            found
        }
        Some(_) => return Err(Rejection::ClaimsMalformed),
    };
    if found { Ok(()) } else { Err(Rejection::AudienceMismatch) }
}

/// `exp`, `nbf` and `iat` (RFC 7519 section 4.1), in seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    expires: u64,
    not_before: Option<u64>,
    issued: Option<u64>,
}

impl Times {
    fn read(payload: &Members) -> Result<Self, Rejection> {
        Ok(Self {
            expires: numeric_date(payload.get("exp"), Round::Down)?.ok_or(Rejection::ClaimsMalformed)?,
            not_before: numeric_date(payload.get("nbf"), Round::Up)?,
            issued: numeric_date(payload.get("iat"), Round::Up)?,
        })
    }

    fn check(self, leeway: u64, now: u64) -> Result<(), Rejection> {
        if now >= self.expires.saturating_add(leeway) {
            return Err(Rejection::TokenExpired);
        }
        let latest = now.saturating_add(leeway);
        if self.not_before.is_some_and(|nbf| nbf > latest) || self.issued.is_some_and(|iat| iat > latest) {
            return Err(Rejection::TokenNotYetValid);
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Round {
    Down,
    Up,
}

/// A NumericDate (RFC 7519 section 2), a fraction rounded towards refusal.
pub(crate) fn numeric_date(value: Option<&Value>, round: Round) -> Result<Option<u64>, Rejection> {
    let number = match value {
        None => return Ok(None),
        Some(Value::Number(number)) => number,
        Some(_) => return Err(Rejection::ClaimsMalformed),
    };
    let seconds = match (number.as_u64(), number.as_f64()) {
        (Some(seconds), _) => seconds,
        (None, Some(seconds)) if (0.0..=MAX_NUMERIC_DATE as f64).contains(&seconds) => match round {
            Round::Down => seconds.floor() as u64,
            Round::Up => seconds.ceil() as u64,
        },
        _ => return Err(Rejection::ClaimsMalformed),
    };
    if seconds > MAX_NUMERIC_DATE {
        return Err(Rejection::ClaimsMalformed);
    }
    Ok(Some(seconds))
}

/// Follows a path of member names. What stands in the way and is no object is malformed.
fn lookup<'a>(payload: &'a Members, path: &[String]) -> Result<Option<&'a Value>, Rejection> {
    let Some((last, parents)) = path.split_last() else {
        return Ok(None);
    };
    let Some((first, parents)) = parents.split_first() else {
        return Ok(payload.get(last));
    };
    let mut found = payload.get(first);
    for name in parents.iter().chain([last]) {
        found = match found {
            None => return Ok(None),
            Some(Value::Object(inner)) => inner.get(name),
            Some(_) => return Err(Rejection::ClaimsMalformed),
        };
    }
    Ok(found)
}

/// A string; or a whole number, where another claim than `sub` is mapped (RFC 7519 section 4.1.2 wants a string there).
pub(crate) fn read_subject(payload: &Members, path: &[String]) -> Result<String, Rejection> {
    let subject = match lookup(payload, path)? {
        Some(Value::String(subject)) => subject.clone(),
        Some(Value::Number(number)) if number.is_u64() && *path != ["sub"] => number.to_string(),
        _ => return Err(Rejection::ClaimsMalformed),
    };
    if subject.is_empty() || subject.len() > MAX_SUBJECT_BYTES || subject.chars().any(char::is_control) {
        return Err(Rejection::ClaimsMalformed);
    }
    Ok(subject)
}

/// `sid`, `sub`, `user_version` and `epoch`, as Bearward's issuer writes them: what a record could not name would live on.
pub(crate) fn read_revocable<'c>(
    payload: &'c Members,
    kid: Option<&'c str>,
) -> Result<RevocableToken<'c>, Rejection> {
    let text = |name: &str| {
        let text = payload.get(name).and_then(Value::as_str);
        text.filter(|text| (1..=MAX_RECORD_NAME_BYTES).contains(&text.len()))
            .ok_or(Rejection::ClaimsMalformed)
    };
    let whole = |name: &str| payload.get(name).and_then(Value::as_u64).ok_or(Rejection::ClaimsMalformed);
    Ok(RevocableToken {
        sid: text("sid")?,
        sub: text("sub")?,
        user_version: whole("user_version")?,
        epoch: whole("epoch")?,
        kid,
    })
}

/// `jti`, `sid` and `sub`, each of which another issuer's tokens may lack, and `iat`. One of another type is no name that a list
/// could hold.
pub(crate) fn read_deniable<'c>(
    payload: &'c Members,
    subject: &'c str,
) -> Result<DeniableToken<'c>, Rejection> {
    let text = |name: &str| match payload.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Rejection::ClaimsMalformed),
    };
    Ok(DeniableToken {
        jti: text("jti")?,
        sid: text("sid")?,
        sub: text("sub")?,
        subject,
        // A fraction of a second before is before.
        issued_at: numeric_date(payload.get("iat"), Round::Down)?,
    })
}

/// An array of strings, or one string, of one role or of several; none where the claim is absent.
pub(crate) fn read_roles(payload: &Members, mapping: &ClaimMapping) -> Result<Vec<String>, Rejection> {
    let roles: Vec<String> = match (lookup(payload, &mapping.roles)?, mapping.separator) {
        (None, _) => return Ok(Vec::new()),
        // Two spaces, and one at an end, leave a word that is empty, which is no role (RFC 6749 section 3.3).
        (Some(Value::String(roles)), Separator::Space) => {
            roles.split(' ').take(MAX_ROLES + 1).map(str::to_owned).collect()
        }
        (Some(Value::String(role)), Separator::None) => vec![role.clone()],
        (Some(Value::Array(roles)), Separator::None) if roles.len() <= MAX_ROLES => roles
            .iter()
            .map(|role| role.as_str().map(str::to_owned).ok_or(Rejection::ClaimsMalformed))
            .collect::<Result<_, _>>()?,
        _ => return Err(Rejection::ClaimsMalformed),
    };
    let fine = roles.len() <= MAX_ROLES && roles.iter().all(|role| is_role(role));
    if fine { Ok(roles) } else { Err(Rejection::ClaimsMalformed) }
}

/// Roles travel joined by commas: one that holds a comma would be two for the upstream.
pub(crate) fn is_role(role: &str) -> bool {
    !role.is_empty()
        && role.len() <= MAX_ROLE_BYTES
        && !role.contains(|character: char| character == ',' || character.is_control())
        && role.trim() == role
}

pub(crate) fn granted(mut roles: Vec<String>, grants: &Grants) -> Vec<String> {
    match grants {
        Grants::Any => {}
        Grants::Listed(listed) => roles.retain(|role| listed.contains(role)),
        Grants::Prefixed(prefix) => {
            for role in &mut roles {
                role.insert_str(0, prefix);
            }
        }
    }
    roles
}

#[cfg(test)]
mod tests;
