//! What is asked of the host for a request, call by call: each costs more than a thousand instructions of our own.

use bearward_testhost::{Request, World};

use crate::hosted::gate::{KEYS_FETCHED, order, plugin, policy, world};

/// The hostcalls of a request that came before, so that nothing is asked for the first time.
fn hostcalls(world: &mut World, request: &Request, status: u16) -> Vec<&'static str> {
    for _ in 0..2 {
        assert_eq!(world.request(request.clone()).status(), Some(status));
    }
    let before = world.hostcalls().len();
    assert_eq!(world.request(request.clone()).status(), Some(status));
    world.hostcalls().into_iter().skip(before).map(|call| call.name).collect()
}

#[test]
fn of_a_request_the_host_is_asked_for_all_headers_at_once_and_for_each_change_and_nothing_twice() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.advance(KEYS_FETCHED);
    world.record_hostcalls();
    let (headers, time, log) =
        ("proxy_get_header_map_pairs", "proxy_get_current_time_nanoseconds", "proxy_set_property");
    let (tell, remove, count) =
        ("proxy_add_header_map_value", "proxy_remove_header_map_value", "proxy_increment_metric");
    let answer = "proxy_send_local_response";
    for (about, request, status, expected) in [
        ("public", Request::get("/api/menu"), 200, vec![headers, time, log, count]),
        ("no token", Request::get("/api/orders/1"), 401, vec![headers, time, log, count, answer]),
        // The second counter is that of tokens that were known.
        ("a known token", order(), 200, vec![headers, time, log, tell, tell, tell, count, count]),
        (
            "identity headers of the client's own",
            order().header("x-user-id", "admin").header("x-original-url", "/"),
            200,
            vec![headers, time, remove, remove, log, tell, tell, tell, count, count],
        ),
    ] {
        assert_eq!(hostcalls(&mut world, &request, status), expected, "{about}");
    }
}
