//! Following a feed of revocations, with an issuer that does what it is told and a clock that obeys.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bearward_testhost::{Answer, CallRequest, Plugin, PluginId, Request, Response, World};
use bearward_tests::token::{self, Key};
use serde_json::{Value, json};

use crate::hosted::gate::{NOW, order, plugin, plugin_of, policy, token as signed, trap_module, world};

const FEED_SEED: [u8; 32] = [11; 32];
const CREDENTIAL: &str = "q7Rk2Vx9Lm4Tz8Wc1Np6Yh3Jd5Gf0Bs7";
/// What a poll without news waits for, in milliseconds.
const WAIT_MS: u64 = 1_000;
/// And a page.
const PAGE_MS: u64 = 100;
/// The most by which the clock goes on at a time, in milliseconds: the issuer's goes with it.
const STEP_MS: u64 = 10;

/// What the issuer does with a question.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Honest,
    /// It does not wait.
    Hasty,
    /// Whoever holds nothing has a page of one record at a time, each after a while.
    Paged,
    Conflict,
    Forged,
    Silent,
}

/// The issuer.
struct Issuer {
    mode: Mode,
    /// How long a page takes, in milliseconds.
    page_ms: u64,
    now_ms: u64,
    records: Vec<Value>,
    /// The paths of all questions, and of all that asked for keys.
    questions: Vec<String>,
    key_fetches: usize,
    /// Calls without the credential.
    refused: usize,
    /// The name and the seed of the key that signs, which alone is in the set.
    key: (&'static str, [u8; 32]),
    /// So many of the next fetches of keys are not answered.
    keys_away: usize,
}

type Shared = Rc<RefCell<Issuer>>;

impl Issuer {
    fn new() -> Shared {
        Rc::new(RefCell::new(Self {
            mode: Mode::Honest,
            page_ms: PAGE_MS,
            now_ms: NOW * 1_000,
            records: Vec::new(),
            questions: Vec::new(),
            key_fetches: 0,
            refused: 0,
            key: ("f1", FEED_SEED),
            keys_away: 0,
        }))
    }

    fn answer(&mut self, call: &CallRequest) -> Answer {
        let path = call.headers.text(":path").unwrap();
        if path == "/revocations/v1/keys" {
            self.key_fetches += 1;
            if self.keys_away > 0 {
                self.keys_away -= 1;
                return Answer::Unreachable;
            }
            let (kid, seed) = self.key;
            let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "alg": "EdDSA", "x": token::public_key(&seed) });
            return Answer::now(Response::new(200, json!({ "keys": [key] }).to_string()));
        }
        // Keys are public here, so that whoever asks in vain could at least verify.
        if call.headers.text("authorization") != Some(format!("Bearer {CREDENTIAL}")) {
            self.refused += 1;
            return Answer::now(Response::new(401, ""));
        }
        // Whoever meets a replica that is gone is to be sent to another one at once.
        assert_eq!(
            call.headers.text("x-envoy-retry-on").as_deref(),
            Some("connect-failure,refused-stream,reset")
        );
        let query = path.strip_prefix("/revocations/v1?").unwrap().to_owned();
        self.questions.push(query.clone());
        let held = query.split('&').find_map(|part| part.strip_prefix("sequence="));
        let held: Option<usize> = held.map(|text| text.parse().unwrap());
        let after = query.split('&').find_map(|part| part.strip_prefix("after="));
        match self.mode {
            Mode::Paged if held.is_none() || after.is_some() => {
                Answer::After(self.page_ms, self.page(after.map_or(0, |text| text.parse().unwrap())))
            }
            Mode::Silent => Answer::Never,
            Mode::Conflict => Answer::now(Response::new(409, "")),
            Mode::Forged => Answer::After(WAIT_MS, self.signed(held, [12; 32])),
            Mode::Honest | Mode::Paged if held == Some(self.records.len()) => {
                Answer::After(WAIT_MS, self.signed(held, self.key.1))
            }
            Mode::Honest | Mode::Hasty | Mode::Paged => Answer::now(self.signed(held, self.key.1)),
        }
    }

    fn place(sequence: usize) -> Value {
        json!({ "sequence": sequence, "digest": format!("{sequence:064x}") })
    }

    fn signed(&self, held: Option<usize>, seed: [u8; 32]) -> Response {
        let mut payload = json!({
            "version": 1, "iss": "http://issuer.example.com", "generation": "0123456789abcdef0123456789abcdef",
            "head": Self::place(self.records.len()), "as_of": self.now_ms,
            "records": self.records.get(held.unwrap_or(0)..).unwrap(),
        });
        match held {
            Some(held) => payload["from"] = Self::place(held),
            None => {
                payload["after"] = json!(0);
                payload["through"] = json!(self.records.len());
            }
        }
        self.answered(&payload, seed)
    }

    fn page(&self, after: usize) -> Response {
        let through = (after + 1).min(self.records.len());
        let payload = json!({
            "version": 1, "iss": "http://issuer.example.com", "generation": "0123456789abcdef0123456789abcdef",
            "head": Self::place(self.records.len()), "as_of": self.now_ms, "after": after, "through": through,
            "records": self.records.get(after..through).unwrap(),
        });
        self.answered(&payload, self.key.1)
    }

    fn answered(&self, payload: &Value, seed: [u8; 32]) -> Response {
        let header = json!({ "alg": "EdDSA", "typ": "revocations+jwt", "kid": self.key.0 });
        Response::new(200, token::sign(&header, payload, &Key::Ed25519(seed)))
    }

    fn end_session(&mut self, sid: &str) {
        let sequence = self.records.len() + 1;
        self.records
            .push(json!({ "sequence": sequence, "kind": "session", "name": sid, "ends_at": NOW + 1_260 }));
    }
}

fn following() -> Value {
    let mut policy = policy();
    policy["issuers"]["bearward"]["revocations"] = json!({
        "cluster": "internal", "uri": "http://issuer.example.com/revocations/v1", "credential_env": "FEED",
        "stale_after_seconds": 10, "when_stale": "reject",
    });
    policy
}

fn with_credential(plugin: Plugin) -> Plugin {
    plugin.environment("FEED", CREDENTIAL)
}

/// A world of so many workers, and its issuer.
fn started(workers: usize) -> (World, Shared) {
    started_with(workers, with_credential(plugin(&following())), Issuer::new())
}

fn started_with(workers: usize, plugin: Plugin, issuer: Shared) -> (World, Shared) {
    let answering = Rc::clone(&issuer);
    let world = world()
        .plugin(plugin)
        .workers(workers)
        .traps_expected()
        .cluster("internal", move |call| answering.borrow_mut().answer(call))
        .start()
        .unwrap();
    (world, issuer)
}

/// Lets time go by, for the issuer as well.
fn advance(world: &mut World, issuer: &Shared, milliseconds: u64) {
    for _ in 0..milliseconds / STEP_MS {
        issuer.borrow_mut().now_ms += STEP_MS;
        world.advance(Duration::from_millis(STEP_MS));
    }
}

fn reason(world: &mut World, request: Request) -> String {
    let outcome = world.request(request);
    if outcome.reached_the_upstream() {
        return "forwarded".to_owned();
    }
    outcome.local_response().details.strip_prefix("bearward.").unwrap_or("none of ours").to_owned()
}

fn of_session(sid: &str) -> Request {
    Request::get("/api/orders/1").bearer(&signed(|claims| claims["sid"] = sid.into()))
}

#[test]
fn what_has_ended_is_refused_at_every_worker_although_one_of_them_asks() {
    let (mut world, issuer) = started(3);
    advance(&mut world, &issuer, 300);
    for worker in 0..3 {
        assert_eq!(reason(&mut world, order().on_worker(worker)), "forwarded");
    }
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, WAIT_MS + 200);
    for worker in 0..3 {
        assert_eq!(reason(&mut world, order().on_worker(worker)), "token_revoked");
        assert_eq!(reason(&mut world, of_session("sid-2").on_worker(worker)), "forwarded");
    }
    let asked = issuer.borrow().questions.len();
    advance(&mut world, &issuer, 10 * WAIT_MS);
    let asked = issuer.borrow().questions.len() - asked;
    assert!((9..=11).contains(&asked), "{asked} questions of three workers in ten times the wait");
    assert!(world.traps().is_empty(), "{:?}", world.traps());
}

#[test]
fn a_worker_to_which_requests_come_asks_and_not_one_that_has_none_as_the_main_thread_which_may_be_busy() {
    let (mut world, issuer) = started(2);
    advance(&mut world, &issuer, 300);
    let leaders = |world: &World| world.metric("bearward_feed_leaders.issuer.bearward");
    assert_eq!(leaders(&world), Some(1), "the first to come");
    world.request(order().on_worker(1));
    advance(&mut world, &issuer, 100);
    assert_eq!(leaders(&world), Some(2));
    world.request(order().on_worker(0));
    advance(&mut world, &issuer, 3_000);
    assert_eq!(leaders(&world), Some(2), "both serve now, and it stays where it is");
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, WAIT_MS + 200);
    for worker in 0..2 {
        assert_eq!(reason(&mut world, order().on_worker(worker)), "token_revoked");
    }
}

#[test]
fn a_page_that_comes_after_another_worker_has_begun_to_ask_is_not_mixed_with_those_of_that_one() {
    let issuer = Issuer::new();
    issuer.borrow_mut().mode = Mode::Paged;
    (1..=3).for_each(|number| issuer.borrow_mut().end_session(&format!("sid-{number}")));
    let (mut world, issuer) = started_with(2, with_credential(plugin(&following())), issuer);
    let asked = |issuer: &Shared| issuer.borrow().questions.len();
    while asked(&issuer) < 2 {
        advance(&mut world, &issuer, STEP_MS);
    }
    // The second page is under way to the first to ask. From now on another worker asks, and of a longer log.
    issuer.borrow_mut().end_session("sid-4");
    advance(&mut world, &issuer, PAGE_MS / 2);
    world.request(order().on_worker(1));
    while asked(&issuer) < 3 {
        advance(&mut world, &issuer, STEP_MS);
    }
    assert!(!issuer.borrow().questions[2].contains("after="), "{:?}", issuer.borrow().questions);
    while asked(&issuer) < 4 {
        let data = world.shared_data("bearward");
        let page = |key: &[u8]| key.ends_with(b".page.1");
        assert!(!data.iter().any(|(key, _)| page(key)), "written by whoever does not ask any more");
        advance(&mut world, &issuer, STEP_MS);
    }
    advance(&mut world, &issuer, 10 * PAGE_MS);
    assert_eq!(reason(&mut world, of_session("sid-4")), "token_revoked");
    assert_eq!(world.metric("bearward_feed_refusals.issuer.bearward.reason.page").unwrap_or(0), 0);
}

#[test]
fn before_anything_is_known_the_answer_is_503_and_never_401() {
    let issuer = Issuer::new();
    issuer.borrow_mut().mode = Mode::Silent;
    let (mut world, issuer) = started_with(1, with_credential(plugin(&following())), issuer);
    advance(&mut world, &issuer, 300);
    assert_eq!(reason(&mut world, order()), "revocations_unavailable");
    assert_eq!(world.request(order()).status(), Some(503));
}

#[test]
fn whoever_answers_at_once_without_news_is_not_asked_as_fast_as_he_can() {
    let (mut world, issuer) = started(2);
    issuer.borrow_mut().mode = Mode::Hasty;
    advance(&mut world, &issuer, 2_000);
    let asked = issuer.borrow().questions.len();
    // Once with every tick.
    assert!((40..=80).contains(&asked), "{asked} questions in two seconds");
}

#[test]
fn whoever_knows_no_position_is_asked_ever_more_slowly_and_as_before_once_he_does() {
    let (mut world, issuer) = started(1);
    advance(&mut world, &issuer, 300);
    issuer.borrow_mut().mode = Mode::Conflict;
    let before = issuer.borrow().questions.len();
    advance(&mut world, &issuer, 20_000);
    let asked = issuer.borrow().questions.len() - before;
    assert!((5..=14).contains(&asked), "{asked} questions in twenty seconds");
    issuer.borrow_mut().mode = Mode::Honest;
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, 6_000);
    assert_eq!(reason(&mut world, order()), "token_revoked");
    let before = issuer.borrow().questions.len();
    advance(&mut world, &issuer, 5 * WAIT_MS);
    assert!((4..=6).contains(&(issuer.borrow().questions.len() - before)));
}

#[test]
fn a_worker_that_could_verify_nothing_leaves_the_questions_to_others() {
    let issuer = Issuer::new();
    // Those of the main thread, which has a VM, too, and of the first worker.
    issuer.borrow_mut().keys_away = 2;
    let (mut world, issuer) = started_with(2, with_credential(plugin(&following())), issuer);
    advance(&mut world, &issuer, 200);
    assert!(!issuer.borrow().questions.is_empty(), "nobody asks");
    advance(&mut world, &issuer, 1_000);
    assert_eq!(reason(&mut world, order().on_worker(0)), "forwarded");
    assert_eq!(reason(&mut world, order().on_worker(1)), "forwarded");
}

#[test]
fn a_configuration_that_goes_hands_the_questions_on_at_once_and_nobody_meets_a_503() {
    let (mut world, issuer) = started(1);
    advance(&mut world, &issuer, 300);
    let mut changed = following();
    changed["policies"][0]["rules"][0]["name"] = "menu-of-the-day".into();
    let new = world.add_plugin(with_credential(plugin(&changed))).unwrap();
    assert_eq!(reason(&mut world, order().through(new)), "forwarded", "the VM knows what it knew");
    advance(&mut world, &issuer, 100);
    world.remove_plugin(PluginId::FIRST);
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, 200);
    assert_eq!(reason(&mut world, order().through(new)), "token_revoked");
}

#[test]
fn where_the_worker_that_asked_is_dead_another_asks_within_a_second() {
    let trapping = with_credential(plugin_of(&trap_module(), &following()));
    let (mut world, issuer) = started_with(2, trapping, Issuer::new());
    advance(&mut world, &issuer, 300);
    for worker in 0..2 {
        assert_eq!(
            world.request(order().header("x-bearward-trap", "now").on_worker(worker)).status(),
            Some(503)
        );
        issuer.borrow_mut().end_session(&format!("sid-{}", worker + 1));
        advance(&mut world, &issuer, 1_000);
        let other = 1 - worker;
        let ended = format!("sid-{}", worker + 1);
        assert_eq!(
            reason(&mut world, of_session(&ended).on_worker(other)),
            "token_revoked",
            "{worker} is dead"
        );
        // It is loaded anew by the next request, and takes what was left to it.
        world.request(order().on_worker(worker));
        advance(&mut world, &issuer, 300);
        assert_eq!(reason(&mut world, of_session(&ended).on_worker(worker)), "token_revoked");
        assert_eq!(reason(&mut world, of_session("sid-3").on_worker(worker)), "forwarded");
    }
}

#[test]
fn what_does_not_verify_is_counted_and_changes_nothing_until_all_is_too_old() {
    let (mut world, issuer) = started(1);
    advance(&mut world, &issuer, 300);
    issuer.borrow_mut().mode = Mode::Forged;
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, 5_000);
    assert_eq!(reason(&mut world, order()), "forwarded");
    let counted = world.metric("bearward_feed_refusals.issuer.bearward.reason.signature");
    assert!(counted.is_some_and(|count| count >= 2), "{counted:?}");
    advance(&mut world, &issuer, 7_000);
    assert_eq!(reason(&mut world, order()), "revocations_stale");
    issuer.borrow_mut().mode = Mode::Honest;
    advance(&mut world, &issuer, 12_000);
    assert_eq!(reason(&mut world, order()), "token_revoked");
    assert_eq!(reason(&mut world, of_session("sid-2")), "forwarded");
}

#[test]
fn a_feed_that_falls_silent_is_stale_in_time_and_fresh_again_by_itself() {
    let (mut world, issuer) = started(2);
    advance(&mut world, &issuer, 300);
    issuer.borrow_mut().mode = Mode::Silent;
    advance(&mut world, &issuer, 9_000);
    assert_eq!(reason(&mut world, order()), "forwarded");
    advance(&mut world, &issuer, 3_000);
    assert_eq!(reason(&mut world, order()), "revocations_stale");
    issuer.borrow_mut().mode = Mode::Honest;
    advance(&mut world, &issuer, 15_000);
    for worker in 0..2 {
        assert_eq!(reason(&mut world, order().on_worker(worker)), "forwarded");
    }
}

/// Both are configurations of one VM, as two listeners have them.
#[test]
fn who_asks_in_vain_leaves_it_to_who_can() {
    let mut wrong = following();
    wrong["issuers"]["bearward"]["revocations"]["credential_env"] = "OTHER".into();
    let both = |policy: &Value| {
        with_credential(plugin(policy)).environment("OTHER", "another-credential-of-nobody-at-all")
    };
    let (mut world, issuer) = started_with(1, both(&wrong), Issuer::new());
    let good = world.add_plugin(both(&following())).unwrap();
    advance(&mut world, &issuer, 6_000);
    assert!(issuer.borrow().refused > 0, "the other one does not ask");
    assert_eq!(reason(&mut world, order().through(good)), "forwarded");
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, 6_000);
    assert_eq!(reason(&mut world, order().through(good)), "token_revoked");
    assert_eq!(reason(&mut world, order()), "token_revoked", "what one has learnt the VM knows");
}

#[test]
fn a_worker_that_is_loaded_after_the_feeds_key_has_changed_is_there_within_seconds() {
    let trapping = with_credential(plugin_of(&trap_module(), &following()));
    let (mut world, issuer) = started_with(2, trapping, Issuer::new());
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, 2_000);
    // All that is shared is signed with the old key; whoever leads knows it still.
    issuer.borrow_mut().key = ("f2", [13; 32]);
    issuer.borrow_mut().mode = Mode::Silent;
    world.request(order().header("x-bearward-trap", "now").on_worker(1));
    advance(&mut world, &issuer, 1_000);
    world.request(order().on_worker(1));
    issuer.borrow_mut().mode = Mode::Honest;
    let fetches = issuer.borrow().key_fetches;
    advance(&mut world, &issuer, 12_000);
    assert_eq!(reason(&mut world, order().on_worker(1)), "token_revoked");
    assert_eq!(reason(&mut world, of_session("sid-2").on_worker(1)), "forwarded");
    let fetches = issuer.borrow().key_fetches - fetches;
    assert!(fetches <= 12, "{fetches} fetches of keys in twelve seconds");
}

#[test]
fn what_two_vms_trapped_on_is_given_up_by_the_third_and_all_is_well_again_by_itself() {
    let trapping = with_credential(plugin_of(&trap_module(), &following()));
    let (mut world, issuer) = started_with(2, trapping, Issuer::new());
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, 2_000);
    world.request(order().header("x-bearward-trap", "now").on_worker(0));
    let page = |world: &World| {
        let shared = world.shared_data("bearward");
        shared.into_iter().map(|(key, _)| key).find(|key| key.ends_with(b".page.0")).unwrap()
    };
    world.set_shared_data("bearward", &page(&world), b"x-bearward-trap");
    for attempt in 1..=2 {
        advance(&mut world, &issuer, 1_000);
        assert_eq!(world.request(order().on_worker(0)).status(), Some(503));
        assert_eq!(world.traps().len(), 1 + attempt);
    }
    advance(&mut world, &issuer, 1_000);
    assert_eq!(reason(&mut world, order().on_worker(0)), "revocations_unavailable", "it does not trap");
    assert_eq!(world.metric("bearward_feed_refusals.issuer.bearward.reason.trapped"), Some(1));
    issuer.borrow_mut().end_session("sid-2");
    advance(&mut world, &issuer, 2 * WAIT_MS);
    for worker in 0..2 {
        assert_eq!(reason(&mut world, order().on_worker(worker)), "token_revoked");
        assert_eq!(reason(&mut world, of_session("sid-2").on_worker(worker)), "token_revoked");
        assert_eq!(reason(&mut world, of_session("sid-3").on_worker(worker)), "forwarded");
    }
    assert_eq!(world.traps().len(), 3, "{:?}", world.traps());
}

#[test]
fn a_worker_that_is_loaded_while_the_issuer_is_away_judges_its_first_request_by_what_was_left_to_it() {
    let trapping = with_credential(plugin_of(&trap_module(), &following()));
    let (mut world, issuer) = started_with(1, trapping, Issuer::new());
    advance(&mut world, &issuer, 300);
    for session in ["sid-1", "sid-2", "sid-3"] {
        issuer.borrow_mut().end_session(session);
        advance(&mut world, &issuer, 300);
    }
    issuer.borrow_mut().mode = Mode::Silent;
    issuer.borrow_mut().keys_away = usize::MAX;
    for (token, wanted) in [(of_session("sid-3"), "token_revoked"), (of_session("sid-4"), "forwarded")] {
        world.request(order().header("x-bearward-trap", "now"));
        // Nobody loads it anew sooner, after the first time.
        advance(&mut world, &issuer, 2_000);
        assert_eq!(reason(&mut world, token), wanted);
    }
}

/// Both are configurations of one VM, as two listeners have them: one asks, the other has no lease.
#[test]
fn a_snapshot_of_several_pages_is_taken_where_a_vm_has_two_configurations() {
    let issuer = Issuer::new();
    issuer.borrow_mut().mode = Mode::Paged;
    (1..=3).for_each(|number| issuer.borrow_mut().end_session(&format!("sid-{number}")));
    let (mut world, issuer) = started_with(1, with_credential(plugin(&following())), issuer);
    let mut changed = following();
    changed["policies"][0]["rules"][0]["name"] = "menu-of-the-day".into();
    let second = world.add_plugin(with_credential(plugin(&changed))).unwrap();
    advance(&mut world, &issuer, 30_000);
    assert_eq!(reason(&mut world, of_session("sid-4")), "forwarded");
    assert_eq!(reason(&mut world, of_session("sid-4").through(second)), "forwarded");
}

/// The first page is under way to who asked first, and has begun no snapshot yet, when another takes the lease.
#[test]
fn a_first_page_that_comes_late_is_not_written_over_that_of_another_worker() {
    let issuer = Issuer::new();
    (issuer.borrow_mut().mode, issuer.borrow_mut().page_ms) = (Mode::Paged, 400);
    (1..=3).for_each(|number| issuer.borrow_mut().end_session(&format!("sid-{number}")));
    let (mut world, issuer) = started_with(2, with_credential(plugin(&following())), issuer);
    let asked = |issuer: &Shared| issuer.borrow().questions.len();
    while asked(&issuer) < 1 {
        advance(&mut world, &issuer, STEP_MS);
    }
    issuer.borrow_mut().end_session("sid-4");
    issuer.borrow_mut().page_ms = PAGE_MS;
    advance(&mut world, &issuer, PAGE_MS / 2);
    // Page 0 of three records is under way. Another worker takes the lease and asks.
    world.request(order().on_worker(1));
    advance(&mut world, &issuer, 30 * PAGE_MS);
    assert_eq!(world.metric("bearward_feed_refusals.issuer.bearward.reason.page").unwrap_or(0), 0);
}

/// Nothing has trapped: two that came back lost the race for the mark's compare-and-swap four times.
#[test]
fn a_mark_that_could_not_be_taken_away_gives_up_no_chain() {
    let trapping = with_credential(plugin_of(&trap_module(), &following()));
    let (mut world, issuer) = started_with(2, trapping, Issuer::new());
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, 2_000);
    issuer.borrow_mut().mode = Mode::Silent;
    for reload in 0..3 {
        world.request(order().header("x-bearward-trap", "now").on_worker(0));
        advance(&mut world, &issuer, 1_500);
        if reload < 2 {
            // Enter and leave for the keys, enter for the first object; then four times leave.
            for index in 3..7 {
                world.inject(bearward_testhost::Fault::nth_of(
                    "proxy_set_shared_data",
                    index,
                    bearward_testhost::Status::CasMismatch.code(),
                ));
            }
        }
        world.request(order().on_worker(0));
        assert_eq!(world.disarm(), 0, "all were played");
    }
    assert_eq!(world.traps().len(), 3, "those that were told to: {:?}", world.traps());
    assert_eq!(world.metric("bearward_feed_refusals.issuer.bearward.reason.trapped").unwrap_or(0), 0);
}

/// Who asks has not ticked for longer than its lease. Another one has asked meanwhile, under the next term, and has given the lease
/// back (or died): the first one claims it again without having seen that. At several moments, so that it is the first to look.
#[test]
fn who_finds_that_another_has_led_meanwhile_begins_its_snapshot_anew() {
    for steps in 0..8 {
        let issuer = Issuer::new();
        issuer.borrow_mut().mode = Mode::Paged;
        (1..=3).for_each(|number| issuer.borrow_mut().end_session(&format!("sid-{number}")));
        let (mut world, issuer) = started_with(1, with_credential(plugin(&following())), issuer);
        let asked = |issuer: &Shared| issuer.borrow().questions.len();
        while asked(&issuer) < 2 {
            advance(&mut world, &issuer, STEP_MS);
        }
        advance(&mut world, &issuer, steps * STEP_MS);
        let shared = world.shared_data("bearward");
        let (key, lease) = shared.into_iter().find(|(key, _)| key.ends_with(b".lease")).unwrap();
        let term = u64::from_le_bytes(lease[2..10].try_into().unwrap());
        let mut released = vec![2, 0];
        released.extend((term + 1).to_le_bytes());
        released.extend(0_u64.to_le_bytes());
        world.set_shared_data("bearward", &key, &released);
        while asked(&issuer) < 3 {
            advance(&mut world, &issuer, STEP_MS);
        }
        let questions = &issuer.borrow().questions;
        assert!(!questions[2].contains("after="), "after {steps} steps: {questions:?}");
    }
}
