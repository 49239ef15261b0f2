//! Foreign functions by name.

use super::call::{Call, Done};
use crate::foreign::Foreign;
use crate::status::Status;

pub(super) fn call_function(
    call: &mut Call<'_>,
    name: u32,
    name_size: u32,
    arguments: u32,
    arguments_size: u32,
    data: u32,
    size: u32,
) -> Done {
    let name = call.read_text(name, name_size)?;
    let arguments = call.read(arguments, arguments_size)?;
    let function = call.state().shared.borrow().foreign.find(&name).ok_or(Status::NotFound)?;
    // What a function that refuses returns is no bytes at all.
    let (status, result) = match function {
        Foreign::VerifySignature => match crate::foreign::verify_signature(&arguments) {
            Ok(result) => (Ok(()), result),
            Err(status) => (Err(status.into()), Vec::new()),
        },
    };
    if data != 0 {
        let address = if result.is_empty() {
            0
        } else {
            call.allocate(u32::try_from(result.len()).map_err(|_| Status::InvalidMemoryAccess)?)?
        };
        call.write(address, &result)?;
        call.write_u32(data, address)?;
    }
    if size != 0 {
        call.write_u32(size, u32::try_from(result.len()).unwrap_or(u32::MAX))?;
    }
    status
}
