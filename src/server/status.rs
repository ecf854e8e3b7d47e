//! The status page in the admin: pool, keys, database, migrations, settings.

use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::pages::{page, see_other};
use crate::admin::site::Page;
use crate::admin::{AdminContext, Frame, Message, PostForm};
use crate::cognito::Authenticator;
use crate::cognito::jwks::SourceStatus;
use crate::db::{Db, migrations};
use crate::error::Error;
use crate::http::routes::get;

pub static PAGE: Page = Page {
    label: "Status",
    slug: "status",
    section: "Tools",
    icon: "status",
    allow: "GET, HEAD, POST",
    // It tells how the service is set up.
    has_permission: |rights| rights.is_superuser,
    routes: || vec![get().to(show), web::post().to(refresh)],
    figure: None,
};

/// With masked secrets; part of the application data.
pub struct ShownSettings(pub Vec<(&'static str, String)>);

struct Panel {
    label: String,
    facts: Vec<(String, String)>,
    problem: Option<String>,
    can_refresh: bool,
}

#[derive(Template)]
#[template(path = "admin/status.html")]
struct StatusPage {
    frame: Frame,
    panels: Vec<Panel>,
    settings: Vec<(&'static str, String)>,
}

async fn show(
    cx: AdminContext,
    authenticator: web::Data<Authenticator>,
    settings: web::Data<ShownSettings>,
) -> Result<HttpResponse, Error> {
    let mut panels = vec![pool(&authenticator), database(&cx.db).await?];
    panels.extend(authenticator.verifier.jwks().status().iter().map(keys));
    let frame = Frame::new(&cx, PAGE.label, PAGE.slug);
    page(StatusCode::OK, &StatusPage { frame, panels, settings: settings.0.clone() })
}

async fn refresh(
    cx: AdminContext,
    authenticator: web::Data<Authenticator>,
    _: PostForm,
) -> Result<HttpResponse, Error> {
    let jwks = authenticator.verifier.jwks();
    jwks.refresh().await;
    let failed = jwks.status().into_iter().any(|source| source.failure.is_some());
    cx.staff.tell(if failed {
        Message::error("The keys could not be fetched. The last error is below.")
    } else {
        Message::success("The keys were fetched.")
    });
    Ok(see_other("/admin/status/"))
}

fn fact(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

fn pool(authenticator: &Authenticator) -> Panel {
    let pool = authenticator.verifier.pool();
    let facts = vec![
        fact("Version", env!("CARGO_PKG_VERSION")),
        fact("User pool", &pool.id),
        fact("Issuer", pool.issuers.join(" or ")),
        fact("App clients", pool.client_ids.join(", ")),
    ];
    Panel { label: "Service".to_owned(), facts, problem: None, can_refresh: false }
}

fn keys(source: &SourceStatus) -> Panel {
    let Some(url) = &source.url else {
        let facts = vec![fact("Keys", source.kids.join(", ")), fact("Fetched", "never, the service owns them")];
        return Panel { label: "Keys of the local user pool".to_owned(), facts, problem: None, can_refresh: false };
    };
    let facts = vec![
        fact("URL", url),
        fact("Keys", if source.kids.is_empty() { "none".to_owned() } else { source.kids.join(", ") }),
        fact("Fetched", source.age.map_or("never".to_owned(), |age| format!("{} ago", shown(age)))),
        fact("Next fetch", source.next.map_or("in progress".to_owned(), |next| format!("in {}", shown(next)))),
    ];
    let problem =
        source.failure.as_ref().map(|(ago, problem)| format!("The last fetch, {} ago, failed: {problem}", shown(*ago)));
    Panel { label: "Keys".to_owned(), facts, problem, can_refresh: true }
}

async fn database(db: &Db) -> Result<Panel, Error> {
    let started = Instant::now();
    let status = db.read(|conn| migrations::status(conn).map_err(Error::Internal)).await?;
    let latency = started.elapsed();
    let state = db.state();
    let migrations = match status.pending {
        0 => format!("all {} applied", status.applied),
        pending => format!("{} applied, {pending} pending", status.applied),
    };
    let facts = vec![
        fact("Kind", db.url().kind()),
        fact("URL", db.url()),
        fact("Size", format!("{:.1} MiB", state.bytes as f64 / 1_048_576.0)),
        fact("Read latency", format!("{:.1} ms", latency.as_secs_f64() * 1000.0)),
        fact("Read connections", format!("{} open, {} idle, at most {}", state.open, state.idle, state.most)),
        fact("Migrations", migrations),
    ];
    Ok(Panel { label: "Database".to_owned(), facts, problem: None, can_refresh: false })
}

fn shown(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
