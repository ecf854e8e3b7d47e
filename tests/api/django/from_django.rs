//! A project that Django itself makes.

use std::path::Path;
use std::process::Command;

use crate::harness::admin::AdminClient;
use crate::harness::program::Program;
use crate::harness::skip;

const STAFF: [&str; 7] = ["pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt", "md5"];

#[tokio::test]
async fn users_of_a_fresh_django_project_sign_in_with_their_passwords() {
    let test = "users_of_a_fresh_django_project_sign_in_with_their_passwords";
    let Some(python) = std::env::var_os("GATEPOST_TEST_DJANGO") else {
        return skip(test, "Django (GATEPOST_TEST_DJANGO)");
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/django/make.py");
    for source in ["django.sqlite3", "dump.json", "dump.jsonl", "natural.json.gz"] {
        let program = Program::new();
        let made = Command::new(&python).arg(&script).arg(program.path("")).output().expect("Python runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let outcome = program.run(&["import-django", source, "--history"]).await;
        let counts: Vec<String> = outcome.success().lines().skip(1).take(4).map(|line| line.replace(' ', "")).collect();
        assert_eq!(counts, ["users900", "groups100", "articles400", "logentries300"], "{source}: {outcome:?}");
        assert_eq!(program.texts("SELECT CAST(count(*) AS TEXT) FROM group_permissions"), ["4"], "{source}");
        assert_eq!(program.texts("SELECT permission FROM user_permissions"), ["users.view_user"], "{source}");
        if source != "django.sqlite3" {
            continue;
        }
        let program = program.set("LOGIN_MAX_FAILURES", "1000");
        let server = program.serve().await;
        let names = STAFF.iter().map(|name| format!("{name}.user"));
        for (number, name) in ["root".to_owned()].into_iter().chain(names).enumerate() {
            let sign_in = async |password: String| AdminClient::new(server.address).sign_in(&name, &password).await;
            assert_eq!(sign_in(format!("Correct-horse-{number}x")).await.status, 200, "{name}");
            assert_eq!(sign_in(format!("Correct-horse-{number}")).await.status, 303, "{name}");
        }
        assert_eq!(AdminClient::new(server.address).sign_in("unusable", "").await.status, 200);
    }
}
