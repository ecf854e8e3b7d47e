//! Clients that write without a pause, and what has to be left of what they wrote.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use gatepost::db::Connection;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::rows::texts;

/// Fails unless the database is sound and each article in it has the one row of history that came with it.
/// Returns the articles' names.
#[track_caller]
pub fn sound_names(database: &mut Connection) -> BTreeSet<String> {
    assert_eq!(texts(database, "SELECT integrity_check FROM pragma_integrity_check"), ["ok"]);
    let names = texts(database, "SELECT name FROM articles ORDER BY name");
    let recorded = texts(database, "SELECT object FROM history WHERE model = 'article' ORDER BY object");
    assert_eq!(names, recorded, "articles and history were written together");
    let set: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(set.len(), names.len(), "no article is there twice");
    set
}

#[track_caller]
pub fn assert_kept(found: &BTreeSet<String>, acknowledged: &BTreeSet<String>) {
    let lost: Vec<_> = acknowledged.difference(found).collect();
    assert!(lost.is_empty(), "of {} acknowledged articles these are lost: {lost:?}", acknowledged.len());
}

/// Several clients that create articles, each one after the other, until the server is gone.
pub struct Load {
    clients: Vec<JoinHandle<()>>,
    acknowledged: watch::Receiver<Vec<String>>,
}

impl Load {
    pub fn start(client: &reqwest::Client, address: SocketAddr, token: &str, prefix: &str) -> Load {
        let (sender, acknowledged) = watch::channel(Vec::new());
        let url = format!("http://{address}/articles/");
        let run = |n| {
            let request = client.post(&url).bearer_auth(token).header("content-type", "application/json");
            tokio::spawn(post_until_it_is_gone(request, format!("{prefix}-{n}"), sender.clone()))
        };
        Load { clients: (0..4).map(run).collect(), acknowledged }
    }

    /// Returns right when this many articles are acknowledged.
    pub async fn has_acknowledged(&mut self, count: usize) {
        let enough = self.acknowledged.wait_for(|names| names.len() >= count);
        let in_time = tokio::time::timeout(Duration::from_secs(60), enough).await;
        in_time.expect("the server acknowledges articles").expect("the clients live");
    }

    /// The articles that are acknowledged by now.
    pub fn so_far(&self) -> Vec<String> {
        self.acknowledged.borrow().clone()
    }

    /// The articles that were acknowledged, once all clients have ended.
    pub async fn acknowledged(self) -> Vec<String> {
        for client in self.clients {
            client.await.expect("every answer was a good one");
        }
        self.acknowledged.borrow().clone()
    }
}

async fn post_until_it_is_gone(
    request: reqwest::RequestBuilder,
    prefix: String,
    acknowledged: watch::Sender<Vec<String>>,
) {
    for n in 0.. {
        let name = format!("{prefix}-{n}");
        let request = request.try_clone().expect("it has no body").body(format!(r#"{{"name":"{name}"}}"#));
        match request.send().await {
            Ok(answer) if answer.status() == 201 => acknowledged.send_modify(|names| names.push(name)),
            Ok(answer) => panic!("{name}: {answer:?}"),
            Err(_) => break,
        }
    }
}

/// A client whose connections live on.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
