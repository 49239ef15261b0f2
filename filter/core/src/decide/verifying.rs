//! From a token to what it says: proved anew, or known to have been.

use std::rc::Rc;

use super::Means;
use super::witness::{Fact, Step, Witness};
use crate::claims::VerifiedClaims;
use crate::edit::Edit;
use crate::policy::{IssuerId, Policy, TrustedIssuer};
use crate::rejection::Rejection;
use crate::token::{Proof, UnverifiedToken};
use crate::verified_tokens::Entry;

/// A token that was proved, now or before.
pub(super) struct Proved<'p> {
    pub(super) issuer: IssuerId,
    pub(super) trusted: &'p TrustedIssuer,
    pub(super) claims: Rc<VerifiedClaims>,
    /// By which key.
    pub(super) proof: Proof,
    /// What the upstream is told of it; or that it cannot be.
    pub(super) told: Result<Rc<[Edit]>, Rejection>,
}

impl Policy {
    /// Whose the token is, and what it says.
    pub(super) fn verify(
        &self,
        token: &[u8],
        issuers: &[IssuerId],
        means: Means<'_>,
        chosen: &mut Option<IssuerId>,
        witness: &mut impl Witness,
    ) -> Result<Proved<'_>, Rejection> {
        let known = means.known.and_then(|known| known.borrow_mut().get(token, means.now));
        match known {
            Some(entry) => match self.check_again(entry, issuers, means, chosen) {
                // What a key that has left had proved is proved anew, if it can be.
                Err(Rejection::KeyUnknown) => {
                    if let Some(known) = means.known {
                        known.borrow_mut().remove(token);
                    }
                    self.verify_anew(token, issuers, means, chosen, witness)
                }
                result => result,
            },
            None => self.verify_anew(token, issuers, means, chosen, witness),
        }
    }

    /// All that may have changed since a token was verified, in the same order.
    fn check_again(
        &self,
        entry: Entry,
        issuers: &[IssuerId],
        means: Means<'_>,
        chosen: &mut Option<IssuerId>,
    ) -> Result<Proved<'_>, Rejection> {
        let Entry { issuer, proof, claims, told } = entry;
        // No two issuers answer to the same token: what this one has proved is for no other to judge.
        let trusted = issuers.contains(&issuer).then(|| self.issuers.get(issuer.0)).flatten();
        let trusted = trusted.ok_or(Rejection::IssuerMismatch)?;
        *chosen = Some(issuer);
        let keys = means.keys.get(issuer).ok_or(Rejection::KeysUnavailable)?;
        if !proof.stands(keys) {
            return Err(Rejection::KeyUnknown);
        }
        claims.check_times(&trusted.issuer, means.now)?;
        Ok(Proved { issuer, trusted, claims, proof, told })
    }

    fn named(&self, issuers: &[IssuerId]) -> Vec<&TrustedIssuer> {
        issuers.iter().filter_map(|id| self.issuers.get(id.0)).collect()
    }

    /// `iss` is read unverified only to choose among the issuers that the rule trusts: their keys must prove it.
    fn verify_anew(
        &self,
        token: &[u8],
        issuers: &[IssuerId],
        means: Means<'_>,
        chosen: &mut Option<IssuerId>,
        witness: &mut impl Witness,
    ) -> Result<Proved<'_>, Rejection> {
        witness.begin(Step::Header);
        witness.see(|| Fact::Compact(token));
        let unverified = match means.known {
            Some(known) => UnverifiedToken::parse_knowing(token, known.borrow().headers())?,
            None => UnverifiedToken::parse(token)?,
        };
        witness.see(|| Fact::Token { token: &unverified, issuers: self.named(issuers) });
        let claimed = unverified.claimed_issuer()?;
        let trusted = issuers.iter().filter_map(|id| Some((*id, self.issuers.get(id.0)?)));
        let (id, trusted) = trusted
            .into_iter()
            .find(|(_, trusted)| trusted.issuer.answers_to(claimed))
            .ok_or(Rejection::IssuerMismatch)?;
        *chosen = Some(id);
        witness.see(|| Fact::Issuer { trusted, token: &unverified });
        unverified.check_header(&trusted.issuer)?;
        witness.begin(Step::Key);
        witness.see(|| Fact::Keys { keys: means.keys.get(id), token: &unverified });
        let keys = means.keys.get(id).ok_or(Rejection::KeysUnavailable)?;
        let header = unverified.header();
        let verified = unverified.verify(keys, means.host)?;
        witness.begin(Step::Signature);
        witness.begin(Step::Claims);
        witness.see(|| Fact::Claims { payload: &verified.payload, issuer: &trusted.issuer });
        let proof = verified.proof.clone();
        let claims = Rc::new(VerifiedClaims::validate(verified, &trusted.issuer, means.now)?);
        let told = self.forwarding.headers(&trusted.name, &claims).map(Rc::from);
        if let Some(known) = means.known {
            let (proof, claims) = (proof.clone(), Rc::clone(&claims));
            let entry = Entry { issuer: id, proof, claims, told: told.clone() };
            let mut known = known.borrow_mut();
            known.keep_header(token, header);
            known.insert(token, entry, means.now);
        }
        Ok(Proved { issuer: id, trusted, claims, proof, told })
    }
}
