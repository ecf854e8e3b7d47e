//! All URLs, and the admin's models and pages.

use actix_web::{HttpResponse, web};

use super::{docs, health, openapi, status};
use crate::admin::history::model::HistoryAdmin;
use crate::admin::{self, Site};
use crate::api::ModelViewSet;
use crate::cognito::inspector_page;
use crate::http::routes::{get, read_only};
use crate::http::{assets, pages, well_known};
use crate::{articles, users};

/// A new resource adds a line to [`api`] and one to [`site`].
pub struct Resources {
    pub api: Vec<&'static ModelViewSet>,
    pub site: Site,
}

pub fn api() -> Vec<&'static ModelViewSet> {
    vec![&articles::api::ARTICLES]
}

/// In the order of the navigation.
pub fn site() -> Site {
    Site::default()
        .register(&articles::admin::ARTICLES)
        .register(users::admin::UserAdmin)
        .register(users::admin::GroupAdmin)
        .register(users::admin::ServiceAccountAdmin)
        .register(HistoryAdmin)
        .register_page(&admin::auth::sessions::PAGE)
        .register_page(&users::admin::REFUSALS)
        .register_page(&inspector_page::PAGE)
        .register_page(&status::PAGE)
}

/// All URLs that are neither in [`api`], nor below `/admin`, nor of a trigger.
pub(super) fn urls(app: &mut web::ServiceConfig, local_jwks: Option<&(String, String)>) {
    app.service(web::resource("/").route(get().to(pages::root)).default_service(web::to(pages::not_found)))
        .service(read_only("/healthz", get().to(health::healthz)))
        .service(read_only("/readyz", get().to(health::readyz)))
        .service(read_only("/openapi.json", get().to(openapi::json)))
        .service(read_only("/docs", get().to(docs::add_slash)))
        .service(read_only("/docs/", get().to(docs::page)))
        .service(read_only("/docs/{name}", get().to(docs::file)))
        .service(read_only("/favicon.ico", get().to(well_known::favicon)))
        .service(read_only("/robots.txt", get().to(well_known::robots)))
        .service(read_only("/.well-known/change-password", get().to(well_known::change_password)))
        .service(read_only("/static/{path:.*}", get().to(assets::serve)))
        .default_service(web::to(pages::not_found));
    if let Some((path, jwks)) = local_jwks.cloned() {
        let keys = move || {
            let jwks = jwks.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(jwks) }
        };
        app.service(read_only(&path, get().to(keys)));
    }
}
