//! Bearward's issuer: signs users up, logs them in, and signs the tokens that the filter checks.
//!
//! In reading order:
//!
//! 1. [`command`] what can be run; [`settings`] with what
//! 2. [`api`] the public interface; [`internal`] the probes; [`server`] the connections below both
//! 3. [`account`] what is acceptable; [`hashing`] passwords; [`tokens`] and the [`keys`] that sign them, [`refresh`]
//!    tokens, [`password_link`]s; [`throttle`] how often; [`audit`] what happened; [`store`] PostgreSQL
//! 4. [`feed`] what proxies learn of revocations
//! 5. [`purge`] what is over; [`document`], [`log`], [`metrics`] and [`random`]
#![forbid(unsafe_code)]

mod account;
mod api;
mod app;
mod audit;
mod command;
mod document;
mod feed;
mod hashing;
mod internal;
mod keys;
mod log;
mod metrics;
mod password_link;
mod purge;
mod random;
mod refresh;
mod server;
mod settings;
mod store;
mod throttle;
mod tokens;

pub use command::run;
