//! The policies under which the fuzz targets run meet the whole language.

use std::collections::BTreeSet;

use bearward_core::policy::fields::{DOCUMENT, Field, Object, Shape, Without};
use bearward_fuzz::{gate, jwks};
use serde_json::Value;

/// A field, or a word that it may hold.
type Construct = (&'static str, &'static str, Option<&'static str>);

#[test]
fn every_construct_of_the_language_stands_in_some_policy_of_the_fuzz_targets() {
    let (mut known, mut met) = (BTreeSet::new(), BTreeSet::new());
    list(&DOCUMENT, &mut known);
    for gate in gate::all().iter().chain([jwks::gate()]) {
        meet(&Shape::Object(&DOCUMENT), &gate.document, &mut met);
    }
    let missing: Vec<_> = known.difference(&met).collect();
    assert!(missing.is_empty(), "add to fuzz/policies: {missing:?}");
}

/// All that there is, below an object, too.
fn list(object: &'static Object, known: &mut BTreeSet<Construct>) {
    for field in object.fields {
        known.insert((object.name, field.name, None));
        known.extend(words(field).map(|word| (object.name, field.name, Some(word))));
        let mut shape = &field.shape;
        while let Shape::List { of, .. } | Shape::Map { of, .. } = shape {
            shape = of;
        }
        if let Shape::Object(inner) = shape {
            list(inner, known);
        }
    }
}

/// What of it stands in a document.
fn meet(shape: &Shape, value: &Value, met: &mut BTreeSet<Construct>) {
    match (shape, value) {
        (Shape::List { of, .. }, Value::Array(items)) => items.iter().for_each(|item| meet(of, item, met)),
        (Shape::Map { of, .. }, Value::Object(members)) => {
            members.values().for_each(|member| meet(of, member, met));
        }
        (Shape::Object(object), Value::Object(members)) => {
            for field in object.fields {
                let Some(member) = members.get(field.name) else { continue };
                met.insert((object.name, field.name, None));
                met.extend(
                    words(field)
                        .filter(|word| member == word)
                        .map(|word| (object.name, field.name, Some(word))),
                );
                meet(&field.shape, member, met);
            }
        }
        _ => {}
    }
}

/// The words of a field, but for the one that holds anyway.
fn words(field: &'static Field) -> impl Iterator<Item = &'static str> {
    let words = match field.shape {
        Shape::Word(words) => words,
        _ => &[],
    };
    let holds_anyway =
        |word: &str| matches!(field.without, Without::Value(usual) if usual.trim_matches('"') == word);
    words.iter().copied().filter(move |word| !holds_anyway(word))
}
