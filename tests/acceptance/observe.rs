use bearward_tests::client::Request;
use bearward_tests::deadline::eventually;
use bearward_tests::harness::Setup;
use bearward_tests::recorder::Recorder;

const ENFORCED: &str = "                            version: 1\n";
const OBSERVED: &str = "                            version: 1\n                            mode: observe\n";

#[test]
fn a_policy_that_observes_lets_everything_pass_says_what_it_would_refuse_and_believes_no_client() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().edit(ENFORCED, OBSERVED).upstream(&recorder).start();
    let customer = gate.customer();
    let orders = || Request::get("/api/orders").header("x-user-id", "admin");
    // A gate that only observes does not wait for its keys, and neither did whoever started it.
    eventually("an identity", || {
        assert_eq!(orders().bearer(&customer.token).send(gate.url()).status, 200);
        recorder.take().iter().any(|seen| !seen.values("HTTP_X_USER_ID").is_empty()).then_some(())
    });
    for (request, identity, verdict) in [
        (orders(), None, "observe token_missing restaurant/orders -"),
        (orders().bearer("this.is.fake"), None, "observe token_malformed restaurant/orders -"),
        (Request::get("/api/payments"), None, "observe no_rule - -"),
        (
            Request::new("DELETE", "/api/menu/1").bearer(&customer.token),
            Some(customer.id.as_str()),
            "observe role_missing restaurant/menu-edit bearward",
        ),
        (
            orders().bearer(&customer.token),
            Some(customer.id.as_str()),
            "forward - restaurant/orders bearward",
        ),
    ] {
        let answer = request.send(gate.url());
        assert_eq!(answer.status, 200, "{verdict}: {}", answer.text());
        assert_eq!(recorder.take_one().values("HTTP_X_USER_ID").first().copied(), identity, "{verdict}");
    }
    let log = gate.stop();
    for verdict in [
        "observe token_missing restaurant/orders -",
        "observe no_rule - -",
        "observe role_missing restaurant/menu-edit bearward",
    ] {
        assert!(log.contains(verdict), "`{verdict}` is missing:\n{log}");
    }
}
