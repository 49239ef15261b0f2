//! Header maps as the ABI serializes them: a count, then the sizes of every name and value, then the bytes, each
//! ended by a zero byte. All numbers are 32 bits, little-endian.

/// The most headers that are read. Envoy's own limit is 100 unless configured otherwise.
const MAX_HEADERS: usize = 10_000;

/// What a pair takes beside its texts: two sizes, two zero bytes.
const PAIR_BYTES: usize = 10;

/// Names and values in their order; `None` where the form is broken.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let (count, rest) = bytes.split_first_chunk()?;
    let count = size(*count)?;
    if count > MAX_HEADERS {
        return None;
    }
    let (sizes, mut data) = rest.split_at_checked(count * 8)?;
    let mut pairs = Vec::with_capacity(count);
    for [name_size, value_size] in sizes.as_chunks().0.as_chunks().0 {
        let (name, after) = terminated(data, size(*name_size)?)?;
        let (value, after) = terminated(after, size(*value_size)?)?;
        data = after;
        pairs.push((name, value));
    }
    Some(pairs)
}

/// The serialized form of some headers. Sizes beyond 32 bits cannot occur: the module's memory has 32 bits.
pub(crate) fn encode(pairs: &[(&str, &str)]) -> Vec<u8> {
    let sizes = pairs.iter().flat_map(|(name, value)| [PAIR_BYTES, name.len(), value.len()]);
    let mut bytes = Vec::with_capacity(sizes.fold(4, usize::saturating_add));
    let mut push =
        |size: usize| bytes.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
    push(pairs.len());
    for (name, value) in pairs {
        push(name.len());
        push(value.len());
    }
    for (name, value) in pairs {
        for text in [name, value] {
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(0);
        }
    }
    bytes
}

fn size(number: [u8; 4]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(number)).ok()
}

fn terminated(bytes: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(size)?;
    let (zero, rest) = rest.split_first()?;
    (*zero == 0).then_some((text, rest))
}
