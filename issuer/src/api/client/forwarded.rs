//! Who a client is, where proxies stand in between.
//!
//! Each proxy adds at the right of `X-Forwarded-For` who it was called by. So the header is read from there, and only as
//! far as what is read was written by somebody who is trusted; all before it is whatever the client sent.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The most entries that are looked at: more proxies than that do not stand in a row.
const MAX_ENTRIES: usize = 32;

/// The proxies that are believed.
#[derive(Debug, Default)]
pub(crate) struct TrustedProxies {
    blocks: Vec<IpNet>,
    /// Whether it was said that there might be one to name.
    told: AtomicBool,
}

impl TrustedProxies {
    pub(crate) fn new(blocks: Vec<IpNet>) -> Self {
        Self { blocks, told: AtomicBool::new(false) }
    }

    /// The last address that somebody trusted has vouched for, itself not trusted unless it is the first of all.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trust(client) {
            self.tell(client, headers);
        }
        let lines = headers.get_all(X_FORWARDED_FOR).iter().collect::<Vec<_>>();
        // Several lines are one, joined by commas (RFC 9110 section 5.3).
        let entries = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for entry in entries.take(MAX_ENTRIES) {
            if !self.trust(client) {
                break;
            }
            let Some(address) = parse(entry) else { break };
            client = address;
        }
        client
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.blocks.iter().any(|block| block.contains(&address))
    }

    /// Says once that this looks like a proxy that nobody has named, or that has another address by now: all its clients
    /// are one then. Any client can have it said.
    fn tell(&self, peer: IpAddr, headers: &HeaderMap) {
        if headers.contains_key(X_FORWARDED_FOR) && !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %peer,
                "a request came with X-Forwarded-For from an address that is not trusted: if a proxy stands in front, name it in BEARWARD_TRUSTED_PROXIES, \
                 or all its clients share one client's limits"
            );
        }
    }
}

/// An address, alone or with the port that some proxies add.
fn parse(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry.trim_ascii()).ok()?;
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = text.parse::<IpAddr>().ok().or_else(with_port).or_else(|| in_brackets().map(IpAddr::V6))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::testing::Recording;

    const PEER: &str = "10.0.0.1";

    fn client(trusted: &[&str], peer: &str, lines: &[&str]) -> String {
        let blocks = trusted.iter().map(|block| block.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, line.parse().unwrap());
        }
        TrustedProxies::new(blocks).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn who_is_not_trusted_is_the_client_whatever_it_says() {
        assert_eq!(client(&[], PEER, &["192.0.2.7"]), PEER);
        assert_eq!(client(&["10.0.0.2/32"], PEER, &["192.0.2.7"]), PEER);
        assert_eq!(client(&["10.0.0.0/8"], PEER, &[]), PEER);
    }

    #[test]
    fn the_client_is_the_last_address_that_somebody_trusted_vouches_for() {
        let trusted = ["10.0.0.0/8", "2001:db8:9::/48"];
        for (lines, is) in [
            (&["192.0.2.7"][..], "192.0.2.7"),
            (&["6.6.6.6, 192.0.2.7"], "192.0.2.7"),
            (&["6.6.6.6,192.0.2.7,10.0.0.3"], "192.0.2.7"),
            (&["6.6.6.6, 192.0.2.7 ,\t10.0.0.3, 2001:db8:9::4"], "192.0.2.7"),
            (&["6.6.6.6, 192.0.2.7", "10.0.0.3"], "192.0.2.7"),
            (&["192.0.2.7", "6.6.6.6"], "6.6.6.6"),
            // Everybody is trusted: the first of them is the client.
            (&["10.0.0.5, 10.0.0.3"], "10.0.0.5"),
            // IPv4 in the form of IPv6 is IPv4, also where it is compared.
            (&["192.0.2.7, ::ffff:10.0.0.3"], "192.0.2.7"),
            (&["::ffff:192.0.2.7"], "192.0.2.7"),
            (&["2001:DB8::7"], "2001:db8::7"),
            (&["192.0.2.7:4711"], "192.0.2.7"),
            (&["[2001:db8::7]:4711, 10.0.0.3:1"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
        ] {
            assert_eq!(client(&trusted, PEER, lines), is, "{lines:?}");
            assert_eq!(client(&trusted, "::ffff:10.0.0.1", lines), is, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_address_ends_the_walk_and_the_last_good_one_counts() {
        for (lines, is) in [
            (&["192.0.2.7, unknown"][..], PEER),
            (&["192.0.2.7, "], PEER),
            (&[""], PEER),
            (&["192.0.2.7, _hidden, 10.0.0.3"], "10.0.0.3"),
            (&["192.0.2.7,,10.0.0.3"], "10.0.0.3"),
            (&["192.0.2.7, fe80::1%eth0, 10.0.0.3"], "10.0.0.3"),
            (&["192.0.2.7, 010.0.0.3"], PEER),
            (&["192.0.2.7", "10.0.0.3;x"], PEER),
            (&["\"192.0.2.7\""], PEER),
            (&["[192.0.2.7]"], PEER),
        ] {
            assert_eq!(client(&["10.0.0.0/8"], PEER, lines), is, "{lines:?}");
        }
    }

    #[test]
    fn a_proxy_that_nobody_has_named_is_noticed_once() {
        let recording = Recording::begin();
        let proxies = TrustedProxies::default();
        let mut headers = HeaderMap::new();
        let _ = proxies.client(PEER.parse().unwrap(), &headers);
        headers.append(X_FORWARDED_FOR, "192.0.2.7".parse().unwrap());
        for _ in 0..3 {
            let _ = proxies.client(PEER.parse().unwrap(), &headers);
        }
        told_once(recording);
    }

    #[test]
    fn a_proxy_beside_those_that_are_named_is_noticed_once() {
        let recording = Recording::begin();
        let proxies = TrustedProxies::new(vec!["10.0.0.2/32".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, "192.0.2.7".parse().unwrap());
        for peer in ["::ffff:10.0.0.2", PEER, PEER] {
            let _ = proxies.client(peer.parse().unwrap(), &headers);
        }
        told_once(recording);
    }

    /// Who the peer is, and nothing of what it says.
    fn told_once(recording: Recording) {
        let lines = recording.lines();
        assert!(lines.len() == 1 && lines[0].contains("BEARWARD_TRUSTED_PROXIES"), "{lines:?}");
        assert!(lines[0].contains(r#""peer":"10.0.0.1""#) && !lines[0].contains("192.0.2.7"), "{lines:?}");
    }

    #[test]
    fn a_walk_has_an_end() {
        let long = format!("192.0.2.7{}", ", 10.0.0.3".repeat(MAX_ENTRIES));
        assert_eq!(client(&["10.0.0.0/8"], PEER, &[&long]), "10.0.0.3");
        let fits = format!("192.0.2.7{}", ", 10.0.0.3".repeat(MAX_ENTRIES - 1));
        assert_eq!(client(&["10.0.0.0/8"], PEER, &[&fits]), "192.0.2.7");
    }
}
