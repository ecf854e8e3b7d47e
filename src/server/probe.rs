//! Asks the server itself, by a connection of its own, whether it responds.

use std::io::{Read, Result, Write};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::http::listener::ListenAddress;

const PATIENCE: Duration = Duration::from_secs(3);

/// The status of `/healthz`, such as `200`.
pub fn ask(bind: &ListenAddress) -> Result<String> {
    let (domain, address) = match bind {
        ListenAddress::Tcp(address) => {
            let reachable = bind.reachable().unwrap_or(*address);
            (Domain::for_address(reachable), reachable.into())
        }
        ListenAddress::Unix(path) => (Domain::UNIX, SockAddr::unix(path)?),
    };
    let mut socket = Socket::new(domain, Type::STREAM, None)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.connect_timeout(&address, PATIENCE)?;
    socket.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    // Only the start of the response matters: `HTTP/1.1 200`.
    let mut begin = [0; 12];
    socket.read_exact(&mut begin)?;
    Ok(String::from_utf8_lossy(&begin[9..]).into_owned())
}
