//! What the issuer and the filter have agreed upon: shapes, names and bounds, without any I/O.
//!
//! In reading order: [`bounds`] (numbers both sides rely on), [`claims`] (the access token),
//! [`jwk`] (the published verification keys), [`revocations`] (the feed of what has ended early).
#![forbid(unsafe_code)]

pub mod bounds;
pub mod claims;
pub mod jwk;
pub mod revocations;
