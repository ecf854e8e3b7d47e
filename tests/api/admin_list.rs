//! The admin's lists: search, filters, order, pages, and what they let one do.

use std::collections::BTreeSet;

use crate::harness::TestServer;
use crate::harness::admin::AdminClient;

/// The parts of a page between two texts, however often they come.
pub fn between<'a>(html: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    html.split(begin).skip(1).map(|rest| rest.split(end).next().unwrap_or_default()).collect()
}

/// The names of a list's rows, which their first cells are.
pub fn names(html: &str) -> Vec<String> {
    let rows = between(html, "\n<th><a href=\"", "</a>");
    rows.iter().map(|row| row.split_once('>').expect("a link").1.to_owned()).collect()
}

/// An address in a page, as a browser reads it.
pub fn unescaped(text: &str) -> String {
    text.replace("&#38;", "&").replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">").replace("&#39;", "'")
}

/// The address of the link with this text in it.
#[track_caller]
fn link(html: &str, text: &str) -> String {
    let links = between(html, "<a ", "</a>");
    let found = links.iter().find(|link| link.split_once('>').is_some_and(|(_, shown)| shown.contains(text)));
    let found = found.unwrap_or_else(|| panic!("no link {text}: {links:?}"));
    unescaped(between(found, "href=\"", "\"")[0])
}

/// The choices of a filter: label and count.
#[track_caller]
fn facet(html: &str, label: &str) -> Vec<String> {
    let sections = between(html, "<section aria-labelledby=\"filter-", "</section>");
    let section = sections.iter().find(|section| section.contains(&format!(">{label}</h2>")));
    let choices = between(section.unwrap_or_else(|| panic!("no filter {label}")), "<li>", "</li>");
    choices.iter().map(|choice| between(choice, "<span>", "</span>").join(" ")).collect()
}

/// The count above a list.
fn count(html: &str) -> &str {
    between(html, "data-result-count>", "<")[0]
}

impl TestServer {
    /// Articles with these names, the last the newest, a second apart.
    async fn articles(&self, names: &[&str]) {
        for (second, name) in names.iter().enumerate() {
            let name = name.replace('\'', "''");
            self.sql(format!(
                "INSERT INTO articles (name, created_at, updated_at) VALUES ('{name}', '2026-01-01 00:00:{second:02}', '2026-01-01 00:00:00')"
            ))
            .await;
        }
    }

    /// A user with a name and an e-mail of their own.
    async fn person(&self, username: &str, first: &str, last: &str) {
        let (first, last) = (first.to_owned(), last.to_owned());
        self.user_with(username, |new| (new.first_name, new.last_name) = (first, last)).await;
    }
}

#[tokio::test]
async fn a_search_finds_rows_that_have_every_word_in_some_field() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
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
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    for (search, message) in [
        ("x".repeat(201), "Ensure this has no more than 200 characters."),
        ("x ".repeat(21), "Ensure this has no more than 20 words."),
    ] {
        for path in ["users", "search"] {
            let html = root.page(&format!("/admin/{path}/?q={}", search.replace(' ', "+"))).await;
            assert!(html.contains(message), "{html}");
            assert!(html.contains(&format!("value=\"{}\"", search.trim())), "{html}");
        }
        let html = root.page(&format!("/admin/users/?q={}", search.replace(' ', "+"))).await;
        assert_eq!(names(&html), Vec::<String>::new(), "nothing that an action could be done to");
        let export = root.get(&format!("/admin/users/export/?q={}", search.replace(' ', "+"))).await;
        assert_eq!(export.status, 400);
    }
}

#[tokio::test]
async fn filters_narrow_the_list_tell_their_counts_and_come_off_again() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
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
    assert_eq!(facet(&html, "Staff"), ["All", "Yes 3", "No 1"]);
    assert_eq!(facet(&html, "Active"), ["All", "Yes 3", "No 1"]);
    assert_eq!(facet(&html, "Group"), ["All", "Editors 2", "Readers 1", "None 2"]);
    assert!(!html.contains("class=\"chips\""));

    let html = root.page("/admin/users/?groups=1&staff=yes&o=-username").await;
    assert_eq!(names(&html), ["bob", "ada"]);
    assert_eq!(count(&html), "2 of 4 users");
    // Each filter counts with the others, and not with itself.
    assert_eq!(facet(&html, "Active"), ["All", "Yes 1", "No 1"]);
    assert_eq!(facet(&html, "Group"), ["All", "Editors 2", "Readers 1", "None 1"]);
    assert_eq!(facet(&html, "Staff"), ["All", "Yes 2", "No 0"]);
    let chips: Vec<_> =
        between(&html, "<a class=\"chip\" href=\"", "<span").iter().map(|chip| unescaped(chip)).collect();
    assert_eq!(chips, ["?groups=1&o=-username\">Staff: Yes", "?staff=yes&o=-username\">Group: Editors"]);
    assert_eq!(link(&html, "Clear all"), "?o=-username");
    assert!(html.contains("<input type=\"hidden\" name=\"groups\" value=\"1\">"), "a search keeps the filters");

    let html = root.page("/admin/users/?groups=none&q=example").await;
    assert_eq!(names(&html), ["cyd", "root"]);
    assert_eq!(facet(&html, "Staff"), ["All", "Yes 1", "No 1"]);
    assert_eq!(facet(&html, "Group"), ["All", "Editors 2", "Readers 1", "None 2"]);
}

#[tokio::test]
async fn a_list_is_ordered_by_the_columns_that_one_clicks() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
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
async fn pages_neither_repeat_nor_skip_rows_that_come_or_go_meanwhile() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    server.seed_articles(120).await;
    let first = root.page("/admin/articles/?show=50").await;
    assert!(first.contains("1–50 of 120") && !first.contains("rel=\"prev\""), "{first}");
    let mut seen = names(&first);
    server.seed_articles(10).await;
    server.sql("DELETE FROM articles WHERE id IN (100, 60)").await;
    let second = root.page(&format!("/admin/articles/{}", link(&first, "Next"))).await;
    assert!(second.contains("51–100 of 128"), "{second}");
    seen.extend(names(&second));
    let third = root.page(&format!("/admin/articles/{}", link(&second, "Next"))).await;
    assert!(third.contains("101–119 of 128") && !third.contains("rel=\"next\""), "{third}");
    seen.extend(names(&third));
    seen.dedup();
    assert_eq!(seen.len(), 119, "all but the one that went before its page was read");

    let back = root.page(&format!("/admin/articles/{}", link(&third, "Previous"))).await;
    assert_eq!(names(&back), names(&second));
    let first = root.page(&format!("/admin/articles/{}", link(&back, "First"))).await;
    assert!(first.contains("1–50 of 128"));
    let last = root.page(&format!("/admin/articles/{}", link(&first, "Last"))).await;
    assert!(last.contains("79–128 of 128") && !last.contains("rel=\"next\""), "{last}");
    let before = root.page(&format!("/admin/articles/{}", link(&last, "Previous"))).await;
    assert!(before.contains("29–78 of 128"));
    // What is left before that is less than a page: the first one, whole.
    let begin = root.page(&format!("/admin/articles/{}", link(&before, "Previous"))).await;
    assert!(begin.contains("1–50 of 128") && !begin.contains("rel=\"prev\""), "{begin}");
    // A page whose rows are all gone is the last one.
    server.sql("DELETE FROM articles WHERE id < 60").await;
    let gone = root.page(&format!("/admin/articles/{}", link(&second, "Next"))).await;
    assert_eq!(names(&gone).len(), 50);
    assert!(!gone.contains("rel=\"next\""));
}

#[tokio::test]
async fn an_order_with_many_equal_values_pages_through_all_of_them() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    server.seed_articles(110).await;
    server.sql("UPDATE articles SET name = 'same' WHERE id % 10 > 0").await;
    for order in ["name", "-name", "created_at,-name", "-created_at,name"] {
        let (mut path, mut ids) = (format!("?o={order}&show=25"), Vec::new());
        loop {
            let html = root.page(&format!("/admin/articles/{path}")).await;
            ids.extend(between(&html, "name=\"_selected_action\" value=\"", "\"").iter().map(|id| (*id).to_owned()));
            if !html.contains("rel=\"next\"") {
                break;
            }
            path = link(&html, "Next");
        }
        assert_eq!(ids.len(), 110, "{order}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 110, "{order}");
    }
}

#[tokio::test]
async fn long_lists_are_counted_only_as_far_as_people_read() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    server.seed_articles(12_345).await;
    server.sql("UPDATE articles SET created_by = 1 WHERE id <= 11000").await;
    let html = root.page("/admin/articles/").await;
    assert_eq!(count(&html), "12,345 articles", "all of them are counted by triggers");
    assert!(html.contains("1–100 of 12,345"));
    assert!(html.contains("Select all 12,345 that match"));
    assert_eq!(facet(&html, "Author"), ["All", "With an author 1,000+", "Without an author 1,000+"]);
    let html = root.page("/admin/articles/?author=yes").await;
    assert_eq!(count(&html), "10,000+ of 12,345 articles");
    assert!(html.contains("1–100 of 10,000+"));
    let last = root.page(&format!("/admin/articles/{}", link(&html, "Last"))).await;
    assert!(last.contains(">100 of 10,000+<"), "which number the last row has is not known: {last}");
    let html = root.page("/admin/articles/?q=article").await;
    assert_eq!(count(&html), "10,000+ of 12,345 articles");
    assert_eq!(facet(&html, "Created"), ["All", "Past 24 hours", "Past 7 days", "Past 30 days", "Past year 1,000+"]);
    let html = root.page("/admin/articles/?q=00012&author=yes").await;
    assert_eq!(count(&html), "11 of 12,345 articles");
    assert_eq!(facet(&html, "Author"), ["All", "With an author 11", "Without an author 0"]);
}

#[tokio::test]
async fn no_query_string_makes_a_list_fail() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
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
    assert_eq!(server.number("SELECT count(*) FROM articles").await, 2);
}

#[tokio::test]
async fn what_a_filter_selected_that_is_gone_is_left_alone() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    server.user("alice").await;
    server.user("bob").await;
    server.sql("INSERT INTO groups (name) VALUES ('Editors'); INSERT INTO user_groups SELECT id, 1 FROM users WHERE username = 'bob'").await;
    let all = [("action", "deactivate"), ("select_across", "1")];
    root.post("/admin/users/?groups=1", &all).await;
    assert_eq!(server.texts("SELECT username AS t FROM users WHERE NOT is_active").await, ["bob"]);
    server.sql("DELETE FROM groups").await;
    for action in ["deactivate", "unlink", "delete_selected"] {
        root.post("/admin/users/?groups=1", &[("action", action), ("select_across", "1"), ("post", "yes")]).await;
    }
    let page = root.page("/admin/users/").await;
    assert!(page.contains("is filtered by no longer exists"), "{page}");
    assert_eq!(server.number("SELECT count(*) FROM users WHERE is_active").await, 2, "the superuser and alice");
    assert_eq!(server.number("SELECT count(*) FROM users").await, 3);
}

#[tokio::test]
async fn names_are_text_and_never_markup() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    let evil = "<script>alert('x')</script>\"&";
    server.articles(&[evil]).await;
    server.person("mallory", "<img src=x onerror=1>", "</td><b>").await;
    server.sql("INSERT INTO groups (name) VALUES ('<i>group</i>')").await;
    server
        .sql(
            "INSERT INTO history (at, actor, source, action, model, object_id, object, changes) VALUES
             ('2026-01-01 00:00:00', '<u>actor</u>', 'api', 'changed', 'article', 1, '<s>object</s>',
              '{\"<em>field\": [\"<del>old\", \"<ins onclick=1>new\"]}')",
        )
        .await;
    for path in [
        "articles/",
        "users/",
        "users/?q=%3Cscript%3E%22%27",
        "users/?groups=1",
        "history/",
        "history/?q=%3Cu%3E",
        "articles/1/history/",
        "search/?q=%3Cscript%3E",
        "search/?q=img",
    ] {
        let html = root.page(&format!("/admin/{path}")).await;
        for markup in ["<script>", "<img", "<b>", "<i>", "<u>", "<s>", "<em>", "<del><", "onclick=1>new", "\"&\""] {
            assert!(!html.contains(markup), "{path} holds {markup}: {html}");
        }
    }
    let html = root.page("/admin/articles/").await;
    assert_eq!(names(&html).iter().map(|name| unescaped(name)).collect::<Vec<_>>(), [evil]);
    let html = root.page("/admin/articles/1/history/").await;
    assert!(unescaped(&html).contains("<del>old"), "what it says is there");
}

#[tokio::test]
async fn a_list_offers_what_its_reader_may_do() {
    let server = TestServer::start().await;
    server.articles(&["one"]).await;
    let mut nobody = server.staff_with("nobody", &[]).await;
    for path in ["articles/", "articles/export/", "articles/1/history/", "users/", "history/", "history/export/"] {
        assert_eq!(nobody.get(&format!("/admin/{path}")).await.status, 403, "{path}");
    }
    for (name, permissions, expected) in [
        ("viewer", &["articles.view_article"][..], [false, false, false, false]),
        ("adder", &["articles.view_article", "articles.add_article"], [false, false, true, true]),
        ("changer", &["articles.change_article"], [false, false, false, false]),
        ("deleter", &["articles.view_article", "articles.delete_article"], [true, true, false, false]),
    ] {
        let mut client = server.staff_with(name, permissions).await;
        let html = client.page("/admin/articles/").await;
        let parts = ["_selected_action", "Delete selected articles", "/admin/articles/add/", "/admin/articles/import/"];
        // The navigation has a link to add, too, where that is allowed.
        let found = parts.map(|part| html.contains(part));
        assert_eq!(found, expected, "{name}: {html}");
        assert_eq!(client.get("/admin/articles/export/").await.status, 200, "{name}");
        assert_eq!(client.get("/admin/users/").await.status, 403, "{name}");
    }
    let mut users = server.staff_with("users", &["users.change_user"]).await;
    let html = users.page("/admin/users/").await;
    assert!(html.contains("Deactivate selected users") && !html.contains("Delete selected users"), "{html}");
    let mut root = server.superuser().await;
    for path in ["nothing/", "articles/one/history/", "articles/99/history/", "nothing/1/history/", "nothing/export/"] {
        assert_eq!(root.get(&format!("/admin/{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_row_leads_to_its_form_with_the_state_of_the_list() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    server.articles(&["one"]).await;
    let html = root.page("/admin/articles/").await;
    assert_eq!(link(&html, "one"), "1/change/", "from the list's address");
    let html = root.page("/admin/articles/?o=name&q=o+n&author=no&x=y").await;
    assert_eq!(link(&html, "one"), "1/change/?_changelist_filters=q%3Do%2Bn%26author%3Dno%26o%3Dname");
    assert_eq!(
        unescaped(between(&html, "<form class=\"panel\" method=\"post\" action=\"", "\"")[0]),
        "/admin/articles/?q=o+n&author=no&o=name",
        "an action on all that match knows what matches"
    );
    assert_eq!(link(&html, "Export CSV"), "/admin/articles/export/?q=o+n&author=no&o=name");
}

#[tokio::test]
async fn an_empty_table_says_so_and_one_whose_rows_are_left_out_says_how_to_see_them() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    let html = root.page("/admin/articles/").await;
    assert!(html.contains("No articles yet") && html.contains("/admin/articles/add/"), "{html}");
    assert!(!html.contains("type=\"search\" name=\"q\" value=\"\" aria-label=\"Search articles\""));
    server.articles(&["one"]).await;
    let html = root.page("/admin/articles/?q=two").await;
    assert!(html.contains("No article matches") && html.contains("data-result-count>0 of 1 article<"), "{html}");
    assert_eq!(link(&html, "Clear search and filters"), "?");
}

/// The bytes of a page, and of the styles and scripts that it loads; scripts load others.
async fn weight(server: &TestServer, html: &str) -> (usize, usize) {
    let mut wanted: Vec<String> = html
        .split('"')
        .filter(|part| part.starts_with("/static/") && (part.ends_with(".css") || part.ends_with(".js")))
        .map(str::to_owned)
        .collect();
    assert!(wanted.len() >= 2, "{html}");
    let (mut seen, mut bytes) = (BTreeSet::new(), 0);
    while let Some(path) = wanted.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = server.call("GET", &path).send().await;
        assert_eq!(answer.status, 200, "{path}");
        bytes += answer.body.len();
        let (folder, _) = path.rsplit_once('/').expect("a folder");
        let text = answer.text();
        let imported = text.split(" from \"./").skip(1).filter_map(|rest| rest.split('"').next());
        wanted.extend(imported.map(|name| format!("{folder}/{name}")));
    }
    (html.len(), bytes)
}

#[tokio::test]
async fn every_page_is_light() {
    const LIMIT: usize = 60_000;
    let server = TestServer::start().await;
    let mut root: AdminClient = server.superuser().await;
    server
        .sql(
            "INSERT INTO users (username, email, email_key, first_name, last_name, is_active, is_staff, is_superuser, date_joined, origin, last_login)
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 150)
             SELECT 'first.lastname' || n, 'first.lastname' || n || '@example.com', 'first.lastname' || n || '@example.com',
                    'First', 'Lastname', TRUE, FALSE, FALSE, '2026-01-01 00:00:00', 'first_token', '2026-01-02 00:00:00' FROM n",
        )
        .await;
    // A hundred rows, without what comes along.
    let full = root.get("/admin/users/").await;
    assert_eq!(names(&full.text()).len(), 100);
    assert!(full.body.len() < LIMIT, "{} bytes", full.body.len());
    // What comes along, without a hundred rows.
    server.sql("DELETE FROM users WHERE id > 2").await;
    server.sql("INSERT INTO groups (name) VALUES ('Editors')").await;
    server.seed_articles(3).await;
    for path in [
        "/admin/",
        "/admin/users/",
        "/admin/users/add/",
        "/admin/users/2/change/",
        "/admin/users/2/delete/",
        "/admin/users/2/password/",
        "/admin/users/import/",
        "/admin/groups/1/change/",
        "/admin/articles/",
        "/admin/articles/1/change/",
        "/admin/history/",
        "/admin/sessions/",
        "/admin/password_change/",
        "/admin/search/?q=first",
        "/admin/inspector/",
        "/admin/status/",
    ] {
        let (html, rest) = weight(&server, &root.page(path).await).await;
        assert!(html + rest < LIMIT, "{path}: {html} and {rest} bytes");
    }
}

#[tokio::test]
async fn a_list_holds_only_until_any_process_commits() {
    let server = TestServer::start().await;
    let database = server.config.database.clone();
    let other = TestServer::start_with(|config| config.database = database).await;
    server.articles(&["One"]).await;
    let mut root = server.superuser().await;
    for name in ["Two", "Three"] {
        let before = root.page("/admin/articles/").await;
        assert_eq!(names(&root.page("/admin/articles/").await), names(&before));
        other.articles(&[name]).await;
        let after = root.page("/admin/articles/").await;
        assert_eq!(names(&after).len(), names(&before).len() + 1, "{after}");
        assert!(names(&after).contains(&name.to_owned()), "{after}");
    }
}

#[tokio::test]
async fn each_reader_sees_what_their_rights_of_now_allow() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    assert_eq!(server.post(&token, r#"{"name":"One"}"#).await.status, 201);
    let mut root = server.superuser().await;
    let permissions = ["history.view_entry", "articles.view_article", "users.view_user"];
    let mut clerk = server.staff_with("clerk", &permissions).await;
    let models = |html: &str| {
        let small = between(html, "<small>", " ").into_iter().map(str::to_owned);
        small.collect::<BTreeSet<String>>()
    };
    for _ in 0..2 {
        assert_eq!(models(&root.page("/admin/history/").await).len(), 2);
        assert_eq!(models(&clerk.page("/admin/history/").await).len(), 2);
    }
    server.sql("DELETE FROM user_permissions WHERE permission = 'users.view_user'").await;
    for _ in 0..2 {
        assert_eq!(models(&root.page("/admin/history/").await).len(), 2);
        assert_eq!(models(&clerk.page("/admin/history/").await).len(), 1, "what may no longer be seen is gone");
    }
    server.sql("DELETE FROM user_permissions WHERE permission = 'history.view_entry'").await;
    assert_eq!(clerk.get("/admin/history/").await.status, 403);
}
