//! `import`: the admin's import on the command line.

use super::{history, users};
use crate::harness::program::Program;

#[tokio::test]
async fn import_reports_and_then_saves_every_row() {
    let program = Program::new();
    program.run_with(&["createsuperuser", "--username", "root", "--email", ""], "abc\nabc\ny\n").await.success();
    let file =
        "sep=;\r\nid;username;email;is_active;shoe size\r\n1;root;root@example.com;;44\r\n;ann;;yes;\r\n;bob;;0;\r\n";
    std::fs::write(program.path("people.csv"), file).expect("a file");

    let outcome = program.run(&["import", "users", "people.csv", "--dry-run"]).await;
    let report = "created    2: is_active no in 1\nchanged    1: email in 1\nunchanged  0\nerrors     0\n\
                  ignored columns: shoe size\n";
    assert_eq!(
        outcome.success(),
        format!("{report}Nothing was saved. Without --dry-run, people.csv will be imported.\n")
    );
    assert_eq!(users(&program), ["root  111"]);

    let outcome = program.run(&["import", "users", "people.csv"]).await;
    assert_eq!(outcome.success(), format!("{report}people.csv was imported.\n"));
    assert_eq!(users(&program), ["root root@example.com 111", "ann  001", "bob  000"]);
    let origins = program.texts("SELECT origin || coalesce(cognito_sub, '') FROM users ORDER BY id");
    assert_eq!(origins, ["command_line", "command_line", "command_line"]);
    let history = history(&program);
    assert_eq!(history.len(), 4, "{history:?}");
    assert!(history.iter().all(|row| row.starts_with("command_line ")), "{history:?}");
    assert_eq!(program.texts("SELECT DISTINCT actor FROM history"), [""]);
}

#[tokio::test]
async fn import_saves_nothing_if_a_row_has_an_error() {
    let program = Program::new();
    let file = format!("name\nGood\n\n{}\nAnother\n", "x".repeat(51));
    std::fs::write(program.path("articles.csv"), file).expect("a file");
    let outcome = program.run(&["import", "articles", "articles.csv"]).await;
    outcome.assert_error("nothing was imported: 1 of 3 rows has an error");
    assert_eq!(
        outcome.stdout,
        "created    2\nchanged    0\nunchanged  0\nerrors     1\nignored empty lines: 1\n\
         line 4, name: Ensure this field has no more than 50 characters.\n"
    );
    assert_eq!(program.texts("SELECT name FROM articles"), [""; 0]);
}

#[tokio::test]
async fn import_takes_more_rows_than_the_page() {
    let program = Program::new();
    let rows: String = (0..10_001).map(|number| format!("{number},{}\n", "x".repeat(100))).collect();
    assert!(rows.len() > 1 << 20);
    std::fs::write(program.path("articles.csv"), format!("name,note\n{rows}")).expect("a file");
    let outcome = program.run(&["import", "articles", "articles.csv"]).await;
    assert!(outcome.success().starts_with("created    10001\n"), "{outcome:?}");
    assert_eq!(program.texts("SELECT CAST(count(*) AS TEXT) FROM articles"), ["10001"]);
}

#[tokio::test]
async fn import_refuses_other_models_and_files_that_are_no_csv() {
    let program = Program::new();
    std::fs::write(program.path("open.csv"), "name\n\"open\n").expect("a file");
    let run = async |arguments: [&str; 3], problem| program.run(&arguments).await.assert_error(problem);
    run(["import", "history", "open.csv"], "`history` cannot be imported; the models are ").await;
    run(["import", "articles", "none.csv"], "none.csv: No such file").await;
    run(["import", "articles", "open.csv"], "open.csv: Line 2 opens a quotation mark that is never closed.").await;
    assert!(!program.path("gatepost.sqlite3").exists(), "no database is created for them");
}
