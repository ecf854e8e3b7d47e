//! What systemd is told, where it has started the server: readiness, the stop, and that requests are answered.

use std::time::Duration;

use actix_web::rt;
use sd_notify::NotifyState;

use super::probe;
use crate::http::listener::ListenAddress;

/// Must be called within an actix system, when requests are answered. The task ends with the system.
pub fn watch(bind: &ListenAddress, public_origin: Option<&str>) {
    let served = public_origin.map(|origin| format!("{origin} ")).unwrap_or_default();
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("Serving {served}at {bind}"))]);
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
            Ok(Ok(status)) => log::warn!("the server answers itself with {}", status.escape_debug()),
            Ok(Err(error)) => log::warn!("the server does not answer itself at {bind}: {error}"),
            Err(error) => log::warn!("the server cannot ask itself: {error}"),
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
