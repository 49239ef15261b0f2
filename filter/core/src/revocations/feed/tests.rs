use super::*;
use crate::revocations::chain::{head_key, lease_key};
use crate::revocations::fixtures::{Issuer, START, Shared, feed_keys, keys_of, trust};
use crate::revocations::reading::Read;
use crate::revocations::{Concern, RevocableToken};

mod orders;
mod renewal;
mod sharing;

const PREFIX: &str = "bearward.feed.v2.test";
const STALE_AFTER: u64 = 30;

/// A VM as an adapter drives it.
struct Vm {
    feed: Feed,
    keys: KeySet,
}

/// What came of a poll.
#[derive(Debug, PartialEq, Eq)]
enum Polled {
    Page,
    Committed,
    Follow,
    Again,
    Conflict,
    Refused(FeedRefusal),
}

impl Vm {
    fn new() -> Self {
        Self { feed: Feed::new(PREFIX.to_owned(), STALE_AFTER), keys: feed_keys() }
    }

    fn take(&mut self, shared: &mut Shared, answer: &[u8], now: u64) -> Polled {
        let head = shared.get(&head_key(PREFIX)).map(<[u8]>::to_vec);
        match self.feed.take(answer, trust(&self.keys), head.as_deref(), now) {
            Err(refusal) => Polled::Refused(refusal),
            Ok(Taken::Page(key)) => {
                shared.set(&key, answer);
                Polled::Page
            }
            Ok(Taken::Step(step)) => {
                shared.set(step.key(), answer);
                if let Some(copy) = step.copy() {
                    shared.set(copy, answer);
                }
                shared.set(&head_key(PREFIX), &step.head());
                self.feed.commit(*step);
                Polled::Committed
            }
            Ok(Taken::Follow) => Polled::Follow,
            Ok(Taken::Again) => Polled::Again,
        }
    }

    fn poll(&mut self, shared: &mut Shared, issuer: &Issuer) -> Polled {
        match issuer.answer(&self.feed.query(5)) {
            Some(answer) => self.take(shared, &answer, issuer.now),
            None => {
                self.feed.conflict();
                Polled::Conflict
            }
        }
    }

    /// Polls until a whole answer counts.
    fn catch_up(&mut self, shared: &mut Shared, issuer: &Issuer) {
        for _ in 0..50 {
            let polled = self.poll(shared, issuer);
            let is_there = self.feed.standing().is_some_and(|standing| {
                standing.position.sequence == u64::try_from(issuer.log.len()).unwrap()
                    && standing.as_of == issuer.now
            });
            if polled == Polled::Committed && is_there {
                return;
            }
            self.follow(shared, issuer.now).ok();
        }
        panic!("never there: {:?}", self.feed.standing());
    }

    fn follow(&mut self, shared: &mut Shared, now: u64) -> Result<(), FeedRefusal> {
        let head = shared.get(&head_key(PREFIX)).map(<[u8]>::to_vec);
        if !self.feed.look(head.as_deref(), now) {
            return Ok(());
        }
        while let Some(key) = self.feed.wanted() {
            let object = shared.get(&key).map(<[u8]>::to_vec);
            match self.feed.take_shared(object.as_deref(), trust(&self.keys), now) {
                Ok(Read::More) => {}
                Ok(Read::Done) => break,
                Err(refusal) => {
                    if refusal != FeedRefusal::KeyUnknown {
                        let broken = Head::parse(&head.unwrap()).unwrap().broken();
                        shared.set(&head_key(PREFIX), &broken.to_bytes());
                    }
                    return Err(refusal);
                }
            }
        }
        Ok(())
    }

    fn refuses(&self, sid: &str) -> bool {
        let token = RevocableToken { sid, sub: "u", user_version: 1, epoch: 1, kid: None };
        self.feed.records().concerning(&token, START / 1_000) == Some(Concern::Session)
    }
}

fn issuer_with(count: usize) -> Issuer {
    let mut issuer = Issuer::new();
    (1..=count).for_each(|index| issuer.end(&format!("s{index}")));
    issuer
}

#[test]
fn the_first_question_is_for_a_snapshot_and_the_next_ones_go_on_from_it() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    assert_eq!(vm.feed.query(5), "wait=5");
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Page);
    let digest = hex::encode(&issuer.digest(3));
    let generation = "01".repeat(16);
    assert_eq!(
        vm.feed.query(5),
        format!("generation={generation}&sequence=3&digest={digest}&after=2&wait=5")
    );
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Committed);
    assert_eq!(vm.feed.query(4), format!("generation={generation}&sequence=3&digest={digest}&wait=4"));
    issuer.end("s4");
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Committed);
    assert!(vm.refuses("s4") && vm.refuses("s1") && !vm.refuses("s5"));
}

#[test]
fn nothing_is_known_before_the_last_page() {
    let (mut vm, mut shared, issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.poll(&mut shared, &issuer);
    assert_eq!(vm.feed.freshness(START), Freshness::Unknown);
    assert!(vm.refuses("s1"), "what has ended may be refused before");
    vm.poll(&mut shared, &issuer);
    assert_eq!(vm.feed.freshness(START), Freshness::Fresh);
}

#[test]
fn a_snapshot_is_as_old_as_its_oldest_page() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.poll(&mut shared, &issuer);
    issuer.now += 9_000;
    vm.poll(&mut shared, &issuer);
    assert_eq!(vm.feed.age_ms(issuer.now), Some(9_000));
}

#[test]
fn what_is_older_than_the_policy_allows_is_stale() {
    let (mut vm, mut shared, issuer) = (Vm::new(), Shared::default(), issuer_with(1));
    vm.catch_up(&mut shared, &issuer);
    let bound = START + STALE_AFTER * 1_000;
    assert_eq!(vm.feed.freshness(bound), Freshness::Fresh);
    assert_eq!(vm.feed.freshness(bound + 1), Freshness::Stale);
}

#[test]
fn a_heartbeat_makes_fresh_and_there_is_one_of_them_however_long_it_is_quiet() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(1));
    vm.catch_up(&mut shared, &issuer);
    for _ in 0..5 {
        issuer.now += 5_000;
        assert_eq!(vm.poll(&mut shared, &issuer), Polled::Committed);
        assert_eq!(vm.feed.age_ms(issuer.now), Some(0));
    }
    assert_eq!(shared.keys().len(), 3, "head, page, heartbeat: {:?}", shared.keys());
}

#[test]
fn a_delta_that_was_cut_moves_the_position_and_makes_nobody_fresh() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(1));
    vm.catch_up(&mut shared, &issuer);
    (0..3).for_each(|index| issuer.end(&format!("late{index}")));
    issuer.now += 4_000;
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Committed);
    assert_eq!(vm.feed.standing().unwrap().position.sequence, 3);
    assert_eq!(vm.feed.age_ms(issuer.now), Some(4_000));
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Committed);
    assert_eq!(vm.feed.age_ms(issuer.now), Some(0));
    let mut other = Vm::new();
    other.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(other.feed.standing(), vm.feed.standing());
}

#[test]
fn an_answer_of_before_is_refused_and_changes_nothing() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(1));
    vm.catch_up(&mut shared, &issuer);
    let old = issuer.answer(&vm.feed.query(5)).unwrap();
    issuer.now += 1_000;
    vm.poll(&mut shared, &issuer);
    let before = vm.feed.standing();
    assert_eq!(vm.take(&mut shared, &old, issuer.now), Polled::Refused(FeedRefusal::AsOf));
    assert_eq!(vm.feed.standing(), before);
}

#[test]
fn a_delta_from_elsewhere_is_refused() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(2));
    vm.catch_up(&mut shared, &issuer);
    let mut fork = issuer_with(2);
    fork.log.pop();
    fork.end("other");
    fork.end("another");
    let digest = hex::encode(&fork.digest(2));
    let answer = fork.answer(&format!("generation={}&sequence=2&digest={digest}", "01".repeat(16))).unwrap();
    assert_eq!(vm.take(&mut shared, &answer, issuer.now), Polled::Refused(FeedRefusal::Position));
    fork.generation = [2; 16];
    let answer = fork.answer(&format!("generation={}&sequence=2&digest={digest}", "02".repeat(16))).unwrap();
    assert_eq!(vm.take(&mut shared, &answer, issuer.now), Polled::Refused(FeedRefusal::Generation));
    issuer.end("s3");
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Committed, "the next question is the same");
}

#[test]
fn a_page_that_nobody_needs_is_refused() {
    let (mut vm, mut shared, issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    let page = issuer.answer("wait=5").unwrap();
    assert_eq!(vm.take(&mut shared, &page, issuer.now), Polled::Refused(FeedRefusal::Page));
}

#[test]
fn a_page_of_another_head_does_not_continue_a_snapshot_and_does_not_end_it_for_ever() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.poll(&mut shared, &issuer);
    issuer.end("s4");
    let digest = hex::encode(&issuer.digest(4));
    let query = format!("generation={}&sequence=4&digest={digest}&after=2", "01".repeat(16));
    let other = issuer.answer(&query).unwrap();
    for _ in 0..MAX_REFUSED_PAGES {
        assert_eq!(vm.take(&mut shared, &other, issuer.now), Polled::Refused(FeedRefusal::Page));
    }
    assert_eq!(vm.feed.query(5), "wait=5", "begun anew");
    vm.catch_up(&mut shared, &issuer);
}

#[test]
fn after_a_conflict_what_is_held_goes_on_counting_as_of_its_old_time() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    issuer.log.truncate(1);
    issuer.generation = [2; 16];
    issuer.now += 3_000;
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Conflict);
    assert!(vm.refuses("s3"));
    assert_eq!(vm.feed.age_ms(issuer.now), Some(3_000));
    vm.catch_up(&mut shared, &issuer);
    assert!(vm.refuses("s3"), "merged, not replaced");
    assert_eq!(vm.feed.standing().unwrap().position.generation, [2; 16]);
}

#[test]
fn a_primary_whose_clock_runs_ahead_makes_nobody_fresh_for_longer() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(1));
    issuer.now = START + 3_600_000;
    let answer = issuer.answer("wait=5").unwrap();
    assert_eq!(vm.take(&mut shared, &answer, START), Polled::Committed);
    assert_eq!(vm.feed.standing().unwrap().as_of, START);
    assert_eq!(vm.feed.freshness(START + 30_001), Freshness::Stale);
    issuer.now = START + 1_000;
    assert_eq!(
        vm.poll(&mut shared, &issuer),
        Polled::Committed,
        "nor does it end the feed when it is set right"
    );
}

#[test]
fn who_reads_a_chain_is_no_fresher_than_who_wrote_it() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(1));
    issuer.now = START + 3_600_000;
    let answer = issuer.answer("wait=5").unwrap();
    vm.take(&mut shared, &answer, START);
    let mut anew = Vm::new();
    anew.follow(&mut shared, START + 20_000).unwrap();
    assert_eq!(anew.feed.age_ms(START + 20_000), Some(20_000));
}

#[test]
fn a_clock_that_is_set_back_makes_nobody_fresher() {
    let (mut vm, mut shared, issuer) = (Vm::new(), Shared::default(), issuer_with(1));
    vm.catch_up(&mut shared, &issuer);
    vm.feed.tick(START - 600_000);
    assert_eq!(vm.feed.freshness(START - 600_000 + 30_001), Freshness::Stale);
}

#[test]
fn what_only_keys_of_shared_data_have_proved_counts_no_more_once_the_true_ones_are_there() {
    let (mut vm, mut shared, issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    vm.feed.keys_fetched_first(&feed_keys());
    assert_eq!(vm.feed.freshness(issuer.now), Freshness::Fresh);
    vm.feed.keys_fetched_first(&keys_of(&[("f2", 12)]));
    assert_eq!(vm.feed.freshness(issuer.now), Freshness::Unknown);
    assert!(vm.feed.wants_snapshot() && !vm.refuses("s1"));
}
