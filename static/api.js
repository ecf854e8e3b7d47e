// The browsable API: sends forms with the token and shows the page that the server returns. The token is only ever
// in this variable.
"use strict";

let token = null;

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const main = one("main");

// --- Requests and answers ---

/** Sends a request and shows its answer. If the server rejects a form, the form keeps its values. */
async function ask(url, { method = "GET", body, mediaType } = {}) {
  const headers = new Headers({ Accept: "text/html" });
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  else if (method !== "GET" && one("[data-csrf-token]")) headers.set("X-CSRFToken", one("[data-csrf-token]").dataset.csrfToken);
  if (mediaType) headers.set("Content-Type", mediaType);
  main.setAttribute("aria-busy", "true");
  let response, text;
  try {
    response = await fetch(url, { method, body, headers, cache: "no-store" });
    text = await response.text();
  } catch {
    return say("The server is not responding.");
  } finally {
    main.removeAttribute("aria-busy");
  }
  const isRefused = response.status === 401 && token !== null;
  if (isRefused) token = null;
  if (response.status === 204) return afterDelete();
  if (/^text\/html\b/.test(response.headers.get("Content-Type"))) showPage(text);
  else showText(method, response, text);
  if (isRefused) one("[data-token-error]").textContent = "The token was refused.";
  if (!response.ok && body !== undefined) restore(body);
  focus();
  say(one("[data-status]").textContent);
}

function showPage(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  document.title = page.title;
  main.replaceChildren(...one("main", page).childNodes);
  showToken();
}

/** Shows an answer that is not HTML in the current page. */
function showText(method, response, text) {
  const url = new URL(response.url);
  one("[data-request-method]").textContent = method;
  one("[data-request-target]").textContent = url.pathname + url.search;
  for (const link of all("[data-formats] a")) {
    link.classList.toggle("primary", link.href === url.href);
    if (link.href === url.href) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const status = document.createElement("span");
  status.className = response.ok ? "good" : "bad";
  status.textContent = response.status;
  one("[data-status]").replaceChildren(status, ` ${response.statusText}`);
  const rows = [...response.headers].map(([name, value]) => {
    const row = document.createElement("div");
    const [term, description] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    description.textContent = value;
    row.append(term, description);
    return row;
  });
  one("[data-headers]").replaceChildren(...rows);
  one("[data-body]").textContent = text;
  showToken();
}

/** A deleted object has no page, so this opens its list. */
async function afterDelete() {
  const parent = one("[data-parent]").href;
  history.pushState(null, "", parent);
  await ask(parent);
  say("Deleted.");
}

function showToken() {
  const panel = one("[data-token-panel]");
  one("[data-token]", panel).hidden = token !== null;
  one("[data-token-used]", panel).hidden = token === null;
}

function restore(body) {
  if (!one("#form-html")) return;
  if (typeof body === "string") {
    one("#content").value = body;
    return choose(one("#tab-raw"));
  }
  for (const box of all("#form-html [type=checkbox]")) box.checked = body.has(box.name);
  for (const [name, value] of body) {
    const field = one(`#form-html [name="${CSS.escape(name)}"]`);
    if (!field || field.type === "checkbox") continue;
    field.value = value;
    if ("value" in field.dataset) field.dataset.value = JSON.stringify(value);
  }
}

function focus() {
  const wrong = one("[role=tabpanel]:not([hidden]) [aria-invalid=true]");
  (wrong ?? one("h1")).focus();
}

/** Tells screen reader users about a change. */
function say(text) {
  one("[data-announcer]").textContent = text;
}

// --- Event listeners ---

/** Without a token, the browser follows links itself. */
function onLink(event, link) {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey && event.button === 0;
  if (token === null || !isPlain || "elsewhere" in link.dataset || link.origin !== location.origin) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  ask(link.href);
}

function onSubmit(event) {
  event.preventDefault();
  const form = event.target;
  const method = event.submitter?.dataset.method ?? form.dataset.method;
  const url = form.action;
  one("dialog[open]")?.close();
  if ("token" in form.dataset) useToken(form);
  else if ("raw" in form.dataset) ask(url, { method, body: one("#content").value, mediaType: one("#media-type").value });
  else if (form.id === "form-html") ask(url, { method, body: entered(form) });
  else ask(url, { method });
}

/** What a form sends. A browser removes line breaks from a line of text; a field that nobody touched keeps them. */
function entered(form) {
  const body = new URLSearchParams(new FormData(form));
  for (const field of all("[data-value]", form)) {
    const value = JSON.parse(field.dataset.value);
    if (field.value === value.replace(/[\r\n]/g, "")) body.set(field.name, value);
  }
  return body;
}

function useToken(form) {
  const field = one("textarea", form);
  // A token copied from a terminal can contain line breaks.
  const entered = field.value.trim().replace(/^Bearer\s+/i, "").replace(/\s+/g, "");
  field.value = "";
  // A header value, like a token, has only visible ASCII characters.
  if (!/^[\x21-\x7e]+$/.test(entered)) {
    one("[data-token-error]").textContent = "This is not a token.";
    return field.focus();
  }
  token = entered;
  ask(location.href);
}

function onClick(event) {
  const target = event.target;
  const link = target.closest("main a[href]");
  if (link) return onLink(event, link);
  const tab = target.closest("[role=tab]");
  if (tab) return choose(tab);
  if (target.closest("[data-dialog]")) return document.getElementById(target.closest("[data-dialog]").dataset.dialog).showModal();
  if (target.closest("[data-close]")) return target.closest("dialog").close();
  if (target.closest("[data-forget]")) {
    token = null;
    ask(location.href);
  }
}

function choose(tab) {
  for (const other of all("[role=tab]")) {
    other.setAttribute("aria-selected", other === tab);
    other.tabIndex = other === tab ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = other !== tab;
  }
  tab.focus();
}

/** The arrow keys move between tabs (https://www.w3.org/WAI/ARIA/apg/patterns/tabs/). */
function onKey(event) {
  if (!event.target.matches("[role=tab]") || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  event.preventDefault();
  choose(one("[role=tab][aria-selected=false]"));
}

const announcer = document.createElement("div");
announcer.className = "visually-hidden";
announcer.setAttribute("role", "status");
announcer.dataset.announcer = "";
document.body.append(announcer);
document.addEventListener("click", onClick);
document.addEventListener("submit", onSubmit);
document.addEventListener("keydown", onKey);
addEventListener("popstate", () => ask(location.href));
