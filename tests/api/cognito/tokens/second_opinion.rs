//! What another implementation thinks of the tokens: Node's, which shares no code with this service. The harness and the
//! service sign and verify with one library, so that both could be wrong in the same way.

use std::process::Command;

use gatepost::cognito::local_pool::{LocalPool, TokenRequest};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::assert_accepted;
use crate::harness::jwks::Behaviour;
use crate::harness::{TestServer, find, skip};

/// Prints the claims of a token whose RS256 signature is of the key that its header names.
const VERIFY: &str = "
    const [jwks, token] = process.argv.slice(1)
    const [header, claims, signature] = token.split('.')
    const read = (part) => JSON.parse(Buffer.from(part, 'base64url'))
    const jwk = JSON.parse(jwks).keys.find((key) => key.kid === read(header).kid)
    const key = crypto.createPublicKey({ key: jwk, format: 'jwk' })
    const isGood = crypto.verify('RSA-SHA256', `${header}.${claims}`, key, Buffer.from(signature, 'base64url'))
    console.log(JSON.stringify(isGood && read(header).alg === 'RS256' ? read(claims) : null))";

/// Prints a new key set and a token with these claims that is signed with its key.
const SIGN: &str = "
    const { publicKey, privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
    const part = (value) => Buffer.from(value).toString('base64url')
    const signed = `${part('{\"kid\":\"of-node\",\"alg\":\"RS256\"}')}.${part(process.argv[1])}`
    const token = `${signed}.${part(crypto.sign('RSA-SHA256', signed, privateKey))}`
    console.log(JSON.stringify({ keys: [{ kid: 'of-node', ...publicKey.export({ format: 'jwk' }) }], token }))";

/// What a script prints; `None` where Node is missing.
fn node(script: &str, arguments: &[&str]) -> Option<Value> {
    let output = Command::new(find("node")?).args(["-e", script, "--"]).args(arguments).output().expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[test]
fn the_local_pools_tokens_are_good_for_node() {
    let folder = TempDir::new().expect("a folder");
    let pool = LocalPool::open(&folder.path().join("keys")).expect("a pool");
    let jwks = pool.jwks().to_string();
    for access in [false, true] {
        let email = "alice@example.com".to_owned();
        let request = TokenRequest { access, ..TokenRequest::new(email) };
        let token = pool.token(&request).expect("a token");
        let Some(claims) = node(VERIFY, &[&jwks, &token]) else {
            return skip("the_local_pools_tokens_are_good_for_node", "node");
        };
        assert_eq!(claims["token_use"], if access { "access" } else { "id" });
        assert_eq!(claims["iss"], pool.user_pool().issuer());
        let (head, signature) = token.rsplit_once('.').expect("a token");
        let changed = format!("{head}x.{signature}");
        assert_eq!(node(VERIFY, &[&jwks, &changed]), Some(Value::Null), "Node accepts anything");
    }
}

#[tokio::test]
async fn a_token_that_node_signs_is_accepted() {
    let server = TestServer::start_with(|config| config.jwks.cooldown = std::time::Duration::ZERO).await;
    server.user("alice").await;
    server.ready().await;
    let Some(signed) = node(SIGN, &[&server.pool.token("alice").claims_json()]) else {
        return skip("a_token_that_node_signs_is_accepted", "node");
    };
    let key_set = json!({ "keys": signed["keys"] }).to_string();
    server.pool.jwks.behave(Behaviour::Body(key_set.into_bytes()));
    assert_accepted(&server, "signed by Node", signed["token"].as_str().expect("a token")).await;
}
