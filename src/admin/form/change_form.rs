//! The forms that add a row and change one.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::conflict::{Basis, Conflict};
use super::fields;
use super::model_form::{Gone, ModelForm, Outcome};
use super::page::{ChangeFormPage, FormContent};
use crate::admin::addresses::{Addresses, redirect_after};
use crate::admin::auth::credentials::Credentials;
use crate::admin::auth::staff::StaffUser;
use crate::admin::default_admin::initial;
use crate::admin::form_data::{FormData, PostForm};
use crate::admin::message::Message;
use crate::admin::model_admin::Options;
use crate::admin::pages::{Frame, page, see_other};
use crate::admin::site::Site;
use crate::db::Db;
use crate::error::{Error, FieldErrors};
use crate::users::permissions::Verb;

impl ModelForm {
    /// The page with this form, which could not be saved.
    async fn show_errors(
        self,
        errors: FieldErrors,
        db: &Db,
        request: &HttpRequest,
        staff: &StaffUser,
    ) -> Result<HttpResponse, Error> {
        ModelForm { errors, ..self }.show(StatusCode::BAD_REQUEST, db, request, staff).await
    }

    /// The page with this form.
    async fn show(
        self,
        status: StatusCode,
        db: &Db,
        request: &HttpRequest,
        staff: &StaffUser,
    ) -> Result<HttpResponse, Error> {
        let (options, id, site, viewer) = (self.options, self.id, self.site.clone(), staff.staff.clone());
        let form = db.read(move |conn| FormContent::of(conn, self, &viewer)).await?;
        let addresses = Addresses::new(options, id, request);
        let frame = addresses.frame(request, &site, staff, form.title.clone());
        page(status, &ChangeFormPage { frame, options, addresses, form })
    }
}

/// The form of a new row; fields can be filled in by the query: `?name=...`.
pub async fn add_form(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    request: HttpRequest,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let mut form = ModelForm::new(&site, &slug, None)?;
    staff.require(form.options, Verb::Add)?;
    let given = FormData::parse(request.query_string().as_bytes());
    form.values = initial(form.options);
    form.values.0.extend(fields::parse(form.options, &given).0.into_iter().filter(|(name, _)| given.has(name)));
    form.show(StatusCode::OK, &db, &request, &staff).await
}

/// Adds a row.
pub async fn add(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    credentials: web::Data<Credentials>,
    request: HttpRequest,
    slug: web::Path<String>,
    PostForm(data): PostForm,
) -> Result<HttpResponse, Error> {
    let mut form = ModelForm::new(&site, &slug, None)?;
    staff.require(form.options, Verb::Add)?;
    form.values = fields::parse(form.options, &data);
    let hash = match fields::new_password(form.options, &data, &form.values) {
        Ok(Some(password)) => Some(credentials.hasher.hash(password).await?),
        Ok(None) => None,
        Err(errors) => {
            form.errors = errors;
            None
        }
    };
    let (new, staff_id) = (form.clone(), staff.staff.user.id);
    match db.write(move |conn| new.create(conn, hash, staff_id)).await {
        Ok(saved) => Ok(answer_saved(&staff, form.options, &request, &data, saved, "added")),
        Err(Error::Invalid(errors)) => form.show_errors(errors, &db, &request, &staff).await,
        Err(error) => Err(error),
    }
}

/// The form of a row; for whoever may not change it, to be read.
pub async fn change_form(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let form = ModelForm::new(&site, &path.0, Some(&path.1))?;
    staff.require(form.options, Verb::View)?;
    let (options, id, viewer) = (form.options, form.id, staff.staff.clone());
    match db.read(move |conn| form.load(conn, &viewer)).await? {
        Ok(form) => form.show(StatusCode::OK, &db, &request, &staff).await,
        Err(gone) => gone_page(&request, &site, &staff, options, id, gone),
    }
}

/// The address of a row without anything else, as Django has it: leads to the form.
pub async fn to_change_form(
    staff: StaffUser,
    site: web::Data<Site>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let options = site.get(&path.0)?.options();
    let id = options.parse_id(&path.1)?;
    staff.require(options, Verb::View)?;
    if options.fields().next().is_none() {
        return Err(Error::NoSuchObject(options.name()));
    }
    Ok(see_other(&Addresses::new(options, Some(id), &request).change()))
}

/// Changes a row, unless somebody else has done so meanwhile.
pub async fn change(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    PostForm(data): PostForm,
) -> Result<HttpResponse, Error> {
    let mut form = ModelForm::new(&site, &path.0, Some(&path.1))?;
    let options = form.options;
    staff.require(options, Verb::Change)?;
    form.values = fields::parse(options, &data);
    form.basis = Basis::parse(&data);
    if let Some(basis) = &form.basis {
        basis.keep_theirs(options, &data, &mut form.values);
    }
    let (edit, staff_id) = (form.clone(), staff.staff.user.id);
    match db.write(move |conn| edit.update(conn, staff_id)).await {
        Ok(Outcome::Saved(id, title)) => Ok(answer_saved(&staff, options, &request, &data, (id, title), "changed")),
        Ok(Outcome::Conflict(conflict)) => {
            let addresses = Addresses::new(options, form.id, &request);
            let frame = addresses.frame(&request, &site, &staff, format!("Someone else changed “{}”", conflict.title));
            page(StatusCode::CONFLICT, &ConflictPage { frame, options, addresses, conflict })
        }
        Ok(Outcome::Gone(gone)) => gone_page(&request, &site, &staff, options, form.id, gone),
        Err(Error::Invalid(errors)) => form.show_errors(errors, &db, &request, &staff).await,
        Err(error) => Err(error),
    }
}

#[derive(Template)]
#[template(path = "admin/conflict.html")]
struct ConflictPage {
    frame: Frame,
    options: &'static Options,
    addresses: Addresses,
    conflict: Conflict,
}

#[derive(Template)]
#[template(path = "admin/gone.html")]
struct GonePage {
    frame: Frame,
    options: &'static Options,
    addresses: Addresses,
    gone: Gone,
}

fn gone_page(
    request: &HttpRequest,
    site: &Site,
    staff: &StaffUser,
    options: &'static Options,
    id: Option<i64>,
    gone: Gone,
) -> Result<HttpResponse, Error> {
    let addresses = Addresses::new(options, id, request);
    let frame = addresses.frame(request, site, staff, format!("This {} no longer exists", options.label()));
    page(StatusCode::NOT_FOUND, &GonePage { frame, options, addresses, gone })
}

/// Tells what was done and goes where the pressed button leads.
fn answer_saved(
    staff: &StaffUser,
    options: &'static Options,
    request: &HttpRequest,
    data: &FormData,
    (id, title): (i64, String),
    done: &str,
) -> HttpResponse {
    let addresses = Addresses::new(options, Some(id), request);
    let text = format!("The {} “{title}” was {done} successfully.", options.label());
    let rights = &staff.staff.rights;
    staff.tell(if data.has("_continue") {
        Message::success(format!("{text} You may edit it again below."))
    } else if data.has("_addanother") {
        Message::success(format!("{text} You may add another {} below.", options.label()))
    } else if options.allow(rights, Verb::View) {
        Message::success(text).about(addresses.change(), "Open")
    } else {
        Message::success(text)
    });
    see_other(&redirect_after(&addresses, options, rights, data))
}
