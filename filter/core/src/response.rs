//! What the client gets when its request is refused.

use std::borrow::Cow;

use crate::policy::ChallengeSettings;
use crate::rejection::{Challenge, Rejection};

/// Seconds after which a request refused for our own fault may be tried again.
const RETRY_AFTER_SECONDS: &str = "1";
/// What most challenges have room in, in bytes.
const CHALLENGE_BYTES: usize = 192;

/// A response that the proxy makes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalResponse {
    /// HTTP status code.
    pub status: u16,
    /// Headers beside those that the proxy adds.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body: `application/problem+json` (RFC 9457); for gRPC the text of `grpc-message`.
    pub body: Vec<u8>,
    /// `bearward.<reason>`: printed by `%RESPONSE_CODE_DETAILS%`.
    pub details: String,
    /// The code of gRPC, where the client speaks it.
    pub grpc_status: Option<u32>,
}

impl LocalResponse {
    /// The response of a rejection, with the challenge that a policy has by default. `grpc`: whether the client speaks
    /// gRPC.
    #[must_use]
    pub fn of(rejection: Rejection, grpc: bool) -> Self {
        Self::with(rejection, grpc, &ChallengeSettings::default(), "")
    }

    /// The response of a rejection, with a policy's challenge and the `scope` that would suffice.
    #[must_use]
    pub fn with(rejection: Rejection, grpc: bool, settings: &ChallengeSettings, scope: &str) -> Self {
        let row = rejection.row();
        let mut headers = Vec::with_capacity(4);
        headers.push(("cache-control", Cow::Borrowed("no-store")));
        if let Some(challenge) = challenge(rejection, settings, scope) {
            headers.push(("www-authenticate", Cow::Owned(challenge)));
        }
        if row.status == 503 {
            headers.push(("retry-after", Cow::Borrowed(RETRY_AFTER_SECONDS)));
        }
        let body = if grpc {
            row.error.as_bytes().to_vec()
        } else {
            headers.push(("content-type", Cow::Borrowed("application/problem+json")));
            problem(rejection).into_bytes()
        };
        let grpc_status = grpc.then(|| rejection.grpc_status());
        Self { status: row.status, headers, body, details: ["bearward.", row.reason].concat(), grpc_status }
    }
}

/// The challenge of RFC 6750 section 3. All its parts are constants, or checked when the policy is read: nothing of the
/// request can break out of the quotes.
fn challenge(rejection: Rejection, settings: &ChallengeSettings, scope: &str) -> Option<String> {
    let row = rejection.row();
    if row.challenge == Challenge::None {
        return None;
    }
    let mut challenge = String::with_capacity(CHALLENGE_BYTES);
    let mut push = |name: &str, value: &str| {
        let between = if challenge.is_empty() { "Bearer " } else { ", " };
        [between, name, "=\"", value, "\""].iter().for_each(|part| challenge.push_str(part));
    };
    push("realm", &settings.realm);
    if let Some(code) = row.challenge.error_code() {
        push("error", code);
        push("error_description", row.detail);
    }
    if row.challenge == Challenge::InsufficientScope && !scope.is_empty() {
        push("scope", scope);
    }
    if let Some(uri) = &settings.resource_metadata {
        push("resource_metadata", uri);
    }
    Some(challenge)
}

/// A problem of RFC 9457. Its type is `about:blank`: the status says all that a generic client can use, and `code`
/// what a specific one can. `error` is for clients that read the tutorial's shape.
///
/// Put together from the texts of the table, which need no escaping.
fn problem(rejection: Rejection) -> String {
    let row = rejection.row();
    let (status, title) = match row.status {
        400 => ("400", "Bad Request"),
        401 => ("401", "Unauthorized"),
        403 => ("403", "Forbidden"),
        _ => ("503", "Service Unavailable"),
    };
    [
        r#"{"code":""#,
        row.reason,
        r#"","detail":""#,
        row.detail,
        r#"","error":""#,
        row.error,
        r#"","status":"#,
        status,
        r#","title":""#,
        title,
        r#"","type":"about:blank"}"#,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn header(response: &LocalResponse, name: &str) -> Option<String> {
        response.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.to_string())
    }

    #[test]
    fn a_missing_token_gets_a_bare_challenge() {
        let response = LocalResponse::of(Rejection::TokenMissing, false);
        assert_eq!(response.status, 401);
        assert_eq!(header(&response, "www-authenticate").unwrap(), "Bearer realm=\"bearward\"");
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(body["error"], "No token provided");
        assert_eq!(body["status"], 401);
    }

    #[test]
    fn a_bad_token_and_a_missing_role_are_told_apart_by_status_and_code() {
        let bad = LocalResponse::of(Rejection::SignatureInvalid, false);
        assert_eq!(bad.status, 401);
        assert!(header(&bad, "www-authenticate").unwrap().contains("error=\"invalid_token\""));
        let forbidden = LocalResponse::of(Rejection::RoleMissing, false);
        assert_eq!(forbidden.status, 403);
        assert!(header(&forbidden, "www-authenticate").unwrap().contains("error=\"insufficient_scope\""));
    }

    #[test]
    fn our_own_fault_is_503_with_a_time_to_retry_and_no_challenge() {
        let response = LocalResponse::of(Rejection::KeysUnavailable, false);
        assert_eq!(response.status, 503);
        assert_eq!(header(&response, "retry-after").unwrap(), "1");
        assert_eq!(header(&response, "www-authenticate"), None);
        assert_eq!(response.details, "bearward.keys_unavailable");
    }

    #[test]
    fn grpc_gets_its_own_status_and_no_problem_body() {
        let response = LocalResponse::of(Rejection::TokenExpired, true);
        assert_eq!(response.grpc_status, Some(16));
        assert_eq!(response.body, b"Token expired");
        assert_eq!(header(&response, "content-type"), None);
    }

    #[test]
    fn the_body_is_what_a_serializer_would_write() {
        for rejection in Rejection::ALL {
            let row = rejection.row();
            let written: serde_json::Value = serde_json::from_str(&problem(*rejection)).unwrap();
            let expected = json!({
                "type": "about:blank", "title": written["title"], "status": row.status, "detail": row.detail,
                "code": row.reason, "error": row.error,
            });
            assert_eq!(problem(*rejection), expected.to_string());
        }
    }

    /// RFC 9457 section 4.2.1
    #[test]
    fn a_problem_of_no_type_has_the_title_of_its_status() {
        for rejection in Rejection::ALL {
            let body: serde_json::Value =
                serde_json::from_slice(&LocalResponse::of(*rejection, false).body).unwrap();
            let title = match rejection.row().status {
                400 => "Bad Request",
                401 => "Unauthorized",
                403 => "Forbidden",
                503 => "Service Unavailable",
                other => panic!("{other}"),
            };
            assert_eq!(
                (&body["type"], &body["title"]),
                (&json!("about:blank"), &json!(title)),
                "{rejection:?}"
            );
        }
    }

    /// Percent-encoding would be needed for what is no visible ASCII, and for `%`.
    #[test]
    fn grpc_messages_need_no_encoding() {
        for rejection in Rejection::ALL {
            let message = LocalResponse::of(*rejection, true).body;
            let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'%';
            assert!(
                !message.is_empty() && message.len() <= 64 && message.iter().all(is_plain),
                "{rejection:?}"
            );
        }
    }

    #[test]
    fn no_answer_is_cached() {
        for rejection in Rejection::ALL {
            assert_eq!(header(&LocalResponse::of(*rejection, false), "cache-control").unwrap(), "no-store");
        }
    }
}
