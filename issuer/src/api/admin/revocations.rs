//! What verifiers must refuse from now on, by what a token names.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use uuid::Uuid;

use super::FAILED;
use crate::api::body;
use crate::api::caller::Administrator;
use crate::api::client::client;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::fields::Fields;
use crate::api::openapi;
use crate::app::App;
use crate::audit::By;
use crate::keys::parse_kid;

/// Revokes a session, a user's tokens, a key, or everything. Every proxy that reads the feed refuses what is named within a
/// second; the users log in again.
#[utoipa::path(
    post, path = "/api/admin/revocations", tag = "administration", security(("bearer" = [])),
    request_body = openapi::body::Revocation,
    responses(
        (status = 204, description = "Written down"),
        (status = 404, description = "There is no such session or user", body = ErrorBody),
        openapi::ReadsBody,
        openapi::NeedsToken,
        openapi::Always,
    ),
)]
pub(super) async fn revoke(State(app): State<Arc<App>>, request: Request) -> Result<StatusCode, ApiError> {
    let client = client(&request);
    let received = body::received(request).await?;
    let administrator = Administrator::of(&app, received.headers(), FAILED).await?;
    let what = What::read(Fields::new(received.object()?))?;
    if what.apply(&app, administrator.by(&client)).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}

/// What a token names.
enum What {
    Session(Uuid),
    Subject(Uuid),
    Key(String),
    All { keep_sessions: bool },
}

#[derive(Clone, Copy)]
enum Kind {
    Session,
    Subject,
    Key,
    All,
}

impl Kind {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "session" => Ok(Self::Session),
            "subject" => Ok(Self::Subject),
            "key" => Ok(Self::Key),
            "all" => Ok(Self::All),
            _ => Err("Kind must be session, subject, key or all".to_owned()),
        }
    }
}

impl What {
    fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let uuid = |text: String| Uuid::try_parse(&text).map_err(|_| "Id must be a UUID".to_owned());
        let what = match fields.take("kind", "Kind", |text| Kind::parse(&text)) {
            Some(Kind::Session) => fields.take("id", "Id", uuid).map(Self::Session),
            Some(Kind::Subject) => fields.take("id", "Id", uuid).map(Self::Subject),
            Some(Kind::Key) => fields
                .take("id", "Id", |text| parse_kid(&text).map_err(|why| format!("Id {why}")))
                .map(Self::Key),
            Some(Kind::All) => {
                let keep = fields.take_optional("sessions", "Sessions", |text| match text.as_str() {
                    "keep" => Ok(true),
                    "end" => Ok(false),
                    _ => Err("Sessions must be end or keep".to_owned()),
                });
                keep.map(|keep| Self::All { keep_sessions: keep.unwrap_or(false) })
            }
            None => {
                // What these should be nobody can say.
                let _ = ["id", "sessions"].map(|field| fields.take_optional(field, field, Ok::<_, String>));
                None
            }
        };
        fields.finish(what)
    }

    /// `false`: there is nothing of this name.
    async fn apply(&self, app: &App, by: By<'_>) -> Result<bool, ApiError> {
        let refused = |e| ApiError::of_administration(&e, FAILED);
        match self {
            Self::Session(id) => app.store.revoke_session(*id, by).await.map_err(refused),
            Self::Subject(id) => app.store.log_out_user(*id, by).await.map(|()| true).map_err(refused),
            Self::Key(kid) => match &app.keeper {
                Some(keeper) => {
                    keeper.revoke(kid, by).await.map(|()| true).map_err(|e| ApiError::of_keys(&e, FAILED))
                }
                None => app.store.revoke_key(kid, by).await.map(|()| true).map_err(refused),
            },
            Self::All { keep_sessions } => {
                app.store.revoke_all(*keep_sessions, by).await.map(|()| true).map_err(refused)
            }
        }
    }
}
