//! What strings may be. A pattern may match more than the reader takes, never less.

use super::Text;
use crate::policy::challenge::MAX_TEXT_BYTES;
use crate::policy::credentials::MAX_NAME_BYTES;
use crate::policy::forward::MAX_HEADER_NAME_BYTES;
use crate::policy::issuers::keys::MAX_VARIABLE_NAME_BYTES;
use bearward_protocol::bounds::MAX_ROLE_BYTES;

const fn text(form: &'static str, pattern: Option<&'static str>, max_bytes: Option<usize>) -> Text {
    Text { form, pattern, max_bytes }
}

pub(super) const ANY: Text = text("string", None, None);
pub(super) const ISSUER_NAME: Text =
    text("name: 1 to 32 of a-z, 0-9, `_`, `-`", Some("^[a-z0-9_-]{1,32}$"), Some(32));
pub(super) const OF_ISSUERS: Text = text("name out of `issuers`", None, None);
pub(super) const NAME: Text =
    text("name: 1 to 64 of a-z, 0-9, `_`, `-`", Some("^[a-z0-9_-]{1,64}$"), Some(64));
pub(super) const HOST: Text =
    text("`*`, `*.example.com` or a host name", Some(r"^(\*|(\*\.)?[A-Za-z0-9_:\[\].-]+)$"), None);
pub(super) const PREFIX: Text = text("path without patterns", Some("^/[^*]*$"), None);
pub(super) const PATH: Text = text("path, with `*`, `{name}` and `**` at its end", Some("^/"), None);
pub(super) const URI: Text =
    text("http or https URI", Some(r##"^https?://[!"$-.0->A-~]+([/?][!"$-~]*)?$"##), None);
pub(super) const VARIABLE: Text =
    text("name of an environment variable", Some("^[A-Z_][A-Z0-9_]*$"), Some(MAX_VARIABLE_NAME_BYTES));
pub(super) const ROLE: Text = text(
    "role: no comma, no control character, no space at its ends",
    Some(
        r"^[^ ,\u0000-\u001f\u007f-\u009f]([^,\u0000-\u001f\u007f-\u009f]*[^ ,\u0000-\u001f\u007f-\u009f])?$",
    ),
    Some(MAX_ROLE_BYTES),
);
pub(super) const TOKEN: Text =
    text("1 to 64 letters, digits, `_`, `-`", Some("^[A-Za-z0-9_-]{1,64}$"), Some(MAX_NAME_BYTES));
pub(super) const IDENTITY_HEADER: Text = text(
    "header name: 1 to 64 letters, digits, `-`",
    Some("^[A-Za-z0-9_-]{1,64}$"),
    Some(MAX_HEADER_NAME_BYTES),
);
pub(super) const ORIGIN: Text =
    text("origin, as browsers send it", Some(r"^https?://[a-z0-9.:\[\]-]+$"), None);
pub(super) const REALM: Text =
    text("printable ASCII without quotes and backslashes", Some(r"^[ !#-\[\]-~]+$"), Some(MAX_TEXT_BYTES));
pub(super) const METADATA: Text =
    text("http or https URI", Some(r"^https?://[!$-\[\]-~]+$"), Some(MAX_TEXT_BYTES));
