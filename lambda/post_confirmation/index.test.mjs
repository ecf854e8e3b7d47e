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
const COGNITO_WAITS = 5000;
const SUB = "6f1c2e9a-0b7d-4c55-9a4e-3f2d1c0b9a88";
const HERE = path.dirname(fileURLToPath(import.meta.url));

// What no log line may contain, in any test.
const PRIVATE = [SECRET, "rotated-secret", "jane", "Doe", "example.com", "+4915", "token", "v1=", "AKIDEXAMPLE"];

function signUp(changes = {}) {
  return {
    version: "1",
    triggerSource: "PostConfirmation_ConfirmSignUp",
    region: "eu-central-1",
    userPoolId: "eu-central-1_Gatepost1",
    userName: "janedoe",
    callerContext: { awsSdkVersion: "aws-sdk-unknown-unknown", clientId: "1example23456789" },
    request: {
      userAttributes: {
        sub: SUB,
        "cognito:user_status": "CONFIRMED",
        email_verified: "true",
        email: "jane@example.com",
        family_name: "Doe",
        phone_number: "+4915112345678",
      },
      clientMetadata: { invitation: "a-token-of-an-invitation" },
    },
    response: {},
    ...changes,
  };
}

function signUpOf(userAttributes) {
  return signUp({ request: { userAttributes } });
}

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
    else response.writeHead(...[answer].flat()).end("{}");
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
  const ours = /^(GATEPOST_|POST_CONFIRMATION_|AWS_)/;
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

// Calls the function as Cognito does and checks what must hold for every call.
async function invoke(t, handler, event, context) {
  const written = [];
  const mocks = ["debug", "info", "log", "warn", "error"].map((level) =>
    t.mock.method(console, level, (...words) => written.push(words.join(" "))),
  );
  const before = JSON.stringify(event);
  const started = performance.now();
  const returned = await handler(event, context).finally(() => mocks.forEach((mock) => mock.mock.restore()));
  const took = performance.now() - started;

  assert.equal(returned, event, "Cognito gets the very object it gave");
  assert.equal(JSON.stringify(event), before, "the event is not changed");
  assert.ok(took < COGNITO_WAITS, `Cognito had given up: ${took} ms`);
  for (const line of written) {
    assert.ok(!line.includes("\n"), `one line: ${line}`);
    for (const text of PRIVATE) assert.ok(!line.toLowerCase().includes(text.toLowerCase()), `${text} in ${line}`);
  }
  return { took, logs: written.map((line) => JSON.parse(line)) };
}

const settingsFor = (url, more = {}) => ({ GATEPOST_URL: url, POST_CONFIRMATION_SECRET: SECRET, ...more });

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

// --- What is sent

test("a confirmed sign-up is forwarded once, signed and unchanged", async (t) => {
  const gatepost = await serve(t, 200);
  const call = await start(t, settingsFor(gatepost.url));
  const event = signUp();

  const { logs } = await call(event);

  assert.deepEqual(logs, []);
  assert.equal(gatepost.requests.length, 1);
  const [request] = gatepost.requests;
  assert.equal(request.method, "POST");
  assert.equal(request.path, "/cognito/post-confirmation/");
  assert.equal(request.headers["content-type"], "application/json");
  assert.equal(request.headers["content-length"], String(request.body.length));
  assert.equal(request.headers.connection, "close", "a connection does not outlive Lambda's freeze");
  assert.deepEqual(JSON.parse(request.body), event);
  await assertSigned(request, SECRET);
});

test("a known event at a known time has the signature OpenSSL gives it", async (t) => {
  // printf 'v1.1700000000.{"triggerSource":"PostConfirmation_ConfirmSignUp","userName":"Zoë"}' |
  //   openssl dgst -sha256 -hmac 'a-secret-of-the-tests-4711'
  const expected = "v1=3e0065dda33ebec6cf5e8af4b4c5ce383d8bfdcb8f38bde6641de76241623935";
  t.mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_999 });
  const gatepost = await serve(t, 200);
  const call = await start(t, settingsFor(gatepost.url));

  await call({ triggerSource: "PostConfirmation_ConfirmSignUp", userName: "Zoë" });

  assert.equal(gatepost.requests[0].headers["x-gatepost-timestamp"], "1700000000", "whole seconds, rounded down");
  assert.equal(gatepost.requests[0].headers["x-gatepost-signature"], expected);
});

test("events of every shape Cognito is known to send are forwarded as they are", async (t) => {
  const gatepost = await serve(t, 200);
  const call = await start(t, settingsFor(gatepost.url));
  const rows = {
    "no client": signUp({ callerContext: { awsSdkVersion: "1", clientId: null } }),
    "a numeric version": signUp({ version: 1 }),
    "unknown members": signUp({ tenant: { nested: [1, null, { deep: true }] }, "": 0 }),
    "an alias pool": signUpOf({ sub: SUB, "cognito:email_alias": "jane@example.com" }),
    "no attributes": signUp({ request: {} }),
    "no request": signUp({ request: undefined }),
    "text outside ASCII": signUpOf({ sub: SUB, name: "Zoë 王 🦀 \u2028 \u0000 \ud800" }),
    "60 KB of attributes": signUpOf({ sub: SUB, "custom:note": "ö".repeat(30_000) }),
  };
  for (const [name, event] of Object.entries(rows)) {
    const { logs } = await call(event);
    const request = gatepost.requests.pop();
    assert.deepEqual(logs, [], name);
    assert.equal(request.body.toString(), JSON.stringify(event), name);
    await assertSigned(request, SECRET, name);
  }
});

test("a confirmed new password creates nobody, so nothing is sent", async (t) => {
  const gatepost = await serve(t, 200);
  const call = await start(t, settingsFor(gatepost.url));

  const { logs } = await call(signUp({ triggerSource: "PostConfirmation_ConfirmForgotPassword" }));

  assert.deepEqual([gatepost.requests.length, logs], [0, []]);
});

test("a function attached to another trigger sends nothing and says so", async (t) => {
  const gatepost = await serve(t, 200);
  const call = await start(t, settingsFor(gatepost.url));
  const events = {
    "another trigger": signUp({ triggerSource: "PreSignUp_SignUp" }),
    "no trigger": signUp({ triggerSource: undefined }),
    "the console's test event": { key1: "value1" },
    text: "event",
    null: null,
    nothing: undefined,
  };
  for (const [name, event] of Object.entries(events)) {
    const { logs } = await call(event);
    assert.deepEqual(logs.map(({ code }) => code), ["unexpected_trigger"], name);
  }
  assert.equal(gatepost.requests.length, 0);
});

test("the address may have a path of its own, with or without slashes at its end", async (t) => {
  const gatepost = await serve(t, 200);
  const rows = {
    "": "/cognito/post-confirmation/",
    "/": "/cognito/post-confirmation/",
    "/backend": "/backend/cognito/post-confirmation/",
    "/backend//": "/backend/cognito/post-confirmation/",
  };
  for (const [suffix, expected] of Object.entries(rows)) {
    const call = await start(t, settingsFor(gatepost.url + suffix));
    await call(signUp());
    assert.equal(gatepost.requests.pop()?.path, expected, `GATEPOST_URL ending in "${suffix}"`);
  }
});

test("plain http is accepted for every name of this machine", async (t) => {
  const gatepost = await serve(t, 200);
  for (const host of ["localhost", "127.0.0.1"]) {
    const call = await start(t, settingsFor(` http://${host}:${gatepost.port} `));
    const { logs } = await call(signUp());
    assert.deepEqual([logs, gatepost.requests.pop()?.method], [[], "POST"], host);
  }
});

test("whitespace around the secret does not count, as in Gatepost's own settings", async (t) => {
  const gatepost = await serve(t, 200);
  const call = await start(t, settingsFor(gatepost.url, { POST_CONFIRMATION_SECRET: ` ${SECRET}\n` }));
  await call(signUp());
  await assertSigned(gatepost.requests[0], SECRET);
});

// --- What goes wrong

test("an answer that will not change is logged with its status and not asked for again", async (t) => {
  for (const status of [304, 400, 401, 403, 404, 405, 413, 429]) {
    const gatepost = await serve(t, status);
    const call = await start(t, settingsFor(gatepost.url));
    const { logs } = await call(signUp());
    const expected = { level: "error", event: "post_confirmation_not_forwarded", code: "refused", status, sub: SUB };
    assert.deepEqual(logs, [expected], String(status));
    assert.equal(gatepost.requests.length, 1, String(status));
  }
});

test("a server error is tried once more, then logged", async (t) => {
  for (const status of [500, 502, 503, 504]) {
    const gatepost = await serve(t, status);
    const call = await start(t, settingsFor(gatepost.url));
    const { logs } = await call(signUp());
    assert.deepEqual(logs.map((log) => [log.code, log.status, log.attempts, log.sub]), [["refused", status, 2, SUB]]);
    assert.equal(gatepost.requests.length, 2, String(status));
  }
});

test("the retry brings the same event with a signature of its own, and success leaves no log line", async (t) => {
  const rows = {
    "a server error": 503,
    "a connection that breaks": (request) => request.socket.destroy(),
    "an answer that breaks off": (request) => request.socket.end("HTTP/1.1 2"),
  };
  for (const [name, first] of Object.entries(rows)) {
    const gatepost = await serve(t, first, 200);
    const call = await start(t, settingsFor(gatepost.url));
    const { logs } = await call(signUp());
    assert.deepEqual(logs, [], name);
    assert.equal(gatepost.requests.length, 2, name);
    assert.deepEqual(gatepost.requests[1].body, gatepost.requests[0].body, name);
    for (const request of gatepost.requests) await assertSigned(request, SECRET, name);
  }
});

test("a first attempt that stalls leaves the second enough time to succeed", async (t) => {
  const gatepost = await serve(t, never, 200);
  const call = await start(t, settingsFor(gatepost.url));
  assert.deepEqual((await call(signUp())).logs, []);
  assert.equal(gatepost.requests.length, 2);
});

test("a retry that is refused ends the matter", async (t) => {
  const gatepost = await serve(t, 500, 403);
  const call = await start(t, settingsFor(gatepost.url));
  const { logs } = await call(signUp());
  assert.deepEqual(logs.map((log) => [log.code, log.status, log.attempts]), [["refused", 403, 2]]);
  assert.equal(gatepost.requests.length, 2);
});

test("a redirect is not followed: the event goes to no other address", async (t) => {
  const elsewhere = await serve(t, 200);
  for (const status of [301, 302, 303, 307, 308]) {
    const gatepost = await serve(t, [status, { location: `${elsewhere.url}/cognito/post-confirmation/` }]);
    const call = await start(t, settingsFor(gatepost.url));
    const { logs } = await call(signUp());
    assert.deepEqual(logs.map((log) => [log.code, log.status]), [["refused", status]]);
    assert.equal(gatepost.requests.length, 1, String(status));
  }
  assert.equal(elsewhere.requests.length, 0);
});

test("a refused connection is logged by its short name", async (t) => {
  const closed = net.createServer();
  await new Promise((ready) => closed.listen(0, "127.0.0.1", ready));
  const { port } = closed.address();
  await new Promise((done) => closed.close(done));
  const call = await start(t, settingsFor(`http://127.0.0.1:${port}`));

  const { logs } = await call(signUp());

  const expected = { level: "error", event: "post_confirmation_not_forwarded", code: "unreachable" };
  assert.deepEqual(logs, [{ ...expected, cause: "ECONNREFUSED", attempts: 2, sub: SUB }]);
});

test("an answer that is not HTTP is logged, not quoted", async (t) => {
  const garbage = net.createServer((socket) => {
    socket.on("error", never).on("data", () => socket.end(`SSH-2.0-jane@example.com ${SECRET}\r\n\0\xff`));
  });
  await new Promise((ready) => garbage.listen(0, "127.0.0.1", ready));
  t.after(() => garbage.close());
  const call = await start(t, settingsFor(`http://127.0.0.1:${garbage.address().port}`));

  const { logs } = await call(signUp());

  assert.equal(logs.length, 1);
  assert.equal(logs[0].code, "unreachable");
  assert.match(logs[0].cause, /^HPE_|^UND_ERR/);
});

test("https to something that does not speak it is logged", async (t) => {
  const gatepost = await serve(t, 200);
  const call = await start(t, settingsFor(gatepost.url.replace("http:", "https:")));
  const { logs } = await call(signUp());
  assert.deepEqual(logs.map(({ code, attempts }) => [code, attempts]), [["unreachable", 2]]);
  assert.equal(gatepost.requests.length, 0);
});

test("a server that never answers is asked twice, and Cognito still gets its event in time", async (t) => {
  const gatepost = await serve(t, never);
  const call = await start(t, settingsFor(gatepost.url));
  const { logs } = await call(signUp());
  assert.deepEqual(logs.map((log) => [log.code, log.cause, log.attempts]), [["unreachable", "TimeoutError", 2]]);
  assert.equal(gatepost.requests.length, 2);
});

test("a function with a shorter timeout of its own gives up before that", async (t) => {
  const gatepost = await serve(t, never);
  const call = await start(t, settingsFor(gatepost.url));
  const { took, logs } = await call(signUp(), { getRemainingTimeInMillis: () => 2000 });
  assert.ok(took < 2000, `Lambda had stopped it: ${took} ms`);
  assert.deepEqual(logs.map((log) => [log.code, log.attempts]), [["unreachable", 2]]);
});

test("a function with hardly any time left still returns and says why", async (t) => {
  const gatepost = await serve(t, never);
  const call = await start(t, settingsFor(gatepost.url));
  for (const left of [501, 500, 0, -1]) {
    const { logs } = await call(signUp(), { getRemainingTimeInMillis: () => left });
    assert.deepEqual(logs.map((log) => [log.code, log.cause]), [["unreachable", "TimeoutError"]], `${left} ms`);
  }
});

test("the status decides: a body without end is not waited for", async (t) => {
  const endless = (status) => (_, response) => response.writeHead(status).write("x".repeat(1_000_000));
  const rows = { success: [200, []], refusal: [403, [["refused", 403]]] };
  for (const [name, [status, expected]] of Object.entries(rows)) {
    const gatepost = await serve(t, endless(status));
    const call = await start(t, settingsFor(gatepost.url));
    const { logs } = await call(signUp());
    assert.deepEqual(logs.map((log) => [log.code, log.status]), expected, name);
    assert.equal(gatepost.requests.length, 1, name);
  }
});

test("a missing or wrong setting is named, and nothing is sent", async (t) => {
  const gatepost = await serve(t, 200);
  const rows = {
    "no settings at all": [{}, "setting_missing"],
    "no address": [{ POST_CONFIRMATION_SECRET: SECRET }, "setting_missing"],
    "an empty address": [settingsFor(" "), "setting_missing"],
    "no secret": [{ GATEPOST_URL: gatepost.url }, "setting_missing", "POST_CONFIRMATION_SECRET"],
    "an empty secret": [
      settingsFor(gatepost.url, { POST_CONFIRMATION_SECRET: " \n" }),
      "setting_missing",
      "POST_CONFIRMATION_SECRET",
    ],
    "no URL": [settingsFor("127.0.0.1/api"), "setting_invalid"],
    "another scheme": [settingsFor("ftp://127.0.0.1"), "setting_invalid"],
    "a file": [settingsFor("file:///etc/passwd"), "setting_invalid"],
    "plain http": [settingsFor("http://198.51.100.7"), "setting_invalid"],
    "http to a look-alike of this machine": [settingsFor("http://localhost.example.com"), "setting_invalid"],
    "http to another look-alike": [settingsFor("http://127.0.0.1.example.com"), "setting_invalid"],
    "a password": [settingsFor(gatepost.url.replace("//", "//jane:doe@")), "setting_invalid"],
    "a query": [settingsFor(`${gatepost.url}/?key=1`), "setting_invalid"],
    "a fragment": [settingsFor(`${gatepost.url}/#top`), "setting_invalid"],
  };
  for (const [name, [settings, code, setting = "GATEPOST_URL"]] of Object.entries(rows)) {
    const call = await start(t, settings);
    const { logs } = await call(signUp());
    assert.deepEqual(logs.map((log) => [log.code, log.setting, log.sub]), [[code, setting, SUB]], name);
    assert.ok(logs[0].message.includes(setting), `${name}: ${logs[0].message}`);
  }
  assert.equal(gatepost.requests.length, 0);
});

test("an event that is no JSON is given back all the same", async (t) => {
  const gatepost = await serve(t, 200);
  const { handler } = await import(`./index.mjs?${++imports}`);
  await start(t, settingsFor(gatepost.url));
  const written = [];
  t.mock.method(console, "error", (line) => written.push(JSON.parse(line)));
  const event = signUp({ version: 1n });

  assert.equal(await handler(event), event);

  assert.deepEqual(written.map(({ code, cause }) => [code, cause]), [["internal", "TypeError"]]);
});

test("only a plain identifier is logged as the sub", async (t) => {
  const gatepost = await serve(t, 403);
  const call = await start(t, settingsFor(gatepost.url));
  const rows = ["jane@example.com", "a\nb", "x".repeat(65), '","level":"info', "", { deep: 1 }, undefined];
  for (const sub of rows) {
    const { logs } = await call(signUpOf({ sub }));
    assert.deepEqual([logs.length, logs[0].sub, logs[0].level], [1, undefined, "error"], JSON.stringify(sub));
  }
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
  setting: { POST_CONFIRMATION_SECRET_ARN: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:gatepost-AbCdEf" },
  answer: json(200, { Name: "gatepost", SecretString: secret }),
});

const parameterStore = (secret) => ({
  target: "AmazonSSM.GetParameter",
  input: { Name: "/gatepost/post-confirmation", WithDecryption: true },
  setting: { POST_CONFIRMATION_SECRET_PARAMETER: "/gatepost/post-confirmation" },
  answer: json(200, { Parameter: { Name: "/gatepost/post-confirmation", Type: "SecureString", Value: secret } }),
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
      const { logs } = await call(signUp());
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

    const { logs } = await call(signUp());
    const expected = ["secret_unavailable", "AccessDeniedException", SUB];
    assert.deepEqual(logs.map((log) => [log.code, log.cause, log.sub]), [expected]);
    assert.equal(gatepost.requests.length, 0, "nothing goes out unsigned");

    assert.deepEqual((await call(signUp())).logs, []);
    await assertSigned(gatepost.requests[0], SECRET);
  });
}

test("a place in AWS goes before a secret in the settings", async (t) => {
  const { setting, answer } = secretsManager(SECRET);
  const [gatepost, aws] = [await serve(t, 200), await serve(t, answer)];
  const call = await startWithAws(t, gatepost, aws, { ...setting, POST_CONFIRMATION_SECRET: "left-over" });
  await call(signUp());
  await assertSigned(gatepost.requests[0], SECRET);
});

test("an empty setting is no place in AWS", async (t) => {
  const { setting, answer } = parameterStore(SECRET);
  const [gatepost, aws] = [await serve(t, 200), await serve(t, answer)];
  const call = await startWithAws(t, gatepost, aws, { POST_CONFIRMATION_SECRET_ARN: "", ...setting });
  assert.deepEqual((await call(signUp())).logs, []);
  await assertSigned(gatepost.requests[0], SECRET);
});

test("what the console writes around a secret is taken off", async (t) => {
  const rows = {
    "a key of its own": JSON.stringify({ POST_CONFIRMATION_SECRET: SECRET, OTHER: "left-over" }),
    "a key and white space": ` ${JSON.stringify({ POST_CONFIRMATION_SECRET: `${SECRET}\n` }, null, 2)}\n`,
    "a line break": `${SECRET}\n`,
  };
  for (const [name, stored] of Object.entries(rows)) {
    const { setting, answer } = secretsManager(stored);
    const [gatepost, aws] = [await serve(t, 200), await serve(t, answer)];
    const call = await startWithAws(t, gatepost, aws, setting);
    assert.deepEqual((await call(signUp())).logs, [], name);
    await assertSigned(gatepost.requests[0], SECRET, name);
  }
});

test("a secret that begins with a brace is a secret", async (t) => {
  const { setting, answer } = secretsManager("{rotated-secret");
  const [gatepost, aws] = [await serve(t, 200), await serve(t, answer)];
  const call = await startWithAws(t, gatepost, aws, setting);
  await call(signUp());
  await assertSigned(gatepost.requests[0], "{rotated-secret");
});

test("a stored value that is no secret is refused by name", async (t) => {
  const rows = {
    "another key": '{"secret":"rotated-secret"}',
    "a number": '{"POST_CONFIRMATION_SECRET":4711}',
    empty: " ",
    binary: undefined,
  };
  for (const [name, stored] of Object.entries(rows)) {
    const { setting, answer } = secretsManager(stored);
    const [gatepost, aws] = [await serve(t, 200), await serve(t, answer)];
    const call = await startWithAws(t, gatepost, aws, setting);
    const { logs } = await call(signUp());
    assert.deepEqual(logs.map(({ code }) => code), ["secret_unusable"], name);
    assert.equal(gatepost.requests.length, 0, name);
  }
});

test("a rotated secret is in use five minutes later", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const { setting, answer } = secretsManager(SECRET);
  const [gatepost, aws] = [await serve(t, 200), await serve(t, answer, secretsManager("rotated-secret").answer)];
  const call = await startWithAws(t, gatepost, aws, setting);

  await call(signUp());
  t.mock.timers.tick(5 * 60_000 - 1);
  await call(signUp());
  t.mock.timers.tick(1);
  await call(signUp());

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

  await call(signUp());
  t.mock.timers.tick(5 * 60_000);
  const { logs } = await call(signUp());
  const expected = { level: "warn", event: "post_confirmation_secret_not_refreshed", code: "secret_unavailable" };
  assert.deepEqual(logs, [{ ...expected, cause: "AccessDeniedException", sub: SUB }]);
  await assertSigned(gatepost.requests[1], SECRET);

  await call(signUp());
  assert.equal(aws.requests.length, 2, "AWS is left alone for a while");
  t.mock.timers.tick(30_000);
  assert.deepEqual((await call(signUp())).logs, []);
  await assertSigned(gatepost.requests[3], "rotated-secret");
});

test("a refresh that stalls leaves enough time to send the event with the old secret", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const { setting, answer } = parameterStore(SECRET);
  const [gatepost, aws] = [await serve(t, 200), await serve(t, answer, never)];
  const call = await startWithAws(t, gatepost, aws, setting);

  await call(signUp());
  t.mock.timers.tick(5 * 60_000);
  const { logs } = await call(signUp());

  assert.deepEqual(logs.map(({ event }) => event), ["post_confirmation_secret_not_refreshed"]);
  await assertSigned(gatepost.requests.at(-1), SECRET);
});

test("an AWS that never answers leaves Cognito its event in time", async (t) => {
  const [gatepost, aws] = [await serve(t, 200), await serve(t, never)];
  const call = await startWithAws(t, gatepost, aws, parameterStore(SECRET).setting);
  const { logs } = await call(signUp());
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
  const { logs } = await call(signUp());
  assert.deepEqual(logs.map((log) => [log.code, log.cause]), [["secret_unavailable", "ERR_MODULE_NOT_FOUND"]]);
});
