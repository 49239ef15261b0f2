use bearward_tests::client::Request;
use bearward_tests::harness::Setup;
use bearward_tests::recorder::Recorder;

#[test]
fn a_rule_for_get_is_one_for_head_and_for_no_other_method() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let customer = gate.customer();
    let ask = |method, path: &str| Request::new(method, path).exactly();
    for (request, status) in [
        (ask("HEAD", "/api/menu"), 200),
        (ask("HEAD", "/api/orders"), 401),
        (ask("HEAD", "/api/orders").bearer(&customer.token), 200),
        (ask("OPTIONS", "/api/menu"), 403),
        (ask("POST", "/api/menu"), 403),
        (ask("TRACE", "/api/menu"), 403),
        (ask("PUT", "/api/orders").bearer(&customer.token), 403),
        (ask("HEAD", "/api/menu/1").bearer(&customer.token), 403),
    ] {
        let answer = request.send(gate.url());
        assert_eq!(answer.status, status, "{request}: {}", answer.text());
        assert_eq!(recorder.take().len(), usize::from(status == 200), "{request}");
    }
}

#[test]
fn a_tunnel_is_never_opened() {
    let recorder = Recorder::start();
    let gate = Setup::shipped().upstream(&recorder).start();
    let customer = gate.customer();
    let address = recorder.address().to_string();
    let answer = Request::new("CONNECT", address).bearer(&customer.token).exactly().send(gate.url());
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    assert_eq!(recorder.take(), []);
}
