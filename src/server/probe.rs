//! Asks the server itself, by a connection of its own, whether it responds.

use std::io::{Read, Result, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::http::listener::ListenAddress;

const PATIENCE: Duration = Duration::from_secs(3);

/// The status of `/healthz`, such as `200`.
pub fn ask(bind: &ListenAddress) -> Result<String> {
    match (bind, bind.reachable()) {
        (ListenAddress::Unix(path), _) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            status(stream)
        }
        (ListenAddress::Tcp(address), reachable) => {
            let stream = TcpStream::connect_timeout(&reachable.unwrap_or(*address), PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            status(stream)
        }
    }
}

fn status(mut stream: impl Read + Write) -> Result<String> {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    // Only the start of the response matters: `HTTP/1.1 200`.
    let mut begin = [0; 12];
    stream.read_exact(&mut begin)?;
    Ok(String::from_utf8_lossy(&begin[9..]).into_owned())
}
