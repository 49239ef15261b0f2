//! The same over HTTP/2 (RFC 9113) in clear text.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderName, HeaderValue, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

use super::{Seen, variable};

/// Answers every request with its own body; a gRPC call (`content-type: application/grpc`) is a success, which stands
/// in trailers. It ends with the process.
#[derive(Debug)]
pub struct Http2Recorder {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// The trailers of the answer to a gRPC call.
pub const GRPC_TRAILERS: [(&str, &str); 3] =
    [("grpc-status", "0"), ("grpc-message", "all is well"), ("x-of-the-upstream", "kept")];

impl Http2Recorder {
    /// Listens on a free port of 127.0.0.1.
    #[must_use]
    pub fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("the address of a listener");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        thread::spawn(move || {
            runtime.block_on(async {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&record)));
                }
            });
        });
        Self { address, seen }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far in the order of their ends, and forgets them.
    #[must_use]
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().expect("the record"))
    }
}

async fn serve(stream: TcpStream, record: Arc<Mutex<Vec<Seen>>>) -> Option<()> {
    let mut connection = h2::server::handshake(stream).await.ok()?;
    while let Some(request) = connection.accept().await {
        let (request, respond) = request.ok()?;
        // A stream that is reset has no end to be recorded.
        tokio::spawn(answer(request, respond, Arc::clone(&record)));
    }
    Some(())
}

async fn answer(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    record: Arc<Mutex<Vec<Seen>>>,
) -> Result<(), h2::Error> {
    let (head, mut stream) = request.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    let trailers = stream.trailers().await?.unwrap_or_default();
    let variables = variables(head.headers.iter().chain(&trailers));
    let seen = Seen { method: head.method.to_string(), target: head.uri.path().to_owned(), variables };
    record.lock().expect("the record").push(seen);

    let grpc =
        head.headers.get("content-type").filter(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    let mut answer = Response::new(());
    if let Some(kind) = grpc {
        answer.headers_mut().insert("content-type", kind.clone());
    }
    let mut sent = respond.send_response(answer, false)?;
    // Small enough for every window: h2 keeps what does not fit until it does.
    sent.send_data(body.into(), grpc.is_none())?;
    if grpc.is_some() {
        let trailers = GRPC_TRAILERS
            .map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)));
        sent.send_trailers(trailers.into_iter().collect())?;
    }
    Ok(())
}

fn variables<'a>(fields: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>) -> Vec<(String, String)> {
    fields.map(|(name, value)| variable(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))).collect()
}
