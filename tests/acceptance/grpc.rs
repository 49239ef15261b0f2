use bearward_tests::client::Request;
use bearward_tests::harness::Setup;

/// gRPC's own codes: 16 UNAUTHENTICATED, 7 PERMISSION_DENIED, 3 INVALID_ARGUMENT.
#[test]
fn a_grpc_client_is_refused_in_its_own_terms() {
    let gate = Setup::shipped().start();
    let customer = gate.customer();
    let call = |method, path: &str| {
        Request::new(method, path)
            .header("content-type", "application/grpc+proto")
            .header("te", "trailers")
            .exactly()
    };
    for (request, code, message) in [
        (call("POST", "/api/orders"), "16", "No token provided"),
        (call("POST", "/api/orders").bearer("this.is.fake"), "16", "Invalid token"),
        (call("DELETE", "/api/menu/1").bearer(&customer.token), "7", "Not authorized"),
        (call("POST", "/restaurant.Orders/Place"), "7", "Not authorized"),
        (call("POST", "/api//orders"), "3", "Ambiguous path"),
    ] {
        let answer = request.send(gate.url());
        assert_eq!(answer.status, 200, "{request}: the status of gRPC stands in its own header");
        assert_eq!(answer.header("grpc-status").as_deref(), Some(code), "{request}");
        assert_eq!(answer.header("grpc-message").as_deref(), Some(message), "{request}");
        assert_eq!(answer.header("content-type").as_deref(), Some("application/grpc"), "{request}");
        assert_eq!(answer.text(), "", "{request}: no problem body");
    }
}
