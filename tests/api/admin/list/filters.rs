//! Filters with several values, many choices, and ranges of days.

use crate::harness::html::{count, facet, link, names, unescape};
use crate::harness::{TestServer, ago, assert_has, assert_lacks};

/// Ten groups, of which group 10 has the most members, and users 2 to 5.
async fn with_groups() -> (TestServer, crate::harness::admin::AdminClient) {
    let (server, root) = TestServer::with_superuser().await;
    for name in ["ada", "bob", "cyd", "dan"] {
        server.user(name).await;
    }
    for number in 1..=10 {
        server.groups(&[&format!("Group {number:02}")]).await;
    }
    server.sql("INSERT INTO user_groups VALUES (2, 1), (3, 2), (2, 10), (3, 10), (4, 10)").await;
    (server, root)
}

#[tokio::test]
async fn values_of_one_filter_add_up_and_a_click_takes_one_away() {
    let (_server, mut root) = with_groups().await;
    let html = root.page("/admin/users/?groups=1&groups=2").await;
    assert_eq!(names(&html), ["ada", "bob"]);
    assert_has(&html, &["Group: Group 01<", "Group: Group 02<"]);
    assert_eq!(link(&html, "Group: Group 01"), "?groups=2");
    assert_eq!(link(&html, "<span>Group 10"), "?groups=1&groups=2&groups=10");
    assert_eq!(link(&html, "<span>Group 02"), "?groups=1");
    assert_eq!(link(&html, "Clear<span class=\"visually-hidden\"> Group"), "?");
    // With another filter, both hold.
    assert_eq!(names(&root.page("/admin/users/?groups=1&groups=10&q=bob").await), ["bob"]);
    assert_eq!(names(&root.page("/admin/users/?origin=admin&origin=command_line&groups=2").await), ["bob"]);
}

#[tokio::test]
async fn of_two_choices_a_click_on_the_other_replaces_the_first() {
    let (_server, mut root) = with_groups().await;
    let html = root.page("/admin/users/?staff=yes").await;
    assert_eq!(facet(&html, "Staff"), ["Yes 1", "No 4"], "and no row for all");
    assert_eq!(link(&html, "<span>No</span><span>4"), "?staff=no");
    assert_lacks(&root.page("/admin/users/").await, &["class=\"clear\""]);
}

#[tokio::test]
async fn a_long_filter_offers_the_eight_with_the_most_rows_and_finds_the_others_by_name() {
    let (_server, mut root) = with_groups().await;
    let html = root.page("/admin/users/").await;
    let offered = facet(&html, "Group");
    assert_eq!(offered.len(), 8, "{offered:?}");
    assert_eq!(offered[..4], ["Group 10 3", "None 2", "Group 01 1", "Group 02 1"]);
    assert_has(&html, &["name=\"groups__name\"", "data-suggest=\"/admin/groups/autocomplete/\""]);
    let html = root.page("/admin/users/?groups=1&groups__name=Group+09").await;
    assert_eq!(names(&html), ["ada"]);
    // What is chosen is shown, however few rows it has.
    assert!(facet(&html, "Group").contains(&"Group 09".to_owned()), "{html}");
    // Whether or not another one is chosen.
    for query in ["groups__name=Nobody", "groups=1&groups__name=Nobody"] {
        let html = root.page(&format!("/admin/users/?{query}")).await;
        assert_has(&html, &["No user has “Nobody” as group."]);
        assert_eq!(count(&html), "0 of 5 users", "{query}");
    }
}

#[tokio::test]
async fn a_value_that_a_filter_does_not_have_finds_nothing_and_the_list_says_so() {
    let (server, mut root) = with_groups().await;
    for (query, name, filter) in [
        ("origin=moon", "moon", "origin"),
        ("origin=5", "5", "origin"),
        ("origin=admin&origin=moon", "moon", "origin"),
        ("staff=perhaps", "perhaps", "staff"),
        ("seen=soon", "soon", "last seen"),
        ("groups=some", "some", "group"),
    ] {
        let html = root.page(&format!("/admin/users/?{query}")).await;
        assert_has(&html, &[&format!("“{name}” is not a value of the filter {filter}.")]);
        assert_eq!(count(&html), "0 of 5 users", "{query}");
        assert_lacks(&html, &["Export CSV"]);
        let export = root.get(&format!("/admin/users/export/?{query}")).await;
        assert_eq!(export.status, 400, "{query}");
        let parameter = query.split('=').next().unwrap_or_default();
        assert_has(
            &unescape(&export.text()),
            &[&format!("{parameter}: “{name}” is not a value of the filter {filter}.")],
        );
    }
    let all = [("action", "deactivate"), ("select_across", "1"), ("post", "yes")];
    root.post("/admin/users/?origin=moon", &all).await;
    assert_has(
        &root.page("/admin/users/").await,
        &["“moon” is not a value of the filter origin. Nothing was changed."],
    );
    assert_eq!(server.count("users WHERE NOT is_active").await, 0);
    // Without a value, nothing is filtered.
    assert_eq!(count(&root.page("/admin/users/?origin=").await), "5 users");
}

#[tokio::test]
async fn a_range_has_its_first_and_its_last_day() {
    let (server, mut root) = with_groups().await;
    for (name, at) in [
        ("root", "2025-12-31 23:59:59"),
        ("ada", "2026-01-01 00:00:00"),
        ("bob", "2026-01-31 23:59:59.999"),
        ("cyd", "2026-02-01 00:00:00"),
        ("dan", "2026-03-01 00:00:00"),
    ] {
        server.sql(format!("UPDATE users SET date_joined = '{at}' WHERE username = '{name}'")).await;
    }
    for (query, found) in [
        ("joined__gte=2026-01-01&joined__lte=2026-01-31", &["ada", "bob"][..]),
        ("joined__gte=2026-02-01", &["cyd", "dan"]),
        ("joined__lte=2025-12-31", &["root"]),
        ("joined__gte=&joined__lte=", &["ada", "bob", "cyd", "dan", "root"]),
        ("joined__lte=2026-01-31&joined=day", &[]),
    ] {
        assert_eq!(names(&root.page(&format!("/admin/users/?{query}")).await), found, "{query}");
    }
    let html = root.page("/admin/users/?joined__gte=2026-01-01&joined__lte=2026-01-31").await;
    assert_has(&html, &["Date joined: from 2026-01-01<", "Date joined: until 2026-01-31<"]);
    assert_has(&html, &["name=\"joined__gte\" value=\"2026-01-01\"", "Days in UTC."]);
    assert_eq!(link(&html, "Date joined: until"), "?joined__gte=2026-01-01");
    for wrong in ["soon", "2026-02-30", "1.1.2026", "-1-01-01", "99999-01-01", "%00"] {
        let html = root.page(&format!("/admin/users/?joined__gte={wrong}")).await;
        assert_has(&html, &["is not a date such as 2026-12-24."]);
        assert_eq!(count(&html), "0 of 5 users", "{wrong}");
    }
    // The history has ranges as well.
    server.sql("UPDATE history SET at = '2026-01-05 12:00:00' WHERE object = 'ada'").await;
    let day = root.page("/admin/history/?at__gte=2026-01-05&at__lte=2026-01-05").await;
    assert_eq!(count(&day).split(' ').next(), Some("1"), "{day}");
}

#[tokio::test]
async fn who_was_not_seen_for_90_days_is_found_and_who_never_was() {
    let (server, mut root) = with_groups().await;
    for (name, days) in [("root", 0), ("ada", 40), ("bob", 89), ("cyd", 91)] {
        server.sql(format!("UPDATE users SET last_seen_at = {} WHERE username = '{name}'", ago(days * 86_400))).await;
    }
    for (value, found) in [
        ("never", &["dan"][..]),
        ("not90", &["cyd", "dan"]),
        ("not30", &["ada", "bob", "cyd", "dan"]),
        ("day", &["root"]),
        ("year", &["ada", "bob", "cyd", "root"]),
    ] {
        assert_eq!(names(&root.page(&format!("/admin/users/?seen={value}")).await), found, "{value}");
    }
    let html = root.page("/admin/users/").await;
    assert!(facet(&html, "Last seen").contains(&"Not for 90 days 2".to_owned()), "{html}");
}
