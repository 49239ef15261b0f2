//! The schema, made of the core's table of fields.
//!
//! It never refuses what the core accepts. So where the two count differently it is the wider one: the core's bounds of
//! strings are bytes, those of a schema characters, of which there are never more; and a pattern may match more than the
//! reader takes (`policy/fields/text.rs`).

use bearward_core::policy::fields::{DOCUMENT, Field, Named, Object, Shape, Text, Together, Without};
use serde_json::Value;

use super::ordered::{Json, Members};

/// The dialect (JSON Schema 2020-12).
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Its own name: of the version of the policy language, and no address.
const ID: &str = "urn:bearward:policy:1";

/// The schema of the document.
pub(super) fn schema() -> Json {
    let objects = objects();
    let others = objects.iter().filter(|(_, object)| object.name != DOCUMENT.name);
    let definitions: Members = others
        .map(|(place, object)| {
            let named = Members::default().with("title", place.as_str()).with("description", object.about);
            (object.name.to_owned(), named.and(of_object(object)).into())
        })
        .collect();
    Members::default()
        .with("$schema", DIALECT)
        .with("$id", ID)
        .with("title", "Bearward's policy")
        .with("description", "Whom to trust and who gets where. What it does not name is refused.")
        .and(of_object(&DOCUMENT))
        .with("$defs", definitions)
        .into()
}

/// Every object once, in the order in which the table leads to them, with the shortest way there.
fn objects() -> Vec<(String, &'static Object)> {
    let mut found = Vec::new();
    collect(String::new(), &DOCUMENT, &mut found);
    found
}

fn collect(place: String, object: &'static Object, found: &mut Vec<(String, &'static Object)>) {
    if let Some((known, _)) = found.iter_mut().find(|(_, own)| own.name == object.name) {
        if place.len() < known.len() {
            *known = place;
        }
        return;
    }
    let below = |field: &Field| format!("{place}.{}", field.name).trim_start_matches('.').to_owned();
    let fields: Vec<_> = object.fields.iter().map(|field| (below(field), &field.shape)).collect();
    found.push((place, object));
    for (place, shape) in fields {
        within(place, shape, found);
    }
}

fn within(place: String, shape: &'static Shape, found: &mut Vec<(String, &'static Object)>) {
    match shape {
        Shape::Object(object) => collect(place, object, found),
        Shape::List { of, .. } => within(place + "[]", of, found),
        Shape::Map { of, .. } => within(place + ".NAME", of, found),
        Shape::Text(_)
        | Shape::Word(_)
        | Shape::Whole(..)
        | Shape::Scalar { .. }
        | Shape::Standard { .. } => {}
    }
}

fn of_object(object: &Object) -> Members {
    let properties: Members =
        object.fields.iter().map(|field| (field.name.to_owned(), of_field(field).into())).collect();
    let is_required = |field: &&Field| matches!(field.without, Without::Error(_));
    let required: Vec<_> = object.fields.iter().filter(is_required).map(|field| field.name).collect();
    let needs = object.together.iter().filter_map(|together| match together {
        Together::Needs(name, other) => Some(((*name).to_owned(), Json::from_iter([*other]))),
        _ => None,
    });
    let needs: Vec<_> = needs.collect();
    let conditions =
        object.fields.iter().filter_map(unless).chain(object.together.iter().filter_map(together));
    let conditions: Vec<_> = conditions.collect();
    Members::default()
        .with("type", "object")
        .with("properties", properties)
        .with("additionalProperties", false)
        .with_some("required", (!required.is_empty()).then(|| Json::from_iter(required)))
        .with_some("dependentRequired", (!needs.is_empty()).then(|| Members::from_iter(needs)))
        .with_some("allOf", (!conditions.is_empty()).then(|| Json::from_iter(conditions)))
}

fn of_field(field: &Field) -> Members {
    let default = match field.without {
        Without::Value(json) => Some(parsed(json)),
        Without::Whole(number) => Some(number.into()),
        Without::Error(_) | Without::ErrorUnless(..) | Without::Words(_) => None,
    };
    Members::default()
        .with("description", description(field))
        .and(of_shape(&field.shape))
        .with_some("default", default)
        .with("examples", Json::from_iter([parsed(field.example)]))
}

fn description(field: &Field) -> String {
    let form = match &field.shape {
        Shape::Text(Text { form, pattern: Some(_), .. }) => format!(" A {form}."),
        Shape::List { of: Shape::Text(Text { form, pattern: Some(_), .. }), .. } => {
            format!(" Each: {form}.")
        }
        Shape::Map { names: Text { form, pattern: Some(_), .. }, .. } => format!(" Each has a {form}."),
        Shape::Standard { name, clause, .. } => format!(" ({name}: {clause}.)"),
        _ => String::new(),
    };
    let without = match field.without {
        Without::Words(words) => format!(" Without it: {words}."),
        Without::ErrorUnless(_, Named { field, word }) => {
            format!(" It may only be left out where `{field}` names `{word}`.")
        }
        Without::Error(_) | Without::Value(_) | Without::Whole(_) => String::new(),
    };
    format!("{}{form}{without}", field.about)
}

/// Depth is that of the table.
fn of_shape(shape: &Shape) -> Members {
    let new = Members::default;
    match *shape {
        Shape::Text(text) => new().with("type", "string").and(of_text(text)),
        Shape::Word(words) => {
            new().with("type", "string").with("enum", Json::from_iter(words.iter().copied()))
        }
        Shape::Whole(least, most) if least == most => new().with("type", "integer").with("const", least),
        Shape::Whole(least, most) => {
            new().with("type", "integer").with("minimum", least).with("maximum", most)
        }
        // Each of the bounds is about values of one type and passes over the others.
        Shape::Scalar { max_bytes, max_whole } => new()
            .with("type", Json::from_iter(["string", "integer", "boolean"]))
            .with("minLength", 1_u64)
            .with("maxLength", max_bytes)
            .with("minimum", 0_i64.saturating_sub_unsigned(max_whole))
            .with("maximum", max_whole),
        Shape::List { of, most, may_repeat } => new()
            .with("type", "array")
            .with("items", of_shape(of))
            .with("minItems", 1_u64)
            .with("maxItems", most)
            .with_some("uniqueItems", (!may_repeat).then_some(true)),
        Shape::Map { names, of, least, most } => new()
            .with("type", "object")
            .with("propertyNames", of_text(names))
            .with("additionalProperties", of_shape(of))
            .with_some("minProperties", (least > 0).then_some(least))
            .with("maxProperties", most),
        Shape::Object(object) => new().with("$ref", format!("#/$defs/{}", object.name)),
        Shape::Standard { list, .. } => {
            let items = new().with("type", "array").with("items", new().with("type", "object"));
            new()
                .with("type", "object")
                .with("properties", new().with(list, items))
                .with("required", Json::from_iter([list]))
        }
    }
}

fn of_text(text: Text) -> Members {
    Members::default()
        .with("minLength", 1_u64)
        .with_some("maxLength", text.max_bytes)
        .with_some("pattern", text.pattern)
}

/// A field that is there, unless a list names it.
fn unless(field: &Field) -> Option<Json> {
    let Without::ErrorUnless(_, Named { field: list, word }) = field.without else { return None };
    let holds = Members::default().with("contains", Members::default().with("const", word));
    let named =
        Members::default().with("properties", Members::default().with(list, holds)).and(is_there(&[list]));
    Some(any_of([is_there(&[field.name]), named]))
}

/// What must hold between fields, but for what `dependentRequired` says.
fn together(together: &Together) -> Option<Json> {
    match *together {
        Together::ExactlyOne(names) => {
            let each = names.iter().map(|name| is_there(&[name]));
            Some(Members::default().with("oneOf", each.collect::<Json>()).into())
        }
        Together::AtLeastOne(names) => Some(any_of(names.iter().map(|name| is_there(&[name])))),
        Together::AtMostOne(names) => {
            let pairs = names.iter().enumerate().flat_map(|(index, one)| {
                names.iter().take(index).map(move |other| not(is_there(&[other, one])))
            });
            Some(Members::default().with("allOf", pairs.collect::<Json>()).into())
        }
        Together::Needs(..) => None,
        Together::OnlyWhere(name, other, words) => {
            // Where the other is not there, its default is what holds; the table says that it is one of these.
            let allowed = Members::default().with("enum", Json::from_iter(words.iter().copied()));
            let allowed = Members::default().with("properties", Members::default().with(other, allowed));
            Some(any_of([not(is_there(&[name])), allowed]))
        }
    }
}

fn any_of(schemas: impl IntoIterator<Item = Members>) -> Json {
    Members::default().with("anyOf", schemas.into_iter().collect::<Json>()).into()
}

fn not(schema: Members) -> Members {
    Members::default().with("not", schema)
}

fn is_there(names: &[&str]) -> Members {
    Members::default().with("required", Json::from_iter(names.iter().copied()))
}

/// A value of the table. All of them are JSON: the tests of the core read each.
fn parsed(json: &str) -> Json {
    serde_json::from_str::<Value>(json).map_or_else(|_| json.into(), Json::from)
}
