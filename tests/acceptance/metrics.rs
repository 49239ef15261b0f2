//! The filter's own numbers, as Prometheus scrapes them from Envoy.

use std::collections::BTreeSet;
use std::fs;

use bearward_tests::client::Request;
use bearward_tests::deadline::eventually;
use bearward_tests::harness::{Proxy, Setup};
use bearward_tests::issuer::KeyIssuer;
use bearward_tests::recorder::Recorder;
use xtask::workspace;

fn proxy(setup: &Setup, issuer: &KeyIssuer) -> Proxy {
    let upstream = Recorder::start().address();
    setup.start_envoy(issuer.address(), upstream).unwrap_or_else(|log| panic!("{log}"))
}

/// The lines of the filter's own metrics, without their values.
fn series(proxy: &Proxy) -> BTreeSet<String> {
    let all = Request::get("/stats/prometheus").send(proxy.admin_url()).text();
    let own = all.lines().filter(|line| line.starts_with("bearward_"));
    own.filter_map(|line| line.rsplit_once(' ').map(|(series, _)| series.to_owned())).collect()
}

#[test]
fn every_request_is_counted_once_by_issuer_and_reason() {
    let issuer = KeyIssuer::start();
    let gate = proxy(&Setup::shipped().without_revocations(), &issuer);
    let token = issuer.token("user-1", &["customer"]);
    let orders = |token: &str| Request::get("/api/orders").bearer(token).send(gate.url()).status;
    eventually("the keys", || (orders(&token) == 200).then_some(()));
    let requests = |issuer: &str, reason: &str| {
        gate.metric("bearward_requests", &format!("issuer=\"{issuer}\",reason=\"{reason}\"")).unwrap_or(0)
    };
    let before = requests("bearward", "forwarded");
    for _ in 0..3 {
        assert_eq!(orders(&token), 200);
    }
    for _ in 0..2 {
        assert_eq!(Request::get("/api/orders").send(gate.url()).status, 401);
    }
    assert_eq!(orders(&format!("{token}A")), 401);
    assert_eq!(Request::new("DELETE", "/api/menu/1").bearer(&token).send(gate.url()).status, 403);
    assert_eq!(Request::get("/api/menu").send(gate.url()).status, 200);
    assert_eq!(Request::get("/api/payments").send(gate.url()).status, 403);
    let counted = [
        ("bearward", "forwarded", before + 3),
        ("bearward", "role_missing", 1),
        ("-", "forwarded", 1),
        ("-", "token_missing", 2),
        ("bearward", "signature_invalid", 1),
        ("-", "no_rule", 1),
    ];
    for (issuer, reason, expected) in counted {
        assert_eq!(requests(issuer, reason), expected, "{issuer} {reason}");
    }
    assert_eq!(gate.metric("bearward_observed", ""), None);
    // One miss when it was new; that of the keys' cold start was never looked up in vain.
    let lookups = |result: &str| gate.metric("bearward_token_cache", &format!("result=\"{result}\""));
    assert!(lookups("hit") >= Some(4), "{:?}", lookups("hit"));
    assert!(lookups("miss") >= Some(2), "{:?}", lookups("miss"));
}

#[test]
fn what_is_only_observed_is_forwarded_and_counted_as_what_it_would_be() {
    let issuer = KeyIssuer::start();
    let observing = Setup::shipped().without_revocations().edit(
        "                            version: 1\n",
        "                            version: 1\n                            mode: observe\n",
    );
    let gate = proxy(&observing, &issuer);
    for _ in 0..2 {
        assert_eq!(Request::get("/api/orders").send(gate.url()).status, 200);
    }
    let count = |name: &str, reason: &str| gate.metric(name, &format!("issuer=\"-\",reason=\"{reason}\""));
    assert_eq!(count("bearward_observed", "token_missing"), Some(2));
    assert_eq!(count("bearward_requests", "forwarded"), Some(2));
    assert_eq!(count("bearward_requests", "token_missing"), None);
}

#[test]
fn envoy_is_ready_while_keys_are_not_and_a_metric_and_503_tell_it_apart() {
    let issuer = KeyIssuer::start();
    issuer.fall_silent();
    let gate = proxy(&Setup::shipped().without_revocations(), &issuer);
    let token = issuer.token("user-1", &["customer"]);
    let status = || Request::get("/api/orders").bearer(&token).send(gate.url()).status;
    assert_eq!(Request::get("/ready").send(gate.admin_url()).text().trim(), "LIVE");
    assert_eq!(status(), 503);
    assert_eq!(Request::get("/api/menu").send(gate.url()).status, 200);
    let of_issuer = |name: &str| gate.metric(name, "issuer=\"bearward\"");
    let keys = || of_issuer("bearward_keys");
    eventually("the first tick", || (keys() == Some(0)).then_some(()));
    assert_eq!(of_issuer("bearward_key_age_seconds"), None, "there is nothing that could have an age");
    eventually("a fetch that failed", || {
        gate.metric("bearward_key_fetches", "issuer=\"bearward\",result=\"failed\"")
    });

    issuer.speak();
    eventually("the keys", || (keys() == Some(1)).then_some(()));
    eventually("a verdict", || (status() == 200).then_some(()));
    assert!(of_issuer("bearward_key_age_seconds").is_some());
    // The last good set stays, and grows old.
    issuer.fall_silent();
    eventually("a second", || of_issuer("bearward_key_age_seconds").filter(|age| *age >= 1));
    assert_eq!((status(), keys()), (200, Some(1)));
}

#[test]
fn the_document_names_every_metric_with_its_labels_and_none_that_there_is_not() {
    let issuer = KeyIssuer::start();
    let setup = Setup::shipped()
        .without_revocations()
        .edit("{ name: orders, methods:", "{ name: orders, mode: observe, methods:");
    let gate = proxy(&setup, &issuer);
    let token = issuer.token("user-1", &["customer"]);
    let status = |token: &str| Request::get("/api/orders").bearer(token).send(gate.url()).status;
    eventually("the keys", || {
        status(&token);
        gate.metric("bearward_key_age_seconds", "issuer=\"bearward\"").filter(|age| *age >= 2)
    });
    // One that waits, and is only observed.
    assert_eq!(status(&issuer.token_of("key-2", "user-1", &[])), 200);
    let labels_only = |series: &String| {
        let (name, labels) = series.split_once('{').expect("labels");
        let labels = labels.trim_end_matches('}').split(',').filter_map(|label| label.split_once('='));
        let labels: Vec<_> = labels.map(|(label, _)| label).collect();
        format!("{name}{{{}}}", labels.join(","))
    };
    let found: BTreeSet<_> = series(&gate).iter().map(labels_only).collect();
    let document = fs::read_to_string(workspace::root().join("docs/metrics.md")).unwrap();
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(found, rows.map(str::to_owned).collect());
}
