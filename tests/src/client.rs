//! How a gate is spoken to.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

mod exact;
pub mod http2;
mod response;

pub use exact::Connection;
pub use response::Response;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request, in the bytes that shall be sent.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    /// What stands between method and version: nobody normalizes it.
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    trailers: Vec<(String, String)>,
    exact: bool,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        let (method, target) = (method.into(), target.into());
        Self { method, target, headers: Vec::new(), body: Vec::new(), trailers: Vec::new(), exact: false }
    }

    /// GET
    #[must_use]
    pub fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    /// POST of a JSON document.
    #[must_use]
    pub fn post(target: impl Into<String>, document: &Value) -> Self {
        Self::new("POST", target).json(document)
    }

    /// One more header; a name may occur more than once.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// `Authorization: Bearer TOKEN`
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// A JSON document as the body.
    #[must_use]
    pub fn json(self, document: &Value) -> Self {
        self.header("content-type", "application/json").body(document.to_string())
    }

    /// The body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// One more trailer: the body goes in chunks then.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.to_owned(), value.to_owned()));
        self.exactly()
    }

    /// Written byte for byte as it stands here. For what an ordinary client refuses, repairs or reorders.
    #[must_use]
    pub fn exactly(mut self) -> Self {
        self.exact = true;
        self
    }

    /// With what the names in braces stand for, in the target and in strings of a JSON body.
    ///
    /// # Errors
    /// The name that stands for nothing.
    pub fn filled(&self, value_of: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut filled = self.clone();
        filled.target = with_values(&self.target, &value_of)?;
        if let Ok(mut document) = serde_json::from_slice::<Value>(&self.body)
            && let Some(members) = document.as_object_mut()
        {
            for member in members.values_mut() {
                if let Value::String(text) = member {
                    *text = with_values(text, &value_of)?;
                }
            }
            filled.body = document.to_string().into_bytes();
        }
        Ok(filled)
    }

    /// Sends it to `http://ADDRESS:PORT`.
    ///
    /// # Panics
    /// If there is no answer.
    #[must_use]
    pub fn send(&self, url: &str) -> Response {
        self.try_send(url).unwrap_or_else(|why| panic!("{self} to {url} was not answered: {why}"))
    }

    /// Sends it to `http://ADDRESS:PORT`.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn try_send(&self, url: &str) -> Result<Response, String> {
        if self.exact { exact::send(self, url) } else { self.send_by_client(url) }
    }

    fn send_by_client(&self, url: &str) -> Result<Response, String> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None) // a proxy of the environment is not for loopback
            .allow_non_standard_methods(true)
            .build()
            .into();
        let mut request =
            http::Request::builder().method(self.method.as_str()).uri(format!("{url}{}", self.target));
        for (name, value) in &self.headers {
            request = request.header(name, value.as_slice());
        }
        let answer = if self.body.is_empty() {
            request.body(()).map(|request| agent.run(request))
        } else {
            request.body(self.body.as_slice()).map(|request| agent.run(request))
        };
        let mut answer = answer.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        let body = answer.body_mut().read_to_vec().map_err(|error| error.to_string())?;
        Ok(Response { status: answer.status().as_u16(), headers, body })
    }
}

/// A text in which `{NAME}` is replaced.
fn with_values(text: &str, value_of: &impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?)))
    {
        let value =
            value_of(name).ok_or_else(|| format!("nothing is known of {name}: an earlier step failed"))?;
        filled.push_str(before);
        filled.push_str(&value);
        rest = after;
    }
    Ok(filled + rest)
}

/// Without headers and body: they may hold a token or a password.
impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.target)
    }
}
