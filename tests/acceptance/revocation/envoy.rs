//! Envoy itself: a worker's VM that traps, a hot restart, another policy.

mod hot_restart;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bearward_tests::client::Request;
use bearward_tests::deadline::eventually;
use bearward_tests::harness::database::TestDatabase;
use bearward_tests::harness::{Proxy, Setup, database_server};
use bearward_tests::note::note;

use super::PROMISED;
use super::issuers::Issuers;
use super::people::{Person, felt_within, passing, since, token};
use super::watch::Watch;

/// How soon somebody else asks for one who asked for all, and has died or stands still: his lease ends; and how long the rest may take.
/// Envoy makes a VM that trapped anew after a pause of its own, and compiles a new module on its main thread, whose VM is often the one
/// that asks.
const SUCCESSION: Duration = Duration::from_secs(2 + 2);

#[test]
fn a_worker_that_traps_never_lets_through_again_who_was_revoked() {
    let database = TestDatabase::create(&database_server());
    let issuers = Issuers::start(&database.url());
    let (_, honest) = Person::sign_up(issuers.both[0].url());
    let proxy = issuers.proxy(&issuers.setup().trap_build(), &honest);
    let watch = Watch::over(proxy.url(), &honest);
    let replica = &issuers.both[0];
    replica.logout_is_felt(proxy.url(), &watch, "a logout before", PROMISED);
    for _ in 0..2 {
        let session = replica.new_session(proxy.url());
        let begun = Instant::now();
        trap_all(&proxy, token(&honest));
        replica.log_out(&session);
        watch.ended(&session, SUCCESSION + PROMISED);
        let took = felt_within(
            proxy.url(),
            "a logout after a trap",
            "token_revoked",
            &[&session],
            &[&honest],
            SUCCESSION + PROMISED * 5,
        );
        assert!(took <= SUCCESSION + PROMISED, "{took:?}");
        note(&format!(
            "revocation under trouble: VMs of both workers trapped: felt after {took:?}; 503 for {:?}, all over after {:?}",
            watch.away().unwrap_or_default(),
            since(begun)
        ));
    }
    watch.finish();
}

/// Until each of two workers has trapped once more.
fn trap_all(proxy: &Proxy, token: &str) {
    let traps = |log: &str| -> Vec<String> {
        let said = log.lines().filter(|line| line.contains("bearward: panic at filter/wasm/src/stream.rs"));
        // [time][process][level]: Envoy writes the number of the thread there.
        said.filter_map(|line| line.split(['[', ']']).nth(3)).map(str::to_owned).collect()
    };
    let before = traps(&proxy.log()).len();
    eventually("a trap of every worker", || {
        let trap = Request::get("/api/orders").bearer(token).header("x-bearward-trap", "1");
        assert_eq!(trap.send(proxy.url()).status, 503);
        let workers: BTreeSet<_> = traps(&proxy.log()).into_iter().skip(before).collect();
        (workers.len() == 2).then_some(())
    });
}

#[test]
fn who_was_revoked_stays_refused_while_the_policy_changes_and_who_is_revoked_meanwhile_is_felt() {
    let database = TestDatabase::create(&database_server());
    let issuers = Issuers::start(&database.url());
    let (_, honest) = Person::sign_up(issuers.both[0].url());
    let (issuer, upstream) = issuers.addresses();
    let gate = issuers.setup().start_discovery(issuer, upstream);
    let url = gate.proxy().url();
    passing(url, "a new Envoy", &[&honest], Duration::from_secs(30));
    let watch = Watch::over(url, &honest);
    issuers.both[0].logout_is_felt(url, &watch, "a logout before", PROMISED);
    let with_payments = || {
        issuers.setup().change_policy(|policy| {
            let rule = serde_json::json!({ "name": "payments", "paths": ["/api/payments"] });
            policy["policies"][0]["rules"].as_array_mut().unwrap().push(rule);
        })
    };
    // In the same VM; in a new one; and the build of another release, which each worker has to load.
    let changes = [
        ("in the same VM", PROMISED, with_payments()),
        ("in a new VM", PROMISED, in_another_vm(with_payments())),
        ("of another module", SUCCESSION + PROMISED, issuers.setup().trap_build()),
    ];
    for (number, (what, within, setup)) in changes.into_iter().enumerate() {
        let [before, after] = [0, 1].map(|_| issuers.both[0].new_session(url));
        let begun = Instant::now();
        issuers.both[0].log_out(&before);
        gate.replace(&setup);
        issuers.both[1].log_out(&after);
        for session in [&before, &after] {
            watch.ended(session, within);
        }
        eventually("the change", || (gate.stat("config_reload") == 2 + number as u64).then_some(()));
        let ended = [&before, &after];
        felt_within(url, "a change of the policy", "token_revoked", &ended, &[&honest], within);
        let took = since(begun);
        note(&format!(
            "revocation under trouble: another policy {what}: felt after {took:?}, 503 for {:?}",
            watch.away().unwrap_or_default()
        ));
    }
    assert_eq!(gate.stat("config_fail"), 0);
    watch.finish();
}

/// The same, in a VM of another key: `vm_id`, code and this configuration make it.
fn in_another_vm(setup: Setup) -> Setup {
    let vm_id = "vm_id: bearward\n";
    let configuration = "\"@type\": type.googleapis.com/google.protobuf.StringValue, value: another";
    setup.edit(vm_id, &format!("{vm_id}{:26}configuration: {{ {configuration} }}\n", ""))
}
