//! What is known of tokens that have ended early.

use super::Note;
use crate::policy::WhenStale;
use crate::revocations::{Concern, Freshness};
use bearward_protocol::revocations::SubjectReason;

/// Where the issuer has no feed.
pub(super) fn without_feed() -> Note {
    Note::good("this issuer has no `revocations`: a token is good until it expires")
}

pub(super) fn notes(
    age_ms: Option<u64>,
    freshness: Freshness,
    when_stale: WhenStale,
    records: usize,
    concern: Option<Concern>,
) -> Vec<Note> {
    let age =
        age_ms.map_or_else(|| "of unknown age".to_owned(), |age_ms| format!("{} s old", age_ms / 1_000));
    let state = match (freshness, when_stale) {
        (Freshness::Unknown, _) => return vec![Note::bad("nothing is known of its revocations yet")],
        (Freshness::Fresh, _) => Note::good(format!("{records} revocations are known, {age}")),
        (Freshness::Stale, WhenStale::Allow) => Note::good(format!(
            "{records} revocations are known, {age}, which is too old; `when_stale: allow` goes by them"
        )),
        (Freshness::Stale, WhenStale::Reject) => {
            return vec![Note::bad(format!(
                "what is known of its revocations is {age}: `when_stale: reject`"
            ))];
        }
    };
    vec![
        state,
        concern.map_or_else(
            || Note::good("none of them concerns the token"),
            |concern| Note::bad(text(concern)),
        ),
    ]
}

fn text(concern: Concern) -> String {
    match concern {
        Concern::Session => "the session of its `sid` has ended".to_owned(),
        Concern::Subject { minimum, reason: SubjectReason::Changed } => {
            format!("its `user_version` is below {minimum}: something about the user has changed since")
        }
        Concern::Subject { minimum, reason: SubjectReason::Gone } => {
            format!("its `user_version` is below {minimum}: the user is disabled or deleted")
        }
        Concern::Key => "the key that signed it was revoked".to_owned(),
        Concern::Epoch { minimum } => {
            format!("its `epoch` is below {minimum}: everything from before was revoked")
        }
    }
}
