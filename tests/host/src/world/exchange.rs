//! A request's way through the filter, to the upstream and back.

mod ending;
mod position;

use self::ending::forwarded;
use self::position::{Position, Stop};
use super::loading::{Filter, Handle};
use super::{StreamId, World, reply};
use crate::cluster::Response;
use crate::context::{Message, Stream};
use crate::headers::Headers;
use crate::outcome::{Forwarded, LocalResponse, Outcome};
use crate::request::Request;
use crate::shared::VmNumber;
use crate::thread::Thread;
use crate::vm::{Called, Vm};

/// A request under way.
pub(super) struct Exchange {
    place: Option<Place>,
    position: Position,
    paused: bool,
    upstream_saw_headers: bool,
    /// Set once there is a response that the upstream did not make.
    local: Option<LocalResponse>,
    was_reset: bool,
    trap: Option<String>,
    ended: Option<Outcome>,
    fuel: u64,
}

/// Its stream context.
#[derive(Clone, Copy, Debug)]
struct Place {
    vm: VmNumber,
    root: u32,
    context: u32,
}

impl Exchange {
    fn new(place: Option<Place>, ended: Option<Outcome>) -> Self {
        Self {
            place,
            position: Position::RequestHeaders,
            paused: false,
            upstream_saw_headers: false,
            local: None,
            was_reset: false,
            trap: None,
            ended,
            fuel: 0,
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        let outcome = self.ended.clone().unwrap_or(Outcome::Paused);
        match &self.trap {
            Some(backtrace) => Outcome::Trapped { backtrace: backtrace.clone(), seen: Box::new(outcome) },
            None => outcome,
        }
    }

    /// The root context that lives at least as long as this.
    pub(super) fn holds(&self) -> Option<(VmNumber, u32)> {
        let place = self.place.filter(|_| self.ended.is_none())?;
        Some((place.vm, place.root))
    }

    pub(super) fn fuel(&self) -> u64 {
        self.fuel
    }

    fn is_at(&self, vm: VmNumber, context: u32) -> bool {
        self.ended.is_none() && self.place.is_some_and(|place| place.vm == vm && place.context == context)
    }
}

impl World {
    pub(super) fn begin(&mut self, request: Request) -> StreamId {
        let id = StreamId(self.next_stream);
        self.next_stream += 1;
        let exchange = match self.filter(Thread::Worker(request.worker), request.plugin) {
            Filter::Running(handle) => return self.enter(id, request, handle),
            Filter::None => Exchange::new(None, Some(self.pass(request))),
            Filter::Failed => {
                let reply = reply::local_response(&reply::vm_failed(), &request.headers);
                Exchange::new(None, Some(Outcome::LocalResponse(Box::new(reply))))
            }
        };
        self.exchanges.insert(id, exchange);
        id
    }

    /// Into a stream context of its own.
    fn enter(&mut self, id: StreamId, request: Request, handle: Handle) -> StreamId {
        let message = Message::new(request.headers, request.body, request.trailers);
        if let Some(vm) = self.vms.get_mut(&handle.vm) {
            let context = vm.state_mut().add_stream(handle.root, Stream::new(message));
            let place = Place { vm: handle.vm, root: handle.root, context };
            self.exchanges.insert(id, Exchange::new(Some(place), None));
            self.call_for(id, place, "proxy_on_context_create", &[context, handle.root]);
            if let Some(context) =
                self.vms.get_mut(&handle.vm).and_then(|vm| vm.state_mut().contexts.get_mut(&context))
            {
                context.created = true;
            }
            self.act(handle.vm);
            self.drive(id);
        }
        id
    }

    /// To the upstream without any filter.
    fn pass(&mut self, request: Request) -> Outcome {
        let mut forwarded = Forwarded {
            headers: request.headers,
            body: request.body,
            trailers: request.trailers.unwrap_or_else(Headers::of_trailers),
            response: Response::new(0, ""),
            filter_state: Vec::new(),
        };
        forwarded.response = (self.upstream)(&forwarded);
        Outcome::Forwarded(Box::new(forwarded))
    }

    /// As far as it goes now.
    fn drive(&mut self, id: StreamId) {
        while let Some(exchange) = self.exchanges.get(&id)
            && exchange.ended.is_none()
            && !exchange.paused
            && let Some(place) = exchange.place
        {
            match exchange.position {
                Position::Upstream => self.reach_upstream(id, place),
                Position::End => self.finish(id, place),
                position => self.part(id, place, position),
            }
        }
    }

    /// Shows the module a part of a message, and obeys.
    fn part(&mut self, id: StreamId, place: Place, position: Position) {
        let Some(stream) = self.stream(place) else { return };
        let Some((callback, size)) = position.begin(stream) else { return self.go_on(id, place, position) };
        let end_of_stream = u32::from(stream.end_of_stream);
        let arguments = [place.context, size, end_of_stream];
        let arguments = if position.is_trailers() { arguments.get(..2) } else { arguments.get(..) };
        let called = self.call_for(id, place, callback, arguments.unwrap_or_default());
        let failed = self.vms.get(&place.vm).is_none_or(|vm| vm.failed().is_some());
        let stops = self.vms.get(&place.vm).is_some_and(|vm| vm.state().stops_iteration);
        match called {
            // Whatever the failure policy says: it is about the requests that follow.
            _ if failed => self.fail(id, place),
            Called::Returned(result) => match position.stop(result, stops) {
                Stop::No => self.go_on(id, place, position),
                // What is held back waits for the end or the trailers, whose callback may let all of it go.
                Stop::Here if position.is_not_the_last() => self.set_position(id, position.next()),
                Stop::Here => {
                    if let Some(exchange) = self.exchanges.get_mut(&id) {
                        exchange.paused = true;
                    }
                }
            },
            Called::Skipped | Called::Trapped => self.go_on(id, place, position),
        }
        self.act(place.vm);
    }

    /// Takes the part away from the module and moves to the next.
    fn go_on(&mut self, id: StreamId, place: Place, position: Position) {
        if let Some(stream) = self.stream(place) {
            position.end(stream);
        }
        self.set_position(id, position.next());
        if position == Position::RequestHeaders
            && let Some(exchange) = self.exchanges.get_mut(&id)
        {
            exchange.upstream_saw_headers = true;
        }
    }

    fn reach_upstream(&mut self, id: StreamId, place: Place) {
        let Some(stream) = self.stream(place) else { return };
        let forwarded = forwarded(stream);
        let response = (self.upstream)(&forwarded);
        if let Some(stream) = self.stream(place) {
            stream.response = Some(Message::of(response));
        }
        self.set_position(id, Position::ResponseHeaders);
    }

    /// The module lets a paused stream go on.
    pub(super) fn continue_stream(&mut self, number: VmNumber, context: u32, request: bool) {
        let Some((id, place)) = self.find(number, context) else { return };
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        let position = exchange.position;
        if exchange.paused && request == (position < Position::Upstream) {
            exchange.paused = false;
            self.go_on(id, place, position);
            self.drive(id);
        }
    }

    /// Makes a callback on account of a request.
    fn call_for(&mut self, id: StreamId, place: Place, name: &'static str, arguments: &[u32]) -> Called {
        let before = self.vms.get(&place.vm).map_or(0, Vm::fuel);
        let called = self.call(place.vm, place.context, name, arguments);
        let after = self.vms.get(&place.vm).map_or(0, Vm::fuel);
        let trap = self.vms.get(&place.vm).and_then(Vm::failed).map(str::to_owned);
        if let Some(exchange) = self.exchanges.get_mut(&id) {
            exchange.fuel += after - before;
            if called == Called::Trapped {
                exchange.trap = trap;
            }
        }
        called
    }

    fn set_position(&mut self, id: StreamId, position: Position) {
        if let Some(exchange) = self.exchanges.get_mut(&id) {
            exchange.position = position;
        }
    }

    fn find(&self, number: VmNumber, context: u32) -> Option<(StreamId, Place)> {
        let (id, exchange) = self.exchanges.iter().find(|(_, exchange)| exchange.is_at(number, context))?;
        Some((*id, exchange.place?))
    }

    fn stream(&mut self, place: Place) -> Option<&mut Stream> {
        self.vms.get_mut(&place.vm)?.state_mut().stream_mut(place.context)
    }
}
