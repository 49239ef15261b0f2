//! A document that may be kept: a body with the validator that a client asks again with (RFC 9110 section 8.8).

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// JSON that is the same for everybody, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    body: Bytes,
    /// Of the body alone, so that replicas with the same content agree on it.
    etag: HeaderValue,
    cache_control: HeaderValue,
}

impl Document {
    /// `None`: it cannot be serialized.
    pub(crate) fn json(content: &impl Serialize, max_age_seconds: u32) -> Option<Self> {
        let body = serde_json::to_vec(content).ok()?;
        let etag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&body)));
        Some(Self {
            body: Bytes::from(body),
            etag: HeaderValue::try_from(etag).ok()?,
            cache_control: HeaderValue::try_from(format!("public, max-age={max_age_seconds}")).ok()?,
        })
    }

    pub(crate) fn body(&self) -> &Bytes {
        &self.body
    }

    /// The document, or 304 for who has it already (RFC 9110 section 15.4.5).
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let has_it = request.get_all(IF_NONE_MATCH).iter().any(|value| self.is_among(value.as_bytes()));
        let mut response = Response::new(if has_it { Body::empty() } else { Body::from(self.body.clone()) });
        let headers = response.headers_mut();
        headers.insert(ETAG, self.etag.clone());
        headers.insert(CACHE_CONTROL, self.cache_control.clone());
        if has_it {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        response
    }

    /// Whether a value of If-None-Match names this document: compared weakly (RFC 9110 section 13.1.2). A tag of ours
    /// holds no comma.
    fn is_among(&self, value: &[u8]) -> bool {
        value
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.etag.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_the_document_in_any_form_gets_304_without_a_body_and_who_does_not_gets_it() {
        let document = Document::json(&["x"], 60).unwrap();
        let etag = document.etag.to_str().unwrap().to_owned();
        let status = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::try_from(value).unwrap());
            document.answer(&headers).status().as_u16()
        };
        for known in
            [&etag, "*", &format!("W/{etag}"), &format!("\"other\",{etag}"), &format!("W/\"a\" , {etag} ")]
        {
            assert_eq!(status(known), 304, "{known}");
        }
        for other in ["", "\"other\"", etag.trim_matches('"'), "W/*"] {
            assert_eq!(status(other), 200, "{other}");
        }
        let fresh = document.answer(&HeaderMap::new());
        assert_eq!(fresh.status(), StatusCode::OK);
        assert_eq!(fresh.headers()[CACHE_CONTROL], "public, max-age=60");
        assert_eq!(fresh.headers()[ETAG], etag);
        assert_ne!(Document::json(&["y"], 60).unwrap().etag, document.etag);
    }
}
