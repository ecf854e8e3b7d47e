//! Tokens.

use super::Body::{Begins, Code};
use super::{FIRST, Row, ask, original};
use crate::harness::pool::{NEW_ISSUER, TestKey, now};

#[tokio::test]
async fn tokens_are_judged_like_the_original_or_more_strictly() {
    let (server, good) = original().await;
    server.user_with("root", |user| (user.is_staff, user.is_superuser) = (true, true)).await;
    for name in ["gone", "kate", "Carol", "unlinked"] {
        server.user(name).await;
    }
    server.sql("UPDATE users SET is_active = FALSE WHERE username = 'gone'").await;
    let pool = &server.pool;
    let with = |value: &str| server.call("GET", "/articles/").header("authorization", value);
    let ok = |case, token: String| Row { case, call: with(&token), status: 200, body: Begins(FIRST) };
    let refused = |case, token: String, code| Row { case, call: with(&token), status: 401, body: Code(code) };
    let (start, signature) = good.rsplit_once('.').expect("three parts");
    let (header, claims) = start.split_once('.').expect("three parts");
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let bent = format!("{start}.{flipped}{}", &signature[1..]);
    let other_claims = pool.token("root").sign().split('.').nth(1).expect("claims").to_owned();
    let none = TestKey::nth(0).sign(r#"{"alg":"none","kid":"x"}"#, &pool.token("alice").claims_json());
    let ahead = now() + 3600;
    ask(
        &server,
        vec![
            ok("good token", good.clone()),
            // The original takes nothing but the bare token.
            ok("Bearer + good token", format!("Bearer {good}")),
            ok("bearer in small letters", format!("bearer {good}")),
            ok("trailing space + good token", format!("{good} ")),
            refused("empty Authorization", String::new(), "authorization_invalid"),
            refused("Bearer alone", "Bearer".to_owned(), "authorization_invalid"),
            refused("garbage token", "garbage".to_owned(), "token_malformed"),
            refused("garbage a.b.c", "a.b.c".to_owned(), "token_malformed"),
            refused("Basic auth", "Basic ZGVtbzpkZW1v".to_owned(), "authorization_invalid"),
            refused("bad_signature", bent, "signature_invalid"),
            refused("signed_by_other_key", pool.token("alice").signed_by(&TestKey::nth(2)).sign(), "signature_invalid"),
            refused("expired", pool.token("alice").claim("exp", now() - 3600).sign(), "token_expired"),
            refused("wrong_aud", pool.token("alice").claim("aud", "another").sign(), "client_not_accepted"),
            refused("unknown_kid", pool.token("alice").key(&TestKey::nth(3)).sign(), "key_unknown"),
            ok("second_key", pool.token("alice").key(&pool.access_key).sign()),
            ok("second form of the issuer", pool.token("alice").claim("iss", NEW_ISSUER).sign()),
            refused("unknown_user", pool.token("nobody").sign(), "user_unknown"),
            // The original compares letter by letter.
            ok("email_other_case", pool.token("carol").sign()),
            refused("email of a linked user", pool.token("carol").claim("sub", "another").sign(), "email_linked"),
            // In the original two users may have one e-mail; here an address may at most resemble a user's.
            refused(
                "duplicate_email",
                pool.token("kate").claim("email", "\u{212a}ate@example.com").sign(),
                "email_ambiguous",
            ),
            refused("inactive_user", pool.token("gone").sign(), "user_inactive"),
            ok("superuser", pool.token("root").sign()),
            refused(
                "email_unverified",
                pool.token("unlinked").claim("email_verified", false).sign(),
                "email_unverified",
            ),
            refused("no_email", pool.token("unlinked").without("email").sign(), "email_missing"),
            refused("wrong_iss", pool.token("alice").claim("iss", "https://example.com").sign(), "issuer_not_accepted"),
            refused(
                "token_use_access_with_aud",
                pool.token("alice").claim("token_use", "access").sign(),
                "id_token_wanted",
            ),
            refused("access_token", pool.access_token("alice").sign(), "id_token_wanted"),
            refused("not_yet_valid_iat", pool.token("alice").claim("iat", ahead).sign(), "token_not_yet_valid"),
            refused("exp_missing", pool.token("alice").without("exp").sign(), "claim_invalid"),
            refused("alg_none", none, "algorithm_not_allowed"),
            refused("no_kid", pool.token("alice").without_header("kid").sign(), "kid_invalid"),
            refused("payload_swapped", format!("{header}.{other_claims}.{signature}"), "signature_invalid"),
            refused("no payload", format!("{header}..{signature}"), "token_malformed"),
            refused("no signature", format!("{header}.{claims}."), "token_malformed"),
        ],
    )
    .await;
}
