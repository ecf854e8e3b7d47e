// Deploys the stack into ministack, an emulator of AWS, and runs Gatepost with the outputs.
//
// GATEPOST_BIN             the program; the debug build by default
// GATEPOST_TEST_MINISTACK  the program `ministack` (`pip install ministack cryptography`); PATH by default
import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const REGION = "eu-west-1";
const PUBLIC_URL = "https://api.example.com";
const PASSWORD = "correct horse battery staple";
const path = relative => fileURLToPath(new URL(relative, import.meta.url));
const gatepost = process.env.GATEPOST_BIN ?? path("../../target/debug/gatepost");
const ministack = process.env.GATEPOST_TEST_MINISTACK ?? "ministack";
const missing = [gatepost, ministack].filter(program => spawnSync(program, ["--help"]).error);
const skip = missing.length > 0 && process.env.CI !== "true" ? `Missing: ${missing.join(", ")}` : false;

const folder = mkdtempSync(join(tmpdir(), "gatepost-aws-"));
const started = [];
let endpoint;
let outputs;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise(resolve => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise(resolve => server.close(resolve));
  return port;
}

/** Starts a program that serves, and waits until it answers at the URL. */
async function serve(program, args, env, url) {
  const child = spawn(program, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", data => { log += data; });
  started.push(child);
  for (let attempt = 0; attempt < 600 && child.exitCode === null; attempt += 1) {
    if (await fetch(url).then(response => response.ok, () => false)) return;
    await pause(100);
  }
  throw new Error(`${program} does not serve: ${log}`);
}

const cdk = (...args) => promisify(execFile)(path("node_modules/.bin/cdk"), args, {
  cwd: path("."),
  env: {
    ...process.env, AWS_ENDPOINT_URL: endpoint, AWS_REGION: REGION, AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test", CDK_DEFAULT_REGION: REGION,
  },
});

/** Calls an action of an AWS service with a JSON protocol. */
async function aws(target, body) {
  const scope = target.startsWith("secretsmanager") ? "secretsmanager" : "cognito-idp";
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-amz-json-1.1",
      "X-Amz-Target": target,
      Authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/${scope}/aws4_request, Signature=none`,
    },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200, `${target}: ${await response.clone().text()}`);
  return response.json();
}

const cognito = (action, body) => aws(`AWSCognitoIdentityProviderService.${action}`, body);

const settings = () => Object.fromEntries(outputs.Settings.split("\n").map(line => line.split(/=(.*)/s).slice(0, 2)));

before(async () => {
  if (skip) return;
  const port = await freePort();
  endpoint = `http://127.0.0.1:${port}`;
  await serve(ministack, [], { GATEWAY_PORT: `${port}`, MINISTACK_REGION: REGION }, `${endpoint}/_ministack/health`);
  const [app, file] = [join(folder, "cdk.out"), join(folder, "outputs.json")];
  await cdk("synth", "--quiet", "--output", app, "--context", `publicUrl=${PUBLIC_URL}`);
  await cdk("bootstrap", "--app", app);
  await cdk("deploy", "--app", app, "--require-approval", "never", "--outputs-file", file);
  outputs = JSON.parse(readFileSync(file, "utf8")).Gatepost;
});

after(async () => {
  for (const child of started) {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await new Promise(resolve => child.once("exit", resolve));
  }
  rmSync(folder, { recursive: true, force: true });
});

test("the outputs are settings", { skip }, () => {
  const known = readFileSync(path("../../.env.example"), "utf8").match(/^#[A-Z_]+=$/gm);
  for (const name of Object.keys(settings())) assert.ok(known.includes(`#${name}=`), `${name} is no setting`);
  assert.match(settings().AWS_USER_POOLS_ID, new RegExp(`^${REGION}_`));
  assert.equal(settings().PUBLIC_URL, PUBLIC_URL);
});

test("the trigger is attached to the pool, and its secret is long enough", { skip }, async () => {
  const { UserPool } = await cognito("DescribeUserPool", { UserPoolId: settings().AWS_USER_POOLS_ID });
  assert.match(UserPool.LambdaConfig.PostConfirmation, /:function:Gatepost-PostConfirmation/);
  const secret = await aws("secretsmanager.GetSecretValue", { SecretId: outputs.PostConfirmationSecretArn });
  assert.equal(secret.SecretString.length, 64);
});

test("Gatepost runs with the outputs, and knows a user of the pool and their group", { skip }, async () => {
  const { AWS_USER_POOLS_ID: UserPoolId, AWS_APP_CLIENT_ID: ClientId } = settings();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await serve(gatepost, ["serve"], {
    ...settings(),
    APP_ENV: "production",
    BIND_ADDRESS: `127.0.0.1:${port}`,
    ALLOWED_HOSTS: "127.0.0.1",
    DATABASE_URL: `sqlite:${join(folder, "gatepost.sqlite3")}`,
    // The emulator signs as the real pool, and has its keys elsewhere.
    COGNITO_JWKS_URL: `${endpoint}/${UserPoolId}/.well-known/jwks.json`,
  }, `${url}/readyz`);

  const Username = "jane@example.com";
  const UserAttributes = [{ Name: "email", Value: Username }, { Name: "email_verified", Value: "true" }];
  await cognito("AdminCreateUser", { UserPoolId, Username, UserAttributes, MessageAction: "SUPPRESS" });
  await cognito("AdminSetUserPassword", { UserPoolId, Username, Password: PASSWORD, Permanent: true });
  await cognito("AdminAddUserToGroup", { UserPoolId, Username, GroupName: settings().COGNITO_STAFF_GROUP });
  const { AuthenticationResult } = await cognito("AdminInitiateAuth", {
    UserPoolId, ClientId, AuthFlow: "ADMIN_USER_PASSWORD_AUTH", AuthParameters: { USERNAME: Username, PASSWORD },
  });
  const response = await fetch(`${url}/me/`, { headers: { Authorization: `Bearer ${AuthenticationResult.IdToken}` } });
  const me = await response.json();
  assert.equal(response.status, 200, JSON.stringify(me));
  assert.deepEqual([me.email, me.is_staff], [Username, true]);
});

test("a URL with a path or without TLS is refused before anything is created", { skip }, () => {
  for (const publicUrl of ["http://api.example.com", "https://api.example.com/backend", ""]) {
    const env = { ...process.env, CDK_OUTDIR: join(folder, "refused"), CDK_CONTEXT_JSON: JSON.stringify({ publicUrl }) };
    const { status, stderr } = spawnSync("node", ["app.mjs"], { cwd: path("."), env, encoding: "utf8" });
    assert.notEqual(status, 0);
    assert.match(stderr, /Say where Gatepost will be/);
  }
});
