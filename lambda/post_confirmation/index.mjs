// Cognito's Post Confirmation trigger: tells Gatepost about a confirmed sign-up, signed with a shared secret.
//
// The account is already confirmed when Cognito calls this function. If the function threw or was late, the new user
// would see an error for no reason. So every failure ends in one log line, and Cognito always gets its event back.
// The first token creates a user that Gatepost was not told about (COGNITO_CREATE_USERS=true).
import { createHmac } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

const SIGN_UP = "PostConfirmation_ConfirmSignUp";
// Comes after each reset of a forgotten password. It creates no user, so it is not forwarded.
const FORGOT_PASSWORD = "PostConfirmation_ConfirmForgotPassword";

// Cognito waits 5 s, including a cold start. All waiting below ends within BUDGET. If the function's own timeout is
// shorter (the console's default is 3 s), it ends MARGIN before that.
const BUDGET = 4000;
const MARGIN = 500;
const SECRET_BUDGET = 2000;
const RETRY_PAUSE = 200;
const SECRET_LIFETIME = 5 * 60_000;
const SECRET_RETRY_AFTER = 30_000;

export const handler = async (event, context) => {
  try {
    const source = event?.triggerSource;
    if (source === SIGN_UP) await forward(event, deadlineOf(context));
    else if (source !== FORGOT_PASSWORD) {
      throw new Failure("unexpected_trigger", { message: "Attach this function to the Post Confirmation trigger." });
    }
  } catch (error) {
    report("error", "post_confirmation_not_forwarded", event, error);
  }
  return event;
};

const deadlineOf = (context) => {
  const remaining = context?.getRemainingTimeInMillis?.() ?? Infinity;
  return performance.now() + Math.min(BUDGET, remaining - MARGIN);
};

// Whole milliseconds until the deadline, for a timer.
const until = (deadline) => Math.max(1, Math.floor(deadline - performance.now()));

async function forward(event, deadline) {
  const url = endpoint(process.env.GATEPOST_URL);
  const body = Buffer.from(JSON.stringify(event));
  const secret = await theSecret(event, Math.min(deadline, performance.now() + SECRET_BUDGET));

  // One retry, and only after a failure that may be temporary. The endpoint accepts the same event twice. A first
  // attempt that stalls leaves half of the time for the second.
  let failure = await attempt(url, body, secret, until(deadline) / 2);
  if (failure?.mayPass) {
    await pause(Math.min(RETRY_PAUSE, until(deadline)));
    failure = await attempt(url, body, secret, until(deadline));
    if (failure) failure.details.attempts = 2;
  }
  if (failure) throw failure;
}

// Sends the event once. Returns a failure instead of throwing it.
async function attempt(url, body, secret, milliseconds) {
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
      // A redirect means a wrong GATEPOST_URL. To follow it would send personal data to another host.
      redirect: "manual",
      signal: AbortSignal.timeout(Math.floor(milliseconds)),
    });
  } catch (error) {
    return new Failure("unreachable", { cause: causeOf(error) }, true);
  }
  // The status is enough: do not wait for a long or stalled body.
  response.body?.cancel().catch(() => {});
  return response.ok ? null : new Failure("refused", { status: response.status }, response.status >= 500);
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
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/cognito/post-confirmation/`;
  return url;
}

let remembered = null;

// The secret, from AWS if the settings name a location there. A secret from AWS is remembered. If a refresh fails, it
// is used for longer: an old secret that may still be valid is better than none.
async function theSecret(event, deadline) {
  const { POST_CONFIRMATION_SECRET, POST_CONFIRMATION_SECRET_ARN, POST_CONFIRMATION_SECRET_PARAMETER } = process.env;
  if (!POST_CONFIRMATION_SECRET_ARN && !POST_CONFIRMATION_SECRET_PARAMETER) {
    if (POST_CONFIRMATION_SECRET?.trim()) return POST_CONFIRMATION_SECRET.trim();
    throw new Failure("setting_missing", {
      setting: "POST_CONFIRMATION_SECRET",
      message: "Set POST_CONFIRMATION_SECRET_ARN, POST_CONFIRMATION_SECRET_PARAMETER or POST_CONFIRMATION_SECRET.",
    });
  }
  if (remembered && Date.now() < remembered.until) return remembered.secret;
  try {
    const abortSignal = AbortSignal.timeout(until(deadline));
    const secret = POST_CONFIRMATION_SECRET_ARN
      ? await fromSecretsManager(POST_CONFIRMATION_SECRET_ARN, abortSignal)
      : await fromParameterStore(POST_CONFIRMATION_SECRET_PARAMETER, abortSignal);
    remembered = { secret: plain(secret), until: Date.now() + SECRET_LIFETIME };
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure("secret_unavailable", { cause: causeOf(error) });
    if (!remembered) throw failure;
    remembered.until = Date.now() + SECRET_RETRY_AFTER;
    report("warn", "post_confirmation_secret_not_refreshed", event, failure);
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

// Plain text, or a JSON object with the member POST_CONFIRMATION_SECRET. The Secrets Manager console writes objects by
// default, and a signature made with the braces would be refused without a hint.
function plain(stored) {
  let secret = stored;
  if (stored?.trim().startsWith("{")) {
    try {
      secret = JSON.parse(stored).POST_CONFIRMATION_SECRET;
    } catch {
      // A secret may begin with a brace.
    }
  }
  if (typeof secret === "string" && secret.trim()) return secret.trim();
  throw new Failure("secret_unusable", {
    message: "The stored secret must be text, or a JSON object with the member POST_CONFIRMATION_SECRET.",
  });
}

class Failure extends Error {
  constructor(code, details = {}, mayPass = false) {
    super(code);
    Object.assign(this, { code, details, mayPass });
  }
}

// The short name of an error. Messages are not logged, because they may quote what was sent.
function causeOf(error) {
  const name = error?.cause?.code ?? error?.code ?? error?.name;
  return word(typeof name === "string" ? name : error?.name);
}

// Only plain identifiers reach the log, so personal data cannot.
const word = (text) => (/^[\w.-]{1,64}$/.test(text) ? text : undefined);

function report(level, what, event, error) {
  const { code, details } = error instanceof Failure ? error : new Failure("internal", { cause: causeOf(error) });
  // The `sub` is all that is logged about a person: it names the account to the pool's owner and to nobody else.
  const sub = word(event?.request?.userAttributes?.sub);
  console[level](JSON.stringify({ level, event: what, code, ...details, sub }));
}
