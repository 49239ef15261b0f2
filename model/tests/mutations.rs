//! The protocol, broken in every way that somebody thought of.

use bearward_model::check::{explore, find};
use bearward_model::mutation::CASES;

#[test]
fn every_broken_protocol_is_found_out() {
    let mut wrong = Vec::new();
    for case in CASES {
        if std::env::var("ONLY").is_ok_and(|only| only != format!("{:?}", case.mutation)) { continue }
        let world = case.world.clone().broken(case.mutation);
        let explored = match case.breaks {
            Some(property) => find(&world, property),
            None => explore(&world),
        };
        for (name, path) in &explored.broken {
            println!("{:?} breaks: {name}{path}", case.mutation);
        }
        if explored.broken.is_empty() == case.breaks.is_some() {
            wrong.push(format!("{:?} in {}: expected {:?}", case.mutation, case.world.name, case.breaks));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
