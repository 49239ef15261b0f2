//! What is checked before the signature: the compact serialization and the JOSE header (RFC 7515).
//!
//! Each segment is decoded and parsed once, and whatever is refused is refused before the rest costs anything: duplicate members,
//! deep nesting, `crit`, `b64`, any `cty`. The algorithms are jwt-compact's; its reader would decode everything once more.

mod headers;

use std::rc::Rc;
use std::sync::Arc;

use bearward_protocol::bounds::{MAX_KEY_ID_BYTES, MAX_TOKEN_BYTES};
use serde_json::{Map, Value};

use crate::algorithm::AlgorithmName;
use crate::issuer::Issuer;
use crate::json::Members;
use crate::keys::{KeySet, Thumbprint};
use crate::rejection::Rejection;
use crate::signature_host::SignatureHost;
use crate::{base64url, json};

pub(crate) use self::headers::KnownHeaders;

/// A JWS whose form is right and of which nothing else is known; what its payload is, nobody has looked at.
#[derive(Debug)]
pub struct UnverifiedJws<'t> {
    header: Rc<Header>,
    signing_input: &'t [u8],
    signature: Vec<u8>,
}

/// What is read of a JOSE header.
#[derive(Debug)]
pub(crate) struct Header {
    algorithm: AlgorithmName,
    typ: Option<String>,
    kid: Option<Rc<str>>,
}

/// A token whose form is right and of which nothing else is known.
#[derive(Debug)]
pub struct UnverifiedToken<'t> {
    jws: UnverifiedJws<'t>,
    payload: Members,
}

/// A token whose signature holds under a key of its issuer. Whether its claims do is another question.
#[derive(Debug)]
pub struct VerifiedToken {
    pub(crate) payload: Members,
    pub(crate) proof: Proof,
}

/// What it was verified with: whether that still stands can be asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    /// As the token says it.
    kid: Option<Rc<str>>,
    /// As the set of keys does.
    name: Option<Arc<str>>,
    algorithm: AlgorithmName,
    key: Thumbprint,
}

impl Proof {
    /// The name of the key. What the set says counts, so that whoever leaves `kid` out of a token cannot leave out whose key it
    /// is; only a key that the set has no name for, a secret for one, is what the token calls it.
    pub(crate) fn key_name(&self) -> Option<&str> {
        self.name.as_deref().or(self.kid.as_deref())
    }

    /// Whether these keys would prove it again.
    pub(crate) fn stands(&self, keys: &KeySet) -> bool {
        keys.still_selects(&self.key, self.kid.as_deref(), self.algorithm)
    }
}

impl<'t> UnverifiedJws<'t> {
    /// Reads a JWS in compact serialization (RFC 7515 section 7.1).
    ///
    /// # Errors
    /// [`Rejection::TokenTooLarge`], [`Rejection::TokenMalformed`] (a JWE, too, with its five segments),
    /// [`Rejection::TypeNotAllowed`] for any `cty`, [`Rejection::AlgorithmNotAllowed`].
    pub fn parse(token: &'t [u8]) -> Result<Self, Rejection> {
        // Whatever it is, it is encoded as it should be.
        let read = |payload: &[u8]| base64url::decode(payload).map(drop).ok_or(Rejection::TokenMalformed);
        Self::parse_with(token, MAX_TOKEN_BYTES, Header::parse, read).map(|(jws, ())| jws)
    }

    /// The same of at most `max_bytes`, and the payload read by `read` once the header, by `header`, is fine: whatever is refused is
    /// refused before the rest costs anything.
    pub(crate) fn parse_with<P>(
        token: &'t [u8],
        max_bytes: usize,
        header: impl FnOnce(&[u8]) -> Result<Rc<Header>, Rejection>,
        read: impl FnOnce(&[u8]) -> Result<P, Rejection>,
    ) -> Result<(Self, P), Rejection> {
        if token.len() > max_bytes {
            return Err(Rejection::TokenTooLarge);
        }
        let (signing_input, signature) = split_at_last_dot(token).ok_or(Rejection::TokenMalformed)?;
        let (first, payload) = split_at_last_dot(signing_input).ok_or(Rejection::TokenMalformed)?;
        let is_one_more = memchr::memchr(b'.', first).is_some();
        if first.is_empty() || payload.is_empty() || signature.is_empty() || is_one_more {
            return Err(Rejection::TokenMalformed);
        }
        let header = header(first)?;
        let payload = read(payload)?;
        let signature = base64url::decode(signature).ok_or(Rejection::TokenMalformed)?;
        Ok((Self { header, signing_input, signature }, payload))
    }

    pub(crate) fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    pub(crate) fn algorithm(&self) -> AlgorithmName {
        self.header.algorithm
    }

    pub(crate) fn prove(&self, keys: &KeySet, host: &dyn SignatureHost) -> Result<Proof, Rejection> {
        let Header { algorithm, kid, .. } = &*self.header;
        let (key, name) =
            keys.prove(kid.as_deref(), *algorithm, self.signing_input, &self.signature, host)?;
        Ok(Proof { kid: kid.clone(), name, algorithm: *algorithm, key })
    }
}

#[cfg(any(test, feature = "explain"))]
impl UnverifiedJws<'_> {
    pub(crate) fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Verifies the signature, whatever the payload is.
    ///
    /// # Errors
    /// As [`UnverifiedToken::verify`].
    pub(crate) fn verify(&self, keys: &KeySet) -> Result<(), Rejection> {
        self.prove(keys, &crate::signature_host::NoSignatureHost).map(|_| ())
    }
}

impl<'t> UnverifiedToken<'t> {
    /// Reads a JWS whose payload is a JSON object (RFC 7519 section 7.2).
    ///
    /// # Errors
    /// As [`UnverifiedJws::parse`].
    pub fn parse(token: &'t [u8]) -> Result<Self, Rejection> {
        let (jws, payload) = UnverifiedJws::parse_with(token, MAX_TOKEN_BYTES, Header::parse, claims_of)?;
        Ok(Self { jws, payload })
    }

    /// The same, with headers that need not be read again.
    pub(crate) fn parse_knowing(token: &'t [u8], known: &KnownHeaders) -> Result<Self, Rejection> {
        let header = |segment: &[u8]| known.get(segment).map_or_else(|| Header::parse(segment), Ok);
        let (jws, payload) = UnverifiedJws::parse_with(token, MAX_TOKEN_BYTES, header, claims_of)?;
        Ok(Self { jws, payload })
    }

    /// What its header says.
    pub(crate) fn header(&self) -> Rc<Header> {
        Rc::clone(&self.jws.header)
    }

    /// What the token says of its issuer: only good to choose the keys that can prove it.
    ///
    /// # Errors
    /// [`Rejection::IssuerMismatch`] where `iss` is no string.
    pub fn claimed_issuer(&self) -> Result<Option<&str>, Rejection> {
        match self.payload.get("iss") {
            None => Ok(None),
            Some(Value::String(iss)) => Ok(Some(iss)),
            Some(_) => Err(Rejection::IssuerMismatch),
        }
    }

    /// Whether `alg` and `typ` are ones that the issuer's tokens have.
    ///
    /// # Errors
    /// [`Rejection::AlgorithmNotAllowed`], [`Rejection::TypeNotAllowed`].
    pub fn check_header(&self, issuer: &Issuer) -> Result<(), Rejection> {
        if !issuer.allows_algorithm(self.jws.algorithm()) {
            return Err(Rejection::AlgorithmNotAllowed);
        }
        if !issuer.allows_type(self.jws.typ()) {
            return Err(Rejection::TypeNotAllowed);
        }
        Ok(())
    }

    /// Verifies the signature, by `host` where it can.
    ///
    /// # Errors
    /// [`Rejection::KeyUnknown`], [`Rejection::AlgorithmNotAllowed`], [`Rejection::SignatureInvalid`].
    pub fn verify(self, keys: &KeySet, host: &dyn SignatureHost) -> Result<VerifiedToken, Rejection> {
        let proof = self.jws.prove(keys, host)?;
        Ok(VerifiedToken { payload: self.payload, proof })
    }
}

#[cfg(any(test, feature = "explain"))]
impl<'t> UnverifiedToken<'t> {
    /// What it is apart from its payload.
    pub(crate) fn jws(&self) -> &UnverifiedJws<'t> {
        &self.jws
    }

    pub(crate) fn algorithm(&self) -> AlgorithmName {
        self.jws.algorithm()
    }

    pub(crate) fn typ(&self) -> Option<&str> {
        self.jws.typ()
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.jws.kid()
    }
}

fn split_at_last_dot(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, from_dot) = text.split_at_checked(memchr::memrchr(b'.', text)?)?;
    Some((before, from_dot.split_first()?.1))
}

fn claims_of(segment: &[u8]) -> Result<Members, Rejection> {
    let bytes = base64url::decode(segment).ok_or(Rejection::TokenMalformed)?;
    json::parse_members(&bytes).map_err(|_| Rejection::TokenMalformed)
}

fn object(segment: &[u8]) -> Result<Map<String, Value>, Rejection> {
    let bytes = base64url::decode(segment).ok_or(Rejection::TokenMalformed)?;
    json::parse_object(&bytes).map_err(|_| Rejection::TokenMalformed)
}

impl Header {
    /// Reads the first segment of a token.
    pub(crate) fn parse(segment: &[u8]) -> Result<Rc<Self>, Rejection> {
        object(segment).and_then(Self::read).map(Rc::new)
    }

    /// The checks of the JOSE header that hold for every issuer (RFC 7515 sections 4.1 and 5.2).
    ///
    /// `jku`, `jwk`, `x5u` and `x5c` are ignored: a token does not choose the key that judges it.
    fn read(mut header: Map<String, Value>) -> Result<Self, Rejection> {
        let Some(Value::String(alg)) = header.get("alg") else {
            return Err(Rejection::TokenMalformed);
        };
        // No extension is understood, so none may be critical (section 4.1.11); `b64` (RFC 7797) needs `crit`.
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(Rejection::TokenMalformed);
        }
        if header.contains_key("cty") {
            return Err(Rejection::TypeNotAllowed);
        }
        let algorithm = AlgorithmName::parse(alg);
        let kid = match header.remove("kid") {
            None => None,
            Some(Value::String(kid)) if !kid.is_empty() && kid.len() <= MAX_KEY_ID_BYTES => Some(kid.into()),
            Some(_) => return Err(Rejection::TokenMalformed),
        };
        let algorithm = algorithm.ok_or(Rejection::AlgorithmNotAllowed)?;
        let typ = match header.remove("typ") {
            None => None,
            Some(Value::String(typ)) => Some(typ),
            Some(_) => return Err(Rejection::TokenMalformed),
        };
        Ok(Self { algorithm, typ, kid })
    }
}

#[cfg(test)]
mod tests;
