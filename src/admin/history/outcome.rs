//! What became of an undo, row by row, and the message that says so.

use crate::admin::message::Message;
use crate::admin::model_admin::Options;
use crate::admin::site::Site;
use crate::error::Error;

/// Rows that a message names of those that could not be undone.
const NAMED: usize = 3;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Undone {
    #[default]
    Deletion,
    Change,
}

#[derive(Clone, Default)]
pub struct Outcome {
    pub undone: Undone,
    pub restored: usize,
    /// Model, id and name of the first row tried.
    first: Option<(String, i64, String)>,
    /// Rows that were deleted with them and could not be restored.
    left_out: usize,
    stayed: usize,
    pub denied: usize,
    named: Vec<(String, String)>,
}

impl Outcome {
    pub fn of(undone: Undone) -> Outcome {
        Outcome { undone, ..Outcome::default() }
    }

    /// A row whose name is taken, for example, does not stop the others.
    pub fn note(&mut self, (model, id, name): (&str, i64, &str), result: Result<usize, Error>) -> Result<(), Error> {
        self.first.get_or_insert_with(|| (model.to_owned(), id, name.to_owned()));
        match result {
            Ok(left_out) => {
                self.restored += 1;
                self.left_out += left_out;
            }
            Err(Error::PermissionDenied) => {
                self.denied += 1;
                let it = if self.undone == Undone::Deletion { "restore it" } else { "change it" };
                self.stay(name, format!("you do not have permission to {it}"));
            }
            Err(Error::Invalid(errors)) => self.stay(name, errors.messages().join(", ")),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn stay(&mut self, name: &str, reason: String) {
        self.stayed += 1;
        if self.named.len() < NAMED {
            self.named.push((name.to_owned(), reason));
        }
    }

    pub fn rows(&self) -> usize {
        self.restored + self.stayed
    }

    fn options(&self, site: &Site) -> Option<&'static Options> {
        let (model, ..) = self.first.as_ref()?;
        site.find_by_name(model).map(|model| model.options())
    }

    pub fn message(&self, site: &Site) -> Message {
        let Some((_, _, name)) = &self.first else {
            return Message::warning("There is nothing to undo. It was already undone, or is too old.");
        };
        let (label, plural) = self
            .options(site)
            .map_or(("row".into(), "rows".into()), |options| (options.label(), options.label_plural()));
        let is_deletion = self.undone == Undone::Deletion;
        if let ([(name, reason)], 1) = (self.named.as_slice(), self.rows()) {
            return Message::error(match is_deletion {
                true => format!("“{name}” cannot be restored: {reason}. Nothing was restored."),
                false => format!("The change to “{name}” cannot be undone: {reason}. Nothing was changed."),
            });
        }
        let mut text = match (self.restored, self.rows(), is_deletion) {
            (0, _, true) => "Nothing was restored.".to_owned(),
            (0, _, false) => "Nothing was changed.".to_owned(),
            (1, 1, true) => format!("The {label} “{name}” was restored."),
            (1, 1, false) => format!("The change to the {label} “{name}” was undone."),
            (1, _, true) => format!("Restored 1 {label}."),
            (1, _, false) => format!("The change to 1 {label} was undone."),
            (count, _, true) => format!("Restored {count} {plural}."),
            (count, _, false) => format!("The change to {count} {plural} was undone."),
        };
        text += &self.missing();
        text += &self.away();
        match (self.restored, self.left_out + self.stayed) {
            (0, _) => Message::error(text),
            (_, 0) => Message::success(text),
            _ => Message::warning(text),
        }
    }

    fn missing(&self) -> String {
        match self.left_out {
            0 => String::new(),
            1 => " 1 related record is missing, because what it belonged to was deleted.".to_owned(),
            count => format!(" {count} related records are missing, because what they belonged to was deleted."),
        }
    }

    fn away(&self) -> String {
        if self.stayed == 0 {
            return String::new();
        }
        let named: Vec<String> = self.named.iter().map(|(name, reason)| format!("“{name}” ({reason})")).collect();
        let more = match self.stayed - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let what = match (self.undone, self.stayed) {
            (Undone::Deletion, _) => "cannot be restored",
            (Undone::Change, 1) => "stays as it is",
            (Undone::Change, _) => "stay as they are",
        };
        format!(" {} {what}: {}{more}.", self.stayed, named.join(", "))
    }

    /// The page to go on with.
    pub fn address(&self, site: &Site) -> String {
        match (&self.first, self.options(site)) {
            (Some((_, id, _)), Some(options)) if self.restored == 1 && self.rows() == 1 => {
                format!("/admin/{}/{id}/change/", options.slug())
            }
            (_, Some(options)) if self.restored > 0 => format!("/admin/{}/", options.slug()),
            _ => "/admin/".to_owned(),
        }
    }
}
