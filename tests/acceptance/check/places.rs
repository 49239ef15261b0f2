//! Where a problem stands.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Checked, plain};

/// A policy that uses most of the language.
fn policy() -> Value {
    json!({
        "version": 1,
        "mode": "enforce",
        "issuers": {
            "own": {
                "iss": "https://issuer.example.com/", "audiences": ["api", "other"], "algorithms": ["EdDSA", "ES256"],
                "token_types": ["at+jwt"], "leeway_seconds": 30,
                "keys": { "remote": { "cluster": "issuer", "uri": "https://issuer.example.com/jwks.json", "wait_ms": 0 } },
                "claims": { "subject": ["sub"], "roles": ["realm", "roles"], "granted_roles": ["admin", "rider"] },
            },
            "staff": {
                "iss": "https://staff.example.com/", "audiences": ["api"], "algorithms": ["EdDSA"],
                "token_types": ["at+jwt"], "keys": { "jwks": { "keys": [] } }, "claims": { "role_prefix": "staff:" },
            },
        },
        "credentials": [
            { "header": "authorization", "scheme": "Bearer" },
            { "cookie": "token", "allowed_origins": ["https://app.example.com"] },
        ],
        "challenge": { "realm": "api" },
        "paths": { "letters": "exact" },
        "policies": [
            {
                "name": "orders", "hosts": ["*"], "prefix": "/orders", "issuers": ["own", "staff"], "cors_preflight": "allow",
                "rules": [
                    { "name": "list", "methods": ["GET"], "paths": ["/orders"], "access": "optional" },
                    { "name": "own", "issuers": ["own"], "paths": ["/orders/{id}", "/orders/{id}/**"], "require": {
                        "any_role": ["rider"], "claims": [{ "path": ["tenant"], "equals": "a" }],
                    } },
                ],
            },
            { "name": "menu", "hosts": ["*"], "prefix": "/menu", "issuers": ["own"], "rules": [
                { "name": "all", "paths": ["/menu/**"], "access": "public" },
            ] },
        ],
        "forward": { "headers": { "x-user-id": { "from": "subject" }, "x-user-issuer": { "from": "issuer" } }, "token": "keep" },
    })
}

/// Every field of a document, and its path as the core writes it. What is in a JWK Set is not the policy's own.
fn fields(value: &Value, path: &str, pointer: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let pointer = format!("{pointer}/{name}");
                found.push((path.clone(), pointer.clone()));
                if name != "jwks" {
                    fields(member, &path, &pointer, found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let (path, pointer) = (format!("{path}[{index}]"), format!("{pointer}/{index}"));
                found.push((path.clone(), pointer.clone()));
                fields(item, &path, &pointer, found);
            }
        }
        _ => {}
    }
}

/// Writes a document as YAML in a layout by chance: each value in block style or in flow style, on one line or several.
struct Writer<'c> {
    choices: &'c mut dyn Iterator<Item = u8>,
    text: String,
}

impl Writer<'_> {
    fn chance(&mut self) -> bool {
        self.choices.next().is_some_and(|choice| choice % 3 == 0)
    }

    /// The value after a name or a dash.
    fn value(&mut self, value: &Value, indent: usize) {
        let is_empty = match value {
            Value::Object(members) => members.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => true,
        };
        if is_empty || self.chance() {
            let flow = if self.chance() {
                format!("{value:#}").replace('\n', &format!("\n{:indent$}", ""))
            } else {
                value.to_string()
            };
            self.text.push_str(&format!(" {flow}"));
            if self.chance() {
                self.text.push_str("   # why: because");
            }
            self.text.push('\n');
        } else {
            self.text.push('\n');
            self.block(value, indent);
        }
    }

    fn block(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if self.chance() {
                        self.text.push_str("\n# \u{e4} comment\n");
                    }
                    let name = if self.chance() { json!(name).to_string() } else { name.clone() };
                    self.text.push_str(&format!("{:indent$}{name}:", ""));
                    self.value(member, indent + 2);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.text.push_str(&format!("{:indent$}-", ""));
                    self.value(item, indent + 2);
                }
            }
            other => panic!("{other} is no block"),
        }
    }
}

/// The document in the form of this number.
fn written(document: &Value, form: u8, choices: &[u8]) -> Checked {
    let margin = |text: &str, indent: usize| {
        text.lines().map(|line| format!("{:indent$}{line}\n", "")).collect::<String>()
    };
    match form % 4 {
        0 => Checked::file("policy.json", format!("{document:#}\n")),
        1 => Checked::file("policy.json", document.to_string()),
        2 => {
            let string = "type.googleapis.com/google.protobuf.StringValue";
            let head = format!(
                "config:\n  name: bearward\n  failure_policy: FAIL_RELOAD\n  vm_config: {{ vm_id: own }}\n  configuration:\n    \"@type\": {string}\n    value: |\n"
            );
            Checked::file("part.yaml", head + &margin(&format!("{document:#}"), 6))
        }
        _ => {
            let mut choices = choices.iter().copied();
            let mut writer = Writer { choices: &mut choices, text: String::new() };
            writer.block(document, 0);
            Checked::file("policy.yaml", writer.text)
        }
    }
}

#[test]
fn the_policy_that_is_broken_here_is_whole_before() {
    let report = written(&policy(), 0, &[]).report(&[]);
    assert!(report.problems().is_empty(), "{:#}", report.report);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_single_field_is_broken_its_own_line_is_named(
        which in any::<prop::sample::Index>(), form: u8, choices in prop::collection::vec(any::<u8>(), 200),
    ) {
        let mut document = policy();
        let mut all = Vec::new();
        fields(&document, "", "", &mut all);
        let (path, pointer) = which.get(&all);
        // Nothing has no value: it is wrong wherever it stands, and stands in the document nowhere else.
        *document.pointer_mut(pointer).unwrap() = Value::Null;
        let checked = written(&document, form, &choices);
        let report = checked.report(&[]);
        prop_assert_eq!(report.status, Some(1));
        let found = report.problems().iter().find(|problem| problem["path"] == *path);
        prop_assert!(found.is_some(), "{}: {:#}", path, report.report);
        prop_assert_eq!(found.unwrap()["line"].as_u64().unwrap(), checked.line_of("null"), "{}\n{}", path, checked.text);
    }

    #[test]
    fn whatever_field_is_misspelled_its_own_place_is_named(
        which in any::<prop::sample::Index>(), form: u8, choices in prop::collection::vec(any::<u8>(), 200),
    ) {
        let mut document = policy();
        let mut all = Vec::new();
        fields(&document, "", "", &mut all);
        // Names of the user's own cannot be misspelled.
        let objects: Vec<_> = all.iter().filter(|(path, pointer)| {
            document.pointer(pointer).unwrap().is_object() && !["issuers", "forward.headers"].contains(&path.as_str()) && !path.ends_with(".jwks")
        }).collect();
        let (path, pointer) = which.get(&objects);
        document.pointer_mut(pointer).unwrap()["o'dd.na[0]me"] = json!(1);
        let checked = written(&document, form, &choices);
        let (line, column) = checked.report(&[]).place_of(&format!("{path}.o\\'dd.na[0]me"));
        prop_assert_eq!(line, checked.line_of("o'dd.na[0]me"));
        let text = checked.text.lines().nth(line as usize - 1).unwrap();
        let pointed: String = text.chars().skip(column as usize - 1).collect();
        prop_assert!(pointed.trim_start_matches('"').starts_with("o'dd.na[0]me"), "{}", pointed);
    }
}

#[test]
fn a_field_that_is_missing_is_named_where_its_object_stands() {
    let checked = Checked::setup(
        &plain()
            .edit("- { name: orders, methods: [GET, POST],", "- { methods: [GET, POST],")
            .edit("                                iss: http://issuer.bearward.local\n", ""),
    );
    let report = checked.report(&[]);
    assert_eq!(report.place_of("policies[0].rules[5].name").0, checked.line_of("{ methods: [GET, POST],"));
    assert_eq!(
        report.place_of("issuers.bearward.iss").0,
        checked.line_of("                              bearward:\n")
    );
}

const ALIASES: &str = "\
version: 1
issuers:
  own: &own
    iss: https://own.example.com/
    audiences: &audiences [api, 7]
    algorithms: [EdDSA]
    token_types: [at+jwt]
    keys: { jwks: { keys: [] } }
    claims: { role_prefix: 'own:' }
  second:
    <<: *own
    iss: https://second.example.com/
    audiences: *audiences
    claims: &claims { role_prefx: 'second:' }
  third:
    <<: *own
    iss: https://third.example.com/
    audiences: [api]
    claims: *claims
policies: []
";

#[test]
fn what_an_alias_stands_for_is_named_where_it_is_written_and_where_it_is_meant() {
    let checked = Checked::file("policy.yaml", ALIASES);
    let report = checked.report(&[]);
    let written = checked.line_of("audiences: &audiences");
    assert_eq!(report.place_of("issuers.own.audiences[1]").0, written);
    assert_eq!(report.place_of("issuers.second.audiences[1]").0, written);
    let misspelled = checked.line_of("role_prefx");
    assert_eq!(report.place_of("issuers.second.claims.role_prefx").0, misspelled);
    assert_eq!(report.place_of("issuers.third.claims.role_prefx").0, misspelled);
    let (_, said) = checked.said(&[]);
    for meant in ["audiences: *audiences", "claims: *claims"] {
        let shown = said.lines().filter(|line| line.contains(meant)).count();
        assert_eq!(shown, 1, "{said}");
    }
}

#[test]
fn a_policy_in_quotes_is_named_by_its_own_line() {
    let text = json!({ "version": 2, "issuers": {}, "policies": [] }).to_string();
    let part = format!(
        "config:\n  name: bearward\n  failure_policy: FAIL_RELOAD\n  vm_config: {{ vm_id: own }}\n  configuration:\n    \"@type\": type.googleapis.com/google.protobuf.StringValue\n    value: {}\n",
        json!(text)
    );
    let checked = Checked::file("part.yaml", part);
    assert_eq!(checked.report(&[]).place_of("version").0, checked.line_of("value: "));
    let (_, said) = checked.said(&[]);
    assert!(said.contains("error: version: must be "), "{said}");
}

#[test]
fn where_a_text_ceases_to_be_yaml_or_json_is_a_problem_with_its_line() {
    for (text, line, column, says) in [
        ("version: 1\nversion: 2\n", 2, 1, "`version` stands in one object twice"),
        (
            "{\n  \"version\": 1,\n  \"\u{e4}\": { \"a\": 1, \"a\": 2 }\n}\n",
            3,
            18,
            "`a` stands in one object twice",
        ),
        ("version: 1\nissuers: [a\n", 2, 10, "unclosed"),
        ("version: 1\nissuers: *nobody\n", 2, 10, "anchor"),
        ("version: 1\n---\nversion: 1\n", 3, 1, "second document"),
    ] {
        let checked = Checked::file("policy.yaml", text);
        let report = checked.report(&[]);
        assert_eq!((report.status, report.problems().len()), (Some(1), 1), "{text}");
        assert_eq!(report.place_of(""), (line, column), "{text}");
        let (status, said) = checked.said(&[]);
        assert_eq!(status, Some(1));
        assert!(said.contains(says) && said.contains(&format!(" policy.yaml:{line}:{column}\n")), "{said}");
        assert!(said.ends_with("\npolicy.yaml: 1 problem\n"), "{said}");
    }
}

#[test]
fn json_in_a_block_of_text_that_is_none_is_named_in_the_text() {
    let part = "config:\n  name: bearward\n  failure_policy: FAIL_RELOAD\n  vm_config: { vm_id: own }\n  configuration:\n    \"@type\": type.googleapis.com/google.protobuf.StringValue\n    value: |\n      { \"version\": 1,\n\n        \"issuers\": {}, \"issuers\": {} }\n";
    let checked = Checked::file("part.yaml", part);
    let (line, _) = checked.report(&[]).place_of("");
    assert_eq!(line, checked.line_of("\"issuers\": {}, \"issuers\""));
}
