//! [`Triggers`]: the endpoints of the pool's triggers, from the settings.

use actix_web::web;

use crate::cognito::post_confirmation::{self, PostConfirmation};
use crate::cognito::user_migration::{self, UserMigration};
use crate::cognito::user_pool::UserPool;
use crate::config::Config;

#[derive(Clone)]
pub struct Triggers {
    post_confirmation: web::Data<PostConfirmation>,
    user_migration: web::Data<UserMigration>,
}

impl Triggers {
    pub fn new(config: &Config, pool: &UserPool) -> Triggers {
        let (sign_ups, moves) = (config.post_confirmation_secrets.clone(), config.user_migration_secrets.clone());
        let post_confirmation = PostConfirmation::new(pool.clone(), sign_ups, config.link_unverified_email);
        let user_migration = UserMigration::new(pool.clone(), moves, config.user_migration_trusts_emails);
        Triggers {
            post_confirmation: web::Data::new(post_confirmation),
            user_migration: web::Data::new(user_migration),
        }
    }

    pub fn urls(&self, app: &mut web::ServiceConfig) {
        app.app_data(self.post_confirmation.clone())
            .app_data(self.user_migration.clone())
            .service(post_confirmation::resource())
            .service(user_migration::resource());
    }
}
