//! Reads and writes that panic.

use actix_web::ResponseError;

use crate::harness::{TestServer, eventually};

#[tokio::test]
async fn a_write_that_panics_is_answered_with_500_and_the_next_one_works() {
    let (server, token) = TestServer::with_alice().await;
    for _ in 0..3 {
        let panicking = server.db.write::<(), _>(|_| panic!("a test's panic")).await;
        let error = panicking.expect_err("nothing comes of a panic");
        assert_eq!((error.status_code().as_u16(), error.cause()), (500, Some("a write panicked")));
        assert_eq!(server.post_article(&token, "next").await.status, 201);
    }
}

#[tokio::test]
async fn a_read_that_panics_is_answered_with_500_and_all_readers_live_on() {
    let (server, token) = TestServer::with_alice().await;
    // On the caller's own thread, where a connection is idle at that moment.
    let panics_here = async || {
        let panicking = server.db.read_here::<(), _>(|_| panic!("a test's panic")).await;
        panicking.expect_err("nothing comes of a panic").cause() == Some("a read panicked")
    };
    if cfg!(not(feature = "postgres")) {
        eventually("one panics on the caller's thread", panics_here).await;
    }
    // More than there are connections.
    for _ in 0..40 {
        let panicking = server.db.read::<(), _>(|_| panic!("a test's panic")).await;
        assert_eq!(panicking.expect_err("nothing comes of a panic").status_code().as_u16(), 500);
        let panicking = server.db.read_here::<(), _>(|_| panic!("a test's panic")).await;
        assert_eq!(panicking.expect_err("nor of one on the caller's thread").status_code().as_u16(), 500);
    }
    assert_eq!(server.get("/articles/", &token).await.status, 200);
}
