use bearward_tests::harness::Setup;
use bearward_tests::walkthrough::{Target, walk};

#[test]
fn the_walk_through_passes_at_the_gate_that_ships_and_passes_again() {
    let gate = Setup::shipped().start();
    let (admin_email, admin_password) = gate.create_admin();
    let mut target = Target {
        url: gate.url().to_owned(),
        admin_email,
        admin_password,
        database_url: gate.database_url(),
        run: "first".to_owned(),
    };
    for (run, removal) in [("first", "200"), ("second", "404")] {
        target.run = run.to_owned();
        let outcomes = walk(&target, |_| {});
        let failed: Vec<_> =
            outcomes.iter().filter(|outcome| !outcome.passed()).map(ToString::to_string).collect();
        assert!(failed.is_empty(), "the {run} walk:\n{}", failed.join("\n"));
        let removed =
            outcomes.iter().find(|outcome| outcome.name.starts_with("the administrator takes it off"));
        assert!(removed.unwrap().came.starts_with(removal), "the {run} walk: {removed:?}");
    }
}
