// @generated automatically by Diesel CLI.

diesel::table! {
    api_requests (day) {
        day -> BigInt,
        requests -> BigInt,
    }
}

diesel::table! {
    articles (id) {
        id -> BigInt,
        name -> Text,
        created_by -> Nullable<BigInt>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    changed_rows (id) {
        id -> BigInt,
        batch -> Text,
        at -> Timestamp,
        action -> Text,
        entry_id -> BigInt,
        content -> Text,
    }
}

diesel::table! {
    deleted_rows (id) {
        id -> BigInt,
        batch -> Text,
        at -> Timestamp,
        model -> Text,
        object_id -> BigInt,
        object -> Text,
        table_name -> Text,
        content -> Text,
    }
}

diesel::table! {
    django_rows (model, source_key) {
        model -> Text,
        source_key -> Text,
        joined -> Nullable<Text>,
        local_id -> BigInt,
    }
}

diesel::table! {
    group_permissions (group_id, permission) {
        group_id -> BigInt,
        permission -> Text,
    }
}

diesel::table! {
    groups (id) {
        id -> BigInt,
        name -> Text,
        cognito_group -> Nullable<Text>,
    }
}

diesel::table! {
    history (id) {
        id -> BigInt,
        at -> Timestamp,
        actor_id -> Nullable<BigInt>,
        actor -> Text,
        source -> Text,
        action -> Text,
        model -> Text,
        object_id -> BigInt,
        object -> Text,
        changes -> Text,
        batch -> Nullable<Text>,
    }
}

diesel::table! {
    jobs (id) {
        id -> BigInt,
        user_id -> BigInt,
        model -> Text,
        title -> Text,
        content -> Text,
        state -> Text,
        report -> Text,
        updated_at -> Timestamp,
        kind -> Text,
        done -> BigInt,
        total -> BigInt,
    }
}

diesel::table! {
    kept_forms (id) {
        id -> BigInt,
        user_id -> BigInt,
        at -> Timestamp,
        content -> Text,
    }
}

diesel::table! {
    recovery_codes (id) {
        id -> BigInt,
        user_id -> BigInt,
        code_hash -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    refusals (id) {
        id -> BigInt,
        at -> Timestamp,
        kind -> Text,
        code -> Text,
        sub -> Text,
        email -> Text,
        user_id -> Nullable<BigInt>,
        times -> BigInt,
    }
}

diesel::table! {
    row_counts (table_name) {
        table_name -> Text,
        row_count -> BigInt,
    }
}

diesel::table! {
    saved_views (id) {
        id -> BigInt,
        user_id -> BigInt,
        model -> Text,
        name -> Text,
        query -> Text,
    }
}

diesel::table! {
    second_factors (user_id) {
        user_id -> BigInt,
        secret -> Text,
        last_step -> BigInt,
        confirmed_at -> Timestamp,
    }
}

diesel::table! {
    secrets (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    service_account_permissions (account_id, permission) {
        account_id -> BigInt,
        permission -> Text,
    }
}

diesel::table! {
    service_accounts (id) {
        id -> BigInt,
        name -> Text,
        client_id -> Text,
        is_active -> Bool,
        created_at -> Timestamp,
        last_seen_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        key_hash -> Text,
        user_id -> BigInt,
        state -> Text,
        address -> Text,
        user_agent -> Text,
        created_at -> Timestamp,
        last_seen_at -> Timestamp,
    }
}

diesel::table! {
    throttles (name) {
        name -> Text,
        level -> Double,
        at -> BigInt,
    }
}

diesel::table! {
    user_cognito_groups (user_id, group_id) {
        user_id -> BigInt,
        group_id -> BigInt,
    }
}

diesel::table! {
    user_groups (user_id, group_id) {
        user_id -> BigInt,
        group_id -> BigInt,
    }
}

diesel::table! {
    user_permissions (user_id, permission) {
        user_id -> BigInt,
        permission -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        username -> Text,
        email -> Text,
        email_key -> Nullable<Text>,
        first_name -> Text,
        last_name -> Text,
        password -> Nullable<Text>,
        is_active -> Bool,
        is_staff -> Bool,
        is_superuser -> Bool,
        last_login -> Nullable<Timestamp>,
        date_joined -> Timestamp,
        cognito_issuer -> Nullable<Text>,
        cognito_sub -> Nullable<Text>,
        linked_at -> Nullable<Timestamp>,
        last_seen_at -> Nullable<Timestamp>,
        origin -> Text,
        cognito_groups_iat -> Nullable<BigInt>,
        staff_by_cognito -> Bool,
        deactivated_by_sync -> Bool,
    }
}

diesel::joinable!(group_permissions -> groups (group_id));
diesel::joinable!(service_account_permissions -> service_accounts (account_id));
diesel::joinable!(user_cognito_groups -> groups (group_id));
diesel::joinable!(user_groups -> groups (group_id));

diesel::allow_tables_to_appear_in_same_query!(
    api_requests,
    articles,
    changed_rows,
    deleted_rows,
    django_rows,
    group_permissions,
    groups,
    history,
    jobs,
    kept_forms,
    recovery_codes,
    refusals,
    row_counts,
    saved_views,
    second_factors,
    secrets,
    service_account_permissions,
    service_accounts,
    sessions,
    throttles,
    user_cognito_groups,
    user_groups,
    user_permissions,
    users,
);
