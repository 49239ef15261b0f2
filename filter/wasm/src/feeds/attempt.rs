//! Reading shared data in a VM that knows nothing, so that two that trap on it are the last.

use bearward_core::revocations::attempts::{Entry, NONE, enter, leave};

use crate::host::{self, HostError};
use crate::shared::Shared;

/// How often a mark is tried to be written, where other VMs write theirs: then it is done without.
const MAX_TRIES: usize = 4;
/// And to be taken away, since one that stays says that its VM trapped: more often than there are VMs that write theirs meanwhile.
const MAX_TRIES_TO_LEAVE: usize = 1_000;

/// Does what may trap, under the marks of this key. `None`: too many have trapped, and it was not done.
pub(super) fn guarded<T>(key: &str, now_ms: u64, work: impl FnOnce() -> T) -> Result<Option<T>, HostError> {
    let mut own = None;
    for _ in 0..MAX_TRIES {
        let Some(marks) = Shared::read(key)? else {
            host::set_shared_data(key, &NONE)?;
            continue;
        };
        // A host counts its writes: this number is given once.
        let id = marks.number();
        match enter(&marks.bytes, id, now_ms) {
            Entry::GiveUp(bytes) => {
                marks.replace(key, &bytes)?;
                return Ok(None);
            }
            Entry::Enter(bytes) if marks.replace(key, &bytes)? => {
                own = Some(id);
                break;
            }
            Entry::Enter(_) => {}
        }
    }
    let done = work();
    for _ in 0..MAX_TRIES_TO_LEAVE {
        let left = match (own, Shared::read(key)?) {
            (Some(id), Some(marks)) => match leave(&marks.bytes, id) {
                Some(bytes) => marks.replace(key, &bytes)?,
                None => true,
            },
            _ => true,
        };
        if left {
            break;
        }
    }
    Ok(Some(done))
}
