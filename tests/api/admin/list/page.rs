//! The pages of a list: which rows, which links, how many there are.

use crate::harness::html::{between, count, facet, link, names};
use crate::harness::{TestServer, assert_has, assert_lacks};

#[tokio::test]
async fn pages_neither_repeat_nor_skip_rows_that_come_or_go_meanwhile() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.seed_articles(120).await;
    let first = root.page("/admin/articles/?show=50").await;
    assert_has(&first, &["1–50 of 120"]);
    assert_lacks(&first, &["rel=\"prev\""]);
    let mut seen = names(&first);
    server.seed_articles(10).await;
    server.sql("DELETE FROM articles WHERE id IN (100, 60)").await;
    let second = root.page(&format!("/admin/articles/{}", link(&first, "Next"))).await;
    assert_has(&second, &["51–100 of 128"]);
    seen.extend(names(&second));
    let third = root.page(&format!("/admin/articles/{}", link(&second, "Next"))).await;
    assert_has(&third, &["101–119 of 128"]);
    assert_lacks(&third, &["rel=\"next\""]);
    seen.extend(names(&third));
    seen.dedup();
    assert_eq!(seen.len(), 119, "all but the one that went before its page was read");

    let back = root.page(&format!("/admin/articles/{}", link(&third, "Previous"))).await;
    assert_eq!(names(&back), names(&second));
    let first = root.page(&format!("/admin/articles/{}", link(&back, "First"))).await;
    assert_has(&first, &["1–50 of 128"]);
    let last = root.page(&format!("/admin/articles/{}", link(&first, "Last"))).await;
    assert_has(&last, &["79–128 of 128"]);
    assert_lacks(&last, &["rel=\"next\""]);
    let before = root.page(&format!("/admin/articles/{}", link(&last, "Previous"))).await;
    assert_has(&before, &["29–78 of 128"]);
    // What is left before that is less than a page: the first one, whole.
    let begin = root.page(&format!("/admin/articles/{}", link(&before, "Previous"))).await;
    assert_has(&begin, &["1–50 of 128"]);
    assert_lacks(&begin, &["rel=\"prev\""]);
    // A page whose rows are all gone is the last one.
    server.sql("DELETE FROM articles WHERE id < 60").await;
    let gone = root.page(&format!("/admin/articles/{}", link(&second, "Next"))).await;
    assert_eq!(names(&gone).len(), 50);
    assert_lacks(&gone, &["rel=\"next\""]);
}

#[tokio::test]
async fn an_order_with_many_equal_values_pages_through_all_of_them() {
    let (server, mut root) = TestServer::with_superuser().await;
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
    let (server, mut root) = TestServer::with_superuser().await;
    server.seed_articles(12_345).await;
    server.sql("UPDATE articles SET created_by = 1 WHERE id <= 11000").await;
    let html = root.page("/admin/articles/").await;
    assert_eq!(count(&html), "12,345 articles", "all of them are counted by triggers");
    assert_has(&html, &["1–100 of 12,345"]);
    assert_has(&html, &["Select all 12,345 that match"]);
    assert_eq!(facet(&html, "Author"), ["With an author 1,000+", "Without an author 1,000+"]);
    let html = root.page("/admin/articles/?author=yes").await;
    assert_eq!(count(&html), "10,000+ of 12,345 articles");
    assert_has(&html, &["1–100 of 10,000+"]);
    let last = root.page(&format!("/admin/articles/{}", link(&html, "Last"))).await;
    assert!(last.contains(">100 of 10,000+<"), "which number the last row has is not known: {last}");
    let html = root.page("/admin/articles/?q=article").await;
    assert_eq!(count(&html), "10,000+ of 12,345 articles");
    assert_eq!(facet(&html, "Created"), ["Past 24 hours", "Past 7 days", "Past 30 days", "Past year 1,000+"]);
    let html = root.page("/admin/articles/?q=00012&author=yes").await;
    assert_eq!(count(&html), "11 of 12,345 articles");
    assert_eq!(facet(&html, "Author"), ["With an author 11", "Without an author 0"]);
}
