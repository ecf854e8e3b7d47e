//! The local user pool, for development.

use crate::harness::program::Program;

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
