//! What Bearward promises, seen through a real Envoy with the module that ships.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic with its message is how a test fails"
)]

mod walk_through;
