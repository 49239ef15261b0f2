//! How a list goes from VM to VM.

use std::collections::BTreeMap;

use super::*;

/// What VMs share, as a host has it.
#[derive(Default)]
struct Shared(BTreeMap<String, Vec<u8>>);

impl Shared {
    fn head(&self) -> Option<&[u8]> {
        self.0.get(&head_key("p")).map(Vec::as_slice)
    }

    fn publish(&mut self, list: &DenyList, bytes: &[u8], now: u64) -> bool {
        let Some(publication) = list.publication(self.head(), now) else { return false };
        self.0.insert(publication.key, bytes.to_vec());
        self.0.insert(head_key("p"), publication.head);
        true
    }

    /// Whether there was news.
    fn follow(&self, list: &mut DenyList, now: u64) -> Result<bool, ListRefusal> {
        let Some(key) = list.look(self.head(), now) else { return Ok(false) };
        let bytes = self.0.get(&key).map(Vec::as_slice);
        list.take_shared(bytes, PLAIN, now).map_err(|refused| refused.kind)
    }
}

#[test]
fn what_one_vm_has_taken_the_others_read_once() {
    let (mut leader, mut follower, mut shared) = (empty(), empty(), Shared::default());
    assert_eq!(shared.follow(&mut follower, NOW), Ok(false));
    for (iat, jti) in [(NOW - 9, "t0"), (NOW - 8, "t1"), (NOW - 8, "t2"), (NOW, "t3")] {
        let bytes = list_of(iat, &json!([{ "jti": jti }]));
        leader.take(&bytes, PLAIN, NOW).unwrap();
        assert!(!leader.is_shared(shared.head()));
        assert!(shared.publish(&leader, &bytes, NOW));
        assert!(leader.is_shared(shared.head()));
        assert!(!shared.publish(&leader, &bytes, NOW), "it is there");
        assert_eq!(shared.follow(&mut follower, NOW), Ok(true));
        assert_eq!(shared.follow(&mut follower, NOW), Ok(false));
        let token = DeniableToken { jti: Some(jti), ..token() };
        assert_eq!(follower.entries().unwrap().concerning(&token), Some(Denied::Token));
        assert_eq!(follower.iat(), Some(iat));
    }
}

#[test]
fn an_older_list_is_neither_written_over_a_newer_one_nor_followed() {
    let (old, new) = (list_of(NOW - 9, &json!([])), list_of(NOW, &json!([{ "jti": "t1" }])));
    let (mut late, mut leader, mut shared) = (taken(&old).unwrap(), taken(&new).unwrap(), Shared::default());
    assert!(shared.publish(&leader, &new, NOW));
    assert!(!shared.publish(&late, &old, NOW));
    assert_eq!(shared.follow(&mut late, NOW), Ok(true));
    let mut other = Shared::default();
    assert!(other.publish(&taken(&old).unwrap(), &old, NOW));
    assert_eq!(other.follow(&mut leader, NOW), Ok(false));
    assert!(other.publish(&leader, &new, NOW), "what was put back is set right");
}

#[test]
fn bytes_that_their_head_does_not_name_are_refused_and_nothing_changes() {
    let bytes = list_of(NOW, &json!([{ "jti": "t1" }]));
    let leader = taken(&bytes).unwrap();
    let mut shared = Shared::default();
    shared.publish(&leader, &bytes, NOW);
    let key = ListHead::parse(shared.head().unwrap()).unwrap().object_key("p");
    for there in [None, Some(list_of(NOW, &json!([]))), Some(Vec::new())] {
        match there {
            None => shared.0.remove(&key),
            Some(bytes) => shared.0.insert(key.clone(), bytes),
        };
        let mut follower = empty();
        assert_eq!(shared.follow(&mut follower, NOW), Err(ListRefusal::Shared));
        assert_eq!(follower.freshness(300, NOW), Freshness::Unknown);
        shared.0.insert(head_key("p"), ListHead::VACANT.to_vec());
        assert_eq!(shared.follow(&mut follower, NOW), Ok(false));
        assert!(shared.publish(&leader, &bytes, NOW));
        assert_eq!(shared.follow(&mut follower, NOW), Ok(true), "the same head over other bytes");
    }
    assert!(!leader.is_shared(Some(&ListHead::VACANT)));
    assert!(leader.publication(Some(&ListHead::VACANT), NOW).is_some());
}

#[test]
fn a_list_goes_where_the_one_before_does_not_stand() {
    let bytes = list_of(NOW, &json!([]));
    let list = taken(&bytes).unwrap();
    for (place, other) in [(0, "p.1"), (1, "p.0")] {
        let head = ListHead { place, iat: NOW - 1, checksum: 7 };
        assert_eq!(ListHead::parse(&head.to_bytes()), Some(head));
        assert_eq!(list.publication(Some(&head.to_bytes()), NOW).unwrap().key, other);
    }
    let ahead = ListHead { place: 0, iat: NOW + 61, checksum: 7 };
    assert!(list.publication(Some(&ahead.to_bytes()), NOW).is_some(), "no list of the future bars it");
    for rubbish in [&b""[..], &[1], &[2; 18], &[1; 17], &[1; 19], &[9; 18]] {
        assert_eq!(ListHead::parse(rubbish), None);
    }
}
