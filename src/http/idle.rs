//! The time between two requests of a connection, which actix-http leaves open: its timer guards only the
//! head of the first request, and nothing at all the rest of a chunked body that no handler reads. A
//! client could hold a connection for ever with a byte now and then.
//!
//! So each connection has a [`IdleWatch`], kept in its data, that closes the socket from beside. That needs a
//! second descriptor of the socket: a connection takes two of the process's open files.

use std::any::Any;
use std::cell::Cell;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use actix_web::dev::Extensions;
use actix_web::rt;
use actix_web::rt::task::JoinHandle;
use actix_web::rt::time::sleep;
use socket2::SockRef;

/// How long a client that was refused may still send before it is cut off.
const LINGER: Duration = Duration::from_secs(2);

/// Closes its connection when the next request takes too long to begin.
pub struct IdleWatch {
    connection: Rc<Connection>,
    task: Cell<Option<JoinHandle<()>>>,
}

struct Connection {
    socket: TcpStream,
    /// `None` while a request is handled, which has limits of its own.
    waiting_since: Cell<Option<Instant>>,
}

impl IdleWatch {
    /// Watches a new connection. To be called where connections are accepted, on their worker's thread.
    pub fn start(io: &dyn Any, data: &mut Extensions, patience: Duration) {
        let Some(stream) = io.downcast_ref::<rt::net::TcpStream>() else { return };
        let Ok(socket) = stream.as_fd().try_clone_to_owned().map(TcpStream::from) else {
            // The process has no descriptor left. Without a watch the connection could stay for ever, and be
            // one of those that took them all.
            log::warn!("a connection is refused: no file descriptor is left to watch it with");
            let _ = SockRef::from(stream).shutdown(Shutdown::Both);
            return;
        };
        let connection = Rc::new(Connection { socket, waiting_since: Cell::new(Some(Instant::now())) });
        let task = rt::spawn(guard(Rc::downgrade(&connection), patience));
        data.insert(IdleWatch { connection, task: Cell::new(Some(task)) });
    }

    /// A request has come.
    pub fn pause(&self) {
        self.connection.waiting_since.set(None);
    }

    /// The answer is made, and the time for the next request begins.
    pub fn resume(&self) {
        self.connection.waiting_since.set(Some(Instant::now()));
    }

    /// No further request is wanted: leaves the client a moment to take the answer.
    pub fn close_soon(&self) {
        let connection = Rc::downgrade(&self.connection);
        let task = rt::spawn(async move {
            sleep(LINGER).await;
            close(&connection);
        });
        if let Some(former) = self.task.replace(Some(task)) {
            former.abort();
        }
    }
}

impl Drop for IdleWatch {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

// Both hold the connection weakly: a socket is closed only when its last descriptor is.
async fn guard(connection: Weak<Connection>, patience: Duration) {
    while let Some(waiting_since) = connection.upgrade().map(|connection| connection.waiting_since.get()) {
        let left = waiting_since.map_or(patience, |since| patience.saturating_sub(since.elapsed()));
        if left.is_zero() {
            return close(&connection);
        }
        sleep(left).await;
    }
}

fn close(connection: &Weak<Connection>) {
    if let Some(connection) = connection.upgrade() {
        // It fails only where the client was faster.
        let _ = connection.socket.shutdown(Shutdown::Both);
    }
}
