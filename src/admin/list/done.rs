//! What an action has done.

use crate::admin::form::delete::NAMED;

#[derive(Clone, Default)]
pub struct Done {
    pub changed: usize,
    /// Rows that were already so.
    pub already: usize,
    /// Rows that the user may not change so.
    pub refused: usize,
    /// Why, of the first of them.
    pub refusals: Vec<String>,
}

impl Done {
    pub fn note(&mut self, refusal: String) {
        if self.refusals.len() < NAMED && !self.refusals.contains(&refusal) {
            self.refusals.push(refusal);
        }
    }

    /// ` 2 were left out: jane has permissions that you do not have.`
    pub fn refused_text(&self) -> String {
        match self.refused {
            0 => String::new(),
            1 => format!(" 1 was left out: {}", self.refusals.join(" ")),
            count => format!(" {count} were left out: {}", self.refusals.join(" ")),
        }
    }
}
