//! Passwords and other secrets: where they are not.

use gatepost::users::password;

use crate::harness::program::Program;
use crate::harness::{TestServer, assert_has, assert_lacks};

#[tokio::test]
async fn a_password_is_nowhere_but_hashed_with_argon2id() {
    let secret = "correct horse 7 staple";
    let program = Program::new()
        .set("DJANGO_SUPERUSER_USERNAME", "root")
        .set("DJANGO_SUPERUSER_PASSWORD", secret)
        .set("RUST_LOG", "trace");
    let outcome = program.run(&["createsuperuser", "--noinput"]).await;
    outcome.success();
    let hash = program.texts("SELECT password FROM users").remove(0);
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert!(password::verify(secret, &hash));
    for text in [secret, hash.as_str()] {
        assert!(!format!("{outcome:?}").contains(text), "{outcome:?}");
    }
    for file in std::fs::read_dir(program.path("")).expect("the folder") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("the file can be read");
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", path.display());
    }
}

#[tokio::test]
async fn debug_output_shows_no_secret() {
    let server = TestServer::start().await;
    let user = server.user_with("alice", |new| new.password = Some("$argon2id$secret".to_owned())).await;
    assert!(user.password.is_some());
    let shown = format!("{user:?} {:#?}", server.config);
    assert_has(&shown, &["alice", "pool"]);
    assert_lacks(&shown, &["$argon2id"]);
    // Addresses of keys are shown, so none with a password in it is taken.
    let refusal = gatepost::cognito::user_pool::checked_url("https://user:hunter2@example.com/").expect_err("a secret");
    assert_lacks(&refusal, &["hunter2"]);
}
