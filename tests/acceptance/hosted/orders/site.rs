//! A proxy of two workers that follows the feed, and who asks it. What must hold of it: `verdicts`.

mod stranger;
mod verdicts;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use bearward_testhost::{Answer, CallRequest, HeldCall, Plugin, PluginId, Request, Response, Thread, World};
use serde_json::{Value, json};

use super::Event;
use super::log::Log;
use crate::hosted::gate::{plugin_of, policy, trap_module, world};

const CREDENTIAL: &str = "q7Rk2Vx9Lm4Tz8Wc1Np6Yh3Jd5Gf0Bs7";
const WORKERS: usize = 2;
/// By how much time goes on at once.
const STEP: Duration = Duration::from_millis(10);
/// What a question waits for news, and when whoever asked gives it up.
const WAIT: Duration = Duration::from_secs(1);
const GIVEN_UP: Duration = Duration::from_millis(1_000 + 2_000 + 50);
/// How old what is known may be: less than a lost question makes it.
const STALE_AFTER: Duration = Duration::from_secs(4);
/// The session that ended before all events, and the one that never does.
const ENDED_BEFORE: &str = "before";
const HONEST: &str = "honest";

/// A token by what a record can name of it: session and epoch.
type Bearer = (String, u64);

/// All of it.
pub(super) struct Site {
    /// For messages.
    order: [Event; 4],
    world: World,
    log: Rc<RefCell<Log>>,
    questions: Rc<RefCell<u64>>,
    begun: Duration,
    plugin: PluginId,
    /// The one before, until the next event: connections of before are still with it.
    draining: Option<PluginId>,
    policies: usize,
    traps: usize,
    /// An answer that was made, with its time, and comes after the next event.
    late: Option<(HeldCall, Response, Duration)>,
    /// The newest time that was ever answered.
    told: Option<Duration>,
    revoked: usize,
    /// Whose token ended, and when.
    ended: BTreeMap<Bearer, Duration>,
    /// What each worker must not let in: what it has refused, and what was left to it.
    refused: [BTreeSet<Bearer>; WORKERS],
    /// Which workers were seen without a VM last.
    are_down: [bool; WORKERS],
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
        let begun = world.now();
        let mut site = Self {
            order: *order,
            world,
            log,
            questions,
            begun,
            plugin: PluginId::FIRST,
            draining: None,
            policies: 0,
            traps: 0,
            late: None,
            told: None,
            revoked: 0,
            ended: [((ENDED_BEFORE.to_owned(), 1), begun)].into(),
            refused: Default::default(),
            are_down: [false; WORKERS],
        };
        site.well_within(Duration::from_secs(1));
        site
    }

    /// An event, and the time until the next one.
    pub(super) fn happen(&mut self, event: Event, then: Duration) {
        let late = self.late.take();
        self.drain();
        self.change(event);
        self.arrive(late);
        self.check();
        self.pass(then);
        self.check();
    }

    fn change(&mut self, event: Event) {
        match event {
            Event::Revoke => {
                self.revoked += 1;
                let sid = format!("s{}", self.revoked);
                let epoch = self.log.borrow().epoch;
                self.log.borrow_mut().end_session(&sid);
                self.ended.insert((sid, epoch), self.world.now());
            }
            Event::Answer => {
                let now = self.world.now();
                self.late = self.world.held().into_iter().next().map(|call| {
                    let log = self.log.borrow();
                    let answer = log.answer(&query(&call.request).unwrap(), millis(now));
                    let answer = answer.unwrap_or_else(|| log.heartbeat(millis(now)));
                    (call, answer, now)
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
                self.ended.insert((HONEST.to_owned(), before), self.world.now());
            }
            Event::KeyRotation => self.log.borrow_mut().rotate(),
            Event::PolicyChange => {
                self.policies += 1;
                let new = self.world.add_plugin(following(self.policies)).unwrap();
                self.draining = Some(std::mem::replace(&mut self.plugin, new));
            }
        }
    }

    /// Nothing happens any more: how long it takes until all is well.
    pub(super) fn peace(&mut self, bound: Duration) -> Duration {
        let late = self.late.take();
        self.arrive(late);
        self.drain();
        let begun = self.world.now();
        let took = loop {
            let left = (begun + bound).saturating_sub(self.world.now());
            self.well_within(left);
            let took = self.world.now() - begun;
            // And it stays so, after a heartbeat at least: what was lost may be too old only then.
            self.pass(WAIT + 20 * STEP);
            let verdicts = self.check();
            if self.are_well(&verdicts) {
                break took;
            }
        };
        self.agree();
        self.withstand_a_stranger();
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
            assert!(took < bound, "{:?}: not well after {bound:?}: {verdicts:?}", self.order);
            self.step();
        }
    }

    /// Nobody comes to the policy before the last one any more.
    fn drain(&mut self) {
        if let Some(old) = self.draining.take() {
            self.world.remove_plugin(old);
        }
    }

    fn arrive(&mut self, late: Option<(HeldCall, Response, Duration)>) {
        if let Some((call, answer, made)) = late {
            self.told = self.told.max(Some(made));
            self.world.answer(&call, Answer::now(answer));
        }
    }

    fn trap(&mut self, worker: usize) {
        let before = self.world.traps().len();
        let request = Request::get("/api/orders/1").header("x-bearward-trap", "now").on_worker(worker);
        let status = self.world.request(request.through(self.plugin)).status();
        assert_eq!(status, Some(503));
        self.are_down[worker] = true;
        // Whoever comes in its place refuses all that is shared, and need not know of pages whose last one had not come.
        let (_, shared) = self.shared_head();
        let place = shared.end.map(|end| end.standing.position);
        let is_shared =
            |(sid, epoch): &Bearer| place.is_some_and(|place| self.log.borrow().ends(&place, (sid, *epoch)));
        self.refused[worker] = self.ended.keys().filter(|bearer| is_shared(bearer)).cloned().collect();
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
        let now = self.world.now();
        for call in self.world.held() {
            // Whose answer was made before waits for that.
            let is_late = |(late, ..): &(HeldCall, Response, Duration)| {
                late.since == call.since && late.thread == call.thread
            };
            if self.late.as_ref().is_some_and(is_late) {
                continue;
            }
            let query = query(&call.request).unwrap();
            let has_waited = now - call.since >= WAIT || query.ends_with("wait=0");
            let answer = self.log.borrow().answer(&query, millis(now));
            let heartbeat = || has_waited.then(|| self.log.borrow().heartbeat(millis(now)));
            if let Some(answer) = answer.or_else(heartbeat) {
                self.told = Some(now);
                self.world.answer(&call, Answer::now(answer));
            }
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}

/// A policy for the feed, of which there are many.
fn following(number: usize) -> Plugin {
    let mut policy: Value = policy();
    policy["issuers"]["bearward"]["revocations"] = json!({
        "cluster": "internal", "uri": "http://issuer.example.com/revocations/v1", "credential_env": "FEED",
        "wait_seconds": WAIT.as_secs(), "stale_after_seconds": STALE_AFTER.as_secs(), "when_stale": "reject",
    });
    let rules = policy["policies"][0]["rules"].as_array_mut().unwrap();
    rules[0]["name"] = format!("menu-{number}").into();
    rules.insert(0, json!({ "name": "lenient", "paths": [verdicts::LENIENT], "when_stale": "allow" }));
    plugin_of(&trap_module(), &policy).environment("FEED", CREDENTIAL)
}

/// The question; `None` for the keys.
fn query(call: &CallRequest) -> Option<String> {
    call.headers.text(":path").unwrap().strip_prefix("/revocations/v1?").map(str::to_owned)
}
