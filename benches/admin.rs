//! `cargo bench --bench admin`: the admin's lists on a million articles and 100,000 users.
//!
//! Each page is measured uncached and cached, alternating with a floor: the same statements on one connection, without
//! HTTP, session and HTML, each time after a round trip to the server, because a page is also read by a thread that has
//! just been woken. The last column runs the statements in a tight loop, in which short ones take a third less time.
//! The first lines show the memory used by exporting everything.

#[path = "http/client.rs"]
mod client;
#[path = "http/server.rs"]
mod server;

use std::cell::Cell;
use std::hint::{black_box, spin_loop};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use client::{Client, head_of_whole};
use diesel::connection::SimpleConnection;
use gatepost::admin::ModelAdmin;
use gatepost::admin::history::entries;
use gatepost::admin::history::model::HistoryAdmin;
use gatepost::admin::list::change_list::sql;
use gatepost::admin::list::facets::facets;
use gatepost::admin::list::matches::Matches;
use gatepost::admin::list::page::Page;
use gatepost::admin::list::query::{ChangeListQuery, Cursor, Place};
use gatepost::admin::model_admin::Options;
use gatepost::articles::admin::ARTICLES;
use gatepost::db::rows::Bind;
use gatepost::db::{Connection, DatabaseUrl, Db};
use gatepost::history::{Actor, Source};
use gatepost::users::admin::UserAdmin;
use gatepost::users::models::{self, NewUser, Origin};
use gatepost::users::password;
use server::Server;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const ROUNDS: usize = 5;
/// Duration of one measurement per round.
const PERIOD: Duration = Duration::from_millis(600);
const PASSWORD: &str = "the password of the benchmark";
/// Maximum memory that an export may add.
const MOST_EXPORT_MB: f64 = 64.0;

/// Every tenth article has an author, every 5,000th user is inactive; the history has an entry for each article.
const ROWS: &str = "
INSERT INTO users (username, email, email_key, first_name, last_name, is_active, is_staff, is_superuser, date_joined,
                   cognito_issuer, cognito_sub, origin)
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)
SELECT printf('user-%06d', n), printf('user-%06d@example.com', n), printf('user-%06d@example.com', n), 'First' || n % 997,
       'Last' || n % 1009, n % 5000 > 0, n % 10000 = 0, 0, datetime('2026-01-01', '+' || n || ' minutes'),
       iif(n % 3 > 0, 'https://issuer.example', NULL), iif(n % 3 > 0, 'sub-' || n, NULL), 'first_token' FROM n;
INSERT INTO articles (name, created_by, created_at, updated_at)
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000000)
SELECT printf('Article %06d on DRF with Cognito', n * 7919 % 1000003), iif(n % 10 = 0, 1 + n % 100000, NULL),
       datetime('2024-01-01', '+' || n || ' minutes'), datetime('2024-01-01', '+' || n || ' minutes') FROM n;
INSERT INTO history (at, actor_id, actor, source, action, model, object_id, object, changes)
SELECT created_at, created_by, '', iif(id % 100000 = 0, 'admin', 'api'), 'created', 'article', id, name,
       json_object('name', json_array(NULL, name)) FROM articles;
";

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let (db, _) = Db::open(&DatabaseUrl::Sqlite(folder.path().join("bench.sqlite3")))?;
    eprintln!("a million articles, 100,000 users ...");
    db.write_blocking(|conn| Ok(conn.batch_execute(ROWS)?))?;
    let hash = password::hash(PASSWORD).map_err(|error| error.to_string())?;
    let root = NewUser {
        username: "root".to_owned(),
        password: Some(hash),
        is_staff: true,
        is_superuser: true,
        ..NewUser::new(Origin::CommandLine)
    };
    db.write_blocking(move |conn| models::create(conn, root, &Actor::system(Source::CommandLine)))?;
    let service = Server::service(folder.path(), &[])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let browser = Browser::sign_in(&service).await?;
        for slug in ["users", "articles"] {
            export(&browser, slug, &service).await?;
        }
        println!(
            "\n{:<48} {:>9} {:>9} {:>9} {:>6} {:>6} {:>9}",
            "", "page ms", "again ms", "SQL ms", "ratio", "again", "looped ms"
        );
        for (what, model, query) in pages(&db)? {
            let path = format!("/admin/{}/?{query}", model.options().slug());
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                let (page, again) = (browser.time(&path, Way::Anew)?, browser.time(&path, Way::Again)?);
                let sql = || floor(&db, model.options(), &query);
                rounds.push([page, again, browser.time_between(sql).await?, looped(sql)?]);
            }
            let median = |of: &dyn Fn(&[f64; 4]) -> f64| {
                let mut values: Vec<f64> = rounds.iter().map(of).collect();
                values.sort_by(f64::total_cmp);
                values[values.len() / 2]
            };
            println!(
                "{what:<48} {:>9.2} {:>9.2} {:>9.2} {:>6.2} {:>6.2} {:>9.2}",
                median(&|round| round[0]),
                median(&|round| round[1]),
                median(&|round| round[2]),
                median(&|round| round[0] / round[2]),
                median(&|round| round[1] / round[2]),
                median(&|round| round[3]),
            );
        }
        let search = browser.time("/admin/search/?q=user-09", Way::Again)?;
        println!("{:<48} {search:>9.2}", "search over everything");
        Ok(())
    })
}

type Line = (&'static str, &'static dyn ModelAdmin, String);

/// The measured pages.
fn pages(db: &Db) -> Outcome<Vec<Line>> {
    static ARTICLE_ADMIN: &Options = &ARTICLES;
    let (articles, users, history) = (&ARTICLE_ADMIN, &UserAdmin, &HistoryAdmin);
    let text = |text: &str| Bind::Text(text.to_owned());
    let deep = |query: &str, values: Vec<Bind>| -> Outcome<String> {
        let query = db.read_blocking(|conn| Ok(ChangeListQuery::parse(conn, articles.options(), query)?))?;
        let place = Place::After(Cursor { number: Some(500_000), values });
        Ok(ChangeListQuery { place, ..query }.state())
    };
    let middle = "Article 500000 on DRF with Cognito";
    Ok(vec![
        ("articles", articles, String::new()),
        ("articles, the middle", articles, deep("", vec![Bind::Integer(500_000)])?),
        ("articles, the last page", articles, "last=1".to_owned()),
        ("articles by name", articles, "o=name".to_owned()),
        ("articles by name, the middle", articles, deep("o=name", vec![text(middle), Bind::Integer(0)])?),
        (
            "articles by date and name, the middle",
            articles,
            deep("o=-created_at,name", vec![text("2024-12-01 00:00:00"), text(middle), Bind::Integer(0)])?,
        ),
        ("articles, a word that all have", articles, "q=cognito".to_owned()),
        ("articles, a word that few have", articles, "q=00123".to_owned()),
        ("articles, a word that none has", articles, "q=xyzzy".to_owned()),
        ("articles with an author", articles, "author=yes".to_owned()),
        ("articles of a year with an author", articles, "author=yes&created=year".to_owned()),
        ("articles of a day without an author", articles, "author=no&created=day".to_owned()),
        ("users", users, String::new()),
        ("users by e-mail", users, "o=email".to_owned()),
        ("users, a word that few have", users, "q=first77".to_owned()),
        ("users, staff", users, "staff=yes".to_owned()),
        ("users, linked, not staff, active", users, "cognito=linked&staff=no&active=yes".to_owned()),
        ("users, not seen for 90 days", users, "seen=not90".to_owned()),
        ("users who joined in a range of days", users, "joined__gte=2026-01-10&joined__lte=2026-02-10".to_owned()),
        ("users, several origins", users, "origin=admin&origin=first_token&origin=pool_sync".to_owned()),
        ("users, two filters, one with two values", users, "origin=admin&origin=first_token&active=no".to_owned()),
        ("articles of two authors", articles, "author=77&author=78".to_owned()),
        ("history", history, String::new()),
        ("history of articles by the admin", history, "model=article&source=admin".to_owned()),
        ("history of a month, created by the API", history, "at=month&action=created&source=api".to_owned()),
    ])
}

/// The mean time of repeated work.
struct Mean {
    started: Instant,
    spent: Duration,
    times: u32,
}

impl Mean {
    fn start() -> Mean {
        Mean { started: Instant::now(), spent: Duration::ZERO, times: 0 }
    }

    /// Counts one run, which started at `begun`. Returns whether there is time for another.
    fn again(&mut self, begun: Instant) -> bool {
        self.spent += begun.elapsed();
        self.times += 1;
        self.started.elapsed() < PERIOD
    }

    fn ms(&self) -> f64 {
        self.spent.as_secs_f64() * 1000.0 / f64::from(self.times)
    }
}

fn looped(work: impl Fn() -> Outcome<()>) -> Outcome<f64> {
    let mut mean = Mean::start();
    loop {
        let begun = Instant::now();
        work()?;
        if !mean.again(begun) {
            return Ok(mean.ms());
        }
    }
}

/// Runs only the SQL statements of a list.
fn floor(db: &Db, options: &'static Options, query: &str) -> Outcome<()> {
    let display = options.columns();
    let columns: Vec<&str> = match options.name() {
        // The history has a page of its own.
        "entry" => entries::COLUMNS.to_vec(),
        _ => [options.model.title].into_iter().chain(sql(&display)).collect(),
    };
    Ok(db.read_blocking(|conn: &mut Connection| {
        let query = ChangeListQuery::parse(conn, options, query)?;
        let matches = Matches::of(conn, options, &query)?;
        let page = Page::read(conn, options, &columns, &query, &matches)?;
        let facets = facets(conn, options, &query, &matches)?;
        black_box((page.rows.len(), facets.len()));
        Ok(())
    })?)
}

/// How a page is requested.
#[derive(Clone, Copy)]
enum Way {
    /// Uncached: with a different URL each time.
    Anew,
    /// Cached.
    Again,
}

/// A signed-in browser.
struct Browser {
    client: reqwest::Client,
    address: SocketAddr,
    base: String,
    cookies: String,
    requests: Cell<u32>,
}

impl Browser {
    async fn sign_in(service: &Server) -> Outcome<Browser> {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let base = format!("http://{}", service.address);
        let mut browser =
            Browser { client, address: service.address, base, cookies: String::new(), requests: Cell::new(1) };
        let page = browser.client.get(format!("{}/admin/login/", browser.base)).send().await?;
        browser.take_cookies(&page);
        let page = page.text().await?;
        let (_, token) = page.split_once("name=\"csrfmiddlewaretoken\" value=\"").ok_or("there is no token")?;
        let token = token.split('"').next().unwrap_or_default();
        let fields = [("csrfmiddlewaretoken", token), ("username", "root"), ("password", PASSWORD)];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = browser.client.post(format!("{}/admin/login/", browser.base)).header("cookie", &browser.cookies);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = request.send().await?;
        if answer.status() != 303 {
            return Err(format!("signing in: {}", answer.status()).into());
        }
        browser.take_cookies(&answer);
        Ok(browser)
    }

    fn take_cookies(&mut self, answer: &reqwest::Response) {
        let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        let cookies: Vec<&str> = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
        self.cookies = cookies.join("; ");
    }

    async fn get(&self, path: &str) -> Outcome<reqwest::Response> {
        let request = self.client.get(format!("{}{path}", self.base)).header("cookie", &self.cookies);
        let answer = request.send().await?;
        if answer.status() == 200 { Ok(answer) } else { Err(format!("{path}: {}", answer.status()).into()) }
    }

    fn time(&self, path: &str, way: Way) -> Outcome<f64> {
        let mut client = Spinning::connect(self.address)?;
        let mut mean = Mean::start();
        loop {
            let number = match way {
                Way::Anew => self.requests.replace(self.requests.get() + 1),
                Way::Again => 0,
            };
            // An unknown parameter makes it a different list for the cache.
            let target = format!("{path}&number={number}");
            let request = format!("GET {target} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {}\r\n\r\n", self.cookies);
            let begun = Instant::now();
            client.exchange(request.as_bytes())?;
            if !mean.again(begun) {
                return Ok(mean.ms());
            }
        }
    }

    /// The mean time of work in this process, each time after a round trip to the server.
    async fn time_between(&self, work: impl Fn() -> Outcome<()>) -> Outcome<f64> {
        let mut client = Client::connect(self.address).await?;
        let mut mean = Mean::start();
        loop {
            client.exchange(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await?;
            let begun = Instant::now();
            work()?;
            if !mean.again(begun) {
                return Ok(mean.ms());
            }
        }
    }
}

/// A client that polls for the response instead of sleeping, so that the time to wake the client, which is long on a
/// virtual machine, does not count.
struct Spinning {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Spinning {
    fn connect(address: SocketAddr) -> Outcome<Spinning> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Spinning { stream, buffer: vec![0; 1 << 20] })
    }

    fn exchange(&mut self, request: &[u8]) -> Outcome<()> {
        // A request this small is written at once.
        self.stream.write_all(request)?;
        let mut filled = 0;
        loop {
            match self.stream.read(&mut self.buffer[filled..]) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => spin_loop(),
                Err(error) => return Err(error.into()),
            }
            if head_of_whole(&self.buffer[..filled])?.is_some() {
                return Ok(());
            }
        }
    }
}

/// Exports a whole table and fails if that takes too much memory.
async fn export(browser: &Browser, slug: &str, service: &Server) -> Outcome<()> {
    let before = service.memory_mb("VmRSS")?;
    let mut most = before;
    let started = Instant::now();
    let mut file = browser.get(&format!("/admin/{slug}/export/")).await?;
    let (mut bytes, mut lines) = (0, 0);
    while let Some(chunk) = file.chunk().await? {
        bytes += chunk.len();
        lines += chunk.iter().filter(|byte| **byte == b'\n').count();
        most = service.memory_mb("VmRSS")?.max(most);
    }
    println!(
        "export of all {slug}: {lines} lines, {} MB in {:.1} s; the process has at most {:.0} MB, {:.0} MB more than before",
        bytes / 1_000_000,
        started.elapsed().as_secs_f64(),
        most,
        most - before
    );
    if most - before > MOST_EXPORT_MB { Err("the export takes too much memory".into()) } else { Ok(()) }
}
