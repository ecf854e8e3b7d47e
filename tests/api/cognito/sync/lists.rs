//! Lists of users that are not those of the whole pool, and lists in files.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{active, add_linked_users, assert_ended, office, sql, sync};
use crate::harness::assert_has;
use crate::harness::aws::{FakeAws, pool_user};
use crate::harness::program::Program;

fn page(names: &[&str], token: Option<&str>) -> Value {
    let users: Vec<Value> = names.iter().map(|name| pool_user(name)).collect();
    let mut page = json!({ "Users": users });
    if let Some(token) = token {
        page["PaginationToken"] = token.into();
    }
    page
}

/// Runs a sync with a file of this content.
async fn from(program: &Program, content: impl AsRef<[u8]>) -> crate::harness::program::Outcome {
    std::fs::write(program.path("users.json"), content).expect("a file");
    sync(program, &["--from", "users.json"]).await
}

/// A program with four linked users; no server of AWS is there.
async fn office_of_four() -> Program {
    let program = office(&FakeAws::start().await).await;
    add_linked_users(&program, &["ann", "bob", "cem", "dan"]);
    program
}

#[tokio::test]
async fn an_empty_pool_deactivates_nobody() {
    let aws = FakeAws::start().await;
    let program = office(&aws).await;
    add_linked_users(&program, &["ann"]);
    let outcome = sync(&program, &[]).await;
    assert_ended(&outcome, 4, "nobody was deactivated: the list has no users at all");
    assert_has(&outcome.stdout, &["The list has no users at all; nobody will be deactivated (1 would be)."]);
    assert_eq!(active(&program), ["ann"]);
}

#[tokio::test]
async fn a_file_of_one_page_or_of_all_pages_is_a_list_of_the_pool() {
    for content in [
        page(&["ann", "bob"], None).to_string(),
        format!("{:#}\n{:#}\n", page(&["ann"], Some("1")), page(&["bob"], None)),
        format!("\u{feff}{}", page(&["ann", "bob"], None)),
    ] {
        let program = office_of_four().await;
        let outcome = from(&program, &content).await;
        assert_has(outcome.success(), &["deactivate cem: no longer in the pool", "deactivate dan"]);
        assert_eq!(active(&program), ["ann", "bob"]);
    }
}

#[tokio::test]
async fn a_file_that_goes_on_deactivates_nobody_and_still_activates_and_links() {
    let program = office_of_four().await;
    sql(&program, "UPDATE users SET is_active = FALSE, deactivated_by_sync = TRUE WHERE username = 'ann'");
    sql(&program, "UPDATE users SET cognito_issuer = NULL, cognito_sub = NULL WHERE username = 'bob'");
    let outcome = from(&program, page(&["ann", "bob"], Some("more")).to_string()).await;
    assert_ended(&outcome, 4, "nobody was deactivated: the list goes on after the last page of the file");
    assert_has(&outcome.stdout, &["activate   ann", "link       bob", "(2 would be)"]);
    assert_eq!(active(&program), ["ann", "bob", "cem", "dan"]);
    assert_eq!(program.texts("SELECT username FROM users WHERE cognito_sub IS NULL"), [""; 0]);
    let outcome = from(&program, format!("{}{}", page(&["ann"], None), page(&["bob"], None))).await;
    assert_ended(&outcome, 4, "the file has pages of several lists");
}

#[tokio::test]
async fn a_file_that_is_no_whole_list_changes_nothing() {
    let program = office_of_four().await;
    let whole = page(&["ann"], None).to_string();
    let without_sub = json!({ "Users": [{ "Username": "ann", "Enabled": true, "Attributes": [] }] }).to_string();
    for (content, problem) in [
        ("", "users.json: it is empty"),
        (&whole[..whole.len() - 1], "it ends in the middle of a page"),
        (&whole[..40], "it ends in the middle of a page"),
        ("no JSON", "page 1 is not that of a list of users: line 1"),
        ("{\"UserPools\": []}", "page 1 is not that of a list of users"),
        (&format!("{whole}x"), "page 2 is not that of a list of users"),
        (&without_sub, "a user has no valid `sub`; list all attributes"),
        (&"[".repeat(100_000), "page 1 is not that of a list of users"),
    ] {
        let outcome = from(&program, content).await;
        assert_ended(&outcome, 1, problem);
        assert_has(&outcome.stderr, &["nothing was changed"]);
    }
    let outcome = sync(&program, &["--from", "missing.json"]).await;
    assert_ended(&outcome, 1, "missing.json: No such file");
    assert_eq!(active(&program).len(), 4);
}

#[tokio::test]
async fn who_was_linked_after_a_file_was_written_is_not_judged_by_it() {
    let program = office_of_four().await;
    let file = program.path("users.json");
    std::fs::write(&file, page(&["ann"], None).to_string()).expect("a file");
    let open = std::fs::File::options().write(true).open(&file).expect("the file");
    open.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000)).expect("a time");
    sql(&program, "UPDATE users SET linked_at = '2026-05-28 20:20:00' WHERE username = 'bob'");
    let outcome = sync(&program, &["--from", "users.json"]).await;
    assert_has(outcome.success(), &["deactivate cem", "deactivate dan"]);
    // The file is of 20:26:40, and to list users takes some minutes.
    assert_eq!(active(&program), ["ann", "bob"]);
}

proptest! {
    #[test]
    fn no_file_makes_the_reader_panic_or_grow(content in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = gatepost::cognito::sync::read_file(&content[..], chrono::DateTime::UNIX_EPOCH.naive_utc());
    }

    #[test]
    fn a_list_that_is_cut_off_is_never_taken_for_a_whole_one(cut in 1_usize..900) {
        let whole = format!("{}{}", page(&["ann"], Some("1")), page(&["bob"], None));
        let cut = &whole[..whole.len().saturating_sub(cut)];
        let read = gatepost::cognito::sync::read_file(cut.as_bytes(), chrono::DateTime::UNIX_EPOCH.naive_utc());
        prop_assert!(read.is_err() || read.is_ok_and(|listing| listing.incomplete.is_some()));
    }
}
