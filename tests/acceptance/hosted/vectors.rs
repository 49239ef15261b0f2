use std::time::Duration;

use bearward_testhost::{Outcome as Seen, Request as Sent, World};
use bearward_tests::vectors::file::File;
use bearward_tests::vectors::forge::{self, Request};
use bearward_tests::vectors::refused::RefusedFile;
use bearward_tests::vectors::{Host, Outcome, Report};

use crate::hosted::gate::{self, NOW};

/// The module that ships, on the test host.
struct TestHost {
    world: World,
    name: &'static str,
}

impl TestHost {
    fn start(file: &File, verify_signature: bool) -> Self {
        let secrets = file.keys.secrets.iter();
        let plugin = secrets.fold(gate::plugin(&forge::policy(file)), |plugin, (name, secret)| {
            plugin.environment(name, secret)
        });
        let world = World::builder().now(Duration::from_secs(NOW)).plugin(plugin);
        let world = if verify_signature { world } else { world.without_verify_signature() }.start();
        let mut world = world.unwrap_or_else(|refused| panic!("{}: {refused:?}", file.name));
        world.advance(gate::KEYS_FETCHED);
        let name = if verify_signature { "the test host" } else { "the test host without verify_signature" };
        Self { world, name }
    }
}

impl Host for TestHost {
    fn name(&self) -> &'static str {
        self.name
    }

    fn now(&self) -> u64 {
        NOW
    }

    fn run(&mut self, request: &Request) -> Result<Outcome, String> {
        let sent = Sent::new(&request.method, &request.target)
            .without(":authority")
            .header(":authority", &request.authority);
        let sent = request.headers.iter().fold(sent, |sent, (name, value)| sent.header(name, value));
        match self.world.request(sent) {
            Seen::Forwarded(forwarded) => {
                let value = |name: &String| {
                    forwarded.headers.get(name).map(|value| String::from_utf8_lossy(value).into_owned())
                };
                Ok(Outcome::Forwarded(request.asked.iter().map(|name| (name.clone(), value(name))).collect()))
            }
            Seen::LocalResponse(response) => {
                let body: serde_json::Value =
                    serde_json::from_slice(&response.body).map_err(|error| error.to_string())?;
                let reason = body["code"].as_str().unwrap_or_default().to_owned();
                if response.details != format!("bearward.{reason}") {
                    return Err(format!("the body says {reason}, the details {}", response.details));
                }
                let challenge = request
                    .asks_challenge
                    .then(|| response.headers.text("www-authenticate").unwrap_or_default());
                Ok(Outcome::Rejected { status: response.status, reason, challenge })
            }
            other => Err(format!("{other:?}")),
        }
    }
}

#[test]
fn every_vector_holds_on_the_test_host() {
    let mut report = Report::default();
    for file in File::all() {
        report.run(&file, file.cases.iter(), &mut TestHost::start(&file, true));
    }
    report.conclude();
}

#[test]
fn every_vector_of_an_algorithm_holds_on_a_host_that_verifies_no_signatures() {
    let mut report = Report::default();
    for file in File::all().iter().filter(|file| file.name == "algorithms") {
        report.run(file, file.cases.iter(), &mut TestHost::start(file, false));
    }
    report.conclude();
}

#[test]
fn every_policy_that_must_not_load_is_refused_on_the_test_host_for_each_of_its_mistakes() {
    for file in RefusedFile::all() {
        let secrets = file.keys.secrets.iter();
        let plugin = secrets
            .fold(gate::plugin(&file.policy()), |plugin, (name, secret)| plugin.environment(name, secret));
        let refused = World::builder().plugin(plugin).start().expect_err(&file.name);
        let log: Vec<_> = refused.log.iter().map(|line| line.text.as_str()).collect();
        for mistake in &file.mistakes {
            let line = format!("policy refused: {}", mistake.says);
            assert!(log.iter().any(|said| said.contains(&line)), "{}: {}: {log:#?}", file.name, mistake.name);
        }
    }
}
