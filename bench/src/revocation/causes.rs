use serde_json::Value;
use xtask::error::Error;

use super::{distribution, milliseconds};
use crate::report::Distribution;
use crate::statistics::Latencies;

/// Every cause: its name in a sample, and for people.
pub(super) const CAUSES: [(&str, &str); 13] = [
    ("logout_this", "logout of this session"),
    ("logout_others", "logout of the others"),
    ("logout_all", "logout everywhere"),
    ("session_in_the_list", "a session ended in the list"),
    ("password_change", "password change"),
    ("role_change", "role change"),
    ("disable", "disable"),
    ("enable_again", "enable again (refused all along)"),
    ("delete", "delete"),
    ("admin_session", "administrator: a session"),
    ("admin_subject", "administrator: a subject"),
    ("admin_key", "administrator: the key that signs"),
    ("admin_all", "administrator: everything"),
];

/// Samples, by their causes.
pub(super) struct Causes {
    /// Until every worker refused, in the order of [`CAUSES`].
    everywhere: Vec<Latencies>,
    /// Until one of them did.
    first: Latencies,
    all: Latencies,
    /// Until tokens of a new key passed.
    again: Latencies,
    histogram: Vec<f64>,
    logins: u32,
    in_same_second: u32,
}

impl Causes {
    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self {
            everywhere: CAUSES.iter().map(|_| Latencies::new()).collect::<Result<_, _>>()?,
            first: Latencies::new()?,
            all: Latencies::new()?,
            again: Latencies::new()?,
            histogram: Vec::new(),
            logins: 0,
            in_same_second: 0,
        })
    }

    /// `None` for what is no sample.
    pub(super) fn add(&mut self, sample: &Value) -> Option<()> {
        let cause = sample.get("cause")?.as_str()?;
        let place = CAUSES.iter().position(|(key, _)| *key == cause)?;
        let at_each = sample.get("at_each_ms")?.as_array()?;
        let at_each: Vec<_> = at_each.iter().map(milliseconds).collect::<Option<_>>()?;
        let (first, last) = (*at_each.iter().min()?, *at_each.iter().max()?);
        self.everywhere.get_mut(place)?.record(last);
        self.all.record(last);
        self.first.record(first);
        // What was refused all along says nothing of how fast.
        if cause != "enable_again" {
            self.histogram.push(last.as_secs_f64() * 1_000.0);
        }
        if let Some(again) = sample.get("again_after_ms").and_then(milliseconds) {
            self.again.record(again);
        }
        if let Some(is_same) = sample.get("is_same_second").and_then(Value::as_bool) {
            self.logins += 1;
            self.in_same_second += u32::from(is_same);
        }
        Some(())
    }

    pub(super) fn count(&self) -> usize {
        usize::try_from(self.all.count()).unwrap_or(usize::MAX)
    }

    pub(super) fn everywhere(&self) -> impl Iterator<Item = &Latencies> {
        self.everywhere.iter()
    }

    pub(super) fn all(&self) -> &Latencies {
        &self.all
    }

    /// Milliseconds until every worker refused, of every cause that made one refuse.
    pub(super) fn histogram(&self) -> &[f64] {
        &self.histogram
    }

    pub(super) fn share_of_same_second(&self) -> f64 {
        100.0 * f64::from(self.in_same_second) / f64::from(self.logins.max(1))
    }

    pub(super) fn into_distributions(self) -> Vec<Distribution> {
        let of_causes = CAUSES.iter().zip(self.everywhere);
        of_causes
            .map(|((key, title), latencies)| distribution(key, title, latencies))
            .chain([
                distribution("all", "all of these", self.all),
                distribution("first", "of it: until the first worker refused", self.first),
                distribution(
                    "again",
                    "a revoked key: until tokens of the next one passed everywhere",
                    self.again,
                ),
            ])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sample_counts_with_the_slower_worker() {
        let mut causes = Causes::new().unwrap();
        let sample = |cause: &str, same: Value| json!({ "cause": cause, "at_each_ms": [3.0, 21.0], "is_same_second": same });
        for (cause, same) in
            [("logout_this", json!(true)), ("delete", Value::Null), ("enable_again", json!(false))]
        {
            causes.add(&sample(cause, same)).unwrap();
        }
        assert!((causes.everywhere[0].quantile_ms(0.5) - 21.0).abs() < 0.1);
        assert!((causes.first.quantile_ms(0.5) - 3.0).abs() < 0.1);
        assert_eq!((causes.count(), causes.histogram().len()), (3, 2));
        assert_eq!(causes.share_of_same_second(), 50.0);
    }

    #[test]
    fn what_is_no_sample_is_refused() {
        let mut causes = Causes::new().unwrap();
        for other in [
            json!({}),
            json!({ "cause": "x", "at_each_ms": [1.0] }),
            json!({ "cause": "delete", "at_each_ms": [] }),
        ] {
            assert!(causes.add(&other).is_none(), "{other}");
        }
    }
}
