//! The same request again, later, with other keys, for something else: a memory of tokens never changes a verdict.

use std::cell::RefCell;

use bearward_core::decide::Means;
use bearward_core::{Rejection, VerifiedTokens};

use crate::NOW;
use crate::gate::{Gate, Headers, view};

/// How many requests follow the first.
const LENGTH: usize = 2;
/// When they come.
const TIMES: [u64; 8] = [NOW, NOW + 1, NOW + 299, NOW + 600, NOW + 630, NOW + 901, NOW - 1_000, u64::MAX];
/// Times in their order.
const LATER: [u64; 6] = [NOW + 1, NOW + 300, NOW + 600, NOW + 930, NOW + 1_000_000, u64::MAX];

impl Gate {
    /// A few requests after this one, whose token is known. Which ones it is that follow, the request says.
    pub(super) fn check_sequence(&self, known: &RefCell<VerifiedTokens>, headers: &[(Vec<u8>, Vec<u8>)]) {
        let mut choice = hash(headers);
        let mut choose = |count: usize| {
            let chosen = choice % count as u64;
            choice /= count as u64;
            usize::try_from(chosen).expect("less than a count")
        };
        for _ in 0..LENGTH {
            let [own, others @ ..] =
                [&self.keys, &self.later_keys[0], &self.later_keys[1], &self.later_keys[2]];
            let keys = match choose(8) {
                other @ 0..3 => others[other],
                _ => own,
            };
            let now = TIMES[choose(TIMES.len())];
            let headers = match choose(self.places.len() + 1).checked_sub(1) {
                None => headers.to_vec(),
                Some(place) => elsewhere(headers, &self.places[place]),
            };
            let request = view(&headers);
            let judge = |known| self.policy.decide_by(&request, Means { known, ..Means::new(keys, now) });
            assert_eq!(judge(Some(known)), judge(None), "at {now} after others");
        }
    }

    /// What has expired stays so, and there is a time at which everything has.
    ///
    /// # Panics
    /// If it is not so.
    pub fn check_times(&self, known: &RefCell<VerifiedTokens>, headers: &[(Vec<u8>, Vec<u8>)]) {
        let mut at = NOW;
        let mut last = self.decide_knowing(known, headers);
        // It had one, unless the request came to nothing before its token was looked at.
        let had_token = last.issuer.is_some() && last.rejection().is_none();
        for now in LATER {
            let request = view(headers);
            let means = Means { known: Some(known), ..Means::new(&self.keys, now) };
            let verdict = self.policy.decide_by(&request, means);
            if last.rejection() == Some(Rejection::TokenExpired) {
                assert_eq!(verdict, last, "expired at {at}, but not at {now}");
            }
            (at, last) = (now, verdict);
        }
        if had_token {
            assert_eq!(last.rejection(), Some(Rejection::TokenExpired), "no token is eternal");
        }
    }
}

/// What comes with the request, for another path, also by another method and at another host.
fn elsewhere(headers: &[(Vec<u8>, Vec<u8>)], place: &Headers) -> Headers {
    let rest = headers.iter().filter(|(name, _)| !name.starts_with(b":")).cloned();
    place.iter().cloned().chain(rest).collect()
}

/// FNV-1a: the same request, the same choice.
fn hash(headers: &[(Vec<u8>, Vec<u8>)]) -> u64 {
    let bytes = headers.iter().flat_map(|(name, value)| name.iter().chain(value));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
