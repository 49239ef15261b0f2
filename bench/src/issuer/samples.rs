use std::collections::BTreeMap;

/// What was measured, by the key of its figure, in the order of the rounds.
#[derive(Debug, Default)]
pub(super) struct Samples {
    by_key: BTreeMap<&'static str, Vec<f64>>,
}

impl Samples {
    pub(super) fn push(&mut self, key: &'static str, value: f64) {
        self.by_key.entry(key).or_default().push(value);
    }

    /// Empty where nothing was measured.
    pub(super) fn of(&self, key: &str) -> &[f64] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }
}
