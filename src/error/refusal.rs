//! Why a client is refused: closed sets of reasons. Code matches on their names, clients on their codes.

use actix_web::http::StatusCode;

macro_rules! refusals {
    ($(#[$set:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident, $code:literal, $detail:literal;)* }) => {
        $(#[$set])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// Stable: clients can rely on it.
            pub fn code(self) -> &'static str {
                match self { $($name::$variant => $code,)* }
            }

            pub fn detail(self) -> &'static str {
                match self { $($name::$variant => $detail,)* }
            }
        }
    };
}

refusals! {
    /// Neither code nor sentence contains anything from the token.
    Refusal {
        NoToken, "no_token", "No authentication token provided. Send `Authorization: Bearer <idToken>`.";
        AuthorizationInvalid, "authorization_invalid", "The Authorization header must be `Bearer <idToken>` or the token alone, once.";
        TokenTooLarge, "token_too_large", "The token is larger than 16 KiB.";
        /// Not three parts of base64url with JSON objects.
        TokenMalformed, "token_malformed", "This is not a JSON Web Token. Send the whole idToken, unchanged.";
        AlgorithmNotAllowed, "algorithm_not_allowed", "The token is not signed with RS256.";
        /// `crit` or `b64` require an unsupported extension, or the header contains a key.
        HeaderNotSupported, "header_not_supported", "The token's header requires an unsupported extension or contains a key.";
        KeyIdInvalid, "kid_invalid", "The token's header names no signing key.";
        KeyUnknown, "key_unknown", "The token is signed with a key that the user pool does not publish. Is it a token of this pool?";
        SignatureInvalid, "signature_invalid", "The token's signature is not valid.";
        ClaimInvalid, "claim_invalid", "A claim of the token is missing or malformed.";
        IssuerNotAccepted, "issuer_not_accepted", "The token comes from another user pool.";
        IdTokenWanted, "id_token_wanted", "This is an access token. Send the idToken.";
        AccessTokenWanted, "access_token_wanted", "This is an ID token. Send the accessToken.";
        TokenUseInvalid, "token_use_invalid", "The token is neither an ID token nor an access token.";
        /// `aud` or `client_id` is another app client.
        ClientNotAccepted, "client_not_accepted", "The token was issued to another app client.";
        TokenExpired, "token_expired", "The token has expired. Sign in again or refresh the session.";
        /// `nbf`, `iat` or `auth_time` is in the future.
        TokenNotYetValid, "token_not_yet_valid", "The token is not valid yet. Is the clock right?";
        EmailMissing, "email_missing", "No local user is linked to this Cognito user, and the token carries no e-mail to find one by.";
        EmailUnverified, "email_unverified", "The e-mail address is not verified in Cognito.";
        /// Differs from a local user's in more than the case of ASCII letters.
        EmailAmbiguous, "email_ambiguous", "The e-mail address resembles a local user's but is not the same.";
        EmailLinked, "email_linked", "The local user with this e-mail address is linked to another Cognito user. Ask the staff to check the link.";
        UserUnknown, "user_unknown", "No local user has the token's e-mail address.";
        UserInactive, "user_inactive", "The user is deactivated.";
        /// The token of a machine client.
        ResourceServerUnset, "resource_server_unset", "This is the token of a machine client. The service accepts none, because COGNITO_RESOURCE_SERVER is not set.";
        ServiceAccountUnknown, "service_account_unknown", "No service account has the token's client ID. Ask the staff to add it under \"Service accounts\" in the admin.";
        ServiceAccountInactive, "service_account_inactive", "The service account is deactivated.";
        /// Not the caller's fault.
        KeysUnavailable, "keys_unavailable", "The user pool's keys are temporarily unavailable. Try again.";
    }
}

refusals! {
    /// Sign-ins to the admin: what only staff who may see users are told.
    SignInRefusal {
        PasswordWrong, "password_wrong", "The password is wrong. You can set another one.";
        PasswordMissing, "password_missing", "The user has no password, and signs in with Cognito only.";
        CodeWrong, "code_wrong", "The code of the second factor is wrong, was used before, or is too old.";
        SecondFactorUnavailable, "second_factor_unavailable", "The key of the second factors is missing or not the right one: see the log.";
        TooManyAttempts, "too_many_attempts", "Too many attempts have failed. The user has to wait.";
        NotStaff, "not_staff", "The user is not staff. You can change that, or a Cognito group can.";
        NonceWrong, "nonce_wrong", "The token from Cognito belongs to another sign-in.";
        AcrNotAccepted, "acr_not_accepted", "Cognito did not confirm a second factor, which COGNITO_ADMIN_ACR asks for.";
        SignInTooOld, "sign_in_too_old", "The user signed in to Cognito more than SESSION_MAX_SECONDS ago, and has to sign in again.";
    }
}

refusals! {
    TriggerRefusal {
        Disabled, "post_confirmation_disabled", "No secret is configured for the trigger.";
        MigrationDisabled, "user_migration_disabled", "No secret is configured for the User Migration trigger.";
        SignatureMissing, "signature_missing", "X-Gatepost-Timestamp and X-Gatepost-Signature are required.";
        SignatureInvalid, "signature_invalid", "The signature does not match the body and a configured secret.";
        SignatureExpired, "signature_expired", "The signature is too old or from the future. Are both clocks right?";
        WrongPool, "wrong_pool", "The event comes from another user pool.";
        EventMalformed, "event_malformed", "The body is not an event of the trigger.";
        SourceUnknown, "trigger_source_unknown", "The event is not one of this trigger.";
        /// Unknown, not allowed to move, or a wrong password: nobody is told which.
        UserNotMigrated, "user_not_migrated", "The user does not move to the user pool, or the password is wrong.";
    }
}

refusals! {
    MetricsRefusal {
        TokenMissing, "metrics_token_missing", "Send `Authorization: Bearer` and the token of METRICS_TOKEN.";
        TokenInvalid, "metrics_token_invalid", "The token is not that of METRICS_TOKEN.";
    }
}

impl Refusal {
    /// Whether the token's signature has been verified, and was good.
    pub fn is_after_signature(self) -> bool {
        use Refusal::*;
        match self {
            NoToken | AuthorizationInvalid | TokenTooLarge | TokenMalformed | AlgorithmNotAllowed => false,
            HeaderNotSupported | KeyIdInvalid | KeyUnknown | SignatureInvalid | KeysUnavailable => false,
            ClaimInvalid | IssuerNotAccepted | IdTokenWanted | AccessTokenWanted | TokenUseInvalid => true,
            ClientNotAccepted | TokenExpired | TokenNotYetValid | EmailMissing | EmailUnverified => true,
            EmailAmbiguous | EmailLinked | UserUnknown | UserInactive => true,
            ResourceServerUnset | ServiceAccountUnknown | ServiceAccountInactive => true,
        }
    }

    /// The sentence for the trigger, whose event is no token.
    pub fn sign_up_detail(self) -> &'static str {
        match self {
            Refusal::ClaimInvalid => "The username or the e-mail address of the event is not valid.",
            Refusal::EmailMissing => "The event has no e-mail address.",
            Refusal::UserUnknown => "No local user has the e-mail address of the event.",
            refusal => refusal.detail(),
        }
    }
}

impl TriggerRefusal {
    pub fn status(self) -> StatusCode {
        use TriggerRefusal::*;
        match self {
            SignatureMissing | SignatureInvalid | SignatureExpired => StatusCode::UNAUTHORIZED,
            Disabled | MigrationDisabled | WrongPool | UserNotMigrated => StatusCode::FORBIDDEN,
            EventMalformed | SourceUnknown => StatusCode::BAD_REQUEST,
        }
    }
}
