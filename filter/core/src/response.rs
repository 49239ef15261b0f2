//! What the client gets when its request is refused.

use serde_json::json;

use crate::policy::ChallengeSettings;
use crate::rejection::{Challenge, Rejection};

/// Seconds after which a request refused for our own fault may be tried again.
const RETRY_AFTER_SECONDS: &str = "1";

/// A response that the proxy makes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalResponse {
    /// HTTP status code.
    pub status: u16,
    /// Headers beside those that the proxy adds.
    pub headers: Vec<(&'static str, String)>,
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
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        if let Some(challenge) = challenge(rejection, settings, scope) {
            headers.push(("www-authenticate", challenge));
        }
        if row.status == 503 {
            headers.push(("retry-after", RETRY_AFTER_SECONDS.to_owned()));
        }
        let body = if grpc {
            row.error.as_bytes().to_vec()
        } else {
            headers.push(("content-type", "application/problem+json".to_owned()));
            problem(rejection)
        };
        let grpc_status = grpc.then(|| rejection.grpc_status());
        Self { status: row.status, headers, body, details: format!("bearward.{}", row.reason), grpc_status }
    }
}

/// The challenge of RFC 6750 section 3. All its parts are constants, or checked when the policy is read: nothing of the
/// request can break out of the quotes.
fn challenge(rejection: Rejection, settings: &ChallengeSettings, scope: &str) -> Option<String> {
    let row = rejection.row();
    if row.challenge == Challenge::None {
        return None;
    }
    let mut parameters = vec![("realm", settings.realm.as_str())];
    if let Some(code) = row.challenge.error_code() {
        parameters.extend([("error", code), ("error_description", row.detail)]);
    }
    if row.challenge == Challenge::InsufficientScope && !scope.is_empty() {
        parameters.push(("scope", scope));
    }
    if let Some(uri) = &settings.resource_metadata {
        parameters.push(("resource_metadata", uri));
    }
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    Some(format!("Bearer {}", parameters.join(", ")))
}

/// A problem of RFC 9457. Its type is `about:blank`: the status says all that a generic client can use, and `code`
/// what a specific one can. `error` is for clients that read the tutorial's shape.
fn problem(rejection: Rejection) -> Vec<u8> {
    let row = rejection.row();
    let title = match row.status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        _ => "Service Unavailable",
    };
    json!({
        "type": "about:blank",
        "title": title,
        "status": row.status,
        "detail": row.detail,
        "code": row.reason,
        "error": row.error,
    })
    .to_string()
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(response: &LocalResponse, name: &str) -> Option<String> {
        response.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone())
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
