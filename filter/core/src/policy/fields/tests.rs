//! The table against the readers: what it says of a field is what becomes of a document that holds it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::*;
use crate::policy::{Policy, Secrets};
use crate::problem::Problem;

/// A field of a document, and where it stands.
struct Place {
    object: &'static Object,
    field: &'static Field,
    /// A JSON pointer to the object.
    parent: String,
    /// As a problem names it.
    path: String,
}

/// Documents that between them hold every field of the table.
fn documents() -> [Value; 4] {
    let document = |issuer: Value, credential: Value, conditions: Value, header: Value| {
        json!({
            "version": 1,
            "issuers": { "own": issuer },
            "policies": [{
                "name": "api", "hosts": ["*"], "prefix": "/api", "issuers": ["own"], "mode": "observe",
                "credentials": [credential], "challenge": { "realm": "a", "resource_metadata": "https://a.test/m" },
                "cors_preflight": "allow",
                "rules": [{
                    "name": "all", "methods": ["GET"], "paths": ["/api/{id}/**"], "access": "authenticated",
                    "issuers": ["own"], "mode": "enforce", "when_stale": "reject",
                    "require": { "any_role": ["admin"], "all_roles": ["admin"], "claims": conditions },
                }],
            }],
            "mode": "observe",
            "credentials": [credential],
            "challenge": { "realm": "a", "resource_metadata": "https://a.test/m" },
            "paths": {
                "encoded_slash": "keep", "parameters": "keep", "non_canonical": "replace", "letters": "folded",
                "trailing_slash": "folded",
            },
            "forward": { "headers": { "x-id": header }, "token": "remove", "keep": ["x-original-url"] },
        })
    };
    let issuer = |algorithm: &str, keys: Value, claims: Value| {
        json!({
            "iss": "https://issuer.test", "audiences": ["api"], "algorithms": [algorithm], "token_types": ["at+jwt"],
            "leeway_seconds": 7, "keys": keys, "claims": claims, "accept_missing": ["aud"],
            "revocations": {
                "cluster": "c", "uri": "https://a.test/revocations/v1", "credential_env": "C", "keys": { "jwks": { "keys": [] } },
                "wait_seconds": 1, "stale_after_seconds": 77, "when_stale": "allow",
            },
        })
    };
    let with_list = |mut issuer: Value| {
        issuer.as_object_mut().unwrap().remove("revocations");
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "l1", "x": "gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q" });
        issuer["deny_list"] = json!({
            "cluster": "c", "uri": "https://a.test/deny.json", "credential_env": "C", "keys": { "jwks": { "keys": [key] } },
            "refresh_seconds": 7, "timeout_ms": 777, "stale_after_seconds": 77, "when_stale": "allow",
        });
        issuer
    };
    let remote = json!({ "cluster": "c", "uri": "https://a.test/jwks", "refresh_seconds": 77, "timeout_ms": 777, "wait_ms": 77 });
    [
        document(
            issuer(
                "RS256",
                json!({ "remote": remote }),
                json!({ "subject": ["id"], "roles": ["r"], "role_separator": "space" }),
            ),
            json!({ "header": "x-token", "scheme": "T" }),
            json!([{ "path": ["a"], "equals": 1 }]),
            json!({ "from": "subject" }),
        ),
        document(
            issuer("EdDSA", json!({ "jwks": { "keys": [] } }), json!({ "granted_roles": ["admin"] })),
            json!({ "cookie": "t", "allowed_origins": ["https://a.test"] }),
            json!([{ "path": ["a"], "one_of": [1, "a"] }, { "path": ["b"], "contains": true }]),
            json!({ "claim": ["a"] }),
        ),
        document(
            issuer("HS256", json!({ "secrets_env": ["S"] }), json!({ "role_prefix": "adm" })),
            json!({ "query": "t" }),
            json!([{ "path": ["a"], "equals_param": "id" }]),
            json!({ "from": "issuer" }),
        ),
        document(
            with_list(issuer("EdDSA", json!({ "jwks": { "keys": [] } }), json!({ "role_prefix": "adm" }))),
            json!({ "query": "t" }),
            json!([{ "path": ["a"], "equals_param": "id" }]),
            json!({ "from": "issuer" }),
        ),
    ]
}

fn places(document: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    of_object(&DOCUMENT, document, "", "", &mut found);
    found
}

fn of_object(object: &'static Object, value: &Value, pointer: &str, path: &str, found: &mut Vec<Place>) {
    for field in object.fields {
        if let Some(inner) = value.get(field.name) {
            let below = format!("{path}.{}", field.name).trim_start_matches('.').to_owned();
            found.push(Place { object, field, parent: pointer.to_owned(), path: below.clone() });
            of_shape(&field.shape, inner, &format!("{pointer}/{}", field.name), &below, found);
        }
    }
}

fn of_shape(shape: &'static Shape, value: &Value, pointer: &str, path: &str, found: &mut Vec<Place>) {
    match shape {
        Shape::Object(object) => of_object(object, value, pointer, path, found),
        Shape::List { of, .. } => {
            for (index, item) in value.as_array().unwrap().iter().enumerate() {
                of_shape(of, item, &format!("{pointer}/{index}"), &format!("{path}[{index}]"), found);
            }
        }
        Shape::Map { of, .. } => {
            for (name, item) in value.as_object().unwrap() {
                of_shape(of, item, &format!("{pointer}/{name}"), &format!("{path}.{name}"), found);
            }
        }
        _ => {}
    }
}

/// Runs the check on every field of every document.
fn for_each_place(check: impl Fn(&Value, &Place)) {
    for document in documents() {
        places(&document).iter().for_each(|place| check(&document, place));
    }
}

/// The document with changed members of the object that the place is in.
fn changed(document: &Value, place: &Place, change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut document = document.clone();
    change(document.pointer_mut(&place.parent).unwrap().as_object_mut().unwrap());
    document
}

fn with(document: &Value, place: &Place, value: &Value) -> Value {
    changed(document, place, |members| drop(members.insert(place.field.name.to_owned(), value.clone())))
}

fn compile(document: &Value) -> Result<Policy, Vec<Problem>> {
    let secrets: &Secrets<'_> = &|_| Some((b'!'..=b'~').collect());
    Policy::compile(document, secrets).map_err(|problems| problems.iter().cloned().collect())
}

/// Problems of the field, and of what is in it.
fn problems_of(document: &Value, path: &str) -> Vec<Problem> {
    let is_below = |own: &str| {
        own.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let all = compile(document).err().unwrap_or_default();
    all.into_iter().filter(|problem| is_below(&problem.path)).collect()
}

/// Beginnings of problems that a value has only because of what stands elsewhere in the document.
const OF_OTHERS: [&str; 4] = [
    "none of the issuers here may grant the role",
    "HS256, HS384 and HS512 go with `secrets_env`",
    "`stale_after_seconds` must be `wait_seconds` and",
    "`stale_after_seconds` must be `refresh_seconds` and",
];

/// Fields without which others have no meaning that stand elsewhere.
const NEEDED_ELSEWHERE: [&str; 2] = ["revocations", "deny_list"];

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// Values that a shape does not allow, each with what the problem must say.
fn wrong(shape: &Shape, example: &Value) -> Vec<(Value, String)> {
    let mut wrong = vec![(Value::Null, "has no value".to_owned())];
    let mut say = |value: Value, text: &str| wrong.push((value, text.to_owned()));
    match *shape {
        Shape::Text(text) => {
            say(json!(7), "must be a string, but is a number");
            say(json!(""), "must not be empty");
            if let Some(most) = text.max_bytes {
                say(json!(grown(example, most + 1)), "");
            }
        }
        Shape::Word(words) => {
            say(json!("no such word"), "");
            say(json!(true), "must be a string, but is true or false");
            assert!(!words.contains(&"no such word"));
        }
        Shape::Whole(least, most) => {
            let text = format!("must be a whole number from {least} to {most}");
            say(json!(i64::try_from(least).unwrap() - 1), &text);
            say(json!(most + 1), &text);
            say(json!(least as f64 + 0.5), &text);
            say(json!("1"), "must be a whole number");
        }
        Shape::Scalar { max_bytes, max_whole } => {
            say(json!(""), "must be a string of 1 to");
            say(json!("x".repeat(max_bytes + 1)), &max_bytes.to_string());
            say(json!(max_whole + 1), "must be a whole number");
            say(json!([]), "must be a string");
        }
        Shape::List { of, most, may_repeat } => {
            say(json!({}), "must be a list, but is an object");
            say(json!([]), "");
            say(Value::Array((0..=most).map(|index| json!(index)).collect()), &most.to_string());
            let item = &example[0];
            if !may_repeat {
                say(json!([item, item]), "stands in the list twice");
            }
            // `null` in a list is a value of the wrong type.
            self::wrong(of, item).into_iter().skip(1).for_each(|(value, text)| say(json!([value]), &text));
        }
        Shape::Map { least, most, .. } => {
            say(json!([]), "must be an object, but is a list");
            let many = |count: usize| (0..count).map(|index| (format!("a{index}"), json!({}))).collect();
            say(Value::Object(many(most + 1)), &most.to_string());
            if least > 0 {
                say(Value::Object(many(least - 1)), &least.to_string());
            }
            say(json!({ "": example.as_object().unwrap().values().next() }), "must be 1 to");
        }
        Shape::Object(_) => {
            say(json!([]), "must be an object, but is a list");
            say(json!({ "no_such_field": 1 }), "unknown field");
        }
        Shape::Standard { name, list, .. } => {
            say(json!([]), &format!("must be a {name}"));
            say(json!({}), &format!("the member `{list}` must be an array"));
            say(json!({ list: [1] }), "must be an object");
        }
    }
    wrong
}

/// The string made as long as this by repeating its last byte.
fn grown(text: &Value, bytes: usize) -> String {
    let text = text.as_str().unwrap();
    let last = text.chars().last().unwrap();
    text.chars().chain(std::iter::repeat(last)).take(bytes).collect()
}

fn is_bound(object: &Object, name: &str) -> bool {
    object.together.iter().any(|together| match together {
        Together::ExactlyOne(names) | Together::AtLeastOne(names) => names.contains(&name),
        Together::AtMostOne(_) => false,
        Together::Needs(_, other) => *other == name,
        Together::OnlyWhere(..) => false,
    })
}

/// The fields that some word of another forbids.
fn only_where(object: &Object) -> Vec<&'static str> {
    let fields = object.together.iter().filter_map(|together| match together {
        Together::OnlyWhere(name, ..) => Some(*name),
        _ => None,
    });
    fields.collect()
}

#[test]
fn the_documents_of_these_tests_are_right_and_hold_every_field() {
    let mut held = BTreeSet::new();
    for document in documents() {
        compile(&document).unwrap_or_else(|problems| panic!("{problems:#?}"));
        held.extend(places(&document).iter().map(|place| (place.object.name, place.field.name)));
    }
    let mut described = BTreeSet::new();
    fn describe(shape: &Shape, described: &mut BTreeSet<(&'static str, &'static str)>) {
        match shape {
            Shape::Object(object) => {
                for field in object.fields {
                    described.insert((object.name, field.name));
                    describe(&field.shape, described);
                }
            }
            Shape::List { of, .. } | Shape::Map { of, .. } => describe(of, described),
            _ => {}
        }
    }
    describe(&Shape::Object(&DOCUMENT), &mut described);
    assert_eq!(described.difference(&held).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new());
}

#[test]
fn what_the_shape_of_a_field_does_not_allow_is_a_problem_of_that_field() {
    for_each_place(|document, place| {
        for (value, text) in wrong(&place.field.shape, &parsed(place.field.example)) {
            let problems = problems_of(&with(document, place, &value), &place.path);
            let shown = value.to_string().chars().take(80).collect::<String>();
            assert!(
                problems.iter().any(|problem| problem.text.contains(&text)),
                "{} = {shown}: not `{text}` but {problems:#?}",
                place.path
            );
        }
    });
}

#[test]
fn what_is_just_within_the_bounds_of_a_field_is_no_problem_of_that_field() {
    for_each_place(|document, place| {
        let example = parsed(place.field.example);
        let values = match place.field.shape {
            Shape::Whole(least, most) => vec![json!(least), json!(most)],
            Shape::Text(Text { max_bytes: Some(most), .. }) => vec![json!(grown(&example, most))],
            Shape::Word(words) => words.iter().map(|word| json!(word)).collect(),
            Shape::Scalar { max_bytes, max_whole } => vec![json!("x".repeat(max_bytes)), json!(max_whole)],
            Shape::List { of: Shape::Word(words), .. } => words.iter().map(|word| json!([word])).collect(),
            _ => Vec::new(),
        };
        for value in values.iter().chain([&example]) {
            let mut problems = problems_of(&with(document, place, value), &place.path);
            problems.retain(|problem| !OF_OTHERS.iter().any(|text| problem.text.starts_with(text)));
            assert_eq!(problems, [], "{} = {value}", place.path);
        }
    });
}

#[test]
fn without_a_field_holds_what_the_table_says() {
    for_each_place(|document, place| {
        let name = place.field.name;
        let without = changed(document, place, |members| drop(members.remove(name)));
        match place.field.without {
            Without::Error(why) => {
                let problems = problems_of(&without, &place.path);
                assert_eq!(problems.len(), 1, "{}: {problems:#?}", place.path);
                assert_eq!(problems[0].text, format!("is missing: {why}"), "{}", place.path);
            }
            Without::ErrorUnless(why, Named { field, word }) => {
                let naming = |words: Value| {
                    changed(&without, place, |members| drop(members.insert(field.into(), words)))
                };
                let list = place.object.fields.iter().find(|other| other.name == field).unwrap();
                let Shape::List { of: Shape::Word(words), .. } = list.shape else { panic!("{field}") };
                let others: Vec<_> = words.iter().filter(|other| **other != word).collect();
                let problems = problems_of(&naming(json!(others)), &place.path);
                assert_eq!(problems[0].text, format!("is missing: {why}"), "{}", place.path);
                assert_eq!(problems_of(&naming(json!([word])), &place.path), [], "{}", place.path);
            }
            Without::Value(_) | Without::Whole(_) => {
                let default = match place.field.without {
                    Without::Value(value) => parsed(value),
                    Without::Whole(number) => json!(number),
                    _ => unreachable!(),
                };
                let absent = compile(&without).map(|policy| format!("{policy:?}"));
                let said = compile(&with(document, place, &default)).map(|policy| format!("{policy:?}"));
                assert_eq!(absent, said, "{}", place.path);
            }
            Without::Words(_) if is_bound(place.object, name) || NEEDED_ELSEWHERE.contains(&name) => {}
            Without::Words(_) => assert!(compile(&without).is_ok(), "{}", place.path),
        }
    });
}

#[test]
fn what_the_table_says_of_fields_together_holds() {
    for_each_place(|document, place| {
        for together in place.object.together {
            let remove = |names: &[&str]| {
                changed(document, place, |members| members.retain(|name, _| !names.contains(&name.as_str())))
            };
            let put_all = |names: &[&str]| {
                changed(document, place, |members| {
                    for field in place.object.fields.iter().filter(|field| names.contains(&field.name)) {
                        members.insert(field.name.to_owned(), parsed(field.example));
                    }
                })
            };
            let refused = match together {
                Together::ExactlyOne(names) => vec![remove(names), put_all(names)],
                Together::AtLeastOne(names) => vec![remove(names)],
                Together::AtMostOne(names) => vec![put_all(names)],
                Together::Needs(name, other) if place.field.name == *name => vec![remove(&[other])],
                Together::Needs(..) => Vec::new(),
                Together::OnlyWhere(name, other, allowed) => {
                    let field = place.object.fields.iter().find(|field| field.name == *other).unwrap();
                    let Shape::Word(words) = field.shape else { panic!("{other}") };
                    let others = words.iter().filter(|word| !allowed.contains(word));
                    let with_word = |word| {
                        changed(document, place, |members| {
                            members.insert((*other).to_owned(), json!(word));
                            members.retain(|own, _| {
                                own == name
                                    || own == other
                                    || !only_where(place.object).contains(&own.as_str())
                            });
                        })
                    };
                    for word in *allowed {
                        assert!(compile(&with_word(word)).is_ok(), "{}: {together:?}", place.path);
                    }
                    others.map(with_word).collect()
                }
            };
            for document in refused {
                assert!(compile(&document).is_err(), "{}: {together:?}", place.path);
            }
        }
    });
}
