//! The registry of models and other pages, in the order of the navigation.

use actix_web::Route;
use diesel::QueryResult;

use super::chart::Figure;
use super::model_admin::{ModelAdmin, Options, Tab};
use crate::db::Connection;
use crate::error::Error;
use crate::models::{Kind, Model};
use crate::users::permissions::Rights;

#[derive(Default)]
pub struct Site {
    models: Vec<Box<dyn ModelAdmin>>,
    pages: Vec<&'static Page>,
    tabs: Vec<(&'static str, &'static Tab)>,
}

pub struct Page {
    pub label: &'static str,
    /// `/admin/<slug>/`
    pub slug: &'static str,
    pub section: &'static str,
    pub icon: &'static str,
    pub allow: &'static str,
    /// Without it, neither the navigation has the page, nor are its handlers called.
    pub has_permission: fn(&Rights) -> bool,
    /// For the home page.
    pub figure: Option<fn(&mut Connection) -> QueryResult<Figure>>,
    pub routes: fn() -> Vec<Route>,
}

impl Site {
    pub fn register(mut self, model: impl ModelAdmin + 'static) -> Site {
        self.models.push(Box::new(model));
        self
    }

    pub fn register_page(mut self, page: &'static Page) -> Site {
        self.pages.push(page);
        self
    }

    /// A tab of a model that does not know it, for those who may change the row.
    pub fn register_tab(mut self, slug: &'static str, tab: &'static Tab) -> Site {
        self.tabs.push((slug, tab));
        self
    }

    pub fn registered_tabs(&self, options: &Options) -> impl Iterator<Item = &'static Tab> {
        self.tabs.iter().filter(|(slug, _)| *slug == options.slug()).map(|(_, tab)| *tab)
    }

    pub fn pages(&self) -> impl Iterator<Item = &'static Page> + '_ {
        self.pages.iter().copied()
    }

    pub fn models(&self) -> impl Iterator<Item = &dyn ModelAdmin> {
        self.models.iter().map(AsRef::as_ref)
    }

    pub fn get(&self, slug: &str) -> Result<&dyn ModelAdmin, Error> {
        self.find(slug).ok_or(Error::NotFound)
    }

    pub fn find(&self, slug: &str) -> Option<&dyn ModelAdmin> {
        self.models().find(|model| model.options().slug() == slug)
    }

    pub fn find_by_name(&self, name: &str) -> Option<&dyn ModelAdmin> {
        self.models().find(|model| model.options().name() == name)
    }

    /// The models with a foreign key to this one.
    pub fn related(&self, to: &'static Options) -> impl Iterator<Item = &'static Options> {
        let refers = move |options: &&'static Options| {
            options.model.fields.iter().any(|field| is_reference(field.kind, to.model))
        };
        self.models().map(ModelAdmin::options).filter(refers)
    }

    pub fn tables(&self) -> Vec<&'static str> {
        self.models().map(|model| model.options().slug()).collect()
    }

    pub fn options(&self) -> Vec<&'static Options> {
        self.models().map(ModelAdmin::options).collect()
    }
}

/// Whether a field is a foreign key to the model.
pub fn is_reference(kind: Kind, to: &Model) -> bool {
    matches!(kind, Kind::ForeignKey(model) if std::ptr::eq(model, to))
}
