//! What the records were asked about a token.

use bearward_protocol::revocations::SubjectReason;

use super::Note;
use super::words::quoted;
use crate::decide::witness::Looked;
use crate::revocations::deny_list::{DeniableToken, Denied};
use crate::revocations::{Concern, RevocableToken};

pub(super) fn notes(looked: &Looked<'_>) -> Vec<Note> {
    match looked {
        Looked::NoFeed => {
            vec![Note::good("nothing is known of revocations here: a token is good until it expires")]
        }
        Looked::Unknown => vec![Note::bad("no feed of this issuer's revocations is at hand")],
        Looked::Stale { age_ms, allowed_seconds } => vec![Note::bad(format!(
            "what is known of revocations is {} old, and may be {allowed_seconds} s (`stale_after_seconds`); `when_stale` is \
             `reject`",
            age(*age_ms)
        ))],
        Looked::Judged { token, concern, records, age_ms, is_stale } => {
            let count = if *records == 1 { "1 record".to_owned() } else { format!("{records} records") };
            let late = if *is_stale { ", which is late: `when_stale` is `allow`" } else { "" };
            let known = Note::good(format!("{count} at hand, {} old{late}", age(*age_ms)));
            vec![known, judged(token, *concern)]
        }
        Looked::NoList => vec![Note::bad("no deny list of this issuer is at hand")],
        Looked::StaleList { age_seconds, allowed_seconds } => vec![Note::bad(format!(
            "the deny list is {} s old, and may be {allowed_seconds} s (`stale_after_seconds`); `when_stale` is `reject`",
            age_seconds.unwrap_or_default()
        ))],
        Looked::Listed { token, denied, entries, age_seconds, is_stale } => {
            let count = if *entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
            let late = if *is_stale { ", which is late: `when_stale` is `allow`" } else { "" };
            let age = age_seconds.unwrap_or_default();
            let known = Note::good(format!("a deny list with {count} at hand, {age} s old{late}"));
            vec![known, listed(token, *denied)]
        }
    }
}

fn listed(token: &DeniableToken<'_>, denied: Option<Denied>) -> Note {
    let name = |name: Option<&str>| name.map_or("none".to_owned(), |name| quoted(name.as_bytes()));
    match denied {
        None => Note::good(format!(
            "no entry is about it: `jti` {}, `sid` {}, the user {}",
            name(token.jti),
            name(token.sid),
            quoted(token.subject.as_bytes())
        )),
        Some(Denied::Token) => Note::bad(format!("an entry denies the token: `jti` {}", name(token.jti))),
        Some(Denied::Session) => Note::bad(format!("an entry denies its session: `sid` {}", name(token.sid))),
        Some(Denied::User { issued_before }) => Note::bad(format!(
            "an entry denies tokens of the user {} that were issued before {issued_before}, and this one {}",
            quoted(token.subject.as_bytes()),
            token.issued_at.map_or("does not say when (`iat`)".to_owned(), |iat| format!("was at {iat}"))
        )),
    }
}

fn judged(token: &RevocableToken<'_>, concern: Option<Concern>) -> Note {
    let user = || quoted(token.sub.as_bytes());
    Note::bad(match concern {
        None => {
            let kid =
                token.kid.map_or_else(String::new, |kid| format!(", the key {}", quoted(kid.as_bytes())));
            return Note::good(format!(
                "none is about the session {}, version {} of the user {}, epoch {}{kid}",
                quoted(token.sid.as_bytes()),
                token.user_version,
                user(),
                token.epoch
            ));
        }
        Some(Concern::Session) => format!("the session {} has ended", quoted(token.sid.as_bytes())),
        Some(Concern::Subject { minimum, reason: SubjectReason::Changed }) => format!(
            "the token is of version {} of the user {}: {minimum} is the least that is good",
            token.user_version,
            user()
        ),
        Some(Concern::Subject { minimum, reason: SubjectReason::Gone }) => format!(
            "the user {} is gone, disabled or deleted: tokens below version {minimum} have ended, and this is of {}",
            user(),
            token.user_version
        ),
        Some(Concern::Key) => {
            format!("the key {} is revoked", quoted(token.kid.unwrap_or_default().as_bytes()))
        }
        Some(Concern::Epoch { minimum }) => {
            format!("the token is of epoch {}: {minimum} is the least that is good", token.epoch)
        }
    })
}

fn age(age_ms: Option<u64>) -> String {
    format!("{} s", age_ms.unwrap_or_default() / 1_000)
}
