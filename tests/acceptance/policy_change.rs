use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bearward_tests::client::http2::Http2;
use bearward_tests::client::{Request, Response};
use bearward_tests::deadline::eventually;
use bearward_tests::harness::{Discovery, Setup};
use bearward_tests::issuer::KeyIssuer;
use bearward_tests::recorder::Recorder;

/// What the old policy has no rule for, and the new one lets authenticated users do.
const PAYMENTS: &str = "/api/payments";

/// The shipped policy and one rule more.
fn with_payments() -> Setup {
    Setup::shipped()
        .without_revocations()
        .edit("paths: [/api/orders] }", "paths: [/api/orders, /api/payments] }")
}

/// One that does not compile.
fn bad() -> Setup {
    with_payments().edit("paths: [/api/menu], access: public", "paths: [/api/menu], acess: public")
}

/// The same, in a VM of another key: `vm_id`, code and this configuration make it.
fn in_another_vm(setup: Setup) -> Setup {
    let vm_id = "vm_id: bearward\n";
    let configuration = "\"@type\": type.googleapis.com/google.protobuf.StringValue, value: another";
    setup.edit(vm_id, &format!("{vm_id}{:26}configuration: {{ {configuration} }}\n", ""))
}

/// A gate that has its keys.
fn start(setup: &Setup, issuer: &KeyIssuer) -> Discovery {
    let gate = setup.start_discovery(issuer.address(), Recorder::start().address());
    issuer.wait_until_known(gate.proxy().url());
    gate
}

/// Whether the new policy answered: 403 by the old one, 200 by the new one, and nothing else ever.
fn is_new(answer: &Response) -> bool {
    match (answer.status, answer.code().as_deref()) {
        (200, None) => true,
        (403, Some("no_rule")) => false,
        _ => panic!("neither policy says {}: {}", answer.status, answer.text()),
    }
}

/// Asks for it until the new policy answers. The first request that a new VM or root context gets is one of these.
fn wait_for_the_new_policy(gate: &Discovery, token: &str) {
    let payments = Request::get(PAYMENTS).bearer(token);
    eventually("the new policy", || is_new(&payments.send(gate.proxy().url())).then_some(()));
}

#[test]
fn a_new_policy_takes_effect_under_load_without_one_wrong_answer_or_one_lost_connection() {
    let issuer = KeyIssuer::start();
    let gate = start(&Setup::shipped().without_revocations().workers(2), &issuer);
    let url = gate.proxy().url();
    let token = issuer.token("user-1", &["customer"]);
    let (orders, payments) =
        (Request::get("/api/orders").bearer(&token), Request::get(PAYMENTS).bearer(&token));
    let ended = AtomicBool::new(false);
    // A connection belongs to one worker: once the new policy has answered on it, the old one never does again.
    let on_one_connection = || {
        let connection = Http2::connect(url);
        let mut changed = false;
        let mut ask = || {
            for answer in connection.exchange_all(&vec![orders.clone(); 8]) {
                let answer = answer.expect("the connection stays open").response;
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
            let is_new = is_new(&connection.send(&payments).expect("the connection stays open"));
            assert!(is_new || !changed, "the old policy answered after the new one");
            changed = is_new;
            is_new
        };
        while !ended.load(Ordering::SeqCst) {
            ask();
        }
        eventually("the new policy", || ask().then_some(()));
    };
    let on_new_connections = || {
        while !ended.load(Ordering::SeqCst) {
            assert_eq!(orders.send(url).status, 200);
            is_new(&payments.send(url));
        }
    };
    thread::scope(|scope| {
        let _end = End(&ended);
        scope.spawn(on_one_connection);
        scope.spawn(on_one_connection);
        scope.spawn(on_new_connections);
        // The first is in the same VM, the second in a new one.
        for (reload, setup) in [(2, with_payments()), (3, in_another_vm(with_payments()))] {
            gate.replace(&setup);
            eventually("the change", || (gate.stat("config_reload") == reload).then_some(()));
        }
    });
    assert_eq!(gate.stat("config_fail"), 0);
}

#[test]
fn a_bad_policy_is_refused_and_the_old_one_stays_in_force() {
    let issuer = KeyIssuer::start();
    let gate = start(&Setup::shipped().without_revocations(), &issuer);
    let token = issuer.token("user-1", &["customer"]);
    gate.replace(&bad());
    eventually("the refusal", || (gate.stat("update_rejected") == 1).then_some(()));
    assert_eq!((gate.stat("config_fail"), gate.stat("update_success")), (1, 1));
    let log = gate.proxy().log();
    assert!(log.contains("bearward: policy refused: policies[0].rules[1].acess: unknown field"), "{log}");
    for _ in 0..20 {
        assert!(!is_new(&Request::get(PAYMENTS).bearer(&token).send(gate.proxy().url())));
        assert_eq!(Request::get("/api/menu").send(gate.proxy().url()).status, 200);
        assert_eq!(Request::get("/api/orders").bearer(&token).send(gate.proxy().url()).status, 200);
        assert_eq!(Request::get("/api/orders").send(gate.proxy().url()).status, 401);
    }
    // The way out is a good one, and not a restart.
    gate.replace(&with_payments());
    wait_for_the_new_policy(&gate, &token);
}

#[test]
fn a_gate_whose_first_policy_is_bad_lets_nothing_through_until_there_is_a_good_one() {
    let issuer = KeyIssuer::start();
    let gate = bad().start_discovery(issuer.address(), Recorder::start().address());
    assert_eq!(gate.stat("update_rejected"), 1);
    for path in ["/api/orders", "/api/menu", "/elsewhere"] {
        assert_eq!(Request::get(path).send(gate.proxy().url()).status, 500, "{path}");
    }
    gate.replace(&with_payments());
    let menu = eventually("a good policy", || {
        let answer = Request::get("/api/menu").send(gate.proxy().url());
        (answer.status != 500).then_some(answer)
    });
    assert_eq!(menu.status, 200, "{}", menu.text());
    assert_eq!(Request::get("/api/orders").send(gate.proxy().url()).status, 401);
}

/// No cold 503: nobody can give the filter keys that it does not have, and it has them.
#[test]
fn a_new_root_context_in_the_same_vm_keeps_the_keys() {
    let issuer = KeyIssuer::start();
    let gate = start(&Setup::shipped().without_revocations(), &issuer);
    issuer.fall_silent();
    let token = issuer.token("user-1", &["customer"]);
    let before = vms(&gate);
    gate.replace(&with_payments());
    wait_for_the_new_policy(&gate, &token);
    assert_eq!(vms(&gate), (before.0, before.1 + 1), "no VM but the one in which Envoy tries the policy");
}

/// Another `vm_config`, or the module of another release.
#[test]
fn a_new_vm_keeps_the_keys() {
    for setup in [in_another_vm(with_payments()), with_payments().trap_build()] {
        let issuer = KeyIssuer::start();
        let gate = start(&Setup::shipped().without_revocations(), &issuer);
        issuer.fall_silent();
        let token = issuer.token("user-1", &["customer"]);
        let before = vms(&gate);
        gate.replace(&setup);
        wait_for_the_new_policy(&gate, &token);
        // One that the others are made from, one to try the policy in, one for the main thread, one for the worker.
        assert_eq!(vms(&gate).1, before.1 + 4);
        // The keys lived in the old VMs, too: they must not go with them.
        eventually("the end of the old VMs", || (vms(&gate).0 == before.0).then_some(()));
        let answer = Request::get("/api/orders").bearer(&token).send(gate.proxy().url());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

/// Ends the load, also where the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// VMs that there are, and that there have been.
fn vms(gate: &Discovery) -> (u64, u64) {
    let number = |name| gate.proxy().stat(&format!("wasm.envoy.wasm.runtime.v8.{name}"));
    (number("active"), number("created"))
}
