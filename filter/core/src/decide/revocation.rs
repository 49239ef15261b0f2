//! Whether a token that proves good has ended early. Asked on every request, also of a token that is known.

use super::Means;
use super::verifying::Proved;
use super::witness::{Fact, Looked, Witness};
use crate::policy::{DenyListSource, Policy, WhenStale};
use crate::rejection::Rejection;
use crate::revocations::{Concern, Freshness};
use bearward_protocol::revocations::SubjectReason;

impl Policy {
    /// Judges by what the issuer's feed or deny list says, where it has one. `when_stale`: what the rule says of it.
    pub(super) fn check_revocations(
        proved: &Proved<'_>,
        when_stale: Option<WhenStale>,
        means: Means<'_>,
        witness: &mut impl Witness,
    ) -> Result<(), Rejection> {
        if let Some(source) = &proved.trusted.deny_list {
            return check_deny_list(source, proved, when_stale, means, witness);
        }
        let Some(source) = &proved.trusted.revocations else {
            witness.see(|| Fact::Revocation(Looked::NoFeed));
            return Ok(());
        };
        let token = proved.claims.revocable(proved.proof.key_name())?;
        // Nobody judges while somebody takes an answer; should it be, nothing is known.
        let feed = means.feeds.get(proved.issuer).and_then(|feed| feed.try_borrow().ok());
        let now_ms = means.now.saturating_mul(1_000).saturating_add(means.subsec_ms);
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

fn check_deny_list(
    source: &DenyListSource,
    proved: &Proved<'_>,
    when_stale: Option<WhenStale>,
    means: Means<'_>,
    witness: &mut impl Witness,
) -> Result<(), Rejection> {
    let token = proved.claims.deniable()?;
    // As for a feed: nobody judges while somebody takes a list.
    let list = means.feeds.list(proved.issuer).and_then(|list| list.try_borrow().ok());
    let held = list.as_ref().and_then(|list| Some((list, list.entries()?)));
    let Some((list, entries)) = held else {
        witness.see(|| Fact::Revocation(Looked::NoList));
        return Err(Rejection::RevocationsUnavailable);
    };
    let age_seconds = list.age_seconds(means.now);
    let is_stale = list.freshness(source.stale_after_seconds, means.now) != Freshness::Fresh;
    if is_stale && when_stale.unwrap_or(source.when_stale) == WhenStale::Reject {
        let allowed_seconds = source.stale_after_seconds;
        witness.see(|| Fact::Revocation(Looked::StaleList { age_seconds, allowed_seconds }));
        return Err(Rejection::RevocationsStale);
    }
    let denied = entries.concerning(&token);
    witness.see(|| {
        Fact::Revocation(Looked::Listed { token, denied, entries: entries.len(), age_seconds, is_stale })
    });
    if denied.is_some() { Err(Rejection::TokenRevoked) } else { Ok(()) }
}
