//! A sync that would change too much changes nothing, and one that was broken off goes on.

use super::{active, add_linked_users, assert_ended, history, office, sql, sync};
use crate::harness::assert_has;
use crate::harness::aws::FakeAws;

const MANY: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

/// Twelve linked users, of whom six are disabled in the pool.
async fn half_disabled() -> (FakeAws, crate::harness::program::Program) {
    let aws = FakeAws::with(&MANY).await;
    let program = office(&aws).await;
    add_linked_users(&program, &MANY);
    MANY[..6].iter().for_each(|name| aws.enable(name, false));
    (aws, program)
}

#[tokio::test]
async fn too_many_changes_change_nothing_until_somebody_allows_them() {
    let (_aws, program) = half_disabled().await;
    for arguments in
        [&[][..], &["--dry-run"], &["--max-changes", "5"], &["--max-changes", "40%"], &["--max-changes", "0"]]
    {
        let outcome = sync(&program, arguments).await;
        assert_ended(&outcome, 3, "6 of 12 linked users would change");
        assert_has(&outcome.stderr, &["so nothing was changed", "--max-changes 6"]);
        assert_has(&outcome.stdout, &["deactivate a"]);
    }
    assert_eq!((active(&program).len(), history(&program).len()), (12, 0));
    sync(&program, &["--max-changes", "6"]).await.success();
    assert_eq!(active(&program).len(), 6);
}

#[tokio::test]
async fn the_setting_is_the_limit_where_no_option_is_given() {
    let (_aws, program) = half_disabled().await;
    let program = program.set("COGNITO_SYNC_MAX_CHANGES", "50%");
    sync(&program, &[]).await.success();
    assert_eq!(active(&program).len(), 6);
}

#[tokio::test]
async fn new_links_and_new_users_do_not_count() {
    let aws = FakeAws::with(&MANY).await;
    let program = office(&aws).await;
    sync(&program, &["--create", "--max-changes", "0"]).await.success();
    assert_eq!(active(&program).len(), 12);
}

#[tokio::test]
async fn what_is_no_limit_is_refused() {
    let aws = FakeAws::with(&[]).await;
    let program = office(&aws).await;
    for limit in ["ten", "0%", "101%", "-1"] {
        let outcome = sync(&program, &[&format!("--max-changes={limit}")]).await;
        assert_ended(&outcome, 2, "is neither a number of users nor a percentage");
    }
}

#[tokio::test]
async fn a_sync_that_ended_half_way_goes_on_when_it_is_run_again() {
    let (_aws, program) = half_disabled().await;
    // The database refuses one of them, as if the program had been killed there.
    sql(
        &program,
        "CREATE TRIGGER broken BEFORE UPDATE ON users WHEN NEW.username = 'd' BEGIN SELECT RAISE(ABORT, 'broken'); END",
    );
    let outcome = sync(&program, &["--max-changes", "6"]).await;
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    sql(&program, "DROP TRIGGER broken");
    sync(&program, &["--max-changes", "6"]).await.success();
    assert_eq!(active(&program), MANY[6..]);
    assert_eq!(history(&program).len(), 6, "each change is recorded once");
}
