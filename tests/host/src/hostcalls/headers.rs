//! Header maps. Those of the current callback only: Envoy answers for any other as if there were none.

use super::call::{Call, Done};
use crate::headers::{Headers, decode};
use crate::status::Status;

/// The last of the ABI's header maps.
const MAX_MAP: u32 = 7;

/// A map that cannot be reached reads as one without entries.
pub(super) fn get_pairs(call: &mut Call<'_>, map: u32, data: u32, size: u32) -> Done {
    check(map)?;
    let headers = call.state().map(call.context(), map).cloned().unwrap_or_default();
    call.give_headers(&headers, data, size)
}

pub(super) fn set_pairs(call: &mut Call<'_>, map: u32, data: u32, size: u32) -> Done {
    check(map)?;
    let pairs = decode(&call.read(data, size)?);
    changed(call, map)?.set_all(pairs);
    Ok(())
}

/// The first value; a header that is not there is `NotFound`.
pub(super) fn get(call: &mut Call<'_>, map: u32, name: u32, name_size: u32, data: u32, size: u32) -> Done {
    check(map)?;
    let name = call.read(name, name_size)?;
    let context = call.context();
    let Some(headers) = call.state().map(context, map) else {
        let logging = call.state().stream(context).is_some_and(|stream| stream.logging);
        return Err(if logging { Status::NotFound } else { Status::BadArgument }.into());
    };
    let value = headers.get(name).ok_or(Status::NotFound)?.to_vec();
    call.give(&value, data, size)
}

pub(super) fn add(
    call: &mut Call<'_>,
    map: u32,
    name: u32,
    name_size: u32,
    value: u32,
    value_size: u32,
) -> Done {
    check(map)?;
    let (name, value) = (call.read(name, name_size)?, call.read(value, value_size)?);
    changed(call, map)?.add(name, value);
    Ok(())
}

pub(super) fn replace(
    call: &mut Call<'_>,
    map: u32,
    name: u32,
    name_size: u32,
    value: u32,
    value_size: u32,
) -> Done {
    check(map)?;
    let (name, value) = (call.read(name, name_size)?, call.read(value, value_size)?);
    changed(call, map)?.replace(name, value);
    Ok(())
}

/// Removing what is not there is fine.
pub(super) fn remove(call: &mut Call<'_>, map: u32, name: u32, name_size: u32) -> Done {
    check(map)?;
    let name = call.read(name, name_size)?;
    changed(call, map)?.remove(name);
    Ok(())
}

/// All names and values together, in bytes.
pub(super) fn get_size(call: &mut Call<'_>, map: u32, size: u32) -> Done {
    check(map)?;
    let bytes = changed(call, map)?.byte_size();
    Ok(call.write_u32(size, u32::try_from(bytes).unwrap_or(u32::MAX))?)
}

fn check(map: u32) -> Result<(), Status> {
    if map > MAX_MAP { Err(Status::BadArgument) } else { Ok(()) }
}

fn changed<'c>(call: &'c mut Call<'_>, map: u32) -> Result<&'c mut Headers, Status> {
    let context = call.context();
    call.state_mut().map_mut(context, map).ok_or(Status::BadArgument)
}
