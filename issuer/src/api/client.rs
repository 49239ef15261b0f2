//! Where a request comes from and with what, for the list of a user's sessions and for the trail.

mod forwarded;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::header::USER_AGENT;

use super::middleware::RequestId;
use crate::store::Client;
pub(crate) use forwarded::TrustedProxies;

/// The longest part of a `User-Agent` that is kept, in bytes.
const MAX_USER_AGENT_BYTES: usize = 256;

/// The peer of the connection, or whom trusted proxies name in its place, and what it calls itself.
pub(crate) fn client(request: &Request) -> Client {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let proxies = request.extensions().get::<Arc<TrustedProxies>>();
    let address = peer.map(|ConnectInfo(peer)| match proxies {
        Some(proxies) => proxies.client(peer.ip(), request.headers()),
        None => peer.ip().to_canonical(),
    });
    let user_agent = request.headers().get(USER_AGENT).map(|value| visible(value.as_bytes()));
    Client {
        address: address.map(|address| address.to_string()),
        user_agent: user_agent.filter(|text| !text.is_empty()),
        request_id: request.extensions().get::<RequestId>().map(|RequestId(id)| id.clone()),
    }
}

/// What can be shown to a person anywhere: visible ASCII and spaces, all else as `?`.
fn visible(bytes: &[u8]) -> String {
    let shown = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '?' };
    bytes.trim_ascii().iter().take(MAX_USER_AGENT_BYTES).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn what_a_client_calls_itself_is_kept_short_and_visible() {
        let of = |value: &[u8]| {
            client(&Request::get("/").header(USER_AGENT, value).body(Body::empty()).unwrap()).user_agent
        };
        assert_eq!(of(b"curl/8.1 (x; y)").as_deref(), Some("curl/8.1 (x; y)"));
        assert_eq!(of("caf\u{e9}\t1".as_bytes()).as_deref(), Some("caf???1"));
        assert_eq!(of(&[b'x'; 4000]).unwrap().len(), MAX_USER_AGENT_BYTES);
        assert_eq!(of(b""), None);
    }

    #[test]
    fn the_address_is_the_peers_and_none_where_there_is_none() {
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        assert_eq!(client(&request), Client::default());
        let peer: SocketAddr = "[::ffff:192.0.2.7]:4711".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        assert_eq!(client(&request).address.as_deref(), Some("192.0.2.7"));
    }
}
