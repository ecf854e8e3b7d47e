//! [`StaffUser`], the admin's guard: a handler with this argument runs only for active, signed-in staff.

use std::cell::RefCell;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_session::{Session, SessionExt, SessionStatus};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderValue, REFERER};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::next::{sign_in_address, with_next};
use super::origin;
use super::proof::Proof;
use super::session::{self, DatabaseSessions, MESSAGES};
use crate::admin::message::Message;
use crate::admin::model_admin::{Options, Staff};
use crate::error::Error;
use crate::http::caller::CallerId;
use crate::users::models::User;
use crate::users::permissions::Verb;

/// The page where users set up a second factor.
pub const ENROLMENT: &str = "/admin/second_factor/";
/// Messages that wait in a session. Older ones are dropped.
const MOST_MESSAGES: usize = 20;

/// Fails with a redirect to the sign-in page.
#[derive(Clone)]
pub struct StaffUser {
    pub staff: Arc<Staff>,
    pub session_id: i64,
    pub csrf_token: String,
    pub proof: Proof,
    /// Whether the user may only set up a second factor.
    pub must_enrol: bool,
    pub(super) session: Session,
    /// Messages that this request has taken; an error page shows them again.
    taken: Rc<RefCell<Option<Vec<Message>>>>,
}

impl StaffUser {
    pub fn of(request: &HttpRequest) -> Option<StaffUser> {
        request.extensions().get::<StaffUser>().cloned()
    }

    /// Fails with a redirect to the sign-in page if there is none.
    pub fn signed_in(request: &HttpRequest) -> Result<StaffUser, Error> {
        StaffUser::of(request).ok_or_else(|| sign_in_required(request))
    }

    pub fn check_permission(&self, options: &Options, verb: Verb) -> Result<(), Error> {
        self.staff.check_permission(options, verb)
    }

    /// The next page shows the message.
    pub fn tell(&self, message: Message) {
        let mut messages = self.waiting();
        messages.push(message);
        let surplus = messages.len().saturating_sub(MOST_MESSAGES);
        messages.drain(..surplus);
        if let Err(error) = session::insert(&self.session, MESSAGES, messages) {
            log::error!("cannot store a message: {}", error.logged());
        }
    }

    fn waiting(&self) -> Vec<Message> {
        self.session.get(MESSAGES).ok().flatten().unwrap_or_default()
    }

    /// The same messages again within a request.
    pub fn take_messages(&self) -> Vec<Message> {
        self.taken
            .borrow_mut()
            .get_or_insert_with(|| {
                let messages = self.waiting();
                if !messages.is_empty() {
                    self.session.remove(MESSAGES);
                }
                messages
            })
            .clone()
    }

    /// Keeps the session after a change of the user's own password or second factor, under a new key. `user` has the new
    /// password. Returns the new CSRF token.
    pub fn renew_session(&self, user: &User, proof: &Proof) -> Result<String, Error> {
        session::renew(&self.session, user, proof)
    }

    pub fn sign_out(&self) {
        self.session.purge();
    }
}

impl FromRequest for StaffUser {
    type Error = Error;
    type Future = Ready<Result<StaffUser, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(StaffUser::signed_in(request))
    }
}

/// Redirects to the sign-in page, and from there back. A form is not sent again; its page is shown again.
pub fn sign_in_required(request: &HttpRequest) -> Error {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let referer = request.headers().get(REFERER).map(HeaderValue::to_str).and_then(Result::ok);
    let own = referer.filter(|referer| origin::is_this_site(request, referer)).and_then(|referer| referer.parse().ok());
    let next = if is_read { Some(request.uri()) } else { own.as_ref() };
    let next = next.and_then(|uri| uri.path_and_query()).map_or("/admin/", |target| target.as_str());
    Error::SignInRequired(sign_in_address(next))
}

/// Finds the user once per request, before everything else in the admin. Signs out users who have lost access.
pub async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let session = request.get_session();
    match find(request.request(), &session).await {
        Ok(Some(staff)) if staff.must_enrol && !is_open_before_enrolment(request.path()) => {
            let error = enrolment_required(request.request());
            return Ok(request.error_response(error));
        }
        Ok(Some(staff)) => {
            if let Some(id) = staff.staff.user_id() {
                request.extensions_mut().insert(CallerId::User(id));
            }
            request.extensions_mut().insert(staff);
        }
        Ok(None) => {}
        Err(error) => return Ok(request.error_response(error)),
    }
    let is_stale = StaffUser::of(request.request()).is_none() && !session.entries().is_empty();
    let response = next.call(request).await?.map_into_boxed_body();
    // Only now, and only if the handler has not started another session: a purged session stores nothing more.
    if is_stale && session.status() == SessionStatus::Unchanged {
        session.purge();
    }
    Ok(response)
}

/// What is open to users who must set up a second factor: that, the theme, and to sign out or in as somebody else.
fn is_open_before_enrolment(path: &str) -> bool {
    let word = path.strip_prefix("/admin/").and_then(|rest| rest.split('/').next());
    matches!(word, Some("second_factor" | "theme" | "login" | "logout"))
}

/// Redirects to the enrolment, and from there back. A form is refused.
fn enrolment_required(request: &HttpRequest) -> Error {
    match (request.method(), request.uri().path_and_query()) {
        (&Method::GET | &Method::HEAD, Some(target)) => Error::SignInRequired(with_next(ENROLMENT, target.as_str())),
        _ => Error::PermissionDenied,
    }
}

async fn find(request: &HttpRequest, session: &Session) -> Result<Option<StaffUser>, Error> {
    let sessions = request.app_data::<web::Data<DatabaseSessions>>();
    let sessions = sessions.ok_or_else(|| Error::Internal("there are no sessions".to_owned()))?;
    let signed_in = sessions.signed_in(session).await?;
    Ok(signed_in.map(|signed_in| StaffUser {
        staff: signed_in.staff.clone(),
        session_id: signed_in.id,
        csrf_token: signed_in.csrf_token.clone(),
        proof: signed_in.proof.clone(),
        must_enrol: signed_in.must_enrol,
        session: session.clone(),
        taken: Rc::default(),
    }))
}
