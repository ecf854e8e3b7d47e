// Cognito's User Migration trigger: asks Gatepost about somebody whom the pool does not know yet, signed with a shared
// secret. At a sign-in the event carries the password: it goes to Gatepost and nowhere else, and is never logged.
//
// Cognito shows the message of an error to the person who signs in, so there is one for all refusals and failures. What
// was the matter is one line in the log.
import { createHmac } from "node:crypto";

const SIGN_IN = "UserMigration_Authentication";
const FORGOT_PASSWORD = "UserMigration_ForgotPassword";
const REFUSED = "The user cannot be migrated.";

// Cognito waits 5 s, including a cold start. All waiting below ends within BUDGET. If the function's own timeout is
// shorter (the console's default is 3 s), it ends MARGIN before that.
const BUDGET = 4000;
const MARGIN = 500;
const SECRET_BUDGET = 2000;
const SECRET_LIFETIME = 5 * 60_000;
const SECRET_RETRY_AFTER = 30_000;
// Of the answer. Gatepost's has 200 bytes.
const MAX_ANSWER = 64 * 1024;

export const handler = async (event, context) => {
  try {
    const source = event?.triggerSource;
    if (source !== SIGN_IN && source !== FORGOT_PASSWORD) {
      throw new Failure("unexpected_trigger", { message: "Attach this function to the Migrate User trigger." });
    }
    event.response = { ...event.response, ...(await ask(event, deadlineOf(context))) };
    return event;
  } catch (error) {
    report("error", "user_not_migrated", error);
    throw new Error(REFUSED);
  }
};

const deadlineOf = (context) => {
  const remaining = context?.getRemainingTimeInMillis?.() ?? Infinity;
  return performance.now() + Math.min(BUDGET, remaining - MARGIN);
};

// Whole milliseconds until the deadline, for a timer.
const until = (deadline) => Math.max(1, Math.floor(deadline - performance.now()));

// One attempt: a person waits, who can sign in again, and each attempt counts as a guess.
async function ask(event, deadline) {
  const url = endpoint(process.env.GATEPOST_URL);
  const body = Buffer.from(JSON.stringify(event));
  const secret = await theSecret(Math.min(deadline, performance.now() + SECRET_BUDGET));
  const timestamp = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", secret).update(`v1.${timestamp}.`).update(body).digest("hex");
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-Gatepost-Timestamp": String(timestamp),
        "X-Gatepost-Signature": `v1=${signature}`,
        // Lambda's freeze silently kills a kept connection.
        Connection: "close",
      },
      body,
      // A redirect means a wrong GATEPOST_URL. To follow it would send the password to another host.
      redirect: "manual",
      signal: AbortSignal.timeout(until(deadline)),
    });
    if (response.ok) return answerIn(await text(response));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("unreachable", { cause: causeOf(error) });
  }
  // The status is enough: do not wait for a long or stalled body.
  response.body?.cancel().catch(() => {});
  throw new Failure("refused", { status: response.status });
}

async function text(response) {
  const chunks = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > MAX_ANSWER) throw new Failure("answer_unusable");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

// What Gatepost says of the user. Cognito would make a user of whatever it got.
function answerIn(body) {
  let answer;
  try {
    answer = JSON.parse(body);
  } catch {
    throw new Failure("answer_unusable");
  }
  const { userAttributes, finalUserStatus, messageAction } = answer ?? {};
  const isText = (value) => typeof value === "string" && value !== "";
  const attributes = Object.values(userAttributes ?? {});
  if (!isText(userAttributes?.email) || !attributes.every(isText) || messageAction !== "SUPPRESS") {
    throw new Failure("answer_unusable");
  }
  return finalUserStatus ? { userAttributes, finalUserStatus, messageAction } : { userAttributes, messageAction };
}

function endpoint(setting) {
  if (!setting?.trim()) throw new Failure("setting_missing", { setting: "GATEPOST_URL", message: "Set GATEPOST_URL." });
  const refuse = (message) => new Failure("setting_invalid", { setting: "GATEPOST_URL", message });
  if (!URL.canParse(setting)) throw refuse("GATEPOST_URL is not a URL.");
  const url = new URL(setting);
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && loopback)) throw refuse("GATEPOST_URL must be https.");
  if (url.username || url.password || url.search || url.hash) {
    throw refuse("GATEPOST_URL must have a scheme, a host and a path only.");
  }
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/cognito/user-migration/`;
  return url;
}

let remembered = null;

// The secret, from AWS if the settings name a location there. A secret from AWS is remembered. If a refresh fails, it
// is used for longer: an old secret that may still be valid is better than none.
async function theSecret(deadline) {
  const { USER_MIGRATION_SECRET, USER_MIGRATION_SECRET_ARN, USER_MIGRATION_SECRET_PARAMETER } = process.env;
  if (!USER_MIGRATION_SECRET_ARN && !USER_MIGRATION_SECRET_PARAMETER) {
    if (USER_MIGRATION_SECRET?.trim()) return USER_MIGRATION_SECRET.trim();
    throw new Failure("setting_missing", {
      setting: "USER_MIGRATION_SECRET",
      message: "Set USER_MIGRATION_SECRET_ARN, USER_MIGRATION_SECRET_PARAMETER or USER_MIGRATION_SECRET.",
    });
  }
  if (remembered && Date.now() < remembered.until) return remembered.secret;
  try {
    const abortSignal = AbortSignal.timeout(until(deadline));
    const secret = USER_MIGRATION_SECRET_ARN
      ? await fromSecretsManager(USER_MIGRATION_SECRET_ARN, abortSignal)
      : await fromParameterStore(USER_MIGRATION_SECRET_PARAMETER, abortSignal);
    remembered = { secret: plain(secret), until: Date.now() + SECRET_LIFETIME };
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure("secret_unavailable", { cause: causeOf(error) });
    if (!remembered) throw failure;
    remembered.until = Date.now() + SECRET_RETRY_AFTER;
    report("warn", "user_migration_secret_not_refreshed", failure);
  }
  return remembered.secret;
}

// The AWS SDK is part of Lambda's Node.js runtime. It signs, retries and knows every region. Unlike the Parameters and
// Secrets extension, it needs no layer whose ARN differs by region. So this file alone, pasted into the console, is the
// whole function. The SDK is loaded only when it is needed, because it costs start-up time.
async function fromSecretsManager(id, abortSignal) {
  const { SecretsManager } = await import("@aws-sdk/client-secrets-manager");
  const client = new SecretsManager({});
  try {
    return (await client.getSecretValue({ SecretId: id }, { abortSignal })).SecretString;
  } finally {
    client.destroy();
  }
}

async function fromParameterStore(name, abortSignal) {
  const { SSM } = await import("@aws-sdk/client-ssm");
  const client = new SSM({});
  try {
    return (await client.getParameter({ Name: name, WithDecryption: true }, { abortSignal })).Parameter?.Value;
  } finally {
    client.destroy();
  }
}

// Plain text, or a JSON object with the member USER_MIGRATION_SECRET. The Secrets Manager console writes objects by
// default, and a signature made with the braces would be refused without a hint.
function plain(stored) {
  let secret = stored;
  if (stored?.trim().startsWith("{")) {
    try {
      secret = JSON.parse(stored).USER_MIGRATION_SECRET;
    } catch {
      // A secret may begin with a brace.
    }
  }
  if (typeof secret === "string" && secret.trim()) return secret.trim();
  throw new Failure("secret_unusable", {
    message: "The stored secret must be text, or a JSON object with the member USER_MIGRATION_SECRET.",
  });
}

class Failure extends Error {
  constructor(code, details = {}) {
    super(code);
    Object.assign(this, { code, details });
  }
}

// The short name of an error. Messages are not logged, because they may quote what was sent.
function causeOf(error) {
  const name = error?.cause?.code ?? error?.code ?? error?.name;
  return word(typeof name === "string" ? name : error?.name);
}

// Only plain identifiers reach the log, so personal data cannot.
const word = (text) => (/^[\w.-]{1,64}$/.test(text) ? text : undefined);

// Names nobody: what was typed as a username may be a password.
function report(level, what, error) {
  const { code, details } = error instanceof Failure ? error : new Failure("internal", { cause: causeOf(error) });
  console[level](JSON.stringify({ level, event: what, code, ...details }));
}
