//! What VMs leave to each other in shared data.

use super::*;

#[test]
fn a_vm_that_is_loaded_anew_is_where_the_one_before_it_was() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(5));
    vm.catch_up(&mut shared, &issuer);
    for sid in ["a", "b", "c"] {
        issuer.end(sid);
        issuer.now += 100;
        vm.catch_up(&mut shared, &issuer);
        issuer.now += 100;
        vm.catch_up(&mut shared, &issuer);
    }
    let mut anew = Vm::new();
    anew.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(anew.feed.standing(), vm.feed.standing());
    assert!(["s1", "s5", "a", "c"].iter().all(|sid| anew.refuses(sid)));
    issuer.end("d");
    issuer.now += 100;
    assert_eq!(anew.poll(&mut shared, &issuer), Polled::Committed, "and may go on as its leader");
    vm.follow(&mut shared, issuer.now).unwrap();
    assert!(vm.refuses("d"));
}

#[test]
fn a_follower_reads_only_what_is_new() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(9));
    vm.catch_up(&mut shared, &issuer);
    let mut follower = Vm::new();
    follower.follow(&mut shared, issuer.now).unwrap();
    issuer.end("new");
    issuer.now += 10;
    vm.catch_up(&mut shared, &issuer);
    let head = shared.get(&head_key(PREFIX)).unwrap().to_vec();
    assert!(follower.feed.look(Some(&head), issuer.now));
    let key = follower.feed.wanted().unwrap();
    assert!(key.ends_with(".delta.0"), "{key}");
    let object = shared.get(&key).unwrap().to_vec();
    assert_eq!(follower.feed.take_shared(Some(&object), trust(&follower.keys), issuer.now), Ok(Read::Done));
    assert!(follower.refuses("new"));
    assert!(!follower.feed.look(Some(&head), issuer.now), "there is no more");
}

#[test]
fn a_heartbeat_of_the_very_time_that_is_held_is_taken_and_nobody_reads_it() {
    let (mut vm, mut follower, mut shared, mut issuer) =
        (Vm::new(), Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    follower.follow(&mut shared, issuer.now).unwrap();
    for _ in 0..2 {
        assert_eq!(vm.poll(&mut shared, &issuer), Polled::Committed);
        let head = shared.get(&head_key(PREFIX)).unwrap().to_vec();
        assert!(!follower.feed.look(Some(&head), issuer.now), "there is nothing to read");
    }
    // Who did not read it may go on after it all the same.
    issuer.end("s4");
    assert_eq!(follower.poll(&mut shared, &issuer), Polled::Committed);
    vm.follow(&mut shared, issuer.now).unwrap();
    assert!(vm.refuses("s4"), "also of the same time");
    assert_eq!(vm.feed.standing(), follower.feed.standing());
}

#[test]
fn an_older_answer_is_not_written_over_a_newer_chain() {
    let (mut late, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(1));
    let old = issuer.answer("wait=5").unwrap();
    issuer.end("s2");
    issuer.now += 1_000;
    let mut vm = Vm::new();
    vm.catch_up(&mut shared, &issuer);
    assert_eq!(late.take(&mut shared, &old, issuer.now), Polled::Follow);
    late.follow(&mut shared, issuer.now).unwrap();
    assert!(late.refuses("s2"));
    assert_eq!(late.feed.standing(), vm.feed.standing());
}

#[test]
fn where_shared_data_are_gone_put_back_or_rubbish_a_snapshot_takes_their_place() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    let put_back = shared.clone();
    issuer.now += 1_000;
    vm.catch_up(&mut shared, &issuer);
    let mut rubbish = Shared::default();
    rubbish.set(&head_key(PREFIX), b"rubbish");
    let mut vacant = Shared::default();
    vacant.set(&head_key(PREFIX), &Head::vacant(7).to_bytes());
    for mut shared in [Shared::default(), put_back, rubbish, vacant] {
        issuer.now += 1_000;
        assert_eq!(vm.poll(&mut shared, &issuer), Polled::Again);
        vm.catch_up(&mut shared, &issuer);
        let mut anew = Vm::new();
        anew.follow(&mut shared, issuer.now).unwrap();
        assert_eq!(anew.feed.standing(), vm.feed.standing());
    }
}

#[test]
fn a_head_that_promises_too_much_makes_nobody_fresh_and_is_replaced() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    let mut head = Head::parse(shared.get(&head_key(PREFIX)).unwrap()).unwrap();
    head.end.as_mut().unwrap().standing.as_of = u64::MAX;
    shared.set(&head_key(PREFIX), &head.to_bytes());
    issuer.now += 40_000;
    let mut anew = Vm::new();
    anew.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(anew.feed.freshness(issuer.now), Freshness::Stale);
    vm.catch_up(&mut shared, &issuer);
}

#[test]
fn an_object_that_is_missing_or_forged_leaves_nothing_of_its_chain_and_the_leader_takes_a_snapshot() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    let page = shared.keys().into_iter().find(|key| key.ends_with(".page.1")).unwrap();
    shared.set(&page, b"rubbish");
    let mut anew = Vm::new();
    assert_eq!(anew.follow(&mut shared, issuer.now), Err(FeedRefusal::Form));
    assert_eq!(anew.feed.freshness(issuer.now), Freshness::Unknown);
    issuer.now += 100;
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Again);
    vm.catch_up(&mut shared, &issuer);
    anew.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(anew.feed.freshness(issuer.now), Freshness::Fresh);
}

#[test]
fn a_key_that_leaves_the_set_has_a_snapshot_taken() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    issuer.signer = ("f2", 12);
    issuer.now += 100;
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Refused(FeedRefusal::KeyUnknown));
    vm.keys = keys_of(&[("f1", 11), ("f2", 12)]);
    vm.feed.keys_changed(&vm.keys);
    assert!(!vm.feed.is_renewing());
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Committed);
    vm.keys = keys_of(&[("f2", 12)]);
    vm.feed.keys_changed(&vm.keys);
    assert!(vm.feed.is_renewing());
    for _ in 0..4 {
        vm.poll(&mut shared, &issuer);
    }
    assert!(!vm.feed.is_renewing());
    let mut anew = Vm { keys: keys_of(&[("f2", 12)]), ..Vm::new() };
    anew.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(anew.feed.freshness(issuer.now), Freshness::Fresh);
}

#[test]
fn a_chain_of_an_unknown_key_is_read_again_once_the_keys_have_changed() {
    let (mut vm, mut shared, issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    let mut anew = Vm { keys: keys_of(&[("f9", 19)]), ..Vm::new() };
    assert_eq!(anew.follow(&mut shared, issuer.now), Err(FeedRefusal::KeyUnknown));
    assert_eq!(anew.follow(&mut shared, issuer.now), Ok(()), "not on every tick");
    anew.keys = feed_keys();
    anew.feed.keys_changed(&anew.keys);
    anew.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(anew.feed.standing(), vm.feed.standing());
}

#[test]
fn a_chain_that_has_grown_long_is_replaced_by_a_snapshot() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(1));
    issuer.page = 400;
    vm.catch_up(&mut shared, &issuer);
    let sid = "x".repeat(200);
    let mut most = 0;
    for index in 0..1_200 {
        (0..4).for_each(|more| issuer.end(&format!("{sid}{index}.{more}")));
        issuer.now += 1;
        vm.catch_up(&mut shared, &issuer);
        vm.poll(&mut shared, &issuer);
        most = most.max(vm.feed.held.as_ref().unwrap().head.end.unwrap().deltas);
    }
    assert!((256..640).contains(&most), "{most}");
    assert_ne!(head_key(PREFIX), lease_key(PREFIX));
}

#[test]
fn a_head_that_promises_too_much_does_not_keep_a_snapshot_out_for_ever() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    let mut head = Head::parse(shared.get(&head_key(PREFIX)).unwrap()).unwrap();
    head.end.as_mut().unwrap().standing.as_of = u64::MAX;
    shared.set(&head_key(PREFIX), &head.to_bytes());
    issuer.generation = [2; 16];
    issuer.now += 1_000;
    vm.catch_up(&mut shared, &issuer);
    assert_eq!(vm.feed.standing().unwrap().position.generation, [2; 16]);
}

#[test]
fn of_two_leaders_the_later_one_follows_the_other() {
    let (mut one, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(1));
    one.catch_up(&mut shared, &issuer);
    let mut other = Vm::new();
    other.follow(&mut shared, issuer.now).unwrap();
    issuer.end("s2");
    issuer.now += 10;
    let late = issuer.answer(&other.feed.query(5)).unwrap();
    issuer.now += 10;
    one.catch_up(&mut shared, &issuer);
    assert_eq!(other.take(&mut shared, &late, issuer.now), Polled::Follow);
    other.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(other.feed.standing(), one.feed.standing());
}

#[test]
fn of_two_snapshots_at_once_the_later_one_is_begun_anew() {
    let (mut one, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    let mut other = Vm::new();
    assert_eq!(other.poll(&mut shared, &issuer), Polled::Page);
    issuer.end("s4");
    one.catch_up(&mut shared, &issuer);
    let asked = other.feed.query(5);
    let mut page = issuer_with(3).payload(&asked).unwrap();
    page["as_of"] = (issuer.now + 10).into();
    issuer.now += 10;
    // Its pages may stand where those of the other do.
    let mut older = Head::parse(shared.get(&head_key(PREFIX)).unwrap()).unwrap();
    older.end.as_mut().unwrap().standing.as_of = START - 1;
    shared.set(&head_key(PREFIX), &older.to_bytes());
    assert_eq!(other.take(&mut shared, &issuer.sign(&page), issuer.now), Polled::Again);
    other.catch_up(&mut shared, &issuer);
}

#[test]
fn a_chain_that_does_not_lead_where_its_head_says_is_not_taken() {
    let (mut vm, mut shared, issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    let mut head = Head::parse(shared.get(&head_key(PREFIX)).unwrap()).unwrap();
    head.end.as_mut().unwrap().standing.position.sequence += 1;
    shared.set(&head_key(PREFIX), &head.to_bytes());
    let mut anew = Vm::new();
    assert_eq!(anew.follow(&mut shared, issuer.now), Err(FeedRefusal::Chain));
    assert_eq!(anew.feed.standing(), None);
}

impl Vm {
    /// Reads one object, as a tick does.
    fn follow_one(&mut self, shared: &Shared, now: u64) {
        if self.feed.look(shared.get(&head_key(PREFIX)), now) {
            let object = self.feed.wanted().and_then(|key| shared.get(&key).map(<[u8]>::to_vec));
            self.feed.take_shared(object.as_deref(), trust(&self.keys), now).unwrap();
        }
    }
}

#[test]
fn a_follower_arrives_although_the_chain_grows_with_every_object_that_it_reads() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(30));
    vm.catch_up(&mut shared, &issuer);
    let mut follower = Vm::new();
    // Fifteen pages, and a head that changes before each of them: by a heartbeat, or by a record.
    for step in 0..60 {
        if step % 3 == 0 {
            issuer.end(&format!("during-{step}"));
        }
        issuer.now += 10;
        vm.catch_up(&mut shared, &issuer);
        follower.follow_one(&shared, issuer.now);
    }
    // What is left when nothing comes any more.
    for _ in 0..3 {
        follower.follow_one(&shared, issuer.now);
    }
    assert_eq!(follower.feed.standing(), vm.feed.standing());
    assert!(["s1", "s30", "during-0", "during-57"].iter().all(|sid| follower.refuses(sid)));
}

#[test]
fn an_older_snapshot_is_not_written_over_a_chain_that_is_being_read() {
    let (mut shared, mut issuer) = (Shared::default(), issuer_with(2));
    let old = issuer.answer("wait=5").unwrap();
    issuer.end("s3");
    issuer.end("s4");
    issuer.now += 1_000;
    Vm::new().catch_up(&mut shared, &issuer);
    let mut late = Vm::new();
    late.follow_one(&shared, issuer.now);
    assert_eq!(late.feed.standing(), None, "it is in the middle of it");
    let head = shared.get(&head_key(PREFIX)).unwrap().to_vec();
    assert_eq!(late.take(&mut shared, &old, issuer.now), Polled::Follow);
    assert_eq!(shared.get(&head_key(PREFIX)), Some(&head[..]));
    late.follow_one(&shared, issuer.now);
    assert!(late.refuses("s4"));
}

#[test]
fn a_page_is_not_written_where_another_vm_has_begun_a_chain_meanwhile() {
    let (mut one, mut other, mut shared, mut issuer) =
        (Vm::new(), Vm::new(), Shared::default(), issuer_with(6));
    assert_eq!(one.poll(&mut shared, &issuer), Polled::Page);
    issuer.now += 10;
    other.catch_up(&mut shared, &issuer);
    let before = shared.clone();
    let page = issuer.answer(&one.feed.query(5)).unwrap();
    assert_eq!(one.take(&mut shared, &page, issuer.now), Polled::Again);
    assert_eq!(
        shared.keys().iter().map(|key| shared.get(key)).collect::<Vec<_>>(),
        before.keys().iter().map(|key| before.get(key)).collect::<Vec<_>>()
    );
    let mut anew = Vm::new();
    anew.follow(&mut shared, issuer.now).unwrap();
    assert_eq!(anew.feed.standing(), other.feed.standing());
}

#[test]
fn an_answer_that_was_not_written_does_not_count() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(1));
    vm.catch_up(&mut shared, &issuer);
    let before = vm.feed.standing();
    issuer.end("s2");
    issuer.now += 100;
    let answer = issuer.answer(&vm.feed.query(5)).unwrap();
    let head = shared.get(&head_key(PREFIX)).map(<[u8]>::to_vec);
    let taken = vm.feed.take(&answer, trust(&vm.keys), head.as_deref(), issuer.now);
    assert!(matches!(taken, Ok(Taken::Step(_))));
    // Somebody else's write came between: the step is dropped.
    drop(taken);
    assert_eq!(vm.feed.standing(), before);
    assert!(vm.refuses("s2"), "that it has ended is true all the same");
    assert_eq!(vm.poll(&mut shared, &issuer), Polled::Committed, "and it is asked for again");
}

#[test]
fn a_clock_that_was_far_ahead_and_comes_back_has_all_read_anew() {
    let (mut vm, mut shared, mut issuer) = (Vm::new(), Shared::default(), issuer_with(3));
    vm.catch_up(&mut shared, &issuer);
    let far = issuer.now + 2_000_000_000;
    for _ in 0..4 {
        vm.feed.tick(far);
    }
    issuer.now += 1_000;
    vm.feed.tick(issuer.now);
    assert_eq!(vm.feed.freshness(issuer.now), Freshness::Unknown);
    vm.follow(&mut shared, issuer.now).unwrap();
    assert!(["s1", "s2", "s3"].iter().all(|sid| vm.refuses(sid)));
    assert_eq!(vm.feed.freshness(issuer.now), Freshness::Fresh);
    vm.feed.tick(issuer.now + 10);
    assert_eq!(vm.feed.freshness(issuer.now + 10), Freshness::Fresh, "once");
}
