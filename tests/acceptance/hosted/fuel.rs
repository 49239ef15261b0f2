//! What the dearest input for each bound costs, in instructions of the module: exact, on whatever machine it runs.

mod cases;
mod table;

use bearward_testhost::{PluginId, Thread, World};
use bearward_tests::harness;
use bearward_tests::note::note;
use xtask::module::compiler;
use xtask::workspace;

use self::cases::{Case, Work};
use self::table::{Row, Table};
use crate::hosted::gate;

/// How far a number may be from the one in the table, in a hundredth part of it: less than anybody would act on.
const TOLERATED_PERCENT: u64 = 1;

fn measured(case: &Case) -> Row {
    let world = gate::world().plugin(case.plugin());
    let world = if case.host_verifies { world } else { world.without_verify_signature() };
    let mut world = world.start().unwrap_or_else(|refused| panic!("{refused}"));
    let spent = |world: &World, callback: &str| {
        let fuel = world.fuel(Thread::Worker(0), PluginId::FIRST).expect("a worker");
        fuel.get(callback).copied().unwrap_or_default()
    };
    let instructions = match &case.work {
        Work::Configuration => spent(&world, "proxy_on_configure"),
        Work::JwkSet(response) => {
            let response = response.clone();
            world.set_cluster("issuer", move |_| bearward_testhost::Answer::now(response.clone()));
            world.advance(gate::KEYS_FETCHED);
            spent(&world, "proxy_on_http_call_response")
        }
        Work::Request(request, expected) => {
            world.advance(gate::KEYS_FETCHED);
            // Twice: a metric costs more where it is used for the first time, also that of tokens that are known.
            for before in case.before.iter().flat_map(|before| [before, before]) {
                world.request((**before).clone());
            }
            let stream = world.open((**request).clone());
            let outcome = world.outcome(stream);
            assert_eq!(outcome.status(), Some(*expected), "{}: {outcome:#?}", case.name);
            world.fuel_of(stream)
        }
    };
    Row { name: case.name.to_owned(), instructions, about: case.about.to_owned() }
}

/// Whether the module was made by the compiler that `rust-toolchain.toml` pins: another one makes other instructions.
fn is_of_the_pinned_compiler() -> bool {
    let module = std::fs::read(harness::module()).expect("the module");
    let compiler = compiler(&module).expect("a module that says who made it");
    let pinned =
        std::fs::read_to_string(workspace::root().join("rust-toolchain.toml")).expect("the toolchain");
    let version = compiler.split(' ').next().expect("a version");
    let is_pinned = pinned.contains(&format!("channel = \"{version}\""));
    if !is_pinned {
        note(&format!(
            "fuel: not compared, the module was made by rustc {compiler}, which is not the pinned one"
        ));
    }
    is_pinned
}

#[test]
fn no_input_costs_more_instructions_than_the_table_says() {
    let found = Table { rows: cases::all().iter().map(measured).collect() };
    if !is_of_the_pinned_compiler() {
        return;
    }
    if harness::is_blessing("fuel") {
        found.write();
        return;
    }
    let differences = Table::read().differences(&found, TOLERATED_PERCENT);
    assert!(
        differences.is_empty(),
        "{}\nIf this is what the change is worth, `cargo xtask bless fuel` writes the new numbers.",
        differences.join("\n")
    );
    let dearest = found.rows.iter().filter(|row| row.name.starts_with("request: "));
    let dearest = dearest.max_by_key(|row| row.instructions).expect("a row");
    note(&format!(
        "fuel: {} cases as in docs/fuel.md; the dearest request, `{}`, {} million instructions",
        found.rows.len(),
        dearest.name,
        dearest.instructions / 1_000_000
    ));
}
