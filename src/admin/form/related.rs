//! What is deleted with rows, and what stays without them, as the database's foreign keys say.

use diesel::QueryResult;

use crate::admin::model_admin::Options;
use crate::admin::site::Site;
use crate::db::Connection;
use crate::db::references::{self, OnDelete, Reference};
use crate::db::rows::{self, Sql};
use crate::models::words::capitalized;

#[derive(Debug, PartialEq, Eq)]
pub struct Related {
    /// `Group memberships`
    pub label: String,
    /// `2 deleted`, `14 kept, with “created by” empty`
    pub fate: String,
}

pub fn of(conn: &mut Connection, site: &Site, options: &Options, ids: &[i64]) -> QueryResult<Vec<Related>> {
    let references = references::to(conn, options.model.plural)?;
    let mut related = Vec::new();
    for reference in references {
        let Reference { table, column, target_table, target_column, on_delete } = &reference;
        let rest = format!(
            "FROM \"{table}\" WHERE \"{column}\" IN (SELECT \"{target_column}\" FROM \"{target_table}\"
             WHERE id IN ?)"
        );
        let count = rows::number(conn, "count(*)", Sql::new(rest).with(ids.to_vec()))?;
        if count == 0 {
            continue;
        }
        related.push(Related {
            label: capitalized(&label(site, options, table)),
            fate: match on_delete {
                OnDelete::Cascade => format!("{count} deleted"),
                OnDelete::SetNull => format!("{count} kept, with “{}” empty", field_label(site, table, column)),
            },
        });
    }
    Ok(related)
}

fn field_label(site: &Site, table: &str, column: &str) -> String {
    let model = site.models().map(|model| model.options().model).find(|model| model.plural == table);
    match model.and_then(|model| model.field(column)) {
        Some(field) => field.verbose_name().to_lowercase(),
        None => column.trim_end_matches("_id").replace('_', " "),
    }
}

/// The plural of the table's model, its label in [`Options::related`], or its name.
fn label(site: &Site, options: &Options, table: &str) -> String {
    let model = site.models().map(|model| model.options()).find(|options| options.model.plural == table);
    let related = options.related.iter().find(|(name, _)| *name == table);
    match (model, related) {
        (Some(model), _) => model.label_plural().into_owned(),
        (None, Some((_, label))) => (*label).to_owned(),
        (None, None) => table.replace('_', " "),
    }
}
