//! Content types and permissions: what they are called here.

use diesel::QueryResult;

use super::staging::{Staging, integer, text};
use crate::articles::models::ARTICLE;
use crate::db::rows::Sql;
use crate::users::groups::GROUP;
use crate::users::models::USER;
use crate::users::permissions::{Verb, permission};

/// The one permission on the history.
const VIEW_HISTORY: &str = "history.view_entry";

/// Fills `kinds`, and the names of `permissions`. A natural key of a dump says all by itself.
pub fn resolve(staging: &mut Staging) -> QueryResult<()> {
    staging.run(
        "INSERT INTO permissions (key, content_type, codename)
             SELECT DISTINCT other, json_array(json_extract(other, '$[1]'), json_extract(other, '$[2]')),
                 json_extract(other, '$[0]')
             FROM pairs WHERE kind <> 'membership' AND substr(other, 1, 1) = '[' AND json_valid(other);
         INSERT OR IGNORE INTO kinds (ref, app, model) SELECT key, app, model FROM content_types WHERE key IS NOT NULL;
         INSERT OR IGNORE INTO kinds (ref, app, model)
             SELECT ref, json_extract(ref, '$[0]'), json_extract(ref, '$[1]') FROM (
                 SELECT content_type AS ref FROM log UNION SELECT content_type FROM permissions)
             WHERE substr(ref, 1, 1) = '[' AND json_valid(ref);
         CREATE INDEX permissions_key ON permissions (key);",
    )?;
    let mut kinds = Sql::new(
        "UPDATE kinds SET kind = CASE
             WHEN app || '_' || model = ? THEN 'user'
             WHEN app = 'articles' AND model = 'article' THEN 'article'
             WHEN app = 'auth' AND model = 'group' THEN 'group'
             WHEN app = 'admin' AND model = 'logentry' THEN 'entry' END",
    );
    kinds.bind(staging.user_table.as_str());
    staging.execute(kinds)?;
    let query =
        "SELECT p.row, k.kind, k.app, k.model, p.codename FROM permissions p JOIN kinds k ON k.ref = p.content_type";
    for row in staging.rows(query)? {
        let [kind, app, model, codename] = [1, 2, 3, 4].map(|at| text(&row, at).unwrap_or_default());
        let mut named = Sql::new("UPDATE permissions SET shown = ?, name = ? WHERE row = ?");
        named.bind(format!("{app}.{codename}")).bind(name(kind, model, codename)).bind(integer(&row, 0));
        staging.execute(named)?;
    }
    Ok(())
}

fn name(kind: &str, model: &str, codename: &str) -> Option<String> {
    let verb = codename.strip_suffix(model)?.strip_suffix('_')?;
    let verb = *Verb::ALL.iter().find(|known| known.as_str() == verb)?;
    match kind {
        "article" => Some(permission(&ARTICLE, verb)),
        "user" => Some(permission(&USER, verb)),
        "group" => Some(permission(&GROUP, verb)),
        "entry" if verb == Verb::View => Some(VIEW_HISTORY.to_owned()),
        _ => None,
    }
}
