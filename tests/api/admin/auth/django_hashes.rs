//! Signing in with a password whose hash came from Django.

use gatepost::users::password;

use crate::harness::TestServer;
use crate::harness::admin::AdminClient;

const PASSWORD: &str = "Zażółć 7 gęślą";
/// Made by Django, with few iterations.
const PBKDF2: &str = "pbkdf2_sha256$1200$SalzüBergŁódź$6F73679GbPxBYOIsqh3LuD4c/x0NMW3S9B1VZw53RVg=";
const MD5: &str = "md5$seasalt4$35133774fcef3c9716791d9a94f6687a";

/// A server with the staff user `ann`, who has this hash.
async fn server_with(hash: &str) -> TestServer {
    let server = TestServer::start().await;
    server.staff("ann", |new| new.password = Some(hash.to_owned())).await;
    server
}

async fn stored(server: &TestServer) -> String {
    server.texts("SELECT password FROM users WHERE username = 'ann'").await.remove(0)
}

async fn is_let_in(server: &TestServer, name: &str, password: &str) -> bool {
    let mut browser = AdminClient::new(server.address);
    let status = browser.sign_in(name, password).await.status;
    assert!(matches!(status, 200 | 303), "{status}");
    status == 303 && browser.get("/admin/").await.status == 200
}

#[tokio::test]
async fn the_first_sign_in_replaces_a_hash_from_django_by_argon2id() {
    for hash in [PBKDF2, MD5] {
        let server = server_with(hash).await;
        let history = server.count("history").await;
        assert!(!is_let_in(&server, "ann", "Zażółć 7 gęśl").await);
        assert_eq!(stored(&server).await, hash, "a wrong password replaces nothing");
        assert!(is_let_in(&server, "ann", PASSWORD).await);
        let new = stored(&server).await;
        assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
        assert!(password::verify(PASSWORD, &new));
        assert!(is_let_in(&server, "ann", PASSWORD).await && !is_let_in(&server, "ann", "wrong").await);
        assert_eq!(stored(&server).await, new, "once is enough");
        assert_eq!(server.count("history").await, history, "the password is the same as before");
    }
}

#[tokio::test]
async fn a_replaced_hash_ends_no_session() {
    let server = server_with(PBKDF2).await;
    let mut first = AdminClient::new(server.address);
    assert_eq!(first.sign_in("ann", PASSWORD).await.status, 303);
    // As if the first session had begun with Cognito, while the password was Django's.
    let new = stored(&server).await;
    let [old_print, new_print] = [PBKDF2, &new].map(gatepost::crypto::fingerprint);
    server.sql(format!("UPDATE sessions SET state = replace(state, '{new_print}', '{old_print}')")).await;
    server.sql(format!("UPDATE users SET password = '{PBKDF2}' WHERE username = 'ann'")).await;
    assert_eq!(first.get("/admin/").await.status, 200);
    assert!(is_let_in(&server, "ann", PASSWORD).await);
    assert_ne!(stored(&server).await, PBKDF2);
    assert_eq!(first.get("/admin/").await.status, 200, "its session is still there");
}

#[tokio::test]
async fn a_hash_from_django_lets_in_nobody_who_has_no_access() {
    let server = server_with(PBKDF2).await;
    for flags in ["is_active = (1 = 0), is_staff = (1 = 1)", "is_active = (1 = 1), is_staff = (1 = 0)"] {
        server.sql(format!("UPDATE users SET {flags}")).await;
        assert!(!is_let_in(&server, "ann", PASSWORD).await, "{flags}");
    }
    assert_eq!(stored(&server).await, PBKDF2);
}

#[tokio::test]
async fn a_password_that_django_hashed_can_be_changed() {
    let server = server_with(PBKDF2).await;
    let mut ann = AdminClient::new(server.address);
    assert_eq!(ann.sign_in("ann", PASSWORD).await.status, 303);
    ann.token.clear();
    ann.page("/admin/password_change/").await;
    let new = "winter-Giraffe-71";
    let form = [("old_password", PASSWORD), ("new_password1", new), ("new_password2", new)];
    assert_eq!(ann.post("/admin/password_change/", &form).await.status, 303);
    assert!(is_let_in(&server, "ann", new).await && !is_let_in(&server, "ann", PASSWORD).await);
}
