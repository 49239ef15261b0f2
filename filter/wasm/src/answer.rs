//! The answer of a call that the filter made. Redirects are not followed.

use crate::host::{self, Buffer, HeaderMap};
use crate::pairs;

/// How a call ended, as the host says it.
#[derive(Clone, Copy)]
pub(crate) struct CallEnd {
    /// What the call was given.
    pub(crate) token: u32,
    /// Whether there is an answer.
    pub(crate) answered: bool,
    /// In bytes.
    pub(crate) body_size: usize,
}

/// Status and body.
pub(crate) struct Answer {
    pub(crate) status: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The current one, at most `max` bytes long.
    ///
    /// # Errors
    /// Why there is none, in words for the log.
    pub(crate) fn read(end: CallEnd, max: usize) -> Result<Self, String> {
        let CallEnd { answered, body_size, .. } = end;
        if !answered {
            return Err("no answer in time, or no connection".to_owned());
        }
        let headers = host::header_pairs(HeaderMap::HttpCallResponse)
            .map_err(|error| format!("no headers (status {})", error.0))?;
        let status = pairs::decode(&headers).and_then(|pairs| {
            pairs.into_iter().find(|(name, _)| *name == b":status").map(|(_, value)| value)
        });
        let status = status.unwrap_or(b"none").to_vec();
        if body_size > max {
            return Err(format!("the answer is larger than {max} bytes"));
        }
        let body = match body_size {
            0 => Vec::new(),
            size => host::buffer(Buffer::HttpCallResponseBody, size)
                .map_err(|error| format!("no body (status {})", error.0))?,
        };
        Ok(Self { status, body })
    }

    /// The body of a good one.
    ///
    /// # Errors
    /// Where it has another status than 200.
    pub(crate) fn good(self) -> Result<Vec<u8>, String> {
        if self.status == b"200" {
            return Ok(self.body);
        }
        let status = String::from_utf8_lossy(&self.status).escape_debug().to_string();
        Err(format!("the answer has status {status}, not 200"))
    }
}
