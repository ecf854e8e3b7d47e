//! Characters that nobody sees, in names.

use std::path::Path;

use crate::harness::form::Form;
use crate::harness::{TestServer, assert_has, assert_lacks};

/// Reads as `nimda` reversed, has no width in part, and rings a terminal's bell.
const NAME: &str = "a\u{202e}nim\u{200b}da\u{7}";
const SHOWN: &str = "a[U+202E]nim[U+200B]da[U+0007]";

#[tokio::test]
async fn every_page_shows_them_as_marks() {
    let (_server, mut root) = TestServer::with_superuser().await;
    for name in [NAME, "Other"] {
        assert_eq!(root.post("/admin/articles/add/", &[("name", name)]).await.status, 303);
    }
    root.page("/admin/").await;
    let list = root.page("/admin/articles/").await;
    assert_has(&list, &[&format!(">{SHOWN}</a>"), &format!("aria-label=\"Select {SHOWN}\"")]);
    let ask = [("action", "delete_selected"), ("_selected_action", "1"), ("_selected_action", "2")];
    let mut pages = vec![list, root.post("/admin/articles/", &ask).await.text()];
    for path in ["articles/1/delete/", "articles/1/history/", "history/", "search/?q=nim", ""] {
        pages.push(root.page(&format!("/admin/{path}")).await);
    }
    let answer = root.post("/admin/articles/1/delete/", &[]).await;
    pages.push(root.follow(&answer).await);
    for page in pages {
        assert_has(&page, &[SHOWN]);
        assert_lacks(&page, &[NAME, "\u{202e}", "\u{200b}", "\u{7}"]);
    }
}

#[tokio::test]
async fn an_input_has_the_value_as_it_is() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.articles(&[NAME]).await;
    let page = root.page("/admin/articles/1/change/").await;
    assert_has(&page, &[&format!("<h1>{SHOWN}</h1>")]);
    let form = Form::with(&page, "_save");
    assert_eq!(form.get("name"), Some(NAME));
    server.sql("UPDATE articles SET created_by = 1").await;
    assert_eq!(form.send(&mut root, "/admin/articles/1/change/", "_save").await.status, 303);
    assert_eq!(server.texts("SELECT name FROM articles").await, [NAME], "saving the form keeps the name");
}

#[test]
fn no_template_changes_what_a_form_sends_back() {
    // Numbers, tokens and names that the program chose.
    let own = ["csrf_token", "batch", "row.id", "user_id", "version", "done", "code", "id", "name"];
    let mut seen = 0;
    for folder in ["templates", "templates/admin", "templates/api"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for file in std::fs::read_dir(folder).expect("templates") {
            let file = file.expect("a file").path();
            if file.extension().is_none_or(|extension| extension != "html") {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("a template");
            for value in text.split("value=\"{{ ").skip(1).map(|rest| rest.split(" }}").next().unwrap_or_default()) {
                let is_own = own.iter().any(|own| value == *own || value.ends_with(&format!(".{own}")));
                assert!(is_own || value.ends_with("|e(\"exact\")"), "{}: {value}", file.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "{seen}");
}
