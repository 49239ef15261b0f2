//! Identity headers: which of the client's are removed, and how ours are written.

use std::borrow::Cow;
use std::iter;
use std::sync::Arc;

use serde_json::Value;

use crate::claims::VerifiedClaims;
use crate::edit::Edit;
use crate::folded::folds_to;
use crate::policy::{Forwarding, Source};
use crate::rejection::Rejection;
use crate::request::Request;

/// Headers that change, for some upstreams, what the request does after we have decided about it: its method, its path, or
/// how much of its path is cut off before routes are looked for.
pub(crate) const OVERRIDES: [&str; 9] = [
    "path-info",
    "script-name",
    "x-forwarded-prefix",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-script-name",
];

/// Headers from which some upstreams take the host: Rack and Rails by default, Spring, Symfony and Express where they trust
/// proxies. They are removed where policies are told apart by host.
pub(crate) const HOST_OVERRIDES: [&str; 6] = [
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-server",
    "x-host",
    "x-http-host-override",
    "x-original-host",
];

/// The parameter of the query in which Symfony, Laravel and Express look for another method of a POST.
pub(crate) const METHOD_PARAMETER: &str = "_method";

/// Those of [`OVERRIDES`] that name another method.
const METHOD_OVERRIDES: [&str; 3] = ["x-http-method", "x-http-method-override", "x-method-override"];

impl Forwarding {
    /// Whether clients may send this all the same.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        self.kept.iter().any(|kept| kept == name)
    }

    /// Whether a header of the client must not reach the upstream.
    ///
    /// Names are compared in lower case, with every byte that is no letter and no digit read as `-`: CGI and WSGI fold
    /// `x_user_id` into `x-user-id`, PHP also `x.user.id`, some servers every such byte.
    #[must_use]
    pub fn removes(&self, name: &[u8]) -> bool {
        self.removed.hold(name)
    }

    /// Whether a header of this name, in some spelling, tells the upstream who calls.
    #[cfg(feature = "explain")]
    #[must_use]
    pub fn tells(&self, name: &[u8]) -> bool {
        self.headers.iter().any(|(own, _)| folds_to(name, own))
    }

    /// Whether a hop behind us would drop one of our headers because the client told it to: it drops what `Connection` names
    /// (RFC 9110 section 7.6.1), and Envoy leaves that header on an upgrade.
    pub(crate) fn is_told_to_drop(&self, request: &Request<'_>) -> bool {
        let mut named = request.values(b"connection").flat_map(|value| value.split(|byte| *byte == b','));
        named.any(|name| self.removes(name.trim_ascii()))
    }

    /// The headers to set for this caller: visible ASCII. None for a claim that the token lacks.
    ///
    /// # Errors
    /// [`Rejection::ClaimsMalformed`] for a claim that is neither a string, a number, a truth value nor an array of such.
    pub(crate) fn headers(&self, issuer: &str, claims: &VerifiedClaims) -> Result<Vec<Edit>, Rejection> {
        let mut edits = Vec::with_capacity(self.headers.len());
        for (name, source) in &self.headers {
            let value = match source {
                Source::Subject => Some(encoded(claims.subject())),
                Source::Roles => Some(joined(claims.roles().iter().map(|role| encoded(role)))),
                Source::Issuer => Some(issuer.into()),
                Source::Claim(path) => claims.lookup(path)?.map(claim_value).transpose()?,
            };
            edits.extend(value.map(|value| Edit::tell(Arc::clone(name), value.as_bytes())));
        }
        Ok(edits)
    }
}

/// A claim as a header: text encoded, numbers and truth values plain, arrays joined by commas.
fn claim_value(claim: &Value) -> Result<Cow<'_, str>, Rejection> {
    match claim {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(item_value).collect::<Result<_, _>>()?;
            // An item that is nothing could not be told from no item.
            if items.iter().any(|item| item.is_empty()) {
                return Err(Rejection::ClaimsMalformed);
            }
            Ok(joined(items.into_iter()))
        }
        item => item_value(item),
    }
}

fn item_value(item: &Value) -> Result<Cow<'_, str>, Rejection> {
    match item {
        Value::String(text) => Ok(encoded(text)),
        Value::Number(number) => Ok(number.to_string().into()),
        Value::Bool(truth) => Ok(truth.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(Rejection::ClaimsMalformed),
    }
}

/// Separated by commas. One alone is written nowhere else.
fn joined<'v>(mut values: impl Iterator<Item = Cow<'v, str>>) -> Cow<'v, str> {
    let Some(first) = values.next() else { return Cow::Borrowed("") };
    let Some(second) = values.next() else { return first };
    let mut all = first.into_owned();
    for value in iter::once(second).chain(values) {
        all.push(',');
        all.push_str(&value);
    }
    all.into()
}

/// Whether some server takes the header for one that names another method.
pub(crate) fn names_another_method(name: &[u8]) -> bool {
    METHOD_OVERRIDES.iter().any(|other| folds_to(name, other))
}

/// Visible ASCII stands for itself; every other byte, and `%` and `,`, is percent-encoded. So a value cannot be taken
/// for two, and can be decoded again.
fn encoded(text: &str) -> Cow<'_, str> {
    let stands_for_itself = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'%' | b',');
    if text.bytes().all(stands_for_itself) {
        return text.into();
    }
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if stands_for_itself(byte) {
            value.push(char::from(byte));
        } else {
            value.push('%');
            for digit in [byte >> 4, byte & 0xf] {
                value.extend(char::from_digit(digit.into(), 16).map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
    value.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_identity_header_is_removed() {
        let forwarding = Forwarding::default();
        for name in [
            "x-user-id",
            "X-User-Id",
            "x_user_id",
            "X_USER-roles",
            "x-user-issuer",
            "X-Original-URL",
            "x_http_method_override",
            "x.user.id",
            "x~user!roles",
            "Script_Name",
            "x.original.url",
        ] {
            assert!(forwarding.removes(name.as_bytes()), "{name}");
        }
        for name in ["x-user-ids", "x-user", "xx-user-id", "authorization", "host", ""] {
            assert!(!forwarding.removes(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_value_is_visible_ascii_and_can_be_decoded() {
        assert_eq!(encoded("018f-ab.c@d|e"), "018f-ab.c@d|e");
        assert_eq!(encoded("a b,c%d\u{e9}\n"), "a%20b%2Cc%25d%C3%A9%0A");
    }

    #[test]
    fn values_are_joined_by_commas_and_none_is_never_two() {
        let of = |values: &[&'static str]| joined(values.iter().map(|value| encoded(value))).into_owned();
        for (values, expected) in [
            (&[][..], ""),
            (&["admin"], "admin"),
            (&["admin", "chef"], "admin,chef"),
            (&["a,b", "chef"], "a%2Cb,chef"),
            (&["chef", "50%", "a b"], "chef,50%25,a%20b"),
        ] {
            assert_eq!(of(values), expected);
        }
    }

    #[test]
    fn no_header_cuts_a_prefix_off_the_path_that_was_judged() {
        // WSGI's usual `ReverseProxied` cuts X-Script-Name off PATH_INFO: /public/admin becomes /admin.
        for name in ["x-script-name", "X_Script_Name", "x-forwarded-prefix", "x.forwarded.prefix"] {
            assert!(Forwarding::default().removes(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_header_that_only_cuts_a_path_names_no_method() {
        for (name, expected) in [
            ("X_HTTP_Method", true),
            ("x-http-method-override", true),
            ("x.method.override", true),
            ("x-forwarded-prefix", false),
            ("x-method", false),
        ] {
            assert_eq!(names_another_method(name.as_bytes()), expected, "{name}");
        }
    }
}
