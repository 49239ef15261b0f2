//! The demo upstream: a small restaurant with a menu and orders, in memory.
//!
//! It knows nothing of tokens and checks no role. Who the caller is, it believes from `x-user-id` and
//! `x-user-roles`, and it reads them in the most trusting way that servers are known to: see [`environ`]. Whatever
//! gets past the proxy in front of it is therefore seen at once. **Never expose it without one.**
//!
//! | request | answer |
//! |---|---|
//! | `GET /api/menu` | 200 `{"items": [{id, name, price}], "viewer": user id or null}` |
//! | `DELETE /api/menu/{id}` | 200 `{"deleted": {id, name, price}}`, or 404 |
//! | `GET /api/orders` | 200 `{"orders": [{id, userId, items, status}]}`: the caller's, or all for `admin` and `rider` |
//! | `POST /api/orders` `{"items": [menu ids]}` | 201 and the order |
//! | `PATCH /api/orders/{id}/status` `{"status": ...}` | 200 and the order, or 404 |
//! | `GET /healthz` | 200 `{"status": "ok"}` |
//!
//! An error is `{"error": "..."}`. To read the modules: [`settings`], [`environ`], [`api`], [`kitchen`].
#![forbid(unsafe_code)]

mod api;
mod environ;
mod healthcheck;
mod kitchen;
mod serve;
mod settings;

use std::process::ExitCode;

use clap::Parser as _;

use crate::settings::Settings;

fn main() -> ExitCode {
    let settings = Settings::parse();
    let outcome =
        if settings.healthcheck { healthcheck::run(settings.listen) } else { serve::run(&settings) };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bearward-restaurant: {error}");
            ExitCode::FAILURE
        }
    }
}
