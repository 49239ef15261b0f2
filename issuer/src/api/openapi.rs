//! The public interface as an OpenAPI document, made of the annotations beside the handlers. Served at `/openapi.json`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

use super::error::{ApiError, ErrorBody, FieldError};
use crate::document::Document;

/// Where it is served.
pub(crate) const PATH: &str = "/openapi.json";
/// How long clients may keep it, in seconds.
pub(crate) const MAX_AGE_SECONDS: u32 = 300;
/// How operations name the token that they need.
const SCHEME: &str = "bearer";

/// `GET /openapi.json`
pub(crate) async fn serve(
    State(document): State<Option<Document>>,
    headers: HeaderMap,
) -> Result<axum::response::Response, ApiError> {
    let document = document.ok_or(ApiError::Internal("The document cannot be serialized"))?;
    Ok(document.answer(&headers))
}

/// The document without its operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bearward issuer",
        description = "Signs users up, logs them in, and signs the tokens that Bearward's filter checks. Bodies are JSON \
                       objects of at most 8 KiB; members that are unknown or there twice are refused. Every answer but \
                       the keys, the metadata and this document is `no-store`."
    ),
    components(schemas(ErrorBody, FieldError, Problem)),
    modifiers(&Bearer)
)]
pub(crate) struct Base;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let scheme = SecurityScheme::Http(scheme.description(Some("An access token of this issuer")).build());
        document.components.get_or_insert_default().add_security_scheme(SCHEME, scheme);
    }
}

/// Why a token is refused (RFC 9457), as the filter says it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape of what the filter's response holds")]
struct Problem {
    r#type: String,
    #[schema(example = "Unauthorized")]
    title: String,
    #[schema(example = 401)]
    status: u16,
    detail: String,
    /// One of the filter's reasons.
    #[schema(example = "token_expired")]
    code: String,
    /// The same for clients that read one member.
    error: String,
}

/// What every operation may answer.
pub(crate) struct Always;

impl IntoResponses for Always {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            answer("431", "The head of the request is too large", Body::None),
            answer("500", "A fault of the issuer", Body::Error),
            retry("503", "The database is away, or too much waits: come again"),
        ]
        .into()
    }
}

/// What operations with a body may answer besides.
pub(crate) struct ReadsBody;

impl IntoResponses for ReadsBody {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            answer("400", "The body, or something in it, is wrong; `errors` names every field", Body::Error),
            answer("408", "The body did not arrive in time", Body::Error),
            answer("413", "The body is larger than 8 KiB", Body::Error),
        ]
        .into()
    }
}

/// What operations for the holder of a token may answer besides.
pub(crate) struct NeedsToken;

impl IntoResponses for NeedsToken {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            answer("400", "The request is malformed, or names more than one token", Body::Either),
            answer("401", "No token, or one that is not good", Body::Problem),
            answer("403", "A token that does not allow this", Body::Problem),
        ]
        .into()
    }
}

/// What operations may answer that somebody could try too often.
pub(crate) struct Throttled;

impl IntoResponses for Throttled {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [retry("429", "Too many attempts: come again after `Retry-After`")].into()
    }
}

#[derive(Clone, Copy)]
enum Body {
    None,
    Error,
    Problem,
    Either,
}

fn answer(status: &str, description: &str, body: Body) -> (String, RefOr<Response>) {
    (status.to_owned(), RefOr::T(described(description, body).build()))
}

/// An answer that says when to come again.
fn retry(status: &str, description: &str) -> (String, RefOr<Response>) {
    let header = HeaderBuilder::new().description(Some("Seconds")).build();
    (status.to_owned(), RefOr::T(described(description, Body::Error).header("Retry-After", header).build()))
}

fn described(description: &str, body: Body) -> ResponseBuilder {
    let content = |schema: &str| ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    let response = ResponseBuilder::new().description(description);
    let error = |response: ResponseBuilder| response.content("application/json", content("ErrorBody"));
    let problem =
        |response: ResponseBuilder| response.content("application/problem+json", content("Problem"));
    match body {
        Body::None => response,
        Body::Error => error(response),
        Body::Problem => problem(response),
        Body::Either => problem(error(response)),
    }
}

/// Bodies of requests, as the handlers read them field by field. Only their shapes are used.
pub(crate) mod body {
    use utoipa::ToSchema;

    macro_rules! bodies {
        ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)+ })+) => {
            $(
                $(#[$meta])*
                #[derive(ToSchema)]
                #[schema(rename_all = "camelCase")]
                #[serde(deny_unknown_fields)]
                #[expect(dead_code, reason = "a shape for the document")]
                pub(crate) struct $name {
                    $($(#[$field_meta])* $field: $type,)+
                }
            )+
        };
    }

    bodies! {
        Signup {
            #[schema(min_length = 1, max_length = 100, example = "Priya")]
            name: String,
            #[schema(format = "email", max_length = 254, example = "priya@example.com")]
            email: String,
            /// New passwords are at least as long as the issuer demands, and none of the most common ones.
            #[schema(format = "password", min_length = 8, max_length = 128)]
            password: String,
        }

        Login {
            #[schema(min_length = 1, example = "priya@example.com")]
            email: String,
            #[schema(format = "password", min_length = 1)]
            password: String,
        }

        Refresh {
            refresh_token: String,
        }

        Logout {
            /// `this` session, the `others` of the user, or `all` of them with every token.
            #[schema(pattern = "^(this|others|all)$", default = "this")]
            scope: Option<String>,
        }

        LinkedPassword {
            /// Of a one-time link.
            token: String,
            #[schema(format = "password", min_length = 8, max_length = 128)]
            new_password: String,
        }

        NewUser {
            #[schema(min_length = 1, max_length = 100, example = "Priya")]
            name: String,
            #[schema(format = "email", max_length = 254, example = "priya@example.com")]
            email: String,
            /// `customer` where none are given.
            #[schema(min_items = 1, max_items = 64, nullable = false)]
            roles: Option<Vec<String>>,
        }

        Roles {
            #[schema(min_items = 1, max_items = 64)]
            roles: Vec<String>,
        }

        Revocation {
            /// `session` (a `sid`), `subject` (a user, with all sessions), `key` (a `kid`), or `all` tokens of everybody.
            #[schema(pattern = "^(session|subject|key|all)$")]
            kind: String,
            /// What it names; not with `all`.
            #[schema(min_length = 1, max_length = 128)]
            id: Option<String>,
            /// With `all`: `keep` lets sessions go on, whose next refresh brings a good token. They end otherwise.
            #[schema(pattern = "^(end|keep)$", default = "end")]
            sessions: Option<String>,
        }

        PasswordChange {
            #[schema(format = "password", min_length = 1)]
            current_password: String,
            #[schema(format = "password", min_length = 8, max_length = 128)]
            new_password: String,
        }
    }
}
