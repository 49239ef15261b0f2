//! `credentials`: where a token may stand.

use super::{Shape, Together, Without, object, text};
use crate::policy::credentials::{MAX_ORIGINS, MAX_SOURCES};

/// Places, the first that holds a token first.
pub(super) const CREDENTIALS: Shape = Shape::distinct(&Shape::Object(&CREDENTIAL), MAX_SOURCES);

object! {
    /// One of `credentials`.
    CREDENTIAL Credential
    about: "A place where a token may stand.",
    together: &[
        Together::ExactlyOne(&["header", "cookie", "query"]),
        Together::Needs("scheme", "header"),
        Together::Needs("allowed_origins", "cookie"),
        Together::Needs("cookie", "allowed_origins"),
    ],
    header {
        without: Without::Words("one of the others"),
        shape: Shape::Text(text::TOKEN),
        about: "The name of a header. None that means something else.",
        example: r#""x-access-token""#,
    }
    scheme {
        without: Without::Words("the whole value is the token; not with `authorization`"),
        shape: Shape::Text(text::TOKEN),
        about: "What stands before the token in the header, compared without case.",
        example: r#""Bearer""#,
    }
    cookie {
        without: Without::Words("one of the others"),
        shape: Shape::Text(text::TOKEN),
        about: "The name of a cookie.",
        example: r#""access_token""#,
    }
    allowed_origins {
        without: Without::Words("an error with `cookie`"),
        shape: Shape::distinct(&Shape::Text(text::ORIGIN), MAX_ORIGINS),
        about: "Whose pages may cause requests that change something, by the cookie.",
        example: r#"["https://app.example.com"]"#,
    }
    query {
        without: Without::Words("one of the others"),
        shape: Shape::Text(text::TOKEN),
        about: "The name of a parameter of the query. It ends up in logs: only where nothing else works.",
        example: r#""access_token""#,
    }
}
