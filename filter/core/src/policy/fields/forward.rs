//! `forward`: what the upstream is told of the caller.

use super::issuer::CLAIM_PATH;
use super::{Shape, Together, Without, names, object, text};
use crate::policy::forward::{FROM, KEEP_OR_REMOVE, KEEPABLE, MAX_HEADERS};

const FROM_NAMES: [&str; FROM.len()] = names(&FROM);
const KEEP_OR_REMOVE_NAMES: [&str; KEEP_OR_REMOVE.len()] = names(&KEEP_OR_REMOVE);

object! {
    /// `forward` of the document.
    pub(super) FORWARD Forward
    about: "What the upstream is told of the caller, in headers that only the filter can set.",
    together: &[],
    headers {
        without: Without::Value(r#"{ "x-user-id": { "from": "subject" }, "x-user-issuer": { "from": "issuer" }, "x-user-roles": { "from": "roles" } }"#),
        shape: Shape::Map { names: text::IDENTITY_HEADER, of: &Shape::Object(&IDENTITY_HEADER), least: 0, most: MAX_HEADERS },
        about: "The identity headers, by name. Whatever a client sends under such a name is removed, in every spelling.",
        example: r#"{ "x-user-id": { "from": "subject" }, "x-user-issuer": { "from": "issuer" }, "x-tenant": { "claim": ["org", "id"] } }"#,
    }
    token {
        without: Without::Value(r#""keep""#),
        shape: Shape::Word(&KEEP_OR_REMOVE_NAMES),
        about: "Whether the token stays in the request. `remove` takes it out on public rules, too.",
        example: r#""remove""#,
    }
    keep {
        without: Without::Words("none"),
        shape: Shape::distinct(&Shape::Word(&KEEPABLE), KEEPABLE.len()),
        about: "What of the client's changes for some upstreams what was judged, and is to stay all the same: headers, and `_method` in the query of a POST.",
        example: r#"["x-http-method-override"]"#,
    }
}

object! {
    /// One of `forward.headers`.
    IDENTITY_HEADER IdentityHeader
    about: "Where the value of an identity header comes from.",
    together: &[Together::ExactlyOne(&["from", "claim"])],
    from {
        without: Without::Words("`claim`"),
        shape: Shape::Word(&FROM_NAMES),
        about: "The subject, the roles joined by commas, or the name of the issuer in the policy.",
        example: r#""subject""#,
    }
    claim {
        without: Without::Words("`from`"),
        shape: CLAIM_PATH,
        about: "A claim, by the names of the members that lead to it. A token that lacks it has no such header.",
        example: r#"["org", "id"]"#,
    }
}
