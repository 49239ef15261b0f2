//! Where a token stands, its form, and its header.

use bearward_protocol::bounds::{MAX_KEY_ID_BYTES, MAX_TOKEN_BYTES};
use serde_json::{Map, Value};

use super::Note;
use super::words::{list, quoted};
use crate::algorithm::AlgorithmName;
use crate::credentials::{Found, Source};
use crate::policy::{Access, Policy, TrustedIssuer};
use crate::rejection::Rejection;
use crate::token::UnverifiedToken;
use crate::{base64url, json};

pub(super) fn of_credentials(
    access: &Access,
    sources: &[Source],
    found: Result<Found<'_, '_>, Rejection>,
) -> Vec<Note> {
    let looked: Vec<_> = sources.iter().map(place).collect();
    let looked = looked.join(", then in ");
    match found {
        Ok(found) => vec![Note::good(format!(
            "a token of {} bytes stands in {}",
            found.token.len(),
            place(found.source)
        ))],
        Err(Rejection::TokenMissing) => {
            let is_optional = matches!(access, Access::Optional(_));
            let end = if is_optional { "none is needed here" } else { "and there was none" };
            vec![Note::of(is_optional, format!("a token is looked for in {looked}: {end}"))]
        }
        Err(Rejection::CredentialsAmbiguous) => {
            vec![Note::bad(format!("there is more than one token where one is looked for: {looked}"))]
        }
        Err(Rejection::CsrfRejected) => vec![Note::bad(
            "the token came in a cookie, which browsers send along for other sites, too: the request has no `Origin` (or \
             `Sec-Fetch-Site: same-origin`) that the policy lists",
        )],
        Err(Rejection::TokenTooLarge) => {
            vec![Note::bad(format!("the token is longer than {MAX_TOKEN_BYTES} bytes"))]
        }
        Err(Rejection::TokenMalformed) => {
            vec![Note::bad(format!(
                "what stands in {looked} holds characters that no token has (RFC 6750 section 2.1)"
            ))]
        }
        Err(other) => vec![Note::bad(other.row().detail)],
    }
}

fn place(source: &Source) -> String {
    match source {
        Source::Header { name, scheme: Some(scheme) } => {
            format!("the header {} after {}", quoted(name.as_bytes()), quoted(scheme.as_bytes()))
        }
        Source::Header { name, scheme: None } => format!("the header {}", quoted(name.as_bytes())),
        Source::Cookie { name, .. } => format!("the cookie {}", quoted(name.as_bytes())),
        Source::Query { name } => format!("the parameter {} of the query", quoted(name.as_bytes())),
    }
}

/// The compact serialization, and what is wrong with it.
pub(super) fn of_form(token: &[u8]) -> Vec<Note> {
    match fault(token) {
        Ok(()) => vec![Note::good("three segments of base64url, header and payload are JSON objects")],
        Err(Fault { text, .. }) => vec![Note::bad(text)],
    }
}

/// What is wrong with the form of a token.
pub(super) struct Fault {
    /// What it comes to, as in [`UnverifiedToken::parse`]: a test holds the two together.
    #[cfg_attr(not(test), expect(dead_code, reason = "only compared"))]
    pub(super) rejection: Rejection,
    pub(super) text: String,
}

impl Fault {
    fn new(rejection: Rejection, text: impl Into<String>) -> Self {
        Self { rejection, text: text.into() }
    }

    fn of_form(text: impl Into<String>) -> Self {
        Self::new(Rejection::TokenMalformed, text)
    }
}

/// The first fault, in the order in which the decision comes to it.
pub(super) fn fault(token: &[u8]) -> Result<(), Fault> {
    let payload = fault_of_jws(token)?;
    object("payload", payload).map(|_| ())
}

/// The first fault, whatever the payload is; where there is none, the payload as it stands.
pub(super) fn fault_of_jws(token: &[u8]) -> Result<&[u8], Fault> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Fault::new(
            Rejection::TokenTooLarge,
            format!("the token is longer than {MAX_TOKEN_BYTES} bytes"),
        ));
    }
    let segments: Vec<_> = token.split(|byte| *byte == b'.').collect();
    let [header, payload, signature] = segments.as_slice() else {
        return Err(Fault::of_form(match segments.len() {
            5 => "five segments: an encrypted token (JWE), and only signed ones are taken".to_owned(),
            1 => "there is no `.` in it: an opaque token, perhaps, and not a JWT".to_owned(),
            count => format!("a signed token has three segments, and this has {count}"),
        }));
    };
    if signature.is_empty() {
        return Err(Fault::of_form("the signature is empty: an unsecured token (RFC 7519 section 6)"));
    }
    if header.is_empty() || payload.is_empty() {
        return Err(Fault::of_form("the header or the payload is empty"));
    }
    check_header(&object("header", header)?)?;
    for (what, segment) in [("payload", payload), ("signature", signature)] {
        decoded(what, segment)?;
    }
    Ok(payload)
}

fn check_header(header: &Map<String, Value>) -> Result<(), Fault> {
    let fits = |kid: &Value| kid.as_str().is_some_and(|kid| !kid.is_empty() && kid.len() <= MAX_KEY_ID_BYTES);
    let Some(Value::String(algorithm)) = header.get("alg") else {
        return Err(Fault::of_form("`alg` of the header is missing, or no string"));
    };
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(Fault::of_form(
            "the header has an extension that must be understood (`crit`), and none is",
        ));
    }
    if header.contains_key("cty") {
        let text = "`cty` says that another token is within, and none is looked for there";
        return Err(Fault::new(Rejection::TypeNotAllowed, text));
    }
    if header.get("kid").is_some_and(|kid| !fits(kid)) {
        return Err(Fault::of_form(format!("`kid` is no string of 1 to {MAX_KEY_ID_BYTES} bytes")));
    }
    if AlgorithmName::parse(algorithm).is_none() {
        let text = format!("`alg` {} is none that any issuer may have", quoted(algorithm.as_bytes()));
        return Err(Fault::new(Rejection::AlgorithmNotAllowed, text));
    }
    if header.get("typ").is_some_and(|typ| !typ.is_string()) {
        return Err(Fault::of_form("`typ` of the header is no string"));
    }
    Ok(())
}

fn decoded(what: &str, segment: &[u8]) -> Result<Vec<u8>, Fault> {
    let text = || format!("the {what} is not base64url without padding (RFC 7515 section 2)");
    base64url::decode(segment).ok_or_else(|| Fault::of_form(text()))
}

fn object(what: &str, segment: &[u8]) -> Result<Map<String, Value>, Fault> {
    let bytes = decoded(what, segment)?;
    json::parse_object(&bytes).map_err(|error| {
        let why = quoted(error.to_string().as_bytes());
        Fault::of_form(format!("the {what} is no JSON object without repeated members: {why}"))
    })
}

pub(super) fn of_token(
    token: &UnverifiedToken<'_>,
    issuers: &[&TrustedIssuer],
    policy: &Policy,
) -> Vec<Note> {
    let claimed = match token.claimed_issuer() {
        Ok(claimed) => claimed,
        Err(_) => return vec![Note::bad("`iss` is no string")],
    };
    if issuers.iter().any(|trusted| trusted.issuer.answers_to(claimed)) {
        return Vec::new();
    }
    let trusted = list(issuers.iter().map(|trusted| match &trusted.issuer.iss {
        Some(iss) => format!("{} (iss {iss})", trusted.name),
        None => format!("{} (no iss)", trusted.name),
    }));
    let says = claimed.map_or_else(
        || "the token has no `iss`".to_owned(),
        |iss| format!("`iss` is {}", quoted(iss.as_bytes())),
    );
    let elsewhere = policy.issuers.iter().find(|trusted| trusted.issuer.answers_to(claimed));
    let elsewhere = elsewhere.map_or_else(String::new, |trusted| {
        format!("; it is {}, whom another rule trusts", quoted(trusted.name.as_bytes()))
    });
    vec![Note::bad(format!("{says}, and this rule trusts {trusted}{elsewhere}"))]
}

/// Whose the token says that it is, and whether its header is one of that issuer's.
pub(super) fn of_issuer(trusted: &TrustedIssuer, token: &UnverifiedToken<'_>) -> Vec<Note> {
    let issuer = &trusted.issuer;
    let algorithm = token.algorithm();
    let typ = token.typ();
    let algorithms = list(issuer.algorithms.iter().map(|name| name.as_str()));
    let name = quoted(trusted.name.as_bytes());
    let shown_typ = typ.map_or_else(
        || "no `typ`, which counts as `JWT`".to_owned(),
        |typ| format!("`typ` {}", quoted(typ.as_bytes())),
    );
    vec![
        Note::good(format!("it says that it is of the issuer {name}, whose keys must prove that")),
        Note::of(
            issuer.allows_algorithm(algorithm),
            format!("`alg` `{}`: {name} signs with {algorithms}", algorithm.as_str()),
        ),
        Note::of(
            issuer.allows_type(typ),
            format!("{shown_typ}: {name} makes tokens of type {}", list(&issuer.token_types)),
        ),
    ]
}
