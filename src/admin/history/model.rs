//! The history in the admin: who changed what. It is read-only; its pages are [`pages`](super::pages).

use std::borrow::Cow;

use diesel::prelude::*;

use crate::admin::list::cells::{choice_name, text};
use crate::admin::list::matches::{CAP, Count};
use crate::admin::model_admin::{Choice, Choices, Filter, ModelAdmin, Options, Restrictions, Staff, Values};
use crate::db::Connection;
use crate::db::references::Catalog;
use crate::db::rows::{self, Sql, Value};
use crate::error::Error;
use crate::models::words::capitalized;
use crate::models::{Field, Model};
use crate::users::permissions::{Rights, Verb};

pub struct HistoryAdmin;

/// What the database says, and what people read.
pub const SOURCES: &[(&str, &str)] = &[
    ("admin", "Admin"),
    ("api", "API"),
    ("command_line", "Command line"),
    ("post_confirmation", "Sign-up"),
    ("first_token", "First token"),
    ("cognito", "Cognito"),
    ("pool_sync", "Pool sync"),
];

/// Entries are in the order of time, so a range of ids leaves few of them. Every index ends with the id.
const SINCE: &str = "id >= (SELECT id FROM history WHERE at >= ? ORDER BY at LIMIT 1) AND at >= ?";

const BEFORE: &str = "id <= (SELECT id FROM history WHERE at < ? ORDER BY at DESC LIMIT 1) AND at < ?";

static ENTRY: Model = Model {
    name: "entry",
    plural: "history",
    title: "object",
    fields: &[
        Field::datetime("at").label("When").read_only(),
        Field::char("actor", 150).label("Who").search().read_only(),
        Field::choice("source", SOURCES).read_only(),
        Field::char("action", 10).read_only(),
        Field::char("model", 30).read_only(),
        Field::integer("object_id").label("Object ID").read_only(),
        Field::char("object", 300).search().read_only(),
        Field::char("changes", 0).read_only(),
    ],
};

pub static OPTIONS: Options = Options {
    verbose_name: "change",
    verbose_name_plural: "changes",
    heading: "history",
    section: "Records",
    icon: "history",
    verbs: &[Verb::View],
    list_display: &["at", "actor", "source", "action", "model", "object_id", "object", "changes"],
    list_filter: &[
        Filter {
            name: "action",
            label: "Action",
            choices: Choices::Fixed(&[
                ("created", "Created", "action = 'created'", None),
                ("changed", "Changed", "action = 'changed'", None),
                ("deleted", "Deleted", "action = 'deleted'", None),
            ]),
        },
        Filter::field("source"),
        Filter { name: "model", label: "Model", choices: Choices::Found(models, |_| "model = ?", None) },
        Filter { name: "at", label: "When", choices: Choices::Time(SINCE, BEFORE) },
        Filter { name: "batch", label: "Made together", choices: Choices::Named(batches, "batch = ?") },
        Filter { name: "actor_id", label: "Who", choices: Choices::Named(actors, "actor_id = CAST(? AS BIGINT)") },
    ],
    ..Options::new(&ENTRY)
};

pub fn source_label(source: &str) -> String {
    choice_name(SOURCES, source)
}

/// The end of a sentence such as `Created by alice through the API`.
pub fn source_phrase(source: &str) -> Cow<'static, str> {
    match source {
        "admin" => "in the admin site".into(),
        "api" => "through the API".into(),
        "command_line" => "on the command line".into(),
        "post_confirmation" => "at sign-up".into(),
        "first_token" => "with the first token".into(),
        "cognito" => "by Cognito".into(),
        "pool_sync" => "by the pool sync".into(),
        other => format!("through {other}").into(),
    }
}

/// One step in the index per model, not one per row.
fn models(conn: &mut Connection) -> QueryResult<Vec<Choice>> {
    let steps = Sql::new(
        "FROM (WITH RECURSIVE found (name) AS (SELECT min(model) FROM history \
         UNION ALL SELECT (SELECT min(model) FROM history WHERE model > name) FROM found WHERE name IS NOT NULL) \
         SELECT name FROM found WHERE name IS NOT NULL) AS models",
    );
    let names = rows::select(conn, &["name"], steps)?;
    let names = names.iter().filter_map(|row| row.first().and_then(text));
    Ok(names
        .map(|value| Choice { label: capitalized(&value.replace('_', " ")), value, group: String::new() })
        .collect())
}

/// The users' current names or, for deleted users, those in the history.
fn actors(conn: &mut Connection, ids: &[&str]) -> QueryResult<Vec<Option<String>>> {
    let name = |id: &&str| {
        let Ok(id) = id.parse::<i64>() else { return Sql::new("SELECT NULL") };
        let current = "SELECT username FROM users WHERE id = ?";
        let former = "SELECT actor FROM history WHERE actor_id = ? LIMIT 1";
        Sql::new(format!("SELECT COALESCE(({current}), ({former}))")).with(id).with(id)
    };
    let names = rows::scalars(conn, &ids.iter().map(name).collect::<Vec<_>>())?;
    Ok(names.iter().map(|name| name.as_str().map(str::to_owned)).collect())
}

/// How many changes were made together.
fn batches(conn: &mut Connection, batches: &[&str]) -> QueryResult<Vec<Option<String>>> {
    let count = |batch: &&str| {
        if batch.contains('\0') {
            return Sql::new("SELECT 0");
        }
        let counted = format!("SELECT 1 FROM history WHERE batch = ? LIMIT {}", CAP + 1);
        Sql::new(format!("SELECT count(*) FROM ({counted}) AS counted")).with(*batch)
    };
    let counts = rows::scalars(conn, &batches.iter().map(count).collect::<Vec<_>>())?;
    let label = |number: i64| Count { number: number.min(CAP), is_at_least: number > CAP };
    let label = |number: &Value| number.as_i64().filter(|n| *n > 0).map(|n| format!("{} changes", label(n)));
    Ok(counts.iter().map(label).collect())
}

impl ModelAdmin for HistoryAdmin {
    fn options(&self) -> &'static Options {
        &OPTIONS
    }

    fn load(&self, _: &mut Connection, _: i64) -> QueryResult<Option<Values>> {
        // An entry has no page of its own: the list shows all of it.
        Ok(None)
    }

    fn save(&self, _: &mut Connection, _: Option<i64>, _: &Values, _: &Staff) -> Result<i64, Error> {
        Err(Error::PermissionDenied)
    }

    fn delete(&self, _: &mut Connection, _: &mut Catalog, _: i64, _: &Staff) -> Result<(), Error> {
        Err(Error::PermissionDenied)
    }
}

impl Restrictions for HistoryAdmin {
    /// Entries contain values, so only those of models that the user may view.
    fn visible(&self, models: &[&Options], rights: &Rights) -> Option<Sql> {
        if rights.is_superuser {
            return None;
        }
        let models = models.iter().filter(|options| options.has_permission(rights, Verb::View));
        let names: Vec<String> = models.map(|options| options.name().to_owned()).collect();
        Some(Sql::new("model IN ?").with(names))
    }
}
