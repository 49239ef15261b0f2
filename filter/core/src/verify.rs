//! A token's way from bytes to claims, for one known issuer.

use crate::claims::VerifiedClaims;
use crate::issuer::Issuer;
use crate::keys::KeySet;
use crate::rejection::Rejection;
use crate::signature_host::NoSignatureHost;
use crate::token::UnverifiedToken;

/// Verifies a token of `issuer` with his `keys` at the time `now`, in seconds since the epoch.
///
/// # Errors
/// The first [`Rejection`] on the way: form, issuer, header, key, signature, claims. Nothing about the claims is
/// reported before the signature holds.
pub fn verify(token: &[u8], issuer: &Issuer, keys: &KeySet, now: u64) -> Result<VerifiedClaims, Rejection> {
    let token = UnverifiedToken::parse(token)?;
    if !issuer.answers_to(token.claimed_issuer()?) {
        return Err(Rejection::IssuerMismatch);
    }
    token.check_header(issuer)?;
    VerifiedClaims::validate(token.verify(keys, &NoSignatureHost)?, issuer, now)
}
