//! Identity headers: which of the client's are removed, and how ours are written.

use crate::claims::VerifiedClaims;
use crate::policy::{Forwarding, Source};

/// Headers that change, for some upstreams, what the request does after we have decided about it.
pub(crate) const OVERRIDES: [&str; 7] = [
    "path-info",
    "script-name",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

impl Forwarding {
    /// Whether a header of the client must not reach the upstream.
    ///
    /// Names are compared in lower case, with every byte that is no letter and no digit read as `-`: CGI and WSGI fold
    /// `x_user_id` into `x-user-id`, PHP also `x.user.id`, some servers every such byte.
    #[must_use]
    pub fn removes(&self, name: &[u8]) -> bool {
        let own = self.headers.iter().map(|(name, _)| name.as_str());
        own.chain(OVERRIDES).any(|reserved| folds_to(name, reserved))
    }

    /// The headers to set for this caller: name and value, visible ASCII.
    pub(crate) fn headers(&self, issuer: &str, claims: &VerifiedClaims) -> Vec<(String, String)> {
        let value = |source: &Source| match source {
            Source::Subject => encoded(claims.subject()),
            Source::Roles => claims.roles().iter().map(|role| encoded(role)).collect::<Vec<_>>().join(","),
            Source::Issuer => issuer.to_owned(),
        };
        self.headers.iter().map(|(name, source)| (name.clone(), value(source))).collect()
    }
}

fn folds_to(name: &[u8], reserved: &str) -> bool {
    let folded =
        name.iter().map(|byte| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' });
    name.len() == reserved.len() && folded.eq(reserved.bytes())
}

/// Visible ASCII stands for itself; every other byte, and `%` and `,`, is percent-encoded. So a value cannot be taken
/// for two, and can be decoded again.
fn encoded(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'%' | b',') {
            value.push(char::from(byte));
        } else {
            value.push('%');
            for digit in [byte >> 4, byte & 0xf] {
                value.extend(char::from_digit(digit.into(), 16).map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
    value
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
}
