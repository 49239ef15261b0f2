//! Bearward's decision, as a pure function: bytes and the time in, a `Decision` out.
//!
//! No host, no clock, no global, no environment. In reading order:
//!
//! 1. [`decide`] a request's whole way; [`request`] what comes in; [`rejection`] every way to be refused, one table;
//!    [`response`] what the client gets then
//! 2. [`path`] and [`host_name`] what is matched; [`pattern`] by what; [`reading`] as which servers read it;
//!    `percent` how it is encoded
//! 3. [`credentials`] where the token stands; [`token`] what is checked before the signature; [`keys`] and
//!    [`algorithm`] the signature, [`signature_host`] who else may verify it; [`claims`] what is checked after it; [`verify`] these four for one known issuer
//! 4. [`issuer`] whom to trust and how to read his claims; [`identity`] what the upstream is told
//! 5. [`refresh`] when to fetch keys; [`verified_tokens`] what need not be proved twice
//! 6. [`revocations`] what has ended early
//! 7. [`policy`] the document, compiled; [`problem`] what is wrong with one
//! 8. `explain` the same decision in words, for the command line alone
//! 9. [`json`] and [`base64url`] strict readers; `folded` names as servers fold them; `short` lists on the stack; `wide` many bytes at once
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::needless_pass_by_value, reason = "`json!` is best read where it is used"))]

pub mod algorithm;
pub mod base64url;
pub mod claims;
pub mod credentials;
pub mod decide;
pub mod edit;
#[cfg(any(test, feature = "explain"))]
pub mod explain;
#[cfg(test)]
mod fixtures;
mod folded;
pub mod host_name;
pub mod identity;
pub mod issuer;
pub mod json;
pub mod keys;
pub mod path;
pub mod pattern;
mod percent;
pub mod policy;
pub mod problem;
pub mod reading;
pub mod refresh;
pub mod rejection;
pub mod request;
pub(crate) mod requirement;
pub mod response;
pub mod revocations;
mod short;
pub mod signature_host;
pub mod token;
pub mod verified_tokens;
pub mod verify;
mod wide;

pub use decide::{Decision, KeyRing, Verdict};
pub use edit::{Edit, Edits};
pub use policy::Policy;
pub use rejection::Rejection;
pub use request::Request;
pub use response::LocalResponse;
pub use verified_tokens::VerifiedTokens;
