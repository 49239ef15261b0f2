//! Contexts of a VM: what its callbacks are about, and what its hostcalls reach.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::cluster::Response;
use crate::headers::Headers;
use crate::plugin::Plugin;

/// One context. Number 0 is the VM's own, which no callback is about.
#[derive(Debug)]
pub(crate) struct Context {
    /// The root context of a stream; 0 for the others.
    pub(crate) parent: u32,
    /// Whether `proxy_on_context_create` was due already.
    pub(crate) created: bool,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Vm,
    Root(Box<Root>),
    Stream(Box<Stream>),
}

/// A root context.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) plugin: Rc<Plugin>,
    /// Whether the plugin configuration can be read: while it is handed over.
    pub(crate) configuring: bool,
    /// The response whose callback is running.
    pub(crate) response: Option<Response>,
    /// What `proxy_get_status` says.
    pub(crate) status: (u32, String),
    /// The tokens of calls under way.
    pub(crate) calls: Vec<u32>,
    /// `proxy_on_done` asked to wait for `proxy_done`.
    pub(crate) awaits_done: bool,
    /// The timer: its period, and how often it was set.
    pub(crate) tick: Option<(u64, u64)>,
    pub(crate) ticks_set: u64,
}

impl Root {
    pub(crate) fn new(plugin: Rc<Plugin>) -> Self {
        Self {
            plugin,
            configuring: false,
            response: None,
            status: (0, String::new()),
            calls: Vec::new(),
            awaits_done: false,
            tick: None,
            ticks_set: 0,
        }
    }
}

/// One direction of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// How much of the body has gone on already: the module sees the rest.
    pub(crate) gone: usize,
    /// Whether the body comes with the end of the stream. A client's and an upstream's does not: over HTTP/1.1 the end
    /// is known only afterwards, and has a callback of its own.
    pub(crate) in_one_piece: bool,
    pub(crate) trailers: Option<Headers>,
    /// What the module can reach now. Envoy takes a part away as soon as its callback lets it go on.
    pub(crate) open: Open,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Open {
    pub(crate) headers: bool,
    pub(crate) body: bool,
    pub(crate) trailers: bool,
}

impl Message {
    pub(crate) fn new(headers: Headers, body: Vec<u8>, trailers: Option<Headers>) -> Self {
        Self { headers, body, gone: 0, in_one_piece: false, trailers, open: Open::default() }
    }

    /// The part of the body that is at hand.
    pub(crate) fn piece(&self) -> &[u8] {
        self.body.get(self.gone..).unwrap_or_default()
    }

    pub(crate) fn of(response: Response) -> Self {
        let trailers = (!response.trailers.is_empty()).then_some(response.trailers);
        Self::new(response.headers, response.body, trailers)
    }
}

/// A stream context: one request and its response.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) request: Message,
    pub(crate) response: Option<Message>,
    /// Whether the part at hand is the last.
    pub(crate) end_of_stream: bool,
    /// What `proxy_set_property` left, by its whole path.
    pub(crate) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    /// `proxy_on_log` is running: both directions can be read.
    pub(crate) logging: bool,
}

impl Stream {
    pub(crate) fn new(request: Message) -> Self {
        Self { request, response: None, end_of_stream: false, filter_state: BTreeMap::new(), logging: false }
    }
}
