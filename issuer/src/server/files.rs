//! How many files this process may have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit to what is needed, as far as the hard limit allows, and says what it is then. `None`: there is none.
pub(crate) fn raise(needed: u64) -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current?;
    let wanted = maximum.map_or(needed, |maximum| needed.min(maximum));
    if wanted <= current {
        return Some(current);
    }
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    Some(if raised.is_ok() { wanted } else { current })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_to_what_is_needed_and_never_lowered() {
        let Some(before) = getrlimit(Resource::Nofile).current else { return };
        assert_eq!(raise(1), Some(before));
        let maximum = getrlimit(Resource::Nofile).maximum;
        let more = maximum.map_or(before + 1, |maximum| maximum.min(before + 1));
        assert_eq!(raise(more), Some(more));
        assert_eq!(getrlimit(Resource::Nofile).current, Some(more));
    }
}
