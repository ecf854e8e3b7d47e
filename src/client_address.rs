//! Who is at the other end: the peer of the connection, or whom a trusted proxy names.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::{HttpRequest, web};

/// The proxies whose word counts; part of the application's data.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<IpAddr>);

/// The client's address. `X-Forwarded-For` counts only where a trusted proxy sends it, and of it only the
/// last entry that is no trusted proxy: whatever stands before that one, the client may have written.
pub fn client_address(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    let trusted = request.app_data::<web::Data<TrustedProxies>>().map_or(&[][..], |proxies| &proxies.0);
    if !trusted.contains(&peer) {
        return peer;
    }
    let headers = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let entries: Vec<&str> = headers.flat_map(|value| value.split(',')).collect();
    let mut client = peer;
    for entry in entries.iter().rev() {
        // What is no address cannot be trusted, nor can anything before it.
        let Some(address) = parse(entry.trim()) else { break };
        client = address;
        if !trusted.contains(&client) {
            break;
        }
    }
    client
}

/// An address, with a port or without.
fn parse(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().or_else(|_| entry.parse().map(|socket: std::net::SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}
