//! The adapter between Envoy and the core. It holds no decision: it reads what the core needs, asks, and obeys.
//!
//! In reading order: [`stream`] a request's callbacks, [`plugin`] one configuration and its keys, [`key_fetch`] the
//! JWK Sets, [`feeds`] what has ended early, [`answer`] and [`shared`] what both get from the host, [`waiting`] who waits for them, [`metrics`] what is counted, [`signatures`] Envoy's own cryptography, [`pairs`] header maps as the ABI serializes them, [`host`] every
//! hostcall and the only `unsafe`.

mod answer;
mod feeds;
mod host;
mod key_fetch;
mod metrics;
mod pairs;
mod plugin;
mod root;
mod shared;
mod signatures;
mod stream;
mod waiting;
