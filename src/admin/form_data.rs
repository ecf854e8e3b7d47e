//! What a form of ours sends: [`PostForm`], which is read only after its CSRF token has been checked.

use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::future::LocalBoxFuture;

use crate::admin::auth::csrf;
use crate::admin::auth::staff::{StaffUser, sign_in_required};
use crate::error::Error;
use crate::http::body::Body;
use crate::http::forms::{form_fields, parts};
use crate::http::media_type::{FORM, MULTIPART};

/// Fields that a form may have; Django allows 1000, and lists its selected rows one by one.
const MOST_FIELDS: usize = 10_000;

/// The fields of a form, in the order of the page; a name may be there more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormData(pub Vec<(String, String)>);

impl FormData {
    /// The fields of a query string.
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
            let form = read(body.await?).await?;
            csrf::check_token(&request, form.get(csrf::FIELD))?;
            Ok(PublicForm(form))
        })
    }
}

async fn read(mut body: Body) -> Result<FormData, Error> {
    let (media_type, charset) = body.media_type()?;
    if media_type.essence() != FORM {
        return Err(body.unsupported());
    }
    let form = FormData(form_fields(&body.content().await?, charset)?);
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
            let form = read_upload(body.await?).await?;
            csrf::check_token(&request, form.data.get(csrf::FIELD))?;
            Ok(form)
        })
    }
}

async fn read_upload(mut body: Body) -> Result<UploadForm, Error> {
    let (media_type, charset) = body.media_type()?;
    if media_type.essence() != MULTIPART {
        return Err(body.unsupported());
    }
    let mut form = UploadForm { data: FormData::default(), file: None };
    for part in parts(&media_type, body.content().await?).await? {
        match &part.file_name {
            Some(name) => form.file = Some(UploadedFile { name: name.clone(), content: part.file_content()? }),
            None => form.data.0.push((part.name.clone(), part.text(charset)?)),
        }
    }
    Ok(form)
}
