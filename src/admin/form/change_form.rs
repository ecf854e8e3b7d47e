//! The forms that add a row and change one.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::conflict::{Basis, Conflict};
use super::fields;
use super::model_form::{Gone, ModelForm, Outcome};
use super::page::{ChangeFormPage, FormContent};
use crate::admin::addresses::{Addresses, redirect_after};
use crate::admin::auth::credentials::Credentials;
use crate::admin::context::AdminContext;
use crate::admin::default_admin::initial;
use crate::admin::form_data::{FormData, PostForm};
use crate::admin::message::Message;
use crate::admin::model_admin::Options;
use crate::admin::pages::{Frame, page, see_other};
use crate::error::{Error, FieldErrors};
use crate::users::permissions::Verb;

impl ModelForm {
    async fn show(self, cx: &AdminContext, status: StatusCode) -> Result<HttpResponse, Error> {
        let (options, id) = (self.options, self.id);
        let form = cx.read(move |conn, site, staff| FormContent::of(conn, site, staff, self)).await?;
        let addresses = Addresses::new(cx, options, id);
        let frame = addresses.frame(cx, form.title.clone());
        page(status, &ChangeFormPage { frame, options, addresses, form })
    }

    async fn show_errors(self, cx: &AdminContext, errors: FieldErrors) -> Result<HttpResponse, Error> {
        ModelForm { errors, ..self }.show(cx, StatusCode::BAD_REQUEST).await
    }
}

/// The query may fill in fields: `?name=...`.
pub async fn add_form(cx: AdminContext) -> Result<HttpResponse, Error> {
    let options = cx.model(Verb::Add)?;
    let mut form = ModelForm::new(options, None);
    let given = FormData::parse(cx.request.query_string().as_bytes());
    form.values = initial(options, &cx.staff.staff);
    form.values.0.extend(fields::parse(options, &given).0.into_iter().filter(|(name, _)| given.has(name)));
    form.show(&cx, StatusCode::OK).await
}

pub async fn add(
    cx: AdminContext,
    credentials: web::Data<Credentials>,
    PostForm(data): PostForm,
) -> Result<HttpResponse, Error> {
    let options = cx.model(Verb::Add)?;
    let mut form = ModelForm::new(options, None);
    form.values = fields::parse(options, &data);
    let hash = match fields::new_password(options, &data, &form.values) {
        Ok(Some(password)) => Some(credentials.hasher.hash(password).await?),
        Ok(None) => None,
        Err(errors) => {
            form.errors = errors;
            None
        }
    };
    let new = form.clone();
    match cx.write(move |conn, site, staff| new.create(conn, site, staff, hash)).await {
        Ok(saved) => Ok(answer_saved(&cx, options, &data, saved, "added")),
        Err(Error::Invalid(errors)) => form.show_errors(&cx, errors).await,
        Err(error) => Err(error),
    }
}

pub async fn change_form(cx: AdminContext) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    let form = ModelForm::new(options, Some(id));
    match cx.read(move |conn, site, staff| form.load(conn, site, staff)).await? {
        Ok(form) => form.show(&cx, StatusCode::OK).await,
        Err(gone) => gone_page(&cx, options, id, gone),
    }
}

/// `/admin/<slug>/<id>/` leads to the form, as in Django.
pub async fn to_change_form(cx: AdminContext) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    if options.fieldsets.is_empty() {
        return Err(Error::NoSuchObject(options.name()));
    }
    Ok(see_other(&Addresses::new(&cx, options, Some(id)).change()))
}

/// Saves nothing if someone else has changed the row since the form was opened.
pub async fn change(cx: AdminContext, PostForm(data): PostForm) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Change)?;
    let mut form = ModelForm::new(options, Some(id));
    form.values = fields::parse(options, &data);
    form.basis = Basis::parse(&data);
    if let Some(basis) = &form.basis {
        basis.keep_untouched(options, &mut form.values);
        basis.keep_theirs(options, &data, &mut form.values);
    }
    let edit = form.clone();
    match cx.write(move |conn, site, staff| edit.update(conn, site, staff)).await {
        Ok(Outcome::Saved(id, title)) => Ok(answer_saved(&cx, options, &data, (id, title), "changed")),
        Ok(Outcome::Conflict(conflict)) => conflict_page(&cx, options, id, conflict),
        Ok(Outcome::Gone(gone)) => gone_page(&cx, options, id, gone),
        Err(Error::Invalid(errors)) => form.show_errors(&cx, errors).await,
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

fn conflict_page(
    cx: &AdminContext,
    options: &'static Options,
    id: i64,
    conflict: Conflict,
) -> Result<HttpResponse, Error> {
    let addresses = Addresses::new(cx, options, Some(id));
    let frame = addresses.frame(cx, format!("Someone else changed “{}”", conflict.title));
    page(StatusCode::CONFLICT, &ConflictPage { frame, options, addresses, conflict })
}

fn gone_page(cx: &AdminContext, options: &'static Options, id: i64, gone: Gone) -> Result<HttpResponse, Error> {
    let addresses = Addresses::new(cx, options, Some(id));
    let frame = addresses.frame(cx, format!("This {} no longer exists", options.label()));
    page(StatusCode::NOT_FOUND, &GonePage { frame, options, addresses, gone })
}

fn answer_saved(
    cx: &AdminContext,
    options: &'static Options,
    data: &FormData,
    (id, title): (i64, String),
    done: &str,
) -> HttpResponse {
    let addresses = Addresses::new(cx, options, Some(id));
    let text = format!("The {} “{title}” was {done} successfully.", options.label());
    let rights = cx.rights();
    cx.staff.tell(if data.has("_continue") {
        Message::success(format!("{text} You may edit it again below."))
    } else if data.has("_addanother") {
        Message::success(format!("{text} You may add another {} below.", options.label()))
    } else if options.has_permission(rights, Verb::View) {
        Message::success(text).about(addresses.change(), "Open")
    } else {
        Message::success(text)
    });
    see_other(&redirect_after(&addresses, options, rights, data))
}
