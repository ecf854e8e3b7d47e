//! Search, filters and order of a list, and hostile queries.

use crate::harness::html::{between, count, facet, link, names, unescape};
use crate::harness::{TestServer, assert_has, assert_lacks};

#[tokio::test]
async fn a_search_finds_rows_that_have_every_word_in_some_field() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.person("grace", "Grace", "Hopper").await;
    server.person("ada", "Ada", "Lovelace").await;
    server.person("jose", "José", "Ñandú").await;
    server.person("percent", "100%", "under_score").await;
    for (search, found) in [
        ("hopper", &["grace"][..]),
        ("GRACE hop", &["grace"]),
        ("hop, grace", &["grace"]),
        ("grace lovelace", &[]),
        ("example.com", &["ada", "grace", "jose", "percent", "root"]),
        ("ñandÚ", &["jose"]),
        ("100%", &["percent"]),
        ("%", &["percent"]),
        ("r_s", &["percent"]),
        ("\"ada lovelace\"", &[]),
        ("\"Grace\" \"hopper\"", &["grace"]),
        ("' OR 1=1 --", &[]),
        ("adalovelace", &[]),
        ("\u{0}", &["ada", "grace", "jose", "percent", "root"]),
        (" ", &["ada", "grace", "jose", "percent", "root"]),
    ] {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", search).finish();
        let html = root.page(&format!("/admin/users/?{query}")).await;
        assert_eq!(names(&html), found, "{search}");
        let is_search = search.chars().any(|c| c > ' ');
        let total = if is_search { format!("{} of 5 users", found.len()) } else { "5 users".to_owned() };
        if search != "\u{0}" {
            assert_eq!(count(&html), total, "{search}");
        }
        assert_eq!(html.contains("No user matches"), found.is_empty(), "{search}");
    }
}

#[tokio::test]
async fn a_search_that_is_too_long_is_explained_and_kept() {
    let (_server, mut root) = TestServer::with_superuser().await;
    for (search, message) in [
        ("x".repeat(201), "Ensure this has no more than 200 characters."),
        ("x ".repeat(21), "Ensure this has no more than 20 words."),
    ] {
        for path in ["users", "search"] {
            let html = root.page(&format!("/admin/{path}/?q={}", search.replace(' ', "+"))).await;
            assert_has(&html, &[message]);
            assert_has(&html, &[&format!("value=\"{}\"", search.trim())]);
        }
        let html = root.page(&format!("/admin/users/?q={}", search.replace(' ', "+"))).await;
        assert_eq!(names(&html), Vec::<String>::new(), "nothing that an action could be done to");
        let export = root.get(&format!("/admin/users/export/?q={}", search.replace(' ', "+"))).await;
        assert_eq!(export.status, 400);
    }
}

#[tokio::test]
async fn filters_narrow_the_list_tell_their_counts_and_come_off_again() {
    let (server, mut root) = TestServer::with_superuser().await;
    for name in ["ada", "bob", "cyd"] {
        server.user_with(name, |new| new.is_staff = name != "cyd").await;
    }
    server
        .sql(
            "INSERT INTO groups (name) VALUES ('Editors'), ('Readers');
             INSERT INTO user_groups SELECT id, 1 FROM users WHERE username IN ('ada', 'bob');
             INSERT INTO user_groups SELECT id, 2 FROM users WHERE username = 'bob';
             UPDATE users SET is_active = FALSE WHERE username = 'bob';",
        )
        .await;
    let html = root.page("/admin/users/").await;
    assert_eq!(facet(&html, "Staff"), ["Yes 3", "No 1"]);
    assert_eq!(facet(&html, "Active"), ["Yes 3", "No 1"]);
    assert_eq!(facet(&html, "Group"), ["Editors 2", "Readers 1", "None 2"]);
    assert_lacks(&html, &["class=\"chips\""]);

    let html = root.page("/admin/users/?groups=1&staff=yes&o=-username").await;
    assert_eq!(names(&html), ["bob", "ada"]);
    assert_eq!(count(&html), "2 of 4 users");
    // Each filter counts with the others, and not with itself.
    assert_eq!(facet(&html, "Active"), ["Yes 1", "No 1"]);
    assert_eq!(facet(&html, "Group"), ["Editors 2", "Readers 1", "None 1"]);
    assert_eq!(facet(&html, "Staff"), ["Yes 2", "No 0"]);
    let chips: Vec<_> =
        between(&html, "<a class=\"chip\" href=\"", "<span").iter().map(|chip| unescape(chip)).collect();
    assert_eq!(chips, ["?groups=1&o=-username\">Staff: Yes", "?staff=yes&o=-username\">Group: Editors"]);
    assert_eq!(link(&html, "Clear all"), "?o=-username");
    assert!(html.contains("<input type=\"hidden\" name=\"groups\" value=\"1\">"), "a search keeps the filters");

    let html = root.page("/admin/users/?groups=none&q=example").await;
    assert_eq!(names(&html), ["cyd", "root"]);
    assert_eq!(facet(&html, "Staff"), ["Yes 1", "No 1"]);
    assert_eq!(facet(&html, "Group"), ["Editors 2", "Readers 1", "None 2"]);
}

#[tokio::test]
async fn what_a_filter_selected_that_is_gone_is_left_alone() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.user("alice").await;
    server.user("bob").await;
    server.sql("INSERT INTO groups (name) VALUES ('Editors'); INSERT INTO user_groups SELECT id, 1 FROM users WHERE username = 'bob'").await;
    let all = [("action", "deactivate"), ("select_across", "1")];
    root.post("/admin/users/?groups=1", &all).await;
    assert_eq!(server.texts("SELECT username FROM users WHERE NOT is_active").await, ["bob"]);
    server.sql("DELETE FROM groups").await;
    for action in ["deactivate", "unlink", "delete_selected"] {
        root.post("/admin/users/?groups=1", &[("action", action), ("select_across", "1"), ("post", "yes")]).await;
    }
    let page = root.page("/admin/users/").await;
    assert_has(&page, &["What the filter group asks for does not exist any more. Nothing was changed."]);
    assert_eq!(server.count("users WHERE is_active").await, 2, "the superuser and alice");
    assert_eq!(server.count("users").await, 3);
}

#[tokio::test]
async fn a_list_is_ordered_by_the_columns_that_one_clicks() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.articles(&["b", "a", "c", "a"]).await;
    let html = root.page("/admin/articles/").await;
    assert_eq!(names(&html), ["a", "c", "a", "b"], "the newest first");
    assert_eq!(between(&html, "aria-sort=\"", "\""), ["descending"], "the model's own order shows");
    assert!(!html.contains("class=\"remove\""), "and cannot be taken off");

    assert_eq!(link(&html, "Name"), "?o=name");
    let html = root.page("/admin/articles/?o=name").await;
    assert_eq!(names(&html), ["a", "a", "b", "c"]);
    assert_eq!(link(&html, "Name"), "?o=-name", "the second click turns it round");
    assert_eq!(link(&html, "Created"), "?o=created_at%2Cname", "another one comes first");
    assert_eq!(link(&html, "Remove Name from sorting"), "?");

    let html = root.page("/admin/articles/?o=name,-created_at&author=no").await;
    assert_eq!(between(&html, "aria-sort=\"", "\""), ["ascending", "descending"]);
    assert_eq!(between(&html, "<span class=\"count\">", "</span>")[..2], ["1", "2"]);
    assert_eq!(link(&html, "Remove Name from sorting"), "?author=no&o=-created_at");
    let ids = between(&html, "<td class=\"tight number\">", "\n");
    assert_eq!(ids, ["4", "2", "1", "3"]);

    for ignored in ["o=password", "o=created_by", "o=1;DROP TABLE users", "o=-", "o=--name", "o=,", "o=name--"] {
        assert_eq!(names(&root.page(&format!("/admin/articles/?{ignored}")).await), ["a", "c", "a", "b"], "{ignored}");
    }
}

#[tokio::test]
async fn no_query_string_makes_a_list_fail() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.articles(&["one", "two"]).await;
    let hostile = [
        "'; DROP TABLE articles; --",
        "1) OR (1=1",
        "\" OR \"\"=\"",
        "%",
        "%00",
        "%ff%fe",
        "%F0%9F%92%A9",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "WyJhIl0",
        "WzEsbnVsbF0",
        "WzEsWzFdXQ",
        "WzEsMS41XQ",
        "AAAA",
        "-1",
        "99999999999999999999",
        "{{7*7}}",
        "NaN",
    ];
    for path in ["articles", "users", "groups", "history", "articles/export", "articles/1/history", "search"] {
        for name in
            ["q", "o", "show", "after", "before", "last", "created", "author", "groups", "actor_id", "model", "at"]
        {
            for value in hostile {
                let query = format!("{name}={}", value.replace(['#', ' ', '<', '>', '"', '{', '}'], "+"));
                let answer = root.get(&format!("/admin/{path}/?{query}")).await;
                // A file without the filter that was asked for would hold more than was asked for.
                let is_refused_file = path.ends_with("export") && answer.status == 400;
                assert!(answer.status == 200 || is_refused_file, "{path} {query}: {}", answer.status);
                assert!(!String::from_utf8_lossy(&answer.body).contains("<script>alert"), "{path} {query}");
            }
        }
    }
    for query in ["", "&&&", "=", "q", "?", "q=1&q=2&q=3", "after=x&before=y&last=z"] {
        assert_eq!(root.get(&format!("/admin/articles/?{query}")).await.status, 200, "{query}");
    }
    assert_eq!(server.count("articles").await, 2);
}
