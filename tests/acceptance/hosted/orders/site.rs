//! A proxy of two workers that follows the feed, and who asks it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use bearward_testhost::{Answer, CallRequest, HeldCall, Plugin, PluginId, Request, Response, Thread, World};
use serde_json::{Value, json};

use super::log::Log;
use super::{Event, RECOVERY};
use crate::hosted::gate::{plugin_of, policy, token as signed, trap_module, world};

const CREDENTIAL: &str = "q7Rk2Vx9Lm4Tz8Wc1Np6Yh3Jd5Gf0Bs7";
const WORKERS: usize = 2;
/// By how much time goes on at once.
const STEP: Duration = Duration::from_millis(10);
/// From one event to the next.
const BETWEEN: Duration = Duration::from_millis(150);
/// What a question waits for news, and when whoever asked gives it up.
const WAIT: Duration = Duration::from_secs(1);
const GIVEN_UP: Duration = Duration::from_millis(1_000 + 2_000 + 50);
/// The session that ended before all events, and the one that never does.
const ENDED_BEFORE: &str = "before";
const HONEST: &str = "honest";

thread_local! {
    /// Tokens by session and epoch: signing is dear.
    static TOKENS: RefCell<BTreeMap<(String, u64), String>> = const { RefCell::new(BTreeMap::new()) };
}

/// A token by what a record can name of it.
type Bearer = (String, u64);

/// All of it.
pub(super) struct Site {
    /// For messages.
    order: [Event; 4],
    world: World,
    log: Rc<RefCell<Log>>,
    questions: Rc<RefCell<usize>>,
    plugin: PluginId,
    policies: usize,
    traps: usize,
    /// An answer that was made, and comes after the next event.
    late: Option<(HeldCall, Response)>,
    revoked: usize,
    ended: BTreeSet<Bearer>,
    /// What each worker has refused as revoked.
    refused: [BTreeSet<Bearer>; WORKERS],
}

impl Site {
    /// Both workers follow and serve.
    pub(super) fn start(order: &[Event; 4]) -> Self {
        let log = Rc::new(RefCell::new(Log::new(ENDED_BEFORE)));
        let questions = Rc::new(RefCell::new(0));
        let (answering, counting) = (Rc::clone(&log), Rc::clone(&questions));
        let world = world()
            .plugin(following(0))
            .workers(WORKERS)
            .traps_expected()
            .cluster("internal", move |call| {
                if query(call).is_none() {
                    return Answer::now(answering.borrow().keys());
                }
                *counting.borrow_mut() += 1;
                Answer::Held
            })
            .start()
            .unwrap();
        let mut site = Self {
            order: *order,
            world,
            log,
            questions,
            plugin: PluginId::FIRST,
            policies: 0,
            traps: 0,
            late: None,
            revoked: 0,
            ended: [(ENDED_BEFORE.to_owned(), 1)].into(),
            refused: Default::default(),
        };
        site.well_within(Duration::from_secs(1));
        site
    }

    pub(super) fn happen(&mut self, event: Event) {
        let late = self.late.take();
        match event {
            Event::Revoke => {
                self.revoked += 1;
                let sid = format!("s{}", self.revoked);
                let epoch = self.log.borrow().epoch;
                self.log.borrow_mut().end_session(&sid);
                self.ended.insert((sid, epoch));
            }
            Event::Answer => {
                let now_ms = self.now_ms();
                self.late = self.world.held().into_iter().next().map(|call| {
                    let log = self.log.borrow();
                    let answer = log.answer(&query(&call.request).unwrap(), now_ms);
                    let answer = answer.unwrap_or_else(|| log.heartbeat(now_ms));
                    (call, answer)
                });
            }
            Event::Timeout => {
                for call in self.world.held() {
                    self.world.answer(&call, Answer::Never);
                }
                self.pass(GIVEN_UP);
            }
            Event::Reload => self.trap(0),
            Event::LeaderDeath => {
                let leader = self.world.held().into_iter().find_map(|call| match call.thread {
                    Thread::Worker(worker) => Some(worker),
                    Thread::Main | Thread::Canary => None,
                });
                if let Some(worker) = leader {
                    self.trap(worker);
                }
            }
            Event::Restore => {
                let before = self.log.borrow().epoch;
                self.log.borrow_mut().restore();
                self.ended.insert((HONEST.to_owned(), before));
            }
            Event::KeyRotation => self.log.borrow_mut().rotate(),
            Event::PolicyChange => {
                self.policies += 1;
                let new = self.world.add_plugin(following(self.policies)).unwrap();
                self.world.remove_plugin(std::mem::replace(&mut self.plugin, new));
            }
        }
        if let Some((call, answer)) = late {
            self.world.answer(&call, Answer::now(answer));
        }
        self.check();
        self.pass(BETWEEN);
        self.check();
    }

    /// Nothing happens any more: how long it takes until all is well.
    pub(super) fn peace(&mut self) -> Duration {
        if let Some((call, answer)) = self.late.take() {
            self.world.answer(&call, Answer::now(answer));
        }
        let took = self.well_within(RECOVERY);
        // And stays so.
        self.pass(2 * WAIT);
        let verdicts = self.check();
        assert!(self.are_well(&verdicts), "{:?}: {verdicts:?}", self.order);
        let questions = *self.questions.borrow();
        assert!(questions <= 60, "{:?}: {questions} questions", self.order);
        assert_eq!(self.world.traps().len(), self.traps, "{:?}: {:?}", self.order, self.world.traps());
        took
    }

    /// How long until all is well, at most so long.
    fn well_within(&mut self, bound: Duration) -> Duration {
        let begun = self.world.now();
        loop {
            let verdicts = self.check();
            let took = self.world.now() - begun;
            if self.are_well(&verdicts) {
                return took;
            }
            assert!(took <= bound, "{:?}: not well after {bound:?}: {verdicts:?}", self.order);
            self.step();
        }
    }

    fn are_well(&self, verdicts: &[((Bearer, usize), String)]) -> bool {
        verdicts.iter().all(|((bearer, _), reason)| {
            reason == if self.ended.contains(bearer) { "token_revoked" } else { "forwarded" }
        })
    }

    /// What must hold at any time; and what each worker says of each token.
    fn check(&mut self) -> Vec<((Bearer, usize), String)> {
        let honest = (HONEST.to_owned(), self.log.borrow().epoch);
        let bearers: Vec<Bearer> = self.ended.iter().cloned().chain([honest.clone()]).collect();
        let mut all = Vec::new();
        for worker in 0..WORKERS {
            for bearer in &bearers {
                let reason = self.ask(worker, bearer);
                let said = || format!("{:?}: worker {worker} says {reason} of {bearer:?}", self.order);
                match reason.as_str() {
                    "forwarded" => {
                        assert!(!self.refused[worker].contains(bearer), "{}, and refused it before", said());
                    }
                    "token_revoked" => {
                        assert!(*bearer != honest, "{}, which nobody revoked", said());
                        self.refused[worker].insert(bearer.clone());
                    }
                    // Not yet, or not any more.
                    "revocations_unavailable" | "keys_unavailable" | "vm failed" => {}
                    _ => panic!("{}", said()),
                }
                all.push(((bearer.clone(), worker), reason));
            }
        }
        all
    }

    fn ask(&mut self, worker: usize, (sid, epoch): &Bearer) -> String {
        let token = TOKENS.with_borrow_mut(|tokens| {
            let key = (sid.clone(), *epoch);
            let make = || {
                signed(|claims| {
                    claims["sid"] = sid.as_str().into();
                    claims["epoch"] = (*epoch).into();
                })
            };
            tokens.entry(key).or_insert_with(make).clone()
        });
        let request = Request::get("/api/orders/1").bearer(&token).on_worker(worker).through(self.plugin);
        let outcome = self.world.request(request);
        if outcome.reached_the_upstream() {
            return "forwarded".to_owned();
        }
        let details = outcome.local_response().details.clone();
        details.strip_prefix("bearward.").map_or_else(|| "vm failed".to_owned(), str::to_owned)
    }

    fn trap(&mut self, worker: usize) {
        let before = self.world.traps().len();
        let request = Request::get("/api/orders/1").header("x-bearward-trap", "now").on_worker(worker);
        let status = self.world.request(request.through(self.plugin)).status();
        assert_eq!(status, Some(503));
        // None where it has trapped already, and may not be loaded anew yet.
        self.traps += self.world.traps().len() - before;
    }

    fn pass(&mut self, time: Duration) {
        let until = self.world.now() + time;
        while self.world.now() < until {
            self.step();
        }
    }

    /// A moment, at whose end the issuer answers whom it has something to say.
    fn step(&mut self) {
        self.world.advance(STEP);
        let (now, now_ms) = (self.world.now(), self.now_ms());
        for call in self.world.held() {
            // Whose answer was made before waits for that.
            if self
                .late
                .as_ref()
                .is_some_and(|(late, _)| late.since == call.since && late.thread == call.thread)
            {
                continue;
            }
            let log = self.log.borrow();
            let has_waited = now - call.since >= WAIT || query(&call.request).unwrap().ends_with("wait=0");
            let answer = log.answer(&query(&call.request).unwrap(), now_ms);
            if let Some(answer) = answer.or_else(|| has_waited.then(|| log.heartbeat(now_ms))) {
                drop(log);
                self.world.answer(&call, Answer::now(answer));
            }
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.world.now().as_millis()).unwrap()
    }
}

/// A policy for the feed, of which there are many.
fn following(number: usize) -> Plugin {
    let mut policy: Value = policy();
    policy["issuers"]["bearward"]["revocations"] = json!({
        "cluster": "internal", "uri": "http://issuer.example.com/revocations/v1", "credential_env": "FEED",
        "wait_seconds": WAIT.as_secs(), "stale_after_seconds": 30, "when_stale": "reject",
    });
    policy["policies"][0]["rules"][0]["name"] = format!("menu-{number}").into();
    plugin_of(&trap_module(), &policy).environment("FEED", CREDENTIAL)
}

/// The question; `None` for the keys.
fn query(call: &CallRequest) -> Option<String> {
    call.headers.text(":path").unwrap().strip_prefix("/revocations/v1?").map(str::to_owned)
}
