//! The test host held against Envoy: the same modules run on both, and what they saw is compared, call by call.
//!
//! A probe is a [`script`]: hostcalls in callbacks, as a table. [`wat`] makes a module of it, which reports the status
//! and the results of every call into the log. A new fact about Envoy is a new row of a scenario; where the host
//! differs on purpose, the README of the host says why.

mod client;
mod on_envoy;
mod on_host;
mod report;
mod scenarios;
mod script;
mod wat;

use std::sync::Arc;

use bearward_testhost::{Module, ModuleCache};
use bearward_tests::note::note;

use self::report::Report;

#[test]
fn every_hostcall_answers_as_in_envoy() {
    let modules = ModuleCache::new();
    let scenarios = scenarios::all();
    let loaded: Vec<_> = scenarios.iter().map(|scenario| (scenario, wat::module(scenario))).collect();
    let proxy = on_envoy::Proxy::start(&loaded);
    let here: Vec<_> =
        loaded.iter().map(|(scenario, bytes)| on_host::run(scenario, &load(&modules, bytes))).collect();
    let responses: Vec<_> = scenarios.iter().map(|scenario| proxy.send(scenario)).collect();
    let log = proxy.lines(here.iter().map(|report| report.lines.len()).sum());
    let mut compared = 0;
    let mut differences = Vec::new();
    for ((scenario, mut host), responses) in scenarios.iter().zip(here).zip(responses) {
        let lines = log.lines().filter_map(|line| report::readable(line, scenario.name)).collect();
        let mut envoy = Report { lines, responses };
        if scenario.unordered {
            host.lines.sort();
            envoy.lines.sort();
        }
        compared += envoy.lines.len() + envoy.responses.len();
        let found = host.differences(&envoy);
        differences.extend(found.into_iter().map(|difference| format!("{}: {difference}", scenario.name)));
    }
    note(&format!("the test host against Envoy: {compared} lines compared in {} scenarios", scenarios.len()));
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn load(modules: &ModuleCache, bytes: &[u8]) -> Arc<Module> {
    modules.load(bytes).unwrap_or_else(|error| panic!("{error}"))
}
