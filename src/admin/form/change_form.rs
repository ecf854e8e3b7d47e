//! The forms that add a row and change one.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::conflict::{Basis, Conflict};
use super::fields::{self, WANTED};
use super::kept_form::{self, TypedForm};
use super::model_form::{Gone, ModelForm, Outcome};
use super::page::{ChangeFormPage, FormContent};
use crate::admin::addresses::Addresses;
use crate::admin::auth::credentials::Credentials;
use crate::admin::context::AdminContext;
use crate::admin::default_admin::initial;
use crate::admin::form_data::FormData;
use crate::admin::message::Message;
use crate::admin::model_admin::{Options, Staff};
use crate::admin::pages::{Frame, page, see_other};
use crate::admin::site::Site;
use crate::db::Connection;
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

/// The form as it was sent.
fn typed(options: &'static Options, id: Option<i64>, data: &FormData) -> ModelForm {
    let mut form = ModelForm::new(options, id);
    form.values = fields::parse(options, data);
    form.basis = id.and_then(|_| Basis::parse(data));
    if let Some(basis) = &form.basis {
        basis.keep_untouched(options, &mut form.values);
        basis.keep_theirs(options, data, &mut form.values);
    }
    form
}

/// Shows a form again that was sent without a session or in another one.
async fn restored(
    cx: &AdminContext,
    status: StatusCode,
    form: ModelForm,
    data: &FormData,
) -> Result<HttpResponse, Error> {
    let (options, id) = (form.options, form.id.unwrap_or(0));
    let wanted = data.get(WANTED).unwrap_or_default();
    let form = ModelForm { is_restored: true, values: form.values.clone().with(WANTED, wanted), ..form };
    match cx.read(move |conn, site, staff| form.restore(conn, site, staff)).await? {
        Ok(form) => form.show(cx, status).await,
        Err(gone) => gone_page(cx, options, id, gone),
    }
}

/// The query may fill in fields: `?name=...`.
pub async fn add_form(cx: AdminContext) -> Result<HttpResponse, Error> {
    let options = cx.model(Verb::Add)?;
    if let Some(data) = kept_form::find(&cx).await? {
        return restored(&cx, StatusCode::OK, typed(options, None, &data), &data).await;
    }
    let mut form = ModelForm::new(options, None);
    let given = FormData::of_query(&cx.request);
    form.values = initial(options, &cx.staff.staff);
    form.values.0.extend(fields::parse(options, &given).0.into_iter().filter(|(name, _)| given.has(name)));
    form.show(&cx, StatusCode::OK).await
}

pub async fn add(form: TypedForm, credentials: web::Data<Credentials>) -> Result<HttpResponse, Error> {
    let TypedForm { cx, data, is_stale } = form;
    let options = cx.model(Verb::Add)?;
    let mut form = typed(options, None, &data);
    if is_stale {
        return restored(&cx, StatusCode::FORBIDDEN, form, &data).await;
    }
    let hash = match fields::new_password(options, &data, &form.values) {
        Ok(Some(password)) => Some(credentials.hasher.hash(password).await?),
        Ok(None) => None,
        Err(errors) => {
            form.errors = errors;
            None
        }
    };
    let (new, kept) = (form.clone(), kept_form::asked(&cx.request));
    let create = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        kept_form::end(conn, kept, staff)?;
        new.create(conn, site, staff, hash)
    };
    match cx.write(create).await {
        Ok(saved) => Ok(answer_saved(&cx, options, &data, saved, "added")),
        Err(Error::Invalid(errors)) => form.show_errors(&cx, errors).await,
        Err(error) => Err(error),
    }
}

pub async fn change_form(cx: AdminContext) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    let may_change = options.has_permission(cx.rights(), Verb::Change);
    if let Some(data) = kept_form::find(&cx).await?.filter(|_| may_change) {
        return restored(&cx, StatusCode::OK, typed(options, Some(id), &data), &data).await;
    }
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
pub async fn change(TypedForm { cx, data, is_stale }: TypedForm) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Change)?;
    let form = typed(options, Some(id), &data);
    if is_stale {
        return restored(&cx, StatusCode::FORBIDDEN, form, &data).await;
    }
    let (edit, kept) = (form.clone(), kept_form::asked(&cx.request));
    let update = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let outcome = edit.update(conn, site, staff)?;
        if matches!(outcome, Outcome::Saved(..)) {
            kept_form::end(conn, kept, staff)?;
        }
        Ok(outcome)
    };
    match cx.write(update).await {
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
    see_other(&addresses.after(data, rights))
}
