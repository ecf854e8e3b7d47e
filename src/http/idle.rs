//! Limits the time between two requests of a connection. actix-http's timer covers only the head of the first request,
//! so a client could hold a connection forever by sending a byte now and then. [`IdleWatch`] shuts the socket down
//! through a second descriptor: each connection uses two of the process's open files.

use std::any::Any;
use std::cell::Cell;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use actix_web::dev::Extensions;
use actix_web::rt;
use actix_web::rt::task::JoinHandle;
use actix_web::rt::time::sleep;
use socket2::SockRef;

/// A refused client may keep sending for this time.
const LINGER: Duration = Duration::from_secs(2);

pub struct IdleWatch {
    connection: Rc<Connection>,
    task: Cell<Option<JoinHandle<()>>>,
}

struct Connection {
    socket: OwnedFd,
    /// `None` while a request is handled, which has limits of its own.
    waiting_since: Cell<Option<Instant>>,
}

impl IdleWatch {
    /// Call this on the worker thread that accepts the connection.
    pub fn start(io: &dyn Any, data: &mut Extensions, patience: Duration) {
        let Some(stream) = descriptor(io) else { return };
        let Ok(socket) = stream.try_clone_to_owned() else {
            // The process is out of descriptors. Without a watch the connection could stay open forever and make it
            // worse.
            log::warn!("a connection was refused: the process is out of file descriptors");
            let _ = SockRef::from(&stream).shutdown(Shutdown::Both);
            return;
        };
        let connection = Rc::new(Connection { socket, waiting_since: Cell::new(Some(Instant::now())) });
        let task = rt::spawn(guard(Rc::downgrade(&connection), patience));
        data.insert(IdleWatch { connection, task: Cell::new(Some(task)) });
    }

    pub fn pause(&self) {
        self.connection.waiting_since.set(None);
    }

    pub fn resume(&self) {
        self.connection.waiting_since.set(Some(Instant::now()));
    }

    /// Leaves the client time to read the response.
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

fn descriptor(io: &dyn Any) -> Option<BorrowedFd<'_>> {
    let tcp = io.downcast_ref::<rt::net::TcpStream>().map(AsFd::as_fd);
    tcp.or_else(|| io.downcast_ref::<rt::net::UnixStream>().map(AsFd::as_fd))
}

// Both hold the connection weakly: a socket closes only with its last descriptor.
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
        // Fails only if the client has already closed the connection.
        let _ = SockRef::from(&connection.socket).shutdown(Shutdown::Both);
    }
}
