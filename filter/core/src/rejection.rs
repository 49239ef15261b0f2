//! Every way in which a request is refused: one table.
//!
//! Status, challenge (RFC 6750 section 3), reason, fault and texts of a refusal stand in one row and nowhere else;
//! `docs/rejections.md` is generated from these rows.

/// The `error` code that the `WWW-Authenticate` challenge carries (RFC 6750 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// No challenge at all: credentials would not help.
    None,
    /// A challenge without an error code: the request held no credentials (section 3, last paragraph).
    Bare,
    /// `invalid_request`
    InvalidRequest,
    /// `invalid_token`
    InvalidToken,
    /// `insufficient_scope`
    InsufficientScope,
}

impl Challenge {
    /// The error code, where there is one.
    #[must_use]
    pub const fn error_code(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Bare => None,
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientScope => Some("insufficient_scope"),
        }
    }
}

/// Who has to act for the next request to succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The client: another token, another request.
    Client,
    /// We: keys, feed or host failed. The same request may succeed later.
    Service,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// HTTP status code.
    pub status: u16,
    /// What the challenge says.
    pub challenge: Challenge,
    /// The name in metrics, logs, response code details and the `code` of the body: `[a-z_]+`.
    pub reason: &'static str,
    /// Who has to act.
    pub fault: Fault,
    /// The `error` member of the body: what clients of the tutorial's kind show.
    pub error: &'static str,
    /// One sentence for the person who debugs it: `detail` of the body and `error_description` of the challenge.
    /// Never holds anything of the request; printable ASCII without `"` and `\` (RFC 6750 section 3).
    pub detail: &'static str,
}

macro_rules! rejections {
    ($($(#[$doc:meta])* $variant:ident { $status:literal $challenge:ident $fault:ident $reason:literal $error:literal $detail:literal })+) => {
        /// A request refused. Fieldless, so that nothing of the request can leak through it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Rejection {
            $($(#[$doc])* $variant,)+
        }

        impl Rejection {
            /// Every rejection, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The row of this rejection.
            #[must_use]
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$variant => &Row {
                        status: $status,
                        challenge: Challenge::$challenge,
                        reason: $reason,
                        fault: Fault::$fault,
                        error: $error,
                        detail: $detail,
                    },)+
                }
            }
        }
    };
}

rejections! {
    /// No Bearer credentials in the request.
    TokenMissing { 401 Bare Client "token_missing" "No token provided"
        "The request holds no Bearer token." }
    /// The request itself cannot be judged: no or a relative path, a bad header.
    RequestMalformed { 400 None Client "request_malformed" "Malformed request"
        "The method, authority or path of the request is missing or malformed." }
    /// Two readers could understand the path in two ways.
    PathAmbiguous { 400 None Client "path_ambiguous" "Ambiguous path"
        "The path is not in its canonical form: another server may read it as another path." }
    /// Two Authorization headers, or two tokens in one.
    CredentialsAmbiguous { 400 InvalidRequest Client "credentials_ambiguous" "Ambiguous credentials"
        "The request holds more than one set of credentials." }
    /// Longer than any token that we look at.
    TokenTooLarge { 401 InvalidToken Client "token_too_large" "Invalid token"
        "The token is too large." }
    /// Not a JWS in compact serialization with a JSON object as header and payload (RFC 7515, 7519).
    TokenMalformed { 401 InvalidToken Client "token_malformed" "Invalid token"
        "The token is not a well-formed JWT." }
    /// `typ` is not one that the issuer's tokens have (RFC 8725 section 3.11).
    TypeNotAllowed { 401 InvalidToken Client "type_not_allowed" "Invalid token"
        "The token is of a type that is not accepted." }
    /// `alg` is not in the issuer's list (RFC 8725 section 3.1).
    AlgorithmNotAllowed { 401 InvalidToken Client "algorithm_not_allowed" "Invalid token"
        "The token is signed with an algorithm that is not accepted." }
    /// No key of the issuer has this `kid`.
    KeyUnknown { 401 InvalidToken Client "key_unknown" "Invalid token"
        "The token is signed with an unknown key." }
    /// The signature does not hold.
    SignatureInvalid { 401 InvalidToken Client "signature_invalid" "Invalid token"
        "The signature of the token is invalid." }
    /// A claim is missing or of the wrong type.
    ClaimsMalformed { 401 InvalidToken Client "claims_malformed" "Invalid token"
        "A claim of the token is missing or malformed." }
    /// `iss` is no issuer of ours, or none that this rule trusts.
    IssuerMismatch { 401 InvalidToken Client "issuer_mismatch" "Invalid token"
        "The token is of an issuer that is not accepted here." }
    /// `aud` does not hold us (RFC 8725 section 3.9).
    AudienceMismatch { 401 InvalidToken Client "audience_mismatch" "Invalid token"
        "The token is meant for another audience." }
    /// `nbf` or `iat` lies in the future.
    TokenNotYetValid { 401 InvalidToken Client "token_not_yet_valid" "Invalid token"
        "The token is not valid yet." }
    /// `exp` has passed.
    TokenExpired { 401 InvalidToken Client "token_expired" "Token expired"
        "The token expired." }
    /// The token, its session or its key was revoked.
    TokenRevoked { 401 InvalidToken Client "token_revoked" "Token revoked"
        "The token was revoked." }
    /// The user was deleted or disabled.
    SubjectGone { 401 InvalidToken Client "subject_gone" "User no longer exists"
        "The user of the token no longer exists." }
    /// The roles do not suffice.
    RoleMissing { 403 InsufficientScope Client "role_missing" "Not authorized"
        "The token lacks a role that this request requires." }
    /// A claim is not what the rule requires.
    ClaimMismatch { 403 InsufficientScope Client "claim_mismatch" "Not authorized"
        "A claim of the token is not what this request requires." }
    /// A cookie came along from another site.
    CsrfRejected { 403 None Client "csrf_rejected" "Cross-site request refused"
        "The request came from another site." }
    /// No rule names this request: nobody gets it.
    NoRule { 403 None Client "no_rule" "Not authorized"
        "No rule allows this request." }
    /// The issuer's keys could not be had yet.
    KeysUnavailable { 503 None Service "keys_unavailable" "Authentication unavailable"
        "The keys to verify tokens are not available at the moment." }
    /// Nothing is known of the issuer's revocations yet.
    RevocationsUnavailable { 503 None Service "revocations_unavailable" "Authentication unavailable"
        "What has been revoked is not known yet." }
    /// What is known of revocations is too old.
    RevocationsStale { 503 None Service "revocations_stale" "Authentication unavailable"
        "The state of revocations is not available at the moment." }
    /// The proxy failed us, or there is no policy.
    HostFailure { 503 None Service "host_failure" "Authentication unavailable"
        "The gate is not available at the moment." }
}

impl Rejection {
    /// The status code of gRPC (its `Status` enumeration) for this rejection.
    #[must_use]
    pub const fn grpc_status(self) -> u32 {
        match self.row().status {
            400 => 3,  // INVALID_ARGUMENT
            401 => 16, // UNAUTHENTICATED
            403 => 7,  // PERMISSION_DENIED
            _ => 14,   // UNAVAILABLE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_reason_is_unique_and_fit_for_a_metric_name() {
        let reasons: HashSet<_> = Rejection::ALL.iter().map(|r| r.row().reason).collect();
        assert_eq!(reasons.len(), Rejection::ALL.len());
        assert!(reasons.iter().all(|r| r.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }

    #[test]
    fn status_challenge_and_fault_of_every_row_agree() {
        for rejection in Rejection::ALL {
            let row = rejection.row();
            let allowed: &[Challenge] = match row.status {
                400 => &[Challenge::None, Challenge::InvalidRequest],
                401 => &[Challenge::Bare, Challenge::InvalidToken],
                403 => &[Challenge::None, Challenge::InsufficientScope],
                503 => &[Challenge::None],
                other => panic!("{rejection:?} has status {other}"),
            };
            assert!(allowed.contains(&row.challenge), "{rejection:?}");
            assert_eq!(row.fault == Fault::Service, row.status == 503, "{rejection:?}");
        }
    }

    /// `docs/rejections.md`, made of the table. With `BEARWARD_BLESS=1` it is written, else compared.
    #[test]
    fn the_documentation_of_the_rejections_is_fresh() {
        let mut text = String::from(
            "# Rejections\n\nEvery way in which a request is refused. Made of the table in `filter/core/src/rejection.rs` by\n\
             `BEARWARD_BLESS=1 cargo test -p bearward-core documentation`; do not edit.\n\n\
             `reason` stands in the body as `code` and in `%RESPONSE_CODE_DETAILS%` as `bearward.<reason>`. `challenge` is the\n\
             error code in `WWW-Authenticate` (RFC 6750 section 3.1), `bare` a challenge without one. The last column is\n\
             `error` and `detail` of the body.\n\n\
             | reason | status | gRPC | challenge | whose fault | what the client reads |\n|---|---|---|---|---|---|\n",
        );
        for rejection in Rejection::ALL {
            let row = rejection.row();
            let challenge = match (row.challenge, row.challenge.error_code()) {
                (_, Some(code)) => format!("`{code}`"),
                (Challenge::Bare, _) => "bare".to_owned(),
                _ => "none".to_owned(),
            };
            let fault = match row.fault {
                Fault::Client => "the client's",
                Fault::Service => "ours",
            };
            let (reason, status, grpc) = (row.reason, row.status, rejection.grpc_status());
            text += &format!(
                "| `{reason}` | {status} | {grpc} | {challenge} | {fault} | **{}** {} |\n",
                row.error, row.detail
            );
        }
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rejections.md");
        if std::env::var_os("BEARWARD_BLESS").is_some() {
            std::fs::write(file, &text).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(file).unwrap_or_default(),
            text,
            "renew it: the head of the file says how"
        );
    }

    #[test]
    fn texts_can_stand_in_a_quoted_string() {
        for rejection in Rejection::ALL {
            let detail = rejection.row().detail;
            assert!(
                detail.bytes().all(|b| matches!(b, 0x20..=0x7e) && b != b'"' && b != b'\\'),
                "{rejection:?}"
            );
        }
    }
}
