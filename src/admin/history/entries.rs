//! History entries as pages show them.

use chrono::NaiveDateTime;
use diesel::QueryResult;
use serde_json::{Map, Value};

use super::model::{source_label, source_phrase};
use crate::admin::list::cells::{choice_name, time_text};
use crate::admin::model_admin::{Choices, Options, permissions};
use crate::admin::moment::Moment;
use crate::admin::site::Site;
use crate::admin::text::thousands;
use crate::db::{Connection, rows};
use crate::history::changed_rows::{self, COUNTED};
use crate::history::deleted_rows;
use crate::models::Kind;
use crate::models::words::capitalized;
use crate::users::permissions::{Rights, Verb};

/// SQL for [`Entry::read`]. The last three: whether it is the object's latest entry, the action of that one, and the
/// batch that undoes an action.
pub const COLUMNS: &[&str] = &[
    "at",
    "actor_id",
    "actor",
    "source",
    "action",
    "model",
    "object_id",
    "object",
    "changes",
    "(SELECT newest.id = history.id FROM history AS newest WHERE newest.model = history.model \
      AND newest.object_id = history.object_id ORDER BY newest.id DESC LIMIT 1)",
    "(SELECT newest.action FROM history AS newest WHERE newest.model = history.model \
      AND newest.object_id = history.object_id ORDER BY newest.id DESC LIMIT 1)",
    "(SELECT batch FROM changed_rows WHERE entry_id = history.id)",
];

pub struct Entry {
    pub at: Option<NaiveDateTime>,
    /// Empty if no user acted.
    pub actor: String,
    pub actor_address: Option<String>,
    pub source: String,
    /// The source as the end of a sentence.
    pub origin: String,
    pub tone: &'static str,
    pub action: String,
    pub address: Option<String>,
    /// The object's name at that time.
    pub object: String,
    pub model: String,
    /// As the history names it.
    pub model_name: String,
    pub object_id: i64,
    pub changes: Vec<Change>,
    /// The batch that undoes this entry, and its label.
    pub undo: Option<(String, String)>,
}

pub struct Change {
    pub field: String,
    /// The old and the new value, each if there is one; `None` for secrets.
    pub values: Option<(Option<String>, Option<String>)>,
}

impl Entry {
    pub fn moment(&self) -> Option<Moment> {
        self.at.map(Moment::new)
    }

    /// The entry as a user with these rights sees it.
    pub fn read(conn: &mut Connection, site: &Site, rights: &Rights, values: &[rows::Value]) -> QueryResult<Entry> {
        let text = |at: usize| values.get(at).and_then(rows::Value::as_str).unwrap_or_default();
        let number = |at: usize| values.get(at).and_then(rows::Value::as_i64);
        let (action, model, object_id) = (text(4), text(5), number(6).unwrap_or(0));
        let options = site.find_by_name(model).map(|model| model.options());
        let has =
            |options: Option<&'static Options>, verb| options.filter(|options| options.has_permission(rights, verb));
        let users = has(site.find_by_name("user").map(|model| model.options()), Verb::View);
        let batch = Some(text(11).to_owned()).filter(|batch| !batch.is_empty() && has(options, Verb::Change).is_some());
        let can_restore = action == "deleted" && number(9) == Some(1) && has(options, Verb::Add).is_some();
        let is_there = text(10) != "deleted";
        // A restored object is recorded as created, with a mark; the action shows the mark.
        let mut changed: Map<String, Value> = serde_json::from_str(text(8)).unwrap_or_default();
        let is_restored = action == "created" && changed.shift_remove("restored").is_some();
        Ok(Entry {
            at: values.first().and_then(rows::Value::as_time),
            actor: text(2).to_owned(),
            actor_address: users.zip(number(1)).map(|(users, id)| address(users, id)),
            source: source_label(text(3)),
            origin: source_phrase(text(3)).into_owned(),
            tone: tone(action),
            action: capitalized(if is_restored { "restored" } else { action }),
            address: has(options, Verb::View).filter(|_| is_there).map(|options| address(options, object_id)),
            object: text(7).to_owned(),
            model: capitalized(&options.map_or(model.into(), |options| options.label())),
            model_name: model.to_owned(),
            object_id,
            changes: changes(site, options, action, &changed),
            undo: match batch {
                Some(batch) => Some(undo_action(conn, batch)?),
                None if can_restore => {
                    deleted_rows::batch_of(conn, model, object_id)?.map(|batch| (batch, "Undo".to_owned()))
                }
                None => None,
            },
        })
    }
}

/// The label says how many rows change.
fn undo_action(conn: &mut Connection, batch: String) -> QueryResult<(String, String)> {
    let label = match changed_rows::count_up_to(conn, &batch)? {
        1 => "Undo".to_owned(),
        count if count > COUNTED => format!("Undo all {}+", thousands(COUNTED)),
        count => format!("Undo all {}", thousands(count)),
    };
    Ok((batch, label))
}

fn address(options: &Options, id: i64) -> String {
    format!("/admin/{}/{id}/change/", options.slug())
}

fn tone(action: &str) -> &'static str {
    match action {
        "created" => "good",
        "deleted" => "bad",
        _ => "info",
    }
}

fn changes(site: &Site, options: Option<&Options>, action: &str, changes: &Map<String, Value>) -> Vec<Change> {
    let label = |name: &str| {
        let field = options.and_then(|options| options.model.field(name));
        field.map_or_else(|| capitalized(&name.replace('_', " ")), |field| field.verbose_name().into_owned())
    };
    let change = |(name, values): (&String, &Value)| {
        let values = values.as_array().and_then(|values| Some((values.first()?, values.get(1)?)));
        // A new object had no values before, whatever its fields start with.
        let word = |value: &str| label_of(site, options, name, value);
        let values =
            values.map(|(old, new)| (for_people(old, &word).filter(|_| action != "created"), for_people(new, &word)));
        Change { field: label(name), values }
    };
    changes.iter().map(change).collect()
}

/// The label of a permission, or of a choice of a filter. Other values stay as they are.
fn label_of(site: &Site, options: Option<&Options>, field: &str, value: &str) -> String {
    let kind = options.and_then(|options| options.model.field(field)).map(|field| field.kind);
    let filter = options.and_then(|options| options.list_filter.iter().find(|filter| filter.name == field));
    let label = match (kind, filter.map(|filter| &filter.choices)) {
        (Some(Kind::Choice(choices)), _) => return choice_name(choices, value),
        (Some(Kind::DateTime), _) => return time_text(value),
        _ if field.ends_with("permissions") => {
            permissions(&site.options()).into_iter().find(|known| known.value == value).map(|known| known.label)
        }
        (_, Some(Choices::Fixed(choices))) => {
            choices.iter().find(|(known, ..)| *known == value).map(|(_, label, ..)| (*label).to_owned())
        }
        _ => None,
    };
    label.unwrap_or_else(|| value.to_owned())
}

fn for_people(value: &Value, word: &impl Fn(&str) -> String) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(flag) => Some(if *flag { "Yes" } else { "No" }.to_owned()),
        Value::String(text) => Some(word(text)).filter(|text| !text.is_empty()),
        Value::Array(values) => {
            let shown: Vec<String> = values.iter().filter_map(|value| for_people(value, word)).collect();
            Some(shown.join(", ")).filter(|text| !text.is_empty())
        }
        // Another row: its name at that time.
        Value::Object(row) if row.contains_key("name") => row.get("name").and_then(|name| for_people(name, word)),
        other => Some(other.to_string()),
    }
}
