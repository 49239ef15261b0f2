//! Keys of RSA (RFC 7518 section 6.3).

use bearward_protocol::bounds::{
    MAX_RSA_EXPONENT, MAX_RSA_MODULUS_BITS, MIN_RSA_EXPONENT, MIN_RSA_MODULUS_BITS,
};
use rsa::errors::Error;
use rsa::pkcs8::EncodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, PublicKey};
use serde_json::{Map, Value};

use super::octets;
use crate::keys::material::ForHost;

/// As many bytes as the greatest exponent has.
const MAX_EXPONENT_BYTES: usize = (MAX_RSA_EXPONENT.ilog2() as usize + 1).div_ceil(8);

/// The modulus `n` and the exponent `e`, within their bounds.
pub(super) fn read(jwk: &Map<String, Value>) -> Result<PublicKey, (&'static str, String)> {
    let n = unsigned(jwk, "n", MAX_RSA_MODULUS_BITS.div_ceil(8))?;
    let e = unsigned(jwk, "e", MAX_EXPONENT_BYTES)?;
    if e < BoxedUint::from(MIN_RSA_EXPONENT) {
        return Err(("e", exponent_bounds()));
    }
    PublicKey::new_with_size_limits(n, e, MIN_RSA_MODULUS_BITS..=MAX_RSA_MODULUS_BITS).map_err(|error| {
        match error {
            Error::ModulusTooSmall | Error::ModulusTooLarge => ("n", modulus_bounds()),
            Error::InvalidExponent | Error::PublicExponentTooSmall | Error::PublicExponentTooLarge => {
                ("e", exponent_bounds())
            }
            _ => ("n", "is no modulus of RSA: it must be odd".to_owned()),
        }
    })
}

/// The same, and in the form that a host takes.
pub(super) fn read_for_host(jwk: &Map<String, Value>) -> Result<ForHost<PublicKey>, (&'static str, String)> {
    let key = read(jwk)?;
    let spki = key.to_public_key_der().map_err(|_| ("n", "cannot be encoded".to_owned()))?.into_vec();
    let signature_bytes = key.size();
    Ok(ForHost { key, spki, signature_bytes })
}

fn modulus_bounds() -> String {
    format!("must be a modulus of {MIN_RSA_MODULUS_BITS} to {MAX_RSA_MODULUS_BITS} bits")
}

fn exponent_bounds() -> String {
    format!("must be an odd exponent from {MIN_RSA_EXPONENT} to {MAX_RSA_EXPONENT}; 65537 is usual")
}

/// A `Base64urlUInt`, in as few bytes as it takes: RFC 7518 section 2 says MUST, section 6.3.1.1 names the libraries
/// that write one more. A key with two spellings would be two keys to whoever compares them by their bytes.
fn unsigned(
    jwk: &Map<String, Value>,
    member: &'static str,
    max_bytes: usize,
) -> Result<BoxedUint, (&'static str, String)> {
    let bytes = octets(jwk, member)?;
    match bytes.first() {
        None => Err((member, "must not be empty".to_owned())),
        Some(0) => Err((member, "must not begin with a zero byte (RFC 7518 section 2)".to_owned())),
        Some(_) if bytes.len() > max_bytes => {
            Err((member, if member == "n" { modulus_bounds() } else { exponent_bounds() }))
        }
        Some(_) => Ok(BoxedUint::from_be_slice_vartime(&bytes)),
    }
}
