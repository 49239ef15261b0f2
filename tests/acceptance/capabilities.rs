use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use bearward_tests::client::Request;
use bearward_tests::harness::{Setup, program};
use serde_json::Value;
use xtask::directory::TemporaryDirectory;
use xtask::module::tables::Tables;
use xtask::workspace;

use crate::module::declared_hostcalls;

fn check(file: &Path, arguments: &[&str]) -> Output {
    Command::new(program("bearward")).arg("check").arg(file).args(arguments).output().unwrap()
}

/// The shipped configuration, where Envoy allows the module only these.
pub(crate) fn restricted_to(names: &[String]) -> Setup {
    Setup::shipped().capabilities(names)
}

/// The names in `envoy.yaml`.
fn shipped() -> BTreeSet<String> {
    let text = fs::read_to_string(workspace::root().join("envoy.yaml")).unwrap();
    let (_, after) = text.split_once("allowed_capabilities:\n").expect("a restriction of capabilities");
    let lines =
        after.lines().map(str::trim).take_while(|line| line.starts_with('#') || line.ends_with(": {}"));
    lines.filter_map(|line| line.strip_suffix(": {}")).map(str::to_owned).collect()
}

#[test]
fn envoy_yaml_allows_exactly_the_callbacks_and_hostcalls_that_the_module_has() {
    // The module has them all: `the_module_that_ships_is_what_the_tables_say`.
    let exports = Tables::of_the_repository().unwrap().exports.into_iter().map(|row| row.export);
    let callbacks = exports.filter(|name| name.starts_with("proxy_on_"));
    let hostcalls = declared_hostcalls();
    assert!(hostcalls.contains("proxy_log"), "{hostcalls:?}");
    let environment = ["environ_get", "environ_sizes_get"].map(str::to_owned);
    let mut used: BTreeSet<_> = callbacks.chain(hostcalls).chain(environment).collect();
    // Envoy does not ask whether it may be called.
    assert!(used.remove("proxy_on_memory_allocate"));
    assert_eq!(shipped(), used);
}

/// What `bearward check` says of it: the exit status, and the texts of all problems.
fn checked(setup: &Setup) -> (Option<i32>, Vec<String>) {
    let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
    let output = check(&setup.write_into(directory.path()), &["--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("a JSON report");
    let problems = report["problems"].as_array().unwrap();
    (
        output.status.code(),
        problems.iter().map(|problem| problem["text"].as_str().unwrap().to_owned()).collect(),
    )
}

/// All that the check demands, by its complaints about a list that holds nothing of it.
pub(crate) fn needed() -> Vec<String> {
    let (status, complaints) = checked(&restricted_to(&["proxy_on_log".to_owned()]));
    assert_eq!(status, Some(1));
    let name = |complaint: &String| {
        complaint.split('`').nth(1).unwrap_or_else(|| panic!("no name in: {complaint}")).to_owned()
    };
    complaints.iter().map(name).collect()
}

/// Envoy skips a callback that it may not call: the list that the check demands must both be complete and suffice.
#[test]
fn with_exactly_the_capabilities_that_the_check_demands_the_gate_works_and_with_one_less_it_is_refused() {
    let needed = needed();
    assert!(needed.contains(&"proxy_on_request_headers".to_owned()), "{needed:?}");
    assert_eq!(checked(&restricted_to(&needed)), (Some(0), Vec::new()));

    for missing in &needed {
        let rest: Vec<_> = needed.iter().filter(|name| *name != missing).cloned().collect();
        let (status, complaints) = checked(&restricted_to(&rest));
        assert_eq!((status, complaints.len()), (Some(1), 1), "without {missing}: {complaints:?}");
        assert!(complaints[0].contains(missing.as_str()), "{complaints:?}");
    }

    let gate = restricted_to(&needed).start();
    let customer = gate.customer();
    assert_eq!(Request::get("/api/orders").send(gate.url()).status, 401);
    assert_eq!(Request::get("/api/orders").bearer(&customer.token).send(gate.url()).status, 200);
}

#[test]
fn the_check_refuses_a_list_without_the_callback_that_decides() {
    let (status, complaints) = checked(&restricted_to(&["proxy_on_configure".to_owned()]));
    assert_eq!(status, Some(1));
    let complaint =
        complaints.iter().find(|text| text.contains("proxy_on_request_headers")).expect("its name");
    assert!(complaint.contains("let every request through"), "{complaint}");
}

#[test]
fn the_check_refuses_to_fail_open_and_a_vm_without_a_name() {
    let (status, complaints) = checked(
        &Setup::shipped()
            .edit("failure_policy: FAIL_RELOAD", "failure_policy: FAIL_OPEN")
            .edit("vm_id: bearward\n", "vm_id: \"\"\n"),
    );
    assert_eq!((status, complaints.len()), (Some(1), 2), "{complaints:?}");
    assert!(complaints[0].contains("FAIL_OPEN lets every request through"), "{complaints:?}");
}

/// A condition that can never hold would be found out by those whom it shuts out.
#[test]
fn the_check_names_numbers_that_envoys_yaml_makes_texts_of() {
    let orders = "{ name: orders, methods: [GET, POST], paths: [/api/orders] }";
    let asking = |value: &str| {
        let condition = format!("{{ path: [tenant], equals: {value} }}");
        let rule = orders
            .replace("[/api/orders] }", &format!("[/api/orders], require: {{ claims: [{condition}] }} }}"));
        checked(&Setup::shipped().edit(orders, &rule))
    };
    assert_eq!(asking("2147483647"), (Some(0), Vec::new()));
    let (status, complaints) = asking("3000000000");
    assert_eq!((status, complaints.len()), (Some(1), 1), "{complaints:?}");
    assert!(complaints[0].contains("makes a text of 3000000000"), "{complaints:?}");
}
