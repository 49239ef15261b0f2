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

#[test]
fn an_explanation_is_no_part_of_the_module_although_it_is_the_same_decision() {
    let folder = workspace::root().join("filter/core/src/explain");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let sources: String = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    let module = fs::read(module()).unwrap();
    for text in [
        "it is judged and forwarded as it stands",
        "no policy is for this host and path",
        "three segments of base64url",
        "makes tokens of type",
        "the keys at hand are",
        "of which count",
        "nothing: a valid token suffices",
    ] {
        assert!(sources.contains(text), "`{text}`: adapt this test to what is said");
        assert!(!module.windows(text.len()).any(|part| part == text.as_bytes()), "`{text}` is in the module");
    }
}
