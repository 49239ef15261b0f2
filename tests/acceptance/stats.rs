use bearward_tests::client::Request;
use bearward_tests::deadline::eventually;
use bearward_tests::harness::{Proxy, Setup};
use bearward_tests::issuer::KeyIssuer;
use bearward_tests::recorder::Recorder;

/// A gate that has its keys.
fn gate(setup: &Setup, issuer: &KeyIssuer) -> Proxy {
    let upstream = Recorder::start().address();
    let proxy = setup.start_envoy(issuer.address(), upstream).unwrap_or_else(|log| panic!("{log}"));
    issuer.wait_until_known(proxy.url());
    proxy
}

/// Envoy counts a request after its answer is out.
fn becomes(proxy: &Proxy, name: &str, expected: u64) {
    eventually(&format!("{expected} as `{name}`"), || (proxy.stat(name) == expected).then_some(()));
}

#[test]
fn envoys_own_numbers_count_refusals_as_what_they_are() {
    let issuer = KeyIssuer::start();
    let proxy = gate(&Setup::shipped().without_revocations(), &issuer);
    let token = issuer.token("user-1", &["customer"]);
    let names = [
        "http.public.downstream_rq_2xx",
        "http.public.downstream_rq_4xx",
        "http.public.downstream_rq_5xx",
        "cluster.upstream.upstream_rq_total",
    ];
    let before = names.map(|name| proxy.stat(name));
    for (request, count) in [
        (Request::get("/api/orders").bearer(&token), 3),
        (Request::get("/api/orders"), 4),
        (Request::get("/api/payments"), 5),
        (Request::get("/api//orders").exactly(), 6),
    ] {
        for _ in 0..count {
            let _ = request.send(proxy.url());
        }
    }
    for ((name, before), more) in names.into_iter().zip(before).zip([3, 15, 0, 3]) {
        becomes(&proxy, name, before + more);
    }
}

/// One that the others are made from, one for the main thread, and one for each worker.
#[test]
fn each_worker_has_one_vm_however_many_requests_there_are() {
    let issuer = KeyIssuer::start();
    let proxy = gate(&Setup::shipped().without_revocations().workers(2), &issuer);
    let vms = || proxy.stat("wasm.envoy.wasm.runtime.v8.active");
    assert_eq!(vms(), 4);
    for _ in 0..20 {
        assert_eq!(Request::get("/api/orders").send(proxy.url()).status, 401);
    }
    assert_eq!(vms(), 4);
}

#[test]
fn a_trap_and_the_reload_after_it_are_counted() {
    let issuer = KeyIssuer::start();
    let proxy = gate(&Setup::shipped().without_revocations().trap_build(), &issuer);
    let created = proxy.stat("wasm.envoy.wasm.runtime.v8.created");
    let before = proxy.stat("http.public.downstream_rq_5xx");
    assert_eq!(proxy.stat("wasm.bearward.vm_reload_success"), 0);
    let trap = Request::get("/api/orders").header("x-bearward-trap", "1");
    assert_eq!(trap.send(proxy.url()).status, 503);
    let mut closed = 1;
    eventually("an answer after the trap", || {
        let status = Request::get("/api/orders").send(proxy.url()).status;
        closed += u64::from(status == 503);
        (status == 401).then_some(())
    });
    becomes(&proxy, "wasm.bearward.vm_reload_success", 1);
    becomes(&proxy, "wasm.envoy.wasm.runtime.v8.created", created + 1);
    // The one that trapped itself, and each that came too early to have the VM reloaded.
    becomes(&proxy, "http.public.downstream_rq_5xx", before + closed);
    becomes(&proxy, "wasm.bearward.vm_reload_backoff", closed - 1);
    assert_eq!(proxy.stat("wasm.bearward.vm_reload_failure"), 0);
}

/// What the names of functions stay in the module for: without them a trap would leave nothing but numbers.
#[test]
fn envoys_log_names_the_functions_in_which_a_module_has_trapped() {
    let issuer = KeyIssuer::start();
    let proxy = gate(&Setup::shipped().without_revocations().trap_build(), &issuer);
    let trap = Request::get("/api/orders").header("x-bearward-trap", "1");
    assert_eq!(trap.send(proxy.url()).status, 503);
    // Envoy writes it in parts. The panic hook is on top of it, and a function of the filter, too.
    eventually("a backtrace with the callback and the function that panicked", || {
        let log = proxy.log();
        let (_, backtrace) = log.split_once("backtrace:")?;
        ["proxy_on_request_headers", "bearward_filter::stream::on_headers"]
            .iter()
            .all(|name| backtrace.contains(name))
            .then_some(())
    });
}
