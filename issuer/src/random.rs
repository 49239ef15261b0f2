//! Random bytes from the operating system.

/// Fills an array with random bytes.
///
/// # Errors
/// The operating system has none; on the platforms that we serve that happens at most before it is fully up.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A random identifier (RFC 9562 version 4): says nothing of when or where it was made.
///
/// # Errors
/// As [`bytes`].
pub(crate) fn uuid() -> Result<uuid::Uuid, getrandom::Error> {
    Ok(uuid::Builder::from_random_bytes(bytes()?).into_uuid())
}

/// A random number for names of temporary things.
#[cfg(test)]
pub(crate) fn u64() -> u64 {
    u64::from_le_bytes(bytes().unwrap())
}
