//! Keys of the NIST curves (RFC 7518 section 6.2).

use p256::pkcs8::EncodePublicKey as _;
use serde_json::{Map, Value};

use super::octets;
use crate::keys::material::ForHost;

/// The key of a curve. That the point is on it is checked where the point is read; the identity has no coordinates.
macro_rules! curve {
    ($read:ident, $curve:ident, $bytes:literal, $name:literal) => {
        pub(super) fn $read(
            jwk: &Map<String, Value>,
        ) -> Result<ForHost<$curve::ecdsa::VerifyingKey>, (&'static str, String)> {
            let x: [u8; $bytes] = coordinate(jwk, "x", $name)?;
            let y: [u8; $bytes] = coordinate(jwk, "y", $name)?;
            let point = $curve::Sec1Point::from_affine_coordinates(&x.into(), &y.into(), false);
            let off = || ("x", format!("`x` and `y` are no point of {}", $name));
            let key = $curve::ecdsa::VerifyingKey::from_sec1_point(&point).map_err(|_| off())?;
            let spki = key.to_public_key_der().map_err(|_| off())?.into_vec();
            Ok(ForHost { key, spki, signature_bytes: 2 * $bytes })
        }
    };
}

curve!(p256, p256, 32, "P-256");
curve!(p384, p384, 48, "P-384");

/// Of full length: leading zeros are not left out (RFC 7518 section 6.2.1.2).
fn coordinate<const N: usize>(
    jwk: &Map<String, Value>,
    member: &'static str,
    curve: &str,
) -> Result<[u8; N], (&'static str, String)> {
    octets(jwk, member)?
        .try_into()
        .map_err(|_| (member, format!("must be {N} bytes for {curve} in unpadded base64url (RFC 7518)")))
}
