//! The forms that add a row and change one.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use diesel::QueryResult;

use super::conflict::{Basis, Conflict, hidden};
use super::field_views::shown;
use super::fields;
use super::page::{ChangeFormPage, FormContent};
use crate::admin::addresses::{Addresses, redirect_after};
use crate::admin::auth::credentials::Credentials;
use crate::admin::auth::staff::StaffUser;
use crate::admin::form_data::{FormData, PostForm};
use crate::admin::model_admin::{ModelAdmin, Options, Staff, Values};
use crate::admin::pages::{Frame, Message, page, see_other};
use crate::admin::site::Site;
use crate::db::{Connection, Db};
use crate::error::{Error, FieldErrors};
use crate::history;
use crate::history::deleted_rows;
use crate::users::permissions::Verb;

/// A form with all that its page and its saving take.
#[derive(Clone)]
pub struct Form {
    /// All models.
    pub site: Arc<Site>,
    /// Which of them it is.
    pub options: &'static Options,
    /// Which row; `None` for a new one.
    pub id: Option<i64>,
    /// What is entered.
    pub values: Values,
    /// What is wrong with it.
    pub errors: FieldErrors,
    /// What a row's form was made from.
    pub basis: Option<Basis>,
}

impl Form {
    fn new(site: &web::Data<Site>, slug: &str, id: Option<&str>) -> Result<Form, Error> {
        let options = site.get(slug)?.options();
        let id = id.map(|id| options.parse_id(id)).transpose()?;
        let (values, errors) = (Values::default(), FieldErrors::default());
        Ok(Form { site: site.clone().into_inner(), options, id, values, errors, basis: None })
    }

    /// The model.
    pub fn model(&self) -> Result<&dyn ModelAdmin, Error> {
        self.site.get(self.options.slug)
    }

    /// The page with this form, which could not be saved.
    async fn show_errors(
        self,
        errors: FieldErrors,
        db: &Db,
        request: &HttpRequest,
        staff: &StaffUser,
    ) -> Result<HttpResponse, Error> {
        Form { errors, ..self }.show(StatusCode::BAD_REQUEST, db, request, staff).await
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
    let mut form = Form::new(&site, &slug, None)?;
    staff.require(form.options, Verb::Add)?;
    let given = FormData::parse(request.query_string().as_bytes());
    form.values = form.model()?.initial();
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
    let mut form = Form::new(&site, &slug, None)?;
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
    let form = Form::new(&site, &path.0, Some(&path.1))?;
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
    if options.fieldsets.is_empty() {
        return Err(Error::NoSuchObject(options.label));
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
    let mut form = Form::new(&site, &path.0, Some(&path.1))?;
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
            let frame = addresses.frame(&request, &site, &staff, format!("{} was changed meanwhile", conflict.title));
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
    let frame = addresses.frame(request, site, staff, format!("This {} is gone", options.label));
    page(StatusCode::NOT_FOUND, &GonePage { frame, options, addresses, gone })
}

/// A row that was deleted, perhaps while its form was open.
struct Gone {
    /// What was typed, if anything, by the fields' names for people.
    typed: Vec<(&'static str, String)>,
    /// The same, for a form that adds a row.
    hidden: Vec<(String, String)>,
    /// What brings it back, if anything can.
    batch: Option<String>,
    may_add: bool,
}

/// What became of a form.
enum Outcome {
    Saved(i64, String),
    Conflict(Conflict),
    Gone(Gone),
}

impl Form {
    /// The form with the row's values; or where it was deleted, how it can come back.
    fn load(mut self, conn: &mut Connection, staff: &Staff) -> Result<Result<Form, Gone>, Error> {
        let (id, options) = (self.id.unwrap_or(0), self.options);
        let model = self.site.get(options.slug)?;
        let Some(values) = model.load(conn, id)? else {
            return match history::version(conn, options.name, id)? > 0 {
                true => Ok(Err(gone(conn, model, &self.site, id, staff, &Values::default())?)),
                false => Err(Error::NoSuchObject(options.label)),
            };
        };
        self.values = values;
        self.basis = Some(Basis::of(conn, options, id, self.values.clone())?);
        Ok(Ok(self))
    }

    /// Creates the row, with a password's hash if it has one, and tells its id and its name. What was wrong
    /// before undoes that, but by then all other errors are known as well.
    fn create(self, conn: &mut Connection, hash: Option<String>, staff_id: i64) -> Result<(i64, String), Error> {
        let model = self.site.get(self.options.slug)?;
        let staff = Staff::find(conn, staff_id)?;
        staff.require(self.options, Verb::Add)?;
        let values = fields::restrict(conn, model, &self.site, &staff, &Values::default(), self.values);
        let created = values.and_then(|values| {
            let values = if let Some(hash) = hash { values.with("password", hash) } else { values };
            model.save(conn, None, &values, &staff)
        });
        let mut errors = match created {
            Ok(id) if self.errors.0.is_empty() => {
                return Ok((id, self.options.title_of(conn, id)?.unwrap_or_default()));
            }
            Ok(_) => FieldErrors::default(),
            Err(Error::Invalid(errors)) => errors,
            Err(error) => return Err(error),
        };
        errors.0.extend(self.errors.0);
        Err(errors.into())
    }

    fn update(self, conn: &mut Connection, staff_id: i64) -> Result<Outcome, Error> {
        let Form { site, options, values, basis, .. } = self;
        let (model, id) = (site.get(options.slug)?, self.id.unwrap_or(0));
        let staff = Staff::find(conn, staff_id)?;
        staff.require(options, Verb::Change)?;
        let Some(current) = model.load(conn, id)? else {
            return Ok(Outcome::Gone(gone(conn, model, &site, id, &staff, &values)?));
        };
        if !staff.may(conn, model, Verb::Change, id)? {
            return Err(Error::PermissionDenied);
        }
        let values = fields::restrict(conn, model, &site, &staff, &current, values)?;
        if let Some(basis) = basis.filter(|basis| basis.is_stale(options, &current)) {
            return Ok(Outcome::Conflict(Conflict::new(conn, model, &site, id, &basis, &values, &current)?));
        }
        let id = model.save(conn, Some(id), &values, &staff)?;
        Ok(Outcome::Saved(id, options.title_of(conn, id)?.unwrap_or_default()))
    }
}

fn gone(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    site: &Site,
    id: i64,
    staff: &Staff,
    values: &Values,
) -> QueryResult<Gone> {
    let options = model.options();
    let mut typed = Vec::new();
    for field in options.fields().filter(|field| values.has(field.name)) {
        typed.push((field.label, shown(conn, model, site, field, values)?.join(", ")));
    }
    let may_add = options.allow(&staff.rights, Verb::Add);
    let batch = if may_add { deleted_rows::batch_of(conn, options.name, id)? } else { None };
    Ok(Gone { typed, hidden: hidden(options, values), batch, may_add })
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
    let text = format!("The {} “{title}” was {done} successfully.", options.label);
    let rights = &staff.staff.rights;
    staff.tell(if data.has("_continue") {
        Message::success(format!("{text} You may edit it again below."))
    } else if data.has("_addanother") {
        Message::success(format!("{text} You may add another {} below.", options.label))
    } else if options.allow(rights, Verb::View) {
        Message::success(text).about(addresses.change(), "Open it")
    } else {
        Message::success(text)
    });
    see_other(&redirect_after(&addresses, options, rights, data))
}
