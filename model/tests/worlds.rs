//! The protocol as it is to be, in every world.

use bearward_model::check::explore;
use bearward_model::world::WORLDS;

#[test]
fn everything_holds_in_every_world() {
    for world in WORLDS.iter().chain(&[bearward_model::world::INTRUDED]) {
        if std::env::var("ONLY").is_ok_and(|only| only != world.name) { continue }
        let explored = explore(world);
        println!("{}: seen {:?}", world.name, explored.seen);
        for (name, path) in explored.broken { println!("{}: BROKEN {name}{path}", world.name); }
    }
}
