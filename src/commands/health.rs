//! `health`: whether the server responds, for containers that have no other HTTP client.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::output::{CommandError, say};

const PATIENCE: Duration = Duration::from_secs(3);

pub fn run(mut address: SocketAddr) -> Result<(), CommandError> {
    if address.port() == 0 {
        return Err(CommandError::new("BIND_ADDRESS has port 0, so only the server knows the actual port"));
    }
    match address.ip() {
        // The server listens on all addresses; connect to loopback.
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let status = ask(address).map_err(|error| CommandError::new(format!("{address} does not respond: {error}")))?;
    if status != "200" {
        return Err(CommandError::new(format!("{address} answers {}", status.escape_debug())));
    }
    say!("ok")?;
    Ok(())
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    // Only the start of the response matters: `HTTP/1.1 200`.
    let mut begin = [0; 12];
    stream.read_exact(&mut begin)?;
    Ok(String::from_utf8_lossy(&begin[9..]).into_owned())
}
