//! Header maps as the ABI serializes them: a count, the sizes of every name and value, then their bytes, each ended by
//! a zero. Numbers are 32 bits, little-endian.

use super::Headers;

/// The serialized form. A map without entries is no bytes at all: Envoy hands those over as an empty buffer.
pub(crate) fn encode(headers: &Headers) -> Vec<u8> {
    if headers.is_empty() {
        return Vec::new();
    }
    let mut bytes = Vec::new();
    push(&mut bytes, headers.len());
    for (name, value) in headers.iter() {
        push(&mut bytes, name.len());
        push(&mut bytes, value.len());
    }
    for (name, value) in headers.iter() {
        for part in [name, value] {
            bytes.extend_from_slice(part);
            bytes.push(0);
        }
    }
    bytes
}

/// What a module wrote; nothing at all where the form is broken, as Envoy reads it.
pub(crate) fn decode(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    read(bytes).unwrap_or_default()
}

fn read(bytes: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let (count, rest) = number(bytes)?;
    let (mut sizes, mut data) = rest.split_at_checked(count.checked_mul(8)?)?;
    let mut pairs = Vec::new();
    for _ in 0..count {
        let (name_size, after_name) = number(sizes)?;
        let (value_size, after_value) = number(after_name)?;
        sizes = after_value;
        let (name, after) = terminated(data, name_size)?;
        let (value, after) = terminated(after, value_size)?;
        data = after;
        pairs.push((name.to_vec(), value.to_vec()));
    }
    Some(pairs)
}

fn push(bytes: &mut Vec<u8>, size: usize) {
    bytes.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

fn terminated(bytes: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(size)?;
    let (zero, rest) = rest.split_first()?;
    (*zero == 0).then_some((text, rest))
}
