use super::*;

fn record(sequence: u64, before: &LogPlace, ends_at: Option<u64>) -> LoggedRecord {
    let (kind, name) = (RecordKind::Session, Some(format!("session-{sequence}").into_boxed_str()));
    let place = LogPlace { sequence, digest: [0; 32] };
    let record = LoggedRecord { place, kind, name, minimum: None, epoch: None, reason: None, ends_at };
    LoggedRecord { place: LogPlace { digest: digest_after(&before.digest, &record), ..place }, ..record }
}

/// So many records that end at their sequence, in seconds.
fn records(number: u64) -> Vec<LoggedRecord> {
    let mut before = BEGINNING;
    let next = |sequence| {
        let record = record(sequence, &before, Some(sequence));
        before = record.place;
        record
    };
    (1..=number).map(next).collect()
}

fn log(records: Vec<LoggedRecord>) -> Log {
    let mut log = Log::empty(Uuid::nil());
    let head = records.last().map_or(BEGINNING, |record| record.place);
    log.append(records, head);
    log
}

fn reading(head: LogPlace, before: Option<LogPlace>, records: Vec<LoggedRecord>) -> LogReading {
    let digest_before = before.map(|place| place.digest);
    LogReading { as_of: 0, generation: Uuid::nil(), head, digest_before, records, is_whole: true }
}

fn at(place: LogPlace) -> Position {
    Position { generation: Uuid::nil(), place }
}

fn sequences(slice: &Slice<'_>) -> Vec<u64> {
    slice.records.iter().map(|record| record.sequence).collect()
}

#[test]
fn a_position_is_known_at_the_beginning_at_the_head_and_at_every_record_with_its_digest_and_generation() {
    let records = records(3);
    let places: Vec<_> = records.iter().map(|record| record.place).collect();
    let log = log(records);
    for place in places.iter().chain([&BEGINNING]) {
        assert!(log.knows(&at(*place)));
        assert!(!log.knows(&at(LogPlace { digest: [7; 32], ..*place })), "a bare sequence is no position");
        assert!(!log.knows(&Position { generation: Uuid::from_u128(1), place: *place }));
    }
    assert!(!log.knows(&at(LogPlace { sequence: 4, digest: places[2].digest })));
}

#[test]
fn a_record_that_has_ended_is_told_no_more_and_its_place_is_still_known() {
    let records = records(3);
    let places: Vec<_> = records.iter().map(|record| record.place).collect();
    let mut log = log(records);
    assert_eq!(sequences(&log.slice(0, 3, 2_999)), [2, 3], "a record counts through its last second");
    log.drop_ended(2_999);
    assert_eq!(log.len(), 2);
    assert!(log.knows(&at(places[0])));
    log.drop_ended(9_000);
    assert_eq!((log.len(), sequences(&log.slice(0, 3, 9_000))), (0, vec![]));
    assert!(log.knows(&at(places[2])) && log.knows(&at(places[1])));
    let next = record(4, &places[2], None);
    log.append(vec![next.clone()], next.place);
    assert!(log.knows(&at(places[2])), "the head of before");
}

#[test]
fn pages_go_on_after_a_sequence_whatever_ends_between_them_and_none_is_larger_than_it_may_be() {
    let mut log = log(records(5_000));
    let (mut after, mut told, mut pages) = (0, Vec::new(), 0);
    loop {
        let slice = log.slice(after, 5_000, 900_000);
        let bytes = serde_json::to_vec(&slice.records).unwrap().len();
        assert!(bytes <= PAGE_BYTES, "{bytes} bytes");
        told.extend(sequences(&slice));
        pages += 1;
        let Some(last) = slice.cut_at else { break };
        assert_eq!(Some(last.sequence), told.last().copied());
        after = last.sequence;
        // Purged in between: a count would now skip as many.
        log.drop_ended(1_000 * after);
    }
    assert!(pages > 2, "{pages}");
    let all: Vec<_> = (900..=5_000).collect();
    assert!(told == all, "{} of {} were told", told.len(), all.len());
}

#[test]
fn a_reading_goes_on_where_the_digest_says_so_also_if_the_row_before_was_purged() {
    let records = records(5);
    let place = |sequence: usize| records[sequence - 1].place;
    let rest = |from: usize| records[from..].to_vec();
    let goes = |place, reading: &LogReading| goes_on(Uuid::nil(), place, reading);
    assert!(goes(BEGINNING, &reading(place(5), None, records.clone())));
    assert!(goes(place(5), &reading(place(5), None, vec![])), "nothing new, whatever was purged");
    assert!(goes(place(3), &reading(place(5), Some(place(3)), rest(3))));
    assert!(goes(place(3), &reading(place(5), None, rest(3))), "the next record says what stood before it");
    assert!(!goes(place(3), &reading(place(5), None, rest(4))), "nobody knows what stood between");

    let forked = LogPlace { sequence: 3, digest: [9; 32] };
    assert!(!goes(forked, &reading(place(5), Some(place(3)), rest(3))));
    assert!(!goes(forked, &reading(place(5), None, rest(3))));
    assert!(!goes(forked, &reading(place(3), Some(place(3)), vec![])));
    assert!(!goes(place(5), &reading(place(3), None, vec![])), "it is shorter than it was");
    assert!(!goes_on(Uuid::from_u128(1), place(3), &reading(place(5), Some(place(3)), rest(3))));
}

#[test]
fn the_number_of_places_that_are_remembered_is_bounded() {
    let number = u64::try_from(MAX_FORGOTTEN).unwrap() + 10;
    let mut log = log(records(number));
    log.drop_ended(u64::MAX);
    assert_eq!((log.len(), log.forgotten.len()), (0, MAX_FORGOTTEN));
}
