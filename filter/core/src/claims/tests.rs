use super::*;
use crate::fixtures::{NOW, key_set, sign_texts, token};
use crate::issuer::{ClaimMapping, Separator};
use crate::verify::verify;
use serde_json::json;

const AUDIENCE: &str = "api";

fn issuer() -> Issuer {
    Issuer::rfc9068(crate::fixtures::ISS, &[AUDIENCE.to_owned()])
}

fn validate_as(issuer: &Issuer, changes: Value) -> Result<VerifiedClaims, Rejection> {
    verify(token(changes).as_bytes(), issuer, &key_set(), NOW)
}

fn validate(changes: Value) -> Result<VerifiedClaims, Rejection> {
    validate_as(&issuer(), changes)
}

#[test]
fn a_token_of_the_profile_is_accepted_and_says_who_calls() {
    let claims = validate(json!({})).unwrap();
    assert_eq!((claims.subject(), claims.roles()), ("u1", &["customer".to_owned()][..]));
    assert_eq!(claims.payload().get("aud"), Some(&json!(["api"])));
}

#[test]
fn exp_is_required_and_ends_the_token_after_the_leeway() {
    assert_eq!(validate(json!({ "exp": null })), Err(Rejection::ClaimsMalformed));
    assert!(validate(json!({ "exp": NOW - 29 })).is_ok());
    assert_eq!(validate(json!({ "exp": NOW - 30 })), Err(Rejection::TokenExpired));
    assert_eq!(validate(json!({ "exp": 0 })), Err(Rejection::TokenExpired));
}

#[test]
fn nbf_and_iat_in_the_future_are_refused_beyond_the_leeway() {
    for claim in ["nbf", "iat"] {
        assert!(validate(json!({ claim: NOW + 30 })).is_ok(), "{claim}");
        assert_eq!(validate(json!({ claim: NOW + 31 })), Err(Rejection::TokenNotYetValid), "{claim}");
    }
    assert!(validate(json!({ "iat": null })).is_ok());
}

#[test]
fn a_time_of_the_wrong_type_is_malformed_never_absent() {
    for value in [
        json!("never"),
        json!("1900000000"),
        json!(-1),
        json!(true),
        json!([]),
        json!({}),
        json!((1_u64 << 53) + 1),
        json!(1e300),
        json!(u64::MAX),
    ] {
        for claim in ["exp", "nbf", "iat"] {
            assert_eq!(validate(json!({ claim: value })), Err(Rejection::ClaimsMalformed), "{claim} {value}");
        }
    }
}

#[test]
fn null_is_a_wrong_type_too() {
    let payload = |exp: &str, nbf: &str| {
        format!(r#"{{"iss":"{}","sub":"u1","aud":"api","exp":{exp},"nbf":{nbf}}}"#, crate::fixtures::ISS)
    };
    let header = crate::fixtures::header().to_string();
    let verify = |payload: &str| verify(sign_texts(&header, payload).as_bytes(), &issuer(), &key_set(), NOW);
    assert!(verify(&payload("1900000000", "0")).is_ok());
    assert_eq!(verify(&payload("null", "0")), Err(Rejection::ClaimsMalformed));
    assert_eq!(verify(&payload("1900000000", "null")), Err(Rejection::ClaimsMalformed));
}

#[test]
fn a_fraction_of_a_second_is_rounded_towards_refusal() {
    let at = |offset: f64| json!(NOW as f64 + offset);
    assert_eq!(validate(json!({ "exp": at(-29.5) })), Err(Rejection::TokenExpired));
    assert_eq!(validate(json!({ "nbf": at(30.5) })), Err(Rejection::TokenNotYetValid));
    assert!(validate(json!({ "nbf": at(29.5) })).is_ok());
}

#[test]
fn one_of_the_audiences_must_be_ours() {
    for aud in [json!("api"), json!(["api"]), json!(["other", "api"])] {
        assert!(validate(json!({ "aud": aud })).is_ok(), "{aud}");
    }
    for aud in [json!("API"), json!("other"), json!([]), json!(["other"]), json!("api ")] {
        assert_eq!(validate(json!({ "aud": aud })), Err(Rejection::AudienceMismatch), "{aud}");
    }
    for aud in [json!(7), json!({}), json!(["api", 7]), json!(true)] {
        assert_eq!(validate(json!({ "aud": aud })), Err(Rejection::ClaimsMalformed), "{aud}");
    }
    assert_eq!(validate(json!({ "aud": null })), Err(Rejection::ClaimsMalformed));
    assert!(validate_as(&Issuer { accept_missing_aud: true, ..issuer() }, json!({ "aud": null })).is_ok());
}

#[test]
fn iss_is_compared_exactly() {
    for iss in [
        json!("http://issuer.test/"),
        json!("HTTP://issuer.test"),
        json!(""),
        json!(7),
        json!(["http://issuer.test"]),
        json!(null),
    ] {
        assert_eq!(validate(json!({ "iss": iss })), Err(Rejection::IssuerMismatch), "{iss}");
    }
    let lenient = Issuer { accept_missing_iss: true, ..issuer() };
    assert!(validate_as(&lenient, json!({ "iss": null })).is_ok());
    assert_eq!(validate_as(&lenient, json!({ "iss": "http://other.test" })), Err(Rejection::IssuerMismatch));
    let nameless = Issuer { iss: None, ..lenient };
    assert_eq!(validate_as(&nameless, json!({})), Err(Rejection::IssuerMismatch));
}

#[test]
fn the_subject_is_a_string_of_bounded_size() {
    let long = "x".repeat(257);
    for sub in [json!(null), json!(""), json!(7), json!(["u1"]), json!("a\nb"), json!(long)] {
        assert_eq!(validate(json!({ "sub": sub })), Err(Rejection::ClaimsMalformed), "{sub}");
    }
}

#[test]
fn a_mapped_subject_may_be_a_whole_number() {
    let mapped = Issuer {
        claims: ClaimMapping { subject: vec!["userId".to_owned()], ..ClaimMapping::default() },
        ..issuer()
    };
    assert_eq!(validate_as(&mapped, json!({ "userId": 7 })).unwrap().subject(), "7");
    assert_eq!(validate_as(&mapped, json!({ "userId": "u7" })).unwrap().subject(), "u7");
    for id in [json!(7.5), json!(-7), json!(true), json!(null)] {
        assert_eq!(validate_as(&mapped, json!({ "userId": id })), Err(Rejection::ClaimsMalformed), "{id}");
    }
}

#[test]
fn roles_are_an_array_of_strings_or_one_string() {
    for (roles, expected) in [
        (json!(null), vec![]),
        (json!([]), vec![]),
        (json!("admin"), vec!["admin"]),
        (json!(["a b", "c"]), vec!["a b", "c"]),
    ] {
        assert_eq!(validate(json!({ "roles": roles })).unwrap().roles(), expected, "{roles}");
    }
    let many = vec!["r"; MAX_ROLES + 1];
    let long = "r".repeat(MAX_ROLE_BYTES + 1);
    for roles in [
        json!(7),
        json!({}),
        json!(true),
        json!([7]),
        json!(""),
        json!([""]),
        json!("a,b"),
        json!(["a\u{7}"]),
        json!([" a"]),
        json!(many),
        json!(long),
    ] {
        assert_eq!(validate(json!({ "roles": roles })), Err(Rejection::ClaimsMalformed), "{roles}");
    }
}

#[test]
fn a_path_leads_through_objects_only() {
    let path = vec!["realm_access".to_owned(), "roles".to_owned()];
    let mapped = Issuer { claims: ClaimMapping { roles: path, ..ClaimMapping::default() }, ..issuer() };
    let roles = |access: Value| {
        validate_as(&mapped, json!({ "realm_access": access })).map(|claims| claims.roles().to_vec())
    };
    assert_eq!(roles(json!({ "roles": ["chef"] })), Ok(vec!["chef".to_owned()]));
    assert_eq!(roles(json!(null)), Ok(vec![]));
    assert_eq!(roles(json!({})), Ok(vec![]));
    assert_eq!(roles(json!(["roles"])), Err(Rejection::ClaimsMalformed));
}

#[test]
fn a_string_holds_several_roles_only_where_the_policy_says_so() {
    let reads = |separator, roles: Value| {
        let claims = ClaimMapping { separator, ..ClaimMapping::default() };
        validate_as(&Issuer { claims, ..issuer() }, json!({ "roles": roles }))
            .map(|claims| claims.roles().to_vec())
    };
    let words = json!("orders:read orders:write");
    assert_eq!(reads(Separator::None, words.clone()).unwrap(), ["orders:read orders:write"]);
    assert_eq!(reads(Separator::Space, words).unwrap(), ["orders:read", "orders:write"]);
    assert_eq!(reads(Separator::Space, json!("admin")).unwrap(), ["admin"]);
    assert_eq!(reads(Separator::Space, json!(null)).unwrap(), [""; 0]);
    let most = vec!["r"; MAX_ROLES].join(" ");
    assert_eq!(reads(Separator::Space, json!(most)).unwrap().len(), MAX_ROLES);
    for roles in [
        json!(""),
        json!(" "),
        json!(" a"),
        json!("a "),
        json!("a  b"),
        json!("a\tb"),
        json!("a\nb"),
        json!("a,b c"),
        json!("a \u{a0}b"),
        json!(["a", "b"]),
        json!(["a b"]),
        json!([]),
        json!(7),
        json!(true),
        json!({ "a": true }),
        json!(format!("{most} r")),
        json!(format!("a {}", "r".repeat(MAX_ROLE_BYTES + 1))),
    ] {
        assert_eq!(reads(Separator::Space, roles.clone()), Err(Rejection::ClaimsMalformed), "{roles}");
    }
}

/// At every level of a path: what is absent is absent, and what is of a wrong type is malformed, `null` included.
#[test]
fn a_mapped_claim_of_a_wrong_type_is_malformed_at_every_level_and_never_absent() {
    let path = ["a.b", "https://c.test/d", "e"].map(str::to_owned).to_vec();
    let nested = |depth: usize, inner: Value| {
        let names = path.iter().take(depth).rev();
        names.fold(inner, |value, name| json!({ name: value }))
    };
    let header = crate::fixtures::header().to_string();
    let verify_as = |claims: ClaimMapping, claim: Value| {
        let mut payload = crate::fixtures::payload();
        payload.as_object_mut().unwrap().extend(claim.as_object().unwrap().clone());
        let issuer = Issuer { claims, ..issuer() };
        verify(sign_texts(&header, &payload.to_string()).as_bytes(), &issuer, &key_set(), NOW)
    };
    let roles = |claim| {
        let claims = ClaimMapping { roles: path.clone(), ..ClaimMapping::default() };
        verify_as(claims, claim).map(|claims| claims.roles().to_vec())
    };
    let subject = |claim| {
        let claims = ClaimMapping { subject: path.clone(), ..ClaimMapping::default() };
        verify_as(claims, claim).map(|claims| claims.subject().to_owned())
    };
    assert_eq!(roles(nested(3, json!(["chef"]))), Ok(vec!["chef".to_owned()]));
    assert_eq!(subject(nested(3, json!("u7"))), Ok("u7".to_owned()));
    for depth in 0..3 {
        assert_eq!(roles(nested(depth, json!({ "other": 1 }))), Ok(vec![]), "absent at {depth}");
        assert_eq!(subject(nested(depth, json!({ "other": 1 }))), Err(Rejection::ClaimsMalformed), "{depth}");
    }
    for wrong in [json!(null), json!(true), json!(7.5), json!([{}]), json!("text")] {
        for depth in 1..3 {
            let claim = nested(depth, wrong.clone());
            assert_eq!(roles(claim.clone()), Err(Rejection::ClaimsMalformed), "{claim}");
            assert_eq!(subject(claim.clone()), Err(Rejection::ClaimsMalformed), "{claim}");
        }
    }
    for wrong in
        [json!(null), json!(true), json!(7), json!({}), json!(["a", null]), json!(["a", 7]), json!([["a"]])]
    {
        assert_eq!(roles(nested(3, wrong.clone())), Err(Rejection::ClaimsMalformed), "{wrong}");
    }
    for wrong in [json!(null), json!(true), json!(7.5), json!({}), json!(["u7"])] {
        assert_eq!(subject(nested(3, wrong.clone())), Err(Rejection::ClaimsMalformed), "{wrong}");
    }
}

#[test]
fn an_issuer_grants_only_what_it_may() {
    let with = |grants| Issuer { claims: ClaimMapping { grants, ..ClaimMapping::default() }, ..issuer() };
    let roles =
        |grants| validate_as(&with(grants), json!({ "roles": ["admin", "chef"] })).unwrap().roles().to_vec();
    assert_eq!(roles(Grants::Any), ["admin", "chef"]);
    assert_eq!(roles(Grants::Prefixed("staff:".to_owned())), ["staff:admin", "staff:chef"]);
    assert_eq!(roles(Grants::Listed(vec!["chef".to_owned(), "rider".to_owned()])), ["chef"]);
}
