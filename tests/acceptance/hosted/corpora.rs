//! What fuzzing begins with and what it found worth keeping, on the module that ships: every input arrives there as one of
//! its kind does.

mod language;

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use bearward_core::algorithm::AlgorithmName;
use bearward_core::signature_host::NoSignatureHost;
use bearward_core::{Decision, Edit, LocalResponse, Request as View};
use bearward_fuzz::gate::Gate;
use bearward_fuzz::target::{Arrival, TARGETS, Target};
use bearward_fuzz::{NOW, configuration, corpus, deny_list, feed, forge, gate, jwks};
use bearward_testhost::{Answer, Headers, Outcome, Plugin, Request, Response, World};
use bearward_tests::note::note;
use bearward_tests::seeds;
use serde_json::Value;
use xtask::workspace;

use crate::hosted::gate as hosted;

/// Longer than the pause between two answers of the issuer, good or bad.
const REFRESHED: Duration = Duration::from_secs(35);

/// A world for each policy, in which requests follow each other as they do at a proxy.
fn worlds() -> Vec<World> {
    gate::all().iter().map(|gate| started(plugin(&gate.document))).collect()
}

fn plugin(document: &Value) -> Plugin {
    hosted::plugin(document).environment(forge::SECRET_NAME, forge::SECRET)
}

fn started(plugin: Plugin) -> World {
    let world = World::builder().now(Duration::from_secs(NOW)).plugin(plugin).start();
    let mut world = world.unwrap_or_else(|refused| panic!("{refused}"));
    world.advance(hosted::KEYS_FETCHED);
    world
}

/// The headers as Envoy's header map holds them: that is what reaches the module.
fn map(headers: &gate::Headers) -> Headers {
    let mut map = Headers::of_request();
    for (name, value) in headers {
        map.add(name, value);
    }
    map
}

/// What the core decides about a header map, and whether its client speaks gRPC.
fn decision(gate: &Gate, headers: &Headers) -> (Decision, bool) {
    let view = View::new(headers.iter().collect());
    (gate.policy.decide(&view, &gate.keys, NOW, &NoSignatureHost).decision, view.is_grpc())
}

/// The module's answer is the core's, header by header.
fn assert_same(outcome: &Outcome, gate: &Gate, headers: Headers, input: &[u8]) {
    let input = input.escape_ascii();
    match (decision(gate, &headers), outcome) {
        ((Decision::Forward(identity), _), Outcome::Forwarded(forwarded)) => {
            let mut expected = headers;
            let own = |name: &[u8]| gate.policy.forwarding().removes(name);
            let names: Vec<_> =
                expected.iter().map(|(name, _)| name.to_vec()).filter(|name| own(name)).collect();
            names.iter().for_each(|name| expected.remove(name));
            for edit in identity.iter() {
                match edit {
                    Edit::Set { name, value } => expected.replace(name.as_bytes(), value),
                    Edit::Tell { name, value } => expected.add(name.as_bytes(), value),
                    Edit::Remove { name } => expected.remove(name),
                }
            }
            assert_eq!(forwarded.headers, expected, "{input}");
        }
        ((Decision::Reject(rejection), grpc), Outcome::LocalResponse(response)) => {
            let expected = LocalResponse::of(rejection, grpc);
            assert_eq!(response.details, expected.details, "{input}");
            assert_eq!(response.grpc_status, expected.grpc_status, "{input}");
            assert!(!response.upstream_saw_headers, "{input}");
        }
        (expected, came) => panic!("{input}\n  the core: {expected:?}\n  the module: {came:?}"),
    }
}

/// How many inputs of a target arrived, each in every way.
fn replay(name: &str) -> usize {
    let target = target(name);
    let inputs = seeds::replayed(target);
    let mut worlds = worlds();
    for input in &inputs {
        for arrival in (target.arrivals)(input) {
            let Arrival::Request(index, headers) = arrival else { panic!("{name} arrives otherwise") };
            let headers = map(&headers);
            let outcome = worlds[index].request(Request::of(headers.clone()));
            assert_same(&outcome, &gate::all()[index], headers, input);
        }
    }
    // A world that saw a trap fails when it ends.
    inputs.len()
}

#[test]
fn every_kept_token_gets_the_verdict_of_the_core_and_none_brings_the_module_down() {
    note(&format!("corpus `token`: {} inputs replayed", replay("token")));
}

#[test]
fn every_kept_header_gets_the_verdict_of_the_core_and_none_brings_the_module_down() {
    note(&format!("corpus `header`: {} inputs replayed", replay("header")));
}

#[test]
fn every_kept_payload_gets_the_verdict_of_the_core_and_none_brings_the_module_down() {
    note(&format!("corpus `claims`: {} inputs replayed", replay("claims")));
}

#[test]
fn every_kept_path_gets_the_verdict_of_the_core_and_none_brings_the_module_down() {
    note(&format!("corpus `path`: {} inputs replayed", replay("path")));
}

#[test]
fn every_kept_request_gets_the_verdict_of_the_core_and_none_brings_the_module_down() {
    note(&format!("corpus `request`: {} inputs replayed", replay("request")));
}

#[test]
fn every_kept_configuration_is_taken_or_refused_as_by_the_core_and_none_brings_the_module_down() {
    let inputs = inputs("configuration");
    let mut world = World::builder().now(Duration::from_secs(NOW)).start().unwrap();
    let mut taken = 0;
    for input in &inputs {
        let loaded = world.add_plugin(plugin(&Value::Null).configuration(input.clone()));
        assert_eq!(world.traps(), [""; 0], "{}", input.escape_ascii());
        match (configuration::decide(input), loaded) {
            (None, Err(refused)) => {
                assert!(
                    refused.log.iter().all(|line| !line.text.contains(forge::SECRET)),
                    "a secret in the log"
                );
            }
            (Some(decisions), Ok(id)) => {
                taken += 1;
                for (probe, expected) in configuration::probes().iter().zip(decisions) {
                    let outcome = world.request(Request::of(map(probe)).through(id));
                    let same = matches!(expected, Decision::Forward(_)) == outcome.reached_the_upstream();
                    assert!(same, "{}: {expected:?}, but {outcome:?}", input.escape_ascii());
                }
                world.remove_plugin(id);
            }
            (expected, loaded) => panic!("{}: {expected:?}, but {loaded:?}", input.escape_ascii()),
        }
    }
    note(&format!("corpus `configuration`: {} inputs replayed, {taken} of them policies", inputs.len()));
    assert!(taken > 0, "a corpus without a policy shows nothing");
}

/// Each set meets a filter that has no keys yet, so that it alone decides.
#[test]
fn every_kept_key_set_is_taken_or_refused_as_by_the_core_and_none_brings_the_module_down() {
    let inputs = inputs("jwks");
    let mut taken = 0;
    for input in &inputs {
        let answer = Response::new(200, input.clone());
        let world = World::builder()
            .now(Duration::from_secs(NOW))
            .cluster("issuer", move |_| Answer::now(answer.clone()))
            .plugin(hosted::plugin(&jwks::gate().document))
            .start();
        let mut world = world.unwrap();
        world.advance(hosted::KEYS_FETCHED);
        let outcome = hosted::settled(&mut world, Request::of(map(&jwks::probe())));
        match (jwks::decide(input), &outcome) {
            (Decision::Forward(_), Outcome::Forwarded(_)) => taken += 1,
            (Decision::Reject(rejection), Outcome::LocalResponse(response)) => {
                assert_eq!(response.details, LocalResponse::of(rejection, false).details);
            }
            (expected, came) => panic!("{}: {expected:?}, but {came:?}", input.escape_ascii()),
        }
    }
    note(&format!("corpus `jwks`: {} inputs replayed, {taken} of them with our key", inputs.len()));
    assert!(taken > 0, "a corpus without our key shows nothing");
}

/// Long enough for a fetch and for what it brought.
const FOLLOWED: Duration = Duration::from_millis(200);

/// What the module makes of a request once this has arrived, compared with what the core does. Whether it passed.
fn same_after(gate: &Gate, cluster: &str, body: &[u8], probe: &gate::Headers, expected: &Decision) -> bool {
    let answer = Response::new(200, body.to_vec());
    let world = World::builder()
        .now(Duration::from_secs(NOW))
        .cluster(cluster, move |_| Answer::After(1, answer.clone()))
        .plugin(plugin(&gate.document))
        .start();
    let mut world = world.unwrap_or_else(|refused| panic!("{refused}"));
    world.advance(FOLLOWED);
    match (expected, &world.request(Request::of(map(probe)))) {
        (Decision::Forward(_), Outcome::Forwarded(_)) => true,
        (Decision::Reject(rejection), Outcome::LocalResponse(response)) => {
            assert_eq!(
                response.details,
                LocalResponse::of(*rejection, false).details,
                "{}",
                body.escape_ascii()
            );
            false
        }
        (expected, came) => panic!("{}: {expected:?}, but {came:?}", body.escape_ascii()),
    }
}

#[test]
fn every_kept_deny_list_is_taken_or_refused_as_by_the_core_and_none_brings_the_module_down() {
    let (inputs, probe) = (inputs("deny_list"), deny_list::probe());
    let mut passed = 0;
    for input in &inputs {
        for arrival in deny_list::arrivals(input) {
            let Arrival::DenyList(body) = arrival else { panic!("it arrives otherwise") };
            let expected = deny_list::decide(&body);
            passed += usize::from(same_after(deny_list::gate(), "files", &body, &probe, &expected));
        }
    }
    note(&format!(
        "corpus `deny_list`: {} inputs replayed, after {passed} of them the token passes",
        inputs.len()
    ));
    assert!(passed > 0, "a corpus without a good list shows nothing");
}

#[test]
fn every_kept_answer_of_a_feed_is_taken_or_refused_as_by_the_core_and_none_brings_the_module_down() {
    let (inputs, probe) = (inputs("feed"), feed::probe());
    let mut passed = 0;
    for input in &inputs {
        for arrival in feed::arrivals(input) {
            let Arrival::FeedAnswer(body) = arrival else { panic!("it arrives otherwise") };
            let expected = feed::decide_after(&body);
            passed += usize::from(same_after(feed::gate(), "internal", &body, &probe, &expected));
        }
    }
    note(&format!(
        "corpus `feed`: {} inputs replayed, after {passed} answers the token passes",
        inputs.len()
    ));
    assert!(passed > 0, "a corpus without a good answer shows nothing");
}

/// Whatever an issuer answered before, a refused set leaves the last good one in use.
#[test]
fn no_kept_key_set_that_is_refused_takes_the_keys_away() {
    let good = jwks::good();
    let mut world = World::builder()
        .now(Duration::from_secs(NOW))
        .cluster("issuer", move |_| Answer::now(Response::new(200, good.clone())))
        .plugin(hosted::plugin(&jwks::gate().document))
        .start()
        .unwrap();
    world.advance(hosted::KEYS_FETCHED);
    let refused =
        |input: &Vec<u8>| bearward_core::keys::KeySet::parse(input, &[AlgorithmName::EdDsa]).is_err();
    for input in inputs("jwks").into_iter().filter(refused) {
        let answer = Response::new(200, input.clone());
        world.set_cluster("issuer", move |_| Answer::now(answer.clone()));
        world.advance(REFRESHED);
        let outcome = world.request(Request::of(map(&jwks::probe())));
        // In the end the token has expired, which nobody is told before its signature held.
        let is_expired = |outcome: &Outcome| match outcome {
            Outcome::LocalResponse(response) => response.details == "bearward.token_expired",
            _ => false,
        };
        assert!(
            outcome.reached_the_upstream() || is_expired(&outcome),
            "{}: {outcome:?}",
            input.escape_ascii()
        );
    }
}

#[test]
fn what_must_hold_of_every_input_holds_of_every_kept_one() {
    for target in &TARGETS {
        seeds::replayed(target).iter().for_each(|input| (target.check)(input));
        (target.check)(b"");
    }
}

#[test]
fn every_fuzz_target_has_a_corpus_and_every_corpus_a_target() {
    let names = |names: Vec<String>| names.into_iter().collect::<BTreeSet<_>>();
    let files = |folder: &str| {
        let entries = fs::read_dir(workspace::root().join("fuzz").join(folder)).unwrap();
        let stem = |path: std::path::PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        names(entries.map(|entry| stem(entry.unwrap().path())).collect())
    };
    let targets = names(TARGETS.iter().map(|target| target.name.to_owned()).collect());
    assert_eq!(files("corpus"), targets);
    assert_eq!(files("fuzz_targets"), targets);
    for target in &TARGETS {
        assert!(seeds::kept(target).len() >= 10, "{}: a corpus that says next to nothing", target.name);
    }
}

#[test]
fn an_input_of_any_bytes_is_read_as_it_was_written() {
    let all: Vec<u8> = (0..=255).collect();
    let inputs = vec![b"\n\r\n".to_vec(), b"\\x5c".to_vec(), all];
    assert_eq!(corpus::read(&corpus::write(inputs.clone())), Ok(inputs));
    for (text, line) in [("\\", 1), ("\\x4", 1), ("a\n\\n", 2), ("a\n\nb", 2), ("\\xg0", 1), ("\u{e9}", 1)] {
        assert_eq!(corpus::read(text), Err(line), "{text:?}");
    }
}

/// So that a run that finds nothing new changes nothing.
#[test]
fn every_corpus_stands_in_the_order_in_which_it_is_written() {
    for target in &TARGETS {
        let text = fs::read_to_string(seeds::kept_file(target)).unwrap();
        assert!(
            corpus::write(seeds::kept(target)) == text,
            "{}: written by hand? `cargo xtask fuzz`",
            target.name
        );
    }
}

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).expect("a target")
}

fn inputs(name: &str) -> Vec<Vec<u8>> {
    seeds::replayed(target(name))
}
