//! What systemd is told, where it has started the server: readiness, the stop, and that requests are answered.

use std::time::Duration;

use actix_web::rt;
use sd_notify::NotifyState;

use super::probe;
use crate::http::listener::ListenAddress;

/// Must be called within an actix system, when requests are answered. The task ends with the system.
pub fn watch(bind: &ListenAddress) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("Serving at {bind}"))]);
    if let Some(timeout) = sd_notify::watchdog_enabled() {
        rt::spawn(keep_alive(bind.clone(), timeout / 3));
    }
}

pub fn tell_of_stop() {
    tell(&[NotifyState::Stopping, NotifyState::Status("Finishing requests")]);
}

/// A server whose workers hang does not answer itself, so systemd restarts it.
async fn keep_alive(bind: ListenAddress, pause: Duration) {
    loop {
        let asked = bind.clone();
        let answer = rt::task::spawn_blocking(move || probe::ask(&asked)).await;
        match answer {
            Ok(Ok(status)) if status == "200" => tell(&[NotifyState::Watchdog]),
            _ => log::warn!("the server does not answer itself"),
        }
        rt::time::sleep(pause).await;
    }
}

/// Does nothing without systemd.
fn tell(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        log::warn!("systemd cannot be told: {error}");
    }
}
