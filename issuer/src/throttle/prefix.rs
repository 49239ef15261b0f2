//! Who counts as one client.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::store::Client;

/// What one customer of a provider has of IPv6, at least (RFC 6177): whoever has it can change all below it at will.
const IPV6_PREFIX: u8 = 64;
/// All of it: behind one address of IPv4 there is a household, an office or a provider's NAT already.
const IPV4_PREFIX: u8 = 32;

/// The part of an address that a client cannot change at will.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AddressPrefix(Option<IpAddr>);

impl AddressPrefix {
    /// Of whoever has no address: one client.
    pub(crate) const UNKNOWN: Self = Self(None);

    /// Where this client comes from.
    pub(crate) fn of(client: &Client) -> Self {
        let address = client.address.as_deref().and_then(|address| address.parse::<IpAddr>().ok());
        address.map_or(Self::UNKNOWN, Self::from)
    }

    /// The version of the protocol and the prefix, of one length whatever it is.
    pub(super) fn to_bytes(self) -> [u8; 17] {
        let (version, [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]) = match self.0 {
            None => (0, [0; 16]),
            Some(IpAddr::V4(address)) => {
                let [a, b, c, d] = address.octets();
                (4, [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            }
            Some(IpAddr::V6(address)) => (6, address.octets()),
        };
        [version, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }
}

impl From<IpAddr> for AddressPrefix {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let length = if address.is_ipv4() { IPV4_PREFIX } else { IPV6_PREFIX };
        // There is no address that has no such prefix.
        Self(IpNet::new(address, length).ok().map(|net| net.network()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_an_address_of_ipv4_or_a_64_of_ipv6() {
        let prefix = |text: &str| AddressPrefix::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:3::1"));
        assert_ne!(prefix("192.0.2.7"), prefix("192.0.2.8"));
        assert_eq!(prefix("::ffff:192.0.2.7"), prefix("192.0.2.7"));
        assert_ne!(prefix("::ffff:192.0.2.7"), prefix("::ffff:192.0.2.8"));
    }

    #[test]
    fn who_has_no_address_is_one_client_and_no_other() {
        let of = |address: Option<&str>| {
            AddressPrefix::of(&Client { address: address.map(str::to_owned), ..Client::default() })
        };
        assert_eq!(of(None), of(Some("no address")));
        assert_ne!(of(None), of(Some("0.0.0.0")));
        assert_ne!(of(None).to_bytes(), of(Some("0.0.0.0")).to_bytes());
        assert_ne!(of(Some("::")).to_bytes(), of(Some("0.0.0.0")).to_bytes());
    }
}
