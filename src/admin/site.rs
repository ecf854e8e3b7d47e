//! The registry: the models that the admin looks after and the pages beside them, in the order of its
//! navigation.

use actix_web::Route;

use super::model_admin::{ModelAdmin, Options};
use crate::error::Error;
use crate::users::permissions::Rights;

/// All registered models and pages.
#[derive(Default)]
pub struct Site {
    models: Vec<Box<dyn ModelAdmin>>,
    pages: Vec<&'static Page>,
}

/// A page of a feature's own.
pub struct Page {
    /// Its name in the navigation.
    pub label: &'static str,
    /// Its name in the address: `/admin/<slug>/`.
    pub slug: &'static str,
    /// The heading it stands under in the navigation.
    pub section: &'static str,
    /// The icon's name.
    pub icon: &'static str,
    /// The methods of its handlers, for `Allow`.
    pub allow: &'static str,
    /// Whether somebody may see it. Its handlers ask as well.
    pub has_permission: fn(&Rights) -> bool,
    /// Its handlers, each guarded by [`AdminContext`](super::AdminContext).
    pub routes: fn() -> Vec<Route>,
}

impl Site {
    /// Adds a model.
    pub fn register(mut self, model: impl ModelAdmin + 'static) -> Site {
        self.models.push(Box::new(model));
        self
    }

    /// Adds a page.
    pub fn register_page(mut self, page: &'static Page) -> Site {
        self.pages.push(page);
        self
    }

    /// The pages in their order.
    pub fn pages(&self) -> impl Iterator<Item = &'static Page> + '_ {
        self.pages.iter().copied()
    }

    /// The models in their order.
    pub fn models(&self) -> impl Iterator<Item = &dyn ModelAdmin> {
        self.models.iter().map(AsRef::as_ref)
    }

    /// [`Site::find`], or the error that there is no such page.
    pub fn get(&self, slug: &str) -> Result<&dyn ModelAdmin, Error> {
        self.find(slug).ok_or(Error::NotFound)
    }

    /// The model with this name in addresses.
    pub fn find(&self, slug: &str) -> Option<&dyn ModelAdmin> {
        self.models().find(|model| model.options().slug() == slug)
    }

    /// The model with this name in the history.
    pub fn find_by_name(&self, name: &str) -> Option<&dyn ModelAdmin> {
        self.models().find(|model| model.options().name() == name)
    }

    /// The options of all models.
    pub fn options(&self) -> Vec<&'static Options> {
        self.models().map(ModelAdmin::options).collect()
    }
}
