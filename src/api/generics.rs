//! The list and the detail URL of a [`ModelViewSet`], as Django REST framework's generic views serve them.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, ContentType, ETAG, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::resource::resource;
use super::viewset::ModelViewSet;
use super::{pagination, render};
use crate::cognito::{Caller, CognitoCaller};
use crate::db::references::Catalog;
use crate::db::search::Turns;
use crate::db::{Connection, Db, Remembered};
use crate::error::Error;
use crate::history::Source;
use crate::http::body::Body;
use crate::http::etag::{self, IfMatch};
use crate::http::routes::get;
use crate::models::clean::clean;
use crate::models::list::ListQuery;
use crate::models::{Data, Input, Kind, Row};
use crate::users::permissions::Verb;

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// Pages of up to this many rows are read on the request's own thread.
const SHORT_PAGE: i64 = 100;

pub struct ListAnswer {
    json: Bytes,
    headers: HeaderMap,
}

pub struct Lists {
    /// Cached pages by URL, until something is committed. A page of 1,000 long names has at most 300 KB.
    pages: Remembered<String, Arc<ListAnswer>>,
    turns: Turns,
}

impl Lists {
    pub fn new(turns: Turns) -> Lists {
        Lists { pages: Remembered::new(32), turns }
    }
}

impl ModelViewSet {
    pub fn urls(&'static self, app: &mut ServiceConfig) {
        app.service(resource(self.list_endpoint(), move || {
            vec![
                get().to(move |caller, db, lists, request| self.list(caller, db, lists, request)),
                web::post().to(move |caller, db, body| self.create(caller, db, body)),
            ]
        }));
        app.service(resource(self.detail_endpoint(), move || {
            vec![
                get().to(move |caller, db, id| self.retrieve(caller, db, id)),
                web::put().to(move |caller, db, body| self.update(caller, db, body)),
                web::patch().to(move |caller, db, body| self.update(caller, db, body)),
                web::delete().to(move |caller, db, request| self.destroy(caller, db, request)),
            ]
        }));
    }

    async fn list(
        &'static self,
        CognitoCaller { caller, version }: CognitoCaller,
        db: web::Data<Db>,
        lists: web::Data<Lists>,
        request: HttpRequest,
    ) -> Result<HttpResponse, Error> {
        self.check_permission(&caller, Verb::View, None)?;
        let url = request.uri().path_and_query().map_or("", |url| url.as_str());
        let read = async || self.read_list(&db, &lists, request.query_string()).await;
        let answer = lists.pages.get_or_read(&db, version, url, read).await?;
        let mut response = HttpResponse::Ok();
        for header in &answer.headers {
            response.insert_header(header);
        }
        Ok(response.body(answer.json.clone()))
    }

    async fn read_list(&'static self, db: &Db, lists: &Lists, asked: &str) -> Result<Arc<ListAnswer>, Error> {
        let query = pagination::parse(asked, self)?;
        let is_scan = !query.search.is_empty() || !query.is_indexed();
        // Only what may read the whole table needs a turn.
        let turn = if is_scan { lists.turns.take().await? } else { None };
        let is_short = !is_scan && query.limit <= SHORT_PAGE;
        let (asked, is_one) = (asked.to_owned(), is_short && query.is_one_statement());
        let turn = Arc::new(turn);
        let read = move |conn: &mut Connection| {
            // Held until the scan ends, even if the client has gone away.
            let _turn = &turn;
            self.list_answer(conn, &query, &asked)
        };
        if let Some(answer) = db.read_standby(&read).await {
            return Ok(answer);
        }
        if is_one {
            return db.read_one(read).await;
        }
        if is_short { db.read_here(read).await } else { db.read(read).await }
    }

    fn list_answer(
        &'static self,
        conn: &mut Connection,
        query: &ListQuery,
        asked: &str,
    ) -> Result<Arc<ListAnswer>, Error> {
        let (page, names) = (self.model.list(conn, query)?, self.names());
        let json = render::json(&page.rows.iter().map(|row| row.serialized(&names)).collect::<Vec<_>>())?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(TOTAL_COUNT, page.total.into());
        let link = pagination::link(&page, query, &self.path(), asked);
        if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
            headers.insert(LINK, link);
        }
        if let Ok(tag) = HeaderValue::try_from(etag::of(json.as_bytes(), &headers)) {
            headers.insert(ETAG, tag);
        }
        Ok(Arc::new(ListAnswer { json: json.into(), headers }))
    }

    async fn create(
        &'static self,
        CognitoCaller { caller, .. }: CognitoCaller,
        db: web::Data<Db>,
        body: Body,
    ) -> Result<HttpResponse, Error> {
        self.check_permission(&caller, Verb::Add, None)?;
        let data = clean(self.writable(), &self.data(body, false).await?, false)?;
        let (asking, asked) = (caller.clone(), data.clone());
        let insertion = move || self.model.insertion(&asked, &asking.actor(Source::Api), asking.is_unchanged()?);
        let create = move |conn: &mut Connection, inserted| {
            if let Some(row) = self.model.saved_row(inserted)? {
                return Ok(row);
            }
            let caller = caller.refresh_from_db(conn)?;
            self.check_permission(&caller, Verb::Add, None)?;
            self.model.create(conn, &data, &caller.actor(Source::Api))
        };
        let row = db.insert(insertion, create).await?;
        let location = (LOCATION, format!("{}{}/", self.path(), row.id));
        Ok(HttpResponse::Created().content_type(ContentType::json()).insert_header(location).body(self.json(&row)?))
    }

    async fn retrieve(
        &'static self,
        CognitoCaller { caller, .. }: CognitoCaller,
        db: web::Data<Db>,
        id: web::Path<String>,
    ) -> Result<HttpResponse, Error> {
        self.check_permission(&caller, Verb::View, None)?;
        let id = id.into_inner();
        let row = db.read_one(move |conn| self.find(conn, &id)).await?;
        Ok(HttpResponse::Ok().content_type(ContentType::json()).body(self.json(&row)?))
    }

    /// PATCH may omit fields.
    async fn update(
        &'static self,
        CognitoCaller { caller, .. }: CognitoCaller,
        db: web::Data<Db>,
        body: Body,
    ) -> Result<HttpResponse, Error> {
        let change = Change::of(body.request());
        let is_partial = body.request().method() == Method::PATCH;
        // Permissions are checked before the body is read.
        let (asked, asking) = (change.id.clone(), caller.clone());
        db.read(move |conn| self.find_own(conn, &asked, &asking, Verb::Change)).await?;
        let data = self.data(body, is_partial).await?;
        let update = move |conn: &mut Connection| {
            let (caller, row) = self.find_to_change(conn, &caller, &change, Verb::Change)?;
            row.update(conn, &clean(self.writable(), &data, is_partial)?, &caller.actor(Source::Api))
        };
        let row = db.write(update).await?;
        Ok(HttpResponse::Ok().content_type(ContentType::json()).body(self.json(&row)?))
    }

    async fn destroy(
        &'static self,
        CognitoCaller { caller, .. }: CognitoCaller,
        db: web::Data<Db>,
        request: HttpRequest,
    ) -> Result<HttpResponse, Error> {
        let change = Change::of(&request);
        let destroy = move |conn: &mut Connection| {
            let (caller, row) = self.find_to_change(conn, &caller, &change, Verb::Delete)?;
            row.delete(conn, &mut Catalog::default(), &caller.actor(Source::Api))
        };
        db.write(destroy).await?;
        Ok(HttpResponse::NoContent().finish())
    }

    /// HTML forms omit unchecked boxes, which count as false except in a PATCH.
    async fn data(&self, body: Body, is_partial: bool) -> Result<Data, Error> {
        let is_form = !is_partial && body.is_form();
        let mut data = body.data().await?;
        for field in self.writable().filter(|field| is_form && matches!(field.kind, Kind::Boolean)) {
            data.entry(field.name.to_owned()).or_insert(Input::Boolean(false));
        }
        Ok(data)
    }

    fn json(&self, row: &Row) -> Result<String, Error> {
        render::json(&row.serialized(&self.names()))
    }

    /// A number too large for an id is 404.
    fn find(&self, conn: &mut Connection, id: &str) -> Result<Row, Error> {
        let found = match id.parse() {
            Ok(id) => self.model.find(conn, id)?,
            Err(_) => None,
        };
        found.ok_or(Error::NoSuchObject(self.model.name))
    }

    fn find_own(&self, conn: &mut Connection, id: &str, caller: &Caller, verb: Verb) -> Result<Row, Error> {
        if let Caller::ServiceAccount { .. } = caller {
            // It may not even be allowed to see which rows there are.
            self.check_permission(caller, verb, None)?;
        }
        let row = self.find(conn, id)?;
        self.check_permission(caller, verb, Some(&row))?;
        Ok(row)
    }

    /// Fails unless the caller may change the row and `If-Match` names its current version.
    fn find_to_change(
        &self,
        conn: &mut Connection,
        caller: &Caller,
        change: &Change,
        verb: Verb,
    ) -> Result<(Caller, Row), Error> {
        let caller = caller.refresh_from_db(conn)?;
        let row = self.find_own(conn, &change.id, &caller, verb)?;
        change.condition.check(self.json(&row)?.as_bytes())?;
        Ok((caller, row))
    }
}

#[derive(Clone)]
struct Change {
    id: String,
    condition: IfMatch,
}

impl Change {
    fn of(request: &HttpRequest) -> Change {
        let id = request.match_info().query("id").to_owned();
        Change { id, condition: IfMatch::from_headers(request.headers()) }
    }
}
