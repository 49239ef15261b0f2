//! Exploring a world.

use std::env;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

use stateright::{Checker, Expectation, Model};

use crate::moves::Protocol;
use crate::property::ALWAYS;
use crate::world::World;

/// What came of it.
#[derive(Debug)]
pub struct Explored {
    /// Different states.
    pub states: usize,
    /// The properties that do not hold, each with a shortest way there.
    pub broken: Vec<(&'static str, String)>,
    /// What was seen to happen.
    pub seen: Vec<&'static str>,
}

/// Explores all of a world, for all properties.
#[must_use]
pub fn explore(world: &World) -> Explored {
    run(&Protocol { world: world.clone(), only: None })
}

/// Explores a world until one property is found broken. The way there is a shortest one: the search is breadth first, by
/// one thread, and ends with the first find.
#[must_use]
pub fn find(world: &World, property: &'static str) -> Explored {
    run(&Protocol { world: world.clone(), only: Some(property) })
}

/// Whether tests may take minutes (`cargo xtask test --all`).
#[must_use]
pub fn is_longer_run() -> bool {
    env::var_os("BEARWARD_TEST_ALL").is_some()
}

/// Says something about a run that passes; `cargo xtask test` repeats it at the end.
pub fn note(text: &str) {
    // A closed stdout is no reason to fail.
    let _ = writeln!(std::io::stdout(), "measured: {text}");
}

fn run(protocol: &Protocol) -> Explored {
    let begun = Instant::now();
    let checker = protocol.clone().checker().spawn_bfs().join();
    let mut explored =
        Explored { states: checker.unique_state_count(), broken: Vec::new(), seen: Vec::new() };
    let discoveries = checker.discoveries();
    for property in protocol.properties() {
        let Some(path) = discoveries.get(property.name) else { continue };
        if property.expectation == Expectation::Always {
            let mut text = String::new();
            for (step, action) in path.clone().into_actions().iter().enumerate() {
                let _ = write!(text, "\n  {:>2}. {action:?}", step + 1);
            }
            explored.broken.push((property.name, text));
        } else {
            explored.seen.push(property.name);
        }
    }
    let broken = protocol.world.mutation.map(|mutation| format!(", {mutation:?}")).unwrap_or_default();
    let which = match protocol.only {
        Some(_) => "states until found",
        None => "states",
    };
    note(&format!(
        "model: {}{broken}: {} {which}, {} deep, {:.1} s",
        protocol.world.name,
        explored.states,
        checker.max_depth(),
        begun.elapsed().as_secs_f32(),
    ));
    debug_assert!(explored.broken.iter().all(|(name, _)| ALWAYS.contains(name)));
    explored
}
