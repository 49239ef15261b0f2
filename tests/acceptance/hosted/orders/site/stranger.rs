//! Somebody else under the same `vm_id`, who writes a chain of his own to what the workers share.

use bearward_core::revocations::Standing;
use bearward_core::revocations::chain::{ChainEnd, Head};

use super::{Event, HONEST, STEP, Site, millis};
use crate::hosted::orders::PROMISED;

/// The `vm_id`, and how the key of the head ends.
const VM_ID: &str = "bearward";
const HEAD: &str = ".head";

impl Site {
    /// Nobody believes what he says of who is honest, and the leader puts a chain of the issuer in its place.
    pub(super) fn withstand_a_stranger(&mut self) {
        let (prefix, shared) = self.shared_head();
        let (page, mut position) = {
            let log = self.log.borrow();
            (log.forged(HONEST, millis(self.world.now())), log.head())
        };
        position.sequence += 1;
        let standing = Standing { position, as_of: millis(self.world.now()) };
        let end = ChainEnd {
            standing,
            pages: 1,
            deltas: 0,
            has_beat: false,
            page_bytes: u64::try_from(page.len()).unwrap(),
            delta_bytes: 0,
        };
        let forged = Head { chain: shared.chain + 1, renews: None, end: Some(end) };
        let key = format!("{prefix}.{}.page.0", forged.chain % 2);
        self.world.set_shared_data(VM_ID, key.as_bytes(), page.as_bytes());
        self.world.set_shared_data(VM_ID, format!("{prefix}{HEAD}").as_bytes(), &forged.to_bytes());
        for _ in 0..10 {
            self.step();
            let verdicts = self.check();
            assert!(self.are_well(&verdicts), "{:?}: a stranger is believed: {verdicts:?}", self.order);
        }
        self.change(Event::Revoke);
        self.well_within(PROMISED);
        self.pass(10 * STEP);
        self.agree();
    }

    /// What the keys begin with, and the head.
    pub(super) fn shared_head(&self) -> (String, Head) {
        let is_head = |key: &str| key.starts_with("bearward.feed.") && key.ends_with(HEAD);
        let (key, head) = self
            .world
            .shared_data(VM_ID)
            .into_iter()
            .map(|(key, value)| (String::from_utf8(key).unwrap(), value))
            .find(|(key, _)| is_head(key))
            .unwrap();
        (key.strip_suffix(HEAD).unwrap().to_owned(), Head::parse(&head).unwrap())
    }
}
