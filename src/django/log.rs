//! Django's admin log becomes the history's oldest entries.

use diesel::QueryResult;
use serde_json::Value as Json;

use super::staging::{KNOWN, NEW, Staging};
use crate::history::Changes;

/// Says what each entry is about, and why it is left out where it is.
pub fn prepare(staging: &mut Staging) -> QueryResult<()> {
    staging.run(&format!(
        "UPDATE log SET state = {KNOWN} WHERE EXISTS (SELECT 1 FROM known k WHERE k.model = 'log_entry' AND k.key = log.key);
         UPDATE log SET model = (SELECT kind FROM kinds WHERE ref = log.content_type AND kind <> 'entry');
         INSERT INTO additions SELECT object_id, min(at) FROM log
             WHERE action = 1 AND model = 'article' AND object_id IS NOT NULL AND at IS NOT NULL GROUP BY object_id;
         UPDATE log SET local_object = CASE model
             WHEN 'article' THEN object_id
             WHEN 'user' THEN coalesce((SELECT u.local_id FROM keys k JOIN users u ON u.row = k.row
                 WHERE k.model = 'user' AND k.ref = CAST(log.object_id AS TEXT)),
                 CASE WHEN EXISTS (SELECT 1 FROM users WHERE state = {NEW} AND local_id = source_id) THEN object_id END)
             WHEN 'group' THEN coalesce((SELECT g.local_id FROM keys k JOIN groups g ON g.row = k.row
                 WHERE k.model = 'group' AND k.ref = CAST(log.object_id AS TEXT)),
                 CASE WHEN EXISTS (SELECT 1 FROM groups WHERE state = {NEW} AND local_id = source_id) THEN object_id END)
             END;
         UPDATE log SET reason = CASE
             WHEN action IS NULL OR action NOT IN (1, 2, 3) THEN 'action_unknown'
             WHEN model IS NULL THEN 'model_unknown'
             WHEN object_id IS NULL THEN 'object_id_invalid'
             WHEN object IS NULL THEN 'object_invalid'
             WHEN at IS NULL THEN 'time_invalid'
             WHEN local_object IS NULL THEN 'object_unknown' END;"
    ))
}

/// Reports how many entries are left out, and why.
pub fn report(staging: &mut Staging) -> QueryResult<()> {
    staging.run(&format!(
        "INSERT INTO reported (outcome, model, place, key, shown, code, text)
             SELECT 'left_out', 'log_entry', min(row), NULL, '', reason, CASE count(*) WHEN 1 THEN '1 entry: ' ELSE count(*) || ' entries: ' END || CASE reason
                 WHEN 'action_unknown' THEN 'not an addition, a change or a deletion'
                 WHEN 'model_unknown' THEN 'Gatepost has no such model'
                 WHEN 'object_id_invalid' THEN 'the object has no id, or one that is not a 64-bit number'
                 WHEN 'object_invalid' THEN 'the object has no name that is text'
                 WHEN 'time_invalid' THEN 'the time is not valid'
                 WHEN 'object_unknown' THEN 'the user or group with this id was not imported' END
             FROM log WHERE reason IS NOT NULL AND state = {NEW} GROUP BY reason ORDER BY min(row)"
    ))
}

/// The changes that a message tells of: names of fields without values, or the text of an old version.
pub fn changes(message: &str) -> Changes {
    let Ok(Json::Array(parts)) = serde_json::from_str(message) else {
        let text = Some(message).filter(|message| !message.is_empty());
        return text.map_or_else(Changes::default, |text| Changes::default().field("message", None::<String>, text));
    };
    let fields = parts.iter().filter_map(|part| part.get("changed")?.get("fields")?.as_array()).flatten();
    let names = fields.filter_map(Json::as_str).map(|label| label.to_lowercase().replace(' ', "_"));
    names.fold(Changes::default(), |changes, name| changes.secret(&name))
}
