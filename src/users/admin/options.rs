//! How users are called and shown in the admin: the columns and filters of their list, and their form.

use super::groups::group_choices;
use super::link::link_badge;
use crate::admin::history::model::source_cell;
use crate::admin::model_admin::{Action, Choice, Choices, Column, Field, Fieldset, Filter, Kind, Options, Widget};
use crate::users::validators::{MAX_NAME_CHARS, MAX_USERNAME_CHARS};

/// See [`super::UserAdmin`].
pub static OPTIONS: Options = Options {
    name: "user",
    slug: "users",
    label: "user",
    label_plural: "users",
    section: "People",
    icon: "users",
    table: "users",
    title: "username",
    list_display: COLUMNS,
    export: EXPORT,
    search_fields: &["username", "first_name", "last_name", "email"],
    list_filter: FILTERS,
    ordering: &["username"],
    fieldsets: &[IDENTITY, SIGN_IN, RIGHTS],
    actions: &[
        Action { name: "activate", label: "Activate selected users", form_label: None, done: "activated" },
        Action { name: "deactivate", label: "Deactivate selected users", form_label: None, done: "deactivated" },
        Action {
            name: "unlink",
            label: "Unlink selected users from Cognito",
            form_label: Some("Unlink"),
            done: "unlinked",
        },
    ],
    importable: true,
    related: &[
        ("imports", "imports"),
        ("sessions", "sessions"),
        ("user_groups", "group memberships"),
        ("user_permissions", "permissions"),
    ],
    ..Options::DEFAULT
};

const COLUMNS: &[Column] = &[
    Column { name: "username", label: "Username", sql: &["username"], kind: Kind::Text, order: Some("username") },
    Column { name: "email", label: "E-mail", sql: &["email"], kind: Kind::Text, order: Some("email") },
    Column {
        name: "name",
        label: "Name",
        sql: &["trim(first_name || ' ' || last_name)"],
        kind: Kind::Text,
        order: Some("last_name || ' ' || first_name"),
    },
    Column {
        name: "cognito",
        label: "Cognito",
        sql: &["cognito_sub", "last_seen_at"],
        kind: Kind::Custom(link_badge),
        order: Some("CAST(COALESCE(last_seen_at, '0001-01-01 00:00:00') AS TEXT)"),
    },
    Column { name: "is_staff", label: "Staff", sql: &["is_staff"], kind: Kind::Flag, order: Some("is_staff") },
    Column {
        name: "is_superuser",
        label: "Superuser",
        sql: &["is_superuser"],
        kind: Kind::Flag,
        order: Some("is_superuser"),
    },
    Column { name: "is_active", label: "Active", sql: &["is_active"], kind: Kind::Flag, order: Some("is_active") },
    Column {
        name: "last_login",
        label: "Last sign-in",
        sql: &["last_login"],
        kind: Kind::Time,
        order: Some("COALESCE(last_login, '0001-01-01 00:00:00')"),
    },
];

/// What a file has room for.
const EXPORT: &[Column] = &[
    Column { name: "date_joined", label: "Date joined", sql: &["date_joined"], kind: Kind::Time, order: None },
    Column { name: "origin", label: "Origin", sql: &["origin"], kind: Kind::Custom(source_cell), order: None },
];

const FILTERS: &[Filter] = &[
    Filter {
        name: "active",
        label: "Active",
        choices: Choices::Fixed(&[("yes", "Yes", "is_active", None), ("no", "No", "NOT is_active", None)]),
    },
    Filter {
        name: "staff",
        label: "Staff",
        choices: Choices::Fixed(&[("yes", "Yes", "is_staff", None), ("no", "No", "NOT is_staff", None)]),
    },
    Filter {
        name: "superuser",
        label: "Superuser",
        choices: Choices::Fixed(&[("yes", "Yes", "is_superuser", None), ("no", "No", "NOT is_superuser", None)]),
    },
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
                "none" => "NOT EXISTS (SELECT 1 FROM user_groups WHERE user_id = users.id)",
                _ => "id IN (SELECT user_id FROM user_groups WHERE group_id = CAST(? AS BIGINT))",
            },
        ),
    },
    Filter {
        name: "origin",
        label: "Origin",
        choices: Choices::Fixed(&[
            ("admin", "Admin", "origin = 'admin'", None),
            ("command_line", "Command line", "origin = 'command_line'", None),
            ("post_confirmation", "Sign-up", "origin = 'post_confirmation'", None),
            ("first_token", "First token", "origin = 'first_token'", None),
        ]),
    },
];

const IDENTITY: Fieldset = Fieldset {
    label: "Identity",
    fields: &[
        Field {
            name: "username",
            label: "Username",
            help: "Letters, digits and @ . + - _ only.",
            widget: Widget::Text { required: true, max_length: MAX_USERNAME_CHARS },
        },
        Field {
            name: "email",
            label: "E-mail",
            help: "As in Cognito: the first token with this verified address links the user.",
            widget: Widget::Email,
        },
        Field { name: "first_name", label: "First name", help: "", widget: NAME },
        Field { name: "last_name", label: "Last name", help: "", widget: NAME },
    ],
};

const NAME: Widget = Widget::Text { required: false, max_length: MAX_NAME_CHARS };

const SIGN_IN: Fieldset = Fieldset {
    label: "Sign-in",
    fields: &[Field {
        name: "password",
        label: "Password",
        help: "A password is for the admin only. The API takes tokens of Cognito.",
        widget: Widget::NewPassword,
    }],
};

const RIGHTS: Fieldset = Fieldset {
    label: "Rights",
    fields: &[
        Field {
            name: "is_active",
            label: "Active",
            help: "May sign in and use the API. Unselect this instead of deleting.",
            widget: Widget::Checkbox,
        },
        Field {
            name: "is_staff",
            label: "Staff",
            help: "May sign in to the admin, and change and delete everybody's articles by token.",
            widget: Widget::Checkbox,
        },
        Field {
            name: "is_superuser",
            label: "Superuser",
            help: "Has all permissions without being given them.",
            widget: Widget::Checkbox,
        },
        Field {
            name: "groups",
            label: "Groups",
            help: "The user has all permissions of these groups.",
            widget: Widget::SelectMultiple,
        },
        Field {
            name: "user_permissions",
            label: "Permissions",
            help: "Beside those of the groups.",
            widget: Widget::SelectMultiple,
        },
    ],
};
