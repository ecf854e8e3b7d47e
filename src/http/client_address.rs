//! Whom a request comes from: the peer of its connection, or whom a trusted proxy names.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use actix_web::http::header::X_FORWARDED_FOR;
use actix_web::{HttpRequest, web};

/// The proxies whose `X-Forwarded-For` is believed; part of the application's data.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<Network>);

/// An IP address, or all that begin with the same bits: `10.0.0.1`, `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Network, ()> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let mut address: IpAddr = address.parse().map_err(|_| ())?;
        if prefix.is_none() {
            address = address.to_canonical();
        }
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), |prefix| prefix.parse().map_err(|_| ()))?;
        if prefix <= longest { Ok(Network { address, prefix }) } else { Err(()) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_single = self.prefix == if self.address.is_ipv4() { 32 } else { 128 };
        if is_single { self.address.fmt(f) } else { write!(f, "{}/{}", self.address, self.prefix) }
    }
}

impl Network {
    /// What one customer of a provider has: an IPv4 address, or 64 bits of IPv6 addresses (RFC 6177), of which a
    /// single host can use them all.
    pub fn of_customer(address: IpAddr) -> Network {
        match address.to_canonical() {
            IpAddr::V4(address) => Network { address: address.into(), prefix: 32 },
            IpAddr::V6(address) => {
                let network = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64));
                Network { address: network.into(), prefix: 64 }
            }
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        // A shift by all bits is an overflow, and a prefix of 0 contains everything.
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).checked_shr(32 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl TrustedProxies {
    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The last address on the way that is no trusted proxy's. Whatever stands before it in the header may
    /// be made up, and so may the whole header where the peer is not trusted.
    fn client(&self, peer: IpAddr, forwarded_for: &[&str]) -> IpAddr {
        let mut client = peer.to_canonical();
        let mut entries = forwarded_for.iter().rev().flat_map(|header| header.rsplit(','));
        while self.contain(client) {
            match entries.next().and_then(parse) {
                Some(address) => client = address,
                None => break,
            }
        }
        client
    }
}

/// An entry of `X-Forwarded-For`; some proxies add the port.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// The address of the client that sent a request.
pub fn client_address(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let headers: Vec<&str> =
        request.headers().get_all(X_FORWARDED_FOR).map(|value| value.to_str().unwrap_or_default()).collect();
    match request.app_data::<web::Data<TrustedProxies>>() {
        Some(proxies) => proxies.client(peer, &headers),
        None => peer.to_canonical(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, headers: &[&str]) -> String {
        let networks = trusted.split(' ').filter(|text| !text.is_empty());
        let proxies = TrustedProxies(networks.map(|text| text.parse().expect("a network")).collect());
        proxies.client(peer.parse().expect("an address"), headers).to_string()
    }

    #[test]
    fn the_header_counts_only_from_a_trusted_peer_and_only_up_to_the_first_stranger() {
        for (trusted, peer, headers, expected) in [
            ("", "192.0.2.1", &["198.51.100.1"][..], "192.0.2.1"),
            ("10.0.0.1", "192.0.2.1", &["198.51.100.1"], "192.0.2.1"),
            ("10.0.0.1", "10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", "10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", "10.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.0/8", "10.0.0.1", &["1.1.1.1, 198.51.100.1 , 10.9.9.9"], "198.51.100.1"),
            ("10.0.0.0/8", "10.0.0.1", &["10.2.2.2, 10.9.9.9"], "10.2.2.2"),
            ("10.0.0.0/8", "11.0.0.1", &["198.51.100.1"], "11.0.0.1"),
            ("0.0.0.0/0", "10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", "10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", "10.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1", "10.0.0.1", &["[2001:db8::7]"], "2001:db8::7"),
            ("10.0.0.1", "::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("2001:db8::/32", "2001:db8:1::1", &["2001:db9::1"], "2001:db9::1"),
            ("::/0", "2001:db8:1::1", &["198.51.100.1"], "198.51.100.1"),
        ] {
            assert_eq!(client(trusted, peer, headers), expected, "{trusted} {peer} {headers:?}");
        }
    }

    #[test]
    fn a_network_has_an_address_and_a_length_that_fits() {
        for bad in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "localhost", "10.0.0.0/8/8"] {
            assert_eq!(bad.parse::<Network>(), Err(()), "{bad}");
        }
    }

    #[test]
    fn all_addresses_of_an_ipv6_host_are_one_customers() {
        let of = |text: &str| Network::of_customer(text.parse().expect("an address"));
        assert!(of("2001:db8:1:2::1") == of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert!(of("2001:db8:1:2::1") != of("2001:db8:1:3::1"));
        assert!(of("192.0.2.1") != of("192.0.2.2"));
        assert!(of("::ffff:192.0.2.1") == of("192.0.2.1"));
        assert!(of("::c000:201") != of("192.0.2.1"));
        assert_eq!(of("2001:db8:1:2::1").to_string(), "2001:db8:1:2::/64");
        assert_eq!(of("192.0.2.1").to_string(), "192.0.2.1");
    }
}
