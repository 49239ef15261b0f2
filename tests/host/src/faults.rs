//! Faults, played by index.

/// The n-th hostcall answers a status and does nothing else, once.
#[derive(Clone, Debug)]
pub struct Fault {
    name: Option<String>,
    after: usize,
    status: u32,
}

impl Fault {
    /// The `index`-th hostcall from now on, counted from 0 over all of them.
    #[must_use]
    pub fn nth(index: usize, status: u32) -> Self {
        Self { name: None, after: index, status }
    }

    /// The `index`-th call from now on of the hostcall of that name, counted from 0.
    #[must_use]
    pub fn nth_of(name: &str, index: usize, status: u32) -> Self {
        Self { name: Some(name.to_owned()), after: index, status }
    }
}

/// The faults that were not played yet.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn arm(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Faults that never came to their hostcall.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn disarm(&mut self) {
        self.0.clear();
    }

    /// Counts a hostcall; the status of the fault whose turn it is.
    pub(crate) fn count(&mut self, name: &str) -> Option<u32> {
        let mut due = None;
        for (at, fault) in self.0.iter_mut().enumerate() {
            if fault.name.as_deref().is_none_or(|own| own == name) {
                match fault.after.checked_sub(1) {
                    Some(left) => fault.after = left,
                    None => due = Some(at),
                }
            }
        }
        due.map(|at| self.0.remove(at).status)
    }
}
