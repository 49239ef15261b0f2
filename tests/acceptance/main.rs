//! What Bearward promises, seen through a real Envoy with the module that ships.
//!
//! In reading order: [`walk_through`] the whole flow; [`tokens`], [`roles`], [`tutorial`],
//! [`user_import`], [`administration`] who gets through; [`revocation`], [`revocation_times`] who does not any more; [`client_addresses`] where the issuer sees them;
//! [`paths`], [`decoders`], [`normalization`], [`hosts`], [`methods`] which rule decides; [`identity_headers`] what the
//! upstream is told; [`revocation`] what ends early, whatever happens meanwhile; [`odd_bytes`], [`keys`], [`key_rotation`], [`issuer_rotation`], [`trap`] what must not
//! bring the gate down; [`verifiers`] who else can verify; [`grpc`], [`access_log`] how a refusal looks; [`observe`] one that is not carried out;
//! [`http2`], [`bodies`], [`websocket`] the same in streams, long ones among them; [`policy_change`] a new policy while
//! it serves; [`stats`] what Envoy counts, [`metrics`] what the filter does; [`signatures`] who verifies;
//! [`configuration`], [`capabilities`], [`module`], [`compose`] what must not be started; [`check`] what is
//! named before Envoy starts; [`bundle`] what is joined; [`token`] what is in a token; [`schema`] what editors know;
//! [`examples`], [`documentation`] and [`standards`] that they are true; [`vectors`] hundreds of requests with the decision that
//! every host must come to; [`wycheproof`] thousands of signatures; [`properties`] what holds whatever policy and request are;
//! [`hosted`] the module without a proxy.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic with its message is how a test fails"
)]

mod access_log;
mod administration;
mod bench;
mod bodies;
mod bundle;
mod capabilities;
mod check;
mod client_addresses;
mod command_line;
mod compose;
mod configuration;
mod decoders;
mod deny_list;
mod documentation;
mod examples;
mod explain;
mod grpc;
mod hosted;
mod hosts;
mod http2;
mod identity_headers;
mod issuer_life;
mod issuer_limits;
mod issuer_rotation;
mod key_rotation;
mod keys;
mod methods;
mod metrics;
mod migrations;
mod module;
mod normalization;
mod observe;
mod odd_bytes;
mod openapi;
mod paths;
mod policy_change;
mod policy_tests;
mod properties;
mod replicas;
mod revocation;
mod revocation_times;
mod roles;
mod schema;
mod secrets;
mod signatures;
mod standards;
mod stats;
mod token;
mod tokens;
mod trap;
mod trouble;
mod tutorial;
mod user_import;
mod vectors;
mod verifiers;
mod walk_through;
mod websocket;
mod wycheproof;
