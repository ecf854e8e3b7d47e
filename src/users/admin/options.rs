//! The columns and filters of the list of users, and their form.

use super::actions::{activate, deactivate, reset_second_factor, unlink};
use super::link::link_badge;
use super::memberships::{ADD_TO_GROUP, REMOVE_FROM_GROUP, group_choices};
use super::refusals;
use super::user_page::exceptions;
use crate::admin::auth::sessions;
use crate::admin::history::model::SOURCES;
use crate::admin::history::pages::ACTIVITY;
use crate::admin::model_admin::{Action, Choice, Choices, Display, Fieldset, Filter, Options, Run, Show};
use crate::users::groups::GROUP;
use crate::users::models::USER;

pub static OPTIONS: Options = Options {
    section: "People",
    icon: "users",
    list_display: &["username", "email", "name", "cognito", "is_staff", "is_superuser", "is_active", "last_login"],
    summary: &["username", "state", "email", "name", "last_active"],
    has_initials: true,
    displays: DISPLAYS,
    export: &["date_joined", "origin"],
    list_filter: FILTERS,
    identifiers: &["cognito_sub"],
    ordering: &["username"],
    fieldsets: &[
        Fieldset { label: "Identity", fields: &["username", "email", "first_name", "last_name"], collapse: false },
        Fieldset { label: "Sign-in", fields: &["password"], collapse: false },
        Fieldset { label: "Access", fields: &["is_active", "is_staff", "is_superuser", "groups"], collapse: false },
        Fieldset { label: "Direct permissions", fields: &["user_permissions"], collapse: true },
    ],
    actions: &[
        Action {
            name: "activate",
            label: "Activate selected users",
            form_label: Some("Activate"),
            done: "activated",
            already: ("is_active", "already active"),
            superusers_only: false,
            is_danger: false,
            run: Run::Plain(activate),
        },
        Action {
            name: "deactivate",
            label: "Deactivate selected users",
            form_label: Some("Deactivate"),
            done: "deactivated",
            already: ("NOT is_active", "already inactive"),
            superusers_only: false,
            is_danger: true,
            run: Run::Plain(deactivate),
        },
        Action {
            name: "unlink",
            label: "Unlink selected users from Cognito",
            form_label: Some("Unlink"),
            done: "unlinked",
            already: ("cognito_sub IS NULL", "not linked"),
            superusers_only: false,
            is_danger: true,
            run: Run::Plain(unlink),
        },
        Action {
            name: "reset_second_factor",
            label: "Reset second factors of selected users",
            form_label: Some("Reset second factor"),
            done: "left without a second factor",
            already: ("id NOT IN (SELECT user_id FROM second_factors)", "without a second factor"),
            superusers_only: true,
            is_danger: true,
            run: Run::Plain(reset_second_factor),
        },
        ADD_TO_GROUP,
        REMOVE_FROM_GROUP,
    ],
    importable: true,
    import_lists: &[("groups", GROUP_NAMES)],
    figures: &[
        ("linked to Cognito", "cognito=linked"),
        ("linked, never seen", "cognito=linked&seen=never"),
        ("inactive", "active=no"),
        ("new in 7 days", "joined=week"),
    ],
    per_day: Some(("New users", "date_joined")),
    tabs: &[&ACTIVITY, &sessions::TAB, &refusals::TAB],
    related: &[
        ("jobs", "imports and other jobs"),
        ("refusals", "refused tokens and sign-ins"),
        ("saved_views", "saved views of lists"),
        ("second_factors", "second factors"),
        ("sessions", "sessions"),
        ("user_cognito_groups", "group memberships from Cognito"),
        ("user_groups", "group memberships"),
        ("user_permissions", "permissions"),
    ],
    ..Options::new(&USER)
};

/// Only those given by hand: the pool's come with the next token.
const GROUP_NAMES: &str = r"(SELECT string_agg(replace(replace(groups.name, '\', '\\'), '
', '\n'), '
' ORDER BY groups.name) FROM user_groups JOIN groups ON groups.id = user_groups.group_id WHERE user_groups.user_id = users.id)";

const DISPLAYS: &[Display] = &[
    Display {
        name: "state",
        label: "State",
        sql: &["is_active", "is_staff", "is_superuser", "cognito_sub"],
        kind: Show::Custom(exceptions),
        order: None,
    },
    Display {
        name: "last_active",
        label: "Last active",
        sql: &["last_seen_at"],
        kind: Show::DateTime,
        order: Some("COALESCE(last_seen_at, '0001-01-01 00:00:00')"),
    },
    Display {
        name: "name",
        label: "Name",
        sql: &["trim(first_name || ' ' || last_name)"],
        kind: Show::Text,
        order: Some("last_name || ' ' || first_name"),
    },
    Display {
        name: "cognito",
        label: "Cognito",
        sql: &["cognito_sub", "last_seen_at"],
        kind: Show::Custom(link_badge),
        order: Some("CAST(COALESCE(last_seen_at, '0001-01-01 00:00:00') AS TEXT)"),
    },
    Display {
        name: "last_login",
        label: "Last sign-in",
        sql: &["last_login"],
        kind: Show::DateTime,
        order: Some("COALESCE(last_login, '0001-01-01 00:00:00')"),
    },
    Display { name: "date_joined", label: "Date joined", sql: &["date_joined"], kind: Show::DateTime, order: None },
    Display { name: "origin", label: "Origin", sql: &["origin"], kind: Show::Choice(SOURCES), order: None },
];

const FILTERS: &[Filter] = &[
    Filter { name: "active", label: "Active", choices: Choices::Field("is_active") },
    Filter { name: "staff", label: "Staff", choices: Choices::Field("is_staff") },
    Filter { name: "superuser", label: "Superuser", choices: Choices::Field("is_superuser") },
    Filter {
        name: "cognito",
        label: "Cognito link",
        choices: Choices::Fixed(&[
            ("linked", "Linked", "cognito_issuer IS NOT NULL", None),
            ("none", "Not linked", "cognito_issuer IS NULL", None),
        ]),
    },
    Filter {
        name: "groups",
        label: "Group",
        choices: Choices::Found(
            |conn| {
                let none = Choice { value: "none".to_owned(), label: "None".to_owned(), group: String::new() };
                Ok(group_choices(conn)?.into_iter().chain([none]).collect())
            },
            |value| match value {
                "none" => {
                    "NOT EXISTS (SELECT 1 FROM user_groups WHERE user_id = users.id) \
                     AND NOT EXISTS (SELECT 1 FROM user_cognito_groups WHERE user_id = users.id)"
                }
                _ => {
                    "id IN (SELECT user_id FROM user_groups WHERE group_id = CAST(? AS BIGINT) \
                     UNION SELECT user_id FROM user_cognito_groups WHERE group_id = CAST(? AS BIGINT))"
                }
            },
            Some(&GROUP),
        ),
    },
    Filter { name: "joined", label: "Date joined", choices: Choices::Time("date_joined >= ?", "date_joined < ?") },
    Filter { name: "seen", label: "Last seen", choices: Choices::LastSeen("last_seen_at") },
    Filter {
        name: "origin",
        label: "Origin",
        choices: Choices::Fixed(&[
            ("admin", "Admin", "origin = 'admin'", None),
            ("command_line", "Command line", "origin = 'command_line'", None),
            ("post_confirmation", "Sign-up", "origin = 'post_confirmation'", None),
            ("first_token", "First token", "origin = 'first_token'", None),
            ("pool_sync", "Pool sync", "origin = 'pool_sync'", None),
        ]),
    },
];
