//! `/articles/` and `/articles/{id}/`.

use std::sync::Arc;

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, ContentType, ETAG, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::models::{self, Article, NAME};
use super::schemas::{ArticleFields, ArticleId, ListParameters, PatchedArticleFields};
use crate::api::pagination::ListQuery;
use crate::api::schemas::FieldErrorsBody;
use crate::api::{Endpoint, render, resource};
use crate::cognito::{CognitoUser, Refusal};
use crate::db::search::Turns;
use crate::db::{Connection, Db, Remembered};
use crate::error::Error;
use crate::history::Source;
use crate::http::body::Body;
use crate::http::etag::{self, IfMatch};
use crate::http::routes::get;
use crate::users::{self, models::User};

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

static LIST: Endpoint = Endpoint {
    name: "List Create Articles",
    path: "/articles/",
    allow: "GET, POST, HEAD, OPTIONS",
    action: Some(("POST", &[NAME])),
    parent: None,
    has_items: true,
};
static DETAIL: Endpoint = Endpoint {
    name: "Article",
    path: "/articles/{id:[0-9]+}/",
    allow: "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
    action: Some(("PUT", &[NAME])),
    parent: Some(&LIST),
    has_items: false,
};

/// What the OpenAPI document says of these addresses.
#[derive(OpenApi)]
#[openapi(
    paths(list, create, retrieve, update, partial_update, destroy),
    tags((name = "articles", description = "To change or delete an article takes its creator, or staff."))
)]
pub struct Doc;

/// The list's address.
pub fn list_resource(origins: &[String]) -> impl HttpServiceFactory + use<> {
    resource(&LIST, origins, || vec![get().to(list), web::post().to(create)])
}

/// One article's address.
pub fn detail_resource(origins: &[String]) -> impl HttpServiceFactory + use<> {
    let routes =
        || vec![get().to(retrieve), web::put().to(update), web::patch().to(partial_update), web::delete().to(destroy)];
    resource(&DETAIL, origins, routes)
}

/// An article.
#[derive(Serialize, ToSchema)]
#[schema(as = Article)]
struct ArticleJson<'a> {
    id: i64,
    name: &'a str,
}

impl<'a> From<&'a Article> for ArticleJson<'a> {
    fn from(article: &'a Article) -> ArticleJson<'a> {
        ArticleJson { id: article.id, name: &article.name }
    }
}

fn json(article: &Article) -> Result<String, Error> {
    render::json(&ArticleJson::from(article))
}

/// One page as it is sent.
struct ListAnswer {
    json: Bytes,
    headers: HeaderMap,
}

/// Rows of a page that is read sooner than another thread would begin.
const SHORT_PAGE: i64 = 100;

/// What lists share; part of the application's data.
pub struct Lists {
    /// The pages of late by their query strings, until something is committed. A page of 1,000 long names has
    /// 300 KB at most.
    pages: Remembered<String, Arc<ListAnswer>>,
    turns: Turns,
}

impl Lists {
    /// `turns` are those of all searches.
    pub fn new(turns: Turns) -> Lists {
        Lists { pages: Remembered::new(32), turns }
    }
}

/// Lists the articles, a page at a time.
#[utoipa::path(
    get, path = "/articles/", operation_id = "listArticles", tag = "articles", params(ListParameters),
    responses(
        (status = 200, description = "A page of articles.", body = Vec<ArticleJson>, headers(
            ("X-Total-Count" = u64, description = "How many articles there are, or match the search."),
            ("Link", description = "The pages around, by `rel` `next`, `prev` and `first` (RFC 8288)."))),
        (status = 400, description = "A parameter is wrong.", body = FieldErrorsBody)))]
async fn list(
    CognitoUser { version, .. }: CognitoUser,
    db: web::Data<Db>,
    lists: web::Data<Lists>,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let answer = match lists.pages.known(version, request.query_string()) {
        Some(answer) => answer,
        None => {
            let asked = request.query_string().to_owned();
            let query = ListQuery::parse(&asked, models::ORDER_FIELDS)?;
            let (key, is_short) = (asked.clone(), query.search.is_empty() && query.limit <= SHORT_PAGE);
            // What is not a search needs no turn.
            let turn = if query.search.is_empty() { None } else { lists.turns.take().await? };
            let read = move |conn: &mut Connection| {
                // Kept until the scan is over, even if the caller is gone by then.
                let _turn = turn;
                Ok(Arc::new(list_answer(conn, &query, &asked)?))
            };
            let answer = if is_short { db.read_here(read).await? } else { db.read(read).await? };
            lists.pages.keep(&db, version, key, &answer);
            answer
        }
    };
    let mut response = HttpResponse::Ok();
    for header in &answer.headers {
        response.insert_header(header);
    }
    Ok(response.body(answer.json.clone()))
}

fn list_answer(conn: &mut Connection, query: &ListQuery, asked: &str) -> Result<ListAnswer, Error> {
    let page = models::list(conn, query)?;
    let json = render::json(&page.rows.iter().map(ArticleJson::from).collect::<Vec<_>>())?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(TOTAL_COUNT, models::count(conn, &query.search)?.into());
    if let Some(link) = page.link("/articles/", asked).and_then(|link| HeaderValue::try_from(link).ok()) {
        headers.insert(LINK, link);
    }
    let tag = etag::of(json.as_bytes(), &headers);
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    Ok(ListAnswer { json: json.into(), headers })
}

/// Creates an article.
#[utoipa::path(
    post, path = "/articles/", operation_id = "createArticle", tag = "articles",
    request_body(content = ArticleFields, example = json!({ "name": "A new article" })),
    responses((status = 201, description = "The new article.", body = ArticleJson,
        headers(("Location", description = "Its address.")))))]
async fn create(CognitoUser { user, .. }: CognitoUser, db: web::Data<Db>, body: Body) -> Result<HttpResponse, Error> {
    let name = NAME.clean_required(&body.data().await?)?;
    let create = move |conn: &mut Connection| {
        let user = caller(conn, &user)?;
        Ok(models::create(conn, &name, Some(user.id), &user.actor(Source::Api))?)
    };
    let article = db.write(create).await?;
    let location = (LOCATION, format!("/articles/{}/", article.id));
    Ok(HttpResponse::Created().content_type(ContentType::json()).insert_header(location).body(json(&article)?))
}

/// Answers with an article.
#[utoipa::path(
    get, path = "/articles/{id}/", operation_id = "retrieveArticle", tag = "articles", params(ArticleId),
    responses((status = 200, description = "The article.", body = ArticleJson)))]
async fn retrieve(_: CognitoUser, db: web::Data<Db>, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let article = db.read_here(move |conn| find(conn, &id)).await?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(json(&article)?))
}

/// Changes an article.
#[utoipa::path(
    put, path = "/articles/{id}/", operation_id = "updateArticle", tag = "articles", params(ArticleId),
    request_body = ArticleFields, responses((status = 200, description = "The article.", body = ArticleJson)))]
async fn update(
    user: CognitoUser,
    db: web::Data<Db>,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Error> {
    change(user, db, id, request, body).await
}

/// Changes those fields of an article that are sent.
#[utoipa::path(
    patch, path = "/articles/{id}/", operation_id = "partialUpdateArticle", tag = "articles", params(ArticleId),
    request_body = PatchedArticleFields,
    responses((status = 200, description = "The article.", body = ArticleJson)))]
async fn partial_update(
    user: CognitoUser,
    db: web::Data<Db>,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Error> {
    change(user, db, id, request, body).await
}

/// PUT, and PATCH, which may leave the name out.
async fn change(
    CognitoUser { user, .. }: CognitoUser,
    db: web::Data<Db>,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Error> {
    let condition = IfMatch::from_headers(request.headers());
    let is_partial = request.method() == Method::PATCH;
    // Whoever may not change the article is told so whatever the body is, and before it is read.
    let id = id.into_inner();
    let (asked_id, asking) = (id.clone(), user.clone());
    db.read(move |conn| find_own(conn, &asked_id, &asking)).await?;
    let data = body.data().await?;
    let article = db
        .write(move |conn| {
            let user = caller(conn, &user)?;
            let article = find_to_change(conn, &id, &user, &condition)?;
            match NAME.clean(&data, is_partial)? {
                Some(name) => Ok(models::rename(conn, &article, &name, &user.actor(Source::Api))?),
                None => Ok(article),
            }
        })
        .await?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(json(&article)?))
}

/// Deletes an article.
#[utoipa::path(
    delete, path = "/articles/{id}/", operation_id = "destroyArticle", tag = "articles", params(ArticleId),
    responses((status = 204, description = "It is gone.")))]
async fn destroy(
    CognitoUser { user, .. }: CognitoUser,
    db: web::Data<Db>,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let condition = IfMatch::from_headers(request.headers());
    let id = id.into_inner();
    db.write(move |conn| {
        let user = caller(conn, &user)?;
        let article = find_to_change(conn, &id, &user, &condition)?;
        models::delete(conn, &article, &user.actor(Source::Api))
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The caller as they are now. While a body was on its way they may have lost rights, or be gone.
fn caller(conn: &mut Connection, user: &User) -> Result<User, Error> {
    match users::models::find(conn, user.id)? {
        Some(user) if user.is_active => Ok(user),
        Some(_) => Err(Refusal::UserInactive.into()),
        None => Err(Refusal::UserUnknown.into()),
    }
}

/// The article of an address; digits too many for an id name none.
fn find(conn: &mut Connection, id: &str) -> Result<Article, Error> {
    let found = match id.parse() {
        Ok(id) => models::find(conn, id)?,
        Err(_) => None,
    };
    found.ok_or(Error::NoSuchObject("Article"))
}

/// The article, if this user may change it.
fn find_own(conn: &mut Connection, id: &str, user: &User) -> Result<Article, Error> {
    let article = find(conn, id)?;
    let may_change = article.created_by == Some(user.id) || user.is_staff;
    if may_change { Ok(article) } else { Err(Error::PermissionDenied) }
}

/// The article, if this user may change it and knows its present version.
fn find_to_change(conn: &mut Connection, id: &str, user: &User, condition: &IfMatch) -> Result<Article, Error> {
    let article = find_own(conn, id, user)?;
    condition.check(json(&article)?.as_bytes())?;
    Ok(article)
}
