//! Following a feed of revocations, with an issuer that does what it is told and a clock that obeys.

mod turns;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bearward_testhost::{Answer, CallRequest, Plugin, Request, Response, World};
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
    /// It waits as it is asked to, and every answer takes so many milliseconds on top of that.
    Slow(u64),
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
            let response = Response::new(200, json!({ "keys": [key] }).to_string());
            return match self.mode {
                Mode::Slow(delay_ms) => Answer::After(delay_ms, response),
                _ => Answer::now(response),
            };
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
            Mode::Slow(delay_ms) => {
                let waits = query.split('&').find_map(|part| part.strip_prefix("wait="));
                let has_news = held != Some(self.records.len());
                let wait_ms =
                    waits.filter(|_| !has_news).map_or(0, |text| text.parse::<u64>().unwrap() * 1_000);
                Answer::After(wait_ms + delay_ms, self.signed(held, self.key.1))
            }
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

#[test]
fn an_issuer_whose_answers_take_seconds_keeps_the_gate_open_and_ends_what_has_ended() {
    for (wait_seconds, delay_ms) in [(5, 3_000), (1, 4_000)] {
        let issuer = Issuer::new();
        issuer.borrow_mut().mode = Mode::Slow(delay_ms);
        let mut policy = following();
        policy["issuers"]["bearward"]["revocations"]["wait_seconds"] = wait_seconds.into();
        let (mut world, issuer) = started_with(2, with_credential(plugin(&policy)), issuer);
        advance(&mut world, &issuer, 3 * delay_ms + 3_000);
        let before = issuer.borrow().questions.len();
        for _ in 0..60 {
            advance(&mut world, &issuer, 1_000);
            for worker in 0..2 {
                assert_eq!(reason(&mut world, order().on_worker(worker)), "forwarded", "{wait_seconds}");
            }
        }
        // Somebody prompt would be asked once in five seconds, or every second.
        let asked = issuer.borrow().questions.len() - before;
        assert!((10..=16).contains(&asked), "{asked} questions in a minute");
        issuer.borrow_mut().end_session("sid-1");
        advance(&mut world, &issuer, 7_000 + delay_ms);
        assert_eq!(reason(&mut world, order()), "token_revoked");
        assert_eq!(reason(&mut world, of_session("sid-2")), "forwarded");
        // Once it has time again, it is asked to wait as long as the policy says.
        issuer.borrow_mut().mode = Mode::Honest;
        advance(&mut world, &issuer, 10_000);
        assert!(issuer.borrow().questions.last().unwrap().contains(&format!("wait={wait_seconds}")));
    }
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
