//! Signals that stop the server.

use std::io::Result;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::systemd;
use crate::http::edge::Stopping;

/// How long clients that are connected have for a request whose response closes the connection. actix closes connections
/// without a request when it stops, even if one is on its way.
const LULL: Duration = Duration::from_millis(250);

pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Signals {
    /// From here on, no signal ends the process by itself. Must be called within an actix system.
    pub fn catch() -> Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// SIGTERM lets running requests finish; SIGINT, which Ctrl+C sends, and SIGQUIT do not.
    /// `keeps_socket`: connections that come during the stop are for the next process.
    pub fn stop(self, server: ServerHandle, stopping: Stopping, keeps_socket: bool) {
        let Signals { mut terminate, mut interrupt, mut quit } = self;
        let forced = server.clone();
        rt::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = quit.recv() => {}
            }
            forced.stop(false).await;
        });
        rt::spawn(async move {
            terminate.recv().await;
            systemd::tell_of_stop();
            stopping.begin();
            if keeps_socket {
                server.pause().await;
            }
            rt::time::sleep(LULL).await;
            server.stop(true).await;
        });
    }
}
