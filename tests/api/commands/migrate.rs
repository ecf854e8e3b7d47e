//! `migrate`.

use crate::harness::program::Program;

#[tokio::test]
async fn migrate_brings_a_database_up_to_date_and_says_so() {
    let program = Program::new();
    assert!(program.run(&["migrate"]).await.success().ends_with("migrations applied to sqlite:gatepost.sqlite3.\n"));
    assert_eq!(program.run(&["migrate"]).await.success(), "sqlite:gatepost.sqlite3 is up to date.\n");
    assert_eq!(program.texts("SELECT journal_mode FROM pragma_journal_mode"), ["wal"]);
}

#[tokio::test]
async fn commands_on_the_database_need_no_user_pool() {
    let program = Program::new()
        .set("APP_ENV", "production")
        .set("DJANGO_SUPERUSER_USERNAME", "root")
        .set("DJANGO_SUPERUSER_PASSWORD", "winter-Giraffe-71");
    program.run(&["migrate"]).await.success();
    program.run(&["createsuperuser", "--noinput"]).await.success();
    program.run_with(&["changepassword", "root"], "summer-Giraffe-72\nsummer-Giraffe-72\n").await.success();
    for command in [&["serve"][..], &["check"], &["token", "alice@example.com"]] {
        program.run(command).await.assert_error("AWS_USER_POOLS_ID: is not set");
    }
}

#[tokio::test]
async fn processes_that_migrate_at_once_on_an_empty_folder_all_succeed_and_one_does_it() {
    for round in 0..20 {
        let program = Program::new();
        let outcomes = futures_util::future::join_all((0..5).map(|_| program.run(&["migrate"]))).await;
        let applied = outcomes.iter().filter(|outcome| outcome.success().contains("migrations applied")).count();
        assert_eq!(applied, 1, "round {round}: {outcomes:?}");
    }
}
