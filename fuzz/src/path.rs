//! A request target, and the rules that it comes to.

use bearward_core::path::CanonicalPath;
use bearward_core::{Decision, Rejection};

use crate::gate;
use crate::target::Arrival;

/// The methods and hosts with which a path is asked for.
const ASKED: [(&str, &str); 3] = [("GET", "api.test"), ("DELETE", "any.test"), ("POST", "x.api.test")];

/// # Panics
/// If a path has two canonical forms, or a server that reads it leniently would serve somebody whom a rule refuses.
pub fn check(target: &[u8]) {
    check_canonical(target);
    for gate in gate::all() {
        for (method, authority) in ASKED {
            let decision = gate.check(&gate::request(method, target, authority)).decision;
            if let Decision::Forward(_) = decision {
                // Every way in which some server reads it, alone and together.
                for reading in 1..16_u8 {
                    let lenient = lenient(target, reading);
                    let other = gate.decide(&gate::request(method, &lenient, authority)).decision;
                    let closed = Decision::Reject(Rejection::TokenMissing);
                    assert_ne!(
                        other,
                        closed,
                        "{} is read as {}",
                        target.escape_ascii(),
                        lenient.escape_ascii()
                    );
                }
            }
        }
    }
}

/// As `:path`, under every policy.
#[must_use]
pub fn arrivals(target: &[u8]) -> Vec<Arrival> {
    let requests = |gate| ASKED.map(|(method, authority)| (gate, gate::request(method, target, authority)));
    (0..gate::all().len()).flat_map(requests).map(|(gate, headers)| Arrival::Request(gate, headers)).collect()
}

fn check_canonical(target: &[u8]) {
    let path = CanonicalPath::parse(target);
    assert_eq!(path, CanonicalPath::parse(target), "the same path twice");
    let Ok(path) = path else { return };
    let segments: Vec<&[u8]> = path.segments().collect();
    let rejoined = [b"/", segments.join(&b'/').as_slice()].concat();
    let before_query = target.split(|byte| *byte == b'?').next();
    assert_eq!(Some(rejoined.as_slice()), before_query, "the matched bytes are the forwarded bytes");
    assert_eq!(CanonicalPath::parse(&rejoined), Ok(path.clone()), "canonical is canonical");
    let queried = [rejoined.as_slice(), b"?a=/../b;c"].concat();
    assert_eq!(CanonicalPath::parse(&queried), Ok(path), "a query is no part of the path");
}

/// The path as a lenient server reads it: letters folded (1), no slash at the end (2), no spaces around segments and no dots
/// at their end (4), commas encoded or not (8).
fn lenient(target: &[u8], reading: u8) -> Vec<u8> {
    let mut path = target.split(|byte| *byte == b'?').next().unwrap_or_default().to_vec();
    if reading & 1 != 0 {
        path.make_ascii_lowercase();
    }
    if reading & 2 != 0 && path.len() > 1 && path.ends_with(b"/") {
        path.pop();
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
