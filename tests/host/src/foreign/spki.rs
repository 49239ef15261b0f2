//! SubjectPublicKeyInfo (RFC 5280 section 4.1), read as far as RSA and the NIST curves need it.

/// A public key, in the form that the cryptography takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PublicKey<'k> {
    /// PKCS #1 `RSAPublicKey`.
    Rsa(&'k [u8]),
    /// The uncompressed point.
    P256(&'k [u8]),
    /// The uncompressed point.
    P384(&'k [u8]),
}

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const BIT_STRING: u8 = 0x03;

/// 1.2.840.113549.1.1.1
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7
const SECP256R1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.3.132.0.34
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

/// The key; `None` for bytes that are no such structure, and for keys of another kind.
pub(super) fn read(der: &[u8]) -> Option<PublicKey<'_>> {
    let (mut info, _) = element(der, SEQUENCE)?;
    let (algorithm, rest) = element(info, SEQUENCE)?;
    info = rest;
    let (bits, _) = element(info, BIT_STRING)?;
    let (unused, key) = bits.split_first()?;
    let (identifier, parameters) = element(algorithm, OBJECT_IDENTIFIER)?;
    if *unused != 0 {
        return None;
    }
    if identifier == RSA_ENCRYPTION {
        return Some(PublicKey::Rsa(key));
    }
    let (curve, _) = element(parameters, OBJECT_IDENTIFIER)?;
    match curve {
        SECP256R1 if identifier == EC_PUBLIC_KEY => Some(PublicKey::P256(key)),
        SECP384R1 if identifier == EC_PUBLIC_KEY => Some(PublicKey::P384(key)),
        _ => None,
    }
}

/// The content of the first element, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.split_first()?;
    let (&short, mut rest) = rest.split_first()?;
    let mut size = usize::from(short);
    if short >= 0x80 {
        let (digits, after) = rest.split_at_checked(usize::from(short & 0x7f).min(4))?;
        size = digits.iter().fold(0, |size, digit| (size << 8) | usize::from(*digit));
        rest = after;
    }
    (first == tag).then(|| rest.split_at_checked(size)).flatten()
}
