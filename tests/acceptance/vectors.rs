use std::collections::BTreeSet;

use bearward_core::Rejection;
use bearward_tests::vectors::Report;
use bearward_tests::vectors::envoy::Envoy;
use bearward_tests::vectors::file::{Expect, File};
use bearward_tests::vectors::native::Native;

/// Rejections that no request can reach yet, each with why.
const NOT_YET: [(Rejection, &str); 3] = [
    (Rejection::TokenRevoked, "there are no revocations yet"),
    (Rejection::SubjectGone, "there are no revocations yet"),
    (Rejection::RevocationsStale, "there are no revocations yet"),
];

/// Rejections that depend on the host and not on the request; they have tests of their own.
const OF_THE_HOST: [Rejection; 1] = [Rejection::HostFailure];

#[test]
fn every_vector_holds_in_the_core() {
    let mut report = Report::default();
    for file in File::all() {
        report.run(&file, file.cases.iter(), &mut Native::new(&file));
    }
    report.conclude();
}

#[test]
fn every_vector_that_is_for_it_holds_in_envoy() {
    let mut report = Report::default();
    for file in File::all() {
        report.run(&file, file.cases.iter().filter(|case| case.envoy), &mut Envoy::start(&file));
    }
    report.conclude();
}

#[test]
fn every_rejection_is_reached_by_a_vector() {
    let files = File::all();
    let cases = files.iter().flat_map(|file| &file.cases);
    let reached: BTreeSet<String> = cases
        .filter_map(|case| match &case.expect {
            Expect::Reject(text) => text.split_once(' ').map(|(_, reason)| reason.to_owned()),
            Expect::Forward(_) => None,
        })
        .collect();
    for rejection in Rejection::ALL {
        let excused = NOT_YET.iter().any(|(other, _)| other == rejection) || OF_THE_HOST.contains(rejection);
        let reason = rejection.row().reason;
        assert_eq!(reached.contains(reason), !excused, "{reason}");
    }
}

#[test]
fn no_two_vectors_of_a_file_have_the_same_name() {
    for file in File::all() {
        let names: BTreeSet<_> = file.cases.iter().map(|case| &case.name).collect();
        assert_eq!(names.len(), file.cases.len(), "{}", file.name);
    }
}
