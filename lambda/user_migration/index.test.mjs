// Runs the function against real servers on loopback: one in Gatepost's place, one in AWS's.
//
// The AWS SDK is part of Lambda's runtime, not of this folder. Where Node.js finds it (`npm install --no-save
// @aws-sdk/client-secrets-manager @aws-sdk/client-ssm`, or NODE_PATH), the tests of the secret run with it;
// elsewhere with a stand-in that sends what the SDK sends, short of AWS's own signature.
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const SECRET = "a-secret-of-the-tests-4711";
const PASSWORD = "old-password-of-jane-7";
const COGNITO_WAITS = 5000;
const REFUSED = "The user cannot be migrated.";
const HERE = path.dirname(fileURLToPath(import.meta.url));

// What no log line and no error may contain, in any test.
const PRIVATE = [SECRET, PASSWORD, "rotated-secret", "jane", "Doe", "example.com", "v1=", "AKIDEXAMPLE"];

function signIn(changes = {}) {
  return {
    version: "1",
    triggerSource: "UserMigration_Authentication",
    region: "eu-central-1",
    userPoolId: "eu-central-1_Gatepost1",
    userName: "jane@example.com",
    callerContext: { awsSdkVersion: "aws-sdk-unknown-unknown", clientId: "1example23456789" },
    request: { password: PASSWORD, validationData: null, userAttributes: null, clientMetadata: null },
    response: {
      userAttributes: null,
      forceAliasCreation: null,
      finalUserStatus: null,
      messageAction: null,
      desiredDeliveryMediums: null,
    },
    ...changes,
  };
}

const forgotPassword = () => signIn({ triggerSource: "UserMigration_ForgotPassword", request: { clientMetadata: {} } });

// What Gatepost answers.
const ATTRIBUTES = { email: "jane@example.com", email_verified: "true", name: "Jane Doe" };
const MOVES = { userAttributes: ATTRIBUTES, finalUserStatus: "CONFIRMED", messageAction: "SUPPRESS" };
const RESETS = { userAttributes: ATTRIBUTES, messageAction: "SUPPRESS" };

// A server that keeps what it was sent. `answers` are used in turn, the last one again and again: a status, a
// function of (request, response), or a [status, headers] pair.
async function serve(t, ...answers) {
  const requests = [];
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    const { method, url, headers } = request;
    requests.push({ method, path: url, headers, body: Buffer.concat(chunks), at: Date.now() });
    if (typeof answer === "function") answer(request, response, requests.at(-1));
    else response.writeHead(...[answer].flat()).end(JSON.stringify(MOVES));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, port: server.address().port, requests };
}

const never = () => {};

// A function as Lambda starts it: own settings, and a module of its own that remembers nothing.
let imports = 0;
async function start(t, settings, file = path.join(HERE, "index.mjs")) {
  const ours = /^(GATEPOST_|USER_MIGRATION_|AWS_)/;
  const others = Object.entries(process.env).filter(([name]) => ours.test(name));
  const clear = () => Object.keys(process.env).forEach((name) => ours.test(name) && delete process.env[name]);
  clear();
  Object.assign(process.env, settings);
  t.after(() => {
    clear();
    Object.assign(process.env, Object.fromEntries(others));
  });
  const { handler } = await import(`${pathToFileURL(file)}?${++imports}`);
  return (event, context) => invoke(t, handler, event, context);
}

// Calls the function as Cognito does and checks what must hold for every call. `response` is what Cognito gets; without
// one, the error had the one message.
async function invoke(t, handler, event, context) {
  const written = [];
  const mocks = ["debug", "info", "log", "warn", "error"].map((level) =>
    t.mock.method(console, level, (...words) => written.push(words.join(" "))),
  );
  const started = performance.now();
  let returned;
  try {
    returned = await handler(event, context);
  } catch (error) {
    assert.deepEqual([error.message, error.cause], [REFUSED, undefined]);
  } finally {
    mocks.forEach((mock) => mock.mock.restore());
  }
  const took = performance.now() - started;

  assert.ok(took < COGNITO_WAITS, `Cognito had given up: ${took} ms`);
  if (returned) assert.equal(returned, event, "Cognito gets the very object it gave");
  for (const line of written) {
    assert.ok(!line.includes("\n"), `one line: ${line}`);
    for (const text of PRIVATE) assert.ok(!line.toLowerCase().includes(text.toLowerCase()), `${text} in ${line}`);
  }
  return { took, response: returned?.response, logs: written.map((line) => JSON.parse(line)) };
}

const settingsFor = (url, more = {}) => ({ GATEPOST_URL: url, USER_MIGRATION_SECRET: SECRET, ...more });

// Checks a signature by Web Crypto, which the function does not use.
async function assertSigned(request, secret, what = "the request") {
  const timestamp = request.headers["x-gatepost-timestamp"];
  assert.match(timestamp, /^\d{10}$/, what);
  assert.ok(Math.abs(request.at / 1000 - Number(timestamp)) < 60, `${what}: ${timestamp} was not the time`);
  const signature = request.headers["x-gatepost-signature"];
  assert.match(signature, /^v1=[0-9a-f]{64}$/, what);
  const use = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", Buffer.from(secret), use, false, ["verify"]);
  const signed = Buffer.concat([Buffer.from(`v1.${timestamp}.`), request.body]);
  const genuine = await crypto.subtle.verify("HMAC", key, Buffer.from(signature.slice(3), "hex"), signed);
  assert.ok(genuine, `${what} is not signed with ${secret}`);
}

// --- What is sent, and what Cognito gets

test("a sign-in is asked about once, signed, and the answer becomes the response", async (t) => {
  const gatepost = await serve(t, 200);
  const call = await start(t, settingsFor(gatepost.url));
  const event = signIn();
  const sent = JSON.stringify(event);

  const { response, logs } = await call(event);

  assert.deepEqual(logs, []);
  assert.deepEqual(response, { forceAliasCreation: null, desiredDeliveryMediums: null, ...MOVES });
  assert.equal(gatepost.requests.length, 1);
  const [request] = gatepost.requests;
  assert.deepEqual([request.method, request.path], ["POST", "/cognito/user-migration/"]);
  assert.equal(request.headers["content-type"], "application/json");
  assert.equal(request.headers.connection, "close", "a connection does not outlive Lambda's freeze");
  assert.equal(request.body.toString(), sent);
  await assertSigned(request, SECRET);
});

test("a forgotten password is asked about without a password, and decides no status", async (t) => {
  const gatepost = await serve(t, (_, response) => response.writeHead(200).end(JSON.stringify(RESETS)));
  const call = await start(t, settingsFor(gatepost.url));
  const { response } = await call(forgotPassword());
  assert.deepEqual([response.userAttributes, response.messageAction], [ATTRIBUTES, "SUPPRESS"]);
  assert.equal(response.finalUserStatus, null);
  assert.ok(!gatepost.requests[0].body.includes(PASSWORD));
});

test("only what Cognito knows of the answer gets into the response", async (t) => {
  const more = { ...MOVES, forceAliasCreation: true, enableSMSMFA: true, desiredDeliveryMediums: ["SMS"] };
  const gatepost = await serve(t, (_, response) => response.writeHead(200).end(JSON.stringify(more)));
  const call = await start(t, settingsFor(gatepost.url));
  const { response } = await call(signIn());
  assert.deepEqual(response, { forceAliasCreation: null, desiredDeliveryMediums: null, ...MOVES });
});

test("a password of every kind arrives as it is", async (t) => {
  const gatepost = await serve(t, 200);
  const call = await start(t, settingsFor(gatepost.url));
  for (const password of ["Zażółć 7 gęślą", "\u0000\u2028🦀", " ", "x".repeat(4096)]) {
    await call(signIn({ request: { password } }));
    const request = gatepost.requests.pop();
    assert.equal(JSON.parse(request.body).request.password, password);
    await assertSigned(request, SECRET);
  }
});

test("the URL may have a path of its own, with or without slashes at its end", async (t) => {
  const gatepost = await serve(t, 200);
  for (const [suffix, expected] of Object.entries({ "/": "", "/backend": "/backend", "/backend//": "/backend" })) {
    const call = await start(t, settingsFor(gatepost.url + suffix));
    await call(signIn());
    assert.equal(gatepost.requests.pop()?.path, `${expected}/cognito/user-migration/`, suffix);
  }
});

test("a function attached to another trigger sends nothing and says so", async (t) => {
  const gatepost = await serve(t, 200);
  const call = await start(t, settingsFor(gatepost.url));
  const events = {
    "another trigger": signIn({ triggerSource: "PreSignUp_SignUp" }),
    "no trigger": signIn({ triggerSource: undefined }),
    "the console's test event": { key1: "value1" },
    null: null,
    nothing: undefined,
  };
  for (const [name, event] of Object.entries(events)) {
    const { response, logs } = await call(event);
    assert.deepEqual([response, logs.map(({ code }) => code)], [undefined, ["unexpected_trigger"]], name);
  }
  assert.equal(gatepost.requests.length, 0);
});

// --- What goes wrong: Cognito gets one error, and no user

test("whatever Gatepost refuses is one error, asked once, and logged with its status alone", async (t) => {
  for (const status of [304, 400, 401, 403, 404, 413, 429, 500, 502, 503]) {
    const gatepost = await serve(t, status);
    const call = await start(t, settingsFor(gatepost.url));
    const { response, logs } = await call(signIn());
    assert.equal(response, undefined, String(status));
    assert.deepEqual(logs, [{ level: "error", event: "user_not_migrated", code: "refused", status }]);
    assert.equal(gatepost.requests.length, 1, String(status));
  }
});

test("an answer that is not Gatepost's makes no user", async (t) => {
  const rows = {
    "no JSON": "<html>",
    nothing: "",
    null: "null",
    "no attributes": JSON.stringify({ ...MOVES, userAttributes: undefined }),
    "no e-mail": JSON.stringify({ ...MOVES, userAttributes: { email_verified: "true" } }),
    "an attribute that is no text": JSON.stringify({ ...MOVES, userAttributes: { ...ATTRIBUTES, name: 7 } }),
    "a message of welcome": JSON.stringify({ ...MOVES, messageAction: "RESEND" }),
    "without end": "x".repeat(100_000),
  };
  for (const [name, body] of Object.entries(rows)) {
    const gatepost = await serve(t, (_, response) => response.writeHead(200).end(body));
    const call = await start(t, settingsFor(gatepost.url));
    const { response, logs } = await call(signIn());
    assert.deepEqual([response, logs.map(({ code }) => code)], [undefined, ["answer_unusable"]], name);
  }
});

test("a redirect is not followed: the password goes to no other host", async (t) => {
  const elsewhere = await serve(t, 200);
  for (const status of [301, 302, 303, 307, 308]) {
    const gatepost = await serve(t, [status, { location: `${elsewhere.url}/cognito/user-migration/` }]);
    const call = await start(t, settingsFor(gatepost.url));
    const { logs } = await call(signIn());
    assert.deepEqual(logs.map((log) => [log.code, log.status]), [["refused", status]]);
  }
  assert.equal(elsewhere.requests.length, 0);
});

test("a connection that fails is logged by its short name", async (t) => {
  const closed = net.createServer();
  await new Promise((ready) => closed.listen(0, "127.0.0.1", ready));
  const { port } = closed.address();
  await new Promise((done) => closed.close(done));
  const call = await start(t, settingsFor(`http://127.0.0.1:${port}`));
  const expected = { level: "error", event: "user_not_migrated", code: "unreachable", cause: "ECONNREFUSED" };
  assert.deepEqual((await call(signIn())).logs, [expected]);

  const gatepost = await serve(t, (request) => request.socket.destroy());
  const broken = await start(t, settingsFor(gatepost.url));
  assert.deepEqual((await broken(signIn())).logs.map(({ code }) => code), ["unreachable"]);
  assert.equal(gatepost.requests.length, 1, "a guess is not repeated");
});

test("a server that never answers is given up in time", async (t) => {
  const gatepost = await serve(t, never);
  const call = await start(t, settingsFor(gatepost.url));
  for (const left of [2000, 501, 0, -1]) {
    const { took, logs } = await call(signIn(), { getRemainingTimeInMillis: () => left });
    assert.ok(took < 2000, `Lambda had stopped it: ${took} ms`);
    assert.deepEqual(logs.map((log) => [log.code, log.cause]), [["unreachable", "TimeoutError"]], `${left} ms`);
  }
});

test("a body that stalls is given up in time", async (t) => {
  const gatepost = await serve(t, (_, response) => response.writeHead(200).write("{"));
  const call = await start(t, settingsFor(gatepost.url));
  const { logs } = await call(signIn(), { getRemainingTimeInMillis: () => 1000 });
  assert.deepEqual(logs.map((log) => [log.code, log.cause]), [["unreachable", "TimeoutError"]]);
});

test("a missing or wrong setting is named, and nothing is sent", async (t) => {
  const gatepost = await serve(t, 200);
  const rows = {
    "no URL": [{ USER_MIGRATION_SECRET: SECRET }, "setting_missing"],
    "no secret": [{ GATEPOST_URL: gatepost.url }, "setting_missing", "USER_MIGRATION_SECRET"],
    "the other trigger's secret": [
      { GATEPOST_URL: gatepost.url, POST_CONFIRMATION_SECRET: SECRET },
      "setting_missing",
      "USER_MIGRATION_SECRET",
    ],
    "another scheme": [settingsFor("ftp://127.0.0.1"), "setting_invalid"],
    "plain http": [settingsFor("http://198.51.100.7"), "setting_invalid"],
    "http to a look-alike of this machine": [settingsFor("http://127.0.0.1.example.com"), "setting_invalid"],
    "a password": [settingsFor(gatepost.url.replace("//", "//jane:doe@")), "setting_invalid"],
    "a query": [settingsFor(`${gatepost.url}/?key=1`), "setting_invalid"],
  };
  for (const [name, [settings, code, setting = "GATEPOST_URL"]] of Object.entries(rows)) {
    const call = await start(t, settings);
    const { logs } = await call(signIn());
    assert.deepEqual(logs.map((log) => [log.code, log.setting]), [[code, setting]], name);
    assert.ok(logs[0].message.includes(setting), `${name}: ${logs[0].message}`);
  }
  assert.equal(gatepost.requests.length, 0);
});

// --- The secret from AWS

let lambda;

// A folder with the function and the SDK beside it, as in Lambda's runtime.
before(async () => {
  lambda = await mkdtemp(path.join(tmpdir(), "gatepost-lambda-"));
  await cp(path.join(HERE, "index.mjs"), path.join(lambda, "index.mjs"));
  try {
    const sdk = createRequire(import.meta.url).resolve("@aws-sdk/client-ssm");
    const modules = sdk.slice(0, sdk.lastIndexOf(path.join("/@aws-sdk/client-ssm/")));
    await symlink(modules, path.join(lambda, "node_modules"));
    console.log("The secret is fetched by the AWS SDK.");
  } catch {
    console.log("The secret is fetched by a stand-in for the AWS SDK.");
    await standIn("client-secrets-manager", "SecretsManager", "getSecretValue", "secretsmanager.GetSecretValue");
    await standIn("client-ssm", "SSM", "getParameter", "AmazonSSM.GetParameter");
  }
});

after(() => rm(lambda, { recursive: true, force: true }));

async function standIn(name, client, method, target) {
  const address = `AWS_ENDPOINT_URL_${name.replace("client-", "").replace("-", "_").toUpperCase()}`;
  const folder = path.join(lambda, "node_modules/@aws-sdk", name);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "package.json"), '{ "type": "module", "exports": "./index.js" }');
  await writeFile(
    path.join(folder, "index.js"),
    `export class ${client} {
      async ${method}(input, { abortSignal }) {
        const response = await fetch(process.env.${address}, {
          method: "POST",
          headers: { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "${target}" },
          body: JSON.stringify(input),
          signal: abortSignal,
        });
        const output = await response.json();
        if (!response.ok) throw Object.assign(new Error(output.message), { name: output.__type });
        return output;
      }
      destroy() {}
    }`,
  );
}

const secretsManager = (secret) => ({
  target: "secretsmanager.GetSecretValue",
  input: { SecretId: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:gatepost-AbCdEf" },
  setting: { USER_MIGRATION_SECRET_ARN: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:gatepost-AbCdEf" },
  answer: json(200, { Name: "gatepost", SecretString: secret }),
});

const parameterStore = (secret) => ({
  target: "AmazonSSM.GetParameter",
  input: { Name: "/gatepost/user-migration", WithDecryption: true },
  setting: { USER_MIGRATION_SECRET_PARAMETER: "/gatepost/user-migration" },
  answer: json(200, { Parameter: { Name: "/gatepost/user-migration", Type: "SecureString", Value: secret } }),
});

// The date is given because the SDK corrects its clock by it, and the server's own does not follow a mocked clock.
const json = (status, body) => (_, response) =>
  response
    .writeHead(status, { "Content-Type": "application/x-amz-json-1.1", Date: new Date().toUTCString() })
    .end(JSON.stringify(body));

const denied = json(400, { __type: "AccessDeniedException", message: `jane@example.com may not read ${SECRET}` });

// The function with its secret in AWS, and `aws` answering for both services.
const startWithAws = (t, gatepost, aws, setting) =>
  start(
    t,
    {
      GATEPOST_URL: gatepost.url,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "rotated-secret-of-aws",
      AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.url,
      AWS_ENDPOINT_URL_SSM: aws.url,
      AWS_EC2_METADATA_DISABLED: "true",
      ...setting,
    },
    path.join(lambda, "index.mjs"),
  );

const SOURCES = { "Secrets Manager": secretsManager, "the Parameter Store": parameterStore };
for (const [name, source] of Object.entries(SOURCES)) {
  test(`the secret comes from ${name}, once for many events`, async (t) => {
    const { target, input, setting, answer } = source(SECRET);
    const [gatepost, aws] = [await serve(t, 200), await serve(t, answer)];
    const call = await startWithAws(t, gatepost, aws, setting);

    for (let event = 1; event <= 3; event++) {
      const { logs } = await call(signIn());
      assert.deepEqual(logs, [], `event ${event}`);
    }

    assert.equal(aws.requests.length, 1, "asked once");
    assert.equal(aws.requests[0].headers["x-amz-target"], target);
    assert.deepEqual(JSON.parse(aws.requests[0].body), input);
    assert.equal(gatepost.requests.length, 3);
    for (const request of gatepost.requests) await assertSigned(request, SECRET);
  });

  test(`a secret ${name} does not give is logged, and asked for again at the next event`, async (t) => {
    const { setting, answer } = source(SECRET);
    const [gatepost, aws] = [await serve(t, 200), await serve(t, denied, answer)];
    const call = await startWithAws(t, gatepost, aws, setting);

    const { logs } = await call(signIn());
    assert.deepEqual(logs.map((log) => [log.code, log.cause]), [["secret_unavailable", "AccessDeniedException"]]);
    assert.equal(gatepost.requests.length, 0, "nothing goes out unsigned");

    assert.deepEqual((await call(signIn())).logs, []);
    await assertSigned(gatepost.requests[0], SECRET);
  });
}

test("a place in AWS goes before a secret in the settings", async (t) => {
  const { setting, answer } = secretsManager(SECRET);
  const [gatepost, aws] = [await serve(t, 200), await serve(t, answer)];
  const call = await startWithAws(t, gatepost, aws, { ...setting, USER_MIGRATION_SECRET: "left-over" });
  await call(signIn());
  await assertSigned(gatepost.requests[0], SECRET);
});

test("an empty setting is no place in AWS", async (t) => {
  const { setting, answer } = parameterStore(SECRET);
  const [gatepost, aws] = [await serve(t, 200), await serve(t, answer)];
  const call = await startWithAws(t, gatepost, aws, { USER_MIGRATION_SECRET_ARN: "", ...setting });
  assert.deepEqual((await call(signIn())).logs, []);
  await assertSigned(gatepost.requests[0], SECRET);
});

test("what the console writes around a secret is taken off", async (t) => {
  const rows = {
    "a key of its own": JSON.stringify({ USER_MIGRATION_SECRET: SECRET, OTHER: "left-over" }),
    "a key and white space": ` ${JSON.stringify({ USER_MIGRATION_SECRET: `${SECRET}\n` }, null, 2)}\n`,
    "a line break": `${SECRET}\n`,
  };
  for (const [name, stored] of Object.entries(rows)) {
    const { setting, answer } = secretsManager(stored);
    const [gatepost, aws] = [await serve(t, 200), await serve(t, answer)];
    const call = await startWithAws(t, gatepost, aws, setting);
    assert.deepEqual((await call(signIn())).logs, [], name);
    await assertSigned(gatepost.requests[0], SECRET, name);
  }
});

test("a secret that begins with a brace is a secret", async (t) => {
  const { setting, answer } = secretsManager("{rotated-secret");
  const [gatepost, aws] = [await serve(t, 200), await serve(t, answer)];
  const call = await startWithAws(t, gatepost, aws, setting);
  await call(signIn());
  await assertSigned(gatepost.requests[0], "{rotated-secret");
});

test("a stored value that is no secret is refused by name", async (t) => {
  const rows = {
    "another key": '{"secret":"rotated-secret"}',
    "a number": '{"USER_MIGRATION_SECRET":4711}',
    empty: " ",
    binary: undefined,
  };
  for (const [name, stored] of Object.entries(rows)) {
    const { setting, answer } = secretsManager(stored);
    const [gatepost, aws] = [await serve(t, 200), await serve(t, answer)];
    const call = await startWithAws(t, gatepost, aws, setting);
    const { logs } = await call(signIn());
    assert.deepEqual(logs.map(({ code }) => code), ["secret_unusable"], name);
    assert.equal(gatepost.requests.length, 0, name);
  }
});

test("a rotated secret is in use five minutes later", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const { setting, answer } = secretsManager(SECRET);
  const [gatepost, aws] = [await serve(t, 200), await serve(t, answer, secretsManager("rotated-secret").answer)];
  const call = await startWithAws(t, gatepost, aws, setting);

  await call(signIn());
  t.mock.timers.tick(5 * 60_000 - 1);
  await call(signIn());
  t.mock.timers.tick(1);
  await call(signIn());

  await assertSigned(gatepost.requests[0], SECRET);
  await assertSigned(gatepost.requests[1], SECRET, "just before the five minutes");
  await assertSigned(gatepost.requests[2], "rotated-secret", "after the five minutes");
});

test("while AWS gives no fresh secret the old one is used, and that is logged", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const { setting, answer } = secretsManager(SECRET);
  const fresh = secretsManager("rotated-secret").answer;
  const [gatepost, aws] = [await serve(t, 200), await serve(t, answer, denied, fresh)];
  const call = await startWithAws(t, gatepost, aws, setting);

  await call(signIn());
  t.mock.timers.tick(5 * 60_000);
  const { logs } = await call(signIn());
  const expected = { level: "warn", event: "user_migration_secret_not_refreshed", code: "secret_unavailable" };
  assert.deepEqual(logs, [{ ...expected, cause: "AccessDeniedException" }]);
  await assertSigned(gatepost.requests[1], SECRET);

  await call(signIn());
  assert.equal(aws.requests.length, 2, "AWS is left alone for a while");
  t.mock.timers.tick(30_000);
  assert.deepEqual((await call(signIn())).logs, []);
  await assertSigned(gatepost.requests[3], "rotated-secret");
});

test("a refresh that stalls leaves enough time to ask with the old secret", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const { setting, answer } = parameterStore(SECRET);
  const [gatepost, aws] = [await serve(t, 200), await serve(t, answer, never)];
  const call = await startWithAws(t, gatepost, aws, setting);

  await call(signIn());
  t.mock.timers.tick(5 * 60_000);
  const { logs } = await call(signIn());

  assert.deepEqual(logs.map(({ event }) => event), ["user_migration_secret_not_refreshed"]);
  await assertSigned(gatepost.requests.at(-1), SECRET);
});

test("an AWS that never answers is given up in time", async (t) => {
  const [gatepost, aws] = [await serve(t, 200), await serve(t, never)];
  const call = await startWithAws(t, gatepost, aws, parameterStore(SECRET).setting);
  const { logs } = await call(signIn());
  assert.deepEqual(logs.map(({ code }) => code), ["secret_unavailable"]);
  assert.match(logs[0].cause, /Timeout|Abort/);
  assert.equal(gatepost.requests.length, 0);
});

test("a runtime without the SDK is logged as such", async (t) => {
  const alone = await mkdtemp(path.join(tmpdir(), "gatepost-lambda-"));
  t.after(() => rm(alone, { recursive: true, force: true }));
  await cp(path.join(HERE, "index.mjs"), path.join(alone, "index.mjs"));
  const settings = { GATEPOST_URL: "http://127.0.0.1:9", ...secretsManager(SECRET).setting };
  const call = await start(t, settings, path.join(alone, "index.mjs"));
  const { logs } = await call(signIn());
  assert.deepEqual(logs.map((log) => [log.code, log.cause]), [["secret_unavailable", "ERR_MODULE_NOT_FOUND"]]);
});
