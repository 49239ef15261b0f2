//! What must hold of every answer to a client, and of both workers in the end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use bearward_testhost::{PluginId, Request, Thread};

use super::{Bearer, ENDED_BEFORE, HONEST, STALE_AFTER, Site, WORKERS};
use crate::hosted::gate::token as signed;
use crate::hosted::orders::{Event, PROMISED, is_undisturbed};

/// By a rule that rejects while what is known is too old, and by one that does not.
const STRICT: &str = "/api/orders/1";
pub(super) const LENIENT: &str = "/api/lenient";
/// How many questions there may be: at the begin, and in each second.
const QUESTIONS: (u64, u64) = (20, 8);

thread_local! {
    /// Signing is dear.
    static TOKENS: RefCell<BTreeMap<Bearer, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// What a worker says of a token.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    worker: usize,
    bearer: Bearer,
    reason: String,
}

impl Site {
    pub(super) fn are_well(&self, verdicts: &[Verdict]) -> bool {
        verdicts.iter().all(|verdict| {
            let is_over = self.ended.contains_key(&verdict.bearer);
            verdict.reason == if is_over { "token_revoked" } else { "forwarded" }
        })
    }

    /// What each worker says of each token, which is checked by what must hold at any time.
    pub(super) fn check(&mut self) -> Vec<Verdict> {
        let honest = (HONEST.to_owned(), self.log.borrow().epoch);
        let bearers: Vec<Bearer> = self.ended.keys().cloned().chain([honest.clone()]).collect();
        let plugins: Vec<PluginId> = [self.plugin].into_iter().chain(self.draining).collect();
        let mut verdicts = Vec::new();
        for worker in 0..WORKERS {
            for (plugin, bearer) in
                plugins.iter().flat_map(|plugin| bearers.iter().map(move |b| (*plugin, b)))
            {
                let reason = self.ask(worker, plugin, bearer, STRICT);
                let verdict = Verdict { worker, bearer: bearer.clone(), reason };
                self.judge(&verdict, bearer == &honest);
                if verdict.reason == "revocations_stale" {
                    let reason = self.ask(worker, plugin, bearer, LENIENT);
                    self.judge_lenient(&Verdict { reason, ..verdict.clone() }, bearer == &honest);
                }
                verdicts.push(verdict);
            }
        }
        verdicts
    }

    fn judge(&mut self, verdict: &Verdict, is_honest: bool) {
        let Verdict { worker, bearer, reason } = verdict;
        let said = || format!("{:?}: worker {worker} says {reason} of {bearer:?}", self.order);
        let now = self.world.now();
        let is_judged = matches!(reason.as_str(), "forwarded" | "token_revoked");
        // By whole seconds.
        let age = self.told.map(|told| Duration::from_secs(now.as_secs()).saturating_sub(told));
        let may_judge = age.is_some_and(|age| age <= STALE_AFTER);
        assert!(!is_judged || may_judge, "{}, as of {:?} at {now:?}", said(), self.told);
        match reason.as_str() {
            "forwarded" => {
                assert!(bearer.0 != ENDED_BEFORE, "{}, who ended before it all", said());
                assert!(!self.refused[*worker].contains(bearer), "{}, and knew better", said());
                let since = self.ended.get(bearer).map(|ended| now - *ended);
                assert!(
                    !is_undisturbed(&self.order) || since.is_none_or(|since| since <= PROMISED),
                    "{}, {since:?} after its end",
                    said()
                );
            }
            "token_revoked" => assert!(!is_honest, "{}, which nobody revoked", said()),
            "revocations_stale" => {
                assert!(self.order.contains(&Event::Timeout), "{}, although no question was lost", said());
            }
            "revocations_unavailable" | "keys_unavailable" => {
                let is_loaded_anew = self.are_down[*worker] && !self.order.contains(&Event::KeyRotation);
                assert!(!is_loaded_anew, "{}, although others have left what they knew", said());
            }
            "vm failed" => assert!(self.traps > 0, "{}", said()),
            _ => panic!("{}", said()),
        }
        self.are_down[*worker] = reason == "vm failed";
        if reason == "token_revoked" {
            self.refused[*worker].insert(bearer.clone());
        }
    }

    /// Where what is known is too old, and the rule is content with that.
    fn judge_lenient(&self, verdict: &Verdict, is_honest: bool) {
        let Verdict { worker, bearer, reason } = verdict;
        let is_right = match reason.as_str() {
            "forwarded" => bearer.0 != ENDED_BEFORE && !self.refused[*worker].contains(bearer),
            "token_revoked" => !is_honest,
            _ => false,
        };
        assert!(is_right, "{:?}: worker {worker}, stale, says {reason} of {bearer:?}", self.order);
    }

    /// What both workers hold in the end, and what a third one would find.
    pub(super) fn agree(&self) {
        let order = &self.order;
        let (head, live) = (self.log.borrow().head(), self.log.borrow().records());
        for worker in 0..WORKERS {
            let gauge = |what: &str| {
                let name = format!("bearward_feed_{what}.issuer.bearward");
                self.world.gauge(Thread::Worker(worker), self.plugin, &name)
            };
            assert_eq!(gauge("sequence"), Some(head.sequence), "{order:?}: worker {worker}");
            // What a restore has lost goes on counting where it was applied.
            let held = gauge("records").unwrap();
            let is_all = if order.contains(&Event::Restore) { held >= live } else { held == live };
            assert!(is_all, "{order:?}: worker {worker} holds {held} of {live} records");
        }
        let (_, shared) = self.shared_head();
        let end = shared.end.map(|end| end.standing.position);
        assert_eq!(end, Some(head), "{order:?}: what is shared");
        let (begin, per_second) = QUESTIONS;
        let bound = begin + per_second * (self.world.now() - self.begun).as_secs();
        let questions = *self.questions.borrow();
        assert!(questions <= bound, "{order:?}: {questions} questions, {bound} at most");
        assert_eq!(self.world.traps().len(), self.traps, "{order:?}: {:?}", self.world.traps());
    }

    fn ask(&mut self, worker: usize, plugin: PluginId, bearer: &Bearer, path: &str) -> String {
        let token = TOKENS.with_borrow_mut(|tokens| {
            let (sid, epoch) = bearer;
            let make = || {
                signed(|claims| {
                    claims["sid"] = sid.as_str().into();
                    claims["epoch"] = (*epoch).into();
                })
            };
            tokens.entry(bearer.clone()).or_insert_with(make).clone()
        });
        let request = Request::get(path).bearer(&token).on_worker(worker).through(plugin);
        let outcome = self.world.request(request);
        if outcome.reached_the_upstream() {
            return "forwarded".to_owned();
        }
        let details = outcome.local_response().details.clone();
        details.strip_prefix("bearward.").map_or_else(|| "vm failed".to_owned(), str::to_owned)
    }
}
