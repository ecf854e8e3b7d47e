//! Bytes sent as they are, for requests that no client would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No answer to anything sent at once takes so long.
const PATIENCE: Duration = Duration::from_secs(8);

/// What came back on a connection until the server closed it.
pub struct Exchange {
    pub bytes: Vec<u8>,
    /// Whether the server closed it before the patience was over.
    pub ended: bool,
}

impl Exchange {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The statuses of all answers. No body in these tests holds what looks like a status line.
    pub fn statuses(&self) -> Vec<u16> {
        self.text().split("HTTP/1.").skip(1).map(|answer| answer[2..5].parse().expect("a status")).collect()
    }
}

/// What a client does when all is sent.
#[derive(Clone, Copy, PartialEq)]
pub enum Then {
    /// Waits for the server.
    Wait,
    /// Says that nothing more will come.
    End,
}

/// Sends bytes as they are, reading at the same time.
pub async fn exchange(address: SocketAddr, bytes: &[u8], then: Then) -> Exchange {
    let stream = TcpStream::connect(address).await.expect("the server accepts");
    let (mut reader, mut writer) = stream.into_split();
    let write = async {
        // The server may answer and close before all is sent.
        let _ = writer.write_all(bytes).await;
        if then == Then::End {
            let _ = writer.shutdown().await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let mut read = async || {
        let mut buffer = [0; 16384];
        loop {
            match reader.read(&mut buffer).await {
                Ok(0) | Err(_) => return true,
                Ok(read) => answer.extend_from_slice(&buffer[..read]),
            }
        }
    };
    let ended = tokio::select! {
        ended = read() => ended,
        () = write => unreachable!("the writer stays"),
        () = tokio::time::sleep(PATIENCE) => false,
    };
    Exchange { bytes: answer, ended }
}
