//! A scenario on the test host.

use std::sync::Arc;
use std::time::Duration;

use bearward_testhost::{
    Answer, FailurePolicy, Forwarded, Headers, Module, Outcome, Plugin, Request, Response, World,
};

use super::client;
use super::report::{Report, readable};
use super::script::{Policy, Scenario, Sent};

pub(super) fn run(scenario: &Scenario, module: &Arc<Module>) -> Report {
    let mut plugin = Plugin::new(module)
        .name(scenario.name)
        .root_id("root")
        .vm_id(scenario.name)
        .vm_configuration(scenario.vm_configuration)
        .configuration(scenario.configuration)
        .failure_policy(match scenario.policy {
            Policy::Closed => FailurePolicy::FailClosed,
            Policy::Open => FailurePolicy::FailOpen,
            Policy::Reload => FailurePolicy::FailReload { backoff_ms: 100 },
        });
    for (name, value) in &scenario.environment {
        plugin = plugin.environment(name, value);
    }
    if !scenario.allowed.is_empty() {
        plugin = plugin.allow_only(scenario.allowed.iter().copied());
    }
    let mut world = World::builder()
        .plugin(plugin)
        .cluster("answers", |_| Answer::now(answer()))
        .cluster("refuses", |_| Answer::Unreachable)
        .cluster("silent", |_| Answer::Never)
        .cluster("breaks", |_| Answer::ResetAfter(1))
        .upstream(recorder)
        .traps_expected()
        .start()
        .unwrap_or_else(|refused| panic!("{}: {refused}", scenario.name));
    let mut report = Report::default();
    for sent in &scenario.requests {
        world.advance(Duration::from_millis(sent.after_ms));
        let stream = world.open(request(sent));
        let mut outcome = world.outcome(stream);
        // A client waits.
        for _ in 0..20 {
            if outcome == Outcome::Paused {
                world.advance(Duration::from_millis(100));
                outcome = world.outcome(stream);
            }
        }
        world.close(stream);
        report.responses.push(seen(&outcome));
    }
    world.advance(Duration::from_millis(scenario.rest_ms));
    report.lines = world.log().iter().filter_map(|line| readable(&line.text, scenario.name)).collect();
    report
}

/// What the recorder behind Envoy answers.
fn recorder(forwarded: &Forwarded) -> Response {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let own = forwarded.headers.iter().filter(|(name, _)| !name.starts_with(b":"));
    let mut variables = vec![("HTTP_HOST".to_owned(), "example.com".to_owned())];
    variables.extend(own.map(|(name, value)| (client::variable(name), text(value))));
    if !forwarded.trailers.is_empty() {
        variables.push(("HTTP_TRANSFER_ENCODING".to_owned(), "chunked".to_owned()));
    }
    variables.extend(forwarded.trailers.iter().map(|(name, value)| (client::variable(name), text(value))));
    let part = |name| forwarded.headers.text(name);
    let body =
        serde_json::json!({ "method": part(":method"), "target": part(":path"), "variables": variables });
    let body = body.to_string();
    Response::new(200, body.clone())
        .header("content-type", "application/json")
        .header("content-length", body.len().to_string())
}

/// With what Envoy adds to the response of a call.
fn answer() -> Response {
    Response::new(200, "answer")
        .header("x-answer", "1")
        .header("content-length", "6")
        .header("x-envoy-upstream-service-time", "0")
}

/// As Envoy's HTTP/1.1 codec and its connection manager hand it over.
fn request(sent: &Sent) -> Request {
    let mut headers = Headers::of_request();
    headers.add(":authority", "example.com");
    headers.add(":path", sent.path);
    headers.add(":method", sent.method);
    headers.add(":scheme", "http");
    for (name, value) in &sent.headers {
        headers.add(name, value);
    }
    if sent.trailers.is_empty() && !sent.body.is_empty() {
        headers.add("content-length", sent.body.len().to_string());
    }
    headers.add("x-forwarded-proto", "http");
    let mut request = Request::of(headers).body(sent.body);
    for (name, value) in &sent.trailers {
        request = request.trailer(name, value);
    }
    request
}

fn seen(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Forwarded(forwarded) => {
            let request = forwarded.headers.iter().chain(forwarded.trailers.iter());
            let request = request.filter(|(name, _)| !name.starts_with(b":"));
            let variables: Vec<_> = request
                .map(|(name, value)| (client::variable(name), String::from_utf8_lossy(value).into_owned()))
                .collect();
            let response = &forwarded.response;
            client::line(response.status(), response.headers.iter(), &response.body, Some(&variables))
        }
        Outcome::LocalResponse(response) => {
            client::line(response.status, response.headers.iter(), &response.body, None)
        }
        Outcome::Trapped { seen: answer, .. } => seen(answer),
        Outcome::Paused => "no answer".to_owned(),
        Outcome::Reset { .. } => "closed".to_owned(),
    }
}
