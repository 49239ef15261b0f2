//! Properties: what the proxy knows of a stream, and what modules leave there.

use super::call::{Call, Done};
use crate::status::Status;
use crate::vm::VmState;

/// First parts of paths that Envoy has an answer to, and this host has not: asking for one fails the test.
const NOT_MODELLED: [&str; 13] = [
    "connection",
    "connection_id",
    "destination",
    "filter_state",
    "listener_direction",
    "listener_metadata",
    "metadata",
    "node",
    "response",
    "source",
    "upstream",
    "upstream_filter_state",
    "xds",
];

/// A path is its parts, separated by zero bytes.
pub(super) fn get(call: &mut Call<'_>, path: u32, path_size: u32, data: u32, size: u32) -> Done {
    let path = call.read(path, path_size)?;
    let value = find(call.state(), call.context(), &path)?;
    call.give(&value, data, size)
}

/// Leaves a value in the stream's filter state, under `wasm.` and the whole path.
pub(super) fn set(call: &mut Call<'_>, path: u32, path_size: u32, value: u32, value_size: u32) -> Done {
    let (path, value) = (call.read(path, path_size)?, call.read(value, value_size)?);
    let context = call.context();
    let stream = call.state_mut().stream_mut(context).ok_or(Status::NotFound)?;
    stream.filter_state.insert(path, value);
    Ok(())
}

fn find(state: &VmState, context: u32, path: &[u8]) -> Result<Vec<u8>, Status> {
    if path.is_empty() {
        return Err(Status::SerializationFailure);
    }
    let mut parts = path.split(|byte| *byte == 0);
    let first = parts.next().unwrap_or_default();
    let rest: Vec<_> = parts.collect();
    let plugin = state.root(state.root_of(context)).map(|root| &root.plugin);
    match (first, rest.as_slice()) {
        (b"plugin_name", []) => plugin.map(|plugin| plugin.name.clone().into_bytes()),
        (b"plugin_root_id", []) => Some(plugin.map_or_else(Vec::new, |plugin| plugin.root_id.clone().into())),
        (b"plugin_vm_id", []) => Some(state.configuration.vm_id.clone().into_bytes()),
        (b"request", rest) => request(state, context, rest),
        (first, _) if NOT_MODELLED.iter().any(|name| name.as_bytes() == first) => unmodelled(path),
        (first, []) => state.stream(context).and_then(|stream| stream.filter_state.get(first).cloned()),
        _ => None,
    }
    .ok_or(Status::NotFound)
}

fn request(state: &VmState, context: u32, rest: &[&[u8]]) -> Option<Vec<u8>> {
    let headers = &state.stream(context)?.request.headers;
    let header = |name: &[u8]| headers.get(name).map(<[u8]>::to_vec);
    match rest {
        [b"path"] => header(b":path"),
        [b"url_path"] => {
            header(b":path").map(|path| path.split(|byte| *byte == b'?').next().unwrap_or(&[]).to_vec())
        }
        [b"host"] => header(b":authority"),
        [b"scheme"] => header(b":scheme"),
        [b"method"] => header(b":method"),
        [b"headers", name] => header(name),
        _ => unmodelled(&[b"request".as_slice(), &rest.join(&0)].join(&0)),
    }
}

#[allow(clippy::panic, reason = "an answer made up here would be worse than a failed test")]
fn unmodelled(path: &[u8]) -> ! {
    let path = String::from_utf8_lossy(path).replace('\0', ".");
    panic!("this host does not model the property `{path}`, which Envoy has an answer to");
}
