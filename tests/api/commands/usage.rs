//! What the command line says of itself.

use crate::harness::program::Program;

#[tokio::test]
async fn an_unknown_command_is_refused_with_a_hint() {
    let outcome = Program::new().run(&["frobnicate"]).await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
    assert!(outcome.stderr.starts_with("error: unrecognized subcommand 'frobnicate'\n"), "{outcome:?}");
    let help = Program::new().run(&["--help"]).await;
    for command in ["serve", "migrate", "createsuperuser", "changepassword", "check", "token"] {
        assert!(help.success().contains(&format!("  {command} ")), "{command}: {help:?}");
    }
    let version = Program::new().run(&["--version"]).await;
    assert_eq!(version.success(), format!("gatepost {}\n", env!("CARGO_PKG_VERSION")));
}
