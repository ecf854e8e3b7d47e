//! [`BulkAction`]: an action or a deletion on many rows, in parts.

use diesel::QueryResult;

use super::done::Done;
use super::selection::Selection;
use crate::admin::form::delete::check_and_delete;
use crate::admin::jobs::parts::{CHUNK, Parts};
use crate::admin::message::Message;
use crate::admin::model_admin::{Action, ModelAdmin, Options, Run, Staff, field_error, new_batch};
use crate::admin::site::Site;
use crate::db::references::Catalog;
use crate::db::rows::{self, Sql};
use crate::db::{self, Connection};
use crate::error::Error;
use crate::history::changed_rows::{Before, Scope};
use crate::users::permissions::Verb;

#[derive(Clone)]
pub enum Work {
    Delete,
    /// With the value chosen for it.
    Run(&'static Action, String),
}

impl Work {
    pub fn verb(&self) -> Verb {
        match self {
            Work::Delete => Verb::Delete,
            Work::Run(..) => Verb::Change,
        }
    }

    /// `Deactivate users`
    pub fn title(&self, options: &Options) -> String {
        match self {
            Work::Delete => format!("Delete {}", options.label_plural()),
            Work::Run(action, _) => action.title(&options.label_plural(), &options.label_plural()),
        }
    }

    /// For the history: what was done to all of them.
    fn batch(&self) -> Result<String, Error> {
        match self {
            Work::Delete => new_batch(""),
            Work::Run(action, _) => new_batch(&format!("{}-", action.name)),
        }
    }

    pub fn message(&self, options: &Options, done: &Done, batch: &str) -> Message {
        let label = |count| if count == 1 { options.label() } else { options.label_plural() };
        let (count, undo) = (done.changed, Some(batch.to_owned()));
        match self {
            Work::Delete if count > 0 => {
                Message { undo, ..Message::success(format!("Deleted {count} {}.", label(count))) }
            }
            Work::Run(action, _) if count > 0 => {
                let rest = left_out(action, done.already) + &done.refused_text();
                Message { undo, ..Message::success(format!("{count} {} {}.{rest}", label(count), action.done)) }
            }
            _ if done.refused > 0 => Message::error(done.refusals.join(" ") + " Nothing was changed."),
            Work::Delete => Message::warning(format!("No {} deleted: they were already deleted.", options.label())),
            Work::Run(action, _) => {
                Message::warning(format!("No {} {}: there was nothing to do.", options.label(), action.done))
            }
        }
    }
}

/// Work on the rows of a selection. The ids are read before each transaction; rows deleted in between are skipped.
#[derive(Clone)]
pub struct BulkAction {
    options: &'static Options,
    selection: Selection,
    work: Work,
    batch: String,
    /// Those of the last part.
    ids: Vec<i64>,
    /// The largest id when it began: rows that are added meanwhile are not its own.
    last: Option<i64>,
    rows: usize,
    pub done: Done,
}

impl BulkAction {
    pub fn new(options: &'static Options, selection: Selection, work: Work) -> Result<BulkAction, Error> {
        let (batch, done) = (work.batch()?, Done::default());
        Ok(BulkAction { options, selection, work, batch, ids: Vec::new(), last: None, rows: 0, done })
    }

    /// What was chosen is wrong, or not for this user.
    fn is_refused(&self) -> bool {
        let is_chosen = matches!(self.work, Work::Run(Action { run: Run::Chosen { .. }, .. }, _));
        is_chosen && self.done.refused >= CHUNK && self.done.changed + self.done.already == 0
    }
}

impl Parts for BulkAction {
    fn find(&mut self, conn: &mut Connection) -> Result<bool, Error> {
        if self.is_refused() {
            return Ok(false);
        }
        let last = match self.last {
            Some(last) => last,
            None => *self.last.insert(self.selection.last(conn)?),
        };
        let after = self.ids.last().copied().unwrap_or(0);
        self.ids = self.selection.next(conn, after, CHUNK)?;
        self.ids.retain(|id| *id <= last);
        Ok(!self.ids.is_empty())
    }

    /// A deletion is of all rows or none. Rows that no longer exist are skipped.
    fn run(&mut self, conn: &mut Connection, site: &Site, staff: &Staff) -> Result<(), Error> {
        let (model, staff) = (site.get(self.options.slug())?, &staff.in_batch(self.batch.clone()));
        staff.check_permission(self.options, self.work.verb())?;
        self.rows += self.ids.len();
        let (ids, done) = (&self.ids[..], &mut self.done);
        match &self.work {
            Work::Delete => delete(conn, model, ids, staff, done),
            Work::Run(action, chosen) => {
                let scope = Scope { table: self.options.slug(), models: &site.tables() };
                let before = Before::of(conn, scope, ids)?;
                change(conn, model, (action, chosen), ids, staff, done)?;
                Ok(before.keep(conn, self.options.name(), action.name, &self.batch)?)
            }
        }
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn message(&self, _: &Site) -> Result<Message, Error> {
        Ok(self.work.message(self.options, &self.done, &self.batch))
    }
}

fn left_out(action: &Action, count: usize) -> String {
    match count {
        0 => String::new(),
        1 => format!(" 1 was {}.", action.already.1),
        count => format!(" {count} were {}.", action.already.1),
    }
}

fn delete(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    ids: &[i64],
    staff: &Staff,
    done: &mut Done,
) -> Result<(), Error> {
    let mut catalog = Catalog::default();
    for id in ids {
        if model.options().model.title_of(conn, *id)?.is_some() {
            check_and_delete(conn, &mut catalog, model, *id, staff)?;
            done.changed += 1;
        }
    }
    Ok(())
}

fn change(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    (action, chosen): (&Action, &str),
    ids: &[i64],
    staff: &Staff,
    done: &mut Done,
) -> Result<(), Error> {
    // For a single row, the reason why the user may not change it says more.
    let already = if ids.len() > 1 { already(conn, model.options(), action, ids)? } else { Vec::new() };
    for id in ids {
        if already.contains(id) {
            done.already += 1;
            continue;
        }
        if model.options().model.title_of(conn, *id)?.is_none() {
            continue;
        }
        match db::savepoint(conn, |conn| change_row(conn, model, (action, chosen), *id, staff)) {
            Ok(true) => done.changed += 1,
            Ok(false) => done.already += 1,
            Err(Error::Invalid(errors)) => {
                done.refused += 1;
                done.note(errors.messages().join(" "));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The rows that the action would leave as they are, even if the user may not change them.
fn already(conn: &mut Connection, options: &Options, action: &Action, ids: &[i64]) -> QueryResult<Vec<i64>> {
    let from = format!("FROM {} WHERE id IN ? AND ({})", options.slug(), action.already.0);
    rows::ids(conn, Sql::new(from).with(ids.to_vec()))
}

fn change_row(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    (action, chosen): (&Action, &str),
    id: i64,
    staff: &Staff,
) -> Result<bool, Error> {
    if let Some(refusal) = model.refusal(conn, Verb::Change, id, staff)? {
        return field_error("id", refusal);
    }
    match action.run {
        Run::Plain(run) => run(conn, id, staff),
        Run::Chosen { run, .. } => run(conn, id, chosen, staff),
    }
}
