//! The end of an exchange: a local response, a trap, a reset, and the last callbacks.

use super::super::{StreamId, World, reply};
use super::Place;
use super::position::Position;
use crate::cluster::Response;
use crate::context::{Message, Open, Stream};
use crate::headers::Headers;
use crate::outcome::{Forwarded, Outcome};
use crate::shared::VmNumber;
use crate::vm::LocalReply;

impl World {
    /// The VM has failed: 503, past the VM.
    pub(super) fn fail(&mut self, id: StreamId, place: Place) {
        let Some(stream) = self.stream(place) else { return };
        let mut reply = reply::local_response(&reply::vm_failed(), &stream.request.headers);
        if let Some(exchange) = self.exchanges.get_mut(&id) {
            reply.upstream_saw_headers = exchange.upstream_saw_headers;
            exchange.local = Some(reply);
            exchange.paused = false;
            exchange.position = Position::End;
        }
    }

    /// Answers in the upstream's place. The response passes the filter like any other.
    pub(in crate::world) fn local_reply(&mut self, number: VmNumber, context: u32, reply: &LocalReply) {
        let Some((id, place)) = self.find(number, context) else { return };
        let Some(exchange) = self.exchanges.get(&id) else { return };
        let upstream_saw_headers = exchange.upstream_saw_headers;
        if exchange.local.is_some() {
            return;
        }
        let position = exchange.position;
        if position > Position::ResponseHeaders {
            return self.reset(number, context);
        }
        let Some(stream) = self.stream(place) else { return };
        let mut response = reply::local_response(reply, &stream.request.headers);
        response.upstream_saw_headers = upstream_saw_headers;
        let mut message = Message::new(response.headers.clone(), response.body.clone(), None);
        message.in_one_piece = true;
        stream.response = Some(message);
        stream.request.open = Open::default();
        if let Some(exchange) = self.exchanges.get_mut(&id) {
            exchange.local = Some(response);
            exchange.paused = false;
            // A response that takes the place of another does not pass the filter again.
            let passes = position < Position::ResponseHeaders;
            exchange.position = if passes { Position::ResponseHeaders } else { Position::End };
        }
        self.drive(id);
    }

    pub(in crate::world) fn reset(&mut self, number: VmNumber, context: u32) {
        if let Some((id, place)) = self.find(number, context) {
            if let Some(exchange) = self.exchanges.get_mut(&id) {
                exchange.was_reset = true;
            }
            self.finish(id, place);
        }
    }

    pub(in crate::world) fn abandon(&mut self, id: StreamId) {
        let place = self.exchanges.get(&id).filter(|exchange| exchange.ended.is_none());
        if let Some(place) = place.and_then(|exchange| exchange.place) {
            self.reset(place.vm, place.context);
        }
    }

    /// The last callbacks of a stream.
    pub(super) fn finish(&mut self, id: StreamId, place: Place) {
        let Some(stream) = self.stream(place) else { return };
        let filter_state: Vec<_> =
            stream.filter_state.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let forwarded = forwarded(stream);
        let response =
            stream.response.as_ref().map(|message| (message.headers.clone(), message.body.clone()));
        stream.logging = true;
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        exchange.ended = Some(match exchange.local.take() {
            _ if exchange.was_reset => Outcome::Reset { upstream_saw_headers: exchange.upstream_saw_headers },
            Some(mut local) => {
                if let Some((headers, body)) = response.filter(|_| exchange.trap.is_none()) {
                    (local.headers, local.body) = (headers, body);
                }
                local.filter_state = filter_state;
                Outcome::LocalResponse(Box::new(local))
            }
            None => Outcome::Forwarded(Box::new(forwarded)),
        });
        self.call_for(id, place, "proxy_on_log", &[place.context]);
        self.act(place.vm);
        if let Some(stream) = self.stream(place) {
            stream.logging = false;
        }
        self.call_for(id, place, "proxy_on_done", &[place.context]);
        self.act(place.vm);
        self.delete(place.vm, place.context);
    }
}

/// The request as it is by now, and its response.
pub(super) fn forwarded(stream: &Stream) -> Forwarded {
    let (request, response) = (&stream.request, stream.response.as_ref());
    let none = Headers::of_trailers;
    Forwarded {
        headers: request.headers.clone(),
        body: request.body.clone(),
        trailers: request.trailers.clone().unwrap_or_else(none),
        response: response.map_or_else(
            || Response::new(0, ""),
            |message| Response {
                headers: message.headers.clone(),
                body: message.body.clone(),
                trailers: message.trailers.clone().unwrap_or_else(none),
            },
        ),
        filter_state: stream.filter_state.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
    }
}
