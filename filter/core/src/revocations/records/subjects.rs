//! Records of users, of which several may have to be held for one.
//!
//! A record concerns tokens with `user_version` < minimum **and** epoch <= its own: a quarter of the plane of versions and
//! epochs. Of two in one epoch the one with the greater minimum covers the other, and rule 6 of the model is all there is to
//! it. After a fork versions begin again from an earlier one: the record of the log that was lost may say minimum 7 in
//! epoch 1, and the one after it minimum 6 in epoch 2. Neither covers the other. To keep the greater minimum alone would let
//! version 5 of epoch 2 live; to join them to minimum 7 in epoch 2 would refuse the user's new tokens of version 6. So a
//! record goes only where another has at least its minimum *and* at least its epoch; the rest stand side by side. What is
//! held concerns exactly the tokens that the records concern, in whatever order they come.
//!
//! The one that stays takes the later end of the two: after its own end nothing that it concerns is accepted by anybody, so
//! to refuse it longer refuses nobody.

use bearward_protocol::revocations::SubjectReason;

use super::{Cursor, Name, Named, RevocableToken, Swept};

/// One record of a user, in three words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    minimum: u64,
    epoch: u64,
    /// The end in seconds since the epoch, and in the highest bit whether the user is gone.
    end: u64,
}

/// Greater than any end that an answer may name.
const GONE: u64 = 1 << 63;

impl Pair {
    pub(super) fn new(minimum: u64, epoch: u64, reason: SubjectReason, ends_at: u64) -> Self {
        let gone = if reason == SubjectReason::Gone { GONE } else { 0 };
        Self { minimum, epoch, end: (ends_at & !GONE) | gone }
    }

    const fn ends_at(self) -> u64 {
        self.end & !GONE
    }

    const fn reason(self) -> SubjectReason {
        if self.end & GONE == 0 { SubjectReason::Changed } else { SubjectReason::Gone }
    }

    fn concerns(self, token: &RevocableToken<'_>, now: u64) -> bool {
        token.user_version < self.minimum && token.epoch <= self.epoch && now < self.ends_at()
    }

    const fn covers(self, other: Self) -> bool {
        self.minimum >= other.minimum && self.epoch >= other.epoch
    }

    /// Stands for one that it covers, too.
    fn stand_for(&mut self, other: Self) {
        let is_same = self.minimum == other.minimum && self.epoch == other.epoch;
        let gone = if is_same { (self.end | other.end) & GONE } else { self.end & GONE };
        self.end = self.ends_at().max(other.ends_at()) | gone;
    }
}

/// All users' records.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    /// One for each user.
    first: Named<Pair>,
    /// The others of those users who have several: as a rule nobody.
    further: Named<Vec<Pair>>,
    swept: Cursor,
}

impl Subjects {
    /// The minimum and the reason of the record with the greatest minimum among those that concern the token.
    pub(super) fn concerning(&self, token: &RevocableToken<'_>, now: u64) -> Option<(u64, SubjectReason)> {
        let first = self.first.get(token.sub);
        let further = if self.further.len() > 0 { self.further.get(token.sub) } else { None };
        let pairs = first.into_iter().chain(further.into_iter().flatten());
        let concerning = pairs.filter(|pair| pair.concerns(token, now));
        concerning.max_by_key(|pair| pair.minimum).map(|pair| (pair.minimum, pair.reason()))
    }

    /// How many bytes it took beyond an entry.
    pub(super) fn merge(&mut self, name: Name, mut new: Pair) -> usize {
        let Some(first) = self.first.get_mut(&name) else {
            let extra = name.extra_bytes();
            self.first.insert(name, new);
            return extra;
        };
        if let Some(further) = self.further.get_mut(&name) {
            let mut all = std::iter::once(&mut *first).chain(further.iter_mut());
            if let Some(covering) = all.find(|held| held.covers(new)) {
                covering.stand_for(new);
                return 0;
            }
            further.retain(|held| {
                let is_covered = new.covers(*held);
                if is_covered {
                    new.stand_for(*held);
                }
                !is_covered
            });
            if new.covers(*first) {
                new.stand_for(*first);
                *first = new;
                return 0;
            }
            further.push(new);
            return 0;
        }
        if first.covers(new) {
            first.stand_for(new);
        } else if new.covers(*first) {
            new.stand_for(*first);
            *first = new;
        } else {
            let extra = name.extra_bytes();
            self.further.insert(name, vec![new]);
            return extra;
        }
        0
    }

    /// As [`Named::sweep`], of each of the two.
    pub(super) fn sweep(&mut self, cursor: &mut Cursor, most: usize, now: u64) -> Swept {
        let swept = self.first.sweep(cursor, most, |pair| pair.ends_at() <= now);
        if self.further.len() == 0 {
            return swept;
        }
        let all_ended = |pairs: &Vec<Pair>| pairs.iter().all(|pair| pair.ends_at() <= now);
        let further = self.further.sweep(&mut self.swept, most, all_ended);
        swept.and(further)
    }

    pub(super) fn len(&self) -> usize {
        self.first.len().saturating_add(self.further.len())
    }
}
