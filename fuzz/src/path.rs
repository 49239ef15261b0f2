//! A request target, and the rules that it comes to.

use std::cell::RefCell;
use std::collections::BTreeSet;

use bearward_core::path::{CanonicalPath, PathSettings};
use bearward_core::{Decision, Rejection, VerifiedTokens};

use crate::forge::{self, Key};
use crate::gate::{self, Headers, of};
use crate::holds::unreserved;
use crate::target::Arrival;

/// The policies, methods and hosts with which a path is asked for.
const ASKED: [(usize, &str, &str); 14] = [
    (of::API, "GET", "api.test"),
    (of::API, "DELETE", "any.test"),
    (of::HOSTS, "GET", "api.test"),
    (of::HOSTS, "DELETE", "any.test"),
    (of::HOSTS, "POST", "x.api.test"),
    (of::OPEN, "GET", "api.test"),
    (of::OPEN, "POST", "x.api.test"),
    (of::CLAIMS, "GET", "api.test"),
    (of::PLACES, "POST", "api.test"),
    (of::TRIAL, "GET", "api.test"),
    (of::FOLDED, "GET", "api.test"),
    (of::FOLDED, "DELETE", "any.test"),
    (of::KEPT, "GET", "api.test"),
    (of::KEPT, "POST", "any.test"),
];

/// # Panics
/// If a path has two canonical forms, or a server that reads it leniently would serve somebody whom a rule refuses.
pub fn check(target: &[u8]) {
    check_canonical(target);
    // Every way in which some server reads it, alone and together.
    // With the query, in which there may be a token.
    let query =
        target.iter().position(|byte| *byte == b'?').and_then(|at| target.get(at..)).unwrap_or_default();
    let readings: BTreeSet<Vec<u8>> =
        (1..32_u8).map(|reading| [lenient(target, reading).as_slice(), query].concat()).collect();
    thread_local! {
        static TOKEN: String =
            forge::sign(forge::EDDSA_HEADER, forge::payload(&["customer"]).to_string().as_bytes(), Key::K1);
        static KNOWN: [RefCell<VerifiedTokens>; gate::COUNT] = Default::default();
    }
    for (index, method, authority) in ASKED {
        let gate = &gate::all()[index];
        let request = |target: &[u8]| gate::request(method, target, authority);
        let signed = |target: &[u8]| TOKEN.with(|token| gate::with_token(request(target), token.as_bytes()));
        let decide =
            |headers: &Headers| KNOWN.with(|known| gate.decide_knowing(&known[index], headers).decision);
        let is_let_in = |decision: &Decision| matches!(decision, Decision::Forward(_));
        let nobody = is_let_in(&gate.check(&request(target)).decision);
        let somebody = is_let_in(&decide(&signed(target)));
        for reading in &readings {
            let (own, other) = (target.escape_ascii(), reading.escape_ascii());
            if nobody {
                let closed = Decision::Reject(Rejection::TokenMissing);
                assert_ne!(decide(&request(reading)), closed, "{own} is read as {other}");
            }
            if somebody {
                let decision = decide(&signed(reading));
                let closed = [Rejection::RoleMissing, Rejection::ClaimMismatch, Rejection::IssuerMismatch];
                let closed = closed.map(Decision::Reject);
                assert!(!closed.contains(&decision), "{decision:?}: {own} is read as {other}");
            }
        }
    }
}

/// As `:path`, under every policy.
#[must_use]
pub fn arrivals(target: &[u8]) -> Vec<Arrival> {
    let request =
        |(gate, method, authority)| Arrival::Request(gate, gate::request(method, target, authority));
    ASKED.map(request).into()
}

/// By each setting that says which paths are taken.
fn check_canonical(target: &[u8]) {
    for bits in 0..8_u8 {
        let is = |bit: u8| bits & bit != 0;
        let settings = PathSettings {
            keep_encoded_slash: is(1),
            keep_parameters: is(2),
            replace: is(4),
            ..PathSettings::default()
        };
        let judged = settings.target(target);
        let path = CanonicalPath::parse_with(&judged, settings);
        assert_eq!(path, CanonicalPath::parse_with(&judged, settings), "the same path twice");
        let Ok(path) = path else { continue };
        check_refused(&judged, settings);
        let segments: Vec<&[u8]> = path.segments().collect();
        let rejoined = [b"/", segments.join(&b'/').as_slice()].concat();
        let before_query = target.split(|byte| *byte == b'?').next().unwrap_or_default();
        let expected = if settings.replace { unreserved(before_query) } else { before_query.to_vec() };
        assert_eq!(rejoined, expected, "the matched bytes are the forwarded bytes");
        assert_eq!(settings.target(&rejoined), rejoined, "canonical is canonical");
        assert_eq!(
            CanonicalPath::parse_with(&rejoined, settings),
            Ok(path.clone()),
            "canonical is canonical"
        );
        let queried = [rejoined.as_slice(), b"?a=/../b;c"].concat();
        assert_eq!(
            CanonicalPath::parse_with(&queried, settings),
            Ok(path.clone()),
            "a query is no part of the path"
        );
        // A setting only ever takes more, but that an encoded `;` is none where a plain one may stand.
        let strict = CanonicalPath::parse(&judged);
        let is_plain = !rejoined.to_ascii_lowercase().windows(3).any(|bytes| bytes == b"%3b");
        assert!(strict.is_err() || strict == Ok(path), "one path in two forms");
        if let (true, Ok(path)) = (is_plain, CanonicalPath::parse(target)) {
            assert_eq!(CanonicalPath::parse_with(target, settings), Ok(path), "a setting that takes less");
        }
    }
}

/// What is never taken, whatever else is.
fn check_refused(target: &[u8], settings: PathSettings) {
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default().to_ascii_lowercase();
    let never: [&[u8]; 11] =
        [b"\\", b"#", b" ", b"//", b"/./", b"/../", b"%5c", b"%00", b"%2e", b"%61", b"%252f"];
    let unless: [(&[u8], bool); 2] =
        [(b"%2f", settings.keep_encoded_slash), (b";", settings.keep_parameters)];
    let refused = unless.iter().filter(|(_, is_kept)| !is_kept).map(|(text, _)| *text).chain(never);
    for text in refused {
        let is_there = path.windows(text.len()).any(|window| window == text);
        assert!(!is_there, "{} in {}", text.escape_ascii(), target.escape_ascii());
    }
    assert!(!path.ends_with(b"/.") && !path.ends_with(b"/.."), "a step at the end");
}

/// The path as a lenient server reads it: letters folded (1), no slash at the end (2), no spaces and dots at the end of
/// segments (4), commas encoded or not (8), no parameters (16).
fn lenient(target: &[u8], reading: u8) -> Vec<u8> {
    let mut path = target.split(|byte| *byte == b'?').next().unwrap_or_default().to_vec();
    if reading & 1 != 0 {
        path.make_ascii_lowercase();
    }
    if reading & 2 != 0 && path.len() > 1 && path.ends_with(b"/") {
        path.pop();
    }
    if reading & 16 != 0 {
        let bare = |segment: &[u8]| segment.split(|byte| *byte == b';').next().unwrap_or_default().to_vec();
        path = path.split(|byte| *byte == b'/').map(bare).collect::<Vec<_>>().join(&b'/');
    }
    if reading & 4 != 0 {
        let segments: Vec<&[u8]> = path.split(|byte| *byte == b'/').map(trimmed).collect();
        path = segments.join(&b'/');
    }
    if reading & 8 != 0 {
        path = String::from_utf8_lossy(&path).replace(',', "%2C").into_bytes();
    }
    path
}

fn trimmed(mut segment: &[u8]) -> &[u8] {
    while let Some(rest) = segment.strip_suffix(b".").or_else(|| segment.strip_suffix(b"%20")) {
        segment = rest;
    }
    while let Some(rest) = segment.strip_prefix(b"%20") {
        segment = rest;
    }
    segment
}
