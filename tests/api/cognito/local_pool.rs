//! The local user pool, for development.

use url::Url;

use super::sign_in::assert_refused;
use crate::harness::admin::AdminClient;
use crate::harness::client::Answer;
use crate::harness::program::Program;
use crate::harness::{find, skip};

#[cfg(unix)]
#[tokio::test]
async fn the_local_pools_keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    // Whatever the umask.
    let program = Program::new().by(&["sh", "-c", "umask 000; exec \"$@\"", "sh"]);
    program.token().await;
    let mode = std::fs::metadata(program.path("gatepost.local-pool.keys")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
}

/// Begins a sign-in in a server whose clock is that many minutes slow, and comes back to one whose clock is right.
/// Returns the page of the second one. `None`, and a word about it, where there is no `faketime`.
async fn come_back_after(minutes: u32) -> Option<Answer> {
    let Some(faketime) = find("faketime") else {
        skip("a sign-in that takes too long", "faketime");
        return None;
    };
    let folder = tempfile::TempDir::new().expect("a folder");
    let shift = format!("-{minutes}m");
    let faketime = faketime.to_str().expect("a path");
    let slow = Program::within(folder.path()).by(&[faketime, "--exclude-monotonic", "-f", &shift]);
    let server = slow.serve().await;
    let mut browser = AdminClient::new(server.address);
    let begun = browser.get("/admin/login/cognito/").await;
    let authorize = Url::parse(begun.header("location")).expect("a URL");
    let mut fields: Vec<(String, String)> = authorize.query_pairs().into_owned().collect();
    fields.push(("email".to_owned(), "admin@example.com".to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.get(&authorize[url::Position::BeforePath..]).await;
    let allowed = browser.post("/local-pool/oauth2/authorize", &fields).await;
    let callback = Url::parse(allowed.header("location")).expect("a URL");
    server.kill();
    let server = Program::within(folder.path()).serve().await;
    browser.address = server.address;
    let answer = browser.get(&callback[url::Position::BeforePath..]).await;
    let admin = browser.get("/admin/").await;
    assert_eq!((admin.status, admin.header("location")), (302, "/admin/login/?next=/admin/"));
    Some(answer)
}

#[tokio::test]
async fn a_sign_in_that_took_more_than_ten_minutes_is_over() {
    let Some(late) = come_back_after(11).await else { return };
    assert_refused("late", &late, 400, "This sign-in took too long");
    // In time, the pool is asked. Another server has given this code.
    let Some(in_time) = come_back_after(9).await else { return };
    assert_refused("in time", &in_time, 400, "Cognito did not accept the code of this sign-in.");
}
