//! As much of the protobuf wire format as `verify_signature` needs: length-delimited fields in, two fields out.

/// The last value of each length-delimited field, by its number up to `N`; `None` where the bytes are no message.
pub(super) fn fields<const N: usize>(mut bytes: &[u8]) -> Option<[&[u8]; N]> {
    let mut fields = [[].as_slice(); N];
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let number = usize::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
        match tag & 7 {
            0 => {
                varint(&mut bytes)?;
            }
            1 => take(&mut bytes, 8).map(|_| ())?,
            2 => {
                let size = usize::try_from(varint(&mut bytes)?).ok()?;
                let value = take(&mut bytes, size)?;
                if let Some(field) = fields.get_mut(number - 1) {
                    *field = value;
                }
            }
            5 => take(&mut bytes, 4).map(|_| ())?,
            _ => return None,
        }
    }
    Some(fields)
}

/// `bool result = 1; string error = 2;`, what is default left out.
pub(super) fn result(good: bool, error: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    if good {
        bytes.extend([0x08, 1]);
    }
    if let Ok(size) = u8::try_from(error.len())
        && (1..0x80).contains(&size)
    {
        bytes.extend([0x12, size]);
        bytes.extend(error.as_bytes());
    }
    bytes
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?.first().copied()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take<'b>(bytes: &mut &'b [u8], size: usize) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(size)?;
    *bytes = rest;
    Some(taken)
}
