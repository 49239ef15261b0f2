//! What is compared.

mod bodies;
mod calls;
mod configuration;
mod contexts;
mod failures;
mod headers;
mod replies;
mod restricted;
mod shared;
mod values;

use super::script::Scenario;

/// All scenarios. Each is a plugin with a VM of its own.
pub(super) fn all() -> Vec<Scenario> {
    [
        configuration::all(),
        headers::all(),
        bodies::all(),
        replies::all(),
        shared::all(),
        values::all(),
        calls::all(),
        contexts::all(),
        restricted::all(),
        failures::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
