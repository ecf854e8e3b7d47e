//! The token inspector in the admin: the output of `check-token` as a page.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::authentication::Authenticator;
use super::inspector::{Inspection, Line, State, pasted_token};
use super::sample_tokens::Sample;
use crate::admin::pages::page;
use crate::admin::site::Page;
use crate::admin::{AdminContext, Frame, PostForm};
use crate::error::{Error, Refusal};
use crate::http::routes::get;

pub static PAGE: Page = Page {
    label: "Token inspector",
    slug: "inspector",
    section: "Tools",
    icon: "token",
    allow: "GET, HEAD, POST",
    // It tells which local user a token stands for.
    has_permission: |rights| rights.has("users.view_user") || rights.has("users.change_user"),
    routes: || vec![get().to(show), web::post().to(inspect)],
    figure: None,
};

#[derive(Template)]
#[template(path = "admin/inspector.html")]
struct InspectorPage {
    frame: Frame,
    result: Option<Shown>,
    sample: Option<Sample>,
}

/// The token itself is not shown again.
struct Shown {
    says: Vec<(String, String)>,
    groups: Vec<(String, String)>,
    lines: Vec<Line>,
    passed: usize,
    refusal: Option<&'static str>,
    now: String,
}

async fn show(cx: AdminContext) -> Result<HttpResponse, Error> {
    answer(&cx, None).await
}

async fn inspect(
    cx: AdminContext,
    authenticator: web::Data<Authenticator>,
    PostForm(form): PostForm,
) -> Result<HttpResponse, Error> {
    let inspection = authenticator.inspect(pasted_token(form.get("token").unwrap_or_default())).await?;
    answer(&cx, Some(Shown::new(&inspection, &authenticator))).await
}

async fn answer(cx: &AdminContext, result: Option<Shown>) -> Result<HttpResponse, Error> {
    let frame = Frame::new(cx, PAGE.label, PAGE.slug);
    let sample = Sample::own(cx).await?;
    page(StatusCode::OK, &InspectorPage { frame, result, sample })
}

impl Shown {
    fn new(inspection: &Inspection, authenticator: &Authenticator) -> Shown {
        let lines = inspection.lines(authenticator);
        let members = [&inspection.header, &inspection.claims].into_iter().flatten().filter_map(Value::as_object);
        Shown {
            says: members.flatten().map(|(name, value)| (name.clone(), said(name, value))).collect(),
            groups: inspection.groups.clone(),
            passed: lines.iter().filter(|line| line.state == State::Passed).count(),
            lines,
            refusal: inspection.refusal().map(Refusal::code),
            now: Utc::now().format(TIME).to_string(),
        }
    }
}

const TIME: &str = "%Y-%m-%d %H:%M:%S UTC";

fn said(name: &str, value: &Value) -> String {
    let time = value.as_i64().filter(|_| matches!(name, "exp" | "iat" | "nbf" | "auth_time"));
    match (time.and_then(|seconds| DateTime::from_timestamp(seconds, 0)), value) {
        (Some(time), _) => format!("{value} ({})", time.format(TIME)),
        (None, Value::String(text)) => text.clone(),
        (None, value) => value.to_string(),
    }
}
