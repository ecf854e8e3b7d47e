//! CSV files that the staff sends: what would happen is shown first, then all rows are taken or none.

use crate::harness::admin::AdminClient;
use crate::harness::form::Form;
use crate::harness::html::unescape;
use crate::harness::{TestServer, assert_has, assert_lacks};

const IMPORT: &str = "/admin/articles/import/";

/// Sends a file that has to be taken, and returns the address of what would happen.
async fn check(client: &mut AdminClient, path: &str, content: impl AsRef<[u8]>) -> String {
    let answer = client.upload(path, "rows.csv", content).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

/// Sends a file that cannot be taken, and returns what is said.
async fn refuse(client: &mut AdminClient, path: &str, content: impl AsRef<[u8]>) -> String {
    let answer = client.upload(path, "rows.csv", content).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    let page = unescape(&answer.text());
    let said = page.split_once("role=\"alert\">").map(|(_, rest)| rest.split("</div>").next().unwrap_or_default());
    said.unwrap_or_else(|| panic!("nothing is said: {page}")).rsplit('>').next().unwrap_or_default().to_owned()
}

/// The value under a name of the report.
fn fact(page: &str, name: &str) -> String {
    let value = page.split_once(&format!("<dt>{name}</dt><dd>")).and_then(|(_, rest)| rest.split_once("</dd>"));
    let value = value.unwrap_or_else(|| panic!("no {name} in {page}")).0;
    let mut text = String::new();
    for part in value.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    unescape(&text)
}

async fn names(server: &TestServer) -> Vec<String> {
    server.texts("SELECT name FROM articles ORDER BY id").await
}

#[tokio::test]
async fn an_import_shows_what_would_happen_and_then_does_it_once() {
    let server = TestServer::start().await;
    server.seed_articles(2).await;
    let mut root = server.superuser().await;
    let file =
        "id,name,colour\n1,Renamed,red\n2,Article 000002 on DRF with Cognito,\n,New one,\n,\"New, \"\"two\"\"\",\n";
    let address = check(&mut root, IMPORT, file).await;
    let page = root.page(&address).await;
    assert_eq!(fact(&page, "To create"), "2");
    assert_eq!(fact(&page, "To change"), "1: name in 1");
    assert_eq!(fact(&page, "Unchanged"), "1");
    assert_eq!(fact(&page, "With errors"), "0");
    assert_eq!(fact(&page, "Ignored columns"), "colour");
    assert_eq!(names(&server).await.len(), 2, "nothing is written yet");
    assert_eq!(server.count("history WHERE source = 'admin'").await, 0);

    let form = Form::with(&page, "Import 3 rows");
    let answer = form.send(&mut root, &address, "").await;
    assert_eq!(answer.redirect(), (303, address.as_str()));
    let page = root.page(&address).await;
    assert_has(&page, &["Imported rows.csv"]);
    assert_eq!((fact(&page, "Created"), fact(&page, "Changed")), ("2".to_owned(), "1".to_owned()));
    let expected = ["Renamed", "Article 000002 on DRF with Cognito", "New one", "New, \"two\""];
    assert_eq!(names(&server).await, expected);
    assert_eq!(server.count("history WHERE actor = 'root' AND source = 'admin'").await, 3);

    // The same form again, from the back button, does nothing.
    assert_eq!(form.send(&mut root, &address, "").await.status, 303);
    assert_eq!(names(&server).await, expected);
    assert!(root.page(&address).await.contains("Imported rows.csv"));
    // Nor does the same file: without ids its rows are new, and with them unchanged.
    let id = server.number("SELECT id FROM articles WHERE name = 'New one'").await;
    let address = check(&mut root, IMPORT, format!("id,name\n1,Renamed\n{id},New one\n")).await;
    let page = root.page(&address).await;
    assert_eq!(fact(&page, "Unchanged"), "2");
    assert_has(&page, &["There is nothing to import"]);
    assert_lacks(&page, &["primary\">Import "]);
}

#[tokio::test]
async fn empty_lines_are_ignored_and_counted_and_no_line_gets_a_wrong_number() {
    let (_server, mut root) = TestServer::with_superuser().await;
    let long = "x".repeat(51);
    let file = format!("\r\nname,id\r\n\r\n\r\n\"two\nlines\",\r\n,\r\n\n{long},\r\n , \r\n\r\n");
    let address = check(&mut root, IMPORT, file).await;
    let page = root.page(&address).await;
    assert_eq!((fact(&page, "Ignored empty lines"), fact(&page, "To create")), ("5".to_owned(), "1".to_owned()));
    assert_has(&page, &["<td class=\"tight\">9</td><td><code>name</code>"]);
    let address = check(&mut root, IMPORT, "name\nx\n").await;
    assert!(!root.page(&address).await.contains("empty lines"));
}

#[tokio::test]
async fn two_starts_at_once_import_once() {
    let (server, mut root) = TestServer::with_superuser().await;
    let address = check(&mut root, IMPORT, "name\nOnly once\n").await;
    let form = Form::with(&root.page(&address).await, "Import 1 row");
    let (mut one, mut two) = (root.clone(), root.clone());
    let both = tokio::join!(form.send(&mut one, &address, ""), form.send(&mut two, &address, ""));
    assert_eq!((both.0.status, both.1.status), (303, 303));
    assert_eq!(names(&server).await, ["Only once"]);
}

#[tokio::test]
async fn rows_with_errors_are_named_and_nothing_of_the_file_is_imported() {
    let server = TestServer::start().await;
    server.seed_articles(1).await;
    let mut root = server.superuser().await;
    let long = "x".repeat(51);
    let address = check(&mut root, IMPORT, format!("id,name\n,Good\n,{long}\n99,Gone\nx,Odd\n1,\n,<b>\n")).await;
    let page = root.page(&address).await;
    assert_eq!(fact(&page, "With errors"), "4");
    for (line, column, message) in [
        (3, "name", "Ensure this field has no more than 50 characters."),
        (4, "id", "There is no article 99."),
        (5, "id", "“x” is not an ID."),
        (6, "name", "This field may not be blank."),
    ] {
        let row = format!("<td class=\"tight\">{line}</td><td><code>{column}</code></td><td class=\"long\">{message}");
        assert!(unescape(&page).contains(&row), "{row}: {page}");
    }
    assert_has(&page, &["all rows or none"]);
    assert_lacks(&page, &["primary\">Import "]);
    // Who sends the form that is not there gets nothing either.
    assert_eq!(root.post(&address, &[]).await.status, 303);
    assert_eq!(names(&server).await.len(), 1);
    assert_eq!(fact(&root.page(&address).await, "With errors"), "4", "it can still be looked at");
}

#[tokio::test]
async fn what_has_changed_since_the_check_stops_the_import() {
    let server = TestServer::start().await;
    server.seed_articles(2).await;
    let mut root = server.superuser().await;
    let address = check(&mut root, IMPORT, "id,name\n1,Renamed\n,New\n").await;
    server.sql("DELETE FROM articles WHERE id = 1").await;
    assert_eq!(root.post(&address, &[]).await.status, 303);
    let page = root.page(&address).await;
    assert_has(&page, &["Nothing was imported from rows.csv.", "There is no article 1."]);
    assert_eq!(names(&server).await, ["Article 000002 on DRF with Cognito"]);
}

#[tokio::test]
async fn files_that_are_no_csv_are_refused_with_the_reason() {
    let server = TestServer::start_with(|config| config.max_body_bytes = 400_000).await;
    let mut root = server.superuser().await;
    let many_columns = vec!["x"; 201].join(",");
    let many_rows = format!("name\n{}", "x\n".repeat(10_001));
    for (content, reason) in [
        (b"".as_slice(), "The file is empty."),
        (b"name\n", "The file has no rows below its headings."),
        (b"name\n \n,\n", "The file has no rows below its headings."),
        (b"title\nx\n", "The first line has no known column name. Known names: name."),
        (b"id\n1\n", "The first line has no known column name. Known names: name."),
        (b"name,Name\nx,y\n", "The column “Name” appears twice."),
        (b"name\ncaf\xe9\n", "Line 2 is not UTF-8. Save the file as “CSV UTF-8”."),
        (b"\xff\xfen\0a\0m\0e\0", "Line 1 is not UTF-8. Save the file as “CSV UTF-8”."),
        (b"name\nx\0y\n", "The file has null characters, so it is not a CSV file."),
        (b"\x89PNG\r\n\x1a\n\0", "Line 1 is not UTF-8. Save the file as “CSV UTF-8”."),
        (b"name\nx,y\n", "Line 2 has 2 cells, but there are 1 headings."),
        (many_columns.as_bytes(), "The first line has more than 200 cells."),
        (many_rows.as_bytes(), "The file has more than 10000 rows. Split it into several files."),
    ] {
        let shown = String::from_utf8_lossy(&content[..content.len().min(40)]).into_owned();
        assert_eq!(refuse(&mut root, IMPORT, content).await, reason, "{shown:?}");
    }
    let token = root.token.clone();
    let fields = [("csrfmiddlewaretoken", token.as_str())];
    let without_file = root.call("POST", IMPORT).multipart(&fields, None).send().await;
    assert_eq!(without_file.status, 400);
    assert_has(&without_file.text(), &["Choose a file."]);
    // What a browser sends where no file was chosen.
    assert!(root.upload(IMPORT, "", "").await.text().contains("Choose a file."));
    assert_eq!(root.form(IMPORT, &fields).status().await, 415, "no multipart form");
    let too_large = root.upload(IMPORT, "rows.csv", vec![b'x'; 400_001]).await;
    assert_eq!(too_large.status, 413);
    assert_has(&too_large.text(), &["Error 413"]);
    assert!(root.page(IMPORT).await.contains("At most 390 KiB and 10,000 rows."));
    assert_eq!(server.count("jobs").await, 0, "nothing is kept");
}

#[tokio::test]
async fn an_import_is_for_who_may_add_and_change_and_is_its_senders_own() {
    let server = TestServer::start().await;
    server.seed_articles(1).await;
    let stranger = AdminClient::new(server.address);
    for (method, path) in [("GET", IMPORT), ("POST", IMPORT), ("GET", "/admin/articles/import/1/")] {
        assert_eq!(stranger.call(method, path).status().await, 302, "{method} {path}");
    }
    let mut viewer = server.staff_with("viewer", &["articles.view_article", "articles.change_article"]).await;
    assert_eq!(viewer.get(IMPORT).await.status, 403);
    assert_eq!(viewer.upload(IMPORT, "rows.csv", "name\nx\n").await.status, 403);
    assert!(!viewer.page("/admin/articles/").await.contains(IMPORT));

    // Who may add and not change may import new rows only.
    let mut adder = server.staff_with("adder", &["articles.add_article", "articles.view_article"]).await;
    let address = check(&mut adder, IMPORT, "id,name\n1,Mine\n,New\n").await;
    let page = adder.page(&address).await;
    assert_eq!((fact(&page, "To create"), fact(&page, "With errors")), ("1".to_owned(), "1".to_owned()));

    let mut root = server.superuser().await;
    let of_root = check(&mut root, IMPORT, "name\nOf root\n").await;
    for answer in [adder.get(&of_root).await, adder.post(&of_root, &[]).await, root.get(&address).await] {
        assert_eq!(answer.status, 404);
        assert_lacks(&answer.text(), &["rows.csv"]);
    }
    // Nor can it be reached as one of another model.
    let elsewhere = of_root.replace("articles", "users");
    assert_eq!((root.get(&elsewhere).await.status, root.post(&elsewhere, &[]).await.status), (404, 404));
    for path in ["/admin/history/import/", "/admin/nothing/import/", "/admin/articles/import/999/"] {
        assert_eq!(root.get(path).await.status, 404, "{path}");
    }
    assert_eq!(names(&server).await.len(), 1);

    // A right that is taken away between check and start is gone.
    let address = check(&mut adder, IMPORT, "name\nToo late\n").await;
    server.sql("DELETE FROM user_permissions").await;
    assert_eq!(adder.post(&address, &[]).await.status, 403);
    assert_eq!(names(&server).await.len(), 1);
}

#[tokio::test]
async fn an_import_gives_no_rights_that_its_sender_does_not_have() {
    let server = TestServer::start().await;
    server.staff("boss", |new| new.is_superuser = true).await;
    let clerk = ["users.view_user", "users.add_user", "users.change_user"];
    let mut clerk = server.staff_with("clerk", &clerk).await;
    let file = "id,username,email,is_superuser\n,evil,evil@example.com,yes\n1,boss,mine@example.com,true\n2,clerk,clerk@example.com,true\n";
    let address = check(&mut clerk, "/admin/users/import/", file).await;
    let page = clerk.page(&address).await;
    assert_eq!(fact(&page, "With errors"), "3", "{page}");
    assert_eq!(server.count("users WHERE is_superuser").await, 1);
}

#[tokio::test]
async fn names_of_files_stay_text() {
    let (_server, mut root) = TestServer::with_superuser().await;
    let answer = root.upload(IMPORT, "<b>&'.csv", "name\nx\n").await;
    let page = root.follow(&answer).await;
    assert_has(&page, &["&#60;b&#62;&#38;&#39;.csv"]);
    assert_lacks(&page, &["<b>"]);
}

#[tokio::test]
async fn malformed_files_are_refused_with_the_line() {
    let (server, mut root) = TestServer::with_superuser().await;
    for (content, reason) in [
        ("name\nx\n\"open\ny\nz\n", "Line 3 opens a quotation mark that is never closed."),
        ("name\n\"x\n\"\"", "Line 2 opens a quotation mark that is never closed."),
        (
            "id,name\r\n,\"two\r\nlines\"x\r\n",
            "Line 3 has text after a closing quotation mark. Double each quotation mark within a cell.",
        ),
        ("name\n\"x\" \n", "Line 2 has text after a closing quotation mark. Double each quotation mark within a cell."),
        ("name\nx\ra\n", "Line 2 has a line end (CR) within a cell. Put the cell between quotation marks."),
        ("id,name\n,x\n1\n", "Line 3 has 1 cell, but there are 2 headings."),
        ("id,name\n,x,\n", "Line 2 has 3 cells, but there are 2 headings."),
        ("sep=;\nid;name\n;x;y\n", "Line 3 has 3 cells, but there are 2 headings."),
    ] {
        assert_eq!(refuse(&mut root, IMPORT, content).await, reason, "{content:?}");
    }
    assert_eq!(server.count("jobs").await, 0);
}

#[tokio::test]
async fn every_separator_and_line_end_of_spreadsheets_is_read() {
    let (_server, mut root) = TestServer::with_superuser().await;
    for file in [
        "id,name\n,A; B\n",
        "id;name\r\n;A, B\r\n",
        "id\tname\n\tA, B; C\n",
        "sep=;\r\nid;name\r\n;\"A, B, C\"\r\n",
        "\"sep=|\"\nid|name\n|A, B\n",
        "\u{feff}SEP=\t\nid\tname\n\tA, B\n",
        "sep=,\rid,name\r,A B\r",
        "id,name\r,\"A\nB\"\r",
        "id,name\r\r\n,A\r\r\n",
        "\n\nid;name\n;A, B\n",
        "id,name\n,5\" pipe",
    ] {
        let address = check(&mut root, IMPORT, file).await;
        let page = root.page(&address).await;
        assert_eq!((fact(&page, "To create"), fact(&page, "With errors")), ("1".into(), "0".into()), "{file:?}");
    }
}

const USERS: &str = "/admin/users/import/";

#[tokio::test]
async fn a_blank_cell_says_nothing_unless_it_is_a_text() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    server.staff("kim", |new| new.first_name = "Kim".to_owned()).await;
    let kim = server.number("SELECT id FROM users WHERE username = 'kim'").await;
    let file = format!("id,username,first_name,is_active,is_staff\n{kim},kim,,,\n,new,,,\n");
    let address = check(&mut root, USERS, file).await;
    let page = root.page(&address).await;
    assert_eq!(fact(&page, "To change"), "1: first_name in 1");
    assert_eq!(fact(&page, "To create"), "1");
    Form::with(&page, "Import 2 rows").send(&mut root, &address, "").await;
    let query = "SELECT username || ':' || first_name || ':' || CAST(is_active AS INTEGER) || CAST(is_staff AS INTEGER) \
                 FROM users WHERE username <> 'root' ORDER BY id";
    assert_eq!(server.texts(query).await, ["kim::11", "new::10"]);
}

#[tokio::test]
async fn the_preview_says_who_gains_and_who_loses_access() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    for name in ["ann", "bob", "cat"] {
        server.staff(name, |_| {}).await;
    }
    server.sql("UPDATE users SET is_active = FALSE WHERE username = 'cat'").await;
    let ids = server.texts("SELECT CAST(id AS TEXT) FROM users WHERE username <> 'root' ORDER BY id").await;
    let file = format!(
        "id,username,is_active,is_staff\n{},ann,No,y\n{},bob,0,True\n{},cat,YES,on\n,dan,f,1\n,eve,1.0,off\n",
        ids[0], ids[1], ids[2]
    );
    let address = check(&mut root, USERS, file).await;
    let page = root.page(&address).await;
    assert_eq!(fact(&page, "To change"), "3: is_active in 3 (1 becomes yes, 2 become no)");
    assert_eq!(fact(&page, "To create"), "2: is_active no in 1, is_staff yes in 1");
    let odd = check(&mut root, USERS, "username,is_active\nfay,perhaps\n").await;
    assert_has(&root.page(&odd).await, &["“perhaps” is neither true nor false."]);
}

#[tokio::test]
async fn a_row_that_is_there_twice_is_refused_and_both_lines_are_named() {
    let server = TestServer::start().await;
    server.seed_articles(2).await;
    let mut root = server.superuser().await;
    let address = check(&mut root, IMPORT, "id,name\n1,First\n2,Other\n01,Second\n").await;
    let page = root.page(&address).await;
    assert_eq!((fact(&page, "To change"), fact(&page, "With errors")), ("2: name in 2".into(), "1".into()));
    assert_has(
        &page,
        &["<td class=\"tight\">4</td><td><code>id</code></td><td class=\"long\">Line 2 has the same ID."],
    );

    let file = "username,email\nzo\u{eb},z@example.com\nother,Z@Example.com\nzoe\u{308},\n";
    let address = check(&mut root, USERS, file).await;
    let page = root.page(&address).await;
    assert_eq!(fact(&page, "With errors"), "2");
    assert_has(
        &page,
        &[
            "<td class=\"tight\">3</td><td><code>email</code></td><td class=\"long\">Line 2 has the same e-mail.",
            "<td class=\"tight\">4</td><td><code>username</code></td><td class=\"long\">Line 2 has the same username.",
        ],
    );
}

#[tokio::test]
async fn an_upload_is_decoded_by_the_rule_of_all_bodies() {
    let (server, mut root) = TestServer::with_superuser().await;
    root.get("/admin/").await;
    let token = root.token.clone();
    let send = async |more: &str, content: &[u8]| {
        let fields = format!("--b\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\n{token}\r\n");
        let head =
            format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n{more}\r\n\r\n");
        let body = [fields.as_bytes(), head.as_bytes(), content, b"\r\n--b--\r\n"].concat();
        root.call("POST", "/admin/articles/import/").body("multipart/form-data ; boundary=\"b\"", body).send().await
    };
    for (header, content, status) in [
        ("Content-Type: text/csv", "name\ncaf\u{e9}\n".as_bytes(), 303),
        ("Content-Type: text/csv; charset=iso-8859-1", b"name\ncaf\xe9\n", 303),
        ("Content-Type: text/csv", b"name\ncaf\xe9\n", 400),
        ("Content-Type: text/csv; charset=utf-8", b"name\ncaf\xe9\n", 400),
        ("Content-Type: text/csv; charset=klingon", b"name\nx\n", 400),
        ("Content-Transfer-Encoding: base64", b"bmFtZQp4Cg==", 400),
    ] {
        let answer = send(header, content).await;
        assert_eq!(answer.status, status, "{header}: {}", answer.text());
    }
    // Both that were taken have the name as it was meant.
    let kept = "jobs WHERE content LIKE '%caf\u{e9}%'";
    assert_eq!(server.count(kept).await, 2);
    let compressed = root.call("POST", "/admin/articles/import/").header("content-encoding", "gzip");
    let answer = compressed.multipart(&[("csrfmiddlewaretoken", &token)], Some(("a.csv", b"name\nx\n"))).send().await;
    assert_eq!((answer.status, answer.header("accept-encoding")), (415, "identity"));
}

#[tokio::test]
async fn a_form_is_decoded_by_the_rule_of_all_bodies() {
    let (server, mut root) = TestServer::with_superuser().await;
    root.get("/admin/").await;
    let token = root.token.clone();
    let send = async |content_type: &str, name: &[u8]| {
        let body = [format!("csrfmiddlewaretoken={token}&name=").as_bytes(), name].concat();
        root.call("POST", "/admin/articles/add/").body(content_type, body).send().await
    };
    const FORM: &str = "application/x-www-form-urlencoded";
    for (content_type, name, status) in [
        (FORM.to_owned(), &b"caf%C3%A9"[..], 303),
        (format!("{FORM} ; charset=\"UTF-8\""), b"caf%C3%A9", 303),
        (format!("{FORM};charset=iso-8859-1"), b"caf%e9", 303),
        (FORM.to_owned(), b"caf%e9", 400),
        (FORM.to_owned(), b"caf\xe9", 400),
        (format!("{FORM}; charset=klingon"), b"x", 415),
        (format!("{FORM}; charset=utf-16le"), b"x", 415),
    ] {
        let answer = send(&content_type, name).await;
        assert_eq!(answer.status, status, "{content_type} {}: {}", name.escape_ascii(), answer.text());
    }
    assert_eq!((server.count("articles WHERE name = 'caf\u{e9}'").await, server.count("articles").await), (3, 3));
    let compressed = root.form("/admin/articles/add/", &[("csrfmiddlewaretoken", &token), ("name", "x")]);
    let answer = compressed.header("content-encoding", "gzip").send().await;
    assert_eq!((answer.status, answer.header("accept-encoding")), (415, "identity"));
}

#[tokio::test]
async fn a_check_shows_the_first_rows_with_old_and_new_values() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.person("jane", "Jane", "").await;
    let added: String = (0..60).map(|n| format!(",new{n},,,\n")).collect();
    let file = format!("id,username,first_name,last_name,is_staff\n2,jane,<b>Janet</b>,,yes\n1,root,,,\n{added}");
    let page = root.page(&check(&mut root.clone(), USERS, file).await).await;
    let rows = page.split("<h2 id=\"previews\">").nth(1).expect("the rows");
    assert_eq!(rows.matches("<td class=\"tight\">").count(), 50);
    assert_has(rows, &["The first 50 of 61", "<td class=\"tight\">2</td><td>jane</td>"]);
    assert_has(rows, &["<dt>First name</dt><dd><del>Jane</del>", "<ins>&#60;b&#62;Janet&#60;/b&#62;</ins>"]);
    assert_has(rows, &["<dt>Staff</dt><dd><del>No</del>", "<ins>Yes</ins>", "<td>new0 <span class=\"badge good\">New"]);
    assert_lacks(rows, &["<td class=\"tight\">3</td>", "<dt>Last name", "<b>"]);
    assert!(server.texts("SELECT report FROM jobs").await[0].len() < 20_000);
}

#[tokio::test]
async fn a_check_shows_all_errors_of_a_line() {
    let (_server, mut root) = TestServer::with_superuser().await;
    let file = "username,email,is_staff,is_active\njane,jane@example.com,yes,yes\nno spaces,nowhere,perhaps,never\njane,nowhere,,\n";
    let page = root.page(&check(&mut root.clone(), USERS, file).await).await;
    assert_eq!(fact(&page, "With errors"), "2");
    let errors: Vec<_> = page.split("<td class=\"tight\">").skip(1).filter(|row| row.contains("<code>")).collect();
    let columns: Vec<_> = errors.iter().map(|row| (&row[..1], row.split("code>").nth(1).expect("a column"))).collect();
    let expected = [
        ("3", "is_staff</"),
        ("3", "is_active</"),
        ("3", "username</"),
        ("3", "email</"),
        ("4", "username</"),
        ("4", "email</"),
    ];
    assert_eq!(columns, expected);
    assert_has(errors[4], &["Line 2 has the same username."]);
    assert_lacks(errors[4], &["already exists"]);
}
