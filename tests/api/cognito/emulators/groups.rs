//! Groups of a pool in ministack (`pip install ministack cryptography`, sought in `PATH` or where
//! `GATEPOST_TEST_MINISTACK` says), whose tokens bring the memberships.

use std::time::Duration;

use serde_json::{Value, json};

use super::emulator::{Emulator, Kind, PASSWORD, Pool};
use super::{program_for, serve};
use crate::harness::admin::AdminClient;
use crate::harness::eventually;
use crate::harness::pool::claims;
use crate::harness::program::Program;

async fn create(pool: &Pool<'_>, group: &str) {
    pool.emulator.call("CreateGroup", json!({ "UserPoolId": pool.id, "GroupName": group })).await;
}

/// `AdminAddUserToGroup` or `AdminRemoveUserFromGroup` for `alice`.
async fn change(pool: &Pool<'_>, action: &str, group: &str) {
    let request = json!({ "UserPoolId": pool.id, "GroupName": group, "Username": "alice" });
    pool.emulator.call(action, request).await;
}

/// A new ID token, one second younger than any before it: tokens count in seconds.
async fn token(pool: &Pool<'_>) -> String {
    tokio::time::sleep(Duration::from_millis(1100)).await;
    pool.sign_in("alice").await.id
}

/// Who is in which local group by the pool.
fn members(program: &Program) -> Vec<String> {
    let rows = "user_cognito_groups JOIN users ON users.id = user_id JOIN groups ON groups.id = group_id";
    program.texts(&format!("SELECT username || ' in ' || name FROM {rows} ORDER BY 1"))
}

/// What the history says that Cognito did.
fn history(program: &Program) -> Vec<String> {
    program.texts("SELECT changes FROM history WHERE source = 'cognito' AND action = 'changed' ORDER BY id")
}

#[tokio::test]
async fn members_come_and_go_with_the_tokens_of_the_pool() {
    let Some(emulator) = Emulator::start(Kind::Ministack).await else { return };
    let pool = emulator.pool().await;
    pool.sign_up("alice").await;
    pool.verify("alice").await;
    // Cognito names the group of a federated provider's users so.
    let federated = format!("{}_Google", pool.id);
    for group in ["editors", "authors", federated.as_str()] {
        create(&pool, group).await;
    }
    let program = program_for(&pool, &[]).set("DJANGO_SUPERUSER_PASSWORD", PASSWORD);
    for name in ["root", "alice"] {
        let email = format!("{name}@example.com");
        program.run(&["createsuperuser", "--noinput", "--username", name, "--email", &email]).await.success();
    }
    let gatepost = serve(&program).await;
    let mut admin = AdminClient::new(gatepost.address);
    assert_eq!(admin.sign_in("root", PASSWORD).await.status, 303);
    for (name, group) in [("Editors", "editors"), ("By Google", federated.as_str())] {
        let form = admin.open_form("/admin/groups/add/").await;
        assert_eq!(form.set("name", &[name]).set("cognito_group", &[group]).save(&mut admin).await.status, 303);
    }

    let before = token(&pool).await;
    assert_eq!(gatepost.get("/me/", &before).await.status, 200);
    assert_eq!(members(&program).len(), 0);

    change(&pool, "AdminAddUserToGroup", "editors").await;
    change(&pool, "AdminAddUserToGroup", &federated).await;
    let added = token(&pool).await;
    let Value::Array(claimed) = claims(&added)["cognito:groups"].clone() else { panic!("no groups: {added}") };
    assert_eq!(claimed.len(), 2, "{claimed:?}");
    assert_eq!(gatepost.get("/me/", &added).await.status, 200);
    let both = ["alice in By Google", "alice in Editors"];
    assert_eq!(members(&program), both);

    // A token from before is as good as ever, and takes nothing away.
    assert_eq!(gatepost.get("/me/", &before).await.status, 200);
    assert_eq!(members(&program), both);

    // Groups of a pool have no new names: one ends, and another begins.
    change(&pool, "AdminRemoveUserFromGroup", "editors").await;
    emulator.call("DeleteGroup", json!({ "UserPoolId": pool.id, "GroupName": "editors" })).await;
    change(&pool, "AdminAddUserToGroup", "authors").await;
    let renamed = token(&pool).await;
    assert_eq!(gatepost.get("/me/", &renamed).await.status, 200);
    assert_eq!(members(&program), ["alice in By Google"]);
    let id = program.texts("SELECT CAST(id AS TEXT) FROM groups WHERE name = 'Editors'").remove(0);
    let form = admin.open_form(&format!("/admin/groups/{id}/change/")).await;
    assert_eq!(form.set("cognito_group", &["authors"]).save(&mut admin).await.status, 303);
    assert_eq!(gatepost.get("/me/", &token(&pool).await).await.status, 200);
    assert_eq!(members(&program), both);

    // Of two requests at once, the newer token wins, whoever is first.
    for round in 0..4 {
        let older = token(&pool).await;
        let (action, expected) = match round % 2 {
            0 => ("AdminRemoveUserFromGroup", &both[..1]),
            _ => ("AdminAddUserToGroup", &both[..]),
        };
        change(&pool, action, "authors").await;
        let newer = token(&pool).await;
        let (first, second) = if round < 2 { (&older, &newer) } else { (&newer, &older) };
        let answers = tokio::join!(gatepost.get("/me/", first), gatepost.get("/me/", second));
        assert_eq!((answers.0.status, answers.1.status), (200, 200));
        eventually("the newer token has won", async || members(&program) == expected).await;
    }

    let entries = history(&program);
    assert_eq!(entries.len(), 7, "{entries:#?}");
    assert!(entries.iter().all(|entry| entry.contains("roups")), "{entries:#?}");
}
