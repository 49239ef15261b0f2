use bearward_tests::client::{Request, Response};
use bearward_tests::deadline::eventually;
use bearward_tests::harness::Setup;
use xtask::report::Report;

fn is_unavailable(answer: &Response) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.code().as_deref(), Some("keys_unavailable"));
    assert_eq!(answer.error().as_deref(), Some("Authentication unavailable"));
    assert_eq!(answer.header("content-type").as_deref(), Some("application/problem+json"));
    let after: u32 = answer.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=60).contains(&after));
    assert_eq!(answer.challenge(), None, "credentials would not help");
}

#[test]
fn an_envoy_that_starts_before_the_issuer_refuses_until_it_is_there_and_then_comes_to_life() {
    let mut gate = Setup::shipped().start();
    let customer = gate.customer();
    let orders = Request::get("/api/orders").bearer(&customer.token);
    gate.stack().stop_issuer();
    let upstream = gate.stack().upstream_address();
    let late = Setup::shipped().without_revocations().start_envoy(gate.issuer_address(), upstream).unwrap();

    is_unavailable(&orders.send(late.url()));
    assert_eq!(Request::get("/api/orders").send(late.url()).status, 401, "no key is needed to miss a token");
    assert_eq!(Request::get("/api/orders").bearer("a.b.c").send(late.url()).status, 401);
    assert_eq!(Request::get("/api/menu").send(late.url()).status, 200, "what is public needs no keys");
    assert_eq!(Request::get("/api/menu").bearer(&customer.token).send(late.url()).status, 200);
    assert_eq!(Request::get("/api/payments").send(late.url()).status, 403);
    assert_eq!(orders.send(gate.url()).status, 200, "who has the keys already keeps them");

    gate.stack().start_issuer(&mut Report::silent()).unwrap();
    let answer = eventually("a verdict", || {
        let answer = orders.send(late.url());
        (answer.status != 503).then_some(answer)
    });
    assert_eq!(answer.status, 200, "{}", answer.text());
}
