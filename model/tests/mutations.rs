//! The protocol, broken in every way that somebody thought of.

use bearward_model::check::{explore, find};
use bearward_model::mutation::CASES;

#[test]
fn every_broken_protocol_is_found_out_but_the_harmless_ones() {
    let mut wrong = Vec::new();
    for case in CASES {
        let world = case.world.clone().broken(case.mutation);
        let explored = match case.breaks {
            Some(property) => find(&world, property),
            None => explore(&world),
        };
        for (property, path) in &explored.broken {
            println!("{:?} ({:?}): it is not so that {property}:{path}", case.mutation, case.origin);
        }
        if explored.broken.is_empty() == case.breaks.is_some() {
            wrong.push(format!("{:?} in {}: expected {:?}", case.mutation, world.name, case.breaks));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_readme_names_every_way_to_break_it_and_every_way_that_it_names_is_one() {
    let readme = include_str!("../README.md");
    let names: Vec<String> = CASES.iter().map(|case| format!("{:?}", case.mutation)).collect();
    for name in &names {
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
    let quoted = readme.split("**[M]** `").skip(1).filter_map(|rest| rest.split('`').next());
    for name in quoted {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
}
