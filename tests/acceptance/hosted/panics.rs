//! The panics that are left in the module that ships, held against `docs/panics.md`, which says of each why no input comes
//! there; and what of that can be shown by running it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use bearward_testhost::{Answer, PluginId, Request, Response};
use bearward_tests::harness;
use xtask::module::panics::{Place, Reach, places};
use xtask::workspace;

use crate::hosted::gate::{KEYS_FETCHED, order, plugin, policy, unknown_key, world};
use crate::module::declared_hostcalls;

const DOCUMENT: &str = "docs/panics.md";
/// Where the build puts dependencies, and the SDK among them.
const DEPENDENCIES: &str = "/dependencies/";
const SDK: &str = "proxy-wasm-";

/// A row of the document without its reasons, as the module would have it.
type Rows = BTreeSet<String>;

#[test]
fn every_panic_that_is_left_in_the_module_has_a_row_that_says_why_no_input_comes_there() {
    let module = fs::read(harness::module()).unwrap();
    let found = of_module(&places(&module).unwrap());
    let text = fs::read_to_string(workspace::root().join(DOCUMENT)).unwrap();
    let known = of_document(&text);
    let list = |rows: Vec<&String>| match rows.as_slice() {
        [] => " none".to_owned(),
        rows => rows.iter().map(|row| format!("\n  {row}")).collect(),
    };
    let (new, gone) = (list(found.difference(&known).collect()), list(known.difference(&found).collect()));
    assert!(
        found == known,
        "{DOCUMENT} is not what the module holds.\nNew: show that no input comes there and give each its row, or take \
         the panic out:{new}\nGone: take these out of their rows:{gone}"
    );
}

/// The SDK and other dependencies by line, since Cargo.lock pins them; our own code by how many, since lines move; the
/// standard library by file, since which of its lines are left is the optimizer's affair.
fn of_module(places: &[Place]) -> Rows {
    let mut own: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows = Rows::new();
    for place in places {
        let (file, line) = (place.file.as_str(), place.line);
        if let Some(file) = file.strip_prefix(DEPENDENCIES) {
            let reached = if file.starts_with(SDK) { word(place.reach) } else { "" };
            rows.insert(row(file, reached, &line.to_string()));
        } else if let Some((_, file)) = file.split_once("/library/") {
            rows.insert(row(&format!("library/{file}"), "", ""));
        } else if let Some(file) = file.strip_prefix("/rust/deps/") {
            // The standard library has dependencies of its own.
            rows.insert(row(&format!("library, {file}"), "", ""));
        } else {
            *own.entry(file).or_default() += 1;
        }
    }
    rows.extend(own.into_iter().map(|(file, count)| row(file, "", &count.to_string())));
    rows
}

fn word(reach: Reach) -> &'static str {
    match reach {
        Reach::Nothing => "nothing",
        Reach::Table => "table",
        Reach::Calls => "calls",
    }
}

fn row(file: &str, reached: &str, number: &str) -> String {
    [file, reached, number].into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `| file | why |`, `| file | numbers | why |` or `| file | reached from | numbers | why |`.
fn of_document(text: &str) -> Rows {
    let mut rows = Rows::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let (file, reached, numbers) = match cells.as_slice() {
            [file, _] => (file, "", ""),
            [file, numbers, _] => (file, "", *numbers),
            [file, reached, numbers, _] => (file, *reached, *numbers),
            _ => panic!("{DOCUMENT}: a row of another form: {line}"),
        };
        assert!(cells.last().is_some_and(|why| why.len() > 10), "{DOCUMENT}: a row that says no why: {line}");
        for number in numbers.split(',') {
            assert!(rows.insert(row(file, reached, number.trim())), "{DOCUMENT}: twice: {file} {number}");
        }
    }
    rows
}

/// The SDK's hostcalls are where most of its panics are. They are default methods of traits, so they stand in the table,
/// and only running the module shows that nobody calls them.
#[test]
fn no_hostcall_of_the_sdk_is_ever_made() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.record_hostcalls();
    world.request(order());
    world.advance(KEYS_FETCHED);
    for request in [
        order().body("body").trailer("x-user-id", "admin").trailer("x-other", "1"),
        order().without("authorization"),
        order().header("content-type", "application/grpc").without("authorization"),
        Request::get("/api/menu").header("x_user_id", b"\xff\xfe"),
        Request::get("/api/orders/1").bearer(&unknown_key(|_| ())),
        Request::get("/api/\u{e9}"),
    ] {
        world.request(request);
    }
    for answer in
        [Answer::Unreachable, Answer::Never, Answer::ResetAfter(3), Answer::now(Response::new(500, "no"))]
    {
        world.set_cluster("issuer", move |_| answer.clone());
        world.advance(Duration::from_secs(400));
    }
    let made: BTreeSet<String> = world.hostcalls().iter().map(|call| call.name.to_owned()).collect();
    let of_the_abi = |name: &&String| name.starts_with("proxy_");
    let surplus: Vec<_> =
        made.iter().filter(of_the_abi).filter(|name| !declared_hostcalls().contains(*name)).collect();
    assert!(surplus.is_empty(), "host.rs does not declare {surplus:?}, and yet they are made");
    assert!(made.len() > 5, "{made:?}");
}

/// The SDK panics where it is asked about a context that it does not have, or has twice. Envoy's order of callbacks, as
/// the host plays it, leads to neither, whatever ends first.
#[test]
fn contexts_that_come_and_go_in_any_order_are_known_whenever_they_are_asked_for() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    let mut current = PluginId::FIRST;
    for round in 0..4 {
        let mut changed = policy();
        changed["issuers"]["bearward"]["leeway_seconds"] = round.into();
        let before = world.open(order().through(current));
        world.advance(KEYS_FETCHED);
        let next = world.add_plugin(plugin(&changed)).unwrap();
        let old = std::mem::replace(&mut current, next);
        let during = world.open(order().through(old).body("body").trailer("x-user-id", "1"));
        world.remove_plugin(old);
        let after = world.open(order().through(current).without("authorization"));
        world.advance(Duration::from_secs(1));
        for stream in [during, after, before] {
            world.close(stream);
        }
        world.advance(Duration::from_secs(301));
    }
    assert_eq!(world.traps(), [""; 0]);
}

/// Envoy hands an answer over when the callback that called has returned, also where it has it at once: no callback
/// begins inside of another, so nothing that one has borrowed is borrowed again.
#[test]
fn an_answer_that_is_there_at_once_does_not_meet_what_its_call_has_borrowed() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    for answer in [Answer::Unreachable, Answer::ResetAfter(0), Answer::now(Response::new(200, "{}"))] {
        world.set_cluster("issuer", move |_| answer.clone());
        world.advance(Duration::from_secs(400));
        world.request(order());
    }
    assert_eq!(world.traps(), [""; 0]);
}
