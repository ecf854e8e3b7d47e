//! Limits under any load: memory and start time. Also the crowd of idle and slow connections.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use gatepost::cognito::local_pool::LocalPool;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::load::{self, Load};
use crate::server::Server;
use crate::table::Figure;
use crate::{CLIENTS, Outcome, get, request};

const STARTS: usize = 5;
const IDLE: usize = 1_000;
const SLOW: usize = 200;
/// Number of different pages of 1,000 articles.
const LARGE_READS: i64 = 2_000;

/// A service with a million articles.
pub struct Large {
    pub service: Server,
    pub token: String,
    folder: PathBuf,
}

impl Large {
    pub fn start(folder: &Path) -> Outcome<Large> {
        std::fs::create_dir(folder)?;
        // Creates the tables and the keys.
        drop(Server::service(folder, &[])?);
        let database = folder.join("bench.sqlite3");
        let mut connection = SqliteConnection::establish(database.to_str().ok_or("the path is not UTF-8")?)?;
        connection.batch_execute(
            "INSERT INTO articles (name, created_at, updated_at)
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000000)
             SELECT printf('Article %06d of the benchmark', n), '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM n;
             PRAGMA wal_checkpoint(TRUNCATE);",
        )?;
        let pool = LocalPool::open(&folder.join("bench.local-pool.keys"))?;
        let token = pool.token(&request("alice@example.com"))?;
        Ok(Large { service: Server::service(folder, &[])?, token, folder: folder.to_owned() })
    }

    /// Starts the service several times, leaves the last one idle, then requests its largest pages.
    pub fn figures(&mut self, runtime: &Runtime) -> Outcome<Vec<Figure>> {
        let list = get(&self.token);
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            self.service.stop();
            let started = Instant::now();
            self.service = Server::service(&self.folder, &[])?;
            runtime.block_on(load::once(self.service.address, &list))?;
            starts.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        starts.sort_by(f64::total_cmp);
        std::thread::sleep(Duration::from_secs(1));
        let idle = self.service.memory_mb("VmRSS")?;
        let list = String::from_utf8(list)?;
        let page = |n| list.replacen("limit=20", &format!("limit=1000&unknown={n}"), 1).into_bytes();
        let pages = (0..LARGE_READS).map(page).collect();
        runtime.block_on(load::measure(self.service.address, CLIENTS, Load::Once(pages)))?;
        let figure = |what, value, unit, at_most| Figure { what, value, unit, at_most };
        Ok(vec![
            figure("start to the first list, existing database", starts[STARTS / 2], "ms", 100.0),
            figure("memory when idle", idle, "MB", 25.0),
            figure("memory at most, 32 read pages of 1,000", self.service.memory_mb("VmHWM")?, "MB", 64.0),
        ])
    }
}

/// Open connections, closed when this is dropped.
pub struct Crowd {
    _idle: Vec<Client>,
    slow: Vec<JoinHandle<()>>,
}

impl Crowd {
    pub async fn gather(address: SocketAddr) -> Outcome<Crowd> {
        let mut idle = Vec::new();
        for _ in 0..IDLE {
            let mut client = Client::connect(address).await?;
            client.exchange(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await?;
            idle.push(client);
        }
        Ok(Crowd { _idle: idle, slow: (0..SLOW).map(|_| tokio::spawn(dawdle(address))).collect() })
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.slow.iter().for_each(JoinHandle::abort);
    }
}

/// Sends a request byte by byte.
async fn dawdle(address: SocketAddr) {
    let Ok(mut stream) = TcpStream::connect(address).await else { return };
    for byte in b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n".iter().cycle() {
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
