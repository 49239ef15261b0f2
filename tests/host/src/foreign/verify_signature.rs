//! `verify_signature`, which Envoy answers with BoringSSL.

use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

use super::protobuf;
use super::spki::{self, PublicKey};
use crate::status::Status;

/// What Envoy says of a signature that does not fit.
const WRONG: &str = "Failed to verify digest. Error code: 0";

/// And of a key that cannot be read.
const NO_KEY: &str = "Failed to initialize digest verify.";

/// Arguments are a message of hash function (1), public key as SPKI DER (2), signature (3), text (4) and public key as
/// PEM (5); so is the result, of `bool result` (1) and `string error` (2). A signature that is wrong is no error of
/// the call.
///
/// # Errors
/// What the call answers where the arguments are no such message.
///
/// # Panics
/// Where Envoy would answer and this host cannot.
pub fn verify_signature(arguments: &[u8]) -> Result<Vec<u8>, Status> {
    let [hash, key, signature, text, pem] = protobuf::fields(arguments).ok_or(Status::BadArgument)?;
    if !pem.is_empty() {
        unmodelled("a key as PEM");
    }
    if key.is_empty() {
        return Err(Status::BadArgument);
    }
    let hash = String::from_utf8_lossy(hash).to_lowercase();
    if !["sha1", "sha224", "sha256", "sha384", "sha512"].contains(&hash.as_str()) {
        return Ok(protobuf::result(false, &format!("{hash} is not supported.")));
    }
    let Some(key) = spki::read(key) else { return Ok(protobuf::result(false, NO_KEY)) };
    let (algorithm, key): (&dyn VerificationAlgorithm, _) = match (key, hash.as_str()) {
        (PublicKey::Rsa(key), "sha256") => (&signature::RSA_PKCS1_2048_8192_SHA256, key),
        (PublicKey::Rsa(key), "sha384") => (&signature::RSA_PKCS1_2048_8192_SHA384, key),
        (PublicKey::Rsa(key), "sha512") => (&signature::RSA_PKCS1_2048_8192_SHA512, key),
        (PublicKey::P256(key), "sha256") => (&signature::ECDSA_P256_SHA256_ASN1, key),
        (PublicKey::P256(key), "sha384") => (&signature::ECDSA_P256_SHA384_ASN1, key),
        (PublicKey::P384(key), "sha256") => (&signature::ECDSA_P384_SHA256_ASN1, key),
        (PublicKey::P384(key), "sha384") => (&signature::ECDSA_P384_SHA384_ASN1, key),
        (key, hash) => unmodelled(&format!("{key:?} with {hash}")),
    };
    let good = UnparsedPublicKey::new(algorithm, key).verify(text, signature).is_ok();
    Ok(protobuf::result(good, if good { "" } else { WRONG }))
}

#[allow(clippy::panic, reason = "an answer made up here would be worse than a failed test")]
fn unmodelled(what: &str) -> ! {
    panic!("this host does not model verify_signature of {what}");
}
