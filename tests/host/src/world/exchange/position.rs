//! The parts of a request and its response, in their order.

use crate::context::{Message, Stream};
use crate::headers::Headers;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Position {
    RequestHeaders,
    RequestBody,
    RequestBodyEnd,
    RequestTrailers,
    Upstream,
    ResponseHeaders,
    ResponseBody,
    ResponseBodyEnd,
    ResponseTrailers,
    End,
}

/// Whether a callback holds its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    No,
    Here,
}

impl Position {
    pub(super) fn next(self) -> Self {
        match self {
            Self::RequestHeaders => Self::RequestBody,
            Self::RequestBody => Self::RequestBodyEnd,
            Self::RequestBodyEnd => Self::RequestTrailers,
            Self::RequestTrailers => Self::Upstream,
            Self::Upstream => Self::ResponseHeaders,
            Self::ResponseHeaders => Self::ResponseBody,
            Self::ResponseBody => Self::ResponseBodyEnd,
            Self::ResponseBodyEnd => Self::ResponseTrailers,
            Self::ResponseTrailers | Self::End => Self::End,
        }
    }

    pub(super) fn is_body(self) -> bool {
        matches!(self, Self::RequestBody | Self::RequestBodyEnd | Self::ResponseBody | Self::ResponseBodyEnd)
    }

    /// Whether a callback follows that belongs to the same body, or comes after it.
    pub(super) fn is_not_the_last(self) -> bool {
        matches!(self, Self::RequestBody | Self::ResponseBody)
    }

    pub(super) fn is_trailers(self) -> bool {
        matches!(self, Self::RequestTrailers | Self::ResponseTrailers)
    }

    /// The message that the part belongs to.
    pub(super) fn message(self, stream: &mut Stream) -> Option<&mut Message> {
        if self < Self::Upstream { Some(&mut stream.request) } else { stream.response.as_mut() }
    }

    /// Opens the part to the module; its callback and its size. `None` for a part that the message does not have.
    pub(super) fn begin(self, stream: &mut Stream) -> Option<(&'static str, u32)> {
        let message = self.message(stream)?;
        let (body, trailers) = (!message.body.is_empty(), message.trailers.is_some());
        let whole = message.in_one_piece;
        let (callback, size, last) = match self {
            Self::RequestHeaders => ("proxy_on_request_headers", message.headers.len(), !body && !trailers),
            Self::ResponseHeaders => ("proxy_on_response_headers", message.headers.len(), !body && !trailers),
            Self::RequestBody if body => ("proxy_on_request_body", message.body.len(), whole),
            Self::ResponseBody if body => ("proxy_on_response_body", message.body.len(), whole),
            Self::RequestBodyEnd if body && !trailers && !whole => {
                ("proxy_on_request_body", message.piece().len(), true)
            }
            Self::ResponseBodyEnd if body && !trailers && !whole => {
                ("proxy_on_response_body", message.piece().len(), true)
            }
            Self::RequestTrailers if trailers => ("proxy_on_request_trailers", trailer_count(message), true),
            Self::ResponseTrailers if trailers => {
                ("proxy_on_response_trailers", trailer_count(message), true)
            }
            _ => return None,
        };
        self.set_open(message, true);
        stream.end_of_stream = last;
        Some((callback, u32::try_from(size).unwrap_or(u32::MAX)))
    }

    /// Takes the part away from the module.
    pub(super) fn end(self, stream: &mut Stream) {
        if let Some(message) = self.message(stream) {
            self.set_open(message, false);
            if self.is_body() {
                message.gone = message.body.len();
            }
        }
    }

    /// What the result of the callback means. After a local response nothing goes on, whatever it is.
    pub(super) fn stop(self, result: u32, stops_iteration: bool) -> Stop {
        let stops = match self {
            // 2 is a value of an enumeration that Envoy does not map to anything: it goes on.
            Self::RequestHeaders | Self::ResponseHeaders => result != 0 && result != 2,
            _ => result != 0,
        };
        if stops || stops_iteration { Stop::Here } else { Stop::No }
    }

    fn set_open(self, message: &mut Message, open: bool) {
        match self {
            Self::RequestHeaders | Self::ResponseHeaders => message.open.headers = open,
            position if position.is_body() => message.open.body = open,
            _ => message.open.trailers = open,
        }
    }
}

fn trailer_count(message: &Message) -> usize {
    message.trailers.as_ref().map_or(0, Headers::len)
}
