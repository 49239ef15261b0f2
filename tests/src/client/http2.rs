//! HTTP/2 (RFC 9113) in clear text, with prior knowledge: one connection, and as many streams on it as one likes.

use std::future::Future;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::{PATIENCE, Request, Response};

/// A connection. It lives on a thread of its own, so that nothing waits for a test that is busy elsewhere.
#[derive(Debug)]
pub struct Http2 {
    runtime: Runtime,
    sender: SendRequest<Bytes>,
    url: String,
}

/// What came back, to the last frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status, headers and body.
    pub response: Response,
    /// The trailers in their order.
    pub trailers: Vec<(String, Vec<u8>)>,
    /// The frame with the headers ended the stream: in gRPC, a response of trailers only.
    pub headers_only: bool,
}

/// A stream whose two sides are open.
#[derive(Debug)]
pub struct Stream<'a> {
    connection: &'a Http2,
    sent: SendStream<Bytes>,
    answer: Option<ResponseFuture>,
    body: Option<RecvStream>,
    /// What has come and was not asked for yet.
    surplus: Vec<u8>,
}

impl Http2 {
    /// Connects to `http://ADDRESS:PORT`.
    ///
    /// # Panics
    /// If nobody there speaks HTTP/2.
    #[must_use]
    pub fn connect(url: &str) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let address = url.strip_prefix("http://").expect("an http:// address").to_owned();
        let connecting = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = h2::client::handshake(stream).await?;
            // How it ends, each stream says for itself.
            tokio::spawn(connection);
            Ok::<_, Box<dyn std::error::Error>>(sender)
        };
        let sender =
            runtime.block_on(connecting).unwrap_or_else(|error| panic!("no HTTP/2 at {url}: {error}"));
        Self { runtime, sender, url: url.to_owned() }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// How the stream or the connection ended without one.
    pub fn send(&self, request: &Request) -> Result<Response, h2::Error> {
        Ok(self.exchange(request)?.response)
    }

    /// As [`send`](Self::send), with all that HTTP/2 tells.
    ///
    /// # Errors
    /// How the stream or the connection ended without an answer.
    pub fn exchange(&self, request: &Request) -> Result<Answer, h2::Error> {
        self.exchange_all(std::slice::from_ref(request)).remove(0)
    }

    /// Sends all of them, each in a stream of its own, before it looks at any answer. The answers stand in the order
    /// of the requests.
    #[must_use]
    pub fn exchange_all(&self, requests: &[Request]) -> Vec<Result<Answer, h2::Error>> {
        self.wait("all answers", async {
            let mut streams = Vec::new();
            for request in requests {
                streams
                    .push(self.begin(request, request.body.is_empty() && request.trailers.is_empty()).await);
            }
            // All heads are on their way: no stream ends before all have begun.
            let mut answers = Vec::new();
            for (request, stream) in requests.iter().zip(streams) {
                answers.push(match stream {
                    Ok((sent, answer)) => finish(request, sent, answer).await,
                    Err(error) => Err(error),
                });
            }
            answers
        })
    }

    /// Begins a request whose body comes piece by piece.
    ///
    /// # Panics
    /// If the connection is at its end.
    #[must_use]
    pub fn open(&self, request: &Request) -> Stream<'_> {
        let (sent, answer) = self.wait("a stream", self.begin(request, false)).expect("an open connection");
        Stream { connection: self, sent, answer: Some(answer), body: None, surplus: Vec::new() }
    }

    async fn begin(
        &self,
        request: &Request,
        ends: bool,
    ) -> Result<(SendStream<Bytes>, ResponseFuture), h2::Error> {
        let uri = format!("{}{}", self.url, request.target);
        let mut head = http::Request::builder().method(request.method.as_str()).uri(uri);
        for (name, value) in &request.headers {
            head = head.header(name, value.as_slice());
        }
        let head = head.body(()).expect("a request that HTTP/2 can say");
        let (answer, sent) = self.sender.clone().ready().await?.send_request(head, ends)?;
        Ok((sent, answer))
    }

    fn wait<T>(&self, awaited: &str, future: impl Future<Output = T>) -> T {
        let patient = async { timeout(PATIENCE, future).await };
        self.runtime.block_on(patient).unwrap_or_else(|_| panic!("{awaited} did not come"))
    }
}

impl Stream<'_> {
    /// Sends a piece of the body, as soon as it is wanted; with the last one, the body ends.
    ///
    /// # Panics
    /// If the stream was reset.
    pub fn send(&mut self, piece: &[u8], is_last: bool) {
        let sending = send(&mut self.sent, piece, is_last);
        self.connection.wait("room for the body", sending).expect("an open stream");
    }

    /// The status, once it has come.
    ///
    /// # Panics
    /// If the stream was reset.
    #[must_use]
    pub fn status(&mut self) -> u16 {
        let answer = self.answer.take().expect("nobody has asked for the status before");
        let answer = self.connection.wait("an answer", answer).expect("an open stream");
        let status = answer.status().as_u16();
        self.body = Some(answer.into_body());
        status
    }

    /// The next bytes of the answer's body: so many, or fewer at its end.
    ///
    /// # Panics
    /// If the stream was reset, or the status is still to come.
    #[must_use]
    pub fn receive(&mut self, length: usize) -> Vec<u8> {
        let body = self.body.as_mut().expect("the status comes first");
        let mut all = std::mem::take(&mut self.surplus);
        self.connection.wait("the answer's body", async {
            while all.len() < length {
                let Some(data) = body.data().await else { break };
                let data = data.expect("an open stream");
                body.flow_control().release_capacity(data.len()).expect("room for what has come");
                all.extend_from_slice(&data);
            }
        });
        self.surplus = all.split_off(length.min(all.len()));
        all
    }
}

async fn finish(
    request: &Request,
    mut sent: SendStream<Bytes>,
    answer: ResponseFuture,
) -> Result<Answer, h2::Error> {
    // An answer may come, and the stream be closed, before all is sent: the answer counts.
    let _ = send_rest(request, &mut sent).await;
    let answer = answer.await?;
    let status = answer.status().as_u16();
    let headers = listed(answer.headers());
    let mut stream = answer.into_body();
    let headers_only = stream.is_end_stream();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    let trailers = stream.trailers().await?.map_or_else(Vec::new, |trailers| listed(&trailers));
    Ok(Answer { response: Response { status, headers, body }, trailers, headers_only })
}

async fn send_rest(request: &Request, sent: &mut SendStream<Bytes>) -> Result<(), h2::Error> {
    // Without both, the headers have ended the stream.
    send(sent, &request.body, request.trailers.is_empty()).await?;
    if request.trailers.is_empty() {
        return Ok(());
    }
    let mut trailers = HeaderMap::new();
    for (name, value) in &request.trailers {
        let name: HeaderName = name.parse().expect("a name that HTTP/2 can say");
        trailers.append(name, HeaderValue::from_str(value).expect("a value that HTTP/2 can say"));
    }
    sent.send_trailers(trailers)
}

/// Sends as much as the other side has room for, until all is sent.
async fn send(sent: &mut SendStream<Bytes>, mut piece: &[u8], ends: bool) -> Result<(), h2::Error> {
    while !piece.is_empty() {
        sent.reserve_capacity(piece.len());
        let room = std::future::poll_fn(|context| sent.poll_capacity(context)).await;
        let room = room.unwrap_or(Err(h2::Reason::CANCEL.into()))?;
        let (now, later) = piece.split_at(room.min(piece.len()));
        sent.send_data(Bytes::copy_from_slice(now), ends && later.is_empty())?;
        piece = later;
    }
    Ok(())
}

fn listed(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}
