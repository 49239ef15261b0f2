use super::call::{Call, Done};
use crate::status::Status;

/// The highest level: critical.
const MAX_LEVEL: u32 = 5;
/// The level that Envoy logs from on unless told otherwise: info.
const DEFAULT_LEVEL: u32 = 2;

pub(super) fn log(call: &mut Call<'_>, level: u32, text: u32, size: u32) -> Done {
    if level > MAX_LEVEL {
        return Err(Status::BadArgument.into());
    }
    let text = call.read_text(text, size)?;
    call.write_log(level, text);
    Ok(())
}

pub(super) fn get_log_level(call: &mut Call<'_>, level: u32) -> Done {
    Ok(call.write_u32(level, DEFAULT_LEVEL)?)
}
