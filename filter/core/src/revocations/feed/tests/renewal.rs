//! A chain that is renewed while it grows.

use super::*;

impl Vm {
    /// As if its chain had grown long.
    pub(super) fn renew(&mut self) {
        if self.feed.held.is_some() && !self.feed.renews {
            self.feed.renews = true;
            self.feed.give_turn(true);
        }
    }

    fn chain(&self) -> u64 {
        self.feed.held.as_ref().unwrap().head.chain
    }
}

/// A leader that is to renew its chain of some pages and a delta, a follower, their data and their issuer.
fn renewing() -> (Vm, Vm, Shared, Issuer) {
    let (mut vm, mut follower, mut shared, mut issuer) =
        (Vm::new(), Vm::new(), Shared::default(), issuer_with(9));
    vm.catch_up(&mut shared, &issuer);
    issuer.end("delta");
    issuer.now += 10;
    vm.catch_up(&mut shared, &issuer);
    follower.follow(&mut shared, issuer.now).unwrap();
    vm.renew();
    (vm, follower, shared, issuer)
}

#[test]
fn what_ends_while_a_chain_is_renewed_is_told_with_the_next_answer_but_one_and_followers_read_that_alone() {
    let (mut vm, mut follower, mut shared, mut issuer) = renewing();
    let (chain, mut polls) = (vm.chain(), 0);
    while vm.chain() == chain {
        polls += 1;
        issuer.end(&format!("meanwhile{polls}"));
        issuer.now += 10;
        vm.poll(&mut shared, &issuer);
        vm.poll(&mut shared, &issuer);
        assert!(vm.refuses(&format!("meanwhile{polls}")));
        let head = shared.get(&head_key(PREFIX)).unwrap().to_vec();
        assert!(follower.feed.look(Some(&head), issuer.now));
        assert!(!follower.feed.wanted().unwrap().contains(".page."), "{:?}", follower.feed.wanted());
        follower.follow(&mut shared, issuer.now).unwrap();
        assert!(follower.refuses(&format!("meanwhile{polls}")), "{polls}");
        assert!(polls < 20);
    }
    // Five pages of ten records, each with a delta after it.
    assert!((5..=7).contains(&polls), "{polls}");
    assert_eq!(follower.chain(), vm.chain());
    let mut anew = Vm::new();
    anew.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(anew.feed.standing(), vm.feed.standing());
    for sid in (1..=polls).map(|number| format!("meanwhile{number}")).chain(["s1", "delta"].map(String::from))
    {
        assert!(anew.refuses(&sid), "{sid}");
    }
    assert!(!vm.feed.is_renewing());
}

#[test]
fn a_follower_that_looks_seldom_goes_on_in_the_renewed_chain_from_where_it_was() {
    let (mut vm, mut follower, mut shared, mut issuer) = renewing();
    let chain = vm.chain();
    vm.poll(&mut shared, &issuer);
    while vm.chain() == chain {
        issuer.end(&format!("more{}", issuer.log.len()));
        issuer.now += 10;
        vm.poll(&mut shared, &issuer);
        vm.poll(&mut shared, &issuer);
    }
    let head = shared.get(&head_key(PREFIX)).unwrap().to_vec();
    assert!(follower.feed.look(Some(&head), issuer.now));
    assert!(follower.feed.wanted().unwrap().ends_with(".delta.0"), "{:?}", follower.feed.wanted());
    follower.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(follower.feed.standing(), vm.feed.standing());
}

#[test]
fn who_was_reading_a_delta_when_the_chain_was_renewed_goes_on_with_the_same_one() {
    let (mut vm, mut follower, mut shared, mut issuer) = renewing();
    let chain = vm.chain();
    let mut is_reading = false;
    while vm.chain() == chain {
        issuer.end(&format!("more{}", issuer.log.len()));
        issuer.now += 10;
        vm.poll(&mut shared, &issuer);
        vm.poll(&mut shared, &issuer);
        let head = shared.get(&head_key(PREFIX)).unwrap().to_vec();
        is_reading |= vm.chain() == chain && follower.feed.look(Some(&head), issuer.now);
    }
    assert!(is_reading);
    follower.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(follower.feed.standing(), vm.feed.standing());
    assert!(follower.refuses(&format!("more{}", issuer.log.len() - 1)));
}

#[test]
fn pages_that_are_refused_or_unknown_do_not_keep_deltas_away() {
    let (mut vm, mut follower, mut shared, mut issuer) = renewing();
    for round in 0..6 {
        assert!(vm.feed.query(5).contains("after="), "{}", vm.feed.query(5));
        match round % 3 {
            0 => assert_eq!(vm.take(&mut shared, b"rubbish", issuer.now), Polled::Refused(FeedRefusal::Form)),
            1 => vm.feed.missed(),
            _ => {
                vm.poll(&mut shared, &issuer);
                vm.poll(&mut shared, &issuer);
                assert!(vm.feed.query(5).contains("after=2"), "the second page");
                vm.feed.conflict();
            }
        }
        if round % 3 == 0 {
            vm.feed.missed();
        }
        assert!(!vm.feed.query(5).contains("after="), "{}", vm.feed.query(5));
        issuer.end(&format!("round{round}"));
        issuer.now += 10;
        assert_eq!(vm.poll(&mut shared, &issuer), Polled::Committed);
        follower.follow(&mut shared, issuer.now).unwrap();
        assert!(follower.refuses(&format!("round{round}")));
    }
}

#[test]
fn a_position_that_is_not_known_any_more_ends_a_renewal_and_has_a_whole_snapshot_taken() {
    let (mut vm, mut follower, mut shared, mut issuer) = renewing();
    vm.poll(&mut shared, &issuer);
    issuer.log.truncate(3);
    issuer.generation = [2; 16];
    issuer.now += 10;
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Conflict);
    vm.catch_up(&mut shared, &issuer);
    follower.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(follower.feed.standing().unwrap().position.generation, [2; 16]);
    assert!(!vm.feed.is_renewing());
}

#[test]
fn a_page_of_another_place_begins_no_renewal() {
    let (mut vm, _, mut shared, mut issuer) = renewing();
    issuer.end("newer");
    issuer.now += 10;
    let page = issuer.answer("wait=0").unwrap();
    assert_eq!(vm.take(&mut shared, &page, issuer.now), Polled::Refused(FeedRefusal::Page));
    assert_eq!(
        vm.poll(&mut shared, &issuer),
        Polled::Committed,
        "the question is answered with what came after"
    );
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Page);
}

#[test]
fn a_page_beside_the_deltas_makes_nobody_fresh() {
    let (mut vm, _, mut shared, mut issuer) = renewing();
    let before = vm.feed.standing();
    issuer.now += 9_000;
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Page);
    assert_eq!(vm.feed.standing(), before);
}

#[test]
fn a_renewed_chain_is_not_written_over_what_another_leader_has_written() {
    let (mut vm, mut other, mut shared, mut issuer) = renewing();
    let chain = vm.chain();
    let is_whole = |vm: &Vm| {
        vm.feed.snapshot.as_ref().and_then(|snapshot| snapshot.beside).is_some_and(|beside| beside.is_whole)
    };
    while !is_whole(&vm) {
        vm.poll(&mut shared, &issuer);
    }
    other.follow(&mut shared, issuer.now).unwrap();
    issuer.end("others");
    issuer.now += 10;
    other.catch_up(&mut shared, &issuer);
    issuer.now += 10;
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Follow);
    vm.follow(&mut shared, issuer.now).unwrap();
    assert_eq!((vm.chain(), vm.refuses("others")), (chain, true));
}

#[test]
fn who_does_not_ask_any_more_gives_up_the_pages_that_he_began_so_that_those_of_two_vms_are_not_mixed() {
    let (mut vm, mut other, mut shared, mut issuer) = renewing();
    other.renew();
    vm.poll(&mut shared, &issuer);
    vm.poll(&mut shared, &issuer);
    let late = issuer.answer(&vm.feed.query(5)).unwrap();
    assert!(vm.feed.stand_down());
    // The other one begins the same chain at a later place, and the first one has the lease again.
    issuer.end("others");
    issuer.now += 10;
    other.feed.give_turn(false);
    other.poll(&mut shared, &issuer);
    other.poll(&mut shared, &issuer);
    vm.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(vm.take(&mut shared, &late, issuer.now), Polled::Refused(FeedRefusal::Page));
    other.feed.stand_down();
    assert!(vm.feed.query(5).contains("after=0"), "{}", vm.feed.query(5));
    let chain = vm.chain();
    while vm.chain() == chain {
        vm.poll(&mut shared, &issuer);
        issuer.now += 10;
    }
    let mut anew = Vm::new();
    anew.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(anew.feed.standing(), vm.feed.standing());
    assert!(!vm.feed.stand_down(), "nothing is under way");
}

#[test]
fn who_does_not_ask_any_more_gives_up_a_first_snapshot_too() {
    let (mut vm, mut shared, issuer) = (Vm::new(), Shared::default(), issuer_with(5));
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Page);
    assert!(vm.feed.stand_down());
    assert_eq!(vm.feed.query(5), "wait=5");
}

#[test]
fn what_was_asked_for_before_a_snapshot_fell_due_is_taken_and_the_snapshot_comes_after_it() {
    let (mut vm, mut follower, mut shared, mut issuer) =
        (Vm::new(), Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    follower.follow(&mut shared, issuer.now).unwrap();
    let asked = vm.feed.query(5);
    // While that waits the set of keys changes, and lacks what has proved the chain.
    issuer.signer = ("f2", 12);
    (vm.keys, follower.keys) = (keys_of(&[("f2", 12)]), keys_of(&[("f1", 11), ("f2", 12)]));
    vm.feed.keys_changed(&vm.keys);
    assert!(vm.feed.is_renewing());
    issuer.end("meanwhile");
    issuer.now += 10;
    let answer = issuer.answer(&asked).unwrap();
    assert_eq!(vm.take(&mut shared, &answer, issuer.now), Polled::Committed);
    follower.follow(&mut shared, issuer.now).unwrap();
    assert!(vm.refuses("meanwhile") && follower.refuses("meanwhile"));
    assert!(vm.feed.query(5).contains("after=0"), "{}", vm.feed.query(5));
    while vm.feed.is_renewing() {
        issuer.now += 10;
        vm.poll(&mut shared, &issuer);
    }
    let mut anew = Vm { keys: keys_of(&[("f2", 12)]), ..Vm::new() };
    anew.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(anew.feed.standing(), vm.feed.standing());
}

#[test]
fn where_it_is_not_known_any_more_when_its_answer_comes_a_whole_snapshot_is_taken() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    let asked = vm.feed.query(5);
    vm.renew();
    issuer.generation = [2; 16];
    assert_eq!(issuer.answer(&asked), None);
    vm.feed.conflict();
    assert_eq!(vm.feed.query(5), "wait=5");
    issuer.now += 10;
    vm.catch_up(&mut shared, &issuer);
    assert_eq!(vm.feed.standing().unwrap().position.generation, [2; 16]);
}
