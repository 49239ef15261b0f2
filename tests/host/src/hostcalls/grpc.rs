//! gRPC calls, as far as they fail: nobody here needs one that succeeds.

use super::call::{Call, Done};
use crate::status::Status;

/// Which kind of call a token belongs to stands in its lowest bits.
const KIND_MASK: u32 = 3;
const CALL: u32 = 1;
const STREAM: u32 = 2;

#[allow(clippy::too_many_arguments, reason = "the ABI's")]
pub(super) fn call(
    call: &mut Call<'_>,
    service: u32,
    service_size: u32,
    _name: u32,
    _name_size: u32,
    _method: u32,
    _method_size: u32,
    _metadata: u32,
    _metadata_size: u32,
    _request: u32,
    _request_size: u32,
    _timeout_ms: u32,
    _token: u32,
) -> Done {
    start(call, service, service_size)
}

#[allow(clippy::too_many_arguments, reason = "the ABI's")]
pub(super) fn stream(
    call: &mut Call<'_>,
    service: u32,
    service_size: u32,
    _name: u32,
    _name_size: u32,
    _method: u32,
    _method_size: u32,
    _metadata: u32,
    _metadata_size: u32,
    _token: u32,
) -> Done {
    start(call, service, service_size)
}

pub(super) fn send(_: &mut Call<'_>, token: u32, _message: u32, _message_size: u32, _end: u32) -> Done {
    Err(if token & KIND_MASK == STREAM { Status::NotFound } else { Status::BadArgument }.into())
}

pub(super) fn close(_: &mut Call<'_>, token: u32) -> Done {
    Err(if matches!(token & KIND_MASK, CALL | STREAM) { Status::NotFound } else { Status::BadArgument }
        .into())
}

pub(super) fn cancel(call: &mut Call<'_>, token: u32) -> Done {
    close(call, token)
}

/// The service is a cluster's name here, or a serialized `GrpcService`, which this host does not read.
#[allow(clippy::panic, reason = "an answer made up here would be worse than a failed test")]
fn start(call: &mut Call<'_>, service: u32, service_size: u32) -> Done {
    let service = call.read_text(service, service_size)?;
    if call.state().shared.borrow().clusters.contains_key(&service) {
        panic!("this host does not model gRPC calls that can succeed: one was sent to `{service}`");
    }
    Err(Status::ParseFailure.into())
}
