//! So many attempts in so long.

use std::num::NonZeroU32;

/// The most attempts of a limit.
const MAX_ATTEMPTS: u32 = 1_000_000;
/// The longest window, in seconds.
const MAX_SECONDS: u32 = 86_400;

/// So many at once, and then as many in each such time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) attempts: NonZeroU32,
    pub(crate) seconds: NonZeroU32,
}

impl Limit {
    /// `10/900` is ten attempts in 900 seconds; `off` is no limit.
    ///
    /// # Errors
    /// What it must look like.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, String> {
        if text == "off" {
            return Ok(None);
        }
        let number = |text: &str, most: u32| {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<NonZeroU32>().ok().filter(|number| is_plain && number.get() <= most)
        };
        let parts = text.split_once('/');
        let limit = parts.and_then(|(attempts, seconds)| {
            Some(Self { attempts: number(attempts, MAX_ATTEMPTS)?, seconds: number(seconds, MAX_SECONDS)? })
        });
        limit.map(Some).ok_or_else(|| {
            format!(
                "must be ATTEMPTS/SECONDS, for example 10/900, with 1 to {MAX_ATTEMPTS} attempts and 1 to \
                 {MAX_SECONDS} seconds, or off"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_attempts_and_seconds_or_off() {
        let limit = Limit::parse("10/900").unwrap().unwrap();
        assert_eq!((limit.attempts.get(), limit.seconds.get()), (10, 900));
        assert_eq!(Limit::parse("off"), Ok(None));
        for wrong in [
            "",
            "10",
            "0/900",
            "10/0",
            "10/86401",
            "1000001/1",
            "+1/60",
            "1/60/1",
            "-1/60",
            "10 / 900",
            "OFF",
        ] {
            assert!(Limit::parse(wrong).unwrap_err().contains("10/900"), "{wrong}");
        }
    }
}
