//! Memberships as a column of users' export and import.

use crate::harness::admin::AdminClient;
use crate::harness::form::Form;
use crate::harness::html::unescape;
use crate::harness::{TestServer, assert_has, assert_lacks};

const IMPORT: &str = "/admin/users/import/";

/// Users 1 and 2 are root and jane; groups 1 to 4 are Editors, which has rights, Readers, one with an odd name, and
/// one of the pool's.
async fn with_groups() -> (TestServer, AdminClient) {
    let (server, root) = TestServer::with_superuser().await;
    server.user("jane").await;
    server.groups(&["Editors", "Readers", "Odd, \"one\";\\n\nend", "Pool"]).await;
    server.sql("INSERT INTO group_permissions VALUES (1, 'articles.change_article')").await;
    server.sql("UPDATE groups SET cognito_group = 'pool' WHERE id = 4").await;
    (server, root)
}

async fn groups_of_jane(server: &TestServer) -> Vec<String> {
    server.texts("SELECT group_id FROM user_groups WHERE user_id = 2 ORDER BY 1").await
}

/// What the check of a file says, and what its import does if it has no errors.
async fn import(client: &mut AdminClient, file: &str) -> String {
    let answer = client.upload(IMPORT, "rows.csv", file).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let address = answer.header("location").to_owned();
    let page = client.page(&address).await;
    if page.contains("primary\">Import ") {
        Form::with(&page, "primary\">Import ").send(client, &address, "").await;
        assert_has(&client.page(&address).await, &["Imported rows.csv"]);
    }
    unescape(&page)
}

#[tokio::test]
async fn an_export_has_the_groups_given_by_hand_and_its_import_changes_nothing() {
    let (server, mut root) = with_groups().await;
    server.sql("INSERT INTO user_groups VALUES (2, 1), (2, 3); INSERT INTO user_cognito_groups VALUES (2, 4)").await;
    let file = root.get("/admin/users/export/").await.text();
    let mut reader = csv::Reader::from_reader(file.trim_start_matches('\u{feff}').as_bytes());
    let at = reader.headers().expect("a head").iter().position(|name| name == "groups").expect("a column");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let jane = rows.iter().find(|row| &row[1] == "jane").expect("jane");
    assert_eq!(&jane[at], "Editors\nOdd, \"one\";\\\\n\\nend");
    assert_has(&import(&mut root, &file).await, &["There is nothing to import."]);
}

#[tokio::test]
async fn an_import_gives_and_takes_groups_and_shows_their_names_first() {
    let (server, mut root) = with_groups().await;
    server.sql("INSERT INTO user_groups VALUES (2, 1)").await;
    let page = import(&mut root, "id,groups\n2,\"Readers\nOdd, \"\"one\"\";\\\\n\\nend\"\n").await;
    assert_has(&page, &["<dt>Groups</dt><dd><del>Editors</del>", "Readers"]);
    assert_eq!(groups_of_jane(&server).await, ["2", "3"]);
    // A blank cell was not given, and a new user may have groups as well.
    import(&mut root, "id,username,groups\n2,janet,\n,new,Editors\n").await;
    assert_eq!(groups_of_jane(&server).await, ["2", "3"]);
    let of_new = "user_groups WHERE user_id = (SELECT id FROM users WHERE username = 'new') AND group_id = 1";
    assert_eq!(server.count(of_new).await, 1);
    let page = import(&mut root, "id,groups\n2,Nobody\n").await;
    assert_has(&page, &["<code>groups</code>", "“Nobody” does not exist."]);
}

#[tokio::test]
async fn the_pools_groups_are_left_to_the_pool() {
    let (server, mut root) = with_groups().await;
    let page = import(&mut root, "id,groups\n2,Pool\n").await;
    assert_has(&page, &["“Pool” gets its members from Cognito."]);
    assert!(groups_of_jane(&server).await.is_empty());
    // Given by hand before, such a membership stays.
    server.sql("INSERT INTO user_groups VALUES (2, 4)").await;
    import(&mut root, "id,groups\n2,Readers\n").await;
    assert_eq!(groups_of_jane(&server).await, ["2", "4"]);
}

#[tokio::test]
async fn staff_give_and_take_no_group_with_more_rights_than_their_own() {
    let (server, _) = with_groups().await;
    let mut clerk = server.staff_with("clerk", &["users.add_user", "users.change_user"]).await;
    let page = import(&mut clerk, "id,groups\n2,Editors\n").await;
    assert_has(&page, &["You cannot give permissions that you do not have."]);
    let page = import(&mut clerk, "username,groups\nnew,Editors\n").await;
    assert_has(&page, &["You cannot give permissions that you do not have."]);
    import(&mut clerk, "id,groups\n2,Readers\n").await;
    assert_eq!(groups_of_jane(&server).await, ["2"]);
    // Jane now has more than the clerk.
    server.sql("INSERT INTO user_groups VALUES (2, 1)").await;
    let page = import(&mut clerk, "id,groups\n2,Readers\n").await;
    assert_lacks(&page, &["primary\">Import "]);
    assert_eq!(groups_of_jane(&server).await, ["1", "2"]);
}
