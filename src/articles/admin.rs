//! Articles in the admin.

use diesel::QueryResult;

use super::models;
use crate::admin::list::facets::days_ago;
use crate::admin::model_admin::{
    Cell, Choices, Column, Field, Fieldset, Filter, Kind, ModelAdmin, Options, Panel, Staff, Values, Widget,
};
use crate::db::Connection;
use crate::error::Error;
use crate::users;
use crate::users::permissions::Verb;

/// Registers articles.
pub struct ArticleAdmin;

static OPTIONS: Options = Options {
    name: "article",
    slug: "articles",
    label: "article",
    label_plural: "articles",
    section: "Content",
    icon: "article",
    table: "articles",
    title: "name",
    list_display: &[
        Column { name: "name", label: "Name", sql: &["name"], kind: Kind::Text, order: Some("name") },
        Column {
            name: "created_by",
            label: "Created by",
            sql: &["(SELECT username FROM users WHERE users.id = articles.created_by)"],
            kind: Kind::Text,
            order: None,
        },
        Column {
            name: "created_at",
            label: "Created",
            sql: &["created_at"],
            kind: Kind::Time,
            order: Some("created_at"),
        },
        Column { name: "updated_at", label: "Updated", sql: &["updated_at"], kind: Kind::Time, order: None },
        Column { name: "id", label: "ID", sql: &["id"], kind: Kind::Number, order: Some("id") },
    ],
    search_fields: &["name"],
    list_filter: &[
        Filter {
            name: "created",
            label: "Created",
            choices: Choices::Fixed(&[
                ("day", "Past 24 hours", "created_at >= ?", Some(|| days_ago(1))),
                ("week", "Past 7 days", "created_at >= ?", Some(|| days_ago(7))),
                ("month", "Past 30 days", "created_at >= ?", Some(|| days_ago(30))),
                ("year", "Past year", "created_at >= ?", Some(|| days_ago(365))),
            ]),
        },
        Filter {
            name: "author",
            label: "Author",
            choices: Choices::Fixed(&[
                ("yes", "With an author", "created_by IS NOT NULL", None),
                ("no", "Without", "created_by IS NULL", None),
            ]),
        },
    ],
    ordering: &["-id"],
    fieldsets: &[Fieldset {
        label: "",
        fields: &[Field {
            name: "name",
            label: "Name",
            help: "",
            widget: Widget::Text { required: true, max_length: models::NAME.max_length },
        }],
    }],
    importable: true,
    ..Options::DEFAULT
};

impl ModelAdmin for ArticleAdmin {
    fn options(&self) -> &'static Options {
        &OPTIONS
    }

    fn load(&self, conn: &mut Connection, id: i64) -> QueryResult<Option<Values>> {
        Ok(models::find(conn, id)?.map(|article| Values::default().with("name", article.name)))
    }

    fn save(&self, conn: &mut Connection, id: Option<i64>, values: &Values, staff: &Staff) -> Result<i64, Error> {
        let name = models::NAME.clean_text(values.text("name"))?;
        let article = match id {
            None => models::create(conn, &name, Some(staff.user.id), &staff.actor())?,
            Some(id) => {
                let article = models::find(conn, id)?.ok_or(Error::NoSuchObject("Article"))?;
                models::rename(conn, &article, &name, &staff.actor())?
            }
        };
        Ok(article.id)
    }

    fn panels(&self, conn: &mut Connection, id: i64, staff: &Staff) -> QueryResult<Vec<Panel>> {
        let Some(article) = models::find(conn, id)? else { return Ok(Vec::new()) };
        let author = article.created_by.map(|id| users::models::find(conn, id)).transpose()?.flatten();
        let may_view = users::admin::UserAdmin.options().allow(&staff.rights, Verb::View);
        let author = match author {
            Some(user) if may_view => Cell::Link(format!("/admin/users/{}/change/", user.id), user.username),
            Some(user) => Cell::Text(user.username),
            None => Cell::Empty,
        };
        let facts = vec![
            ("Created", Cell::Time(article.created_at)),
            ("Created by", author),
            ("Updated", Cell::Time(article.updated_at)),
        ];
        Ok(vec![Panel { label: "Record", facts, actions: Vec::new() }])
    }

    fn delete(&self, conn: &mut Connection, id: i64, staff: &Staff) -> Result<(), Error> {
        let article = models::find(conn, id)?.ok_or(Error::NoSuchObject("Article"))?;
        models::delete(conn, &article, &staff.actor())
    }
}
