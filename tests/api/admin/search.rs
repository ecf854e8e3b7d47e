//! The search over everything.

use crate::harness::html::{between, names};
use crate::harness::{TestServer, assert_has};

#[tokio::test]
async fn one_search_finds_pages_and_rows_of_every_kind() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.user_with("grace", |new| new.last_name = "Hopper".to_owned()).await;
    server.groups(&["Hop gardeners"]).await;
    server.articles(&["Hop", "All about hops"]).await;
    let results = |html: &str| -> Vec<String> {
        let found = between(html.split_once("id=\"results\"").expect("results").1, "<a href=\"", "</a>");
        found
            .iter()
            .map(|link| link.split_once('>').expect("a link").1.to_owned())
            .filter(|name| !name.starts_with("Search all "))
            .collect()
    };
    let html = root.page("/admin/search/?q=hop").await;
    assert_eq!(results(&html), ["Hop", "All about hops", "grace", "Hop gardeners"], "{html}");
    assert_has(&html, &["<small>Hopper grace@example.com</small>"]);
    assert_has(&html, &["href=\"/admin/articles/?q=hop\""]);
    let html = root.page("/admin/search/?q=Arti").await;
    assert_eq!(results(&html), ["Articles", "Add article", "Import articles"], "{html}");
    assert_has(&html, &["<a href=\"/admin/articles/\">Articles</a>"]);
    assert_eq!(results(&root.page("/admin/search/?q=change+pass").await), ["Change password"]);
    assert_eq!(results(&root.page("/admin/search/?q=api").await), ["API documentation"]);
    let nothing = root.page("/admin/search/?q=zzz").await;
    assert_has(&nothing, &["<h2>Nothing found</h2>", "Search all users for “zzz”"]);
    assert!(results(&root.page("/admin/search/").await).is_empty());
    let mut viewer = server.staff_with("viewer", &["articles.view_article"]).await;
    assert_eq!(results(&viewer.page("/admin/search/?q=hop").await), ["Hop", "All about hops"]);
    assert_eq!(results(&viewer.page("/admin/search/?q=arti").await), ["Articles"]);
    assert!(names(&viewer.page("/admin/search/?q=hop").await).is_empty());
}

#[tokio::test]
async fn the_search_over_everything_finds_old_rows_by_their_beginning_and_new_ones_by_any_word() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.articles(&["Oldest of all"]).await;
    server.seed_articles(20_000).await;
    for (search, is_found) in [("Oldest", true), ("oldest of", true), ("OLDEST OF ALL", true), ("all", false)] {
        let html = root.page(&format!("/admin/search/?q={}", search.replace(' ', "+"))).await;
        assert_eq!(html.contains(">Oldest of all</a>"), is_found, "{search}");
        assert_has(&html, &["the newest 20,000 records of each kind"]);
    }
    assert!(root.page("/admin/search/?q=020000").await.contains(">Article 020000 on DRF with Cognito</a>"));
}

#[tokio::test]
async fn a_user_is_found_by_the_whole_sub_and_leads_to_the_console() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.user("ann").await;
    server.user("bob").await;
    let issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC";
    server
        .sql(format!(
            "UPDATE users SET cognito_issuer = '{issuer}', cognito_sub = 'f1b2-' || username WHERE username <> 'root'"
        ))
        .await;
    assert_eq!(names(&root.page("/admin/users/?q=f1b2-ann").await), ["ann"]);
    assert!(names(&root.page("/admin/users/?q=f1b2").await).is_empty(), "a part is no sub");
    assert_eq!(names(&root.page("/admin/users/?q=f1b2-ann+active&active=yes").await), [""; 0]);
    let palette = root.page("/admin/search/?q=f1b2-bob").await;
    assert_has(&palette, &["<a href=\"/admin/users/3/change/\">bob</a>"]);
    let page = root.page("/admin/users/2/change/").await;
    let console = "https://eu-west-1.console.aws.amazon.com/cognito/v2/idp/user-pools/eu-west-1_AbC\
                   /user-management/users/details/f1b2-ann?region=eu-west-1";
    assert_has(&page, &["data-copied=\"f1b2-ann\"", &format!("data-copied=\"{issuer}\""), console]);
}
