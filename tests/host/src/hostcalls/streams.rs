//! What ends or continues a stream. Envoy does it when the callback has returned.

use super::call::{Call, Done};
use crate::context::Open;
use crate::headers::decode;
use crate::status::Status;
use crate::vm::{Action, LocalReply};

/// The last of gRPC's status codes.
const MAX_GRPC_STATUS: u32 = 16;
const REQUEST: u32 = 0;
const RESPONSE: u32 = 1;
const DOWNSTREAM: u32 = 2;
const UPSTREAM: u32 = 3;

#[allow(clippy::too_many_arguments, reason = "the ABI's")]
pub(super) fn send_local_response(
    call: &mut Call<'_>,
    status: u32,
    details: u32,
    details_size: u32,
    body: u32,
    body_size: u32,
    headers: u32,
    headers_size: u32,
    grpc_status: i32,
) -> Done {
    let details = call.read_text(details, details_size)?;
    let body = call.read(body, body_size)?;
    let headers = decode(&call.read(headers, headers_size)?);
    let reply = LocalReply {
        status,
        // The access log separates its fields by spaces.
        details: details.replace(|letter: char| letter.is_ascii_whitespace(), "_"),
        headers,
        body,
        grpc_status: u32::try_from(grpc_status).ok().filter(|code| *code <= MAX_GRPC_STATUS),
    };
    let context = call.context();
    let state = call.state_mut();
    if state.stream(context).is_some() {
        state.after_call.push(Action::LocalReply { context, reply });
    }
    state.stops_iteration = true;
    Ok(())
}

pub(super) fn continue_stream(call: &mut Call<'_>, stream: u32) -> Done {
    let context = call.context();
    let state = call.state_mut();
    match stream {
        REQUEST | RESPONSE => {
            if let Some(own) = state.stream_mut(context) {
                own.request.open = Open::default();
                state.after_call.push(if stream == REQUEST {
                    Action::ContinueRequest { context }
                } else {
                    Action::ContinueResponse { context }
                });
            }
            Ok(())
        }
        DOWNSTREAM => Ok(()),
        UPSTREAM => Err(Status::Unimplemented.into()),
        _ => Err(Status::BadArgument.into()),
    }
}

pub(super) fn close_stream(call: &mut Call<'_>, stream: u32) -> Done {
    let context = call.context();
    let state = call.state_mut();
    match stream {
        REQUEST | RESPONSE => {
            if state.stream(context).is_some() {
                state.after_call.push(Action::Reset { context });
            }
            Ok(())
        }
        DOWNSTREAM | UPSTREAM => Ok(()),
        _ => Err(Status::BadArgument.into()),
    }
}
