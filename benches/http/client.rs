//! A minimal HTTP client that parses as little as possible, so that it costs less than what it measures.

use std::net::SocketAddr;

use memchr::memmem::find;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Outcome<Client> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, buffer: vec![0; 64 * 1024] })
    }

    /// Sends a request and returns the response body. Fails unless the status is 2xx.
    pub async fn exchange(&mut self, request: &[u8]) -> Outcome<&[u8]> {
        Ok(self.answer(request).await?.1)
    }

    /// Sends a request and returns the response head and body. Fails unless the status is 2xx.
    pub async fn answer(&mut self, request: &[u8]) -> Outcome<(&[u8], &[u8])> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                self.buffer.resize(2 * filled, 0);
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            filled += read;
            if let Some(head) = head_of_whole(&self.buffer[..filled])? {
                return Ok((&self.buffer[..head], &self.buffer[head + 4..filled]));
            }
        }
    }
}

/// The length of the head of a complete response; `None` if it is incomplete. Fails unless the status is 2xx.
pub fn head_of_whole(answer: &[u8]) -> Outcome<Option<usize>> {
    let Some(head) = find(answer, b"\r\n\r\n") else { return Ok(None) };
    if answer.len() < head + 4 + content_length(&answer[..head])? {
        return Ok(None);
    }
    if !answer.starts_with(b"HTTP/1.1 2") {
        return Err(String::from_utf8_lossy(answer).into_owned().into());
    }
    Ok(Some(head))
}

fn content_length(head: &[u8]) -> Outcome<usize> {
    let name = b"content-length: ";
    let start = find(head, name).ok_or("the answer has no content-length")? + name.len();
    let digits = head[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |n, digit| n * 10 + usize::from(digit - b'0'));
    Ok(digits)
}
