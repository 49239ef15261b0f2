//! Local responses as Envoy writes them.

use crate::headers::Headers;
use crate::outcome::LocalResponse;
use crate::vm::LocalReply;

/// gRPC's code for a proxy that cannot: UNAVAILABLE.
const UNAVAILABLE: u32 = 14;

/// What a client gets while the VM has failed.
pub(super) fn vm_failed() -> LocalReply {
    LocalReply {
        status: 503,
        details: "wasm_fail_stream".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        grpc_status: Some(UNAVAILABLE),
    }
}

/// The response to a request with these headers. A client that speaks gRPC gets 200, and the status in headers.
pub(super) fn local_response(reply: &LocalReply, request: &Headers) -> LocalResponse {
    let grpc = request.get("content-type").is_some_and(is_grpc);
    let mut headers = Headers::of_response();
    headers.add(":status", reply.status.to_string());
    for (name, value) in &reply.headers {
        headers.add(name, value);
    }
    let mut body = reply.body.clone();
    let mut grpc_status = None;
    if grpc {
        let status = reply.grpc_status.unwrap_or_else(|| grpc_status_of(reply.status));
        headers.replace(":status", "200");
        headers.replace("content-type", "application/grpc");
        headers.replace("grpc-status", status.to_string());
        if !body.is_empty() {
            headers.replace("grpc-message", percent_encoded(&body));
        }
        grpc_status = Some(status);
        body.clear();
    } else if !body.is_empty() {
        headers.replace("content-length", body.len().to_string());
        if headers.get("content-type").is_none() {
            headers.add("content-type", "text/plain");
        }
    }
    if request.get(":method") == Some(b"HEAD") {
        body.clear();
    }
    let status = headers.text(":status").and_then(|status| status.parse().ok()).unwrap_or(0);
    LocalResponse {
        status,
        headers,
        body,
        details: reply.details.clone(),
        grpc_status,
        upstream_saw_headers: false,
        filter_state: Vec::new(),
    }
}

/// `application/grpc`, alone or with what `+` or `;` adds.
fn is_grpc(content_type: &[u8]) -> bool {
    let rest = content_type.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+") || rest.starts_with(b";"))
}

/// gRPC's own mapping of HTTP's status codes.
fn grpc_status_of(status: u32) -> u32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => UNAVAILABLE,
        _ => 2,
    }
}

/// gRPC's encoding of messages: what is not visible ASCII, and `%` itself.
fn percent_encoded(text: &[u8]) -> String {
    let encode = |byte: &u8| match byte {
        b'%' => "%25".to_owned(),
        b' '..=b'~' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.iter().map(encode).collect()
}
