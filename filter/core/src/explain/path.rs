//! The request line, and why a path is refused.

use super::Note;
use super::words::quoted;
use crate::decide::matching::RequestLine;
use crate::identity::METHOD_PARAMETER;
use crate::path::{CanonicalPath, MAX_PATH_BYTES, PathSettings, hides_a_step};
use crate::percent::{decoded, encoded_byte, is_unreserved};
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::request::Request;

/// The most of a path that is named as the part that is wrong, in bytes.
const MAX_NAMED_BYTES: usize = 8;

pub(super) fn notes(line: &RequestLine<'_>, path: &CanonicalPath<'_>) -> Vec<Note> {
    let shown = |bytes: &[u8]| quoted(bytes.split(|byte| *byte == b'?').next().unwrap_or_default());
    let mut notes = Vec::new();
    if line.is_replaced {
        notes.push(Note::good(format!(
            "{} is judged and forwarded in place of what was sent",
            shown(&line.target)
        )));
    } else {
        notes.push(Note::good(format!(
            "{} is canonical: it is judged and forwarded as it stands",
            shown(&line.target)
        )));
    }
    let texts = || path.decoded().iter().map(|segment| segment.text.as_bytes());
    if path.segments().zip(texts()).any(|(own, text)| own != text) {
        let texts: Vec<_> = texts().collect();
        notes.push(Note::good(format!(
            "decoded it is {}",
            quoted(&[b"/", texts.join(&b'/').as_slice()].concat())
        )));
    }
    notes
}

/// What is wrong with a request line that was refused.
pub(super) fn why(request: &Request<'_>, policy: &Policy, rejection: Rejection) -> Option<Note> {
    let text = match rejection {
        Rejection::PathAmbiguous => ambiguity(&policy.paths.target(request.value(b":path")?), policy.paths),
        _ => malformation(request, policy),
    };
    text.map(Note::bad)
}

fn malformation(request: &Request<'_>, policy: &Policy) -> Option<String> {
    let Some(target) = request.value(b":path") else {
        return Some("there is not exactly one path".to_owned());
    };
    if request
        .value(b":method")
        .is_none_or(|method| !method.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-'))
    {
        return Some(
            "the method must be made of capital letters: some servers take `delete` for `DELETE`".to_owned(),
        );
    }
    if request.value(b":method") == Some(b"CONNECT") {
        return Some("CONNECT asks for a tunnel, and no rule can judge what goes through it".to_owned());
    }
    if target.first() != Some(&b'/') {
        return Some(format!(
            "{} does not begin with `/` (origin form, RFC 9112 section 3.2.1)",
            quoted(target)
        ));
    }
    if let Some(byte) = target.iter().find(|byte| !byte.is_ascii_graphic() || **byte == b'#') {
        return Some(format!("it holds the byte {byte:#04x}, which no request target has (RFC 3986)"));
    }
    if target.iter().position(|byte| *byte == b'?').unwrap_or(target.len()) > MAX_PATH_BYTES {
        return Some(format!("the path is longer than {MAX_PATH_BYTES} bytes"));
    }
    if policy.forwarding.is_told_to_drop(request) {
        return Some(
            "`Connection` names a header that only the filter may set: a hop behind would drop it".to_owned(),
        );
    }
    if request.value(b":method") == Some(b"POST") && target.contains(&b'?') {
        return Some(format!(
            "the query of a POST names another method (`{METHOD_PARAMETER}`), which some upstreams obey"
        ));
    }
    Some("the authority is missing, malformed, or there are two".to_owned())
}

/// The first thing in the path that two servers could read in two ways.
fn ambiguity(target: &[u8], settings: PathSettings) -> Option<String> {
    let path = target.split(|byte| *byte == b'?').next()?;
    let mut rest = path;
    while let Some((byte, after)) = rest.split_first() {
        match byte {
            b'\\' => return Some("`\\` is a slash to some servers".to_owned()),
            b';' if !settings.keep_parameters => {
                return Some("`;` begins parameters, which some servers drop (`paths.parameters: keep` lets it through)".to_owned());
            }
            b'%' => {
                let named = quoted(rest.get(..rest.len().min(3)).unwrap_or_default());
                let Some((decoded, behind)) = encoded_byte(after) else {
                    return Some(format!("{named} is no percent-encoding"));
                };
                let why = match decoded {
                    b'/' if !settings.keep_encoded_slash => Some(
                        "is an encoded slash, at which some servers split (`paths.encoded_slash: keep` lets it through)",
                    ),
                    b'%' if encoded_byte(behind).is_some() => Some("is decoded twice by some servers"),
                    b'\\' => Some("is an encoded backslash, a slash to some servers"),
                    b'?' | b'#' => Some("ends the path for servers that decode first"),
                    b';' if settings.keep_parameters => {
                        Some("begins parameters for servers that decode first")
                    }
                    byte if is_unreserved(byte) => Some(
                        "encodes a character that stands for itself (`paths.non_canonical: replace` decodes it for everybody)",
                    ),
                    byte if byte.is_ascii_control() => Some("encodes a control character"),
                    _ => None,
                };
                if let Some(why) = why {
                    return Some(format!("{named} {why}"));
                }
            }
            _ => {}
        }
        rest = after;
    }
    of_segments(path)
}

fn of_segments(path: &[u8]) -> Option<String> {
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_some() {
            return Some("`//` holds an empty segment, which some servers drop".to_owned());
        }
        let Ok(text) = String::from_utf8(decoded(segment).collect()) else {
            return Some(format!("{} decodes to no UTF-8", shortened(segment)));
        };
        if hides_a_step(&text) {
            return Some(format!("{} is a step upwards, or none, to some servers", shortened(segment)));
        }
    }
    None
}

fn shortened(segment: &[u8]) -> String {
    let is_long = segment.len() > MAX_NAMED_BYTES * 8;
    quoted(if is_long { segment.get(..MAX_NAMED_BYTES * 8).unwrap_or(segment) } else { segment })
}
