//! Whether a token that proves good has ended early. Asked on every request, also of a token that is known.

use super::Means;
use super::verifying::Proved;
use super::witness::{Fact, Looked, Witness};
use crate::policy::{Policy, WhenStale};
use crate::rejection::Rejection;
use crate::revocations::{Concern, Freshness};
use bearward_protocol::revocations::SubjectReason;

impl Policy {
    /// Judges by what the issuer's feed says, where it has one. `when_stale`: what the rule says of it.
    pub(super) fn check_revocations(
        proved: &Proved<'_>,
        when_stale: Option<WhenStale>,
        means: Means<'_>,
        witness: &mut impl Witness,
    ) -> Result<(), Rejection> {
        let Some(source) = &proved.trusted.revocations else {
            witness.see(|| Fact::Revocation(Looked::NoFeed));
            return Ok(());
        };
        let token = proved.claims.revocable(proved.proof.key_name())?;
        // Nobody judges while somebody takes an answer; should it be, nothing is known.
        let feed = means.feeds.get(proved.issuer).and_then(|feed| feed.try_borrow().ok());
        let now_ms = means.now.saturating_mul(1_000);
        let (freshness, age_ms) = feed
            .as_ref()
            .map_or((Freshness::Unknown, None), |feed| (feed.freshness(now_ms), feed.age_ms(now_ms)));
        let Some(feed) = feed.filter(|_| freshness != Freshness::Unknown) else {
            witness.see(|| Fact::Revocation(Looked::Unknown));
            return Err(Rejection::RevocationsUnavailable);
        };
        let is_stale = freshness == Freshness::Stale;
        if is_stale && when_stale.unwrap_or(source.when_stale) == WhenStale::Reject {
            witness.see(|| {
                Fact::Revocation(Looked::Stale { age_ms, allowed_seconds: source.stale_after_seconds })
            });
            return Err(Rejection::RevocationsStale);
        }
        let concern = feed.records().concerning(&token, means.now);
        witness.see(|| {
            Fact::Revocation(Looked::Judged {
                token,
                concern,
                records: feed.records().len(),
                age_ms,
                is_stale,
            })
        });
        match concern {
            None => Ok(()),
            Some(Concern::Subject { reason: SubjectReason::Gone, .. }) => Err(Rejection::SubjectGone),
            Some(_) => Err(Rejection::TokenRevoked),
        }
    }
}
