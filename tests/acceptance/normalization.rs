//! Envoy normalizes a path before any filter sees it, and chooses its route by the result. Made-up targets go through
//! Envoy with and without the filter, under every value of what it normalizes: what the filter lets through is what
//! Envoy alone forwards, byte for byte, and no route of Envoy's is reached that its rule does not open.

mod listeners;
mod targets;

use std::time::{SystemTime, UNIX_EPOCH};

use bearward_core::{Decision, Edit};
use bearward_fuzz::gate::{Gate, request};
use bearward_tests::client::{Connection, Request, Response};
use bearward_tests::harness::{Setup, is_longer_run};
use bearward_tests::note::note;
use bearward_tests::recorder::Recorder;
use serde_json::{Value, json};

use self::listeners::{Normalization, PLAIN};
use self::targets::Targets;
use crate::decoders::routes::{self, Level};

/// The recorder forgets what it saw after so many targets: a longer run would not fit into memory.
const FORGET_AFTER: usize = 1_000;
/// Overrides the seed, to run a failure again.
const SEED: &str = "BEARWARD_SEED";

/// A run of the gate is the same each time; a longer one takes another seed each time.
fn seed() -> u64 {
    match std::env::var(SEED) {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) if is_longer_run() => {
            SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
        }
        Err(_) => 1,
    }
}

/// What Envoy made of a target.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// What the upstream saw, and the route that Envoy chose.
    Forwarded { target: String, route: String },
    /// The status, and `location` or the filter's reason.
    Answered(u16, Option<String>),
}

impl Outcome {
    fn of(response: &Response) -> Self {
        let seen = response.json();
        if response.status == 200 {
            let variables = seen["variables"].as_array().expect("what the recorder says");
            let route = variables.iter().find(|variable| variable[0] == "HTTP_X_ROUTE");
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            return Self::Forwarded {
                target: text(&seen["target"]),
                route: text(&route.expect("a route")[1]),
            };
        }
        Self::Answered(response.status, response.header("location").or_else(|| response.code()))
    }
}

/// What the filter does with a target that it is handed, by the core.
fn judged(gate: &Gate, target: &str, host: &str) -> Result<String, Outcome> {
    match gate.decide(&request("GET", target.as_bytes(), host)).decision {
        Decision::Reject(rejection) => {
            let row = rejection.row();
            Err(Outcome::Answered(row.status, Some(row.reason.to_owned())))
        }
        Decision::Forward(edits) => {
            let replaced = edits.iter().find_map(|edit| match edit {
                Edit::Set { name, value } if &**name == ":path" => String::from_utf8(value.to_vec()).ok(),
                _ => None,
            });
            Ok(replaced.unwrap_or_else(|| target.to_owned()))
        }
    }
}

/// How many targets came to what.
#[derive(Debug, Default)]
struct Counts {
    answered: usize,
    changed: usize,
    replaced: usize,
    forwarded: usize,
    refused: usize,
    upstream: usize,
}

/// Sends so many targets under every normalization and every assignment of the route table.
fn compare(paths: &Value, count: usize) -> Counts {
    let recorder = Recorder::start();
    let document = routes::document_of_all(paths);
    let gate = Gate::new(document.clone()).unwrap_or_else(|problems| panic!("{problems}"));
    let all = Normalization::all();
    let proxy = Setup::shipped()
        .without_revocations()
        .policy(&document)
        .start_changed(recorder.address(), |configuration| listeners::multiply(configuration, &all));
    let urls = proxy.listeners();
    let connect = |normalization: &Normalization| {
        let name = normalization.name();
        let plain = Connection::to(&urls[&format!("{PLAIN}{name}")]);
        (Connection::to(&urls[&name]), plain, name)
    };
    let mut connections: Vec<_> = all.iter().map(connect).collect();
    let seed = seed();
    let assignments = routes::assignments();
    let (mut counts, mut seen) = (Counts::default(), 0);
    for (number, target) in Targets::of(seed).take(count).enumerate() {
        if number % FORGET_AFTER == 0 {
            seen += recorder.take().len();
        }
        let (filtered, plain, name) = &mut connections[number % all.len()];
        let assignment = number / all.len() % assignments.len();
        let host = routes::host(assignment);
        let of = |target: &str| Request::get(target).header("host", &host);
        let alone = Outcome::of(&plain.send(&of(&target)));
        let with_filter = Outcome::of(&filtered.send(&of(&target)));
        let told = format!("{target:?} to {host}, {name}, {SEED}={seed}: Envoy alone {alone:?}");
        let Outcome::Forwarded { target: normalized, .. } = &alone else {
            counts.answered += 1;
            assert_eq!(with_filter, alone, "{told}");
            continue;
        };
        counts.upstream += 1;
        counts.changed += usize::from(*normalized != target);
        let Outcome::Forwarded { target: arrived, route } = &with_filter else {
            counts.refused += 1;
            assert_eq!(judged(&gate, normalized, &host), Err(with_filter), "{told}");
            continue;
        };
        counts.upstream += 1;
        counts.forwarded += 1;
        assert_eq!(judged(&gate, normalized, &host).as_ref(), Ok(arrived), "{told}");
        assert_eq!(assignments[assignment][route.as_str()], Level::Public, "{told}, now `{route}`");
        if arrived == normalized {
            assert_eq!(with_filter, alone, "{told}");
        } else {
            // Envoy has chosen its route anew, by what the filter replaced.
            counts.replaced += 1;
            counts.upstream += 1;
            assert_eq!(Outcome::of(&plain.send(&of(arrived))), with_filter, "{told}");
        }
    }
    assert_eq!(seen + recorder.take().len(), counts.upstream, "nothing else reached the upstream");
    assert!(counts.forwarded * 10 > count && counts.refused * 10 > count && counts.changed > 0, "{counts:?}");
    note(&format!(
        "paths against Envoy's normalization, with {paths}: {count} targets by seed {seed} under {} settings, {} answered \
         by Envoy itself, {} changed by it; {} forwarded by the filter, {} of them replaced, {} refused",
        all.len(),
        counts.answered,
        counts.changed,
        counts.forwarded,
        counts.replaced,
        counts.refused,
    ));
    counts
}

#[test]
fn whatever_envoy_normalizes_what_is_matched_is_what_is_forwarded_and_no_route_is_reached_that_its_rule_closes()
 {
    let counts = compare(&json!({}), if is_longer_run() { 200_000 } else { 4_000 });
    assert_eq!(counts.replaced, 0);
}

#[test]
fn a_path_that_is_replaced_comes_to_the_route_of_what_it_is_replaced_by() {
    let paths = json!({ "non_canonical": "replace" });
    let counts = compare(&paths, if is_longer_run() { 20_000 } else { 2_000 });
    assert!(counts.replaced > 0, "{counts:?}");
}
