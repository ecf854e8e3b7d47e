//! What a sync changes, and what it never does.

use serde_json::Value;

use super::{active, add_linked_users, add_users, history, office, sql, sync};
use crate::harness::aws::{FakeAws, pool_user};
use crate::harness::{assert_has, assert_lacks};

#[tokio::test]
async fn who_is_disabled_or_gone_in_the_pool_is_deactivated_here() {
    let aws = FakeAws::with(&["ann", "bob", "cem"]).await;
    let program = office(&aws).await;
    add_linked_users(&program, &["ann", "bob", "cem"]);
    add_users(&program, &["only-here"]);
    aws.enable("bob", false);
    aws.delete("cem");
    let planned = sync(&program, &["--dry-run"]).await;
    assert_has(
        planned.success(),
        &["deactivate bob: disabled in the pool", "deactivate cem: no longer in the pool", "Nothing was changed."],
    );
    assert_eq!(active(&program).len(), 4, "a dry run changes nothing");
    assert_has(sync(&program, &[]).await.success(), &["2 users were changed"]);
    assert_eq!(active(&program), ["ann", "only-here"]);
    assert_eq!(
        history(&program),
        [r#"changed bob {"is_active":[true,false]}"#, r#"changed cem {"is_active":[true,false]}"#]
    );
    assert_has(sync(&program, &[]).await.success(), &["There is nothing to change."]);
    assert_eq!(history(&program).len(), 2, "a second run has nothing to do");
    let only_reads = aws.asked().iter().all(|asked| asked.action().starts_with("List"));
    assert!(only_reads, "the pool is only read: {:?}", aws.asked());
}

#[tokio::test]
async fn only_whom_the_sync_has_deactivated_is_activated_again() {
    let aws = FakeAws::with(&["ann", "bob"]).await;
    let program = office(&aws).await;
    add_linked_users(&program, &["ann", "bob"]);
    sql(&program, "UPDATE users SET is_active = FALSE WHERE username = 'bob'");
    aws.enable("ann", false);
    sync(&program, &[]).await.success();
    assert_eq!(active(&program), [""; 0]);
    aws.enable("ann", true);
    assert_has(sync(&program, &[]).await.success(), &["activate   ann: enabled in the pool again"]);
    assert_eq!(active(&program), ["ann"], "somebody else has deactivated bob");
    assert_eq!(program.texts("SELECT username FROM users WHERE deactivated_by_sync"), [""; 0]);
}

#[tokio::test]
async fn the_last_active_superuser_is_never_deactivated() {
    let aws = FakeAws::with(&["ann", "bob", "cem"]).await;
    let program = office(&aws).await;
    add_linked_users(&program, &["ann", "bob", "cem"]);
    sql(&program, "UPDATE users SET is_staff = TRUE, is_superuser = TRUE WHERE username <> 'cem'");
    for name in ["ann", "bob", "cem"] {
        aws.enable(name, false);
    }
    let outcome = sync(&program, &[]).await;
    assert_has(
        outcome.success(),
        &["deactivate ann", "keep       bob: disabled in the pool, but the last active superuser", "deactivate cem"],
    );
    assert_eq!(active(&program), ["bob"]);
}

#[tokio::test]
async fn an_unlinked_user_is_linked_by_a_verified_email_as_with_a_token() {
    let aws = FakeAws::with(&["ann", "bob", "cem", "dan", "eve"]).await;
    let program = office(&aws).await;
    add_users(&program, &["ann", "bob", "cem", "dan"]);
    sql(&program, "UPDATE users SET email = 'Ann@Example.com' WHERE username = 'ann'");
    aws.user("bob", |user| user["Attributes"][2]["Value"] = "false".into());
    aws.enable("cem", false);
    aws.user("dan", |user| user["UserStatus"] = "UNCONFIRMED".into());
    let outcome = sync(&program, &[]).await;
    assert_has(outcome.success(), &["link       ann: ann@example.com"]);
    assert_lacks(outcome.success(), &["link       bob", "link       cem", "link       dan", "eve"]);
    assert_eq!(
        program.texts("SELECT username || ' ' || cognito_sub FROM users WHERE cognito_sub IS NOT NULL"),
        ["ann sub-of-ann"]
    );
    assert_eq!(active(&program).len(), 4, "who is not linked is not deactivated");
}

#[tokio::test]
async fn an_email_that_several_users_of_the_pool_have_links_none_of_them() {
    let aws = FakeAws::with(&["ann", "bob"]).await;
    let program = office(&aws).await;
    add_users(&program, &["ann"]);
    aws.user("bob", |user| user["Attributes"][1]["Value"] = "ANN@example.com".into());
    let outcome = sync(&program, &["--create"]).await;
    assert_has(
        outcome.success(),
        &["refuse     ann: several users of the pool have the e-mail ann@example.com", "refuse     bob: several users"],
    );
    assert_eq!(program.texts("SELECT username FROM users WHERE cognito_sub IS NOT NULL"), [""; 0]);
    assert_eq!(program.texts("SELECT username FROM users").len(), 1);
}

#[tokio::test]
async fn an_email_never_takes_over_the_link_of_another_user_of_the_pool() {
    let aws = FakeAws::with(&["ann"]).await;
    let program = office(&aws).await;
    add_linked_users(&program, &["ann"]);
    aws.users(|users| {
        let mut second = pool_user("second");
        second["Attributes"][1]["Value"] = "ann@example.com".into();
        users.push(second);
    });
    let outcome = sync(&program, &["--create"]).await;
    assert_has(outcome.success(), &["refuse     second: The local user with this e-mail address is linked"]);
    assert_eq!(program.texts("SELECT cognito_sub FROM users"), ["sub-of-ann"]);
}

#[tokio::test]
async fn who_has_no_local_user_is_created_only_if_asked() {
    let aws = FakeAws::with(&["ann", "bob"]).await;
    let program = office(&aws).await;
    aws.user("bob", |user| user["Attributes"][2]["Value"] = "false".into());
    assert_has(sync(&program, &[]).await.success(), &["of whom 2 have no local user", "There is nothing to change."]);
    let outcome = sync(&program, &["--create"]).await;
    assert_has(outcome.success(), &["create     ann: ann@example.com", "of whom 1 have no local user"]);
    let users = "SELECT username || ' ' || email || ' ' || cognito_sub || ' ' || origin || ' ' || is_staff FROM users";
    assert_eq!(program.texts(users), ["ann ann@example.com sub-of-ann pool_sync 0"]);
    assert_has(&history(&program)[0], &["created ann", r#""origin":[null,"pool_sync"]"#]);
}

#[tokio::test]
async fn groups_of_the_pool_give_and_take_memberships_and_staff_status() {
    let aws = FakeAws::with(&["ann", "bob", "cem"]).await;
    let program = office(&aws).await.set("COGNITO_STAFF_GROUP", "staff");
    add_linked_users(&program, &["ann", "bob"]);
    add_users(&program, &["cem"]);
    sql(&program, "INSERT INTO groups (name, cognito_group) VALUES ('Editors', 'editors'), ('Readers', NULL)");
    aws.group("editors", &["ann", "cem"]);
    aws.group("staff", &["ann"]);
    let members = "SELECT username || ' ' || name FROM user_cognito_groups JOIN users ON users.id = user_id
                   JOIN groups ON groups.id = group_id ORDER BY 1";
    let outcome = sync(&program, &[]).await;
    assert_has(outcome.success(), &["groups     ann: + Editors, + staff", "link       cem"]);
    assert_lacks(outcome.success(), &["bob"]);
    assert_eq!(program.texts(members), ["ann Editors", "cem Editors"]);
    assert_eq!(program.texts("SELECT username FROM users WHERE is_staff"), ["ann"]);
    aws.group("editors", &["bob"]);
    aws.group("staff", &[]);
    // The list of a second may be taken as often as there are seconds.
    sql(&program, "UPDATE users SET cognito_groups_iat = cognito_groups_iat - 5");
    let outcome = sync(&program, &[]).await;
    assert_has(
        outcome.success(),
        &["groups     ann: - Editors, - staff", "groups     bob: + Editors", "groups     cem: - Editors"],
    );
    assert_eq!(program.texts(members), ["bob Editors"]);
    assert_eq!(program.texts("SELECT username FROM users WHERE is_staff"), [""; 0]);
    assert_has(
        &history(&program).join("\n"),
        &[r#"changed ann {"cognito_groups":[["Editors"],[]],"is_staff":[true,false]}"#],
    );
}

#[tokio::test]
async fn what_a_newer_token_has_said_of_groups_stays() {
    let aws = FakeAws::with(&["ann"]).await;
    let program = office(&aws).await;
    add_linked_users(&program, &["ann"]);
    sql(&program, "INSERT INTO groups (name, cognito_group) VALUES ('Editors', 'editors')");
    sql(&program, "UPDATE users SET cognito_groups_iat = 4102444800");
    aws.group("editors", &["ann"]);
    assert_has(sync(&program, &[]).await.success(), &["There is nothing to change."]);
}

#[tokio::test]
async fn a_group_that_the_pool_does_not_have_has_no_members() {
    let aws = FakeAws::with(&["ann"]).await;
    let program = office(&aws).await;
    add_linked_users(&program, &["ann"]);
    sql(&program, "INSERT INTO groups (name, cognito_group) VALUES ('Editors', 'gone')");
    sql(&program, "INSERT INTO user_cognito_groups SELECT users.id, groups.id FROM users, groups");
    let outcome = sync(&program, &[]).await;
    assert_has(outcome.success(), &["groups     ann: - Editors"]);
    assert_has(&outcome.stderr, &["the user pool has no group `gone`"]);
}

#[tokio::test]
async fn users_of_another_pool_are_left_alone() {
    let aws = FakeAws::with(&["ann"]).await;
    let program = office(&aws).await;
    add_linked_users(&program, &["ann", "bob"]);
    sql(&program, "UPDATE users SET cognito_issuer = 'https://elsewhere.example.com/pool' WHERE username = 'bob'");
    assert_has(sync(&program, &[]).await.success(), &["There is nothing to change.", "1 local users are linked"]);
    assert_eq!(active(&program), ["ann", "bob"]);
}

#[tokio::test]
async fn the_report_is_also_there_as_json() {
    let aws = FakeAws::with(&["ann", "bob"]).await;
    let program = office(&aws).await;
    add_linked_users(&program, &["ann", "bob"]);
    aws.enable("bob", false);
    let of = async |arguments: &[&str]| -> Value {
        serde_json::from_str(sync(&program, arguments).await.success()).expect("JSON")
    };
    let planned = of(&["--json", "--dry-run"]).await;
    assert_eq!((&planned["outcome"], &planned["applied"]), (&"dry_run".into(), &Value::Null));
    let done = of(&["--json"]).await;
    assert_eq!(done["outcome"], "changed");
    assert_eq!(done["steps"][0]["action"], "deactivate");
    assert_eq!(done["steps"][0]["username"], "bob");
    assert_eq!(done["applied"]["changed"], 1);
    assert_eq!(of(&["--json"]).await["outcome"], "nothing_to_do");
}
