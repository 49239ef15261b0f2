//! A request as the proxy hands it over: bytes, in order, with duplicates.

use crate::wide::is_same_but_for_case;

/// A view of the request's headers, pseudo-headers included. Names as HTTP/2 spells them, in lower case.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    headers: Vec<(&'a [u8], &'a [u8])>,
    has_more: bool,
}

impl<'a> Request<'a> {
    /// Takes the headers in their order: all that there is of the request, unless [`Request::followed`] says otherwise.
    #[must_use]
    pub fn new(headers: Vec<(&'a [u8], &'a [u8])>) -> Self {
        Self { headers, has_more: false }
    }

    /// Says whether a body or trailers follow. Over HTTP/2 no header tells (RFC 9113 section 8.1).
    #[must_use]
    pub fn followed(self, has_more: bool) -> Self {
        Self { has_more, ..self }
    }

    /// Whether a body or trailers follow.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// Every header, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        self.headers.iter().copied()
    }

    /// Every value of a header; `name` in lower case.
    pub fn values<'n>(&'n self, name: &'n [u8]) -> impl Iterator<Item = &'a [u8]> + 'n {
        self.headers().filter(move |(own, _)| is_same_but_for_case(own, name)).map(|(_, value)| value)
    }

    /// The one value of a header; `None` where there is none, or more than one.
    #[must_use]
    pub fn value(&self, name: &[u8]) -> Option<&'a [u8]> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether the client speaks gRPC and expects its status codes.
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        let rest = self
            .value(b"content-type")
            .and_then(|content_type| content_type.strip_prefix(b"application/grpc"));
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_speaks_grpc_if_its_content_type_says_so_and_only_then() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/grpcx", false),
            ("application/json", false),
            ("text/application/grpc", false),
            ("", false),
        ] {
            let request = Request::new(vec![(b"content-type", content_type.as_bytes())]);
            assert_eq!(request.is_grpc(), expected, "{content_type}");
        }
        assert!(!Request::new(Vec::new()).is_grpc());
    }
}
