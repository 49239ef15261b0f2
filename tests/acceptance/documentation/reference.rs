//! The reference in `docs/policy.md`: a table for each object, made of the core's description of the fields.

use std::fs;
use std::path::PathBuf;

use bearward_core::policy::fields::{DOCUMENT, Field, Named, Object, Shape, Text, Together, Without};
use serde_json::Value;
use xtask::workspace;

/// The reference stands between these two; what is around it is written by hand.
const BEGIN: &str =
    "<!-- Made of filter/core/src/policy/fields by `cargo xtask bless policy`; do not edit. -->\n";
const END: &str = "<!-- The end of what is made. -->\n";

/// `docs/policy.md`.
#[derive(PartialEq, Eq)]
pub(super) struct Document(String);

impl Document {
    pub(super) fn read() -> Self {
        Self(fs::read_to_string(path()).expect("docs/policy.md"))
    }

    /// The same with this between the marks.
    pub(super) fn with_reference(&self, reference: &str) -> Self {
        let parts =
            self.0.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let (before, after) = parts.expect("the marks around the reference");
        Self(format!("{before}{BEGIN}\n{reference}{END}{after}"))
    }

    pub(super) fn write(&self) {
        fs::write(path(), &self.0).expect("a writable folder `docs`");
    }
}

fn path() -> PathBuf {
    workspace::root().join("docs/policy.md")
}

/// Every object, each once, with the shortest way to a place where it may stand.
pub(crate) fn for_each_object(visit: &mut dyn FnMut(&str, &'static Object)) {
    for (places, object) in objects() {
        visit(&places[0], object);
    }
}

pub(super) fn text() -> String {
    let objects = objects();
    let mut text = String::new();
    for (places, object) in &objects {
        text += &section(places, object, &objects);
    }
    text
}

/// An object and the places where it may stand, the shortest way first.
type Placed = (Vec<String>, &'static Object);

fn objects() -> Vec<Placed> {
    let mut found = Vec::new();
    collect("", &DOCUMENT, &mut found);
    found
}

fn collect(place: &str, object: &'static Object, found: &mut Vec<Placed>) {
    // By its name: constants have no address of their own.
    if let Some((places, _)) = found.iter_mut().find(|(_, own)| own.name == object.name) {
        places.push(place.to_owned());
        places.sort_by_key(String::len);
        return;
    }
    found.push((vec![place.to_owned()], object));
    for field in object.fields {
        let below = format!("{place}.{}", field.name);
        within(below.trim_start_matches('.'), &field.shape, found);
    }
}

fn within(place: &str, shape: &'static Shape, found: &mut Vec<Placed>) {
    match shape {
        Shape::Object(object) => collect(place, object, found),
        Shape::List { of, .. } => within(&format!("{place}[]"), of, found),
        Shape::Map { of, .. } => within(&format!("{place}.NAME"), of, found),
        _ => {}
    }
}

fn section(places: &[String], object: &Object, objects: &[Placed]) -> String {
    let (first, others) = places.split_first().expect("a place");
    let mut text = format!("### {}\n\n{}", heading(first), object.about);
    if !others.is_empty() {
        let others: Vec<_> = others.iter().map(|place| format!("`{place}`")).collect();
        text += &format!(" Also {}.", others.join(", "));
    }
    for together in object.together {
        text += &format!(" {}", sentence(together));
    }
    text += "\n\n| field | value | without it | |\n|---|---|---|---|\n";
    for field in object.fields {
        text += &row(field, objects);
    }
    text + "\n"
}

fn heading(place: &str) -> String {
    if place.is_empty() { "The document".to_owned() } else { format!("`{place}`") }
}

fn sentence(together: &Together) -> String {
    let list = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match together {
        Together::ExactlyOne(names) => format!("Exactly one of {}.", list(names)),
        Together::AtLeastOne(names) => format!("At least one of {}.", list(names)),
        Together::AtMostOne(names) => format!("At most one of {}.", list(names)),
        Together::Needs(name, other) => format!("`{name}` only with `{other}`."),
        Together::OnlyWhere(name, other, words) => {
            let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            format!("`{name}` only where `{other}` is {}.", words.join(" or "))
        }
    }
}

fn row(field: &Field, objects: &[Placed]) -> String {
    let without = match field.without {
        Without::Error(_) => "an error".to_owned(),
        Without::ErrorUnless(_, Named { field, word }) => {
            format!("an error, unless `{field}` names `{word}`")
        }
        Without::Value(value) => format!("`{}`", yaml(&parsed(value))),
        Without::Whole(number) => format!("`{number}`"),
        Without::Words(words) => words.to_owned(),
    };
    let example = match field.shape {
        // Words are there already, and the table of an object has examples of its own.
        Shape::Object(_) | Shape::Word(_) => String::new(),
        Shape::List { of: Shape::Object(_), .. } | Shape::Map { of: Shape::Object(_), .. } => String::new(),
        _ => format!(" Example: `{}`", yaml(&parsed(field.example))),
    };
    let cells = [
        format!("`{}`", field.name),
        value(&field.shape, objects),
        without,
        format!("{}{example}", field.about),
    ];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

fn value(shape: &Shape, objects: &[Placed]) -> String {
    match shape {
        Shape::Text(text) => words(text),
        Shape::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Shape::Whole(least, most) if least == most => format!("`{least}`"),
        Shape::Whole(least, most) => format!("whole number, {least} to {most}"),
        Shape::Scalar { max_bytes, max_whole } => format!(
            "string of at most {max_bytes} bytes, whole number from -{max_whole} to {max_whole}, `true`, `false`"
        ),
        Shape::List { of, most, .. } => format!("list, 1 to {most} of: {}", value(of, objects)),
        Shape::Map { names, of, least, most } => {
            format!("object, {least} to {most} members; NAME: {}; each: {}", words(names), value(of, objects))
        }
        Shape::Object(object) => link(object, objects),
        Shape::Standard { name, clause, .. } => format!("{name} ({clause})"),
    }
}

fn words(text: &Text) -> String {
    match text.max_bytes {
        // Those that have a number in words say it already.
        Some(most) if !text.form.contains(&most.to_string()) => {
            format!("{}; at most {most} bytes", text.form)
        }
        _ => text.form.to_owned(),
    }
}

/// A link as GitHub makes the anchors of headings.
fn link(object: &Object, objects: &[Placed]) -> String {
    let (places, _) =
        objects.iter().find(|(_, own)| own.name == object.name).expect("an object of the table");
    let place = &places[0];
    let anchor: String = place
        .to_lowercase()
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_'))
        .collect();
    format!("[`{place}`](#{anchor})")
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// A value as people write it in YAML, on one line.
pub(super) fn yaml(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(yaml).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", yaml(&Value::String(name.clone())), yaml(value))
            };
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Whether a string needs no quotes: a few characters, and none of the words that mean something else.
fn is_plain(text: &str) -> bool {
    const OTHERS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "/._-+".contains(character))
        && !OTHERS.contains(&text.to_ascii_lowercase().as_str())
}
