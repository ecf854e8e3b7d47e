//! The forms of our pages: [`PostForm`] is read only after its CSRF token is checked.

use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::future::LocalBoxFuture;

use crate::admin::auth::csrf;
use crate::admin::auth::next::own_path;
use crate::admin::auth::staff::StaffUser;
use crate::error::Error;
use crate::http::body::Body;
use crate::http::forms::{form_fields, parts};
use crate::http::media_type::{FORM, MULTIPART};

/// Django allows 1000; each selected row of a list is a field.
const MOST_FIELDS: usize = 10_000;

/// In the order of the page; names may repeat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormData(pub Vec<(String, String)>);

impl FormData {
    pub fn parse(text: &[u8]) -> FormData {
        FormData(form_urlencoded::parse(text).into_owned().collect())
    }

    pub fn of_query(request: &HttpRequest) -> FormData {
        FormData::parse(request.query_string().as_bytes())
    }

    /// The last of several equal names counts.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The page to go on with, as queries and forms of the sign-in name it.
    pub fn next_page(&self) -> String {
        own_path(self.get("next").unwrap_or_default())
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
        let form = StaffUser::signed_in(request).map(|_| PublicForm::from_request(request, payload));
        Box::pin(async { form?.await.map(|PublicForm(form)| PostForm(form)) })
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
            let form = read(body.await?).await?;
            csrf::check_token(&request, form.get(csrf::FIELD))?;
            Ok(PublicForm(form))
        })
    }
}

pub async fn read(mut body: Body) -> Result<FormData, Error> {
    let (media_type, charset) = body.media_type()?;
    if media_type.essence() != FORM {
        return Err(body.unsupported());
    }
    let form = FormData(form_fields(&body.content().await?, charset)?);
    check_number(&form)?;
    Ok(form)
}

fn check_number(form: &FormData) -> Result<(), Error> {
    if form.0.len() > MOST_FIELDS {
        return Err(Error::Parse(format!("The form has more than {MOST_FIELDS} fields.")));
    }
    Ok(())
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
        let request = request.clone();
        let body = StaffUser::signed_in(&request).map(|_| Body::from_request(&request, payload));
        Box::pin(async move {
            let form = read_upload(body?.await?).await?;
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
    check_number(&form.data)?;
    Ok(form)
}
