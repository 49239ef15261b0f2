//! What a list must be, what takes its place, and how old it is.

mod sharing;
mod signed;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{ISS, NOW, jwk, sign_texts};
use crate::signature_host::NoSignatureHost;

const PLAIN: ListTrust<'static> = ListTrust { iss: ISS, keys: None, host: &NoSignatureHost };

fn list_of(iat: u64, deny: &Value) -> Vec<u8> {
    json!({ "iss": ISS, "iat": iat, "deny": deny }).to_string().into_bytes()
}

fn empty() -> DenyList {
    DenyList::new("p".to_owned())
}

/// Of a plain list that is new.
fn taken(bytes: &[u8]) -> Result<DenyList, Refused> {
    let mut list = empty();
    list.take(bytes, PLAIN, NOW).map(|is_news| {
        assert!(is_news);
        list
    })
}

fn refusal(bytes: &[u8]) -> ListRefusal {
    taken(bytes).expect_err("taken").kind
}

fn token<'t>() -> DeniableToken<'t> {
    DeniableToken { jti: Some("t1"), sid: Some("s1"), sub: Some("u1"), subject: "u1", issued_at: Some(NOW) }
}

/// The entry of a list with these that concerns the token.
fn denied(deny: &Value, token: &DeniableToken<'_>) -> Option<Denied> {
    taken(&list_of(NOW, deny)).unwrap().entries().unwrap().concerning(token)
}

#[test]
fn an_entry_denies_the_token_the_session_or_what_the_user_had_before() {
    let before = |issued_before: u64| json!([{ "sub": "u1", "issued_before": issued_before }]);
    assert_eq!(denied(&json!([{ "jti": "t1" }]), &token()), Some(Denied::Token));
    assert_eq!(denied(&json!([{ "sid": "s1" }]), &token()), Some(Denied::Session));
    assert_eq!(denied(&before(NOW + 1), &token()), Some(Denied::User { issued_before: NOW + 1 }));
    assert_eq!(denied(&before(NOW), &token()), None, "issued in that very second");
    for others in [
        json!([]),
        json!([{ "jti": "t2" }, { "jti": "s1" }, { "jti": "u1" }, { "jti": "T1" }]),
        json!([{ "sid": "s2" }, { "sid": "t1" }, { "sid": "s1 " }]),
        json!([{ "sub": "u2", "issued_before": NOW + 1 }, { "sub": "t1", "issued_before": NOW + 1 }]),
    ] {
        assert_eq!(denied(&others, &token()), None, "{others}");
    }
}

#[test]
fn names_that_are_uuids_are_names_like_others() {
    let uuid = "018f3b7c-aa00-7c3e-9d2b-000000000001";
    let deny =
        json!([{ "jti": uuid }, { "sub": "018F3B7C-AA00-7C3E-9D2B-000000000002", "issued_before": 9 }]);
    let of = |jti| DeniableToken { jti: Some(jti), ..token() };
    assert_eq!(denied(&deny, &of(uuid)), Some(Denied::Token));
    assert_eq!(denied(&deny, &of("018f3b7c-aa00-7c3e-9d2b-000000000002")), None);
    let user = |subject| DeniableToken { subject, sub: None, issued_at: None, ..token() };
    assert_eq!(denied(&deny, &user("018f3b7c-aa00-7c3e-9d2b-000000000002")), None, "bytes, not letters");
    let upper = denied(&deny, &user("018F3B7C-AA00-7C3E-9D2B-000000000002"));
    assert_eq!(upper, Some(Denied::User { issued_before: 9 }));
}

#[test]
fn a_token_that_does_not_say_when_it_was_issued_was_issued_before() {
    let deny = json!([{ "sub": "u1", "issued_before": 0 }]);
    assert_eq!(denied(&deny, &token()), None);
    assert!(denied(&deny, &DeniableToken { issued_at: None, ..token() }).is_some());
}

#[test]
fn a_user_is_named_by_sub_or_by_what_the_policy_makes_of_the_token() {
    let deny = json!([{ "sub": "u1", "issued_before": NOW + 1 }]);
    for (sub, subject) in [(Some("u1"), "7"), (Some("7"), "u1"), (None, "u1")] {
        assert!(denied(&deny, &DeniableToken { sub, subject, ..token() }).is_some(), "{sub:?} {subject}");
    }
    assert_eq!(denied(&deny, &DeniableToken { sub: None, subject: "7", ..token() }), None);
}

#[test]
fn of_several_entries_of_a_user_the_latest_counts_in_whatever_order() {
    for times in [[NOW + 1, 5], [5, NOW + 1]] {
        let entries: Vec<_> =
            times.iter().map(|time| json!({ "sub": "u1", "issued_before": time })).collect();
        assert!(denied(&json!(entries), &token()).is_some());
    }
    let twice = taken(&list_of(NOW, &json!([{ "jti": "a" }, { "jti": "a" }, { "sid": "a" }]))).unwrap();
    assert_eq!(twice.entries().unwrap().len(), 2);
}

#[test]
fn a_list_with_anything_that_is_not_understood_is_refused_as_a_whole() {
    let good = json!({ "sid": "s1" });
    for bad in [
        json!({}),
        json!({ "jti": "a", "sid": "b" }),
        json!({ "jti": "" }),
        json!({ "jti": 7 }),
        json!({ "jti": null }),
        json!({ "jti": "a", "sid": null }),
        json!({ "sub": "a" }),
        json!({ "issued_before": 7 }),
        json!({ "jti": "a", "issued_before": 7 }),
        json!({ "sub": "a", "issued_before": "7" }),
        json!({ "sub": "a", "issued_before": -7 }),
        json!({ "sub": "a", "issued_before": 7.5 }),
        json!({ "sub": "a", "issued_before": 9_007_199_254_740_993_u64 }),
        json!({ "jti": "a", "reason": "stolen" }),
        json!({ "client_id": "a" }),
        json!(["a"]),
        json!("a"),
        json!(null),
    ] {
        assert_eq!(refusal(&list_of(NOW, &json!([good, bad]))), ListRefusal::Shape, "{bad}");
    }
    for changes in [
        json!({ "iss": null }),
        json!({ "iat": null }),
        json!({ "deny": null }),
        json!({ "iss": [ISS] }),
        json!({ "iat": "1" }),
        json!({ "iat": 1.0 }),
        json!({ "deny": {} }),
        json!({ "deny": "" }),
        json!({ "allow": [] }),
        json!({ "exp": NOW }),
    ] {
        let list = json!({ "iss": ISS, "iat": NOW, "deny": [good] });
        let list = crate::fixtures::with(list, changes.clone());
        assert_eq!(refusal(list.to_string().as_bytes()), ListRefusal::Shape, "{changes}");
    }
    assert_eq!(refusal(format!("[\"{ISS}\",{NOW},[]]").as_bytes()), ListRefusal::Shape);
}

#[test]
fn a_member_that_is_there_twice_refuses_the_list() {
    for text in [
        format!(r#"{{"iss":"{ISS}","iat":{NOW},"deny":[{{"jti":"a"}}],"deny":[]}}"#),
        format!(r#"{{"iss":"{ISS}","iat":{NOW},"d\u0065ny":[{{"jti":"a"}}],"deny":[]}}"#),
        format!(r#"{{"iss":"{ISS}","iat":{NOW},"iat":{NOW},"deny":[]}}"#),
        format!(r#"{{"iss":"{ISS}","iat":{NOW},"deny":[{{"jti":"a","jti":"b"}}]}}"#),
    ] {
        assert_eq!(refusal(text.as_bytes()), ListRefusal::Shape, "{text}");
    }
    let escaped = format!(r#"{{"iss":"{ISS}","iat":{NOW},"deny":[{{"\u006ati":"\u00741"}}]}}"#);
    let list = taken(escaped.as_bytes()).unwrap();
    assert_eq!(list.entries().unwrap().concerning(&token()), Some(Denied::Token), "another spelling");
}

#[test]
fn what_is_no_json_is_refused_and_the_place_is_named() {
    for text in ["", "{", "deny", "\u{feff}{}", "{\"iss\":\"a", "{\"iss\":\"\\ud800\""] {
        assert_eq!(refusal(text.as_bytes()), ListRefusal::Form, "{text}");
    }
    let list = list_of(NOW, &json!([]));
    assert_eq!(refusal(&list[1..]), ListRefusal::Shape, "a string");
    assert_eq!(refusal(&[&list[..], b"{}"].concat()), ListRefusal::Form, "two of them");
    let text = format!("{{\n  \"iss\": \"{ISS}\",\n  \"iat\": {NOW},\n  \"deny\": [7]\n}}\n");
    let refused = taken(text.as_bytes()).unwrap_err();
    assert!(refused.to_string().ends_with("of another type (line 4, column 12)"), "{refused}");
    assert!(!refused.to_string().contains(ISS));
    taken(text.replace('7', "").as_bytes()).unwrap();
}

#[test]
fn a_list_is_of_its_issuer_and_of_a_bounded_size() {
    let text = json!({ "iss": "http://other.test", "iat": NOW, "deny": [] }).to_string();
    assert_eq!(refusal(text.as_bytes()), ListRefusal::Issuer);
    let mut list = list_of(NOW, &json!([]));
    list.resize(MAX_LIST_BYTES, b' ');
    taken(&list).unwrap();
    list.push(b' ');
    assert_eq!(refusal(&list), ListRefusal::Size);
}

#[test]
fn a_later_list_takes_the_place_of_the_one_before_and_an_earlier_one_does_not() {
    let mut list = taken(&list_of(NOW, &json!([{ "jti": "t1" }]))).unwrap();
    let mut take = |iat, deny: Value, now| list.take(&list_of(iat, &deny), PLAIN, now).map_err(|it| it.kind);
    assert_eq!(take(NOW, json!([{ "jti": "t1" }]), NOW), Ok(false), "the same");
    assert_eq!(take(NOW - 1, json!([]), NOW), Err(ListRefusal::Back));
    assert_eq!(take(NOW, json!([{ "jti": "t2" }]), NOW), Ok(true), "written twice in a second");
    assert_eq!(take(NOW + 61, json!([]), NOW), Err(ListRefusal::Ahead));
    assert_eq!(take(NOW + 60, json!([{ "jti": "t3" }]), NOW), Ok(true));
    assert_eq!(take(NOW + 1, json!([]), NOW), Err(ListRefusal::Back));
    let entries = list.entries().unwrap();
    let is_denied = |jti| entries.concerning(&DeniableToken { jti: Some(jti), ..token() }).is_some();
    assert_eq!(["t1", "t2", "t3"].map(is_denied), [false, false, true], "the list is all there is");
}

#[test]
fn a_list_is_as_old_as_its_iat_says_whenever_it_came() {
    assert_eq!(empty().freshness(300, NOW), Freshness::Unknown);
    assert_eq!(empty().age_seconds(NOW), None);
    let list = taken(&list_of(NOW - 250, &json!([]))).unwrap();
    assert_eq!(list.age_seconds(NOW), Some(250));
    assert_eq!(list.freshness(300, NOW + 50), Freshness::Fresh);
    assert_eq!(list.freshness(300, NOW + 51), Freshness::Stale);
    assert_eq!(taken(&list_of(0, &json!([]))).unwrap().freshness(300, NOW), Freshness::Stale);
}

#[test]
fn a_clock_that_is_set_back_makes_no_list_fresh_and_does_not_bar_the_next_one() {
    let mut list = taken(&list_of(NOW, &json!([{ "jti": "t1" }]))).unwrap();
    let earlier = NOW - 86_400;
    assert_eq!(list.freshness(300, NOW - 60), Freshness::Fresh);
    assert_eq!(list.freshness(300, earlier), Freshness::Stale);
    assert_eq!(list.take(&list_of(earlier, &json!([])), PLAIN, earlier), Ok(true));
    assert_eq!(list.freshness(300, earlier), Freshness::Fresh);
}

fn any_entry() -> impl Strategy<Value = Value> {
    let name = prop_oneof!["[abs]1?", "018f3b7c-aa00-7c3e-9d2b-00000000000[0-3]"];
    (name, 0..3, 0..4_u64).prop_map(|(name, kind, before)| match kind {
        0 => json!({ "jti": name }),
        1 => json!({ "sid": name }),
        _ => json!({ "sub": name, "issued_before": before }),
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_change_anything_where_they_are_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        begin in prop_oneof![Just("{"), Just("{\"iss\":\"http://issuer.test\",\"iat\":1,\"deny\":["), Just("a.b.")],
    ) {
        let bytes = [begin.as_bytes(), &bytes].concat();
        let mut list = taken(&list_of(NOW, &json!([{ "jti": "t1" }]))).unwrap();
        let keys = KeySet::default();
        for keys in [None, Some(&keys)] {
            let result = list.take(&bytes, ListTrust { keys, ..PLAIN }, NOW);
            prop_assert!(result.is_err() && list.iat() == Some(NOW) && list.entries().unwrap().len() == 1);
        }
        let _ = ListHead::parse(&bytes);
        let _ = list.look(Some(&bytes), NOW);
        let _ = list.take_shared(Some(&bytes), PLAIN, NOW);
        let _ = read_saved(&bytes, Some(ISS));
    }

    /// By going through the document entry by entry.
    #[test]
    fn a_token_is_denied_if_and_only_if_some_entry_is_about_it(
        deny in proptest::collection::vec(any_entry(), 0..12),
        [jti, sid, sub, subject] in proptest::array::uniform4(prop_oneof!["[abs]1?", "018f3b7c-aa00-7c3e-9d2b-00000000000[0-3]"]),
        issued_at in proptest::option::of(0..4_u64),
    ) {
        let token = DeniableToken { jti: Some(&jti), sid: Some(&sid), sub: Some(&sub), subject: &subject, issued_at };
        let expected = deny.iter().any(|entry| {
            entry["jti"] == jti.as_str() || entry["sid"] == sid.as_str()
                || ((entry["sub"] == sub.as_str() || entry["sub"] == subject.as_str())
                    && issued_at.is_none_or(|at| at < entry["issued_before"].as_u64().unwrap()))
        });
        prop_assert_eq!(denied(&json!(deny), &token).is_some(), expected);
    }
}

#[test]
fn every_refusal_has_a_name_of_its_own_that_is_fit_for_a_metric() {
    let names: BTreeSet<_> = ListRefusal::ALL.iter().map(|refusal| refusal.name()).collect();
    assert_eq!(names.len(), ListRefusal::ALL.len());
    assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
}

#[test]
fn a_saved_list_is_read_plain_and_signed_for_the_command_line() {
    let list = list_of(NOW, &json!([{ "jti": "t1" }]));
    let header = r#"{"alg":"EdDSA","typ":"deny-list+jwt"}"#;
    let signed = sign_texts(header, std::str::from_utf8(&list).unwrap());
    for text in [&list[..], &[b"\n", &list[..], b"\n"].concat(), signed.as_bytes()] {
        let saved = read_saved(text, Some(ISS)).unwrap();
        assert_eq!((saved.iat, saved.entries.counts()), (NOW, [1, 0, 0]));
    }
    assert_eq!(read_saved(&list, Some("http://other.test")).unwrap_err().kind, ListRefusal::Issuer);
    assert_eq!(read_saved(&list, None).unwrap().iss, ISS);
    assert_eq!(read_saved(b"[]", Some(ISS)).unwrap_err().kind, ListRefusal::Form);
}
