//! A list that its issuer has signed.

use super::*;

fn keys() -> KeySet {
    let set = json!({ "keys": [jwk("k1", 1)] });
    KeySet::from_members(set.as_object().unwrap(), LIST_ALGORITHMS).unwrap()
}

/// By the key of all these tests, with these members of the header.
fn signed(header: Value, list: &[u8]) -> Vec<u8> {
    let members = json!({ "alg": "EdDSA", "kid": "k1", "typ": "deny-list+jwt" });
    let header = crate::fixtures::with(members, header).to_string();
    sign_texts(&header, std::str::from_utf8(list).unwrap()).into_bytes()
}

fn take(bytes: &[u8]) -> Result<bool, ListRefusal> {
    let keys = keys();
    let trust = ListTrust { keys: Some(&keys), ..PLAIN };
    empty().take(bytes, trust, NOW).map_err(|refused| refused.kind)
}

#[test]
fn where_there_are_keys_only_what_they_signed_is_a_list() {
    let list = list_of(NOW, &json!([{ "jti": "t1" }]));
    let good = signed(json!({}), &list);
    assert_eq!(take(&good), Ok(true));
    assert_eq!(take(&[&good[..], b"\r\n"].concat()), Ok(true), "the end of a file");
    assert_eq!(take(&signed(json!({ "typ": "application/Deny-List+JWT" }), &list)), Ok(true));
    assert_eq!(take(&list), Err(ListRefusal::Form), "plain");
    assert_eq!(take(&signed(json!({ "kid": "k2" }), &list)), Err(ListRefusal::KeyUnknown));
    assert_eq!(take(&signed(json!({ "alg": "none" }), &list)), Err(ListRefusal::Signature));
    assert_eq!(take(&signed(json!({ "alg": "ES256" }), &list)), Err(ListRefusal::Signature));
    let mut forged = good.clone();
    let last = forged.len() - 3;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    assert_eq!(take(&forged), Err(ListRefusal::Signature));
    let head = good.iter().position(|byte| *byte == b'.').unwrap();
    let tail = good.iter().rposition(|byte| *byte == b'.').unwrap();
    let payload = crate::base64url::encode(&list_of(NOW, &json!([])));
    let swapped = [&good[..=head], payload.as_bytes(), &good[tail..]].concat();
    assert_eq!(take(&swapped), Err(ListRefusal::Signature), "another payload under the signature");
}

#[test]
fn a_token_or_an_answer_of_a_feed_is_no_list() {
    let list = list_of(NOW, &json!([]));
    for typ in [json!("at+jwt"), json!("JWT"), json!("revocations+jwt"), json!(null), json!("deny-list")] {
        assert_eq!(take(&signed(json!({ "typ": typ }), &list)), Err(ListRefusal::Type), "{typ}");
    }
    assert_eq!(take(&signed(json!({ "cty": "JWT" }), &list)), Err(ListRefusal::Type));
    assert_eq!(take(&signed(json!({ "crit": ["x"] }), &list)), Err(ListRefusal::Form));
}

#[test]
fn its_payload_is_read_as_strictly_as_a_plain_one() {
    assert_eq!(take(&signed(json!({}), b"{}")), Err(ListRefusal::Shape));
    assert_eq!(take(&signed(json!({}), &list_of(NOW + 61, &json!([])))), Err(ListRefusal::Ahead));
    let mut long = list_of(NOW, &json!([]));
    long.resize(MAX_LIST_BYTES, b' ');
    assert_eq!(take(&signed(json!({}), &long)), Ok(true));
    long.push(b' ');
    assert_eq!(take(&signed(json!({}), &long)), Err(ListRefusal::Size));
    long.resize(MAX_SIGNED_LIST_BYTES, b' ');
    assert_eq!(take(&signed(json!({}), &long)), Err(ListRefusal::Size));
}

#[test]
fn where_there_are_no_keys_what_is_signed_is_no_list_either() {
    let list = signed(json!({}), &list_of(NOW, &json!([])));
    assert_eq!(refusal(&list), ListRefusal::Form);
}
