//! CSV files of the admin's lists.

use gatepost::admin::import::csv_file;
use gatepost::articles::admin::ARTICLES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::TestServer;
use crate::harness::admin::{AdminClient, PASSWORD};
use crate::harness::program::Program;

/// Reads a file as RFC 4180 has it.
fn read(file: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file);
    let record = |record: Result<csv::StringRecord, _>| record.expect("a record").iter().map(str::to_owned).collect();
    reader.records().map(record).collect()
}

#[tokio::test]
async fn a_list_is_exported_as_it_is_filtered_and_ordered() {
    let (server, mut root) = TestServer::with_superuser().await;
    for name in ["ada", "bob", "cyd"] {
        server.user_with(name, |new| new.is_staff = name != "cyd").await;
    }
    server.sql("UPDATE users SET date_joined = '2026-01-02 03:04:05.678', first_name = 'Bo, \"the\"\nbuilder' WHERE username = 'bob'").await;
    let answer = root.get("/admin/users/export/?staff=yes&o=-username&q=example").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let today = chrono::Utc::now().format("%Y-%m-%d");
    assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"users-{today}.csv\""));
    let file = answer.body.strip_prefix(b"\xef\xbb\xbf").expect("a mark for Excel");
    assert_eq!(file.windows(2).filter(|pair| pair == b"\r\n").count(), 4, "each line ends with CR and LF");
    let lines = read(file);
    let head: Vec<&str> = lines[0].iter().map(String::as_str).collect();
    assert_eq!(
        head[..8],
        ["id", "username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser"]
    );
    let usernames: Vec<&str> = lines[1..].iter().map(|line| line[1].as_str()).collect();
    assert_eq!(usernames, ["root", "bob", "ada"]);
    let joined = head.iter().position(|name| *name == "date_joined").expect("a column");
    let bob = &lines[2];
    assert_eq!((bob[3].as_str(), bob[5].as_str(), bob[7].as_str()), ("Bo, \"the\"\nbuilder", "true", "false"));
    assert_eq!(bob[joined], "2026-01-02T03:04:05.678000Z");
    assert!(!answer.text().contains("$argon2"), "no hash of a password leaves");
}

#[tokio::test]
async fn what_a_spreadsheet_would_run_is_guarded_and_comes_back_as_it_was() {
    let (server, mut root) = TestServer::with_superuser().await;
    let names = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "=cmd|'/c calc'!A0",
        "'=1",
        "''=1",
        "plain",
        "'quoted'",
        "1-1",
        "a=b",
        "\"=1\"",
        "é",
        "-",
    ];
    server.articles(&names).await;
    let answer = root.get("/admin/articles/export/?o=id").await;
    let lines = read(&answer.body);
    for (line, name) in lines[1..].iter().zip(names) {
        assert!(!line[1].starts_with(['=', '+', '-', '@', '\t', '\r']), "{name} is {}", line[1]);
        let is_formula = name.trim_start_matches('\'').starts_with(['=', '+', '-', '@']);
        assert_eq!(line[1], if is_formula { format!("'{name}") } else { name.to_owned() });
    }
    let file = csv_file::text(&answer.body).expect("UTF-8");
    let sheet = csv_file::read(&ARTICLES, file).expect("an import reads it");
    let read_back: Vec<(i64, String)> = sheet
        .rows
        .iter()
        .map(|row| {
            let id = sheet.id(row).expect("an id").expect("an id");
            let mut errors = gatepost::error::FieldErrors::default();
            let values = sheet.fill(row, gatepost::admin::Values::default(), &mut errors);
            assert!(errors.0.is_empty(), "{errors}");
            (id, values.text("name").to_owned())
        })
        .collect();
    let expected: Vec<(i64, String)> = (1..).zip(names.iter().map(|name| (*name).to_owned())).collect();
    assert_eq!(read_back, expected);
}

#[tokio::test]
async fn every_model_can_be_exported_also_when_it_is_empty() {
    let (_server, mut root) = TestServer::with_superuser().await;
    for slug in ["articles", "users", "groups", "history"] {
        let answer = root.get(&format!("/admin/{slug}/export/")).await;
        assert_eq!(answer.status, 200, "{slug}");
        let lines = read(&answer.body);
        assert_eq!(lines[0][0].trim_start_matches('\u{feff}'), "id", "{slug}");
        let head = root.call("HEAD", &format!("/admin/{slug}/export/")).send().await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{slug}");
    }
}

#[tokio::test]
async fn an_export_holds_every_row_once_however_many_batches_it_takes() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.seed_articles(3_210).await;
    for (query, rows) in
        [("", 3_210), ("?o=name", 3_210), ("?o=-created_at,name", 3_210), ("?q=0012", 111), ("?author=yes", 0)]
    {
        let lines = read(&root.get(&format!("/admin/articles/export/{query}")).await.body);
        let mut ids: Vec<&str> = lines[1..].iter().map(|line| line[0].as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), lines.len() - 1), (rows, rows), "{query}");
    }
}

/// The memory that a process has, in kB.
fn memory(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its size");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("a number")
}

#[tokio::test]
async fn an_export_takes_little_memory_and_waits_for_its_reader() {
    let program = Program::in_production();
    let serving = program.serve().await;
    {
        use diesel::connection::SimpleConnection;
        let hash = crate::harness::admin::password_hash();
        program
            .database()
            .batch_execute(&format!(
                "INSERT INTO users (username, email, first_name, last_name, password, is_active, is_staff, is_superuser, date_joined, origin)
                 VALUES ('root', '', '', '', '{hash}', 1, 1, 1, '2026-01-01 00:00:00', 'command_line');
                 INSERT INTO articles (name, created_at, updated_at)
                 WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200000)
                 SELECT 'Article ' || substr(CAST(1000000 + n AS TEXT), 2) || ' on DRF with Cognito', '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM numbers"
            ))
            .expect("the rows are inserted");
    }
    let mut root = AdminClient::new(serving.address);
    assert_eq!(root.sign_in("root", PASSWORD).await.status, 303);
    // The first pages fill caches that stay.
    root.get("/admin/articles/export/?q=00012").await;
    let before = memory(serving.id());
    let cookies: Vec<String> = root.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut stream = tokio::net::TcpStream::connect(serving.address).await.expect("a connection");
    let head = format!(
        "GET /admin/articles/export/ HTTP/1.1\r\nhost: localhost\r\ncookie: {}\r\nconnection: close\r\n\r\n",
        cookies.join("; ")
    );
    stream.write_all(head.as_bytes()).await.expect("the request is sent");
    let mut file = vec![0; 1_000];
    stream.read_exact(&mut file).await.expect("the begin of the file");
    // Meanwhile others work, and the export is neither cut off nor read ahead.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(root.get("/admin/articles/").await.status, 200);
    let mut most = 0;
    while stream.read_buf(&mut file).await.expect("the rest of the file") > 0 {
        most = memory(serving.id()).max(most);
    }
    assert_eq!(String::from_utf8_lossy(&file).matches(" on DRF with Cognito").count(), 200_000);
    let grown = most.saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} kB for a file of {} kB", file.len() / 1024);
}
