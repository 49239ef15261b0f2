use bearward_tests::client::{Request, Response};
use bearward_tests::deadline::eventually;
use bearward_tests::harness::Setup;

/// The panic is one that only the test build has; the reload is Envoy's, and the state that survives it is ours.
#[test]
fn after_a_trap_the_worker_serves_again_by_itself_and_still_has_its_keys() {
    let mut gate = Setup::shipped().trap_build().start();
    let customer = gate.customer();
    let good = Request::get("/api/orders").bearer(&customer.token);
    assert_eq!(good.send(gate.url()).status, 200);
    // From here on nobody can give the filter keys that it does not have.
    gate.stack().stop_issuer();
    for round in 1..=2 {
        let trapped = Request::get("/api/orders").bearer(&customer.token).header("x-bearward-trap", "1");
        assert_eq!(trapped.send(gate.url()).status, 503, "round {round}");
        let served = eventually("an answer after the trap", || {
            let answer = good.send(gate.url());
            // Nothing but the reload itself may answer meanwhile: our own refusals have a code.
            assert_eq!(answer.code(), None, "round {round}: {}", answer.text());
            (answer.status != 503).then_some(answer)
        });
        assert_eq!(served.status, 200, "round {round}: {}", served.text());
        let without = Request::get("/api/orders").send(gate.url());
        assert_eq!(without.status, 401, "round {round}: the gate is closed as before");
    }
    let log = gate.stack().envoy_log();
    assert!(log.contains("bearward: panic at filter/wasm/src/stream.rs"), "the log says where:\n{log}");
}

#[test]
fn a_trap_lets_nothing_through() {
    let gate = Setup::shipped().trap_build().start();
    let trap = |path: &str| Request::get(path).header("x-bearward-trap", "1").send(gate.url());
    let refused = |answer: &Response| answer.status == 503;
    assert!(refused(&trap("/api/orders")) && refused(&trap("/api/menu")));
    let orders = eventually("an answer after the trap", || {
        let answer = Request::get("/api/orders").send(gate.url());
        (answer.status != 503).then_some(answer)
    });
    assert_eq!(orders.status, 401, "never anything else than closed");
}
