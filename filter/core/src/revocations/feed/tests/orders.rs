//! Any order of events: two VMs, their shared data, a log that may fork, somebody hostile.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Event {
    End,
    Time(u64),
    Poll(usize),
    Follow(usize),
    Reload(usize),
    /// Its chain is to be renewed.
    Renew(usize),
    /// An answer is kept, and comes with a later event.
    Delay(usize),
    Arrive(usize),
    Fork(usize),
    Erase,
    Rubbish(usize),
    Save,
    PutBack,
}

fn event() -> impl Strategy<Value = Event> {
    let vm = 0..2_usize;
    prop_oneof![
        3 => Just(Event::End),
        2 => (1..3_000_u64).prop_map(Event::Time),
        6 => vm.clone().prop_map(Event::Poll),
        4 => vm.clone().prop_map(Event::Follow),
        1 => vm.clone().prop_map(Event::Reload),
        2 => vm.clone().prop_map(Event::Renew),
        2 => vm.clone().prop_map(Event::Delay),
        2 => vm.prop_map(Event::Arrive),
        1 => (0..4_usize).prop_map(Event::Fork),
        1 => Just(Event::Erase),
        1 => (0..9_usize).prop_map(Event::Rubbish),
        1 => Just(Event::Save),
        1 => Just(Event::PutBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn in_every_order_what_was_applied_stays_no_record_is_skipped_and_all_recovers(
        events in proptest::collection::vec(event(), 0..60),
    ) {
        let (mut shared, mut issuer) = (Shared::default(), issuer_with(3));
        let mut vms = [Vm::new(), Vm::new()];
        let mut late: [Option<Vec<u8>>; 2] = [None, None];
        let mut saved = shared.clone();
        let mut made = 3;
        for event in events {
            let before: Vec<_> = vms.iter().map(|vm| vm.feed.standing()).collect();
            let mut reloaded = None;
            match event {
                Event::End => {
                    made += 1;
                    issuer.end(&format!("s{made}"));
                }
                Event::Time(by) => issuer.now += by,
                Event::Poll(index) => drop(vms[index].poll(&mut shared, &issuer)),
                Event::Follow(index) => drop(vms[index].follow(&mut shared, issuer.now)),
                Event::Reload(index) => {
                    vms[index] = Vm::new();
                    reloaded = Some(index);
                }
                Event::Renew(index) => vms[index].renew(),
                Event::Delay(index) => late[index] = issuer.answer(&vms[index].feed.query(5)),
                Event::Arrive(index) => {
                    if let Some(answer) = late[index].take() {
                        vms[index].take(&mut shared, &answer, issuer.now);
                    }
                }
                Event::Fork(lost) => {
                    issuer.log.truncate(issuer.log.len().saturating_sub(lost));
                    issuer.generation[0] = issuer.generation[0].wrapping_add(1);
                    issuer.now += 1;
                }
                Event::Erase => shared = Shared::default(),
                Event::Rubbish(which) => {
                    if let Some(key) = shared.keys().get(which) {
                        shared.set(key, b"rubbish");
                    }
                }
                Event::Save => saved = shared.clone(),
                Event::PutBack => shared = saved.clone(),
            }
            for (index, vm) in vms.iter().enumerate() {
                let (before, after) = (before[index], vm.feed.standing());
                if reloaded != Some(index) {
                    let went_back = before.zip(after).is_some_and(|(before, after)| after.as_of < before.as_of);
                    prop_assert!(!went_back && before.is_some() <= after.is_some());
                }
                // A position that is one of the log holds all of the log up to it.
                if let Some(position) = after.map(|standing| standing.position) {
                    let sequence = usize::try_from(position.sequence).unwrap();
                    if sequence <= issuer.log.len() && issuer.digest(sequence) == position.digest {
                        for (record, _) in &issuer.log[..sequence] {
                            prop_assert!(vm.refuses(record["name"].as_str().unwrap()));
                        }
                    }
                }
            }
        }
        // Left alone, everybody is fresh again.
        issuer.now += 1;
        vms[0].catch_up(&mut shared, &issuer);
        if vms[1].follow(&mut shared, issuer.now).is_err() {
            issuer.now += 1;
            vms[0].catch_up(&mut shared, &issuer);
            vms[1].follow(&mut shared, issuer.now).unwrap();
        }
        for vm in &vms {
            prop_assert_eq!(vm.feed.age_ms(issuer.now), Some(0));
            prop_assert_eq!(vm.feed.standing().unwrap().position.digest, issuer.digest(issuer.log.len()));
        }
    }
}
