//! Whether a token has ended early: asked on every request, whatever is known of the token otherwise.

use super::Means;
use super::witness::{Fact, Witness};
use crate::policy::{IssuerId, WhenStale};
use crate::rejection::Rejection;
use crate::revocations::{Concern, Feed, Freshness, RevocableToken};
use bearward_protocol::revocations::SubjectReason;

/// # Errors
/// [`Rejection::RevocationsUnavailable`] before the first whole answer, [`Rejection::RevocationsStale`] where what is known is
/// too old and that is to be refused, [`Rejection::TokenRevoked`], [`Rejection::SubjectGone`].
pub(super) fn check(
    issuer: IssuerId,
    token: &RevocableToken<'_>,
    when_stale: WhenStale,
    means: Means<'_>,
    witness: &mut impl Witness,
) -> Result<(), Rejection> {
    let feed = means.feeds.get(issuer).ok_or(Rejection::RevocationsUnavailable)?;
    let feed = feed.try_borrow().map_err(|_| Rejection::HostFailure)?;
    let now_ms = means.now.saturating_mul(1_000);
    let (freshness, concern) = (feed.freshness(now_ms), feed.records().concerning(token, means.now));
    witness.see(|| fact(&feed, now_ms, freshness, when_stale, concern));
    match (freshness, when_stale) {
        (Freshness::Unknown, _) => return Err(Rejection::RevocationsUnavailable),
        (Freshness::Stale, WhenStale::Reject) => return Err(Rejection::RevocationsStale),
        (Freshness::Stale, WhenStale::Allow) | (Freshness::Fresh, _) => {}
    }
    match concern {
        None => Ok(()),
        Some(Concern::Subject { reason: SubjectReason::Gone, .. }) => Err(Rejection::SubjectGone),
        Some(Concern::Subject { .. } | Concern::Session | Concern::Key | Concern::Epoch { .. }) => {
            Err(Rejection::TokenRevoked)
        }
    }
}

fn fact(
    feed: &Feed,
    now_ms: u64,
    freshness: Freshness,
    when_stale: WhenStale,
    concern: Option<Concern>,
) -> Fact<'static> {
    Fact::Revocation {
        age_ms: feed.age_ms(now_ms),
        freshness,
        when_stale,
        records: feed.records().len(),
        concern,
    }
}
