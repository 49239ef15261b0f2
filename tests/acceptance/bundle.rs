//! `bearward bundle`: the policies of several teams joined into one, without order between them.

mod order;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use bearward_core::Policy;
use bearward_tests::harness::program;
use serde_json::{Value, json};
use xtask::directory::TemporaryDirectory;
use xtask::workspace;

struct Folder(TemporaryDirectory);

impl Folder {
    /// A folder with these files; a name may lead into folders below.
    fn of<T: AsRef<str>>(files: &[(&str, T)]) -> Self {
        let folder = Self(TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap());
        for (name, text) in files {
            folder.write(name, text.as_ref());
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn bundle(&self, arguments: &[&str]) -> Output {
        Command::new(program("bearward")).arg("bundle").arg(self.path()).args(arguments).output().unwrap()
    }

    /// The joined policy.
    fn joined(&self) -> String {
        let output = self.bundle(&[]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    /// What is wrong, a line each, without the folder's name. Nothing is written then.
    fn problems(&self) -> Vec<String> {
        let output = self.bundle(&[]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
        let shown = format!("{}/", self.path().display());
        text(&output.stderr).lines().map(|line| line.replace(&shown, "")).collect()
    }

    fn unreadable(&self) -> String {
        let output = self.bundle(&[]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()));
        text(&output.stderr)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn issuer(name: &str) -> Value {
    json!({
        "iss": format!("https://{name}.example.com/"), "audiences": ["api"], "algorithms": ["EdDSA"],
        "token_types": ["at+jwt"], "keys": { "jwks": { "keys": [] } }, "claims": { "role_prefix": format!("{name}:") },
    })
}

fn policy(name: &str, issuers: &[&str]) -> Value {
    let path = format!("/{name}/**");
    json!({
        "name": name, "hosts": ["*"], "prefix": format!("/{name}"), "issuers": issuers,
        "rules": [{ "name": "all", "paths": [path] }],
    })
}

fn platform() -> String {
    json!({ "version": 1, "issuers": { "own": issuer("own") }, "forward": { "token": "remove" } }).to_string()
}

fn team(name: &str) -> String {
    json!({ "version": 1, "policies": [policy(name, &["own"])] }).to_string()
}

fn with(name: &str, field: &str, value: Value) -> String {
    let mut team: Value = serde_json::from_str(&team(name)).unwrap();
    team[field] = value;
    team.to_string()
}

#[test]
fn teams_name_issuers_of_another_file_and_the_whole_is_one_policy() {
    let folder = Folder::of(&[
        ("platform.yaml", platform()),
        ("orders/policy.yml", team("orders")),
        ("teams/menu/policy.JSON", team("menu")),
        ("README.md", "not: [a policy".to_owned()),
        (".hidden/old.yaml", team("orders")),
        (".swap.yaml", "not: [a policy".to_owned()),
    ]);
    let joined: Value = serde_saphyr::from_str(&folder.joined()).unwrap();
    let expected = json!({
        "version": 1, "issuers": { "own": issuer("own") }, "forward": { "token": "remove" },
        "policies": [policy("menu", &["own"]), policy("orders", &["own"])],
    });
    assert_eq!(joined, expected);
    Policy::compile(&joined, &|_| None).unwrap();
    let output = folder.bundle(&["--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), expected);
}

#[test]
fn the_policy_goes_into_a_file_as_a_whole_or_not_at_all() {
    let folder = Folder::of(&[("platform.yaml", platform()), ("orders.yaml", team("orders"))]);
    let target = Folder::of::<&str>(&[]);
    let file = target.path().join("policy.yaml");
    let arguments = ["--output", file.to_str().unwrap()];
    let output = folder.bundle(&arguments);
    assert_eq!((output.status.code(), output.stdout), (Some(0), Vec::new()));
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written, folder.joined());
    folder.write("again.yaml", &team("orders"));
    assert_eq!(folder.bundle(&arguments).status.code(), Some(1));
    assert_eq!(fs::read_to_string(&file).unwrap(), written);
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 1, "something is left beside it");
}

#[test]
fn what_two_files_define_is_an_error_that_names_both_and_the_field() {
    let twice = "is set twice: a setting of the whole document stands in one file";
    let setting = |name: &str, value: Value| json!({ "version": 1, name: value }).to_string();
    let mut cases = vec![
        (
            vec![json!({ "version": 1, "issuers": { "own": issuer("own") } }).to_string()],
            "b0.yaml: issuers.own and platform.yaml: issuers.own: `own` is defined twice".to_owned(),
        ),
        (
            vec![json!({ "version": 1, "issuers": { "other": issuer("own") } }).to_string()],
            "b0.yaml: issuers.other and platform.yaml: issuers.own: `other` and `own` have the same `iss`".to_owned(),
        ),
        (
            vec![json!({ "version": 1, "policies": [policy("more", &["own"]), policy("orders", &["own"])] }).to_string()],
            "b0.yaml: policies[1] and orders.yaml: policies[0]: two policies are called `orders`".to_owned(),
        ),
        (
            {
                let mut other = policy("other", &["own"]);
                other["prefix"] = json!("/orders");
                other["rules"][0]["paths"] = json!(["/orders/**"]);
                vec![json!({ "version": 1, "policies": [other] }).to_string()]
            },
            "orders.yaml: policies[0] and b0.yaml: policies[0]: `orders` and `other` name the same host and the same prefix"
                .to_owned(),
        ),
        (
            vec![team("menu").replace("\"version\":1", "\"version\":2")],
            "b0.yaml: version and orders.yaml: version: 2 and 1: all files are written in one version".to_owned(),
        ),
        (vec![setting("forward", json!({ "token": "remove" }))], format!("b0.yaml: forward and platform.yaml: forward: {twice}")),
    ];
    for (name, value) in [
        ("mode", json!("enforce")),
        ("credentials", json!([{ "header": "x-token" }])),
        ("challenge", json!({ "realm": "r" })),
        ("paths", json!({ "letters": "folded" })),
    ] {
        let file = setting(name, value);
        cases.push((vec![file.clone(), file], format!("b0.yaml: {name} and b1.yaml: {name}: {twice}")));
    }
    for (files, expected) in cases {
        let folder = Folder::of(&[("platform.yaml", platform()), ("orders.yaml", team("orders"))]);
        for (index, file) in files.iter().enumerate() {
            folder.write(&format!("b{index}.yaml"), file);
        }
        let problems = folder.problems();
        assert!(
            problems.iter().any(|line| line.starts_with(&expected)),
            "{expected}:\n{}",
            problems.join("\n")
        );
    }
}

#[test]
fn no_team_sets_anything_for_the_policies_of_another() {
    for (name, value, way_out) in [
        ("mode", json!("observe"), "write it into each policy of this file, or into a file without policies"),
        ("credentials", json!([{ "query": "t" }]), "write it into each policy of this file, or into"),
        ("challenge", json!({ "realm": "r" }), "write it into each policy of this file, or into"),
        ("paths", json!({ "letters": "folded" }), "write it into a file without policies"),
        ("forward", json!({ "headers": {} }), "write it into a file without policies"),
    ] {
        let issuers = json!({ "version": 1, "issuers": { "own": issuer("own") } }).to_string();
        let own = with("menu", name, value.clone());
        let folder = Folder::of(&[("issuers.yaml", issuers), ("menu.yaml", own)]);
        folder.joined();
        folder.write("orders.yaml", &team("orders"));
        let problems = folder.problems();
        assert_eq!(problems.len(), 1, "{problems:#?}");
        let expected =
            format!("menu.yaml: {name}: would hold for the policies of other files, too, such as ");
        assert!(problems[0].starts_with(&expected) && problems[0].contains(way_out), "{problems:#?}");
        folder.write("menu.yaml", &team("menu"));
        folder.write("all.yaml", &json!({ "version": 1, name: value }).to_string());
        folder.joined();
    }
}

#[test]
fn every_problem_is_named_at_once_with_the_file_and_the_place_in_it() {
    let mut orders: Value = serde_json::from_str(&with("orders", "polices", json!([]))).unwrap();
    orders["policies"].as_array_mut().unwrap().push(policy("zebra", &["stranger"]));
    let mut menu: Value = serde_json::from_str(&team("menu")).unwrap();
    menu["policies"][0]["rules"][0]["acess"] = json!("public");
    menu["issuers"] = json!({ "own.staff": issuer("x") });
    let folder = Folder::of(&[
        ("platform.yaml", platform().replace("EdDSA", "none")),
        ("orders.yaml", orders.to_string()),
        ("menu.yaml", menu.to_string()),
        ("list.yaml", "[1]".to_owned()),
        ("bare.yaml", "mode: loud".to_owned()),
        ("empty.yaml", "{ version: 1, issuers: {}, policies: }".to_owned()),
    ]);
    let problems = folder.problems();
    for expected in [
        "list.yaml: must be a policy, or a part of one",
        "bare.yaml: version: is missing",
        "bare.yaml: mode: `loud` is not one of",
        "empty.yaml: issuers: must be an object of issuers",
        "empty.yaml: policies: must be a list of policies",
        "orders.yaml: polices: unknown field; did you mean `policies`?",
        "platform.yaml: issuers.own.algorithms[0]: `none` is not one of",
        "menu.yaml: issuers.own.staff: the name must be",
        "menu.yaml: policies[0].rules[0].acess: unknown field; did you mean `access`?",
    ] {
        let count = problems.iter().filter(|line| line.starts_with(expected)).count();
        assert_eq!(count, 1, "{expected}:\n{}", problems.join("\n"));
    }
    assert_eq!(problems.len(), 9, "{}", problems.join("\n"));
    let folder = Folder::of(&[("platform.yaml", platform()), ("orders.yaml", orders.to_string())]);
    let expected = "orders.yaml: policies[1].issuers[0]: `stranger` is not one of the `issuers`: `own`";
    assert!(folder.problems().contains(&expected.to_owned()), "{}", folder.problems().join("\n"));
    let folder = Folder::of(&[("orders.yaml", team("orders"))]);
    assert!(
        folder.problems()[0].starts_with("the joined policy: issuers: is missing"),
        "{:?}",
        folder.problems()
    );
}

#[test]
fn what_cannot_be_read_is_never_passed_over() {
    let folder = Folder::of(&[("platform.yaml", platform()), ("a/broken.yaml", "a: [".to_owned())]);
    folder.write("b/twice.json", "{\"version\": 1, \"version\": 1}");
    folder.write("c/large.yaml", &format!("a: {}", "x".repeat(1024 * 1024)));
    folder.write("several.yaml", "version: 1\n---\nversion: 1\n");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("gone.yaml")).unwrap();
    fs::create_dir_all(folder.path().join("1/2/3/4/5/6/7/8/9")).unwrap();
    let problems = folder.unreadable();
    for expected in [
        "a/broken.yaml: ",
        "b/twice.json: ",
        "c/large.yaml: larger than 1048576 bytes",
        "several.yaml: ",
        "loop: is a link to a folder",
        "gone.yaml: ",
        "1/2/3/4/5/6/7/8/9: is more than 8 folders deep",
    ] {
        assert!(problems.contains(expected), "{expected}:\n{problems}");
    }
    assert!(
        Folder::of::<&str>(&[("README.md", "")]).unreadable().contains("has no .yaml, .yml or .json file")
    );

    let folder = Folder::of(&[("platform.yaml", platform()), ("orders.yaml", team("orders"))]);
    let inside = folder.path().join("bundle.yaml");
    let output = folder.bundle(&["--output", inside.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is in the folder that is joined") && !inside.exists());

    let many = Folder::of(&[("platform.yaml", platform())]);
    (0..1000).for_each(|index| many.write(&format!("{index}.json"), "{}"));
    assert!(many.unreadable().contains("has more than 1000 files"));
}

#[test]
fn the_bundle_in_the_documentation_is_what_is_made_of_its_files() {
    let document = fs::read_to_string(workspace::root().join("docs/policy.md")).unwrap();
    let section = document.split("## Several teams").nth(1).unwrap();
    let block = |title: &str| {
        let after =
            section.split(&format!("`{title}`:\n\n```")).nth(1).unwrap_or_else(|| panic!("no {title}"));
        after.split_once('\n').unwrap().1.split("```").next().unwrap().to_owned()
    };
    let folder = Folder::of::<String>(&[]);
    for name in ["platform.yaml", "orders/policy.yaml", "menu/policy.yaml"] {
        folder.write(name, &block(&format!("policies/{name}")));
    }
    assert_eq!(folder.joined(), block("bearward bundle policies"));
}
