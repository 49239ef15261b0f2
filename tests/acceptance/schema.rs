//! `bearward schema`: it is made of the table, takes whatever the core takes, and refuses what it can know to be wrong.

mod mutations;
mod places;

use std::fs;
use std::process::{Command, Output};

use bearward_core::policy::fields::{DOCUMENT, Object, Shape, Without};
use bearward_tests::harness::{self, program};
use bearward_tests::note::note;
use bearward_tests::vectors::refused::RefusedFile;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use xtask::directory::TemporaryDirectory;
use xtask::workspace;

use self::mutations::Mutation;
use crate::documentation::for_each_object;

fn run(arguments: &[&str]) -> Output {
    Command::new(program("bearward")).arg("schema").args(arguments).output().unwrap()
}

fn text() -> String {
    let output = run(&[]);
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
    String::from_utf8(output.stdout).unwrap()
}

fn schema() -> Value {
    serde_json::from_str(&text()).unwrap()
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema()).unwrap()
}

fn errors(validator: &Validator, document: &Value) -> Vec<String> {
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_schema_is_one_of_the_newest_dialect_with_a_name_that_is_no_address() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["$id"], "urn:bearward:policy:1");
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
}

#[test]
fn the_schema_is_the_same_bytes_each_time_and_in_a_file() {
    let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
    let file = directory.path().join("policy.schema.json");
    let output = run(&["--output", file.to_str().unwrap()]);
    assert_eq!((output.status.code(), output.stdout), (Some(0), Vec::new()));
    assert_eq!(fs::read_to_string(&file).unwrap(), text());
    assert_eq!(text(), text());
    let nowhere = directory.path().join("nowhere/policy.schema.json");
    let output = run(&["--output", nowhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere/policy.schema.json: "));
    assert_eq!(run(&["policy.yaml"]).status.code(), Some(2));
}

#[test]
fn the_schema_in_the_documentation_is_the_one_that_the_command_prints() {
    let file = workspace::root().join("docs/policy.schema.json");
    if harness::is_blessing("schema") {
        fs::write(&file, text()).unwrap();
        return;
    }
    assert!(
        fs::read_to_string(&file).is_ok_and(|kept| kept == text()),
        "docs/policy.schema.json is not what filter/core/src/policy/fields says: `cargo xtask bless schema` writes it anew"
    );
}

#[test]
fn the_help_tells_editors_where_to_find_the_schema() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    assert!(help.contains("# yaml-language-server: $schema=policy.schema.json"), "{help}");
}

#[test]
fn every_policy_that_the_core_loads_and_that_stands_in_this_repository_is_valid() {
    let validator = validator();
    let shipped = places::shipped();
    for (name, document) in &shipped {
        assert_eq!(errors(&validator, document), Vec::<String>::new(), "{name}");
    }
    assert!(shipped.len() >= 30, "{} policies", shipped.len());
    note(&format!("policies that the schema takes, as the core does: {}", shipped.len()));
}

/// The part of the schema that is about a field.
fn of_field(schema: &Value, object: &Object, field: &str) -> Validator {
    let place = if object.name == DOCUMENT.name { schema } else { &schema["$defs"][object.name] };
    let mut own = place["properties"][field].clone();
    assert!(own.is_object(), "{}: {field}", object.name);
    own["$defs"] = schema["$defs"].clone();
    jsonschema::validator_for(&own).unwrap()
}

#[test]
fn every_field_has_its_description_its_default_and_an_example_that_is_valid_there() {
    let schema = schema();
    for_each_object(&mut |place, object| {
        let own = if object.name == DOCUMENT.name { &schema } else { &schema["$defs"][object.name] };
        assert!(
            !own["title"].as_str().unwrap().is_empty() && !own["description"].as_str().unwrap().is_empty()
        );
        assert_eq!(own["properties"].as_object().unwrap().len(), object.fields.len(), "{place}");
        for field in object.fields {
            let property = &own["properties"][field.name];
            assert!(
                property["description"].as_str().unwrap().starts_with(field.about),
                "{place} {}",
                field.name
            );
            let default = match field.without {
                Without::Value(value) => serde_json::from_str(value).unwrap(),
                Without::Whole(number) => json!(number),
                _ => Value::Null,
            };
            assert_eq!(property["default"], default, "{place} {}", field.name);
            let examples = property["examples"].as_array().unwrap();
            assert_eq!(examples, &[serde_json::from_str::<Value>(field.example).unwrap()]);
            let validator = of_field(&schema, object, field.name);
            for value in examples.iter().chain(property.get("default")) {
                assert_eq!(errors(&validator, value), Vec::<String>::new(), "{place} {}", field.name);
            }
        }
    });
}

/// What is only wrong because of something else in the document, or by what no pattern of a schema says: how the core's
/// problems begin, or what they hold.
const OF_THE_CORE_ALONE: [&str; 40] = [
    "`stale_after_seconds` must be `wait_seconds` and",
    "`stale_after_seconds` must be `refresh_seconds` and",
    "an issuer with a deny list needs `iss`",
    "exclude each other",
    "holds no key, so no list",
    "an issuer with a feed has tokens with `iss`",
    "must have no query",
    "none of the issuers here has `revocations`",
    "HS256, HS384 and HS512 go with `secrets_env`",
    "`authorization` needs a `scheme`",
    "with several issuers each needs",
    "a header `{ from: issuer }`",
    "a path outside the policy's `prefix` can never match",
    "a rule can only narrow its policy's `issuers`",
    "a secret is for one algorithm",
    "another key of the set",
    "both accept tokens without `iss`",
    "can never match",
    "cannot carry identity",
    "cannot hold a token",
    "could both grant",
    "every path of the rule needs the parameter",
    "goes with one issuer",
    "is not one of the `issuers`",
    "keys that no network brings",
    "may be used for several",
    "must be a plain path",
    "must be an origin",
    "must be `*`, `*.example.com` or a host name",
    "must begin with",
    "must have no port and no dot at its end",
    "kty: is missing",
    "names the same place as an earlier one",
    "no token has the role",
    "none of its",
    "none of the issuers here may grant the role",
    "the roles of this issuer are only what it may grant",
    "two policies are called",
    "would hold roles",
    "has `",
];

#[test]
fn core_and_schema_agree_on_every_change_of_one_field_as_far_as_a_schema_can_know() {
    let validator = validator();
    let (mut agreed, mut alone, mut wrong) = (0, 0, Vec::new());
    for (document, place) in places::all() {
        for Mutation { document: mutant, what, is_of_the_table } in mutations::of(&document, &place) {
            let found = places::compile(&mutant).err();
            let refused = errors(&validator, &mutant);
            match (&found, refused.is_empty()) {
                (None, true) | (Some(_), false) => agreed += 1,
                (None, false) => {
                    wrong.push(format!("{} {what}: the schema refuses what loads: {refused:?}", place.path));
                }
                (Some(problems), true) => {
                    let is_known = |text: &str| OF_THE_CORE_ALONE.iter().any(|known| text.contains(known));
                    let unknown: Vec<_> =
                        problems.iter().filter(|problem| !is_known(&problem.to_string())).collect();
                    alone += 1;
                    if is_of_the_table || !unknown.is_empty() {
                        wrong.push(format!(
                            "{} {what}: the schema takes it, the core says {problems:?}",
                            place.path
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    note(&format!("changes of one field: core and schema agree on {agreed}, {alone} only the core can know"));
}

/// `issuers.own.audiences[1]` as a JSON pointer.
fn pointer(path: &str) -> String {
    path.replace('[', ".")
        .replace(']', "")
        .split('.')
        .fold(String::new(), |pointer, step| format!("{pointer}/{step}"))
}

/// Whether the schema names the place that a mistake is about, or, of what it stands in, its name.
fn is_found(errors: &[ValidationError<'_>], says: &str) -> bool {
    let (path, text) = says.split_once(": ").unwrap();
    let pointer = pointer(path);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let names_it = |error: &ValidationError<'_>| match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.iter().any(|own| own == name),
        ValidationErrorKind::Required { property } => property == name,
        ValidationErrorKind::PropertyNames { error } => error.instance().as_str() == Some(name),
        // What is missing unless a list names it.
        ValidationErrorKind::AnyOf { .. } => text.starts_with("is missing"),
        _ => false,
    };
    errors.iter().any(|error| {
        let place = error.instance_path().to_string();
        place == pointer || (place == parent && names_it(error))
    })
}

/// What a schema is there to find: fields and their values, each by itself. That policies contradict themselves or each
/// other it cannot know.
#[test]
fn the_schema_finds_the_mistakes_of_the_vectors_that_are_those_of_one_field() {
    let validator = validator();
    let (mut all, mut found) = (0, 0);
    for file in RefusedFile::all() {
        let policy = file.policy();
        let errors: Vec<_> = validator.iter_errors(&policy).collect();
        let (known, unknown): (Vec<_>, Vec<_>) =
            file.mistakes.iter().partition(|mistake| is_found(&errors, &mistake.says));
        all += file.mistakes.len();
        found += known.len();
        if file.name == "fields" {
            let unknown: Vec<_> = unknown.iter().map(|mistake| mistake.says.as_str()).collect();
            assert!(known.len() * 10 >= file.mistakes.len() * 9, "{unknown:#?}");
        }
        note(&format!(
            "mistakes that the schema finds: {} {} of {}",
            file.name,
            known.len(),
            file.mistakes.len()
        ));
    }
    note(&format!("mistakes that the schema finds: {found} of {all}"));
}

/// Texts of every kind that some field takes, and such that none does.
fn strings() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9_-]{0,70}",
        "[A-Z_][A-Z0-9_]{0,12}",
        "(\\*\\.)?[a-zA-Z0-9.:_\\[\\]-]{0,20}",
        "(/([a-z{}*%~._-]{0,6}|\\{[a-z_]{1,4}\\}|\\*)){0,4}(/\\*\\*)?",
        "https?://[a-z0-9.:\\[\\]-]{0,12}(:[0-9]{1,5})?([/?][!-~]{0,12})?",
        "https?://[ -~]{0,16}",
        "[ -~]{0,40}",
        "\\PC{0,40}",
        ".{0,8}",
        "\\PC{100,140}",
    ]
}

/// What values are made of.
type Seeds = (Vec<String>, Vec<u64>, Vec<Value>);

/// Texts, numbers, and what stands in other places.
fn seeds(pool: Vec<Value>) -> impl Strategy<Value = Seeds> {
    let number = prop_oneof![any::<u64>(), 0..400_u64, 0..20_000_u64];
    (
        prop::collection::vec(strings(), 1..4),
        prop::collection::vec(number, 1..4),
        prop::collection::vec(prop::sample::select(pool), 1..3),
    )
}

/// A value of the shape, or nearly so.
fn value(shape: &Shape, old: &Value, (texts, numbers, others): &Seeds) -> Value {
    let (text, number) = (json!(texts[0]), numbers[0]);
    match shape {
        Shape::Text(_) => text,
        Shape::Word(words) => json!(words[number as usize % words.len()]),
        Shape::Whole(..) if number % 3 == 0 => json!(number as f64),
        Shape::Whole(..) => json!(number),
        Shape::Scalar { .. } => match number % 4 {
            0 => json!(number),
            1 => json!(-(number as f64)),
            2 => json!(number % 3 == 0),
            _ => text,
        },
        Shape::List { of: Shape::Object(_), .. } | Shape::Object(_) | Shape::Standard { .. } => {
            others[0].clone()
        }
        Shape::List { of, .. } => {
            let item = |(index, text): (usize, &String)| {
                let number = numbers[index % numbers.len()];
                value(of, old, &(vec![text.clone()], vec![number], others.clone()))
            };
            texts.iter().enumerate().map(item).collect()
        }
        Shape::Map { .. } => {
            let entry = old.as_object().and_then(|members| members.values().next());
            texts.iter().map(|name| (name.clone(), json!(entry))).collect()
        }
    }
}

/// The promise that a schema makes: red in an editor is red in the filter. Problems that the core has elsewhere do not
/// excuse an error of the schema in a place where it has none.
#[test]
fn whatever_is_written_in_a_field_the_schema_refuses_nothing_there_that_the_core_takes() {
    let validator = validator();
    let places = places::all();
    let pool: Vec<_> = places.iter().map(|(document, place)| place.value(document).clone()).collect();
    let strategy = (any::<prop::sample::Index>(), seeds(pool));
    let mut runner = TestRunner::new(ProptestConfig { cases: cases(), ..ProptestConfig::default() });
    let counts = std::cell::Cell::new((0_u32, 0_u32));
    let result = runner.run(&strategy, |(at, seeds)| {
        let (document, place) = at.get(&places);
        let changed = place.with(document, value(&place.field.shape, place.value(document), &seeds));
        let problems = places::compile(&changed).err().unwrap_or_default();
        let is_in = |own: &str| {
            own.strip_prefix(&place.path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let is_taken =
            problems.iter().all(|problem| !is_in(&problem.path) && problem.path != parent(&place.path));
        let (good, bad) = counts.get();
        counts.set(if is_taken { (good + 1, bad) } else { (good, bad + 1) });
        let at = place.pointer();
        let errors = errors(&validator, &changed);
        let own: Vec<_> = errors.iter().filter(|error| error.starts_with(&at)).collect();
        prop_assert!(
            !is_taken || own.is_empty(),
            "{} = {}: {own:?}, the core {problems:?}",
            place.path,
            place.value(&changed)
        );
        prop_assert!(
            !problems.is_empty() || errors.is_empty(),
            "{} = {}: {errors:?}",
            place.path,
            place.value(&changed)
        );
        Ok(())
    });
    let (taken, refused) = counts.get();
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(taken * 10 > refused, "{taken} were taken and {refused} refused: nothing was asked");
    note(&format!(
        "values by chance: the core takes {taken} in their place and the schema, too; it refuses {refused}"
    ));
}

fn cases() -> u32 {
    if harness::is_longer_run() { 40_000 } else { 4_000 }
}

/// The object that a field stands in, as the core names it.
fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(parent, _)| parent)
}
