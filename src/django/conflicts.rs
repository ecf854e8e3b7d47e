//! Holds the rows against each other and against the target, and gives them their ids.

use diesel::QueryResult;

use super::error::ImportError;
use super::options::{KeepEmail, Options};
use super::staging::{KNOWN, NEW, REFUSED, Staging};
use super::{log, permissions};
use crate::db::rows::Value;
use crate::db::{Connection, bulk, ids};

pub fn find(staging: &mut Staging, target: &mut Connection, options: &Options) -> Result<(), ImportError> {
    read_target(staging, target)?;
    index(staging)?;
    recognize(staging)?;
    if is_other_project(staging)? {
        let problem = "this is not the Django project that was imported before: none of the users who have the same ids \
                       joined at the same time";
        return Err(ImportError::source(problem));
    }
    check_names(staging)?;
    check_emails(staging, options.keep_email)?;
    check_articles(staging)?;
    permissions::resolve(staging)?;
    check_pairs(staging)?;
    assign_ids(staging, target)?;
    Ok(log::prepare(staging)?)
}

/// What the rows may conflict with, and which of them were imported before.
fn read_target(staging: &mut Staging, target: &mut Connection) -> QueryResult<()> {
    let known = "SELECT model, source_key, joined, local_id FROM django_rows";
    copy(staging, target, known, "known", ["model", "key", "joined", "local_id"])?;
    for query in [
        "SELECT 'username', username, id FROM users",
        "SELECT 'email', email_key, id FROM users WHERE email_key IS NOT NULL",
        "SELECT 'group', name, id FROM groups",
        "SELECT 'article', '', id FROM articles",
    ] {
        copy(staging, target, query, "here", ["kind", "name", "id"])?;
    }
    staging.flush()
}

fn copy<const N: usize>(
    staging: &mut Staging,
    target: &mut Connection,
    query: &str,
    table: &'static str,
    columns: [&'static str; N],
) -> QueryResult<()> {
    bulk::stream(target, query.to_owned(), |row| {
        let row: Vec<(&str, Value)> = columns.into_iter().zip(row?).collect();
        staging.insert(table, &row)
    })
}

fn index(staging: &mut Staging) -> QueryResult<()> {
    staging.run(
        "INSERT OR IGNORE INTO keys SELECT 'user', key, row FROM users;
         INSERT OR IGNORE INTO keys SELECT 'user', natural, row FROM users WHERE natural IS NOT NULL;
         INSERT OR IGNORE INTO keys SELECT 'group', key, row FROM groups;
         INSERT OR IGNORE INTO keys SELECT 'group', natural, row FROM groups WHERE natural IS NOT NULL;
         CREATE INDEX users_username ON users (username);
         CREATE INDEX users_email_key ON users (email_key) WHERE email_key IS NOT NULL;
         CREATE INDEX groups_name ON groups (name);
         CREATE INDEX articles_source_id ON articles (source_id);
         CREATE INDEX here_id ON here (kind, id);",
    )
}

/// What was imported before stays as it is here, whatever became of it.
fn recognize(staging: &mut Staging) -> QueryResult<()> {
    for model in ["user", "group", "article"] {
        if staging.is_any(&format!("known WHERE model = '{model}'"))? {
            let of_row = format!("known WHERE known.model = '{model}' AND known.key = {model}s.key");
            staging.run(&format!(
                "UPDATE {model}s SET state = {KNOWN}, local_id = (SELECT known.local_id FROM {of_row})
                     WHERE EXISTS (SELECT 1 FROM {of_row});
                 DELETE FROM reported WHERE model = '{model}'
                     AND place IN (SELECT row FROM {model}s WHERE state = {KNOWN});"
            ))?;
        }
    }
    // It may have been deleted since.
    staging.run(&format!(
        "UPDATE groups SET local_id = NULL WHERE state = {KNOWN}
             AND NOT EXISTS (SELECT 1 FROM here WHERE kind = 'group' AND here.id = local_id);
         UPDATE users SET local_id = NULL WHERE state = {KNOWN}
             AND NOT EXISTS (SELECT 1 FROM here WHERE kind = 'username' AND here.id = local_id);"
    ))
}

fn is_other_project(staging: &mut Staging) -> QueryResult<bool> {
    let dated = "users JOIN known ON known.model = 'user' AND known.key = users.key
         WHERE known.joined IS NOT NULL AND users.joined IS NOT NULL";
    Ok(staging.is_any(dated)? && !staging.is_any(&format!("{dated} AND known.joined = users.joined"))?)
}

/// Where a row cannot come, or comes changed: the model, whose plural is its table, a condition on the row `t`, and an
/// SQL expression for the reason.
struct Rule<'a> {
    model: &'a str,
    condition: &'a str,
    code: &'a str,
    text: &'a str,
}

impl Rule<'_> {
    fn report(&self, staging: &mut Staging, outcome: &str) -> QueryResult<()> {
        let Rule { model, condition, code, text } = self;
        staging.run(&format!(
            "INSERT INTO reported (outcome, model, place, key, shown, code, text)
                 SELECT '{outcome}', '{model}', t.row, t.key, t.shown, '{code}', {text}
                 FROM {model}s AS t WHERE t.state <> {KNOWN} AND {condition} ORDER BY t.row"
        ))
    }

    fn refuse(&self, staging: &mut Staging) -> QueryResult<()> {
        self.report(staging, "refused")?;
        let Rule { model, condition, .. } = self;
        staging.run(&format!("UPDATE {model}s AS t SET state = {REFUSED} WHERE t.state <> {KNOWN} AND {condition}"))
    }
}

fn check_names(staging: &mut Staging) -> QueryResult<()> {
    for model in ["user", "group"] {
        let text = "'another row has the same primary key'";
        let condition = format!("(SELECT k.row FROM keys k WHERE k.model = '{model}' AND k.ref = t.key) <> t.row");
        Rule { model, condition: &condition, code: "id_taken", text }.refuse(staging)?;
    }
    // Of usernames that become equal, the one that stays as it is comes, else the first.
    let winner = format!(
        "(SELECT o.key FROM users o WHERE o.username = t.username AND o.row <> t.row AND o.state <> {REFUSED}
             ORDER BY o.is_normal DESC, o.row LIMIT 1)"
    );
    let same_username = Rule {
        model: "user",
        condition: &format!(
            "t.state = {NEW} AND EXISTS (SELECT 1 FROM users o WHERE o.username = t.username AND o.row <> t.row
                 AND o.state <> {REFUSED} AND (o.is_normal, -o.row) > (t.is_normal, -t.row))"
        ),
        code: "username_taken",
        text: &format!("'the username becomes equal to that of user ' || {winner}"),
    };
    same_username.refuse(staging)?;
    let username_here = Rule {
        model: "user",
        condition: &format!(
            "t.state = {NEW} AND EXISTS (SELECT 1 FROM here WHERE kind = 'username' AND name = t.username)"
        ),
        code: "username_taken",
        text: "'Gatepost has a user with this username: its user '
            || (SELECT id FROM here WHERE kind = 'username' AND name = t.username)",
    };
    username_here.refuse(staging)?;
    let same_group = Rule {
        model: "group",
        condition: &format!(
            "t.state = {NEW} AND EXISTS (SELECT 1 FROM groups o WHERE o.name = t.name AND o.row < t.row
                 AND o.state <> {REFUSED})"
        ),
        code: "name_taken",
        text: "'the name becomes equal to that of group '
            || (SELECT o.key FROM groups o WHERE o.name = t.name AND o.row < t.row ORDER BY o.row LIMIT 1)",
    };
    same_group.refuse(staging)?;
    let group_here = Rule {
        model: "group",
        condition: &format!("t.state = {NEW} AND EXISTS (SELECT 1 FROM here WHERE kind = 'group' AND name = t.name)"),
        code: "name_taken",
        text: "'Gatepost has a group with this name'",
    };
    group_here.refuse(staging)
}

/// An e-mail links accounts, so nobody gets one that could be somebody else's.
fn check_emails(staging: &mut Staging, keep: Option<KeepEmail>) -> QueryResult<()> {
    let order = match keep {
        None => "o.row LIMIT 0",
        Some(KeepEmail::FirstJoined) => "o.date_joined, o.row LIMIT 1",
        Some(KeepEmail::LastLogin) => "o.last_login DESC NULLS LAST, o.row LIMIT 1",
    };
    staging.run(&format!(
        "CREATE TABLE shared AS SELECT email_key, count(DISTINCT email) AS spellings, NULL AS keeper FROM users
             WHERE email_key IS NOT NULL GROUP BY email_key HAVING count(*) > 1;
         CREATE INDEX shared_key ON shared (email_key);
         UPDATE shared SET keeper = (SELECT o.row FROM users o WHERE o.email_key = shared.email_key
             AND o.state <> {REFUSED} ORDER BY {order});"
    ))?;
    let condition = "EXISTS (SELECT 1 FROM shared s WHERE s.email_key = t.email_key AND s.keeper IS NOT t.row)";
    let others = "(SELECT group_concat(key, ', ') FROM (SELECT o.key FROM users o WHERE o.email_key = t.email_key
         AND o.row <> t.row ORDER BY o.row LIMIT 10))";
    let text = format!(
        "CASE (SELECT s.spellings FROM shared s WHERE s.email_key = t.email_key)
             WHEN 1 THEN 'the e-mail address is also that of user ' || {others} || ', so the user comes without it'
             ELSE 'the e-mail address differs only in case from that of user ' || {others} || ', so the user '
                 || 'comes without it and can no longer use the API' END"
    );
    Rule { model: "user", condition, code: "email_shared", text: &text }.report(staging, "changed")?;
    staging.run(&format!("UPDATE users AS t SET email = '' WHERE {condition}"))?;
    let here = "here WHERE kind = 'email' AND name = t.email_key";
    let condition = format!("t.email <> '' AND EXISTS (SELECT 1 FROM {here})");
    let text = format!("'Gatepost has a user with this e-mail address: its user ' || (SELECT id FROM {here})");
    let taken = Rule { model: "user", condition: &condition, code: "email_taken", text: &text };
    taken.report(staging, "changed")?;
    staging.run(&format!("UPDATE users AS t SET email = '' WHERE t.state <> {KNOWN} AND {condition}"))
}

fn check_articles(staging: &mut Staging) -> QueryResult<()> {
    let rule = |condition, text| Rule { model: "article", condition, code: "id_taken", text };
    if staging.is_any("articles GROUP BY source_id HAVING count(*) > 1 AND source_id IS NOT NULL")? {
        let condition = "EXISTS (SELECT 1 FROM articles o WHERE o.source_id = t.source_id AND o.row < t.row)";
        rule(condition, "'another row has the same primary key'").refuse(staging)?;
    }
    if staging.is_any("here WHERE kind = 'article'")? {
        let condition = "EXISTS (SELECT 1 FROM here WHERE kind = 'article' AND name = '' AND id = t.source_id)";
        rule(condition, "'Gatepost has an article with this id'").refuse(staging)?;
    }
    Ok(())
}

/// Memberships and permissions of new users and groups.
fn check_pairs(staging: &mut Staging) -> QueryResult<()> {
    staging.run(
        "UPDATE pairs SET owner_row = (SELECT row FROM keys
             WHERE model = CASE kind WHEN 'group_permission' THEN 'group' ELSE 'user' END AND ref = owner);
         UPDATE pairs SET other_row = CASE kind
             WHEN 'membership' THEN (SELECT row FROM keys WHERE model = 'group' AND ref = other)
             ELSE (SELECT row FROM permissions WHERE key = other) END;
         CREATE INDEX pairs_owner ON pairs (owner_row);",
    )?;
    let insert = "INSERT INTO reported (outcome, model, place, key, shown, code, text)";
    staging.run(&format!(
        "{insert} SELECT 'left_out', kind, row, nullif(key, ''), '', 'owner_missing',
                 CASE kind WHEN 'group_permission' THEN 'group ' ELSE 'user ' END || owner || ' does not exist'
             FROM pairs WHERE owner_row IS NULL ORDER BY row;
         {insert} SELECT 'left_out', p.kind, p.row, nullif(p.key, ''), '', 'other_missing',
                 CASE p.kind WHEN 'membership' THEN 'group ' ELSE 'permission ' END || p.other || ' of '
                     || CASE p.kind WHEN 'group_permission' THEN 'group ' ELSE 'user ' END || p.owner || ' does not exist'
             FROM pairs p WHERE p.other_row IS NULL AND p.owner_row IS NOT NULL AND {OF_NEW} ORDER BY p.row;
         {insert} SELECT 'changed', 'user', u.row, u.key, u.shown, 'group_missing',
                 'not in group ' || g.key || CASE g.state WHEN {REFUSED} THEN ', which is refused'
                     ELSE ', which was deleted in Gatepost' END
             FROM pairs p JOIN users u ON u.row = p.owner_row JOIN groups g ON g.row = p.other_row
             WHERE p.kind = 'membership' AND u.state = {NEW}
                 AND (g.state = {REFUSED} OR (g.state = {KNOWN} AND g.local_id IS NULL)) ORDER BY p.row;"
    ))?;
    for model in ["user", "group"] {
        staging.run(&format!(
            "{insert} SELECT 'changed', '{model}', t.row, t.key, t.shown, 'permission_unknown',
                     'without the permission ' || coalesce(q.shown, q.codename)
                 FROM pairs p JOIN {model}s t ON t.row = p.owner_row JOIN permissions q ON q.row = p.other_row
                 WHERE p.kind = '{model}_permission' AND t.state = {NEW} AND q.name IS NULL ORDER BY p.row"
        ))?;
    }
    Ok(())
}

/// Whether the owner of the pair `p` is new.
const OF_NEW: &str = "CASE p.kind WHEN 'group_permission' THEN (SELECT state FROM groups WHERE row = p.owner_row)
     ELSE (SELECT state FROM users WHERE row = p.owner_row) END = 0";

/// Users and groups keep their ids where there are none yet. Articles always do, because clients know them.
fn assign_ids(staging: &mut Staging, target: &mut Connection) -> QueryResult<()> {
    let last_ids = ids::last_ids(target)?;
    for (table, kind) in [("users", "username"), ("groups", "group")] {
        let new = format!("{table} WHERE state = {NEW}");
        let is_kept = !staging.is_any(&format!("here WHERE kind = '{kind}'"))?
            && !staging.is_any(&format!("{new} AND source_id IS NULL"))?;
        if is_kept {
            staging.run(&format!("UPDATE {table} SET local_id = source_id WHERE state = {NEW}"))?;
            continue;
        }
        let highest = staging.number(&format!("coalesce(max(id), 0) FROM here WHERE kind = '{kind}'"))?;
        let last = last_ids.get(table).copied().unwrap_or(0).max(highest);
        staging.run(&format!(
            "UPDATE {table} SET source_id = NULL;
             UPDATE {table} SET local_id = {last} + ranked.place
                 FROM (SELECT row, row_number() OVER (ORDER BY row) AS place FROM {new}) AS ranked
                 WHERE ranked.row = {table}.row"
        ))?;
    }
    staging.run(&format!("UPDATE articles SET local_id = source_id WHERE state = {NEW}"))
}
