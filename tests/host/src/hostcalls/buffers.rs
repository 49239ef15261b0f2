//! Buffers: configurations and bodies.

use super::call::{Call, Done};
use crate::context::Message;
use crate::status::Status;

/// The last of the ABI's buffers.
const MAX_BUFFER: u32 = 8;

/// At most `length` bytes from `start` on; less, or none at all, where the buffer ends before.
pub(super) fn get(call: &mut Call<'_>, buffer: u32, start: u32, length: u32, data: u32, size: u32) -> Done {
    let bytes = content(call, buffer)?;
    let start = index(start).min(bytes.len());
    let end = start.saturating_add(index(length)).min(bytes.len());
    call.give(bytes.get(start..end).unwrap_or_default(), data, size)
}

pub(super) fn get_status(call: &mut Call<'_>, buffer: u32, length: u32, flags: u32) -> Done {
    let bytes = content(call, buffer)?;
    call.write_u32(length, u32::try_from(bytes.len()).unwrap_or(u32::MAX))?;
    Ok(call.write_u32(flags, 0)?)
}

/// Of a body the beginning can be replaced, and something appended; nothing can be changed inside.
pub(super) fn set(call: &mut Call<'_>, buffer: u32, start: u32, length: u32, data: u32, size: u32) -> Done {
    let present = content(call, buffer)?.len();
    let bytes = call.read(data, size)?;
    let context = call.context();
    let body = match (buffer, call.state_mut().stream_mut(context)) {
        (0, Some(stream)) => Some(&mut stream.request),
        (1, Some(stream)) => stream.response.as_mut(),
        _ => None,
    };
    let body = body.filter(|message| message.open.body).ok_or(Status::BadArgument)?;
    let (start, length) = (index(start), index(length));
    if start == 0 {
        let replaced = body.gone..body.gone + length.min(present);
        body.body.splice(replaced, bytes);
    } else if start >= present {
        body.body.extend(bytes);
    } else {
        return Err(Status::BadArgument.into());
    }
    Ok(())
}

/// The bytes of a buffer; a body that cannot be reached now is empty, a configuration is not there.
fn content(call: &Call<'_>, buffer: u32) -> Result<Vec<u8>, Status> {
    if buffer > MAX_BUFFER {
        return Err(Status::BadArgument);
    }
    let (state, context) = (call.state(), call.context());
    let body = |message: Option<&Message>| {
        message
            .filter(|message| message.open.body)
            .map(|message| message.piece().to_vec())
            .unwrap_or_default()
    };
    Ok(match buffer {
        0 => body(state.stream(context).map(|stream| &stream.request)),
        1 => body(state.stream(context).and_then(|stream| stream.response.as_ref())),
        4 => {
            let root = state.root(state.root_of(context)).ok_or(Status::NotFound)?;
            root.response.as_ref().ok_or(Status::NotFound)?.body.clone()
        }
        6 => state.configuration.configuration.clone(),
        7 => {
            let root = state.root(context).filter(|root| root.configuring).ok_or(Status::NotFound)?;
            root.plugin.configuration.clone()
        }
        _ => Vec::new(),
    })
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
