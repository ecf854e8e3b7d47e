// The script of every admin page; lists and forms also load list.js and form.js. Every page works without scripts:
// they read data attributes of the markup that the server sends, and request only pages that a person could open.
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];
export const one = (selector, root = document) => root.querySelector(selector);

/** A new element with properties and children. Text stays text: nothing is parsed as HTML. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made && key !== "role") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export const icon = (name) => element("span", { className: `icon icon-${name}`, "aria-hidden": "true" });

/** Tells screen reader users about a change. */
export function announce(text) {
  const announcer = one("[data-announcer]");
  if (announcer) announcer.textContent = text;
}

/** Fetches one of our pages. Null means that the answer is another page: the caller then opens the URL normally. */
export async function fetchPage(url, signal) {
  const response = await fetch(url, { signal, headers: { Accept: "text/html" } });
  // Without a session the server redirects to the sign-in page.
  const elsewhere = new URL(response.url).pathname !== new URL(url, location.href).pathname;
  if (!response.ok || elsewhere) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  showLocalTimes(page);
  return page;
}

// --- Times ---

const two = (number) => String(number).padStart(2, "0");

/** Shows times in the reader's zone instead of UTC, which the tooltip keeps. They stay as wide as they are. */
function showLocalTimes(root) {
  for (const time of all("time[datetime]", root)) {
    const at = new Date(time.dateTime);
    if (isNaN(at)) continue;
    const day = [String(at.getFullYear()).padStart(4, "0"), two(at.getMonth() + 1), two(at.getDate())].join("-");
    time.textContent = `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
    time.title = time.dateTime.replace("T", " ").replace("Z", " UTC");
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const note of all("[data-zone]", root)) note.textContent = `Times are in your time zone, ${zone}.`;
}

// --- One submission ---

/** Forms that have been sent and are waiting for their answer. */
export const leaving = new WeakSet();

/** Ignores a second click, so that a form is sent once. */
function onSubmit(event) {
  const form = event.target;
  if (form.matches('[action="/admin/logout/"]')) localStorage.removeItem("gatepost-recent");
  if (form.matches("form[data-theme-form]")) return onTheme(event);
  if (event.defaultPrevented || form.method !== "post") return;
  if (leaving.has(form)) return event.preventDefault();
  leaving.add(form);
  const buttons = all("button:not([type=button])", form);
  buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
  // If the answer is a download, this page stays open and its form must work again.
  setTimeout(() => release(form), 8000);
}

function release(form) {
  leaving.delete(form);
  all("[aria-disabled]", form).forEach((button) => button.removeAttribute("aria-disabled"));
}

// The browser's Back button can restore this page from memory, with its forms still disabled.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) all("form").forEach(release);
});

// --- The palette ---

/** Opens the palette immediately. Its script loads on first use. */
async function openPalette() {
  const dialog = one("dialog[data-palette]");
  if (!dialog || dialog.open) return;
  one("input", dialog).value = "";
  dialog.showModal();
  const form = one("form", dialog);
  let isSent = false;
  const hold = (event) => (event.preventDefault(), (isSent = true));
  form.addEventListener("submit", hold);
  const { show, choose } = await import("./palette.js").finally(() => form.removeEventListener("submit", hold));
  show();
  // Somebody typed faster than the script loaded.
  if (isSent && !choose()) form.requestSubmit();
}

// --- Theme ---

function onTheme(event) {
  const theme = event.submitter?.value;
  if (!theme) return;
  event.preventDefault();
  const form = event.target;
  document.documentElement.dataset.theme = theme;
  all("button", form).forEach((button) => button.setAttribute("aria-pressed", String(button.value === theme)));
  const body = new URLSearchParams(new FormData(form, event.submitter));
  // The theme is already applied. If it could not be stored, the next page shows the old one.
  fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
}

// --- Keys ---

export const SINGLE_KEYS = "gatepost-single-keys";
// WCAG 2.1.4: people who use speech input, or hit keys by accident, can turn single-key shortcuts off.
export const singleKeys = () => localStorage.getItem(SINGLE_KEYS) !== "off";

/** Whether a key is a shortcut by itself: nobody types, no dialog is open, and the user has not turned it off. */
export function isShortcut(event) {
  const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  return !typing && !event.ctrlKey && !event.metaKey && !event.altKey && !one("dialog[open]") && singleKeys();
}

const openShortcuts = async () => (await import("./shortcuts.js")).show();

function onKey(event) {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    const form = key === "s" ? one("form[data-guard]") : null;
    if (key === "k") openPalette();
    else if (form && !one("dialog[open]")) form.requestSubmit(one("button.primary", form));
    else return;
    return event.preventDefault();
  }
  if (!isShortcut(event)) return;
  const search = key === "/" ? one("[data-search]") : null;
  if (search) search.select();
  else if (key === "/") openPalette();
  else if (key === "?") openShortcuts();
  else return;
  event.preventDefault();
}

// --- Event listeners ---

function onClick(event) {
  const copied = event.target.closest("[data-copied]");
  if (copied) import("./copy.js").then(({ copy }) => copy(copied.dataset.copied));
  if (event.target.closest("[data-shortcuts]")) openShortcuts();
  // A click on the backdrop is a click on the dialog itself.
  if (event.target.closest("[data-close]") || event.target.matches("dialog")) event.target.closest("dialog")?.close();
  const link = event.target.closest("a[data-palette-open]");
  if (link && one("dialog[data-palette]") && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openPalette();
  }
}

showLocalTimes(document);
all("[data-progress]").forEach(async (shown) => (await import("./progress.js")).followProgress(shown));
document.addEventListener("click", onClick);
document.addEventListener("submit", onSubmit);
document.addEventListener("keydown", onKey);
// A session may have ended without a sign-out.
if (location.pathname === "/admin/login/") localStorage.removeItem("gatepost-recent");
