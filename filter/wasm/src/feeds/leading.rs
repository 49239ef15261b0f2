//! Whether some configuration of this VM asks for a feed that several of them share.

use std::cell::Cell;
use std::rc::Rc;

/// How many of them lead: one, or none.
pub(super) type Leaders = Rc<Cell<usize>>;

/// Whether one configuration leads, as the others see it.
pub(super) struct Leading {
    all: Leaders,
    is_own: bool,
}

impl Leading {
    pub(super) fn among(all: Leaders) -> Self {
        Self { all, is_own: false }
    }

    pub(super) fn set(&mut self, is_own: bool) {
        let others = self.all.get().saturating_sub(usize::from(self.is_own));
        self.all.set(others.saturating_add(usize::from(is_own)));
        self.is_own = is_own;
    }

    pub(super) fn is_any(&self) -> bool {
        self.all.get() > 0
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        self.set(false);
    }
}
