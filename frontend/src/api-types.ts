// Made from the API's OpenAPI document by `npm run types`.

export interface paths {
    "/articles/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the articles, a page at a time. */
        get: operations["listArticles"];
        put?: never;
        /** Creates an article. */
        post: operations["createArticle"];
        delete?: never;
        /** Returns the metadata of this URL. */
        options: operations["listArticlesOptions"];
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/articles/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns an article. */
        get: operations["retrieveArticle"];
        /** Changes an article. */
        put: operations["updateArticle"];
        post?: never;
        /** Deletes an article. */
        delete: operations["destroyArticle"];
        /** Returns the metadata of this URL. */
        options: operations["retrieveArticleOptions"];
        head?: never;
        /** Changes the given fields of an article. */
        patch: operations["partialUpdateArticle"];
        trace?: never;
    };
    "/cognito/post-confirmation/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Creates or links the local user of a sign-up.
         * @description Each call is signed with a shared secret. Repeating a call changes nothing.
         */
        post: operations["postConfirmation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/cognito/user-migration/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Checks the password of a user who moves to the pool.
         * @description Each call is signed with a shared secret. Unknown users, wrong passwords and users who do not move get the same answer.
         */
        post: operations["userMigration"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reports that the process is running. */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the authenticated user. */
        get: operations["retrieveMe"];
        put?: never;
        post?: never;
        delete?: never;
        /** Returns the metadata of this URL. */
        options: operations["retrieveMeOptions"];
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reports whether requests can be served. */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An article. */
        Article: {
            /** Format: int64 */
            id: number;
            name: string;
        };
        ArticleFields: {
            /**
             * Name
             * @description Surrounding white space is removed. U+0000 is not allowed.
             */
            name: string;
        };
        /** @description Why authentication failed. */
        AuthenticationError: {
            /** @description A stable, machine-readable code: `no_token`, `authorization_invalid`, `token_too_large`, `token_malformed`, `algorithm_not_allowed`, `header_not_supported`, `kid_invalid`, `key_unknown`, `signature_invalid`, `claim_invalid`, `issuer_not_accepted`, `id_token_wanted`, `access_token_wanted`, `token_use_invalid`, `client_not_accepted`, `token_expired`, `token_not_yet_valid`, `email_missing`, `email_unverified`, `email_ambiguous`, `email_linked`, `user_unknown`, `user_inactive`, `resource_server_unset`, `service_account_unknown`, `service_account_inactive`. There may be more. */
            code: string;
            /** @description A human-readable sentence. */
            detail: string;
        };
        /** @description An error in Django REST framework's format. */
        Detail: {
            /** @description A stable, machine-readable code. Django REST framework's own errors have none. */
            code?: string;
            /** @description A human-readable sentence. */
            detail: string;
        };
        /** @description An error. */
        ErrorDetail: {
            /** @description A stable, machine-readable code. */
            code: string;
            /** @description A human-readable sentence. */
            detail: string;
            /** @description The id of the request in the service's log, for status 500 and above. */
            request_id?: string;
        };
        /** @description Error messages by field. `non_field_errors` is for the body as a whole. */
        FieldErrors: {
            [key: string]: string[];
        };
        FieldMetadata: {
            /** @description The display name. */
            label: string;
            /**
             * Format: int32
             * @description Maximum length in characters.
             */
            max_length?: number;
            read_only: boolean;
            required: boolean;
            /** @description `string` or `integer`. */
            type: string;
        };
        /** @description The process is running. */
        Health: {
            /** @description `ok` */
            status: string;
        };
        /** @description A body that cannot be parsed, or has invalid fields. */
        InvalidBody: components["schemas"]["Detail"] | components["schemas"]["FieldErrors"];
        /** @description The metadata of a URL, as in Django REST framework. */
        Metadata: {
            /** @description The fields of the body, by method. */
            actions?: {
                [key: string]: {
                    [key: string]: components["schemas"]["FieldMetadata"];
                };
            };
            /** @description Always empty. */
            description: string;
            /** @description The view's name. */
            name: string;
            /** @description The accepted media types of request bodies. */
            parses: string[];
            /** @description The media types of responses. */
            renders: string[];
        };
        PatchedArticleFields: {
            /**
             * Name
             * @description Surrounding white space is removed. U+0000 is not allowed.
             */
            name?: string;
        };
        /** @description The members of an event that matter. Others are ignored, and these are judged only where they are used. */
        PostConfirmationEvent: {
            request: {
                userAttributes: {
                    sub: string;
                } & {
                    [key: string]: string;
                };
            };
            /** @enum {string} */
            triggerSource: "PostConfirmation_ConfirmSignUp" | "PostConfirmation_ConfirmForgotPassword";
            userName?: string | null;
            userPoolId: string;
        };
        /** @description Problem details (RFC 9457), for clients that accept them. */
        Problem: {
            /** @description A stable, machine-readable code. */
            code: string;
            /** @description A human-readable sentence. */
            detail: string;
            /** @description Error messages by field. */
            errors?: components["schemas"]["FieldErrors"];
            /** @description The id of the request in the service's log, for status 500 and above. */
            request_id?: string;
            /** Format: int32 */
            status: number;
            /** @description The reason phrase of the status. */
            title: string;
            /** @description Always `about:blank`: the status is the problem type. */
            type: string;
        };
        /** @description Whether requests can be served. */
        Readiness: {
            checks: components["schemas"]["ReadinessChecks"];
            /** @description `ready` or `not ready` */
            status: string;
        };
        /** @description Each is `ok` or a message. */
        ReadinessChecks: {
            database: string;
            keys: string;
            migrations: string;
        };
        /** @description The result of a sign-up event. */
        Registration: {
            /** @description `created`, `linked`, `known`, or `ignored` for an event other than a sign-up */
            result: string;
            /**
             * Format: int64
             * @description The local user's id.
             */
            user: number | null;
        };
        /** @description The local user of the token. */
        User: {
            /** @description Empty if the user has none. */
            email: string;
            first_name: string;
            /** Format: int64 */
            id: number;
            is_staff: boolean;
            is_superuser: boolean;
            last_name: string;
            username: string;
        };
        /** @description The members of an event that matter. */
        UserMigrationEvent: {
            request: {
                /**
                 * Format: password
                 * @description Only at a sign-in.
                 */
                password?: string | null;
            };
            /** @enum {string} */
            triggerSource: "UserMigration_Authentication" | "UserMigration_ForgotPassword";
            /** @description What was typed: a username, or an e-mail. */
            userName: string;
            userPoolId: string;
        };
        /** @description The `response` of the event, for the pool. */
        UserMigrationResponse: {
            /** @description `CONFIRMED` at a sign-in: the pool takes the password over. */
            finalUserStatus?: string | null;
            /** @description `SUPPRESS`: no message of welcome. */
            messageAction: string;
            userAttributes: {
                email: string;
                /** @description `true` or `false`, as text. */
                email_verified: string;
                name?: string | null;
            };
        };
    };
    responses: {
        /** @description The body cannot be parsed, or has invalid fields. */
        BadRequest: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["InvalidBody"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The caller may not do this, or the token of a service account lacks a scope. */
        Forbidden: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                /** @description The missing scope, if that is the reason (RFC 6750). */
                "WWW-Authenticate"?: string;
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Internal server error. */
        InternalServerError: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The URL does not support this method. */
        MethodNotAllowed: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Detail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `Accept` names no supported media type. */
        NotAcceptable: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Detail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The URL is unknown, or `format` is not supported. */
        NotFound: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Detail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `If-None-Match` names the current version. */
        NotModified: {
            headers: {
                Allow: components["headers"]["Allow"];
                /** @description The version. */
                ETag?: string;
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The body is too large. */
        PayloadTooLarge: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `If-Match` does not name the current version. */
        PreconditionFailed: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body took too long to arrive. */
        RequestTimeout: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The database or the user pool's keys are unreachable, or the service is overloaded. */
        ServiceUnavailable: {
            headers: {
                Allow: components["headers"]["Allow"];
                /** @description Seconds to wait. */
                "Retry-After"?: number;
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The client has exceeded the rate limit. */
        TooManyRequests: {
            headers: {
                Allow: components["headers"]["Allow"];
                /** @description Seconds to wait. */
                "Retry-After"?: number;
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The token is missing or not accepted. */
        Unauthorized: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                /** @description `Bearer` (RFC 6750). */
                "WWW-Authenticate"?: string;
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["AuthenticationError"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body's `Content-Type` is not supported. */
        UnsupportedMediaType: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Detail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description The methods of this URL. */
        Allow: string;
        /** @description The request headers that the response depends on, such as `Accept`, `Accept-Encoding` and `Origin`. */
        Vary: string;
        /** @description The id of the request in the service's log. */
        "X-Request-Id": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listArticles: {
        parameters: {
            query?: {
                /** @description Rows per page, at most 1000. */
                limit?: number;
                /** @description Where the page starts: taken from a `Link` header, valid for one ordering. */
                cursor?: string;
                /** @description Words of which each must occur, at most 20; quotation marks make several one. Case does not matter. */
                search?: string;
                /** @description The field that orders the list; a hyphen before it reverses the order. Several are separated by commas. */
                ordering?: string;
            };
            header?: {
                /** @description Versions that the client has cached. If one is current, the response is a 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of articles. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    /** @description The version of the response. */
                    ETag?: string;
                    /** @description Other pages, with `rel` `next`, `prev` and `first` (RFC 8288). */
                    Link?: string;
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    /** @description Number of articles, or of those that match the search. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Article"][];
                };
            };
            304: components["responses"]["NotModified"];
            /** @description A parameter is invalid. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FieldErrors"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    createArticle: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "A new article"
                 *     }
                 */
                "application/json": components["schemas"]["ArticleFields"];
            };
        };
        responses: {
            /** @description The new article. */
            201: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    /** @description Its URL. */
                    Location?: string;
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Article"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            406: components["responses"]["NotAcceptable"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    listArticlesOptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metadata of this URL. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Metadata"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    retrieveArticle: {
        parameters: {
            query?: never;
            header?: {
                /** @description Versions that the client has cached. If one is current, the response is a 304 without a body. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The article's id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The article. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    /** @description The version of the response. */
                    ETag?: string;
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Article"];
                };
            };
            304: components["responses"]["NotModified"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    updateArticle: {
        parameters: {
            query?: never;
            header?: {
                /** @description Versions that may be changed. If none is current, the response is a 412. */
                "If-Match"?: string;
            };
            path: {
                /** @description The article's id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ArticleFields"];
            };
        };
        responses: {
            /** @description The article. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Article"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            406: components["responses"]["NotAcceptable"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    destroyArticle: {
        parameters: {
            query?: never;
            header?: {
                /** @description Versions that may be changed. If none is current, the response is a 412. */
                "If-Match"?: string;
            };
            path: {
                /** @description The article's id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            406: components["responses"]["NotAcceptable"];
            412: components["responses"]["PreconditionFailed"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    retrieveArticleOptions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The article's id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metadata of this URL. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Metadata"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    partialUpdateArticle: {
        parameters: {
            query?: never;
            header?: {
                /** @description Versions that may be changed. If none is current, the response is a 412. */
                "If-Match"?: string;
            };
            path: {
                /** @description The article's id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedArticleFields"];
            };
        };
        responses: {
            /** @description The article. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Article"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            406: components["responses"]["NotAcceptable"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    postConfirmation: {
        parameters: {
            query?: never;
            header: {
                /** @description The time of the signature in Unix seconds, at most 5 minutes from now. */
                "X-Gatepost-Timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PostConfirmationEvent"];
            };
        };
        responses: {
            /** @description What was done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Registration"];
                };
            };
            /** @description The body is not an event of the trigger. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The signature is missing, invalid or expired. */
            401: {
                headers: {
                    /** @description `Gatepost-Signature` */
                    "WWW-Authenticate"?: string;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The event is another pool's, or no secret is configured. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The URL does not support this method. */
            405: {
                headers: {
                    /** @description The methods of this URL. */
                    Allow?: string;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The event took too long to arrive. */
            408: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The user cannot be created or linked; `code` says why. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The event is too large. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The event is compressed, or its charset is unknown. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description Too many refused calls. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description Internal server error. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The database is unreachable, or the service is overloaded. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
        };
    };
    userMigration: {
        parameters: {
            query?: never;
            header: {
                /** @description The time of the signature in Unix seconds, at most 5 minutes from now. */
                "X-Gatepost-Timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserMigrationEvent"];
            };
        };
        responses: {
            /** @description The `response` for the pool. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserMigrationResponse"];
                };
            };
            /** @description The body is not an event of the trigger. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The signature is missing, invalid or expired. */
            401: {
                headers: {
                    /** @description `Gatepost-Signature` */
                    "WWW-Authenticate"?: string;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The user does not move, the event is another pool's, or no secret is configured. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The URL does not support this method. */
            405: {
                headers: {
                    /** @description The methods of this URL. */
                    Allow?: string;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The event took too long to arrive. */
            408: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The event is too large. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The event is compressed, or its charset is unknown. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description Too many wrong passwords for this account, or too many refused calls. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description Internal server error. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The database is unreachable, or the service is overloaded. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process is running. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The URL does not support this method. */
            405: {
                headers: {
                    /** @description The methods of this URL. */
                    Allow?: string;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
        };
    };
    retrieveMe: {
        parameters: {
            query?: never;
            header?: {
                /** @description Versions that the client has cached. If one is current, the response is a 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    /** @description The version of the response. */
                    ETag?: string;
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            304: components["responses"]["NotModified"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    retrieveMeOptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metadata of this URL. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Metadata"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Requests can be served. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description The URL does not support this method. */
            405: {
                headers: {
                    /** @description The methods of this URL. */
                    Allow?: string;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                };
            };
            /** @description The service is not ready. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
}
