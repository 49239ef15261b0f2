//! Numbers that look like chance, and are the same in every run: the order of variants, and which rounds are drawn again.

/// Marsaglia's xorshift with 64 bits (Journal of Statistical Software 8 (14), 2003). Nothing here needs to be unpredictable.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Less than the bound; 0 where that is 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.0 % bound).unwrap_or_default()
    }

    /// Every order with the same chance (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_comes_first_about_as_often() {
        let mut chance = Chance::new(7);
        let mut firsts = [0; 5];
        for _ in 0..5_000 {
            let mut order = [0, 1, 2, 3, 4];
            chance.shuffle(&mut order);
            firsts[order[0]] += 1;
        }
        assert!(firsts.iter().all(|count| (800..1_200).contains(count)), "{firsts:?}");
    }
}
