//! Policies that the core loads, and every place of the table in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use bearward_core::Policy;
use bearward_core::policy::fields::{DOCUMENT, Field, Object, Shape};
use bearward_core::problem::Problem;
use bearward_tests::vectors::file::File;
use bearward_tests::vectors::forge;
use serde_json::{Map, Value};
use xtask::workspace;

/// A field of a document, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) object: &'static Object,
    pub(super) field: &'static Field,
    /// A JSON pointer to the object.
    pub(super) parent: String,
    /// The field, as the core's problems name it.
    pub(super) path: String,
}

impl Place {
    /// A JSON pointer to the field.
    pub(super) fn pointer(&self) -> String {
        format!("{}/{}", self.parent, self.field.name)
    }

    pub(super) fn value<'d>(&self, document: &'d Value) -> &'d Value {
        document.pointer(&self.pointer()).unwrap()
    }

    /// The document with changed members of the object.
    pub(super) fn changed(&self, document: &Value, change: impl FnOnce(&mut Map<String, Value>)) -> Value {
        let mut document = document.clone();
        change(document.pointer_mut(&self.parent).unwrap().as_object_mut().unwrap());
        document
    }

    /// The document with another value in this place.
    pub(super) fn with(&self, document: &Value, value: Value) -> Value {
        self.changed(document, |members| drop(members.insert(self.field.name.to_owned(), value)))
    }
}

/// As often a field is looked at, in different documents or places.
const MAX_PLACES_OF_A_FIELD: usize = 4;

/// Places of every field of the table, each with the document that it is in.
///
/// # Panics
/// If there is a field that no shipped policy has.
pub(super) fn all() -> Vec<(Value, Place)> {
    let mut found: BTreeMap<(&str, &str), Vec<(Value, Place)>> = BTreeMap::new();
    for (_, document) in shipped() {
        let mut known = BTreeSet::new();
        for place in of(&document) {
            let field = (place.object.name, place.field.name);
            let places = found.entry(field).or_default();
            if places.len() < MAX_PLACES_OF_A_FIELD && known.insert(field) {
                places.push((document.clone(), place));
            }
        }
    }
    let lacking: Vec<_> = described().into_iter().filter(|field| !found.contains_key(field)).collect();
    assert_eq!(lacking, [], "fields that no vector, example or document has");
    found.into_values().flatten().collect()
}

/// Every policy of this repository that loads, with where it stands.
pub(super) fn shipped() -> Vec<(String, Value)> {
    let root = workspace::root();
    let vectors =
        File::all().into_iter().map(|file| (format!("vectors {}", file.name), forge::policy(&file)));
    let files = ["fuzz/policies", "examples"].into_iter().flat_map(|folder| files(&root.join(folder)));
    let files = files.map(|file| {
        let text = fs::read_to_string(&file).unwrap();
        let document: Value =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        (file.display().to_string(), document)
    });
    let envoy: Value = serde_saphyr::from_str(&fs::read_to_string(root.join("envoy.yaml")).unwrap()).unwrap();
    let envoy = policy_in(&envoy).expect("a policy in envoy.yaml").clone();
    let documents = ["README.md", "docs/policy.md"].into_iter().flat_map(|name| {
        let text = fs::read_to_string(root.join(name)).unwrap();
        let blocks: Vec<_> = text
            .split("```yaml\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap().to_owned())
            .collect();
        blocks.into_iter().map(move |block| (name.to_owned(), serde_saphyr::from_str(&block).unwrap()))
    });
    let all = vectors.chain(files).chain(documents).chain([("envoy.yaml".to_owned(), envoy)]);
    all.filter(|(_, document)| compile(document).is_ok()).collect()
}

/// Whether the core loads it, or what is wrong with it. Every variable has a secret.
pub(super) fn compile(document: &Value) -> Result<Policy, Vec<Problem>> {
    let compiled = Policy::compile(document, &|_| Some((b'!'..=b'~').collect()));
    compiled.map_err(|problems| problems.iter().cloned().collect())
}

/// The YAML and JSON files of a folder and of those below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let is_read =
        |path: &Path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "json");
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    paths.into_iter().flat_map(below).filter(|path| is_read(path)).collect()
}

fn policy_in(value: &Value) -> Option<&Value> {
    match value {
        Value::Object(members) if members.contains_key("issuers") => Some(value),
        Value::Object(members) => members.values().find_map(policy_in),
        Value::Array(items) => items.iter().find_map(policy_in),
        _ => None,
    }
}

/// Every field of the table, by object and name.
fn described() -> BTreeSet<(&'static str, &'static str)> {
    fn describe(shape: &Shape, found: &mut BTreeSet<(&'static str, &'static str)>) {
        match shape {
            Shape::Object(object) => {
                for field in object.fields {
                    found.insert((object.name, field.name));
                    describe(&field.shape, found);
                }
            }
            Shape::List { of, .. } | Shape::Map { of, .. } => describe(of, found),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    describe(&Shape::Object(&DOCUMENT), &mut found);
    found
}

fn of(document: &Value) -> Vec<Place> {
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
