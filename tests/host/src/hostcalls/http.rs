//! HTTP calls. They always belong to the root context, also when a stream's callback makes them.

use super::call::{Call, Done};
use crate::cluster::CallRequest;
use crate::headers::{Headers, decode};
use crate::shared::Event;
use crate::status::Status;

/// The lowest bits of a token say what kind of call it is; those of HTTP are 0.
const TOKEN_STEP: u32 = 4;

#[allow(clippy::too_many_arguments, reason = "the ABI's")]
pub(super) fn call(
    call: &mut Call<'_>,
    cluster: u32,
    cluster_size: u32,
    headers: u32,
    headers_size: u32,
    body: u32,
    body_size: u32,
    trailers: u32,
    trailers_size: u32,
    timeout_ms: u32,
    token: u32,
) -> Done {
    let cluster = call.read_text(cluster, cluster_size)?;
    let body = call.read(body, body_size)?;
    let pairs = decode(&call.read(headers, headers_size)?);
    let trailing_pairs = decode(&call.read(trailers, trailers_size)?);
    // Envoy writes it before it looks at anything, to see that it can be written.
    call.write_u32(token, 0)?;
    if i32::try_from(timeout_ms).is_err() || !call.state().shared.borrow().clusters.contains_key(&cluster) {
        return Err(Status::BadArgument.into());
    }
    let mut headers = Headers::of_request();
    headers.set_all(pairs);
    if [":path", ":method", ":authority"].iter().any(|name| headers.get(name).is_none()) {
        return Err(Status::BadArgument.into());
    }
    if !body.is_empty() {
        headers.replace("content-length", body.len().to_string());
    }
    let mut trailers = Headers::of_trailers();
    trailers.set_all(trailing_pairs);
    let timeout_ms = Some(u64::from(timeout_ms)).filter(|timeout| *timeout > 0);
    let request = CallRequest { cluster, headers, body, trailers, timeout_ms };
    let number = send(call, request);
    Ok(call.write_u32(token, number)?)
}

fn send(call: &mut Call<'_>, request: CallRequest) -> u32 {
    let context = call.root_context();
    let state = call.state_mut();
    let token = state.next_call;
    state.next_call += TOKEN_STEP;
    if let Some(root) = state.root_mut(context) {
        root.calls.push(token);
    }
    let mut shared = state.shared.borrow_mut();
    let now = shared.now_ns;
    shared.due.at(now, Event::Call { vm: state.number, context, token, request });
    token
}
