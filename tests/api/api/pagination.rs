//! Pages by key: their links, their cursors, and rows that come and go between them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::harness::TestServer;

#[tokio::test]
async fn a_page_has_a_hundred_rows_unless_the_caller_says_otherwise_and_never_over_a_thousand() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(1100).await;
    for (query, rows) in [
        ("", 100),
        ("?limit=1", 1),
        ("?limit=99", 99),
        ("?limit=1000", 1000),
        ("?limit=1001", 1000),
        ("?limit=9223372036854775807", 1000),
        ("?limit=99999999999999999999", 1000),
        ("?limit=2&limit=3", 3),
        ("?limit=", 100),
        ("?limit=2&limit=", 2),
        ("?cursor=", 100),
        ("?ordering=", 100),
        ("?search=", 100),
        ("?limit=&cursor=&ordering=&search=", 100),
        ("?ordering=,", 100),
        ("?ordering=id,name", 100),
        ("?limit=5&page=2&offset=7&unknown=x", 5),
    ] {
        let answer = server.get(&format!("/articles/{query}"), &token).await;
        assert_eq!(answer.status, 200, "{query}");
        let ids = answer.ids();
        assert_eq!((ids.len(), ids.first(), ids.last()), (rows, Some(&1), Some(&(rows as i64))), "{query}");
        assert_eq!(answer.header("x-total-count"), "1100", "{query}");
        assert!(answer.link("next").is_some(), "{query}");
    }
}

#[tokio::test]
async fn a_list_query_that_makes_no_sense_is_refused_and_says_which_part() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(3).await;
    let by_id = server.get("/articles/?limit=1", &token).await.link("next").expect("a next page");
    let by_name = server.get("/articles/?limit=1&ordering=name", &token).await.link("next").expect("a next page");
    let cursor = |link: &str| link.split("cursor=").nth(1).expect("a cursor").to_owned();
    let (by_id, by_name) = (cursor(&by_id), cursor(&by_name));
    const LIMIT: &str = r#"{"limit":["A whole number of at least 1 is required."]}"#;
    const CURSOR: &str = r#"{"cursor":["Invalid cursor."]}"#;
    const ORDERING: &str = r#"{"ordering":["Choose one of: id, name; a hyphen before it reverses the order."]}"#;
    const OTHER: &str = r#"{"cursor":["This cursor belongs to another ordering."]}"#;
    let queries = [
        ("limit=0", LIMIT),
        ("limit=-1", LIMIT),
        ("limit=x", LIMIT),
        ("limit=1.5", LIMIT),
        ("limit=1e2", LIMIT),
        ("limit=%201", LIMIT),
        ("limit=%D9%A1", LIMIT),
        ("limit=5&limit=x", LIMIT),
        ("cursor=x", CURSOR),
        ("cursor=%00", CURSOR),
        ("cursor=!!!!", CURSOR),
        // "1", "{}", {"i":"1"}, {"i":1.5}, {"i":1e99}, [1], null
        ("cursor=MQ", CURSOR),
        ("cursor=e30", CURSOR),
        ("cursor=eyJpIjoiMSJ9", CURSOR),
        ("cursor=eyJpIjoxLjV9", CURSOR),
        ("cursor=eyJpIjoxZTk5fQ", CURSOR),
        ("cursor=bnVsbA", CURSOR),
        // {"i":1,"k":"\u0000"}
        ("ordering=name&cursor=eyJpIjoxLCJrIjoiXHUwMDAwIn0", CURSOR),
        ("ordering=-", ORDERING),
        ("ordering=--id", ORDERING),
        ("ordering=created_by", ORDERING),
        ("ordering=NAME", ORDERING),
        ("ordering=id,x", ORDERING),
        ("ordering=name;id", ORDERING),
        ("ordering=id%3BDROP%20TABLE%20articles", ORDERING),
        (
            "limit=0&ordering=x",
            r#"{"limit":["A whole number of at least 1 is required."],"ordering":["Choose one of: id, name; a hyphen before it reverses the order."]}"#,
        ),
    ];
    let mut queries: Vec<(String, &str)> = queries.iter().map(|(query, body)| ((*query).to_owned(), *body)).collect();
    queries.push((format!("cursor={by_id}&ordering=name"), OTHER));
    queries.push((format!("cursor={by_name}"), OTHER));
    // {"i":1,"k":["a"],"o":["created_by"]}, {"i":1,"k":["a","b"],"o":["name"]}
    queries.push(("ordering=name&cursor=eyJpIjoxLCJrIjpbImEiXSwibyI6WyJjcmVhdGVkX2J5Il19".to_owned(), CURSOR));
    queries.push(("ordering=name&cursor=eyJpIjoxLCJrIjpbImEiLCJiIl0sIm8iOlsibmFtZSJdfQ".to_owned(), CURSOR));
    queries.push((format!("cursor={by_id}="), CURSOR));
    queries.push((
        format!("search={}", "x".repeat(201)),
        r#"{"search":["Ensure this has no more than 200 characters."]}"#,
    ));
    queries.push((format!("search={}", "x+".repeat(21)), r#"{"search":["Ensure this has no more than 20 words."]}"#));
    for (query, body) in queries {
        let answer = server.get(&format!("/articles/?{query}"), &token).await;
        assert_eq!((answer.status, answer.text().as_str()), (400, body), "{query}");
    }
    // A place beyond the ends is a place.
    for (cursor, ids) in
        [("eyJpIjo5MjIzMzcyMDM2ODU0Nzc1ODA3fQ", vec![]), ("eyJpIjotOTIyMzM3MjAzNjg1NDc3NTgwOH0", vec![1, 2, 3])]
    {
        assert_eq!(server.get(&format!("/articles/?cursor={cursor}"), &token).await.ids(), ids, "{cursor}");
    }
}

#[tokio::test]
async fn links_lead_from_page_to_page_and_keep_the_other_parameters() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(5).await;
    let get = async |path: &str| server.get(path, &token).await;

    let whole = get("/articles/").await;
    assert_eq!(whole.header("link"), "", "one page needs no links");
    let exact = get("/articles/?limit=5").await;
    assert_eq!(exact.header("link"), "", "nor does a page that the list fills exactly");

    let first = get("/articles/?limit=2&search=Article%20%22on%20DRF%22&x=%26%3E%22").await;
    assert_eq!((first.ids(), first.link("prev"), first.link("first")), (vec![1, 2], None, None));
    let next = first.link("next").expect("a next page");
    assert!(next.starts_with("/articles/?limit=2&search=Article+%22on+DRF%22&x=%26%3E%22&cursor="), "{next}");

    let second = get(&next).await;
    assert_eq!((second.ids(), second.header("x-total-count")), (vec![3, 4], "5"));
    let start = second.link("first").expect("a first page");
    assert_eq!(start, "/articles/?limit=2&search=Article+%22on+DRF%22&x=%26%3E%22");

    let third = get(&second.link("next").expect("a next page")).await;
    assert_eq!((third.ids(), third.link("next")), (vec![5], None));
    let back = get(&third.link("prev").expect("a page before")).await;
    assert_eq!(back.ids(), [3, 4]);
    let begin = get(&back.link("prev").expect("a page before")).await;
    assert_eq!((begin.ids(), begin.link("prev")), (vec![1, 2], None));
    assert_eq!(get(&begin.link("next").expect("a next page")).await.ids(), [3, 4]);
    assert_eq!(get(&start).await.ids(), [1, 2]);
    let without_slash = get("/articles?limit=2").await.link("next").expect("a next page");
    assert_eq!(get(&without_slash).await.ids(), [3, 4]);
}

#[tokio::test]
async fn a_page_whose_rows_are_gone_still_leads_to_the_first_one() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(4).await;
    let next = server.get("/articles/?limit=2", &token).await.link("next").expect("a next page");
    let previous = server.get(&next, &token).await.link("prev").expect("a page before");
    server.sql("DELETE FROM articles WHERE id > 2").await;
    let empty = server.get(&next, &token).await;
    assert_eq!(
        (empty.ids(), empty.link("next"), empty.link("first")),
        (vec![], None, Some("/articles/?limit=2".to_owned()))
    );
    server.sql("DELETE FROM articles").await;
    server.seed_articles(1).await;
    let empty = server.get(&previous, &token).await;
    assert_eq!((empty.ids(), empty.link("first")), (vec![], Some("/articles/?limit=2".to_owned())));
    assert_eq!(server.get("/articles/?limit=2", &token).await.ids(), [5]);
}

/// Follows a relation from `path` on until it leads nowhere; runs `between` after each page.
async fn walk(
    server: &TestServer,
    token: &str,
    path: &str,
    relation: &str,
    mut between: impl AsyncFnMut(usize),
) -> (Vec<(i64, String)>, String) {
    let (mut rows, mut path) = (Vec::new(), path.to_owned());
    for page in 0..100 {
        let answer = server.get(&path, token).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let found = answer.ids().into_iter().zip(answer.names());
        if relation == "next" {
            rows.extend(found);
        } else {
            rows.splice(0..0, found).for_each(drop);
        }
        between(page).await;
        match answer.link(relation) {
            Some(link) => path = link,
            None => return (rows, path),
        }
    }
    panic!("the walk does not end: {path}");
}

#[tokio::test]
async fn a_walk_over_the_pages_meets_every_row_once_in_each_order_and_back() {
    let (server, token) = TestServer::with_alice().await;
    // Names that repeat, so that pages begin and end within a row of equal names, and such as sort oddly.
    server
        .sql(
            "INSERT INTO articles (name, created_at, updated_at)
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 31)
             SELECT CASE n % 5 WHEN 0 THEN 'same' WHEN 1 THEN 'Same' WHEN 2 THEN 'ähnlich ' || n % 2 WHEN 3 THEN '😀' ELSE '%' || n || '\"&' END,
             '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM numbers",
        )
        .await;
    let mut all: Vec<(i64, String)> = {
        let answer = server.get("/articles/", &token).await;
        answer.ids().into_iter().zip(answer.names()).collect()
    };
    assert_eq!(all.len(), 31);
    for ordering in ["id", "-id", "name", "-name", "name,-id", "-name,id", "-name,-id"] {
        let (by_name, by_id) = ordering.split_once(',').unwrap_or((ordering, ordering));
        all.sort_by(|(a, x), (b, y)| {
            let names = if by_name.contains("name") { x.as_bytes().cmp(y.as_bytes()) } else { Ordering::Equal };
            let names = if by_name.starts_with('-') { names.reverse() } else { names };
            names.then(if by_id.starts_with('-') { b.cmp(a) } else { a.cmp(b) })
        });
        for limit in [1, 4, 30, 31] {
            let start = format!("/articles/?limit={limit}&ordering={ordering}");
            let (forth, last) = walk(&server, &token, &start, "next", async |_| {}).await;
            assert_eq!(forth, all, "forth by {ordering}, {limit} a page");
            let (back, _) = walk(&server, &token, &last, "prev", async |_| {}).await;
            assert_eq!(back, all, "back by {ordering}, {limit} a page");
        }
    }
}

#[tokio::test]
async fn rows_that_come_and_go_do_not_disturb_a_walk_over_the_others() {
    let (server, token) = TestServer::with_alice().await;
    for ordering in ["id", "-id", "name", "-name"] {
        server.sql("DELETE FROM articles").await;
        // 'stay 001', 'stay 003' and so on with 'leave' between them.
        server
            .sql(
                "INSERT INTO articles (id, name, created_at, updated_at)
                 WITH RECURSIVE numbers (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM numbers WHERE n < 130)
                 SELECT n, n || CASE n % 2 WHEN 1 THEN ' stay' ELSE ' leave' END, '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM numbers",
            )
            .await;
        let stay: Vec<i64> = (100..=130).filter(|n| n % 2 == 1).collect();
        // After each page rows go before and behind the place where the walk is, and others come.
        let disturb = async |page: usize| {
            let (low, high) = (100 + 2 * page as i64, 130 - 2 * page as i64);
            let rows = [low, high].map(|n| {
                format!("({n} + {page} * 1000, '{n:03} new {page}', '2026-01-01 00:00:00', '2026-01-01 00:00:00')")
            });
            server
                .sql(format!(
                    "DELETE FROM articles WHERE id IN ({low}, {high}) AND name LIKE '%leave';
                     INSERT INTO articles (id, name, created_at, updated_at) VALUES ({page} + 1, '000 new', '2026-01-01 00:00:00', '2026-01-01 00:00:00');
                     INSERT INTO articles (id, name, created_at, updated_at) VALUES {} ON CONFLICT DO NOTHING;",
                    rows.join(", ")
                ))
                .await;
        };
        let check = |rows: &[(i64, String)], direction: &str| {
            let context = format!("{direction} by {ordering}: {rows:?}");
            let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
            assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "no row twice {context}");
            let mut met: Vec<i64> = rows.iter().filter(|(_, name)| name.ends_with("stay")).map(|(id, _)| *id).collect();
            if ordering.starts_with('-') {
                met.reverse();
            }
            assert_eq!(met, stay, "all that stayed, in order, {context}");
        };
        let start = format!("/articles/?limit=4&ordering={ordering}");
        let (forth, last) = walk(&server, &token, &start, "next", disturb).await;
        check(&forth, "forth");
        let mut calls = 0;
        let (back, _) = walk(&server, &token, &last, "prev", async |page| {
            calls += 1;
            // More new rows at the near end, so that a walk that counts rows would go astray.
            server.sql(format!(
                "INSERT INTO articles (id, name, created_at, updated_at) VALUES (50000 + {page}, '115 late', '2026-01-01 00:00:00', '2026-01-01 00:00:00');
                 DELETE FROM articles WHERE name LIKE '%new%' AND id % 3 = {page} % 3;"
            ))
            .await;
        })
        .await;
        assert!(calls > 3, "there was a walk back by {ordering}");
        // The page on which the walk back begins is the last one only: what came behind it is not on it.
        let seen: BTreeSet<i64> = back.iter().map(|(id, _)| *id).collect();
        assert!(stay.iter().all(|id| seen.contains(id)), "back by {ordering}: {back:?}");
        check(&back, "back");
    }
}

#[tokio::test]
async fn a_search_is_walked_page_by_page_too() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(120).await;
    for ordering in ["id", "-name"] {
        let start = format!("/articles/?limit=3&search=5+article&ordering={ordering}");
        let (rows, _) = walk(&server, &token, &start, "next", async |_| {}).await;
        let mut ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
        if ordering.starts_with('-') {
            ids.reverse();
        }
        let expected: Vec<i64> = (1..=120).filter(|n| n.to_string().contains('5')).collect();
        assert_eq!(ids, expected, "{ordering}");
        assert_eq!(server.get(&start, &token).await.header("x-total-count"), expected.len().to_string());
    }
}
