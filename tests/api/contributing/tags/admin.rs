//! Tags in the admin.

use diesel::QueryResult;
use gatepost::admin::model_admin::{Column, Field, Fieldset, Kind, ModelAdmin, Options, Staff, Values, Widget};
use gatepost::db::Connection;
use gatepost::error::Error;

use super::models::{self, NAME};

/// Registers tags.
pub struct TagAdmin;

static OPTIONS: Options = Options {
    name: "tag",
    slug: "tags",
    label: "tag",
    label_plural: "tags",
    table: "tags",
    list_display: &[
        Column { name: "name", label: "Name", sql: &["name"], kind: Kind::Text, order: Some("name") },
        Column { name: "id", label: "ID", sql: &["id"], kind: Kind::Number, order: Some("id") },
    ],
    search_fields: &["name"],
    ordering: &["name"],
    fieldsets: &[Fieldset {
        label: "",
        fields: &[Field {
            name: "name",
            label: "Name",
            help: "One word is best.",
            widget: Widget::Text { required: true, max_length: NAME.max_length },
        }],
    }],
    importable: true,
    ..Options::DEFAULT
};

impl ModelAdmin for TagAdmin {
    fn options(&self) -> &'static Options {
        &OPTIONS
    }

    fn load(&self, conn: &mut Connection, id: i64) -> QueryResult<Option<Values>> {
        Ok(models::find(conn, id)?.map(|tag| Values::default().with("name", tag.name)))
    }

    fn save(&self, conn: &mut Connection, id: Option<i64>, values: &Values, staff: &Staff) -> Result<i64, Error> {
        let name = NAME.clean_text(values.text("name"))?;
        let tag = match id {
            None => models::create(conn, &name, &staff.actor())?,
            Some(id) => {
                let tag = models::find(conn, id)?.ok_or(Error::NoSuchObject("Tag"))?;
                models::rename(conn, &tag, &name, &staff.actor())?
            }
        };
        Ok(tag.id)
    }

    fn delete(&self, conn: &mut Connection, id: i64, staff: &Staff) -> Result<(), Error> {
        let tag = models::find(conn, id)?.ok_or(Error::NoSuchObject("Tag"))?;
        models::delete(conn, &tag, &staff.actor())
    }
}
