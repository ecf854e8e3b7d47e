//! The forms of our pages: [`PostForm`] is read only after its CSRF token is checked.

use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::mime::{self, Mime};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use futures_util::future::LocalBoxFuture;

use crate::admin::auth::csrf;
use crate::admin::auth::staff::{StaffUser, sign_in_required};
use crate::error::Error;
use crate::http::body::{Body, MaxBodyBytes};

/// Django allows 1000; each selected row of a list is a field.
const MOST_FIELDS: usize = 10_000;

/// In the order of the page; names may repeat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormData(pub Vec<(String, String)>);

impl FormData {
    pub fn parse(text: &[u8]) -> FormData {
        FormData(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The last of several equal names counts.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// Fails as [`StaffUser`] does if nobody is signed in.
pub struct PostForm(pub FormData);

impl FromRequest for PostForm {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<PostForm, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if StaffUser::of(request).is_none() {
            let error = sign_in_required(request);
            return Box::pin(async { Err(error) });
        }
        let form = PublicForm::from_request(request, payload);
        Box::pin(async { form.await.map(|PublicForm(form)| PostForm(form)) })
    }
}

pub struct PublicForm(pub FormData);

impl FromRequest for PublicForm {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<PublicForm, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = Body::from_request(&request, payload);
        Box::pin(async move {
            let form = read(&request, body.await?).await?;
            csrf::check_token(&request, form.get(csrf::FIELD))?;
            Ok(PublicForm(form))
        })
    }
}

async fn read(request: &HttpRequest, mut body: Body) -> Result<FormData, Error> {
    let header = request.headers().get(CONTENT_TYPE).map(HeaderValue::to_str).and_then(Result::ok);
    let content_type = header.unwrap_or_default();
    let is_form =
        content_type.parse::<Mime>().is_ok_and(|kind| kind.essence_str() == mime::APPLICATION_WWW_FORM_URLENCODED);
    if !is_form {
        return Err(Error::UnsupportedMediaType(content_type.to_owned()));
    }
    let limit = request.app_data::<web::Data<MaxBodyBytes>>().map_or(0, |limit| limit.0);
    let bytes = body.bytes(limit).await?;
    let form = FormData::parse(&bytes);
    if form.0.len() > MOST_FIELDS {
        return Err(Error::Parse(format!("The form has more than {MOST_FIELDS} fields.")));
    }
    Ok(form)
}

/// A form with a file (RFC 7578), guarded like [`PostForm`].
pub struct UploadForm {
    pub data: FormData,
    pub file: Option<UploadedFile>,
}

pub struct UploadedFile {
    pub name: String,
    pub content: Bytes,
}

impl FromRequest for UploadForm {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<UploadForm, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if StaffUser::of(request).is_none() {
            let error = sign_in_required(request);
            return Box::pin(async { Err(error) });
        }
        let request = request.clone();
        let body = Body::from_request(&request, payload);
        Box::pin(async move {
            let mut form = UploadForm { data: FormData::default(), file: None };
            for part in body.await?.parts().await? {
                match part.file_name {
                    Some(name) => form.file = Some(UploadedFile { name, content: part.content }),
                    None => form.data.0.push((part.name, String::from_utf8_lossy(&part.content).into_owned())),
                }
            }
            csrf::check_token(&request, form.data.get(csrf::FIELD))?;
            Ok(form)
        })
    }
}
