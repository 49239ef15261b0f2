use std::collections::BTreeMap;
use std::rc::Rc;

use wasmtime::{Memory, TypedFunc};

use crate::context::{Context, Kind, Root, Stream};
use crate::headers::Headers;
use crate::plugin::{Plugin, VmConfiguration};
use crate::shared::{SharedWorld, VmNumber};
use crate::thread::Thread;

/// What hostcalls of one VM see.
pub(crate) struct VmState {
    pub(crate) configuration: Rc<VmConfiguration>,
    pub(crate) thread: Thread,
    pub(crate) number: VmNumber,
    pub(crate) shared: SharedWorld,
    pub(crate) memory: Option<Memory>,
    pub(crate) allocate: Option<TypedFunc<u32, u32>>,
    pub(crate) contexts: BTreeMap<u32, Context>,
    /// `_initialize` is running, which may make few hostcalls.
    pub(crate) starting: bool,
    pub(crate) callback: &'static str,
    /// The context that the callback is about.
    pub(crate) current: u32,
    /// The one chosen by `proxy_set_effective_context`; 0: none.
    pub(crate) effective: u32,
    /// A local response was sent in this callback: whatever it returns, iteration stops.
    pub(crate) stops_iteration: bool,
    /// What Envoy does when the callback has returned.
    pub(crate) after_call: Vec<Action>,
    /// Metrics by their number in this VM: kind and name.
    pub(crate) metrics: BTreeMap<u32, String>,
    /// What this VM recorded last, by the names of gauges.
    pub(crate) gauges: BTreeMap<String, u64>,
    pub(crate) next_metric: [u32; 3],
    pub(crate) next_call: u32,
    pub(crate) random: u64,
    next_context: u32,
}

/// What Envoy puts off until the callback has returned.
#[derive(Debug)]
pub(crate) enum Action {
    LocalReply { context: u32, reply: LocalReply },
    ContinueRequest { context: u32 },
    ContinueResponse { context: u32 },
    Reset { context: u32 },
    Delete { context: u32 },
}

/// A local response as the module asked for it.
#[derive(Clone, Debug)]
pub(crate) struct LocalReply {
    pub(crate) status: u32,
    pub(crate) details: String,
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) grpc_status: Option<u32>,
}

impl VmState {
    pub(crate) fn new(
        configuration: Rc<VmConfiguration>,
        thread: Thread,
        number: VmNumber,
        shared: SharedWorld,
    ) -> Self {
        let seed = shared.borrow().seed ^ u64::try_from(number).unwrap_or(0).rotate_left(32);
        let vm = Context { parent: 0, created: true, kind: Kind::Vm };
        Self {
            configuration,
            thread,
            number,
            shared,
            memory: None,
            allocate: None,
            contexts: BTreeMap::from([(0, vm)]),
            starting: false,
            callback: "",
            current: 0,
            effective: 0,
            stops_iteration: false,
            after_call: Vec::new(),
            metrics: BTreeMap::new(),
            gauges: BTreeMap::new(),
            next_metric: [4, 5, 6],
            next_call: 4,
            random: seed,
            next_context: 1,
        }
    }

    pub(crate) fn link(&mut self, memory: Option<Memory>, allocate: Option<TypedFunc<u32, u32>>) {
        self.memory = memory;
        self.allocate = allocate;
    }

    pub(crate) fn enter(&mut self, context: u32, callback: &'static str) {
        self.current = context;
        self.effective = 0;
        self.callback = callback;
        self.stops_iteration = false;
    }

    pub(crate) fn leave(&mut self) {
        self.current = 0;
        self.effective = 0;
        self.callback = "";
    }

    pub(crate) fn add_root(&mut self, plugin: Rc<Plugin>) -> u32 {
        self.add(Context { parent: 0, created: false, kind: Kind::Root(Box::new(Root::new(plugin))) })
    }

    pub(crate) fn add_stream(&mut self, parent: u32, stream: Stream) -> u32 {
        self.add(Context { parent, created: false, kind: Kind::Stream(Box::new(stream)) })
    }

    fn add(&mut self, context: Context) -> u32 {
        let number = self.next_context;
        self.next_context += 1;
        self.contexts.insert(number, context);
        number
    }

    /// The context that a hostcall is about.
    pub(crate) fn about(&self) -> u32 {
        if self.effective != 0 && self.contexts.contains_key(&self.effective) {
            self.effective
        } else {
            self.current
        }
    }

    /// The root context of a context, itself included.
    pub(crate) fn root_of(&self, context: u32) -> u32 {
        match self.contexts.get(&context).map(|context| context.parent) {
            Some(parent) if parent != 0 => parent,
            _ => context,
        }
    }

    pub(crate) fn root(&self, context: u32) -> Option<&Root> {
        match self.contexts.get(&context).map(|context| &context.kind) {
            Some(Kind::Root(root)) => Some(root),
            _ => None,
        }
    }

    pub(crate) fn root_mut(&mut self, context: u32) -> Option<&mut Root> {
        match self.contexts.get_mut(&context).map(|context| &mut context.kind) {
            Some(Kind::Root(root)) => Some(root),
            _ => None,
        }
    }

    pub(crate) fn stream(&self, context: u32) -> Option<&Stream> {
        match self.contexts.get(&context).map(|context| &context.kind) {
            Some(Kind::Stream(stream)) => Some(stream),
            _ => None,
        }
    }

    pub(crate) fn stream_mut(&mut self, context: u32) -> Option<&mut Stream> {
        match self.contexts.get_mut(&context).map(|context| &mut context.kind) {
            Some(Kind::Stream(stream)) => Some(stream),
            _ => None,
        }
    }

    /// A header map that can be read now, by its number in the ABI.
    pub(crate) fn map(&self, context: u32, map: u32) -> Option<&Headers> {
        if let 6 | 7 = map {
            let response = self.root(self.root_of(context))?.response.as_ref()?;
            let (headers, trailers) = (&response.headers, &response.trailers);
            return if map == 6 { Some(headers) } else { Some(trailers).filter(|map| !map.is_empty()) };
        }
        let stream = self.stream(context)?;
        let message = if map < 2 { &stream.request } else { stream.response.as_ref()? };
        match map {
            0 | 2 => Some(&message.headers).filter(|_| message.open.headers || stream.logging),
            1 => message.trailers.as_ref().filter(|_| message.open.trailers && !stream.logging),
            3 => message.trailers.as_ref().filter(|_| message.open.trailers || stream.logging),
            _ => None,
        }
    }

    /// A header map that can be changed now. Trailers come into being with the last of the body.
    pub(crate) fn map_mut(&mut self, context: u32, map: u32) -> Option<&mut Headers> {
        let stream = self.stream_mut(context)?;
        let end_of_stream = stream.end_of_stream;
        let message = if map < 2 { &mut stream.request } else { stream.response.as_mut()? };
        match map {
            0 | 2 if message.open.headers => Some(&mut message.headers),
            1 | 3 => {
                if message.trailers.is_none() && message.open.body && end_of_stream {
                    message.trailers = Some(Headers::of_trailers());
                    message.open.trailers = true;
                }
                message.trailers.as_mut().filter(|_| message.open.trailers)
            }
            _ => None,
        }
    }
}
