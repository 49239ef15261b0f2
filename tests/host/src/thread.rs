//! The threads of a proxy.

/// Whose VM. Envoy runs root contexts on its main thread too; requests come to workers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thread {
    /// Where a configuration is checked once, in a VM that is thrown away.
    Canary,
    /// The main thread.
    Main,
    /// A worker, counted from 0.
    Worker(usize),
}
