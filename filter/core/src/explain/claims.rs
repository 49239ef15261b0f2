//! Every check of the claims, each with what the token says.

use bearward_protocol::revocations::MAX_RECORD_NAME_BYTES;
use serde_json::Value;

use super::Note;
use super::words::{claim, json, list, quoted};
use crate::claims::{
    Round, check_audience, granted, numeric_date, read_deniable, read_revocable, read_roles, read_subject,
};
use crate::issuer::{Grants, Issuer, Separator};
use crate::json::Members;

pub(super) fn notes(payload: &Members, issuer: &Issuer, now: u64) -> Vec<Note> {
    let mut notes = vec![of_issuer(payload, issuer), of_audience(payload, issuer)];
    notes.push(of_expiry(payload, issuer, now));
    notes.extend(["nbf", "iat"].iter().filter_map(|name| of_begin(name, payload, issuer, now)));
    notes.push(of_subject(payload, issuer));
    notes.push(of_roles(payload, issuer));
    notes.extend(of_revocable(payload, issuer));
    notes.extend(of_deniable(payload, issuer));
    notes
}

fn of_issuer(payload: &Members, issuer: &Issuer) -> Note {
    let says = said("iss", payload.get("iss"));
    let iss = payload.get("iss");
    let answers = iss.is_none_or(Value::is_string) && issuer.answers_to(iss.and_then(Value::as_str));
    let text = match iss {
        None => format!("{says}: this issuer's tokens may lack it (`accept_missing`)"),
        Some(_) => format!("{says}, as the signature has proved"),
    };
    Note::of(answers, text)
}

fn of_audience(payload: &Members, issuer: &Issuer) -> Note {
    let says = said("aud", payload.get("aud"));
    let text = match (payload.get("aud"), issuer.accept_missing_aud) {
        (None, true) => format!("{says}: this issuer's tokens may lack it (`accept_missing`)"),
        _ => format!("{says}: one of {} must be in it", list(&issuer.audiences)),
    };
    Note::of(check_audience(payload.get("aud"), issuer).is_ok(), text)
}

fn of_expiry(payload: &Members, issuer: &Issuer, now: u64) -> Note {
    let says = said("exp", payload.get("exp"));
    match numeric_date(payload.get("exp"), Round::Down) {
        Ok(Some(expires)) => {
            let leeway = issuer.leeway_seconds;
            let ok = now < expires.saturating_add(leeway);
            let when = if expires > now { "in" } else { "ago" };
            Note::of(
                ok,
                format!("{says}: {} (and {leeway} s of leeway)", distance(expires.abs_diff(now), when)),
            )
        }
        Ok(None) => Note::bad(format!("{says}: a token without end is not taken")),
        Err(_) => Note::bad(format!("{says}: must be a number of seconds since the epoch")),
    }
}

fn of_begin(name: &str, payload: &Members, issuer: &Issuer, now: u64) -> Option<Note> {
    let value = payload.get(name)?;
    let says = said(name, Some(value));
    Some(match numeric_date(Some(value), Round::Up) {
        Ok(Some(begins)) => {
            let ok = begins <= now.saturating_add(issuer.leeway_seconds);
            let when = if begins > now { "in" } else { "ago" };
            Note::of(ok, format!("{says}: {}", distance(begins.abs_diff(now), when)))
        }
        _ => Note::bad(format!("{says}: must be a number of seconds since the epoch")),
    })
}

fn of_subject(payload: &Members, issuer: &Issuer) -> Note {
    let path = &issuer.claims.subject;
    match read_subject(payload, path) {
        Ok(subject) => {
            Note::good(format!("the subject is {}, by the claim {}", quoted(subject.as_bytes()), claim(path)))
        }
        Err(_) => {
            Note::bad(format!("the claim {} holds no subject: a string that is not empty", claim(path)))
        }
    }
}

fn of_roles(payload: &Members, issuer: &Issuer) -> Note {
    let mapping = &issuer.claims;
    let path = claim(&mapping.roles);
    let Ok(roles) = read_roles(payload, mapping) else {
        let shape = match mapping.separator {
            Separator::None => "a string or a list of strings",
            Separator::Space => "one string of words separated by one space",
        };
        return Note::bad(format!("the claim {path} holds no roles: {shape}"));
    };
    if roles.is_empty() {
        return Note::good(format!("no roles: the claim {path} is not there, or empty"));
    }
    let said = list(&roles);
    let roles = granted(roles, &mapping.grants);
    Note::good(match &mapping.grants {
        Grants::Any => format!("the roles are {said}, by the claim {path}"),
        Grants::Prefixed(_) => format!("the claim {path} says {said}: here these are {}", list(&roles)),
        Grants::Listed(listed) => format!(
            "the claim {path} says {said}, of which count {} (`granted_roles` are {})",
            if roles.is_empty() { "none".to_owned() } else { list(&roles) },
            list(listed)
        ),
    })
}

/// What records look at, where the issuer has a feed of them.
fn of_revocable(payload: &Members, issuer: &Issuer) -> Option<Note> {
    let names = ["sid", "user_version", "epoch"];
    let said = names.map(|name| said(name, payload.get(name))).join(", ");
    issuer.has_feed.then(|| match read_revocable(payload, None) {
        Ok(_) => Note::good(format!("{said}: what records of revocations look at")),
        Err(_) => Note::bad(format!(
            "{said}: the issuer has `revocations`, so its tokens need a `sub` and a `sid` of 1 to {MAX_RECORD_NAME_BYTES} bytes and \
             a whole `user_version` and `epoch`"
        )),
    })
}

/// What entries of a deny list look at, where the issuer has one.
fn of_deniable(payload: &Members, issuer: &Issuer) -> Option<Note> {
    if !issuer.has_deny_list || read_deniable(payload, "").is_ok() {
        return None;
    }
    let said = ["jti", "sid", "sub"].map(|name| said(name, payload.get(name))).join(", ");
    Some(Note::bad(format!("{said}: the issuer has a `deny_list`, which names strings")))
}

fn said(name: &str, value: Option<&Value>) -> String {
    value.map_or_else(|| format!("`{name}` is missing"), |value| format!("`{name}` is {}", json(value)))
}

/// `in 5 min`, `3 h ago`
fn distance(seconds: u64, when: &str) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    if when == "in" { format!("in {count} {unit}") } else { format!("{count} {unit} ago") }
}
