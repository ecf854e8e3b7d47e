//! The registry: the models that the admin looks after, in the order of its navigation.

use super::model_admin::{Choice, ModelAdmin};

/// All registered models.
#[derive(Default)]
pub struct Site {
    models: Vec<Box<dyn ModelAdmin>>,
}

impl Site {
    /// Adds a model.
    pub fn register(mut self, model: impl ModelAdmin + 'static) -> Site {
        self.models.push(Box::new(model));
        self
    }

    /// The models in their order.
    pub fn models(&self) -> impl Iterator<Item = &dyn ModelAdmin> {
        self.models.iter().map(AsRef::as_ref)
    }

    /// The model with this name in addresses.
    pub fn find(&self, slug: &str) -> Option<&dyn ModelAdmin> {
        self.models().find(|model| model.options().slug == slug)
    }

    /// The model with this name in the history.
    pub fn find_by_name(&self, name: &str) -> Option<&dyn ModelAdmin> {
        self.models().find(|model| model.options().name == name)
    }

    /// Every permission that there is.
    pub fn permissions(&self) -> Vec<Choice> {
        let of = |model: &dyn ModelAdmin| {
            let options = model.options();
            let choice = |verb: &crate::users::permissions::Verb| Choice {
                value: options.permission(*verb),
                label: format!("Can {} {}", verb.as_str(), options.label_plural),
                group: options.label_plural.to_owned(),
            };
            options.verbs.iter().map(choice).collect::<Vec<_>>()
        };
        self.models().flat_map(of).collect()
    }
}
