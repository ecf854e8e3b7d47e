//! Events: talks and workshops.

use gatepost::admin::model_admin::{Filter, Options};
use gatepost::api::{ModelViewSet, Permission};
use gatepost::models::Default;
use gatepost::models::{Field, Model};
use gatepost::users::models::USER;

/// An event. It outlives its owner.
pub static EVENT: Model = Model {
    name: "event",
    plural: "events",
    title: "name",
    fields: &[
        Field::char("name", 60).search().order(),
        Field::datetime("starts_at").order(),
        Field::datetime("ends_at").null().check("events_ends_at", "The event has to end after it starts."),
        Field::boolean("is_public").label("Public"),
        Field::choice("kind", &[("talk", "Talk"), ("workshop", "Workshop")]).default(Default::Text("talk")),
        Field::foreign_key("owner", &USER).null().default(Default::Caller),
    ],
};

/// `/events/` and `/events/{id}/`: anyone with a token creates events, their owners and staff change them.
pub static API: ModelViewSet = ModelViewSet {
    read_only_fields: &["owner"],
    create: Permission::IsAuthenticated,
    change: Permission::IsOwnerOrAdmin("owner"),
    ..ModelViewSet::new(&EVENT)
};

/// The admin's list and form, in which staff may give an event to somebody else.
pub static ADMIN: Options = Options {
    list_display: &["name", "starts_at", "is_public", "kind", "owner"],
    list_filter: &[
        Filter::field("starts_at"),
        Filter::field("is_public"),
        Filter::field("kind"),
        Filter::field("owner"),
    ],
    ordering: &["-starts_at"],
    importable: true,
    ..Options::new(&EVENT)
};
