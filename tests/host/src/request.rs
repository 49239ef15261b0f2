//! A request of a client, as Envoy's connection manager hands it to the filters.

use crate::headers::Headers;
use crate::world::PluginId;

/// Headers, body, trailers; which worker it comes to, and which plugin it passes.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<Headers>,
    pub(crate) worker: usize,
    pub(crate) plugin: PluginId,
}

impl Request {
    /// A request over `http` to `example.com`, without body, to the first worker and through the first plugin.
    #[must_use]
    pub fn new(method: &str, path: impl AsRef<[u8]>) -> Self {
        let mut headers = Headers::of_request();
        headers.add(":authority", "example.com");
        headers.add(":path", path);
        headers.add(":method", method);
        headers.add(":scheme", "http");
        Self::of(headers)
    }

    /// GET
    #[must_use]
    pub fn get(path: impl AsRef<[u8]>) -> Self {
        Self::new("GET", path)
    }

    /// Exactly these headers, also none of those that every request has.
    #[must_use]
    pub fn of(headers: Headers) -> Self {
        Self { headers, body: Vec::new(), trailers: None, worker: 0, plugin: PluginId::FIRST }
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name, value);
        self
    }

    /// `authorization: Bearer TOKEN`
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Without a header that was there.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// The body, which arrives in one piece.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// One more trailer.
    #[must_use]
    pub fn trailer(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.trailers.get_or_insert_with(Headers::of_trailers).add(name, value);
        self
    }

    /// Comes to another worker, counted from 0.
    #[must_use]
    pub fn on_worker(mut self, worker: usize) -> Self {
        self.worker = worker;
        self
    }

    /// Passes another plugin: it comes to another listener.
    #[must_use]
    pub fn through(mut self, plugin: PluginId) -> Self {
        self.plugin = plugin;
        self
    }
}
