//! The adapter between Envoy and the core. It holds no decision: it reads what the core needs, asks, and obeys.
//!
//! In reading order: [`stream`] a request's callbacks, [`plugin`] one configuration and its keys, [`key_fetch`] the
//! JWK Sets, [`feeds`] and [`deny_lists`] what has ended early, [`answer`], [`shared`] and [`lease`] what they get from the host, [`waiting`] who waits for them, [`refusal`] what refused clients get, [`metrics`] what is counted, [`signatures`] Envoy's own cryptography, [`pairs`] header maps as the ABI serializes them, [`host`] every
//! hostcall and the only `unsafe`.

mod answer;
mod deny_lists;
mod feeds;
mod host;
mod key_fetch;
mod lease;
mod metrics;
mod pairs;
mod plugin;
mod refusal;
mod root;
mod shared;
mod signatures;
mod stream;
mod waiting;
