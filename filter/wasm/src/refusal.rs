//! Answers in the proxy's place.

use std::cell::RefCell;
use std::rc::Rc;

use bearward_core::policy::ChallengeSettings;
use bearward_core::{LocalResponse, Rejection, Verdict};

use crate::host;
use crate::pairs;

/// The most that are kept.
const MAX_KEPT: usize = 64;

/// A response as the host takes it.
pub(crate) struct Refusal {
    status: u16,
    details: String,
    /// Serialized.
    headers: Vec<u8>,
    body: Vec<u8>,
    grpc_status: Option<u32>,
}

impl Refusal {
    pub(crate) fn of(response: &LocalResponse) -> Self {
        let headers: Vec<_> = response.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        Self {
            status: response.status,
            details: response.details.clone(),
            headers: pairs::encode(&headers),
            body: response.body.clone(),
            grpc_status: response.grpc_status,
        }
    }

    /// Answers the current stream. Should even that fail, the request stays paused: it never reaches the upstream.
    pub(crate) fn send(&self) {
        let send = |headers, body| {
            host::send_local_response(self.status, &self.details, headers, body, self.grpc_status)
        };
        if send(&self.headers, &self.body).is_err() {
            let _ = send(&pairs::encode(&[]), &[]);
        }
    }
}

/// Those that were made already: most refusals are of a few kinds, and nothing of the request is in them.
#[derive(Default)]
pub(crate) struct Refusals {
    kept: RefCell<Vec<(Kind, Rc<Refusal>)>>,
}

/// What a response without a `scope` is made of. The settings stand in the policy for as long as the plugin lives: their
/// place is their name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    rejection: Rejection,
    is_grpc: bool,
    challenge: *const ChallengeSettings,
}

impl Refusals {
    pub(crate) fn of(&self, verdict: &Verdict<'_>, rejection: Rejection, is_grpc: bool) -> Rc<Refusal> {
        let (challenge, scope) = verdict.challenge();
        let kind = Kind { rejection, is_grpc, challenge: std::ptr::from_ref(challenge) };
        let is_kind = |kept: &&(Kind, Rc<Refusal>)| kept.0 == kind;
        if scope.is_empty()
            && let Some((_, refusal)) = self.kept.borrow().iter().find(is_kind)
        {
            return Rc::clone(refusal);
        }
        let refusal = Rc::new(Refusal::of(&verdict.response(rejection, is_grpc)));
        let mut kept = self.kept.borrow_mut();
        if scope.is_empty() && kept.len() < MAX_KEPT {
            kept.push((kind, Rc::clone(&refusal)));
        }
        refusal
    }
}
