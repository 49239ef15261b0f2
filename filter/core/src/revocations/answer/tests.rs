use serde_json::{Value, json};

use super::*;
use crate::fixtures::with;
use crate::revocations::fixtures::{Issuer, START, feed_keys, header, sign, trust};

fn issuer() -> Issuer {
    let mut issuer = Issuer::new();
    for sid in ["s1", "s2", "s3"] {
        issuer.end(sid);
    }
    issuer
}

/// From record 1 to record 3.
fn delta() -> Value {
    let issuer = issuer();
    let digest = issuer.place(1)["digest"].as_str().unwrap().to_owned();
    issuer.payload(&format!("generation={}&sequence=1&digest={digest}", "01".repeat(16))).unwrap()
}

fn page() -> Value {
    issuer().payload("wait=5").unwrap()
}

fn read(bytes: &[u8]) -> Result<Answer, FeedRefusal> {
    Answer::read(bytes, trust(&feed_keys()))
}

fn read_payload(payload: &Value) -> Result<Answer, FeedRefusal> {
    read(&sign(&header(), &payload.to_string(), 11))
}

fn read_header(changes: Value) -> Result<Answer, FeedRefusal> {
    read(&sign(&with(header(), changes), &delta().to_string(), 11))
}

#[test]
fn a_delta_and_a_page_are_read() {
    let answer = read_payload(&delta()).unwrap();
    assert_eq!((answer.as_of, answer.records.len(), answer.head.sequence), (START, 2, 3));
    assert!(matches!(answer.part, Part::Delta { from, more: false } if from.sequence == 1));
    let answer = read_payload(&page()).unwrap();
    assert_eq!(answer.part, Part::Page { after: 0, through: 2 });
    assert_eq!(answer.records.len(), 2);
}

#[test]
fn what_is_longer_than_any_answer_is_refused_by_its_size() {
    let long = vec![b'a'; MAX_ANSWER_BYTES + 1];
    assert_eq!(read(&long), Err(FeedRefusal::Size));
    assert_eq!(read(&long[..MAX_ANSWER_BYTES]), Err(FeedRefusal::Form));
}

#[test]
fn an_answer_may_be_longer_than_any_token() {
    let mut issuer = Issuer::new();
    issuer.page = 400;
    (0..400).for_each(|index| issuer.end(&format!("00000000-0000-0000-0000-{index:012}")));
    let bytes = issuer.answer("wait=5").unwrap();
    assert!(bytes.len() > 4 * bearward_protocol::bounds::MAX_TOKEN_BYTES);
    assert_eq!(read(&bytes).unwrap().records.len(), 400);
}

#[test]
fn a_token_is_no_answer_and_no_answer_is_without_its_type() {
    for typ in [json!("at+jwt"), json!("JWT"), json!("revocations"), json!(null)] {
        assert_eq!(read_header(json!({ "typ": typ })), Err(FeedRefusal::Type), "{typ}");
    }
    assert!(read_header(json!({ "typ": "application/Revocations+JWT" })).is_ok());
}

#[test]
fn what_is_no_jws_is_refused_by_its_form() {
    for bytes in [&b""[..], b"a.b", b"a.b.c.d", b"\xff", b"e30.e30."] {
        assert_eq!(read(bytes), Err(FeedRefusal::Form), "{bytes:?}");
    }
    assert_eq!(read_header(json!({ "crit": ["exp"] })), Err(FeedRefusal::Form));
}

#[test]
fn only_the_feed_s_own_keys_verify_an_answer() {
    let signed_by_tokens = sign(&with(header(), json!({ "kid": "k1" })), &delta().to_string(), 1);
    assert_eq!(read(&signed_by_tokens), Err(FeedRefusal::KeyUnknown));
    let by_another = sign(&header(), &delta().to_string(), 1);
    assert_eq!(read(&by_another), Err(FeedRefusal::Signature));
}

#[test]
fn an_answer_that_was_changed_on_its_way_is_refused() {
    let good = sign(&header(), &delta().to_string(), 11);
    for index in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[index] = if bad[index] == b'A' { b'B' } else { b'A' };
        assert!(read(&bad).is_err(), "{index}");
    }
}

#[test]
fn another_algorithm_is_refused_also_where_its_key_is_in_the_set() {
    assert_eq!(read_header(json!({ "alg": "ES256" })), Err(FeedRefusal::Signature));
    assert_eq!(read_header(json!({ "alg": "HS256" })), Err(FeedRefusal::Signature));
    assert_eq!(read_header(json!({ "alg": "none" })), Err(FeedRefusal::Signature));
}

#[test]
fn each_member_that_is_wrong_is_refused_by_a_kind_of_its_own() {
    for (changes, refusal) in [
        (json!({ "version": 2 }), FeedRefusal::Version),
        (json!({ "version": "1" }), FeedRefusal::Version),
        (json!({ "version": null }), FeedRefusal::Version),
        (json!({ "extra": 1 }), FeedRefusal::Version),
        (json!({ "as_of": 1.5 }), FeedRefusal::Version),
        (json!({ "as_of": -1 }), FeedRefusal::Version),
        (json!({ "iss": "http://other.test" }), FeedRefusal::Issuer),
        (json!({ "generation": "01" }), FeedRefusal::Generation),
        (json!({ "generation": "0A".repeat(16) }), FeedRefusal::Generation),
        (json!({ "head": { "sequence": 3, "digest": "00" } }), FeedRefusal::Position),
        (json!({ "from": { "sequence": 4, "digest": "00".repeat(32) } }), FeedRefusal::Position),
        (
            json!({ "from": { "sequence": 3, "digest": "00".repeat(32) }, "records": [] }),
            FeedRefusal::Position,
        ),
        (json!({ "after": 1, "through": 3 }), FeedRefusal::Page),
        (json!({ "from": null }), FeedRefusal::Page),
        (json!({ "records": [{ "sequence": 2, "kind": "key" }] }), FeedRefusal::Records),
    ] {
        assert_eq!(read_payload(&with(delta(), changes.clone())), Err(refusal), "{changes}");
    }
}

#[test]
fn a_page_goes_on_and_stays_within_its_head() {
    for (changes, refusal) in [
        (json!({ "through": 4 }), FeedRefusal::Page),
        (json!({ "after": 2, "records": [] }), FeedRefusal::Page),
        (json!({ "after": 3, "records": [] }), FeedRefusal::Page),
        (json!({ "through": null }), FeedRefusal::Page),
        (json!({ "more": true }), FeedRefusal::Page),
    ] {
        assert_eq!(read_payload(&with(page(), changes.clone())), Err(refusal), "{changes}");
    }
    let last = with(page(), json!({ "after": 3, "through": 3, "records": [] }));
    assert!(read_payload(&last).is_ok(), "the last one may find nothing left");
}

#[test]
fn a_delta_that_was_cut_goes_on() {
    let heartbeat = with(delta(), json!({ "from": issuer().place(3), "records": [] }));
    assert!(read_payload(&heartbeat).unwrap().is_heartbeat());
    assert_eq!(read_payload(&with(heartbeat, json!({ "more": true }))), Err(FeedRefusal::Position));
    assert!(read_payload(&with(delta(), json!({ "more": true }))).is_ok());
}

#[test]
fn records_stand_in_the_order_of_their_sequence_within_the_answer() {
    let record = |sequence: u64| json!({ "sequence": sequence, "kind": "key", "name": "k" });
    for (sequences, is_good) in [
        (&[2, 3][..], true),
        (&[3], true),
        (&[], true),
        (&[1], false),
        (&[4], false),
        (&[3, 2], false),
        (&[2, 2], false),
    ] {
        let records: Vec<_> = sequences.iter().map(|sequence| record(*sequence)).collect();
        let result = read_payload(&with(delta(), json!({ "records": records })));
        assert_eq!(result.is_ok(), is_good, "{sequences:?}");
        assert!(result.is_ok() || result == Err(FeedRefusal::Records));
    }
}

#[test]
fn a_record_has_the_members_of_its_kind_and_no_other() {
    let good = [
        json!({ "sequence": 2, "kind": "session", "name": "s", "ends_at": 5 }),
        json!({ "sequence": 2, "kind": "subject", "name": "u", "minimum": 1, "epoch": 1, "reason": "gone", "ends_at": 5 }),
        json!({ "sequence": 2, "kind": "key", "name": "k" }),
        json!({ "sequence": 2, "kind": "epoch", "minimum": 1, "ends_at": 5 }),
    ];
    let spare = json!({ "name": "n", "minimum": 1, "epoch": 1, "reason": "changed", "ends_at": 5 });
    let read = |record: &Value| read_payload(&with(delta(), json!({ "records": [record] })));
    for record in &good {
        assert!(read(record).is_ok(), "{record}");
        for (member, value) in spare.as_object().unwrap() {
            let change = if record.get(member).is_some() { Value::Null } else { value.clone() };
            let other = with(record.clone(), json!({ member: change }));
            assert_eq!(read(&other), Err(FeedRefusal::Records), "{other}");
        }
    }
    for changes in
        [json!({ "name": "" }), json!({ "name": "n".repeat(257) }), json!({ "ends_at": (1_u64 << 53) + 1 })]
    {
        assert_eq!(read(&with(good[0].clone(), changes)), Err(FeedRefusal::Records));
    }
    for changes in [json!({ "kind": "client" }), json!({ "kind": 1 }), json!({ "sequence": "2" })] {
        assert_eq!(read(&with(good[0].clone(), changes)), Err(FeedRefusal::Version));
    }
}

#[test]
fn an_answer_has_one_spelling() {
    let text = delta().to_string();
    let record = r#"[2,"key","k",null,null,null,null]"#;
    let records = delta()["records"].to_string();
    for (what, other) in [
        ("a member twice", text.replacen("{", r#"{"version":1,"#, 1)),
        ("a list for an object", text.replacen(&records, &format!("[{record}]"), 1)),
        ("null for nothing", text.replacen("{", r#"{"after":null,"#, 1)),
        ("an object for a word", text.replace(r#""session""#, r#"{"session":null}"#)),
        ("something after it", format!("{text} 1")),
    ] {
        assert_ne!(other, text, "{what}");
        assert_eq!(read(&sign(&header(), &other, 11)), Err(FeedRefusal::Version), "{what}");
    }
}
