//! One field changed: in every way that the table says is wrong, and in ways of which it does not say it.

use bearward_core::policy::fields::{Named, Shape, Together, Without};
use serde_json::{Map, Value, json};

use super::places::Place;

/// A changed document.
pub(super) struct Mutation {
    pub(super) document: Value,
    /// What was changed, for people.
    pub(super) what: String,
    /// Whether the table says that it is wrong.
    pub(super) is_of_the_table: bool,
}

/// Texts that are fine in some fields and not in others.
const TEXTS: [&str; 22] = [
    "x",
    "X",
    "a.b",
    "a b",
    " a",
    "a ",
    "a,b",
    "é",
    "\u{1}",
    "*",
    "*.example.com",
    "/",
    "/a",
    "/a/{b}/**",
    "a/",
    "0",
    "{id}",
    "https://a.test",
    "http://a.test:8080/x?y",
    "https://",
    "https://a.test/#x",
    "https://u@a.test/",
];

/// Every change of the field in this place.
pub(super) fn of(document: &Value, place: &Place) -> Vec<Mutation> {
    let field = place.field;
    let mut all = Vec::new();
    let mut add = |document: Value, what: String, is_of_the_table: bool| {
        all.push(Mutation { document, what, is_of_the_table });
    };
    for value in wrong(&field.shape, place.value(document)) {
        add(place.with(document, value.clone()), shortened(&value), true);
    }
    for value in open(&field.shape, place.value(document)) {
        add(place.with(document, value.clone()), shortened(&value), false);
    }
    add(
        place.changed(document, |members| drop(members.insert("no_such_field".to_owned(), json!(1)))),
        "and an unknown one".to_owned(),
        true,
    );
    let is_needed = match field.without {
        Without::Error(_) => true,
        Without::ErrorUnless(_, Named { field: list, word }) => {
            let parent = document.pointer(&place.parent).unwrap();
            !parent[list].as_array().is_some_and(|words| words.contains(&json!(word)))
        }
        _ => false,
    };
    add(
        place.changed(document, |members| drop(members.remove(field.name))),
        "left out".to_owned(),
        is_needed,
    );
    for together in place.object.together {
        for change in violations(together, place) {
            let changed = place.changed(document, |members| change(members));
            if changed != *document {
                add(changed, format!("against {together:?}"), true);
            }
        }
    }
    all
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

/// Values that the shape of a field does not allow.
fn wrong(shape: &Shape, value: &Value) -> Vec<Value> {
    let types = [json!(null), json!(true), json!(7), json!(0.5), json!("x"), json!([]), json!({})];
    let is_of_its_type = |other: &Value| match shape {
        Shape::Text(_) | Shape::Word(_) => other.is_string(),
        Shape::Whole(..) => other.is_u64(),
        Shape::Scalar { .. } => other.is_string() || other.is_u64() || other.is_boolean(),
        Shape::List { .. } => other.is_array(),
        Shape::Map { .. } | Shape::Object(_) | Shape::Standard { .. } => other.is_object(),
    };
    let mut wrong: Vec<_> = types.into_iter().filter(|other| !is_of_its_type(other)).collect();
    match *shape {
        Shape::Text(text) => {
            wrong.push(json!(""));
            wrong.extend(text.max_bytes.map(|most| json!("x".repeat(most + 1))));
        }
        Shape::Word(words) => {
            wrong.extend([json!(""), json!("no such word"), json!(words[0].to_owned() + " ")]);
        }
        Shape::Whole(least, most) => {
            wrong.extend([
                json!(i64::try_from(least).unwrap() - 1),
                json!(most + 1),
                json!(least as f64 + 0.5),
            ]);
        }
        Shape::Scalar { max_bytes, max_whole } => {
            let least = -i64::try_from(max_whole).unwrap() - 1;
            wrong.extend([json!(""), json!("x".repeat(max_bytes + 1)), json!(max_whole + 1), json!(least)]);
        }
        Shape::List { of, most, may_repeat } => {
            let item = &value[0];
            wrong.extend([
                json!([]),
                Value::Array((0..=most).map(|number| json!(number.to_string())).collect()),
            ]);
            if !may_repeat {
                wrong.push(json!([item, item]));
            }
            wrong.extend(self::wrong(of, item).into_iter().map(|item| json!([item])));
        }
        Shape::Map { names, of, least, most } => {
            let item = value.as_object().unwrap().values().next();
            let many = (0..=most).map(|number| (format!("a{number}"), item.cloned().unwrap_or_default()));
            wrong.push(Value::Object(many.collect()));
            wrong.extend((least > 0).then(|| json!({})));
            let name = "x".repeat(names.max_bytes.unwrap() + 1);
            wrong.extend([json!({ "": item }), json!({ (name): item })]);
            wrong.extend(self::wrong(of, &json!(item)).into_iter().map(|item| json!({ "a": item })));
        }
        Shape::Object(_) => wrong.push(json!({ "no_such_field": 1 })),
        Shape::Standard { list, .. } => {
            wrong.extend([json!({}), json!({ (list): {} }), json!({ (list): [1] })]);
        }
    }
    wrong
}

/// Values of which the table does not say that they are wrong.
fn open(shape: &Shape, value: &Value) -> Vec<Value> {
    match *shape {
        Shape::Text(text) => {
            // As many bytes as there may be, in as many characters and in fewer.
            let longest =
                text.max_bytes.into_iter().flat_map(|most| ["x".repeat(most), "é".repeat(most / 2)]);
            TEXTS.iter().map(|text| json!(text)).chain(longest.map(|text| json!(text))).collect()
        }
        Shape::Word(words) => words.iter().map(|word| json!(word)).collect(),
        Shape::Whole(least, most) => vec![json!(least), json!(most), json!(least as f64), json!(most as f64)],
        Shape::Scalar { max_bytes, max_whole } => vec![
            json!("é".repeat(max_bytes / 2)),
            json!(max_whole),
            json!(-i64::try_from(max_whole).unwrap()),
            json!(1.0),
            json!(-0.0),
            json!(true),
        ],
        Shape::List { of, .. } => {
            let single = open(of, &value[0]);
            let mut lists: Vec<_> = single.iter().map(|item| json!([item])).collect();
            lists.extend(single.iter().zip(single.iter().skip(1)).map(|(one, other)| json!([one, other])));
            lists.extend([json!([1, 1.0]), json!([value[0], value[0]]), json!([1, "1", true])]);
            lists
        }
        Shape::Map { .. } => {
            let item = value.as_object().unwrap().values().next();
            TEXTS.iter().map(|text| json!({ (*text): item })).collect()
        }
        Shape::Object(_) => vec![json!({})],
        Shape::Standard { list, .. } => vec![json!({ (list): [] }), json!({ (list): [{}], "x": 1 })],
    }
}

type Change = Box<dyn Fn(&mut Map<String, Value>)>;

/// Changes after which the fields of an object do not go together.
fn violations(together: &'static Together, place: &Place) -> Vec<Change> {
    let fields = place.object.fields;
    let remove = |names: &'static [&'static str]| -> Change {
        Box::new(move |members| members.retain(|name, _| !names.contains(&name.as_str())))
    };
    let put_all = |names: &'static [&'static str]| -> Change {
        Box::new(move |members| {
            for field in fields.iter().filter(|field| names.contains(&field.name)) {
                members.insert(field.name.to_owned(), serde_json::from_str(field.example).unwrap());
            }
        })
    };
    match together {
        Together::ExactlyOne(names) => vec![remove(names), put_all(names)],
        Together::AtLeastOne(names) => vec![remove(names)],
        Together::AtMostOne(names) => vec![put_all(names)],
        Together::Needs(name, other) if place.field.name == *name => {
            vec![Box::new(move |members| drop(members.remove(*other)))]
        }
        Together::Needs(..) => Vec::new(),
        Together::OnlyWhere(name, other, allowed) if place.field.name == *name => {
            let field = fields.iter().find(|field| field.name == *other).unwrap();
            let Shape::Word(words) = field.shape else { panic!("{other}") };
            let change = |word: &'static str| -> Change {
                Box::new(move |members| drop(members.insert((*other).to_owned(), json!(word))))
            };
            words.iter().filter(|word| !allowed.contains(word)).map(|word| change(word)).collect()
        }
        Together::OnlyWhere(..) => Vec::new(),
    }
}
