//! [`AdminContext`]: what an admin handler works with.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use super::auth::staff::StaffUser;
use super::model_admin::{Options, Staff};
use super::site::Site;
use crate::db::{Connection, Db};
use crate::error::Error;
use crate::users::permissions::{Rights, Verb};

/// What works for a user after the request.
#[derive(Clone)]
pub struct Worker {
    pub db: Db,
    pub site: Arc<Site>,
    user_id: i64,
}

impl Worker {
    /// Writes with the current rights: some may be gone since the request arrived.
    pub async fn write<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection, &Site, &Staff) -> Result<T, Error> + Clone + Send + 'static,
    {
        let (site, id) = (self.site.clone(), self.user_id);
        let with_rights_of_now = move |conn: &mut Connection| {
            let staff = Staff::find(conn, id)?;
            queries(conn, &site, &staff)
        };
        self.db.write(with_rights_of_now).await
    }
}

/// A guard like [`StaffUser`]: fails with a redirect to the sign-in page.
#[derive(Clone)]
pub struct AdminContext {
    pub request: HttpRequest,
    pub staff: StaffUser,
    pub site: Arc<Site>,
    /// Prefer [`AdminContext::read`] and [`AdminContext::write`].
    pub db: Db,
}

impl AdminContext {
    pub fn of(request: &HttpRequest) -> Result<AdminContext, Error> {
        let staff = StaffUser::signed_in(request)?;
        let missing = || Error::Internal("the admin is not in the application's data".to_owned());
        let site = request.app_data::<web::Data<Site>>().ok_or_else(missing)?.clone().into_inner();
        let db = request.app_data::<web::Data<Db>>().ok_or_else(missing)?.get_ref().clone();
        Ok(AdminContext { request: request.clone(), staff, site, db })
    }

    pub fn rights(&self) -> &Rights {
        &self.staff.staff.rights
    }

    pub fn options(&self) -> Result<&'static Options, Error> {
        Ok(self.site.get(self.request.match_info().get("slug").unwrap_or_default())?.options())
    }

    /// Fails unless the user may do this with the model in the URL.
    pub fn model(&self, verb: Verb) -> Result<&'static Options, Error> {
        let options = self.options()?;
        self.staff.check_permission(options, verb)?;
        Ok(options)
    }

    pub fn row(&self, verb: Verb) -> Result<(&'static Options, i64), Error> {
        let options = self.model(verb)?;
        Ok((options, self.id(options)?))
    }

    pub fn id(&self, options: &Options) -> Result<i64, Error> {
        options.parse_id(self.request.match_info().get("id").unwrap_or_default())
    }

    /// Reads with the rights from the start of the request.
    pub async fn read<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection, &Site, &Staff) -> Result<T, Error> + Send + 'static,
    {
        let (site, staff) = (self.site.clone(), self.staff.staff.clone());
        self.db.read(move |conn| queries(conn, &site, &staff)).await
    }

    /// See [`Worker::write`].
    pub async fn write<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection, &Site, &Staff) -> Result<T, Error> + Clone + Send + 'static,
    {
        self.worker()?.write(queries).await
    }

    pub fn worker(&self) -> Result<Worker, Error> {
        Ok(Worker { db: self.db.clone(), site: self.site.clone(), user_id: self.staff.staff.user()?.id })
    }
}

impl FromRequest for AdminContext {
    type Error = Error;
    type Future = Ready<Result<AdminContext, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(AdminContext::of(request))
    }
}
