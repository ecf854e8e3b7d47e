// Cognito's Post Confirmation trigger: tells Gatepost about a confirmed sign-up, signed with a shared secret.
//
// Whatever happens here, the account is already confirmed. A trigger that throws or is late would show the new
// user an error for nothing, so every failure ends in one log line and Cognito always gets its event back.
// A user Gatepost did not hear of is created by their first token (COGNITO_CREATE_USERS=true).
import { createHmac } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

const SIGN_UP = "PostConfirmation_ConfirmSignUp";
// Comes after each reset of a forgotten password and creates nobody, so the call is saved.
const FORGOT_PASSWORD = "PostConfirmation_ConfirmForgotPassword";

// Cognito waits 5 s, and a cold start counts. All waiting below ends within BUDGET; a function with a shorter
// timeout of its own (the console's default is 3 s) ends MARGIN before that.
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
      throw new Failure("unexpected_trigger", { message: "This function is meant for the Post Confirmation trigger." });
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

// Milliseconds until the deadline, as a timer takes them.
const until = (deadline) => Math.max(1, Math.floor(deadline - performance.now()));

async function forward(event, deadline) {
  const url = endpoint(process.env.GATEPOST_URL);
  const body = Buffer.from(JSON.stringify(event));
  const secret = await theSecret(event, Math.min(deadline, performance.now() + SECRET_BUDGET));

  // One retry, and only of what may pass by itself; the endpoint takes the same event twice. A first attempt that
  // stalls leaves half of the time to the second.
  let failure = await attempt(url, body, secret, until(deadline) / 2);
  if (failure?.mayPass) {
    await pause(Math.min(RETRY_PAUSE, until(deadline)));
    failure = await attempt(url, body, secret, until(deadline));
    if (failure) failure.details.attempts = 2;
  }
  if (failure) throw failure;
}

// Sends the event once; what went wrong is returned, not thrown.
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
        // A connection kept through Lambda's freeze is dead afterwards, and silently.
        Connection: "close",
      },
      body,
      // A redirect is a wrong GATEPOST_URL. Followed, it would take personal data to another address.
      redirect: "manual",
      signal: AbortSignal.timeout(Math.floor(milliseconds)),
    });
  } catch (error) {
    return new Failure("unreachable", { cause: causeOf(error) }, true);
  }
  // The status says everything, so a long or stalled body is not waited for.
  response.body?.cancel().catch(() => {});
  return response.ok ? null : new Failure("refused", { status: response.status }, response.status >= 500);
}

function endpoint(setting) {
  if (!setting?.trim()) throw new Failure("setting_missing", { setting: "GATEPOST_URL", message: "Set GATEPOST_URL." });
  const refuse = (message) => new Failure("setting_invalid", { setting: "GATEPOST_URL", message });
  if (!URL.canParse(setting)) throw refuse("GATEPOST_URL is no URL.");
  const url = new URL(setting);
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && loopback)) throw refuse("GATEPOST_URL must be https.");
  if (url.username || url.password || url.search || url.hash) {
    throw refuse("GATEPOST_URL must be scheme, host and path only.");
  }
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/cognito/post-confirmation/`;
  return url;
}

let remembered = null;

// The secret, from AWS where the function's settings name a place there. What came from AWS is remembered, and
// used for longer when a refresh fails: an old secret that may still be right is better than none.
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

// The AWS SDK is part of Lambda's Node.js runtime. It signs, retries and knows every region, and unlike the
// Parameters and Secrets extension it needs no layer whose address differs by region, so that this file alone,
// pasted into the console, is the whole function. It is loaded only where it is needed: it costs start-up time.
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

// Text as it is, or a JSON object with the member POST_CONFIRMATION_SECRET: the Secrets Manager console writes
// objects unless told otherwise, and signing with the braces would only show as a refused signature.
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
    message: "The stored secret must be text, or a JSON object with a member POST_CONFIRMATION_SECRET.",
  });
}

class Failure extends Error {
  constructor(code, details = {}, mayPass = false) {
    super(code);
    Object.assign(this, { code, details, mayPass });
  }
}

// The short name of an error: messages are not logged, since they may quote what was sent.
function causeOf(error) {
  const name = error?.cause?.code ?? error?.code ?? error?.name;
  return word(typeof name === "string" ? name : error?.name);
}

// Only plain identifiers reach the log, so that nothing else can arrive in their place.
const word = (text) => (/^[\w.-]{1,64}$/.test(text) ? text : undefined);

function report(level, what, event, error) {
  const { code, details } = error instanceof Failure ? error : new Failure("internal", { cause: causeOf(error) });
  // Of the person, the `sub` alone: it names the account for the pool's owner and says nothing to others.
  const sub = word(event?.request?.userAttributes?.sub);
  console[level](JSON.stringify({ level, event: what, code, ...details, sub }));
}
