//! The documentation: the policies in it compile, its reference is what the core's table says, and what it shows on a
//! console comes.

mod console;
mod reference;

use bearward_core::Policy;
use bearward_core::policy::fields::{DOCUMENT, Field, Shape, Text};
use bearward_tests::harness;
use serde_json::{Value, json};
use xtask::workspace;

use self::reference::Document;
pub(crate) use self::reference::for_each_object;

#[test]
fn every_policy_in_the_documentation_compiles() {
    let text = std::fs::read_to_string(workspace::root().join("docs/policy.md")).unwrap();
    let blocks: Vec<_> =
        text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 6, "{} examples", blocks.len());
    for block in blocks {
        let policy: Value = serde_saphyr::from_str(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
        let compiled = Policy::parse(policy.to_string().as_bytes(), &|_| None);
        assert!(compiled.is_ok(), "{}\n{block}", compiled.unwrap_err());
    }
}

#[test]
fn the_reference_in_the_documentation_is_what_the_table_of_fields_says() {
    let document = Document::read();
    let fresh = document.with_reference(&reference::text());
    if harness::is_blessing("policy") {
        fresh.write();
        return;
    }
    assert!(
        fresh == document,
        "docs/policy.md is not what filter/core/src/policy/fields says: `cargo xtask bless policy` writes it anew"
    );
}

#[test]
fn what_is_written_of_a_value_is_yaml_of_that_value() {
    for_each_object(&mut |_, object| {
        for field in object.fields {
            let example: Value = serde_json::from_str(field.example).unwrap();
            let written = reference::yaml(&example);
            assert_eq!(serde_saphyr::from_str::<Value>(&written).unwrap(), example, "{written}");
        }
    });
    for value in
        [json!("true"), json!("7"), json!("a: b"), json!(" a"), json!(""), json!({ "no": ["~", "-", "*"] })]
    {
        let written = reference::yaml(&value);
        assert_eq!(serde_saphyr::from_str::<Value>(&written).unwrap(), value, "{written}");
    }
}

#[test]
fn every_example_of_a_string_matches_the_pattern_that_its_field_gives() {
    let mut matched = 0;
    for_each_object(&mut |place, object| {
        for field in object.fields {
            matched += strings(field).iter().map(|(text, value)| matches(place, text, value)).sum::<usize>();
        }
    });
    assert!(matched >= 10, "{matched} strings were held against a pattern");
}

/// The strings in a field's example, each with what it may be; not those of objects that have fields of their own.
fn strings(field: &Field) -> Vec<(Text, Value)> {
    let example: Value = serde_json::from_str(field.example).unwrap();
    match field.shape {
        Shape::Text(text) => vec![(text, example)],
        Shape::List { of: Shape::Text(text), .. } => {
            example.as_array().unwrap().iter().map(|item| (*text, item.clone())).collect()
        }
        Shape::Map { names, .. } => {
            example.as_object().unwrap().keys().map(|name| (names, json!(name))).collect()
        }
        _ => Vec::new(),
    }
}

fn matches(place: &str, text: &Text, value: &Value) -> usize {
    let Some(pattern) = text.pattern else { return 0 };
    let schema = json!({ "pattern": pattern });
    assert!(jsonschema::is_valid(&schema, value), "{place}: {value} does not match {pattern}");
    assert!(!jsonschema::is_valid(&schema, &json!("\n")), "{place}: {pattern} matches anything");
    1
}

/// They are for people: the module would only carry them around.
#[test]
fn what_the_table_says_to_people_is_no_part_of_the_module() {
    let module = std::fs::read(harness::module()).unwrap();
    let holds = |text: &str| module.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("refresh_seconds"), "not even the names of fields are there: is this the module?");
    let Shape::Map { of: Shape::Object(issuer), .. } = DOCUMENT.fields[1].shape else { panic!("issuers") };
    for object in [&DOCUMENT, issuer] {
        for field in object.fields {
            assert!(!holds(field.about), "{}", field.about);
        }
    }
}
