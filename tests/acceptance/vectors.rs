use std::collections::BTreeSet;

use bearward_core::{Policy, Rejection};
use bearward_tests::harness::Setup;
use bearward_tests::note::note;
use bearward_tests::recorder::Recorder;
use bearward_tests::vectors::Report;
use bearward_tests::vectors::envoy::Envoy;
use bearward_tests::vectors::file::{Expect, File};
use bearward_tests::vectors::native::Native;
use bearward_tests::vectors::refused::RefusedFile;

/// Rejections that depend on what a feed has said; they have tests of their own.
const OF_THE_FEED: [Rejection; 3] =
    [Rejection::TokenRevoked, Rejection::SubjectGone, Rejection::RevocationsStale];

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
        let excused = OF_THE_FEED.contains(rejection) || OF_THE_HOST.contains(rejection);
        let reason = rejection.row().reason;
        assert_eq!(reached.contains(reason), !excused, "{reason}");
    }
}

#[test]
fn every_policy_that_must_not_load_is_refused_by_the_core_for_its_mistakes_and_nothing_else() {
    for file in RefusedFile::all() {
        let secrets = |name: &str| file.keys.secrets.get(name).map(|secret| secret.clone().into_bytes());
        let problems = Policy::compile(&file.policy(), &secrets).expect_err(&file.name);
        let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
        for mistake in &file.mistakes {
            let found = said.iter().filter(|line| line.starts_with(&mistake.says)).count();
            assert_eq!(found, 1, "{}: {}: `{}` of\n{said:#?}", file.name, mistake.name, mistake.says);
        }
        assert_eq!(said.len(), file.mistakes.len(), "{}: {said:#?}", file.name);
        note(&format!("policies that must not load: {} {} mistakes", file.name, said.len()));
    }
}

#[test]
fn every_policy_that_must_not_load_is_refused_by_envoy_for_each_of_its_mistakes() {
    let nobody = Recorder::start().address();
    for file in RefusedFile::all() {
        let setup = Setup::shipped().policy(&file.policy());
        let secrets = file.keys.secrets.iter();
        let setup = secrets.fold(setup, |setup, (name, secret)| setup.secret(name, secret));
        let Err(log) = setup.start_envoy(nobody, nobody) else { panic!("Envoy loads {}", file.name) };
        for mistake in file.mistakes.iter().filter(|mistake| mistake.envoy) {
            let line = format!("bearward: policy refused: {}", mistake.says);
            let said: Vec<_> = log.lines().filter(|line| line.contains("bearward: ")).collect();
            assert!(log.contains(&line), "{}: {}: `{line}` of\n{said:#?}", file.name, mistake.name);
        }
    }
}

#[test]
fn no_two_vectors_of_a_file_have_the_same_name() {
    for file in File::all() {
        let names: BTreeSet<_> = file.cases.iter().map(|case| &case.name).collect();
        assert_eq!(names.len(), file.cases.len(), "{}", file.name);
    }
    for file in RefusedFile::all() {
        let names: BTreeSet<_> = file.mistakes.iter().map(|mistake| &mistake.name).collect();
        assert_eq!(names.len(), file.mistakes.len(), "{}", file.name);
    }
}
