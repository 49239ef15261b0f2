use std::collections::BTreeSet;
use std::fs;

use bearward_tests::harness::module;
use xtask::module::tables::Tables;
use xtask::module::{check, finish};
use xtask::workspace;

const CALLBACK: &[u8] = b"proxy_on_request_headers";

/// The module with the name of an export replaced by one as long: Envoy would not find the callback, and let every
/// request pass.
fn without_the_callback(module: &[u8]) -> Vec<u8> {
    let places: Vec<_> = (0..module.len()).filter(|at| module[*at..].starts_with(CALLBACK)).collect();
    assert!(!places.is_empty(), "the module that ships has the callback");
    let mut changed = module.to_vec();
    for place in places {
        changed[place..place + CALLBACK.len()].copy_from_slice(b"proxy_on_request_HEADERS");
    }
    changed
}

#[test]
fn the_module_that_ships_is_what_the_tables_say() {
    check(&fs::read(module()).unwrap(), &Tables::of_the_repository().unwrap()).unwrap();
}

#[test]
fn a_module_without_the_callback_that_decides_is_neither_built_nor_passed() {
    let tables = Tables::of_the_repository().unwrap();
    let changed = without_the_callback(&fs::read(module()).unwrap());
    for refused in [check(&changed, &tables), finish(&changed, &tables).map(drop)] {
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("proxy_on_request_headers"), "{why}");
    }
}

/// The hostcalls that `host.rs` declares.
pub(crate) fn declared_hostcalls() -> BTreeSet<String> {
    let text = fs::read_to_string(workspace::root().join("filter/wasm/src/host.rs")).unwrap();
    let names = text.split("pub(super) fn proxy_").skip(1).filter_map(|rest| rest.split('(').next());
    names.map(|name| format!("proxy_{name}")).collect()
}
