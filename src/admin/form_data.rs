//! What a form of ours sends: [`PostForm`], which is read only after its CSRF token has been checked.

use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::mime::{self, Mime};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use futures_util::future::LocalBoxFuture;

use crate::admin::auth::csrf;
use crate::admin::auth::staff::{StaffUser, sign_in_required};
use crate::error::Error;
use crate::http::body::{Body, MaxBodyBytes};

/// Fields that a form may have; Django allows 1000, and lists its selected rows one by one.
const MOST_FIELDS: usize = 10_000;

/// The fields of a form, in the order of the page; a name may be there more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormData(pub Vec<(String, String)>);

impl FormData {
    /// The fields of a query string or of a form's body.
    pub fn parse(text: &[u8]) -> FormData {
        FormData(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The last field with this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All fields with this name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// The form that a page of ours has sent. Where nobody is signed in, it fails as [`StaffUser`] does.
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

/// A form that may come from who is not signed in.
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

/// A form with a file (RFC 7578), and as far as the guard goes, a [`PostForm`].
pub struct UploadForm {
    /// The fields.
    pub data: FormData,
    /// The last file, if there is any.
    pub file: Option<UploadedFile>,
}

/// A file as the browser sent it.
pub struct UploadedFile {
    /// Its name on the sender's machine.
    pub name: String,
    /// Its bytes.
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
