//! One request: ask, strip, obey.

use std::rc::Rc;

use bearward_core::{Decision, Edit, LocalResponse, Rejection, Request};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::{self, HeaderMap, HostError};
use crate::pairs;
use crate::plugin::Plugin;
use crate::refusal::Refusal;
use crate::waiting::Waiter;

/// The stream context.
pub(crate) struct Stream {
    context_id: u32,
    plugin: Option<Rc<Plugin>>,
}

/// What is done with a request.
enum Outcome {
    Forward,
    /// Nothing yet: see [`resume`].
    Hold,
    Refuse(Rc<Refusal>),
}

impl Stream {
    pub(crate) fn new(context_id: u32, plugin: Option<Rc<Plugin>>) -> Self {
        Self { context_id, plugin }
    }

    /// What comes in trailers is what the client says, too.
    fn on_trailers(&self) -> Result<(), HostError> {
        let plugin = self.plugin.as_deref().ok_or(HostError(0))?;
        let serialized = host::header_pairs(HeaderMap::RequestTrailers)?;
        let trailers = pairs::decode(&serialized).ok_or(HostError(0))?;
        let policy = plugin.policy();
        let removed = trailers.into_iter().map(|(name, _)| name).filter(|name| policy.removes_trailer(name));
        remove(HeaderMap::RequestTrailers, removed)
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        obey(match &self.plugin {
            Some(plugin) => on_headers(plugin, self.context_id, !end_of_stream, None),
            None => host_failed(),
        })
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        obey(match self.on_trailers() {
            Ok(()) => Outcome::Forward,
            Err(_) => host_failed(),
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(plugin) = &self.plugin {
            plugin.stream_ended(self.context_id);
        }
    }
}

/// Judges a request again that was held back, in its context.
pub(crate) fn resume(plugin: &Plugin, waiter: Waiter) {
    match on_headers(plugin, waiter.stream, waiter.has_more, Some(waiter)) {
        Outcome::Hold => {}
        Outcome::Forward => {
            if host::continue_request().is_err() {
                Refusal::of(&LocalResponse::of(Rejection::HostFailure, false)).send();
            }
        }
        Outcome::Refuse(refusal) => refusal.send(),
    }
}

/// `has_more`: a body or trailers follow.
fn on_headers(plugin: &Plugin, stream: u32, has_more: bool, waiter: Option<Waiter>) -> Outcome {
    judge(plugin, stream, has_more, waiter).unwrap_or_else(|_| {
        plugin.host_failed();
        host_failed()
    })
}

/// Whatever the host fails at, the request is refused, also where the policy only observes: identity headers of the
/// client might be left in it.
fn host_failed() -> Outcome {
    Outcome::Refuse(Rc::new(Refusal::of(&LocalResponse::of(Rejection::HostFailure, false))))
}

fn judge(plugin: &Plugin, stream: u32, has_more: bool, waiter: Option<Waiter>) -> Result<Outcome, HostError> {
    let serialized = host::header_pairs(HeaderMap::Request)?;
    let request = Request::new(pairs::decode(&serialized).ok_or(HostError(0))?).followed(has_more);
    #[cfg(feature = "trap-on-magic-header")]
    if request.value(b"x-bearward-trap").is_some() {
        #[allow(clippy::panic, reason = "a test-only build that shows what a trap does")]
        {
            panic!("asked to by a header");
        }
    }
    let Some(verdict) = plugin.decide(&request, stream, waiter)? else { return Ok(Outcome::Hold) };
    let forwarding = plugin.policy().forwarding();
    let names = request.headers().map(|(name, _)| name);
    // The client's identity headers. Not before: who was held back is judged again, by all that the client said.
    remove(HeaderMap::Request, names.filter(|name| forwarding.removes(name)))?;
    plugin.tell_log(&verdict);
    let outcome = match &verdict.decision {
        Decision::Reject(rejection) => {
            Outcome::Refuse(plugin.refusals().of(&verdict, *rejection, request.is_grpc()))
        }
        Decision::Forward(edits) => {
            edits.iter().try_for_each(apply)?;
            Outcome::Forward
        }
    };
    plugin.count(&verdict);
    Ok(outcome)
}

fn apply(edit: &Edit) -> Result<(), HostError> {
    match edit {
        Edit::Set { name, value } => host::set_header(HeaderMap::Request, name, value),
        // Cheaper than setting it: Envoy need not look for one that is there.
        Edit::Tell { name, value } => host::add_header(HeaderMap::Request, name, value),
        Edit::Remove { name } => host::remove_header(HeaderMap::Request, name),
    }
}

/// One that cannot be removed refuses the request.
fn remove<'a>(map: HeaderMap, mut names: impl Iterator<Item = &'a [u8]>) -> Result<(), HostError> {
    names.try_for_each(|name| host::remove_header(map, name))
}

fn obey(outcome: Outcome) -> Action {
    match outcome {
        Outcome::Forward => Action::Continue,
        Outcome::Hold => Action::Pause,
        Outcome::Refuse(refusal) => {
            refusal.send();
            Action::Pause
        }
    }
}
