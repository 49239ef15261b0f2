//! What a probe does: hostcalls in callbacks, as a table.

/// One module of its own, loaded as one plugin, and the requests that it sees.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) configuration: &'static str,
    pub(super) vm_configuration: &'static str,
    pub(super) environment: Vec<(&'static str, &'static str)>,
    /// Empty: everything is allowed.
    pub(super) allowed: Vec<&'static str>,
    pub(super) policy: Policy,
    pub(super) callbacks: Vec<Callback>,
    pub(super) requests: Vec<Sent>,
    /// Main thread and worker do this side by side: what they say has no order between them.
    pub(super) unordered: bool,
    /// How long the proxy is left alone after the last request, in milliseconds.
    pub(super) rest_ms: u64,
}

/// `failure_policy`
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Closed,
    Open,
    Reload,
}

/// A request, in the bytes of HTTP/1.1.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) headers: Vec<(&'static str, &'static [u8])>,
    pub(super) body: &'static str,
    pub(super) trailers: Vec<(&'static str, &'static str)>,
    /// A pause before it, in milliseconds.
    pub(super) after_ms: u64,
}

/// A callback that the probe exports.
pub(super) struct Callback {
    pub(super) name: &'static str,
    pub(super) steps: Vec<Step>,
    pub(super) returns: Returns,
}

/// What it does then.
pub(super) enum Returns {
    Number(i32),
    /// The status of a step of this callback.
    StatusOf(&'static str),
    /// A trap where the step had this status, else what lets everything go on.
    TrapIf(&'static str, i32),
}

/// One hostcall; its name in reports, and what it is called with.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) hostcall: &'static str,
    pub(super) arguments: Vec<Argument>,
}

/// An argument, or several where the ABI wants address and size.
#[derive(Clone)]
pub(super) enum Argument {
    Number(i32),
    Long(i64),
    /// Address and size of these bytes.
    Bytes(Vec<u8>),
    /// An address for a number of 32 bits. Reported, and to be used by later steps under this name.
    Out(&'static str),
    /// The same, not reported: numbers that all plugins of a proxy share.
    Hidden(&'static str),
    /// The same for 64 bits.
    OutLong,
    /// Two addresses, of address and size: the bytes there are reported.
    OutBytes,
    /// The number that an earlier step left.
    Kept(&'static str),
    /// A parameter of the callback, by its place.
    Parameter(usize),
}

/// A parameter of the callback is kept under a name.
pub(super) const KEEP: &str = "keep";

pub(super) fn scenario(name: &'static str) -> Scenario {
    Scenario {
        name,
        configuration: "",
        vm_configuration: "",
        environment: Vec::new(),
        allowed: Vec::new(),
        policy: Policy::Closed,
        callbacks: Vec::new(),
        requests: Vec::new(),
        unordered: false,
        rest_ms: 0,
    }
}

impl Scenario {
    /// A callback that returns 0, or where 0 would be a refusal 1.
    pub(super) fn on(self, name: &'static str, steps: Vec<Step>) -> Self {
        let agrees = matches!(name, "proxy_on_vm_start" | "proxy_on_configure" | "proxy_on_done");
        self.returning(name, steps, Returns::Number(i32::from(agrees)))
    }

    pub(super) fn returning(mut self, name: &'static str, steps: Vec<Step>, returns: Returns) -> Self {
        self.callbacks.push(Callback { name, steps, returns });
        self
    }

    pub(super) fn request(mut self, request: Sent) -> Self {
        self.requests.push(request);
        self
    }
}

pub(super) fn get(path: &'static str) -> Sent {
    Sent { method: "GET", path, headers: Vec::new(), body: "", trailers: Vec::new(), after_ms: 0 }
}

impl Sent {
    pub(super) fn header(mut self, name: &'static str, value: &'static (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.headers.push((name, value.as_ref()));
        self
    }
}

pub(super) fn step(name: &'static str, hostcall: &'static str, arguments: Vec<Argument>) -> Step {
    Step { name, hostcall, arguments }
}

pub(super) fn bytes(text: impl AsRef<[u8]>) -> Argument {
    Argument::Bytes(text.as_ref().to_vec())
}

/// Header maps as the ABI serializes them.
pub(super) fn pairs(pairs: &[(&str, &str)]) -> Argument {
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let mut serialized = number(pairs.len()).to_vec();
    for (name, value) in pairs {
        serialized.extend(number(name.len()).into_iter().chain(number(value.len())));
    }
    for (name, value) in pairs {
        for text in [name, value] {
            serialized.extend(text.bytes().chain([0]));
        }
    }
    Argument::Bytes(serialized)
}
