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
        /** Tells what the address offers. */
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
        /** Answers with an article. */
        get: operations["retrieveArticle"];
        /** Changes an article. */
        put: operations["updateArticle"];
        post?: never;
        /** Deletes an article. */
        delete: operations["destroyArticle"];
        /** Tells what the address offers. */
        options: operations["retrieveArticleOptions"];
        head?: never;
        /** Changes those fields of an article that are sent. */
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
         * Takes over who has signed up.
         * @description Each call is signed with a shared secret, and a repeated one changes nothing.
         */
        post: operations["postConfirmation"];
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
        /** Tells that the process is there. */
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
        /** Answers with the user that the API takes the caller for. */
        get: operations["retrieveMe"];
        put?: never;
        post?: never;
        delete?: never;
        /** Tells what the address offers. */
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
        /** Tells whether requests can be served. */
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
             * @description White space around it is removed; it may hold no U+0000.
             */
            name: string;
        };
        /** @description Why the request does not prove who it comes from. */
        AuthenticationError: {
            /** @enum {string} */
            code: "no_token" | "authorization_invalid" | "token_too_large" | "token_malformed" | "algorithm_not_allowed" | "header_not_supported" | "kid_invalid" | "key_unknown" | "signature_invalid" | "claim_invalid" | "issuer_not_accepted" | "id_token_wanted" | "access_token_wanted" | "token_use_invalid" | "client_not_accepted" | "token_expired" | "token_not_yet_valid" | "email_missing" | "email_unverified" | "email_ambiguous" | "email_linked" | "user_unknown" | "user_inactive";
            /** @description A sentence for people. */
            detail: string;
        };
        /** @description What is wrong, as Django REST framework says it. */
        Detail: {
            /** @description A stable word for programs. Django REST framework's own errors have none. */
            code?: string;
            /** @description A sentence for people. */
            detail: string;
        };
        /** @description What is wrong. */
        Error: {
            /** @description A stable word for programs. */
            code: string;
            /** @description A sentence for people. */
            detail: string;
            /** @description Leads to the request in the service's log; in answers of 500 and above. */
            request_id?: string;
        };
        /** @description What is wrong with each field; `non_field_errors` is for the body as a whole. */
        FieldErrors: {
            [key: string]: string[];
        };
        FieldMetadata: {
            /** @description The name for people. */
            label: string;
            /**
             * Format: int32
             * @description In characters.
             */
            max_length?: number;
            read_only: boolean;
            required: boolean;
            /** @description `string` or `integer`. */
            type: string;
        };
        /** @description That the process is there. */
        Health: {
            /** @description `ok` */
            status: string;
        };
        /** @description A body that cannot be read, or whose fields are wrong. */
        InvalidBody: components["schemas"]["Detail"] | components["schemas"]["FieldErrors"];
        /** @description What OPTIONS tells of an address, as Django REST framework does. */
        Metadata: {
            /** @description The fields of the body of each method that has one. */
            actions?: {
                [key: string]: {
                    [key: string]: components["schemas"]["FieldMetadata"];
                };
            };
            /** @description Always empty. */
            description: string;
            /** @description The view's name. */
            name: string;
            /** @description The media types that can be read. */
            parses: string[];
            /** @description The media types that can be answered with. */
            renders: string[];
        };
        PatchedArticleFields: {
            /**
             * Name
             * @description White space around it is removed; it may hold no U+0000.
             */
            name?: string;
        };
        /** @description The event, as far as it matters; whatever else is in it is tolerated. */
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
        /** @description Problem details (RFC 9457), for who asks for them. */
        Problem: {
            /** @description A stable word for programs. */
            code: string;
            /** @description A sentence for people. */
            detail: string;
            /** @description What is wrong with each field. */
            errors?: components["schemas"]["FieldErrors"];
            /** @description Leads to the request in the service's log; in answers of 500 and above. */
            request_id?: string;
            /** Format: int32 */
            status: number;
            /** @description The status in words. */
            title: string;
            /** @description Always `about:blank`: the kind of problem is the status. */
            type: string;
        };
        /** @description Whether requests can be served. */
        Readiness: {
            checks: components["schemas"]["ReadinessChecks"];
            /** @description `ready` or `not ready` */
            status: string;
        };
        /** @description Each is `ok`, or says what is wrong. */
        ReadinessChecks: {
            database: string;
            keys: string;
            migrations: string;
        };
        /** @description What became of who signed up. */
        Registration: {
            /** @description `created`, `linked`, `known` or, for another event than a sign-up, `ignored` */
            result: string;
            /**
             * Format: int64
             * @description The local user's id.
             */
            user: number | null;
        };
        /** @description The local user that a token stands for. */
        User: {
            /** @description Empty where there is none. */
            email: string;
            first_name: string;
            /** Format: int64 */
            id: number;
            is_staff: boolean;
            is_superuser: boolean;
            last_name: string;
            username: string;
        };
    };
    responses: {
        /** @description The body cannot be read, or its fields are wrong. */
        BadRequest: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["InvalidBody"];
                "text/html": string;
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The caller may not change this object. */
        Forbidden: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "text/html": string;
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Something went wrong on the service's side. */
        InternalServerError: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "text/html": string;
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The address has no such method. */
        MethodNotAllowed: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Detail"];
                "text/html": string;
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `Accept` names nothing that can be served. */
        NotAcceptable: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Detail"];
                "text/html": string;
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is nothing at this address, or `format` names no rendering. */
        NotFound: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Detail"];
                "text/html": string;
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `If-None-Match` names the present version. */
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
                "application/json": components["schemas"]["Error"];
                "text/html": string;
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `If-Match` names another version than the present one. */
        PreconditionFailed: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "text/html": string;
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
                "application/json": components["schemas"]["Error"];
                "text/html": string;
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The database or the user pool's keys are out of reach, or there is too much to do at once. */
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
                "application/json": components["schemas"]["Error"];
                "text/html": string;
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The caller has sent more requests than the service's operator allows. */
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
                "application/json": components["schemas"]["Error"];
                "text/html": string;
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
                "text/html": string;
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body's `Content-Type` is none of those that can be read. */
        UnsupportedMediaType: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Detail"];
                "text/html": string;
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description The methods of this address. */
        Allow: string;
        /** @description What the answer depends on, such as `Accept`, `Accept-Encoding` and `Origin`. */
        Vary: string;
        /** @description Leads to the request in the service's log. */
        "X-Request-Id": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listArticles: {
        parameters: {
            query?: {
                /** @description Rows of a page; more than 1000 means 1000. */
                limit?: number;
                /** @description Where the page begins: comes from the `Link` header, and holds for one ordering. */
                cursor?: string;
                /** @description Words of which each must occur, at most 20; quotation marks make several one. Case does not matter. */
                search?: string;
                /** @description The field that orders the list; a hyphen before it reverses the order. */
                ordering?: "id" | "-id" | "name" | "-name";
                /** @description The rendering, whatever `Accept` says: JSON, or a page for people. An empty one says nothing. */
                format?: "json" | "api" | "";
            };
            header?: {
                /** @description Versions that the caller has: for these, a 304 saves the body. */
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
                    /** @description The version of what is sent. */
                    ETag?: string;
                    /** @description The pages around, by `rel` `next`, `prev` and `first` (RFC 8288). */
                    Link?: string;
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    /** @description How many articles there are, or match the search. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Article"][];
                    "text/html": string;
                };
            };
            304: components["responses"]["NotModified"];
            /** @description A parameter is wrong. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FieldErrors"];
                    "text/html": string;
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
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
            query?: {
                /** @description The rendering, whatever `Accept` says: JSON, or a page for people. An empty one says nothing. */
                format?: "json" | "api" | "";
            };
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
                /**
                 * @example {
                 *       "name": "A new article"
                 *     }
                 */
                "application/x-www-form-urlencoded": components["schemas"]["ArticleFields"];
                /**
                 * @example {
                 *       "name": "A new article"
                 *     }
                 */
                "multipart/form-data": components["schemas"]["ArticleFields"];
            };
        };
        responses: {
            /** @description The new article. */
            201: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    /** @description Its address. */
                    Location?: string;
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Article"];
                    "text/html": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
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
            query?: {
                /** @description The rendering, whatever `Accept` says: JSON, or a page for people. An empty one says nothing. */
                format?: "json" | "api" | "";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the address offers. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Metadata"];
                    "text/html": string;
                };
            };
            401: components["responses"]["Unauthorized"];
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
            query?: {
                /** @description The rendering, whatever `Accept` says: JSON, or a page for people. An empty one says nothing. */
                format?: "json" | "api" | "";
            };
            header?: {
                /** @description Versions that the caller has: for these, a 304 saves the body. */
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
                    /** @description The version of what is sent. */
                    ETag?: string;
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Article"];
                    "text/html": string;
                };
            };
            304: components["responses"]["NotModified"];
            401: components["responses"]["Unauthorized"];
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
            query?: {
                /** @description The rendering, whatever `Accept` says: JSON, or a page for people. An empty one says nothing. */
                format?: "json" | "api" | "";
            };
            header?: {
                /** @description Versions that may be changed: for another one, the answer is 412. */
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
                "application/x-www-form-urlencoded": components["schemas"]["ArticleFields"];
                "multipart/form-data": components["schemas"]["ArticleFields"];
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
                    "text/html": string;
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
            query?: {
                /** @description The rendering, whatever `Accept` says: JSON, or a page for people. An empty one says nothing. */
                format?: "json" | "api" | "";
            };
            header?: {
                /** @description Versions that may be changed: for another one, the answer is 412. */
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
            /** @description It is gone. */
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
            query?: {
                /** @description The rendering, whatever `Accept` says: JSON, or a page for people. An empty one says nothing. */
                format?: "json" | "api" | "";
            };
            header?: never;
            path: {
                /** @description The article's id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the address offers. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Metadata"];
                    "text/html": string;
                };
            };
            401: components["responses"]["Unauthorized"];
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
            query?: {
                /** @description The rendering, whatever `Accept` says: JSON, or a page for people. An empty one says nothing. */
                format?: "json" | "api" | "";
            };
            header?: {
                /** @description Versions that may be changed: for another one, the answer is 412. */
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
                "application/x-www-form-urlencoded": components["schemas"]["PatchedArticleFields"];
                "multipart/form-data": components["schemas"]["PatchedArticleFields"];
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
                    "text/html": string;
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
                /** @description The time of the signature: seconds since 1970, not more than 5 minutes off. */
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
            /** @description This is no event of the trigger. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The call is not signed, not well or not lately. */
            401: {
                headers: {
                    /** @description `Gatepost-Signature` */
                    "WWW-Authenticate"?: string;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The event is another pool's, or no secret is configured. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The address has no such method. */
            405: {
                headers: {
                    /** @description The methods of this address. */
                    Allow?: string;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The event took too long to arrive. */
            408: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Who signed up cannot be taken over; `code` tells why. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The event is too large. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many calls that were refused. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Something went wrong on the service's side. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The database is out of reach, or there is too much to do at once. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
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
            /** @description The process is there. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The address has no such method. */
            405: {
                headers: {
                    /** @description The methods of this address. */
                    Allow?: string;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retrieveMe: {
        parameters: {
            query?: {
                /** @description The rendering, whatever `Accept` says: JSON, or a page for people. An empty one says nothing. */
                format?: "json" | "api" | "";
            };
            header?: {
                /** @description Versions that the caller has: for these, a 304 saves the body. */
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
                    /** @description The version of what is sent. */
                    ETag?: string;
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                    "text/html": string;
                };
            };
            304: components["responses"]["NotModified"];
            401: components["responses"]["Unauthorized"];
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
            query?: {
                /** @description The rendering, whatever `Accept` says: JSON, or a page for people. An empty one says nothing. */
                format?: "json" | "api" | "";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the address offers. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Metadata"];
                    "text/html": string;
                };
            };
            401: components["responses"]["Unauthorized"];
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
            /** @description The address has no such method. */
            405: {
                headers: {
                    /** @description The methods of this address. */
                    Allow?: string;
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Something is missing. */
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
