//! What the issuer and the filter have agreed upon: shapes, names and bounds, without any I/O.
//!
//! In reading order: [`bounds`] (numbers both sides rely on), [`claims`] (the access token),
//! [`jwk`] (the published verification keys).
#![forbid(unsafe_code)]

pub mod bounds;
pub mod claims;
pub mod jwk;
