//! The admin's table of URLs, and what its handlers share.

use actix_web::body::BoxBody;
use actix_web::cookie::Key;
use actix_web::dev::ServiceRequest;
use actix_web::middleware::{Next, from_fn};
use actix_web::{Resource, Route, web};

use super::auth::credentials::Credentials;
use super::auth::device::Devices;
use super::auth::external::{SignInMethods, SignInResource};
use super::auth::session::DatabaseSessions;
use super::auth::session_cookies::SessionCookies;
use super::auth::staff::StaffUser;
use super::auth::throttle::Throttle;
use super::auth::{origin, password_change, second_factor, session, sessions, sign_in, staff, user_password};
use super::figures::Kept;
use super::form::{change_form, delete};
use super::history::undo;
use super::jobs::job::Running;
use super::list::recent::Recent;
use super::list::{actions, change_list, display, export, neighbours, related_list, saved_views};
use super::site::Site;
use super::{errors, history, import, index, jobs, search, theme};
use crate::db::Db;
use crate::db::kept_keys;
use crate::error::Error;
use crate::http::cookies::Cookies;
use crate::http::routes::{get, not_allowed};
use crate::users::password::Hasher;
use crate::users::permissions::{Rights, Verb};
use crate::users::second_factor::{FactorKey, KeySource, Required};
use crate::users::sessions::SessionLimits;

#[derive(Clone)]
pub struct Admin {
    sessions: web::Data<DatabaseSessions>,
    site: web::Data<Site>,
    cookies: web::Data<Cookies>,
    credentials: web::Data<Credentials>,
    limits: web::Data<SessionLimits>,
    methods: web::Data<SignInMethods>,
    session_cookies: web::Data<SessionCookies>,
    jobs: web::Data<Running>,
    figures: web::Data<Kept>,
    lists: web::Data<Recent<change_list::Listed>>,
    histories: web::Data<Recent<history::pages::Listed>>,
}

#[derive(Clone)]
pub struct AdminSettings {
    /// Whether browsers send the cookies over TLS only.
    pub secure_cookies: bool,
    pub session_limits: SessionLimits,
    pub max_failures: u32,
    /// How staff can sign in.
    pub methods: SignInMethods,
    pub second_factor_key: KeySource,
    pub second_factor_required: Required,
}

impl Admin {
    /// Creates keys if the database has none yet.
    pub async fn open(db: &Db, site: Site, settings: AdminSettings) -> Result<Admin, Error> {
        let keys = db.write(|conn| {
            let of_sessions = kept_keys::find_or_create(conn, "session_cookie")?;
            Ok((of_sessions, kept_keys::find_or_create(conn, "device_cookie")?))
        });
        let (session_key, device_key) = keys.await?;
        let throttle = Throttle { max_failures: settings.max_failures };
        let cookies = Cookies { secure: settings.secure_cookies };
        let sessions = DatabaseSessions::new(db.clone(), settings.session_limits, settings.second_factor_required);
        let session_cookies = SessionCookies { sessions: sessions.clone(), cookies, key: Key::from(&session_key) };
        Ok(Admin {
            sessions: web::Data::new(sessions),
            site: web::Data::new(site),
            cookies: web::Data::new(cookies),
            credentials: web::Data::new(Credentials {
                db: db.clone(),
                hasher: Hasher::default(),
                throttle,
                devices: Devices::new(&device_key),
                factor_key: FactorKey::new(settings.second_factor_key),
            }),
            limits: web::Data::new(settings.session_limits),
            methods: web::Data::new(settings.methods),
            jobs: web::Data::default(),
            figures: web::Data::default(),
            lists: web::Data::default(),
            histories: web::Data::default(),
            session_cookies: web::Data::new(session_cookies),
        })
    }

    pub fn urls(&self, app: &mut web::ServiceConfig) {
        let chosen = self.session_cookies.get_ref().clone();
        let session = session::middleware(chosen.sessions.clone(), chosen.cookies, chosen.key.clone());
        let mut scope = web::scope("/admin");
        for SignInResource { path, allow, route } in
            self.methods.external.iter().flat_map(|external| (external.resources)())
        {
            scope = scope.service(resource(path.trim_start_matches("/admin"), allow, vec![route]));
        }
        for resource in resources(&self.site) {
            scope = scope.service(resource);
        }
        app.app_data(self.sessions.clone())
            .app_data(self.site.clone())
            .app_data(self.cookies.clone())
            .app_data(self.credentials.clone())
            .app_data(self.limits.clone())
            .app_data(self.methods.clone())
            .app_data(self.session_cookies.clone())
            .app_data(self.jobs.clone())
            .app_data(self.figures.clone())
            .app_data(self.lists.clone())
            .app_data(self.histories.clone())
            .service(
                // The last one is the outermost.
                scope
                    .default_service(web::to(errors::not_found))
                    .wrap(from_fn(origin::check_origin))
                    .wrap(from_fn(staff::authenticate))
                    .wrap(from_fn(errors::error_pages))
                    .wrap(session)
                    .wrap(from_fn(move |request, next| chosen.clone().apply(request, next)))
                    .wrap(from_fn(errors::surround)),
            );
    }
}

/// Fixed words come before `{slug}` and `{id}`, which match them too.
fn resources(site: &Site) -> Vec<Resource> {
    const READ: &str = "GET, HEAD";
    const FORM: &str = "GET, HEAD, POST";
    const POST: &str = "POST";
    let post = web::post;
    let mut resources = vec![
        resource("/", READ, vec![get().to(index::index)]),
        resource("/login/", FORM, vec![get().to(sign_in::sign_in_page), post().to(sign_in::sign_in)]),
        resource(
            "/login/code/",
            FORM,
            vec![get().to(second_factor::code::form), post().to(second_factor::code::submit)],
        ),
        resource("/logout/", POST, vec![post().to(sign_in::sign_out)]),
        resource("/password_change/", FORM, vec![get().to(password_change::form), post().to(password_change::submit)]),
        resource(
            "/second_factor/",
            FORM,
            vec![get().to(second_factor::page::form), post().to(second_factor::steps::submit)],
        ),
        resource("/theme/", POST, vec![post().to(theme::choose)]),
        resource("/sessions/revoke-others/", POST, vec![post().to(sessions::revoke_others)]),
        resource("/sessions/{id}/revoke/", POST, vec![post().to(sessions::revoke)]),
        resource("/search/", READ, vec![get().to(search::search_page)]),
        resource("/undo/", POST, vec![post().to(undo::undo)]),
        resource("/jobs/{id}/", READ, vec![get().to(jobs::page::show)]),
        resource("/users/{id}/password/", FORM, vec![get().to(user_password::form), post().to(user_password::submit)]),
        resource("/history/", READ, vec![get().to(history::pages::history_list)]),
    ];
    resources.extend(
        site.pages().map(|page| {
            resource(&format!("/{}/", page.slug), page.allow, guarded((page.routes)(), page.has_permission))
        }),
    );
    for options in site.options() {
        let path = |name: &str| format!("/{{slug:{}}}/{{id}}/{name}/", options.slug());
        let tabs = options.tabs.iter().copied().chain(site.registered_tabs(options));
        let tabs = tabs.map(|tab| {
            let has_permission =
                |rights: &Rights| options.has_permission(rights, Verb::View) && (tab.has_permission)(rights);
            resource(&path(tab.name), tab.allow, guarded((tab.routes)(), has_permission))
        });
        let related = site.related(options).map(|related| path(&format!("{{related:{}}}", related.slug())));
        let related = related.map(|path| resource(&path, READ, vec![get().to(related_list::related_list)]));
        resources.extend(tabs.chain(related));
    }
    resources.extend([
        resource("/{slug}/", FORM, vec![get().to(change_list::change_list), post().to(actions::on_selected)]),
        resource("/{slug}/views/", POST, vec![post().to(saved_views::change)]),
        resource("/{slug}/autocomplete/", READ, vec![get().to(search::autocomplete)]),
        resource("/{slug}/display/", POST, vec![post().to(display::choose)]),
        resource("/{slug}/export/", READ, vec![get().to(export::export)]),
        resource("/{slug}/import/", FORM, vec![get().to(import::page::choose), post().to(import::page::upload)]),
        resource("/{slug}/import/{id}/", FORM, vec![get().to(import::page::show), post().to(import::page::start)]),
        resource("/{slug}/add/", FORM, vec![get().to(change_form::add_form), post().to(change_form::add)]),
        resource(
            "/{slug}/{id}/change/",
            FORM,
            vec![get().to(change_form::change_form), post().to(change_form::change)],
        ),
        resource("/{slug}/{id}/", READ, vec![get().to(change_form::to_change_form)]),
        resource("/{slug}/{id}/next/", READ, vec![get().to(neighbours::next)]),
        resource("/{slug}/{id}/previous/", READ, vec![get().to(neighbours::previous)]),
        resource("/{slug}/{id}/delete/", FORM, vec![get().to(delete::confirm), post().to(delete::delete)]),
        resource("/{slug}/{id}/history/", READ, vec![get().to(history::pages::object_history)]),
        resource("/{slug}/{id}/action/", FORM, vec![get().to(actions::confirm_one), post().to(actions::on_one)]),
    ]);
    resources
}

fn resource(path: &str, allow: &'static str, routes: Vec<Route>) -> Resource {
    let resource = routes.into_iter().fold(web::resource(path), Resource::route);
    resource.default_service(not_allowed(allow))
}

/// Only signed-in staff with the permission reach the handlers.
fn guarded(routes: Vec<Route>, has_permission: impl Fn(&Rights) -> bool + Copy + 'static) -> Vec<Route> {
    let check = move |request: ServiceRequest, next: Next<BoxBody>| async move {
        match StaffUser::signed_in(request.request()) {
            Ok(user) if has_permission(&user.staff.rights) => next.call(request).await,
            Ok(_) => Ok(request.error_response(Error::PermissionDenied)),
            Err(error) => Ok(request.error_response(error)),
        }
    };
    routes.into_iter().map(|route| route.wrap(from_fn(check))).collect()
}
