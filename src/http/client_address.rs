//! The client's IP address: the connection's peer, or what a trusted proxy reports.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use actix_web::http::header::X_FORWARDED_FOR;
use actix_web::{HttpRequest, web};
use ipnet::IpNet;

use super::header_values::joined;

/// The peer of a Unix socket has none.
const NO_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Their `X-Forwarded-For` is trusted. Part of the application data.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<TrustedProxy>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustedProxy {
    Network(Network),
    /// Whoever connects to the Unix socket. nginx writes it `unix:`, too.
    UnixSocket,
}

impl FromStr for TrustedProxy {
    type Err = ();

    fn from_str(text: &str) -> Result<TrustedProxy, ()> {
        if text == "unix:" { Ok(TrustedProxy::UnixSocket) } else { text.parse().map(TrustedProxy::Network) }
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrustedProxy::Network(network) => network.fmt(f),
            TrustedProxy::UnixSocket => f.write_str("unix:"),
        }
    }
}

/// `10.0.0.1` or `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Network, ()> {
        // The standard library parses the address: ipnet's parser accepts `010.0.0.1`, which others read as octal.
        let network = match text.split_once('/') {
            Some((address, prefix)) => {
                let (address, prefix) = (parse_address(address).ok_or(())?, prefix.parse().map_err(|_| ())?);
                IpNet::new(address, prefix).map_err(|_| ())?
            }
            None => parse_address(text).ok_or(())?.to_canonical().into(),
        };
        Ok(Network(network))
    }
}

/// An IP address; an IPv6 address may stand in brackets, as in a URL.
fn parse_address(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_single = self.0.prefix_len() == self.0.max_prefix_len();
        if is_single { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

impl Network {
    /// An IPv4 address, or an IPv6 /64 (RFC 6177), all of which a single host can use.
    pub fn of_customer(address: IpAddr) -> Network {
        let address = address.to_canonical();
        // Both prefix lengths are valid, so this cannot panic.
        Network(IpNet::new_assert(address, if address.is_ipv4() { 32 } else { 64 }).trunc())
    }
}

impl TrustedProxies {
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|proxy| matches!(proxy, TrustedProxy::Network(network) if network.0.contains(&address)))
    }

    /// Whether the connection's peer counts. Without an address, it came through the Unix socket.
    fn contain_peer(&self, peer: Option<SocketAddr>) -> bool {
        match peer {
            Some(peer) => self.contain(peer.ip().to_canonical()),
            None => self.contain_unix_socket(),
        }
    }

    /// Without the Unix socket where there is none: the peer of a TCP connection that is gone has no address either.
    pub fn at(&self, is_unix: bool) -> TrustedProxies {
        let proxies = self.0.iter().copied();
        TrustedProxies(proxies.filter(|proxy| is_unix || !matches!(proxy, TrustedProxy::UnixSocket)).collect())
    }

    pub fn contain_unix_socket(&self) -> bool {
        self.0.iter().any(|proxy| matches!(proxy, TrustedProxy::UnixSocket))
    }

    /// The last address on the path that is not a trusted proxy: clients can forge everything before it.
    fn client(&self, peer: Option<SocketAddr>, forwarded_for: &str) -> IpAddr {
        let mut client = peer.map_or(NO_ADDRESS, |peer| peer.ip().to_canonical());
        // No entry has a comma of its own, so a quotation mark that a client forged must not join two.
        let entries = forwarded_for.rsplit(',').map(|entry| entry.trim_matches([' ', '\t']));
        let mut entries = entries.filter(|entry| !entry.is_empty());
        let mut is_trusted = self.contain_peer(peer);
        while is_trusted && let Some(address) = entries.next().and_then(parse) {
            client = address;
            is_trusted = self.contain(client);
        }
        client
    }
}

/// Some proxies add the port, or quotes as in `Forwarded`.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.strip_prefix('"').and_then(|entry| entry.strip_suffix('"')).unwrap_or(entry);
    let address = parse_address(entry).or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// Whether the connection comes from a trusted proxy, so that its headers about the client count.
pub fn is_from_trusted_proxy(request: &HttpRequest) -> bool {
    let proxies = request.app_data::<web::Data<TrustedProxies>>();
    proxies.is_some_and(|proxies| proxies.contain_peer(request.peer_addr()))
}

pub fn client_address(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr();
    match request.app_data::<web::Data<TrustedProxies>>() {
        Some(proxies) => proxies.client(peer, &joined(request.headers(), X_FORWARDED_FOR)),
        None => peer.map_or(NO_ADDRESS, |peer| peer.ip().to_canonical()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, headers: &[&str]) -> String {
        let networks = trusted.split(' ').filter(|text| !text.is_empty());
        let proxies = TrustedProxies(networks.map(|text| text.parse().expect("a network")).collect());
        // Without an address, the peer is that of a Unix socket.
        let peer = peer.parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, 4711));
        proxies.client(peer, &headers.join(",")).to_string()
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
            ("10.0.0.1", "10.0.0.1", &["\"[2001:db8::7]:4711\""], "2001:db8::7"),
            ("10.0.0.1", "10.0.0.1", &["\"198.51.100.1\""], "198.51.100.1"),
            ("10.0.0.1", "10.0.0.1", &["198.51.100.1, ,", ""], "198.51.100.1"),
            ("10.0.0.1", "10.0.0.1", &["caf\u{e9}, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", "10.0.0.1", &["\"1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", "::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("2001:db8::/32", "2001:db8:1::1", &["2001:db9::1"], "2001:db9::1"),
            ("::/0", "2001:db8:1::1", &["198.51.100.1"], "198.51.100.1"),
            ("", "unix:", &["198.51.100.1"], "0.0.0.0"),
            ("0.0.0.0/0", "unix:", &["198.51.100.1"], "0.0.0.0"),
            ("unix:", "unix:", &["198.51.100.1"], "198.51.100.1"),
            ("unix:", "unix:", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("unix: 10.0.0.0/8", "unix:", &["198.51.100.1, 10.0.0.1"], "198.51.100.1"),
            ("unix:", "unix:", &[], "0.0.0.0"),
            ("unix:", "10.0.0.1", &["198.51.100.1"], "10.0.0.1"),
        ] {
            assert_eq!(client(trusted, peer, headers), expected, "{trusted} {peer} {headers:?}");
        }
    }

    #[test]
    fn without_a_unix_socket_nobody_comes_through_it() {
        let proxies = TrustedProxies(["unix:", "10.0.0.1"].map(|text| text.parse().expect("a proxy")).to_vec());
        // The peer of a connection that is gone has no address either.
        assert_eq!(proxies.at(true).client(None, "198.51.100.1").to_string(), "198.51.100.1");
        assert_eq!(proxies.at(false).client(None, "198.51.100.1").to_string(), "0.0.0.0");
        assert!(proxies.at(false).contain("10.0.0.1".parse().expect("an address")));
    }

    #[test]
    fn a_network_has_an_address_and_a_length_that_fits() {
        for bad in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "localhost", "10.0.0.0/8/8"] {
            assert_eq!(bad.parse::<Network>(), Err(()), "{bad}");
        }
    }

    #[test]
    fn an_address_that_others_read_as_octal_is_no_network() {
        for bad in ["010.0.0.1", "010.0.0.0/8", "10.0.0.01/32"] {
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
