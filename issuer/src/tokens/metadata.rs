//! Authorization server metadata (RFC 8414).

use bearward_protocol::jwk::JWK_SET_PATH;
use serde::Serialize;

use crate::document::Document;

/// The members of section 2 that are true of us. There is no authorization endpoint and no token endpoint: signup, login
/// and refresh are no OAuth grants, so both are left out, as section 2 lets servers do that support no grant which uses
/// them.
#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    /// Left out where tokens are signed with secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    /// Required by section 2, and empty, although section 3.2 wants empty lists left out: the two clauses conflict for a
    /// server without an authorization endpoint. Libraries insist on the member; none of them insists on a value.
    response_types_supported: [&'static str; 0],
    /// Empty for the truth: left out, it would stand for `authorization_code` and `implicit`.
    grant_types_supported: [&'static str; 0],
}

/// `public_url`: where the public listener is reached from outside.
pub(super) fn metadata(
    issuer: &str,
    public_url: &str,
    has_jwk_set: bool,
    max_age_seconds: u32,
) -> Option<Document> {
    let jwks_uri = has_jwk_set.then(|| format!("{}{JWK_SET_PATH}", public_url.trim_end_matches('/')));
    let none = [];
    let metadata = Metadata { issuer, jwks_uri, response_types_supported: none, grant_types_supported: none };
    Document::json(&metadata, max_age_seconds)
}

/// The path of an issuer, without slashes at its ends (RFC 8414 section 3.1).
pub(super) fn path_of(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    rest.split_once('/').map_or("", |(_, path)| path.trim_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_says_what_is_true_of_us_and_all_that_is_required() {
        let text = |has_jwk_set| {
            let document = metadata("https://a.example", "https://a.example/", has_jwk_set, 300).unwrap();
            String::from_utf8(document.body().to_vec()).unwrap()
        };
        assert_eq!(
            text(true),
            r#"{"issuer":"https://a.example","jwks_uri":"https://a.example/.well-known/jwks.json","response_types_supported":[],"grant_types_supported":[]}"#
        );
        assert!(!text(false).contains("jwks_uri"));
    }

    #[test]
    fn the_path_of_an_issuer_has_no_slash_at_its_end() {
        assert_eq!(path_of("https://a.example"), "");
        assert_eq!(path_of("https://a.example/"), "");
        assert_eq!(path_of("https://a.example/realms/x/"), "realms/x");
    }
}
