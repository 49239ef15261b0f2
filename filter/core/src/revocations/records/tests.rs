use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_000;

fn session(name: &str, ends_at: u64) -> Record {
    Record::Session { name: Name::of(name), ends_at }
}

fn subject(minimum: u64, epoch: u64, reason: SubjectReason, ends_at: u64) -> Record {
    Record::Subject { name: Name::of("u1"), minimum, epoch, reason, ends_at }
}

fn token(user_version: u64, epoch: u64) -> RevocableToken<'static> {
    RevocableToken { sid: "s1", sub: "u1", user_version, epoch, kid: Some("k1") }
}

fn holding(records: impl IntoIterator<Item = Record>) -> Records {
    let mut held = Records::default();
    records.into_iter().for_each(|record| held.merge(record, NOW));
    held
}

#[test]
fn a_record_counts_until_its_end_and_not_after() {
    let held = holding([session("s1", NOW + 10)]);
    assert_eq!(held.concerning(&token(1, 1), NOW + 9), Some(Concern::Session));
    assert_eq!(held.concerning(&token(1, 1), NOW + 10), None);
}

#[test]
fn each_kind_concerns_what_it_names_and_nothing_else() {
    let other = RevocableToken { sid: "s2", sub: "u2", user_version: 1, epoch: 5, kid: Some("k2") };
    for (record, concern) in [
        (session("s1", NOW + 1), Concern::Session),
        (
            subject(2, 1, SubjectReason::Changed, NOW + 1),
            Concern::Subject { minimum: 2, reason: SubjectReason::Changed },
        ),
        (Record::Key { name: "k1".into() }, Concern::Key),
        (Record::Epoch { minimum: 5, ends_at: NOW + 1 }, Concern::Epoch { minimum: 5 }),
    ] {
        let held = holding([record]);
        assert_eq!(held.concerning(&token(1, 1), NOW), Some(concern));
        assert_eq!(held.concerning(&other, NOW), None, "{concern:?}");
    }
}

#[test]
fn a_token_without_a_kid_is_no_key_s() {
    let held = holding([Record::Key { name: "k1".into() }]);
    assert_eq!(held.concerning(&RevocableToken { kid: None, ..token(1, 1) }, NOW), None);
}

#[test]
fn a_key_stays_revoked_for_ever() {
    let held = holding([Record::Key { name: "k1".into() }]);
    assert_eq!(held.concerning(&token(1, 1), u64::MAX), Some(Concern::Key));
}

#[test]
fn the_greater_minimum_counts_with_its_reason() {
    let gone = subject(3, 1, SubjectReason::Gone, NOW + 1);
    let changed = subject(4, 1, SubjectReason::Changed, NOW + 1);
    for records in [[gone.clone(), changed.clone()], [changed, gone]] {
        let concern = holding(records).concerning(&token(2, 1), NOW);
        assert_eq!(concern, Some(Concern::Subject { minimum: 4, reason: SubjectReason::Changed }));
    }
}

#[test]
fn an_earlier_end_does_not_shorten_a_record() {
    let held = holding([session("s1", NOW + 10), session("s1", NOW + 5)]);
    assert_eq!(held.concerning(&token(1, 1), NOW + 9), Some(Concern::Session));
}

#[test]
fn versions_of_a_log_that_was_lost_do_not_refuse_tokens_of_the_one_after_it() {
    let lost = subject(7, 1, SubjectReason::Changed, NOW + 1);
    let after = subject(6, 2, SubjectReason::Changed, NOW + 1);
    for records in [[lost.clone(), after.clone()], [after, lost]] {
        let held = holding(records);
        assert_eq!(held.concerning(&token(6, 2), NOW), None, "the new token is good");
        assert!(held.concerning(&token(5, 2), NOW).is_some(), "what ended after the fork");
        assert!(held.concerning(&token(6, 1), NOW).is_some(), "what ended before it");
    }
}

#[test]
fn sweeping_forgets_what_has_ended_and_nothing_else() {
    let mut held = Records::default();
    for index in 0..5_000_u32 {
        let name = format!("00000000-0000-0000-0000-{index:012x}");
        let ends_at = if index % 2 == 0 { NOW + 10 } else { NOW + 20 };
        held.merge(session(&name, ends_at), NOW);
        held.merge(session(&format!("text {index}"), ends_at), NOW);
        held.merge(
            Record::Subject {
                name: Name::of(&name),
                minimum: 2,
                epoch: 1,
                reason: SubjectReason::Gone,
                ends_at,
            },
            NOW,
        );
    }
    held.merge(Record::Key { name: "k1".into() }, NOW);
    held.merge(Record::Epoch { minimum: 1, ends_at: NOW + 10 }, NOW);
    let most_sweeps = 100;
    (0..most_sweeps).for_each(|_| held.sweep(NOW + 10));
    assert_eq!(held.len(), 7_501);
    (0..most_sweeps).for_each(|_| held.sweep(NOW + 20));
    assert_eq!(held.len(), 1, "the key");
    assert!(held.bytes() < 100, "{}", held.bytes());
}

#[test]
fn a_sweep_looks_at_a_bounded_number() {
    let mut held = Records::default();
    for index in 0..2_000_u32 {
        held.merge(session(&format!("00000000-0000-0000-0000-{index:012x}"), NOW + 1), NOW);
    }
    held.sweep(NOW + 1);
    assert_eq!(held.len(), 2_000 - SWEPT_AT_ONCE);
}

fn any_record() -> impl Strategy<Value = Record> {
    let reason = prop_oneof![Just(SubjectReason::Changed), Just(SubjectReason::Gone)];
    let name = prop_oneof![Just("u1"), Just("018f3b7c-aa00-7c3e-9d2b-000000000001")];
    let ends_at = NOW + 1..NOW + 6;
    prop_oneof![
        (name.clone(), ends_at.clone())
            .prop_map(|(name, ends_at)| Record::Session { name: Name::of(name), ends_at }),
        (name.clone(), 0..6_u64, 0..4_u64, reason, ends_at.clone()).prop_map(
            |(name, minimum, epoch, reason, ends_at)| {
                Record::Subject { name: Name::of(name), minimum, epoch, reason, ends_at }
            }
        ),
        name.prop_map(|name| Record::Key { name: name.into() }),
        (0..4_u64, ends_at).prop_map(|(minimum, ends_at)| Record::Epoch { minimum, ends_at }),
    ]
}

/// Each record by itself, as the protocol says it.
fn concerns(record: &Record, token: &RevocableToken<'_>) -> bool {
    match record {
        Record::Session { name, .. } => name.text() == token.sid,
        Record::Subject { name, minimum, epoch, .. } => {
            name.text() == token.sub && token.user_version < *minimum && token.epoch <= *epoch
        }
        Record::Key { name } => token.kid == Some(name),
        Record::Epoch { minimum, .. } => token.epoch < *minimum,
    }
}

fn ends_at(record: &Record) -> u64 {
    match record {
        Record::Session { ends_at, .. } | Record::Subject { ends_at, .. } | Record::Epoch { ends_at, .. } => {
            *ends_at
        }
        Record::Key { .. } => u64::MAX,
    }
}

proptest! {
    #[test]
    fn what_is_held_refuses_all_that_a_live_record_concerns_and_nothing_that_none_does(
        records in proptest::collection::vec(any_record(), 0..24),
        versions in (0..7_u64, 0..5_u64),
        names in (0..2_usize, 0..2_usize, 0..2_usize),
        sweeps in 0..4,
        now in NOW..NOW + 8,
    ) {
        let all = ["u1", "018f3b7c-aa00-7c3e-9d2b-000000000001"];
        let (user_version, epoch) = versions;
        let token = RevocableToken {
            sid: all[names.0], sub: all[names.1], kid: Some(all[names.2]), user_version, epoch,
        };
        let mut held = Records::default();
        for (index, record) in records.iter().enumerate() {
            held.merge(record.clone(), NOW);
            if index % 5 == 4 {
                (0..sweeps).for_each(|_| held.sweep(now));
            }
        }
        let refused = held.concerning(&token, now).is_some();
        let alive = records.iter().any(|record| concerns(record, &token) && now < ends_at(record));
        let ever = records.iter().any(|record| concerns(record, &token));
        prop_assert!(refused || !alive, "a live record is forgotten");
        prop_assert!(!refused || ever, "refused without a record");
    }
}
