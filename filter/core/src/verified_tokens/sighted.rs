//! Which tokens came lately and found no room: the hash of each, until another takes its place.

/// How many there are at most: for so many others to come in between, about, a token is still known to come again.
const PLACES: usize = 1024;

/// Eight KiB, once there is one.
#[derive(Debug, Default)]
pub(super) struct Sighted {
    hashes: Vec<u64>,
}

impl Sighted {
    /// Whether a token of this hash came lately; then that is forgotten, so that it must come twice once more. Else it came now.
    pub(super) fn again(&mut self, hash: u64) -> bool {
        if self.hashes.is_empty() {
            self.hashes = vec![0; PLACES];
        }
        let Some(place) = self.hashes.get_mut(hash as usize % PLACES) else { return false };
        let is_there = *place == hash;
        *place = if is_there { 0 } else { hash };
        is_there
    }
}
