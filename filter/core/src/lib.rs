//! Bearward's decision, as a pure function: bytes and the time in, a `Decision` out.
//!
//! No host, no clock, no global, no environment. In reading order:
//!
//! 1. [`rejection`] every way to be refused: the table; [`response`] what the client gets then
//! 2. [`json`] strict JSON; [`base64url`] strict base64url
//! 3. [`algorithm`] signatures; [`keys`] JWK Sets, read once
//! 4. [`credentials`] where the token stands; [`token`] what is checked before the signature
//! 5. [`issuer`] whom to trust and how to read his claims; [`claims`] what is checked after the signature
//! 6. [`verify`] the four above in their order
#![forbid(unsafe_code)]

pub mod algorithm;
pub mod base64url;
pub mod claims;
pub mod credentials;
pub mod issuer;
pub mod json;
pub mod keys;
pub mod rejection;
pub mod token;
pub mod verify;

pub use rejection::Rejection;
